//! `sdc-engine logs`: boots a case and shows its console while it prints, without what would steer the terminal.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use super::args::LogsArgs;
use super::exit::{Exit, Failure};
use super::one::{self, One};
use super::{columns, print, say};
use crate::host::ExecRequest;
use crate::observe::escape;
use crate::report::github::printable;
use crate::report::{boot_lines, plain_log};
use crate::runner::{Held, OUTPUT_LIMIT};

/// How long the journal may take.
const JOURNAL: Duration = Duration::from_secs(30);
/// How long a console that was decided on may still have something to say.
const REST: Duration = Duration::from_millis(500);

/// Boots the case and shows its console.
pub(super) async fn logs(args: LogsArgs, images: &Path) -> Result<Exit, Failure> {
    let (hear, heard) = unbounded_channel();
    let one = one::open(&args.one, images, Some(hear)).await?;
    let done = within(&one, &args, heard).await;
    one.close(done).await
}

async fn within(one: &One, args: &LogsArgs, mut heard: UnboundedReceiver<Bytes>) -> Result<Exit, Failure> {
    say(&format!("{} boots on {}", one.case.id, one.run.host.facts().name));
    let mut lines = Lines::default();
    let boot = one.boot();
    tokio::pin!(boot);
    let held = loop {
        tokio::select! {
            held = &mut boot => break held?,
            Some(bytes) = heard.recv() => print(&lines.feed(&bytes))?,
        }
    };
    while let Ok(Some(bytes)) = timeout(REST, heard.recv()).await {
        print(&lines.feed(&bytes))?;
    }
    say(boot_lines(&held.boot, columns()).join("\n").trim());
    if args.journal {
        journal(one, &held).await?;
    }
    if args.follow && held.is_alive() {
        say("Ctrl-C ends it, and removes the container");
        let ended = held.ended(&one.run);
        tokio::pin!(ended);
        loop {
            tokio::select! {
                () = one.run.cancel.cancelled() => break,
                ended = &mut ended => { ended.map_err(Failure::environment)?; break }
                Some(bytes) = heard.recv() => print(&lines.feed(&bytes))?,
            }
        }
    }
    while let Ok(bytes) = heard.try_recv() {
        print(&lines.feed(&bytes))?;
    }
    print(&lines.rest())?;
    Ok(if held.is_up() { Exit::Held } else { Exit::Differs })
}

/// Shows the journal of a container that goes on.
async fn journal(one: &One, held: &Held) -> Result<(), Failure> {
    if !held.is_alive() {
        say("no journal: the container has ended");
        return Ok(());
    }
    let request = ExecRequest {
        argv: ["journalctl", "-b", "--no-pager"].map(String::from).into(),
        timeout: JOURNAL,
        output_limit: OUTPUT_LIMIT,
        ..ExecRequest::default()
    };
    let output = held.exec(&one.run, &request).await.map_err(Failure::environment)?;
    say("its journal:");
    let text = [&output.stdout, &output.stderr].map(|bytes| escape::text(bytes)).concat();
    print(&printable(&plain_log(&text)))?;
    if output.stdout_cut {
        say("the journal is longer than what is read of it");
    }
    Ok(())
}

/// Bytes as they come, made into lines that steer nothing.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    /// The lines that are whole now.
    fn feed(&mut self, bytes: &[u8]) -> String {
        self.0.extend_from_slice(bytes);
        let end = self.0.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let whole: Vec<u8> = self.0.drain(..end).collect();
        shown(&whole)
    }

    /// What has no line end.
    fn rest(&mut self) -> String {
        let rest = shown(&std::mem::take(&mut self.0));
        if rest.trim().is_empty() { String::new() } else { rest + "\n" }
    }
}

fn shown(bytes: &[u8]) -> String {
    // A terminal's line ends may have more than one carriage return, and those are no lines.
    let text = escape::text(bytes).replace("\r\r\n", "\n");
    printable(&plain_log(&text)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_whole_and_steer_nothing() {
        let mut lines = Lines::default();
        assert_eq!(lines.feed(b"[\x1b[0;32m  OK"), "");
        assert_eq!(lines.feed(b"  \x1b[0m] up\r\r\nhalf \x1b]0;x\x07"), "[  OK  ] up\n");
        assert_eq!((lines.rest().as_str(), lines.rest().as_str()), ("half \n", ""));
    }
}
