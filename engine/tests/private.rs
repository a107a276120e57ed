//! Private engines leave nothing behind: not when they are closed, not when they are dropped, not when their owner is
//! killed. Root and dockerd are needed; a skip says why.
#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test")]

mod host;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use host::{DEAF, on_real, shell};
use sdc_engine::host::Host;

const IMAGE: &str = "sdc-test/shell:private";
/// Set for the process that a test kills.
const VICTIM: &str = "SDC_ENGINE_TEST_VICTIM";

/// The folder of an engine's socket, such as `/run/sdc-engine/docker-v1-12`.
fn run_folder(host: &dyn Host) -> PathBuf {
    let address = host.address();
    let below = address.strip_prefix("unix:///run/sdc-engine/").expect("a socket of ours");
    Path::new("/run/sdc-engine").join(below.split('/').next().expect("a folder"))
}

/// All that is left of an engine: folders, cgroups in every hierarchy, mounts and processes that have its name.
fn traces(run: &Path) -> Vec<String> {
    let name = run.file_name().expect("a name").to_string_lossy().into_owned();
    let mut traces = Vec::new();
    if run.exists() {
        traces.push(run.display().to_string());
    }
    let cgroups = walkdir::WalkDir::new("/sys/fs/cgroup").into_iter().filter_map(Result::ok);
    traces.extend(cgroups.map(|e| e.path().display().to_string()).filter(|path| path.contains(&name)));
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    traces.extend(mounts.lines().filter(|line| line.contains(&name)).map(ToOwned::to_owned));
    for process in std::fs::read_dir("/proc").expect("processes").filter_map(Result::ok) {
        let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        if words.contains(&name) {
            traces.push(format!("process {}: {words:.100}", process.file_name().display()));
        }
    }
    traces
}

/// Waits until nothing is left, for as long as a guard may take.
async fn gone(run: &Path) {
    let before = Instant::now();
    while !traces(run).is_empty() {
        assert!(before.elapsed() < Duration::from_secs(30), "left: {:#?}", traces(run));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    eprintln!("gone after {:?}", before.elapsed());
}

/// The engine's programs that work in the user's folder, where some leave files: conmon one that is called `oom`.
fn at_home(run: &Path) -> Vec<String> {
    let (name, here) = (run.file_name().expect("a name").to_string_lossy(), std::env::current_dir().expect("a folder"));
    let processes = std::fs::read_dir("/proc").expect("processes").filter_map(Result::ok).map(|entry| entry.path());
    let text = |path: PathBuf| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).trim_end().to_owned();
    let programs = processes.filter(|path| text(path.join("cmdline")).contains(&*name)).filter(|path| {
        ["podman", "conmon", "dockerd", "containerd"].contains(&text(path.join("comm")).as_str())
            && std::fs::read_link(path.join("cwd")).is_ok_and(|folder| folder == here)
    });
    programs.map(|path| text(path.join("comm"))).collect()
}

async fn with_a_container(host: &Arc<dyn Host>) -> PathBuf {
    let id = host.create(&shell(IMAGE, "left", true, DEAF)).await.expect("a container");
    host.start(&id).await.expect("a start");
    let run = run_folder(host.as_ref());
    assert!(traces(&run).iter().any(|trace| trace.starts_with("/sys/fs/cgroup")), "{:?}", traces(&run));
    assert_eq!(at_home(&run), Vec::<String>::new());
    run
}

async fn closed(lab: &str) {
    on_real(lab, IMAGE, async |host| {
        let run = with_a_container(host).await;
        let start = Instant::now();
        assert_eq!(host.close().await, Vec::<String>::new());
        eprintln!("{} closed in {:?}", lab, start.elapsed());
        assert_eq!(traces(&run), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_closed_engine_on_v1_leaves_nothing() {
    closed("docker-v1").await;
}

#[tokio::test]
async fn a_closed_engine_on_v2_leaves_nothing() {
    closed("docker-v2").await;
}

#[tokio::test]
async fn a_closed_podman_leaves_nothing() {
    closed("podman-v1").await;
    closed("podman-v2").await;
}

#[tokio::test]
async fn a_closed_rootless_podman_leaves_nothing() {
    closed("podman-rootless-v2").await;
}

#[tokio::test]
async fn closed_engines_of_other_suites_leave_nothing() {
    for lab in ["docker-26-v2", "docker-28-v2", "podman-5-v2"] {
        closed(lab).await;
    }
}

#[tokio::test]
async fn a_dropped_engine_leaves_nothing() {
    let mut run = None;
    on_real("docker-v1", IMAGE, async |host| run = Some(with_a_container(host).await)).await;
    if let Some(run) = run {
        gone(&run).await;
    }
}

/// Not a test by itself: the process that the next one kills.
#[tokio::test]
async fn victim() {
    if let Some(file) = std::env::var_os(VICTIM) {
        on_real("docker-v2", IMAGE, async |host| {
            let run = with_a_container(host).await;
            std::fs::write(file, run.to_string_lossy().as_bytes()).expect("written");
            tokio::time::sleep(Duration::from_secs(120)).await;
        })
        .await;
    }
}

#[tokio::test]
async fn an_engine_whose_owner_was_killed_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "victim"])
        .env(VICTIM, &file)
        .stdout(Stdio::null())
        .spawn()
        .expect("a process");
    let run = loop {
        if let Ok(text) = std::fs::read_to_string(&file)
            && !text.is_empty()
        {
            break PathBuf::from(text);
        }
        if let Some(status) = child.try_wait().expect("a state") {
            assert!(status.success(), "it ended before it was killed");
            eprintln!("SKIPPED: there is no engine to kill the owner of");
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    child.kill().expect("killed");
    child.wait().expect("reaped");
    gone(&run).await;
}

#[tokio::test]
async fn two_engines_of_one_name_run_side_by_side() {
    on_real("docker-v1", IMAGE, async |first| {
        on_real("docker-v1", IMAGE, async |second| {
            let (first, second) = (with_a_container(first).await, with_a_container(second).await);
            assert_ne!(first, second);
        })
        .await;
    })
    .await;
}
