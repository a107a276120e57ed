//! Private engines: a dockerd of our own on a socket and folders of its own, in namespaces of its own, stopped with us.
//!
//! The work is in two scripts: `private/guard.sh` starts the engine and removes every trace of it when the pipe to its
//! standard input ends, so that it does so too where we are killed; `private/inner.sh` prepares the engine's
//! namespaces. This file finds out what is there, starts the guard, waits for the socket and reads what it says.
//!
//! Folders: `<data>/<lab>` keeps images between runs; a second run at the same time takes `<data>/<lab>-2`, and so on.
//! `<runs>/<lab>-<pid>` holds the socket and the log and is removed at the end. The engine's network namespace has a
//! bridge of its own and no way out: `network = "host"` means that namespace.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use super::address::Address;
use super::docker::Docker;
use super::facts::layout_here;
use super::wire::get_json;
use super::{ContainerId, Host, HostError};
use crate::facts::CgroupLayout;

const GUARD: &str = include_str!("private/guard.sh");
const INNER: &str = include_str!("private/inner.sh");

/// How long an engine may take until it answers.
const START: Duration = Duration::from_secs(60);
/// How long it may take until it and all its traces are gone.
const STOP: Duration = Duration::from_secs(60);

/// The lab hosts that need no file: private engines of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lab {
    /// dockerd on the machine's version 1 hierarchies.
    DockerV1,
    /// dockerd on cgroup2: the machine's own, or in a mount namespace in place of its version 1 hierarchies.
    DockerV2,
}

impl Lab {
    /// All, in the order of a listing.
    pub const ALL: [Self; 2] = [Self::DockerV1, Self::DockerV2];

    /// Its name on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DockerV1 => "docker-v1",
            Self::DockerV2 => "docker-v2",
        }
    }

    /// One line on it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::DockerV1 => "a private dockerd on this machine's cgroup v1 hierarchies",
            Self::DockerV2 => "a private dockerd on cgroup v2, in namespaces of its own where this machine has v1",
        }
    }

    /// The lab host of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lab| lab.name() == name)
    }

    /// What the guard does with `/sys/fs/cgroup`, or why this machine can't have this engine.
    fn cgroups(self, layout: Option<CgroupLayout>) -> Result<&'static str, &'static str> {
        match (self, layout) {
            (_, None) => Err("no cgroup file system is mounted below /sys/fs/cgroup"),
            (Self::DockerV1, Some(CgroupLayout::V2)) => Err(
                "this machine has cgroup v2 only, and its controllers can't be had as v1 hierarchies; use docker-v2",
            ),
            (Self::DockerV1, _) | (Self::DockerV2, Some(CgroupLayout::V2)) => Ok("keep"),
            (Self::DockerV2, _) => Ok("replace"),
        }
    }
}

/// Where private engines keep what is theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateOptions {
    /// Images, kept between runs.
    pub data: PathBuf,
    /// Sockets and logs, below `/run` and short: a socket's path has 107 bytes at most.
    pub runs: PathBuf,
}

impl Default for PrivateOptions {
    fn default() -> Self {
        Self { data: "/var/lib/sdc-engine/engines".into(), runs: "/run/sdc-engine".into() }
    }
}

/// What starting an engine needs to know.
#[derive(Debug)]
pub(super) struct Possible {
    cgroups: &'static str,
    dockerd: PathBuf,
}

/// Whether this machine, with cgroups of that layout, can have that engine; words on what is missing.
pub(super) fn possible(lab: Lab, layout: Option<CgroupLayout>) -> Result<Possible, String> {
    if !rustix::process::geteuid().is_root() {
        return Err("it needs root; run as root, or start an engine and name it by --host".to_owned());
    }
    let cgroups = lab.cgroups(layout)?;
    let [dockerd, ..] = programs(["dockerd", "containerd", "runc", "unshare", "setpriv", "flock"])?;
    Ok(Possible { cgroups, dockerd })
}

/// Starts an engine and connects to it; [`Host::close`] ends it. Containers of a run that died are removed first.
///
/// # Errors
/// Where this machine can't have it (the words name what is missing) or it does not start (the words end with its log).
pub async fn open(lab: Lab, options: &PrivateOptions) -> Result<Docker, HostError> {
    let (engine, address) = Engine::start(lab, options).await?;
    let docker = Docker::connect(lab.name(), address).await?;
    for left in remove_containers(&docker).await {
        tracing::warn!("a container of an earlier run on {} can't be removed: {left}", lab.name());
    }
    Ok(docker.owning(engine))
}

/// A running engine. Dropped without [`Engine::close`], its guard still ends it and cleans up.
#[derive(Debug)]
pub(super) struct Engine {
    guard: Mutex<Option<Guard>>,
    address: Address,
}

#[derive(Debug)]
struct Guard {
    child: Child,
    /// The engine lives as long as this pipe is open.
    stdin: Option<ChildStdin>,
    says: Lines<BufReader<ChildStdout>>,
}

