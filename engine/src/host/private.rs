//! Private engines: an engine of our own on a socket and folders of its own, in namespaces of its own, stopped with us.
//!
//! The work is in scripts: `private/guard.sh` starts the engine and removes every trace of it when the pipe to its
//! standard input ends, so that it does so too where we are killed; `private/inner.sh` prepares the engine's
//! namespaces, and `private/docker.sh` or `private/podman.sh` starts the engine in them. This file finds out what is
//! there; `private/guard.rs` starts the guard, waits for the socket and reads what it says.
//!
//! Folders: `<data>/engines/<lab>` keeps images between runs; a second run at the same time takes `<lab>-2`, and so on;
//! `<data>/roots` has the root folders of Debian suites. `<runs>/<lab>-<pid>` holds the socket and the log and is removed
//! at the end. The engine's network namespace has no way out: `network = "host"` means that namespace.

mod guard;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::address::Address;
use super::docker::{Docker, Owned};
use super::facts::{containers_below, layout_here};
use super::lab::{Lab, Place, Root, provide_root};
use super::{ContainerId, Host, HostError};
use crate::facts::{CgroupLayout, CgroupVersion, EngineKind};

pub(super) use guard::{Guard, Said};

/// How long an engine may take until it answers.
const START: Duration = Duration::from_secs(60);
/// How long it may take until it and all its traces are gone.
const STOP: Duration = Duration::from_secs(60);
/// How long it may take to remove containers first; what is left then ends with the engine.
const REMOVE: Duration = Duration::from_secs(10);
/// The user that a rootless engine runs as, in its own namespaces only: none that Debian's rules give to a person.
const ROOTLESS_USER: &str = "64999";

/// What the guard does with `/sys/fs/cgroup`, or why this machine can't have this engine.
fn cgroups(wanted: CgroupVersion, layout: Option<CgroupLayout>) -> Result<&'static str, &'static str> {
    match (wanted, layout) {
        (_, None) => Err("no cgroup file system is mounted below /sys/fs/cgroup"),
        (CgroupVersion::V1, Some(CgroupLayout::V2)) => Err(
            "this machine has cgroup v2 only, and its controllers can't be had as v1 hierarchies; use one on v2 or a virtual machine",
        ),
        (CgroupVersion::V1, _) | (CgroupVersion::V2, Some(CgroupLayout::V2)) => Ok("keep"),
        (CgroupVersion::V2, _) => Ok("replace"),
    }
}

/// Where private engines keep what is theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateOptions {
    /// Images and root folders, kept between runs.
    pub data: PathBuf,
    /// Sockets and logs, below `/run` and short: a socket's path has 107 bytes at most.
    pub runs: PathBuf,
}

impl Default for PrivateOptions {
    fn default() -> Self {
        Self { data: "/var/lib/sdc-engine".into(), runs: "/run/sdc-engine".into() }
    }
}

/// What starting an engine needs to know.
#[derive(Debug)]
pub(super) struct Possible<'l> {
    cgroups: &'static str,
    /// The engine's program: a path of this machine, or a name where it comes from a root folder.
    program: PathBuf,
    root: Option<&'l Root>,
}

/// Whether this machine, with cgroups of that layout, can have that engine; words on what is missing.
pub(super) fn possible(lab: &Lab, layout: Option<CgroupLayout>) -> Result<Possible<'_>, String> {
    if !rustix::process::geteuid().is_root() {
        return Err("it needs root; run as root, or start an engine and name it by --host".to_owned());
    }
    if let Place::Vm(_) = &lab.place {
        // Its cgroups are its own: this machine's don't matter.
        super::vm::possible(lab)?;
        return Ok(Possible { cgroups: "keep", program: PathBuf::new(), root: None });
    }
    let cgroups = cgroups(lab.cgroups, layout)?;
    programs(&["unshare", "setpriv", "flock"])?;
    let needed = needed(lab);
    if let Place::Root(root) = &lab.place {
        return Ok(Possible { cgroups, program: needed[0].into(), root: Some(root) });
    }
    let program = programs(&needed)?.swap_remove(0);
    Ok(Possible { cgroups, program, root: None })
}

/// The programs that an engine needs, its own first.
fn needed(lab: &Lab) -> Vec<&str> {
    let mut needed = match lab.engine {
        EngineKind::Docker => vec!["dockerd", "containerd"],
        EngineKind::Podman => vec!["podman", "conmon"],
    };
    needed.push(&lab.runtime);
    if lab.rootless {
        needed.push("newuidmap");
    }
    needed
}

/// Whether a root folder has the programs that a lab host needs. An engine without its runtime starts, and then refuses
/// every container.
fn complete(lab: &Lab, root: &Path) -> Result<(), String> {
    const FOLDERS: [&str; 4] = ["usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin"];
    let has = |name: &str| FOLDERS.iter().any(|folder| root.join(folder).join(name).symlink_metadata().is_ok());
    match needed(lab).into_iter().find(|name| !has(name)) {
        Some(missing) => Err(format!(
            "its root folder {} has no `{missing}`; add the package to `packages` of [root] in its declaration",
            root.display()
        )),
        None => Ok(()),
    }
}

