//! Who is told of a run, by its command line and where it runs.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::args::RunArgs;
use super::exit::Failure;
use super::session::Asked;
use crate::events::Event;
use crate::report::run::Run as Record;
use crate::report::{Bundle, Fanout, Github, Json, Junit, Reporter, Stream, Target, Terminal, Verbosity, github};

/// How often what is shown of the time is looked at.
const TICK: Duration = Duration::from_millis(500);

/// Where events are written, where they are asked for.
///
/// # Errors
/// More than one thing for stdout, or a file that can't be written: before anything is started.
pub(super) fn lines(run: &RunArgs) -> Result<Option<Box<dyn Write + Send>>, Failure> {
    let streams = [&run.json, &run.junit, &run.events];
    if streams.iter().filter(|path| path.as_deref() == Some(Path::new("-"))).count() > 1 {
        return Err(Failure::input(miette::miette!("--json, --junit and --events: only one of them can go to stdout")));
    }
    run.events.as_deref().map(events).transpose()
}

/// Opens what events are written to, before anything is started.
fn events(path: &Path) -> Result<Box<dyn Write + Send>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdout()));
    }
    let opened = std::fs::File::create(path);
    let file = opened.map_err(|error| Failure::environment(format!("--events {}: {error}", path.display())))?;
    Ok(Box::new(file))
}

/// Starts the reporters on a thread of their own: they write, and writing may block.
pub(super) fn start(
    asked: &Asked<'_>,
    mut heard: UnboundedReceiver<Event>,
    lines: Option<Box<dyn Write + Send>>,
) -> JoinHandle<std::io::Result<Record>> {
    let verbosity = match (asked.run.quiet, asked.run.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    let mut reporters = Fanout::default();
    if asked.silent {
        reporters = reporters.with(Terminal::progress_only());
    }
    // What is on stdout for a program has nothing else beside it.
    let to_stdout = asked.run.for_a_program();
    if !to_stdout && !asked.silent {
        reporters = reporters.with(Terminal::standard(verbosity));
    }
    let names = asked.hosts.iter().filter_map(|ask| ask.name);
    let redaction = asked.redaction.of_hosts(names.clone());
    // First, so that what others point to is there.
    if let Some(folder) = &asked.run.bundle {
        reporters = reporters.with(Bundle::new(folder.clone(), redaction.clone()));
    }
    if let Some(lines) = lines {
        reporters = reporters.with(Stream::new(lines, redaction.clone()));
    }
    if let Some(path) = &asked.run.json {
        reporters = reporters.with(Json::new(Target::named(path, std::io::stdout()), redaction.clone()));
    }
    if let Some(path) = &asked.run.junit {
        reporters = reporters.with(Junit::new(Target::named(path, std::io::stdout()), redaction));
    }
    if github::is_here() && !asked.silent {
        let summary = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(Into::into);
        // A runner reads both streams; the one that is for a program has nothing else.
        let out: Box<dyn Write + Send> =
            if asked.run.stdout_is_taken() { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
        reporters = reporters.with(Github::new(out, summary, asked.redaction.of_hosts(names)));
    }
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut record = Record::default();
        loop {
            match runtime.block_on(timeout(TICK, heard.recv())) {
                Ok(Some(event)) => {
                    record.event(&event);
                    reporters.event(&event);
                }
                Ok(None) => break,
                Err(_nothing_happened) => reporters.tick(),
            }
        }
        reporters.finish()?;
        Ok(record)
    })
}
