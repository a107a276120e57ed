//! Runs the program in a process of its own and finds every trace of it on this machine, and of no other run.

pub(crate) mod user;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const RUNS: &str = "/run/sdc-engine";
const POLL: Duration = Duration::from_millis(20);
/// How long the longest run may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

static ALONE: Mutex<()> = Mutex::new(());

/// Waits for its turn, and asks whether this machine can have that engine with the image; where not, it says why.
pub(crate) fn able(lab: &str) -> Option<MutexGuard<'static, ()>> {
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let ended = run(&["images", "build", "debian-12", "--host", lab].map(String::from));
    if ended.code == Some(0) {
        return Some(alone);
    }
    eprintln!("SKIPPED on {lab}: {}", ended.stderr);
    assert!(std::env::var_os("SDC_ENGINE_MUST_RUN").is_none(), "{}", ended.stderr);
    None
}

/// The program, running.
pub(crate) struct Running {
    child: Child,
    said: tempfile::TempDir,
    pub(crate) name: String,
}

/// A test that fails in the middle leaves no engine.
impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _gone = self.child.kill();
            let _reaped = self.child.wait();
        }
    }
}

/// What came of the program.
pub(crate) struct Ended {
    /// `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The name of its private engine, such as `docker-v1-123`; empty where none was started.
    pub(crate) name: String,
}

/// Runs the program to its end, and sees to it that nothing of its engine is left.
pub(crate) fn run(arguments: &[String]) -> Ended {
    run_with(arguments, "", &[])
}

/// Starts the program and waits until it has started its engine.
pub(crate) fn start(arguments: &[String]) -> Running {
    start_with(arguments, "", &[])
}

/// Runs the program to its end with text on its standard input and variables in its environment.
pub(crate) fn run_with(arguments: &[String], input: &str, variables: &[(&str, &str)]) -> Ended {
    let ended = start_with(arguments, input, variables).end();
    nothing_left(&ended.name, Duration::ZERO);
    ended
}

/// Starts the program with text on its standard input and variables in its environment.
pub(crate) fn start_with(arguments: &[String], input: &str, variables: &[(&str, &str)]) -> Running {
    let said = tempfile::tempdir().unwrap();
    let file = |name: &str| File::create(said.path().join(name)).unwrap();
    std::fs::write(said.path().join("stdin"), input).unwrap();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("sdc-engine"))
        .args(arguments)
        .current_dir(root())
        .env_remove("SDC_ENGINE_LOG")
        .env_remove("CLICOLOR_FORCE")
        // What CI may not do is tested by setting it.
        .env_remove("CI")
        .envs(variables.iter().copied())
        .stdin(File::open(said.path().join("stdin")).unwrap())
        .stdout(file("stdout"))
        .stderr(file("stderr"))
        .spawn()
        .unwrap();
    let name = loop {
        if let Some(name) = engine_of(child.id()) {
            break name;
        }
        if child.try_wait().unwrap().is_some() {
            break String::new();
        }
        sleep(POLL);
    };
    Running { child, said, name }
}

/// The engine whose guard is a child of that process: guards name the run's folder by their process id.
fn engine_of(process: u32) -> Option<String> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).ok()?.filter_map(Result::ok);
    let children: String = tasks
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .collect::<Vec<_>>()
        .join(" ");
    let runs = std::fs::read_dir(RUNS).ok()?.filter_map(Result::ok).map(|run| run.file_name().display().to_string());
    let is_child = |name: &String| {
        name.rsplit_once('-').is_some_and(|(_, guard)| children.split_whitespace().any(|child| child == guard))
    };
    runs.into_iter().find(is_child)
}

