//! What is kept of virtual machines between runs: disks by what they are made from, states by what they run on.
//!
//! ```text
//! <vms>/kvm                               whether KVM works, for one boot of this machine
//! <vms>/<suite>-<hash>/{kernel,initrd,disk}  a disk that never changes
//! <vms>/<suite>-<hash>.lock
//! <vms>/states/<name>-<hash>/<number>/    a saved state: memory, disk.qcow2 on that disk, machine (facts), lock
//! <vms>/states/<name>-<hash>.lock         held while a state is looked for, made or removed
//! <vms>/disks/<run>.qcow2                 the disk of a running machine
//! ```
//! Everything is made under another name and renamed, so that what a killed run leaves is never taken for whole.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::VmSpec;

const SETUP: &str = include_str!("setup.sh");
const INIT: &str = include_str!("init.sh");
const AGENT: &str = concat!("#!/bin/sh\n", include_str!("../facts/look.sh"), include_str!("agent.sh"));

/// Packages that make a guest of a root folder.
const NEEDED: &str = "linux-image-cloud-amd64,busybox-static,cpio,kmod,systemd-sysv,iproute2,mount,procps";
/// The size of the guest's disk; only what is written takes room.
const DISK: u64 = 16 << 30;
/// What every disk is made with: no recommended packages, nothing that people read, and no waiting for the platter.
const FIXED: [&str; 6] = [
    "--variant=apt",
    "--aptopt=APT::Install-Recommends \"false\"",
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
];

fn words(path: &Path) -> impl Fn(std::io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

/// `<path>.<extension>`; a name may have dots of its own.
fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{extension}"));
    name.into()
}

fn hash(parts: &serde_json::Value) -> String {
    format!("{:.12x}", Sha256::digest(parts.to_string()))
}

/// The name of a disk: the suite, and a hash of all that decides the content.
fn disk_name(spec: &VmSpec) -> String {
    let parts = serde_json::json!([
        spec.suite,
        spec.engine,
        spec.runtime,
        spec.packages,
        FIXED,
        NEEDED,
        DISK,
        SETUP,
        INIT,
        AGENT
    ]);
    format!("{}-{}", spec.suite, hash(&parts))
}

/// Waits for a lock file; it is held as long as the value lives.
pub(super) async fn lock(path: PathBuf) -> Result<File, String> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(words(folder))?;
    }
    let file = File::create(&path).map_err(words(&path))?;
    let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
    locked.map_err(|error| error.to_string())?.map_err(words(&path))
}

/// The folder of a machine's disk and kernel: made now where it is not there yet.
pub(super) async fn disk(
    spec: &VmSpec,
    vms: &Path,
    notice: &(dyn Fn(String) + Send + Sync),
) -> Result<PathBuf, String> {
    let target = vms.join(disk_name(spec));
    if target.is_dir() {
        return Ok(target);
    }
    let _held = lock(beside(&target, "lock")).await?;
    if target.is_dir() {
        return Ok(target);
    }
    notice(format!("making a virtual machine's disk of Debian {}: a few minutes", spec.suite));
    // What a killed run left of it is ours to remove while we hold the lock.
    let partial = beside(&target, "partial");
    remove(&partial)?;
    std::fs::create_dir(&partial).map_err(words(&partial))?;
    let made = build(spec, &partial).await;
    if made.is_err() {
        remove(&partial)?;
    }
    made?;
    std::fs::rename(&partial, &target).map_err(words(&target))?;
    Ok(target)
}

async fn build(spec: &VmSpec, folder: &Path) -> Result<(), String> {
    let root = folder.join("root");
    let mut bootstrap = Command::new("mmdebstrap");
    bootstrap
        .args(FIXED)
        .arg(format!("--include={NEEDED},{}", spec.packages.join(",")))
        .arg(
            "--customize-hook=sh -c \"$SDC_ENGINE_SETUP\" sdc-engine \"$1\" \"$SDC_ENGINE_INIT\" \"$SDC_ENGINE_AGENT\" \
                \"$SDC_ENGINE_ENGINE\" \"$SDC_ENGINE_RUNTIME\"",
        )
        .args(["--quiet", &spec.suite])
        .arg(&root)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // The kernel's package would make an initial file system of its own.
        .env("INITRD", "No")
        .envs([("SDC_ENGINE_SETUP", SETUP), ("SDC_ENGINE_INIT", INIT), ("SDC_ENGINE_AGENT", AGENT)])
        .env("SDC_ENGINE_ENGINE", spec.engine.to_string())
        .env("SDC_ENGINE_RUNTIME", &spec.runtime);
    run(bootstrap).await?;
    for (from, to) in [("sdc-engine-kernel", "kernel"), ("sdc-engine-initrd", "initrd")] {
        let from = root.join("boot").join(from);
        std::fs::rename(&from, folder.join(to)).map_err(words(&from))?;
    }
    let disk = folder.join("disk");
    let file = File::create(&disk).map_err(words(&disk))?;
    file.set_len(DISK).map_err(words(&disk))?;
    let mut format = Command::new("mke2fs");
    // Without a journal: a disk is thrown away or saved with its machine stopped.
    format.args(["-q", "-t", "ext4", "-O", "^has_journal", "-d"]).arg(&root).arg(&disk);
    run(format).await?;
    remove(&root)
}

