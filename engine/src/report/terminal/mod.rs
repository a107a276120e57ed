//! What a person reads: progress while it runs, then what differs, which setups work, and the numbers. Text is built
//! styled and passes one stream that strips the styles where they are not wanted; nothing is printed anywhere else.

mod case_line;
mod failures;
mod live;
mod numbers;
mod pace;
mod summary;

#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use anstream::{AutoStream, ColorChoice};
use indicatif::ProgressDrawTarget;

use crate::events::Event;
use crate::judge::Verdict;

use super::Reporter;
use super::details::Look;
use super::github::printable;
use super::run::Run;
use live::Live;
use pace::{Pace, about};

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// A line for each case that is not a plain pass, and the numbers.
    Quiet,
    /// Progress, what differs, the table, and the numbers.
    #[default]
    Normal,
    /// Every case, every reason, every text in full.
    Verbose,
}

/// How the terminal reporter writes.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How much is told.
    pub verbosity: Verbosity,
    /// Whether a person watches: then plain passes only move the progress on, and are no lines.
    pub watched: bool,
    /// Whether styles are written.
    pub colour: bool,
    /// The columns to stay within; `None` never breaks a line.
    pub columns: Option<usize>,
}

impl Options {
    const fn look(&self) -> Look {
        Look { columns: self.columns, full: matches!(self.verbosity, Verbosity::Verbose) }
    }
}

/// Writes for people.
pub struct Terminal {
    run: Run,
    out: AutoStream<Box<dyn Write + Send>>,
    live: Option<Live>,
    options: Options,
    since: Instant,
    pace: Pace,
    failed: Option<io::Error>,
}

impl Terminal {
    /// Writes to `out` alone, without live progress.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, options: Options) -> Self {
        let choice = if options.colour { ColorChoice::AlwaysAnsi } else { ColorChoice::Never };
        Self {
            run: Run::default(),
            out: AutoStream::new(out, choice),
            live: None,
            options,
            since: Instant::now(),
            pace: Pace::default(),
            failed: None,
        }
    }

    /// Shows live progress there, unless quiet.
    #[must_use]
    pub fn with_live(mut self, target: ProgressDrawTarget) -> Self {
        self.live = (self.options.verbosity > Verbosity::Quiet).then(|| Live::new(target, self.options.colour));
        self
    }

    /// Writes to standard output; live progress goes to standard error where that is a terminal. Colours follow
    /// `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and the choice that the command line made for anstream.
    #[must_use]
    pub fn standard(verbosity: Verbosity) -> Self {
        let out = io::stdout();
        let draws = draws();
        let size = terminal_size::terminal_size_of(&out);
        let options = Options {
            verbosity,
            watched: draws && out.is_terminal(),
            colour: AutoStream::choice(&out) != ColorChoice::Never,
            columns: if out.is_terminal() { size.map(|(width, _)| usize::from(width.0).max(20)) } else { None },
        };
        let terminal = Self::new(Box::new(out), options);
        if draws { terminal.with_live(ProgressDrawTarget::stderr_with_hz(10)) } else { terminal }
    }

    /// Shows live progress on standard error, where that is a terminal, and writes nothing.
    #[must_use]
    pub fn progress_only() -> Self {
        let options = Options {
            verbosity: Verbosity::Normal,
            watched: true,
            colour: AutoStream::choice(&io::stderr()) != ColorChoice::Never,
            columns: None,
        };
        let terminal = Self::new(Box::new(io::sink()), options);
        if draws() { terminal.with_live(ProgressDrawTarget::stderr_with_hz(10)) } else { terminal }
    }

    /// Writes lines, above the live progress where there is one. After a write failed nothing more is tried.
    fn print(&mut self, lines: &[String]) {
        if self.failed.is_some() || lines.is_empty() {
            return;
        }
        let out = &mut self.out;
        let mut write = || {
            let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            out.write_all(printable(&text).as_bytes()).and_then(|()| out.flush())
        };
        let written = match &self.live {
            Some(live) => live.suspend(write),
            None => write(),
        };
        self.failed = written.err();
    }

    fn is_told(&self, verdict: &Verdict) -> bool {
        match self.options.verbosity {
            Verbosity::Verbose => true,
            Verbosity::Normal => !self.options.watched || *verdict != Verdict::Pass,
            Verbosity::Quiet => *verdict != Verdict::Pass,
        }
    }
}

/// Whether live progress can be drawn on standard error.
fn draws() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

impl Reporter for Terminal {
    fn event(&mut self, event: &Event) {
        self.run.event(event);
        self.pace.event(event, self.since.elapsed());
        if let Some(live) = &mut self.live {
            live.event(event);
        }
        let normal = self.options.verbosity > Verbosity::Quiet;
        match event {
            Event::RunStarted { .. } if normal => self.print(&numbers::start(&self.run, self.options.look())),
            Event::HostFailed { .. } if normal => self.print(&numbers::failed(&self.run, self.options.look())),
            Event::Notice { message } if normal => self.print(&case_line::notice(message, self.options.columns)),
            Event::CaseFinished { result } if self.is_told(&result.verdict) => {
                self.print(&[case_line::line(result, self.options.columns)]);
            }
            _ => {}
        }
        self.tick();
    }

    fn tick(&mut self) {
        let now = self.since.elapsed();
        let slow = self.pace.slow(now);
        if self.options.verbosity > Verbosity::Quiet {
            for line in slow {
                self.print(&case_line::notice(&line, self.options.columns));
            }
        }
        let left = self.pace.left(now).map(about);
        if let Some(live) = &mut self.live {
            live.left(left);
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.live = None;
        let mut lines = Vec::new();
        if self.options.verbosity > Verbosity::Quiet {
            lines.extend(failures::unused_rules(&self.run, self.options.look()));
            lines.extend(failures::warnings(&self.run, self.options.look()));
            lines.extend(failures::failures(&self.run, self.options.look()));
            lines.extend(summary::tables(&self.run, self.options.columns));
        }
        lines.extend(failures::leaks(&self.run, self.options.look()));
        lines.extend(numbers::end(&self.run, self.options.look(), self.options.verbosity));
        self.print(&lines);
        let told = |error: io::Error| io::Error::new(error.kind(), format!("standard output: {error}"));
        self.failed.take().map_or(Ok(()), |error| Err(told(error)))
    }
}
