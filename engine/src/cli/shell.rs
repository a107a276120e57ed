//! `sdc-engine shell`: boots a case and enters it, by the engine's own program, which knows how to hand over a terminal.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::args::ShellArgs;
use super::exit::{Exit, Failure};
use super::one::{self, One};
use super::{columns, print, say};
use crate::host::by_hand::client;
use crate::report::boot_lines;
use crate::runner::Held;

/// What is entered where no command is given: the better of two shells.
const SHELL: [&str; 3] = ["/bin/sh", "-c", "exec \"$(command -v bash || echo sh)\""];
/// How long the engine's program may take to put the terminal in order.
const GRACE: Duration = Duration::from_secs(2);

/// Boots the case and enters it.
pub(super) async fn shell(args: ShellArgs, images: &Path) -> Result<Exit, Failure> {
    let one = one::open(&args.one, images, None).await?;
    let done = within(&one, &args.command).await;
    one.close(done).await
}

async fn within(one: &One, command: &[String]) -> Result<Exit, Failure> {
    say(&format!("{} boots on {}", one.case.id, one.run.host.facts().name));
    let held = one.boot().await?;
    if !held.is_up() {
        return not_up(&held);
    }
    let told: Vec<String> = boot_lines(&held.boot, columns());
    say(told.first().map_or("it is up", |line| line.trim()));
    let mut child = start(one, &held, command)?;
    let status = tokio::select! {
        status = child.wait() => status.map_err(Failure::environment)?,
        () = one.run.cancel.cancelled() => {
            end(&mut child).await;
            return Err(Failure { exit: Exit::Interrupted, ..Failure::environment("interrupted; the container is removed") });
        }
    };
    Ok(told_end(status, command.is_empty()))
}

/// Says what the command came to; its code is not ours, whose codes mean something else.
fn told_end(status: ExitStatus, shell: bool) -> Exit {
    let what = if shell { "the shell" } else { "the command" };
    match status.code() {
        Some(code) => say(&format!("{what} ended with exit code {code}; the container is removed")),
        None => say(&format!("{what} was ended: {status}; the container is removed")),
    }
    if status.success() { Exit::Held } else { Exit::Differs }
}

/// A boot that failed: why, and its console.
fn not_up(held: &Held) -> Result<Exit, Failure> {
    let lines = boot_lines(&held.boot, columns());
    print(&format!("{}\n\nthere is no shell to enter; its console:\n", lines.join("\n")))?;
    let console = crate::report::plain_log(&held.boot.console);
    print(&console.lines().map(|line| format!("  │ {line}\n")).collect::<String>())?;
    Ok(Exit::Differs)
}

/// Starts the engine's program. It ends with us, whatever ends us.
fn start(one: &One, held: &Held, command: &[String]) -> Result<Child, Failure> {
    let host = &one.run.host;
    let words = client(host.facts().engine, &host.address());
    let mut words = shell_words::split(&words).map_err(Failure::environment)?;
    words.extend(["exec", "--interactive"].map(String::from));
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        words.push("--tty".to_owned());
        // The program hands over no variable by itself.
        words.extend(std::env::var("TERM").ok().map(|term| format!("--env=TERM={term}")));
    }
    words.push(held.name.clone());
    if command.is_empty() {
        words.extend(SHELL.map(String::from));
    } else {
        words.extend(command.iter().cloned());
    }
    let spawn = |before: &[&str]| {
        let all: Vec<&str> = before.iter().copied().chain(words.iter().map(String::as_str)).collect();
        let (program, rest) = all.split_first().map_or(("", [].as_slice()), |(program, rest)| (*program, rest));
        Command::new(program).args(rest).kill_on_drop(true).spawn()
    };
    let spawned = match spawn(&["setpriv", "--pdeathsig", "TERM", "--"]) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => spawn(&[]),
        spawned => spawned,
    };
    spawned.map_err(|error| {
        let program = words.first().map(String::as_str).unwrap_or_default();
        Failure::environment(format!("{program} can't be started, which enters containers: {error}"))
    })
}

/// Lets the program put the terminal in order before it is killed.
async fn end(child: &mut Child) {
    let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    if let Some(pid) = pid {
        let _gone = kill_process(pid, Signal::TERM);
    }
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        let _gone = child.kill().await;
    }
}
