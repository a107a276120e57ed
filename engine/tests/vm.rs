//! Virtual machines: a start that is restored, containers in them, a privileged boot, and nothing left when they are
//! closed or their owner is killed. The first start takes minutes under emulation, so all of it waits for
//! `SDC_ENGINE_VM_TESTS=1`.
#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test")]

#[expect(dead_code, reason = "private engines are for the other tests")]
mod host;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use host::{rootfs, shell};
use sdc_engine::host::lab::obstacle;
use sdc_engine::host::{Choice, Host, Lab, Target, open};
use tokio::sync::{Mutex, MutexGuard};

const VM: &str = "vm-docker-v2";

/// Whether this machine can have it, one test at a time: two emulated machines that boot take longer than one and then
/// the other.
async fn able() -> Option<MutexGuard<'static, ()>> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    let lab = Lab::shipped(VM).expect("a lab host");
    let why = match obstacle(&lab).await {
        _ if std::env::var_os("SDC_ENGINE_VM_TESTS").is_none_or(|value| value != "1") => {
            "a virtual machine's start takes minutes; set SDC_ENGINE_VM_TESTS=1".to_owned()
        }
        Some(why) => {
            assert!(std::env::var_os("SDC_ENGINE_MUST_RUN").is_none(), "{why}");
            why
        }
        None => return Some(ALONE.lock().await),
    };
    eprintln!("SKIPPED: {why}");
    None
}

/// Run folders, disks and processes of machines.
fn traces() -> Vec<String> {
    let mut traces = Vec::new();
    for folder in ["/run/sdc-engine", "/var/lib/sdc-engine/vms/disks"] {
        let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        traces.extend(entries.map(|entry| entry.path().display().to_string()).filter(|path| path.contains(VM)));
    }
    for process in std::fs::read_dir("/proc").expect("processes").filter_map(Result::ok) {
        let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        if words.starts_with(b"qemu-system-x86_64\0") {
            traces.push(format!("process {}", process.file_name().display()));
        }
    }
    traces
}

async fn machine() -> Arc<dyn Host> {
    let lab = Lab::shipped(VM).expect("a lab host");
    let choice = Choice { target: Target::Lab(Box::new(lab)), why: "a test".to_owned() };
    open(&choice, &|words| eprintln!("{words}")).await.expect("a machine")
}

/// That docker in the guest, where who reaches it is root, is reached by this user alone: through a socket in a folder that
/// is closed, to a port of a network that only qemu is in.
fn closed_to_others(host: &dyn Host) {
    use std::os::unix::fs::PermissionsExt;
    let address = host.address();
    let socket = Path::new(address.strip_prefix("unix://").expect("a socket's path"));
    let run = socket.parent().expect("a folder");
    assert_eq!(run.metadata().expect("a folder").permissions().mode() & 0o777, 0o700);
    let network = |process: &Path| std::fs::read_link(process.join("ns/net")).expect("a network namespace");
    let own = network(Path::new("/proc/self"));
    let mut machines = 0;
    for process in std::fs::read_dir("/proc").expect("processes").filter_map(Result::ok).map(|entry| entry.path()) {
        let is_qemu = std::fs::read(process.join("cmdline")).unwrap_or_default().starts_with(b"qemu-system-x86_64\0");
        if is_qemu && std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == run) {
            assert_ne!(network(&process), own);
            machines += 1;
        }
    }
    assert_eq!(machines, 1);
}

#[tokio::test]
async fn a_machine_runs_containers_is_restored_and_leaves_nothing() {
    let Some(_alone) = able().await else { return };
    let before = traces();
    machine().await.close().await;
    let start = Instant::now();
    let host = machine().await;
    eprintln!("restored in {:?}", start.elapsed());
    closed_to_others(host.as_ref());
    let facts = host.facts().clone();
    assert!(facts.missing_capabilities.is_empty(), "{facts:?}");
    assert!(["memory", "pids"].iter().all(|name| facts.controllers.contains(*name)), "{facts:?}");
    assert!(facts.security.contains("apparmor"), "{facts:?}");

    let folder = tempfile::tempdir().expect("a folder");
    host.import("sdc-test/shell:vm", &rootfs(folder.path())).await.expect("an image");
    let start = Instant::now();
    let id = host.create(&shell("sdc-test/shell:vm", "vm", false, "echo here; exit 7")).await.expect("a container");
    host.start(&id).await.expect("a start");
    assert_eq!(host.wait(&id).await.expect("an end"), 7);
    assert_eq!(String::from_utf8_lossy(&host.logs(&id, 4096).await.expect("a log")).trim(), "here");
    eprintln!("a container in {:?}", start.elapsed());

    // A second machine at the same time has its own disk: the first one's image is not there.
    let second = machine().await;
    assert_ne!(second.address(), host.address());
    assert_eq!(second.image("sdc-test/shell:vm").await.expect("an answer"), None);
    assert_eq!(second.close().await, Vec::<String>::new());
    assert_eq!(host.close().await, Vec::<String>::new());
    assert_eq!(traces(), before);
}

/// A program that keeps a machine up, when the machine is up.
fn serving() -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sdc-engine"))
        .args(["host", "--serve", "--host", VM])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let lines = BufReader::new(child.stdout.as_mut().expect("a pipe")).lines();
    let up = lines.map_while(Result::ok).any(|line| line.starts_with("up until"));
    assert!(up, "it ended before the machine was up");
    child
}

#[tokio::test]
async fn a_machine_whose_owner_was_killed_leaves_nothing() {
    let Some(_alone) = able().await else { return };
    let before = traces();
    let mut child = serving();
    assert_ne!(traces(), before);
    child.kill().expect("killed");
    child.wait().expect("reaped");
    let start = Instant::now();
    while traces() != before {
        assert!(start.elapsed() < Duration::from_secs(30), "left: {:#?}", traces());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    eprintln!("gone after {:?}", start.elapsed());
    assert!(Path::new("/var/lib/sdc-engine/vms").exists());
}

#[tokio::test]
async fn privileged_systemd_boots_there_and_apparmor_stops_a_mount() {
    let Some(_alone) = able().await else { return };
    let before = traces();
    let cases = [
        "-k",
        "boot/privileged[setup_mode=default,cgroupns=private",
        "-k",
        "boot/apparmor[setup_mode=remount,cgroupns=private",
    ];
    let ended = Command::new(env!("CARGO_BIN_EXE_sdc-engine"))
        .args(["check", "scenarios", "--host", VM])
        .args(cases)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .expect("the program");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{said}\n{}", String::from_utf8_lossy(&ended.stderr));
    assert!(said.contains("2 cases: 2 pass"), "{said}");
    assert_eq!(traces(), before);
}
