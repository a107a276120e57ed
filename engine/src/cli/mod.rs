//! The commands: reads arguments and files, puts the other modules together, and ends with an exit code.

mod advise;
mod args;
mod changed;
mod check;
mod clean;
mod compare;
mod diagnose;
mod exit;
mod explain;
mod files;
mod goldens;
mod host;
mod images;
mod kept;
mod known;
mod lint;
mod list;
mod load;
mod log;
mod logs;
mod manual;
mod merge;
mod new;
mod one;
mod provided;
mod report;
mod reporters;
mod reports;
mod rerun;
mod schema;
mod secrets;
mod select;
mod session;
mod shell;
mod signals;

use std::io::Write;
use std::path::Path;

use clap::Parser;

pub use args::Cli;
pub use exit::{Exit, Failure};
pub use files::File;

use args::Command;

use crate::observe::escape::visible;
use crate::redact::Redaction;
use crate::report::github::printable;

/// Runs the command of this process's arguments.
#[must_use]
pub fn main() -> Exit {
    let cli = Cli::parse();
    if let Err(failure) = log::start(&cli.log_level) {
        return fail(&failure);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Failure::environment(error)),
    };
    match runtime.block_on(run(cli)) {
        Ok(exit) => exit,
        Err(failure) => fail(&failure),
    }
}

/// What a command is given besides its own arguments.
#[derive(Debug, Clone, Copy)]
struct Setting<'a> {
    images: &'a Path,
    golden: &'a Path,
    /// Where is set aside what waits for a decision.
    aside: &'a Path,
    redaction: &'a Redaction,
}

async fn run(cli: Cli) -> Result<Exit, Failure> {
    let Cli { command, images, golden, aside, no_redact, .. } = cli;
    let redaction = if no_redact { Redaction::off() } else { Redaction::on(known::here()) };
    let setting = Setting { images: &images, golden: &golden, aside: &aside, redaction: &redaction };
    match command {
        Command::Check(args) => check::check(args, setting).await,
        Command::Rerun(args) => rerun::rerun(args, setting).await,
        Command::Compare(args) => compare::compare(args, &images, &golden, &redaction).await,
        Command::Diagnose(args) => diagnose::diagnose(args, &images, &redaction).await,
        Command::Advise(args) => advise::advise(args, &images, &redaction).await,
        Command::Report(args) => report::report(&args, &images, &redaction),
        Command::Merge(args) => merge::merge(&args, &redaction),
        Command::List(args) => list::list(args, &images, &redaction).await,
        Command::Host(args) => host::host(args, &images, &redaction).await,
        Command::Images(args) => self::images::images(args, &images).await,
        Command::Update(args) => goldens::update(args, setting).await,
        Command::Review(args) => goldens::review(args, setting).await,
        Command::Accept(args) => goldens::accept(args, setting).await,
        Command::Reject(args) => goldens::reject(args, setting),
        Command::Prune(args) => goldens::prune(args, setting).await,
        Command::Explain(args) if args.goldens => goldens::explain(args, setting).await,
        Command::Explain(args) => explain::explain(args, &images).await,
        Command::Shell(args) => shell::shell(args, &images).await,
        Command::Logs(args) => logs::logs(args, &images).await,
        Command::New(args) => new::new(&args),
        Command::Lint(args) => lint::lint(&args, setting),
        Command::Schema(args) => schema::schema(&args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
        Command::Clean(args) => clean::clean(args, &images).await,
    }
}

fn fail(failure: &Failure) -> Exit {
    let mut stderr = anstream::stderr().lock();
    let _nowhere_to_say_it = writeln!(stderr, "{}", printable(&harmless(&format!("{:?}", failure.report))));
    failure.exit
}

/// A report as it may be printed: it shows files of others and words of engines. Only miette's colours stay sequences.
fn harmless(report: &str) -> String {
    let mut text = String::with_capacity(report.len());
    let mut rest = report;
    while let Some(c) = rest.chars().next() {
        let colour = rest.strip_prefix("\u{1b}[").and_then(|after| {
            let length = after.find(|c: char| !c.is_ascii_digit() && c != ';')?;
            after[length..].starts_with('m').then_some(length + 3)
        });
        let length = colour.unwrap_or(c.len_utf8());
        let (piece, after) = rest.split_at(length);
        text.push_str(&if colour.is_some() { piece.into() } else { visible(piece) });
        rest = after;
    }
    text
}

/// Says on stderr what a user should know, and that no failure is.
fn say(words: &str) {
    let mut stderr = anstream::stderr().lock();
    let _nowhere_to_say_it = writeln!(stderr, "sdc-engine: {}", printable(&visible(words)));
}

/// Prints to stdout; a reader that went away is no error of ours.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::environment(error)),
        _ => Ok(()),
    }
}

/// The columns of the terminal that stdout is; `None` where it is none.
fn columns() -> Option<usize> {
    use std::io::IsTerminal as _;
    let out = std::io::stdout();
    let size = if out.is_terminal() { terminal_size::terminal_size_of(&out) } else { None };
    size.map(|(width, _)| usize::from(width.0).max(20))
}

fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(Failure::environment)
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn a_report_steers_nothing_but_colours() {
        let report = "\u{1b}[1;31m×\u{1b}[0m said \u{1b}]0;x\u{7} \u{1b}[2J \u{9b}2m \u{202e}\r\n\u{1b}[1";
        let shown = "\u{1b}[1;31m×\u{1b}[0m said \\x1b]0;x\\x07 \\x1b[2J \\xc2\\x9b2m \\xe2\\x80\\xae\\x0d\n\\x1b[1";
        assert_eq!(harmless(report), shown);
    }
}
