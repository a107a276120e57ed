//! The guard of a private engine, as its owner has it: started, listened to, ended. What it does is in `guard.sh`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

use super::{Possible, PrivateOptions, ROOTLESS_USER, STOP};
use crate::facts::EngineKind;
use crate::host::address::Address;
use crate::host::lab::Lab;
use crate::host::wire::get_json;

const GUARD: &str = include_str!("guard.sh");
const INNER: &str = include_str!("inner.sh");
const DOCKER: &str = include_str!("docker.sh");
const PODMAN: &str = include_str!("podman.sh");

/// A guard: a script that lives as long as what it started, and ends it when it is closed or its owner dies.
#[derive(Debug)]
pub(in crate::host) struct Guard {
    child: Child,
    /// The engine lives as long as this pipe is open.
    stdin: Option<ChildStdin>,
    says: Lines<BufReader<ChildStdout>>,
}

/// What a guard said after its engine's end.
#[derive(Debug, Default)]
pub(in crate::host) struct Said {
    /// The last words of what it guarded.
    pub(in crate::host) log: Vec<String>,
    /// What could not be removed.
    pub(in crate::host) left: Vec<String>,
}

impl Said {
    /// Takes a line of a guard's.
    pub(in crate::host) fn hear(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("left", what)) => self.left.push(what.to_owned()),
            Some(("log" | "error", words)) => self.log.push(words.to_owned()),
            Some(("run" | "data" | "ended", _)) => {}
            // The words of a program that the guard runs.
            _ => self.log.push(line.to_owned()),
        }
    }

    /// Why an engine ended, as its log has it: all of it where it is nothing but warnings.
    pub(super) fn reason(&self) -> String {
        tracing::debug!(log = self.log.join("\n"), "the engine's last words");
        let warns = |line: &&String| {
            line.starts_with("time=")
                && ["warning", "info", "debug"].iter().any(|l| line.contains(&format!("level={l}")))
        };
        let words: Vec<&String> = self.log.iter().filter(|line| !warns(line)).collect();
        match (words.is_empty(), self.log.is_empty()) {
            (_, true) => "it ended without a word".to_owned(),
            (true, _) => self.log.join("\n"),
            (false, _) => words.into_iter().map(String::as_str).collect::<Vec<_>>().join("\n"),
        }
    }
}

impl Guard {
    pub(super) fn spawn(
        lab: &Lab,
        options: &PrivateOptions,
        possible: &Possible<'_>,
        root: Option<&Path>,
    ) -> std::io::Result<Self> {
        let service = match lab.engine {
            EngineKind::Docker => DOCKER,
            EngineKind::Podman => PODMAN,
        };
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec unshare --mount --propagation private sh -c \"$@\" 2>&1", "sdc-engine", GUARD])
            .args([&format!("sdc-engine-guard-{}", lab.name), &lab.name, possible.cgroups])
            .args([&options.data.join("engines"), &options.runs])
            .arg(INNER)
            .arg(root.unwrap_or(Path::new("")))
            .args([lab.runtime.as_str(), if lab.rootless { ROOTLESS_USER } else { "" }])
            .arg(&possible.program)
            .arg(service);
        Self::start(command)
    }

    /// Starts a guard that a command line runs.
    pub(in crate::host) fn start(mut command: Command) -> std::io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C on the terminal is for us; the guard ends when we do.
            .process_group(0)
            .spawn()?;
        let missing = || std::io::Error::other("no pipe to the guard");
        let stdin = Some(child.stdin.take().ok_or_else(missing)?);
        let says = BufReader::new(child.stdout.take().ok_or_else(missing)?).lines();
        Ok(Self { child, stdin, says })
    }

    /// Waits until the engine answers: its run folder and address. Words where it ends first.
    pub(super) async fn ready(&mut self, lab: &Lab) -> Result<(PathBuf, Address), String> {
        const POLL: Duration = Duration::from_millis(20);
        let socket = match (lab.engine, lab.rootless) {
            (EngineKind::Docker, _) => "docker.sock",
            (EngineKind::Podman, false) => "podman.sock",
            (EngineKind::Podman, true) => "user/podman.sock",
        };
        let mut said = Said::default();
        let mut place = None;
        loop {
            tokio::select! {
                line = self.says.next_line() => match line {
                    Ok(Some(line)) => {
                        if let Some(run) = line.strip_prefix("run ") {
                            place = Some((PathBuf::from(run), Address::Unix(Path::new(run).join(socket))));
                        }
                        said.hear(&line);
                    }
                    Ok(None) | Err(_) => return Err(said.reason()),
                },
                () = sleep(POLL) => {
                    if let Some(place) = &place && get_json(&place.1, "/version").await.is_ok() {
                        return Ok(place.clone());
                    }
                }
            }
        }
    }

    /// The next line that it says; `None` when it has ended.
    pub(in crate::host) async fn line(&mut self) -> Option<String> {
        self.says.next_line().await.ok().flatten()
    }

    /// Ends what it guards, and it; what it said.
    pub(in crate::host) async fn end(mut self) -> Said {
        let mut said = Said::default();
        drop(self.stdin.take());
        let until = Instant::now() + STOP;
        loop {
            match tokio::time::timeout_at(until, self.says.next_line()).await {
                Ok(Ok(Some(line))) => said.hear(&line),
                Ok(_) => break,
                Err(_) => {
                    said.left.push(format!("its guard did not end within {} s", STOP.as_secs()));
                    return said;
                }
            }
        }
        drop(timeout(Duration::from_secs(5), self.child.wait()).await);
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engines_reason_is_told_without_its_warnings() {
        let said = |lines: &[&str]| Said { log: lines.iter().map(ToString::to_string).collect(), left: Vec::new() };
        let warning = "time=\"x\" level=warning msg=\"no swap\"";
        let fatal = "time=\"x\" level=fatal msg=\"no disk\"";
        assert_eq!(said(&[warning, fatal, "failed to start daemon: no disk"]).reason().lines().count(), 2);
        assert_eq!(said(&[warning]).reason(), warning);
        assert_eq!(said(&[]).reason(), "it ended without a word");
    }

    #[test]
    fn what_a_guard_says_is_sorted() {
        let mut said = Said::default();
        for line in ["run /x", "ended 1", "log one", "left the cgroup /a", "unshare: no"] {
            said.hear(line);
        }
        assert_eq!((said.log, said.left), (vec!["one".into(), "unshare: no".into()], vec!["the cgroup /a".into()]));
    }
}