/// Runs a program; its last words where it fails.
async fn run(mut command: Command) -> Result<(), String> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";
    let output = command.env("PATH", path).stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rev().find(|line| line.starts_with("E:")).or_else(|| text.lines().last());
    Err(format!("{name} ended with {}: {}", output.status, last.unwrap_or("no word")))
}

fn remove(folder: &Path) -> Result<(), String> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(words(folder)(error)),
        _ => Ok(()),
    }
}

/// The saved states of one machine on one qemu: each is a folder with a number, the highest counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct States(PathBuf);

impl States {
    /// Those of a machine. `line` is qemu's command line for it, which says everything of the hardware and the kernel.
    pub(super) fn of(vms: &Path, name: &str, version: &str, line: &[String]) -> Self {
        let hash = hash(&serde_json::json!([version, line]));
        Self(vms.join("states").join(format!("{name}-{hash}")))
    }

    /// Waits until nobody else looks for, makes or removes one.
    pub(super) async fn lock(&self) -> Result<File, String> {
        lock(beside(&self.0, "lock")).await
    }

    fn numbered(&self) -> Vec<u64> {
        let entries = std::fs::read_dir(&self.0).into_iter().flatten().filter_map(Result::ok);
        let mut numbers: Vec<u64> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The newest state's folder.
    pub(super) fn newest(&self) -> Option<PathBuf> {
        self.numbered().last().map(|number| self.0.join(number.to_string()))
    }

    /// A folder to make a new state in; [`Self::add`] makes it count. What a killed run left there is removed.
    pub(super) fn fresh(&self) -> Result<PathBuf, String> {
        let folder = self.0.join("partial");
        remove(&folder)?;
        std::fs::create_dir_all(&folder).map_err(words(&folder))?;
        Ok(folder)
    }

    /// Makes a whole state the newest one, and removes those that no run was started from.
    pub(super) fn add(&self, folder: &Path) -> Result<PathBuf, String> {
        let number = self.numbered().last().map_or(1, |last| last + 1);
        let target = self.0.join(number.to_string());
        let lock = folder.join("lock");
        File::create(&lock).map_err(words(&lock))?;
        std::fs::rename(folder, &target).map_err(words(&target))?;
        self.prune();
        Ok(target)
    }

    /// Removes all but the newest, unless a guard holds them.
    pub(super) fn prune(&self) {
        let mut old = self.numbered();
        old.pop();
        for folder in old.iter().map(|number| self.0.join(number.to_string())) {
            let unused = File::open(folder.join("lock")).is_ok_and(|lock| lock.try_lock().is_ok());
            if unused && let Err(error) = remove(&folder) {
                tracing::debug!(error, "an old state stays");
            }
        }
    }

    /// Removes the newest state: it can't be restored.
    pub(super) fn discard_newest(&self) -> Result<(), String> {
        self.newest().map_or(Ok(()), |folder| remove(&folder))
    }
}

/// Copies the disk of a stopped machine, on the same disk below it.
pub(super) async fn copy_disk(from: &Path, below: &Path, to: &Path) -> Result<(), String> {
    let mut convert = Command::new("qemu-img");
    // -U: the stopped machine has it open.
    convert.args(["convert", "-U", "-O", "qcow2", "-F", "raw", "-B"]).arg(below).arg(from).arg(to);
    run(convert).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::EngineKind;

    fn spec() -> VmSpec {
        VmSpec {
            name: "x".into(),
            engine: EngineKind::Docker,
            runtime: "runc".into(),
            suite: "bookworm".into(),
            packages: vec!["docker.io".into()],
            kernel_parameters: Vec::new(),
            memory: 1536,
            cpus: 2,
        }
    }

    #[test]
    fn a_disk_is_shared_by_machines_of_the_same_packages() {
        let v1 = VmSpec { name: "y".into(), kernel_parameters: vec!["a".into()], ..spec() };
        let other = VmSpec { packages: vec!["podman".into()], ..spec() };
        assert!(disk_name(&spec()).starts_with("bookworm-"));
        assert_eq!(disk_name(&spec()), disk_name(&v1));
        assert_ne!(disk_name(&spec()), disk_name(&other));
        assert_ne!(disk_name(&spec()), disk_name(&VmSpec { engine: EngineKind::Podman, ..spec() }));
        assert_ne!(disk_name(&spec()), disk_name(&VmSpec { runtime: "crun".into(), ..spec() }));
    }

    #[test]
    fn a_state_belongs_to_one_qemu_and_one_command_line() {
        let of = |version: &str, line: &str| States::of(Path::new("/v"), "x", version, &[line.to_owned()]);
        assert_eq!(of("7.2", "-m 1"), of("7.2", "-m 1"));
        assert_ne!(of("7.2", "-m 1"), of("8.0", "-m 1"));
        assert_ne!(of("7.2", "-m 1"), of("7.2", "-m 2"));
    }

    #[test]
    fn the_newest_state_counts_and_used_ones_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let states = States(folder.path().join("x"));
        assert_eq!(states.newest(), None);
        let add = || states.add(&states.fresh().expect("a folder")).expect("a state");
        let first = add();
        assert_eq!(states.newest().as_ref(), Some(&first));
        let held = File::open(first.join("lock")).expect("a lock");
        held.lock_shared().expect("held");
        let second = add();
        assert!(first.is_dir() && states.newest().as_ref() == Some(&second));
        drop(held);
        let third = add();
        assert_eq!(states.numbered(), [3]);
        states.discard_newest().expect("removed");
        assert!(!third.exists());
        assert_eq!(states.newest(), None);
    }
}