impl Engine {
    async fn start(lab: Lab, options: &PrivateOptions) -> Result<(Self, Address), HostError> {
        let action = || format!("start the private engine {}", lab.name());
        let error = |words: String| HostError::local(action(), words);
        let possible = possible(lab, layout_here().await).map_err(error)?;
        let mut guard = Guard::spawn(lab, options, &possible).map_err(|e| error(e.to_string()))?;
        match timeout(START, guard.ready()).await {
            Ok(Ok(address)) => Ok((Self { guard: Mutex::new(Some(guard)), address: address.clone() }, address)),
            Ok(Err(words)) => Err(error(words)),
            Err(_) => {
                let said = guard.end().await;
                Err(error(format!("it does not answer after {} s\n{}", START.as_secs(), said.log.join("\n"))))
            }
        }
    }

    /// Removes its containers, ends it and cleans up; what could not be removed.
    pub(super) async fn close(&self, docker: &Docker) -> Vec<String> {
        let Some(guard) = self.guard.lock().await.take() else { return Vec::new() };
        // At most one word each: dockerd would give every container its stop signal and ten seconds.
        let removed = timeout(STOP, remove_containers(docker)).await;
        drop(removed);
        let mut left = guard.end().await.left;
        if let Address::Unix(socket) = &self.address
            && let Some(run) = socket.parent()
            && run.exists()
        {
            left.push(format!("the folder {}", run.display()));
        }
        left
    }
}

/// What a guard said after its engine's end.
#[derive(Debug, Default)]
struct Said {
    log: Vec<String>,
    left: Vec<String>,
}

impl Said {
    fn hear(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("left", what)) => self.left.push(what.to_owned()),
            Some(("log" | "error", words)) => self.log.push(words.to_owned()),
            Some(("run" | "data" | "ended", _)) => {}
            // The words of a program that the guard runs.
            _ => self.log.push(line.to_owned()),
        }
    }
}

impl Guard {
    fn spawn(lab: Lab, options: &PrivateOptions, possible: &Possible) -> std::io::Result<Self> {
        let mut child = Command::new("sh")
            .args(["-c", "exec unshare --mount --propagation private sh -c \"$@\" 2>&1", "sdc-engine", GUARD])
            .args([&format!("sdc-engine-guard-{}", lab.name()), lab.name(), possible.cgroups])
            .args([&options.data, &options.runs])
            .arg(&possible.dockerd)
            .arg(INNER)
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

    /// Waits until the engine answers; words where it ends first.
    async fn ready(&mut self) -> Result<Address, String> {
        const POLL: Duration = Duration::from_millis(20);
        let mut said = Said::default();
        let mut address = None;
        loop {
            tokio::select! {
                line = self.says.next_line() => match line {
                    Ok(Some(line)) => {
                        if let Some(run) = line.strip_prefix("run ") {
                            address = Some(Address::Unix(Path::new(run).join("docker.sock")));
                        }
                        said.hear(&line);
                    }
                    Ok(None) | Err(_) => return Err(said.log.join("\n")),
                },
                () = sleep(POLL) => {
                    if let Some(address) = &address && get_json(address, "/version").await.is_ok() {
                        return Ok(address.clone());
                    }
                }
            }
        }
    }

    async fn end(mut self) -> Said {
        let mut said = Said::default();
        drop(self.stdin.take());
        let until = Instant::now() + STOP;
        loop {
            match tokio::time::timeout_at(until, self.says.next_line()).await {
                Ok(Ok(Some(line))) => said.hear(&line),
                Ok(_) => break,
                Err(_) => {
                    said.left.push(format!("the private engine: its guard did not end within {} s", STOP.as_secs()));
                    return said;
                }
            }
        }
        drop(timeout(Duration::from_secs(5), self.child.wait()).await);
        said
    }
}

/// Removes every container of an engine that is ours alone; the errors.
async fn remove_containers(docker: &Docker) -> Vec<String> {
    let ids: Vec<ContainerId> = match docker.all().await {
        Ok(all) => all,
        Err(error) => return vec![error.to_string()],
    };
    let removals = ids.iter().map(|id| docker.remove(id));
    futures_util::future::join_all(removals).await.into_iter().filter_map(Result::err).map(|e| e.to_string()).collect()
}

/// The paths of programs, or words that name the packages of those that are missing.
fn programs<const N: usize>(names: [&str; N]) -> Result<[PathBuf; N], String> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";
    let find = |name: &str| path.split(':').map(|folder| Path::new(folder).join(name)).find(|file| file.is_file());
    let found = names.map(find);
    let missing: Vec<_> = names.iter().zip(&found).filter(|(_, file)| file.is_none()).map(|(name, _)| *name).collect();
    if let Some(first) = missing.first() {
        let package = match *first {
            "dockerd" | "containerd" | "runc" => {
                "install `docker.io` (Debian, Ubuntu), `moby-engine` (Fedora) or Docker's own `docker-ce`"
            }
            _ => "install `util-linux`",
        };
        return Err(format!("{} not found in PATH; {package}", missing.join(", ")));
    }
    Ok(found.map(Option::unwrap_or_default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_v1_is_told_from_one_with_it() {
        assert_eq!(Lab::DockerV1.cgroups(Some(CgroupLayout::Hybrid)), Ok("keep"));
        assert_eq!(Lab::DockerV2.cgroups(Some(CgroupLayout::Hybrid)), Ok("replace"));
        assert_eq!(Lab::DockerV2.cgroups(Some(CgroupLayout::V2)), Ok("keep"));
        assert!(Lab::DockerV1.cgroups(Some(CgroupLayout::V2)).is_err_and(|words| words.contains("docker-v2")));
        assert!(Lab::DockerV1.cgroups(None).is_err());
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
