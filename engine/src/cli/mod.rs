//! The commands: reads arguments and files, puts the other modules together, and ends with an exit code.

mod args;
mod check;
mod clean;
mod compare;
mod exit;
mod goldens;
mod host;
mod images;
mod kept;
mod known;
mod list;
mod load;
mod select;
mod session;
mod signals;

use std::io::Write;
use std::path::Path;

use clap::Parser;

pub use args::Cli;
pub use exit::{Exit, Failure};

use args::Command;

use crate::redact::Redaction;

/// Runs the command of this process's arguments.
#[must_use]
pub fn main() -> Exit {
    let cli = Cli::parse();
    if let Err(failure) = start_log(&cli.log_level) {
        return report(&failure);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&Failure::environment(error)),
    };
    match runtime.block_on(run(cli)) {
        Ok(exit) => exit,
        Err(failure) => report(&failure),
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
        Command::Compare(args) => compare::compare(args, &images, &golden, &redaction).await,
        Command::List(args) => list::list(args, &images, &redaction).await,
        Command::Host(args) => host::host(args, &images, &redaction).await,
        Command::Images(args) => self::images::images(args, &images).await,
        Command::Update(args) => goldens::update(args, setting).await,
        Command::Review(args) => goldens::review(args, setting).await,
        Command::Accept(args) => goldens::accept(args, setting).await,
        Command::Reject(args) => goldens::reject(args, setting),
        Command::Prune(args) => goldens::prune(args, setting).await,
        Command::Explain(args) => goldens::explain(args, setting).await,
        Command::Clean(args) => clean::clean(args, &images).await,
    }
}

/// # Errors
/// A level that there is not.
fn start_log(level: &str) -> Result<(), Failure> {
    use tracing_subscriber::EnvFilter;
    // A level alone is meant for us; libraries get it through a full filter such as `debug,bollard=trace`.
    let filter = if level.contains(['=', ',']) { level.to_string() } else { format!("warn,sdc_engine={level}") };
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        let help = "there are: off, error, warn, info, debug, trace; or a filter such as sdc_engine=debug";
        Failure::input(miette::miette!(help = help, "--log-level {level}: {error}"))
    })?;
    // Into a file go no colours.
    let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .with_target(false);
    let _already_there = log.try_init();
    Ok(())
}

fn report(failure: &Failure) -> Exit {
    let mut stderr = anstream::stderr().lock();
    let _nowhere_to_say_it = writeln!(stderr, "{:?}", failure.report);
    failure.exit
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