/// Starts an engine and connects to it; [`Host::close`] ends it. Containers of a run that died are removed first.
///
/// # Errors
/// Where this machine can't have it (the words name what is missing) or it does not start (the words end with its log).
pub async fn open(
    lab: &Lab,
    options: &PrivateOptions,
    notice: &(dyn Fn(String) + Send + Sync),
) -> Result<Docker, HostError> {
    let engine = Engine::start(lab, options, notice).await?;
    let docker = Docker::connect(&lab.name, engine.address.clone()).await?;
    // podman can't tell where its containers go: it is told with each of them.
    let docker = match &engine.cgroup_parent {
        Some(parent) => docker.seen_from_inside(&containers_below(&engine.address, parent).await),
        None => docker,
    };
    for left in remove_containers(&docker).await {
        tracing::warn!("a container of an earlier run on {} can't be removed: {left}", lab.name);
    }
    Ok(docker.owning(Box::new(engine)))
}

/// A running engine. Dropped without [`Engine::close`], its guard still ends it and cleans up.
#[derive(Debug)]
pub(super) struct Engine {
    guard: Mutex<Option<Guard>>,
    address: Address,
    /// The run folder.
    run: PathBuf,
    /// What containers that name no parent get: podman knows no such setting of the engine's own.
    cgroup_parent: Option<String>,
}

impl Engine {
    async fn start(
        lab: &Lab,
        options: &PrivateOptions,
        notice: &(dyn Fn(String) + Send + Sync),
    ) -> Result<Self, HostError> {
        let action = || format!("start the private engine {}", lab.name);
        let error = |words: String| HostError::local(action(), words);
        let possible = possible(lab, layout_here().await).map_err(error)?;
        let root = match possible.root {
            Some(root) => {
                let made = provide_root(root, &options.data.join("roots"), notice).await.map_err(error)?;
                complete(lab, &made).map_err(error)?;
                Some(made)
            }
            None => None,
        };
        let mut guard = Guard::spawn(lab, options, &possible, root.as_deref()).map_err(|e| error(e.to_string()))?;
        match timeout(START, guard.ready(lab)).await {
            Ok(Ok((run, address))) => {
                let name = run.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let below = if lab.rootless { "/user" } else { "" };
                let cgroup_parent = (lab.engine == EngineKind::Podman).then(|| format!("/sdc-engine-{name}{below}"));
                Ok(Self { guard: Mutex::new(Some(guard)), address, run, cgroup_parent })
            }
            Ok(Err(words)) => Err(error(words)),
            Err(_) => {
                let said = guard.end().await;
                Err(error(format!("it does not answer after {} s\n{}", START.as_secs(), said.reason())))
            }
        }
    }
}

#[async_trait]
impl Owned for Engine {
    fn cgroup_parent(&self) -> Option<&str> {
        self.cgroup_parent.as_deref()
    }

    async fn close(&self, docker: &Docker) -> Vec<String> {
        let Some(guard) = self.guard.lock().await.take() else { return Vec::new() };
        // At most one word each: dockerd would give every container its stop signal and ten seconds.
        let _in_time = timeout(REMOVE, remove_containers(docker)).await;
        let mut left = guard.end().await.left;
        if self.run.exists() {
            left.push(format!("the folder {}", self.run.display()));
        }
        left
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
pub(super) fn programs(names: &[&str]) -> Result<Vec<PathBuf>, String> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";
    let find = |name: &&str| path.split(':').map(|folder| Path::new(folder).join(name)).find(|file| file.is_file());
    let found: Vec<_> = names.iter().map(find).collect();
    let missing: Vec<_> = names.iter().zip(&found).filter(|(_, file)| file.is_none()).map(|(name, _)| *name).collect();
    if let Some(first) = missing.first() {
        let package = match *first {
            "dockerd" | "containerd" => {
                "install `docker.io` (Debian, Ubuntu), `moby-engine` (Fedora) or Docker's own `docker-ce`"
            }
            "podman" | "conmon" => "install `podman`",
            "newuidmap" => "install `uidmap` (Debian, Ubuntu) or `shadow-utils` (Fedora)",
            "runc" => "install `runc`",
            "qemu-system-x86_64" => "install `qemu-system-x86` (Debian, Ubuntu) or `qemu-kvm` (Fedora)",
            "qemu-img" => "install `qemu-utils` (Debian, Ubuntu) or `qemu-img` (Fedora)",
            "mke2fs" => "install `e2fsprogs`",
            "mmdebstrap" => "install `mmdebstrap`",
            "ip" => "install `iproute2`",
            "crun" => "install `crun`",
            _ => "install `util-linux`",
        };
        return Err(format!("{} not found in PATH; {package}", missing.join(", ")));
    }
    Ok(found.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_v1_is_told_from_one_with_it() {
        let (v1, v2) = (CgroupVersion::V1, CgroupVersion::V2);
        assert_eq!(cgroups(v1, Some(CgroupLayout::Hybrid)), Ok("keep"));
        assert_eq!(cgroups(v2, Some(CgroupLayout::Hybrid)), Ok("replace"));
        assert_eq!(cgroups(v2, Some(CgroupLayout::V2)), Ok("keep"));
        assert!(cgroups(v1, Some(CgroupLayout::V2)).is_err_and(|words| words.contains("one on v2")));
        assert!(cgroups(v1, None).is_err());
    }

    #[test]
    fn a_root_folder_without_the_runtime_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let lab = Lab { runtime: "crun".into(), ..Lab::shipped("docker-28-v2").expect("a lab host") };
        std::fs::create_dir_all(folder.path().join("usr/sbin")).expect("made");
        for name in ["dockerd", "containerd"] {
            std::fs::write(folder.path().join("usr/sbin").join(name), "").expect("written");
        }
        assert!(complete(&lab, folder.path()).is_err_and(|words| words.contains("has no `crun`")));
        std::fs::write(folder.path().join("usr/sbin/crun"), "").expect("written");
        assert_eq!(complete(&lab, folder.path()), Ok(()));
    }
}