impl Running {
    fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.said.path().join(name)).unwrap()).into_owned()
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let before = Instant::now();
        while !holds() {
            assert!(before.elapsed() < PATIENCE, "{what}: {}\n{}", self.text("stdout"), self.text("stderr"));
            sleep(POLL);
        }
    }

    /// Waits until so many of its containers have processes.
    pub(crate) fn until_containers_run(&self, wanted: usize) {
        self.until("containers", || containers(&self.name).len() >= wanted);
    }

    /// Waits until there are words on its stdout.
    pub(crate) fn until_said(&self, words: &str) {
        self.until(words, || self.text("stdout").contains(words));
    }

    /// Waits until there are words on its stderr; all of it.
    pub(crate) fn until_told(&self, words: &str) -> String {
        self.until(words, || self.text("stderr").contains(words));
        self.text("stderr")
    }

    /// The engine that it started after this one.
    pub(crate) fn next_engine(&self, before: &str) -> String {
        let next = || engine_of(self.child.id()).filter(|name| name != before);
        self.until("another engine", || next().is_some());
        next().unwrap_or_default()
    }

    /// Sends a signal to the engine that it started, and not to its guard.
    pub(crate) fn signal_engine(&self, signal: Signal) {
        let engine = |process: &PathBuf| {
            let words = std::fs::read(process.join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).replace('\0', " ");
            let program = words.split(' ').next().unwrap_or_default().to_owned();
            ["dockerd", "podman"].iter().any(|name| program.ends_with(name)) && words.contains(&self.name)
        };
        let found: Vec<PathBuf> = processes().filter(engine).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        let pid = found[0].file_name().unwrap().to_str().unwrap().parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let before = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if before.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("it did not end: {}\n{}", self.text("stdout"), self.text("stderr"));
            }
            sleep(POLL);
        };
        let (stdout, stderr) = (self.text("stdout"), self.text("stderr"));
        Ended { code: status.code(), stdout, stderr, name: std::mem::take(&mut self.name) }
    }
}

fn processes() -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries.filter(|entry| entry.file_name().as_encoded_bytes()[0].is_ascii_digit()).map(|entry| entry.path())
}

/// The cgroups of an engine's containers that have processes.
fn containers(name: &str) -> std::collections::BTreeSet<String> {
    let parent = format!("/sdc-engine-{name}/");
    let of = |process: PathBuf| {
        let text = std::fs::read_to_string(process.join("cgroup")).unwrap_or_default();
        let below =
            |line: &str| line.split_once(&parent).map(|(_, path)| path.split('/').next().unwrap_or("").to_owned());
        text.lines().find_map(below)
    };
    // podman's own two are none.
    processes().filter_map(of).filter(|name| name != "service" && name != "conmon").collect()
}

/// Prints the folders with a name in every cgroup hierarchy, also in those that are mounted nowhere here.
const CGROUPS: &str = r#"
point=$(mktemp -d)
options=$(sed -n 's/^.* - cgroup2 [^ ]* r[ow],\{0,1\}//p' /proc/self/mountinfo | head -n 1)
while IFS=: read -r _ names _; do
    case $names in
        '') mount -n -t cgroup2 ${options:+-o "$options"} none "$point" ;;
        name=*) mount -n -t cgroup -o "none,$names" none "$point" ;;
        *) mount -n -t cgroup -o "$names" none "$point" ;;
    esac 2>/dev/null || continue
    find "$point" -type d -name "*$1*" -printf "cgroup $names %P\n"
    umount -n "$point"
done </proc/self/cgroup
rmdir "$point"
"#;

/// All that is left of an engine: its folder, cgroups, mounts, and processes by their words or cgroups.
fn traces(name: &str) -> Vec<String> {
    let mut traces = Vec::new();
    let folder = Path::new(RUNS).join(name);
    if folder.exists() {
        traces.push(folder.display().to_string());
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    traces.extend(mounts.lines().filter(|line| line.contains(name)).map(|line| format!("mount {line}")));
    for process in processes() {
        let read =
            |file: &str| String::from_utf8_lossy(&std::fs::read(process.join(file)).unwrap_or_default()).into_owned();
        let words = read("cmdline").replace('\0', " ");
        if words.contains(name) || read("cgroup").contains(&format!("sdc-engine-{name}")) {
            traces.push(format!("process {} {words:.100}", process.display()));
        }
    }
    let cgroups = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", CGROUPS, "sh", &format!("sdc-engine-{name}")])
        .output()
        .unwrap();
    let mut lines: Vec<String> = String::from_utf8_lossy(&cgroups.stdout).lines().map(ToOwned::to_owned).collect();
    traces.append(&mut lines);
    traces
}

/// Waits until nothing of an engine is left, and gives how long that took.
pub(crate) fn nothing_left(name: &str, limit: Duration) -> Duration {
    let before = Instant::now();
    if name.is_empty() {
        return Duration::ZERO;
    }
    loop {
        let after = before.elapsed();
        let traces = traces(name);
        if traces.is_empty() {
            return after;
        }
        assert!(after < limit, "left of {name} after {after:?}: {traces:#?}");
        sleep(POLL);
    }
}
