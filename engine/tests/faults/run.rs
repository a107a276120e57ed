//! Runs the program once and keeps what it said, what it reported, and how much memory it took.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Running, able, nothing_left, root, start_with};

const POLL: Duration = Duration::from_millis(10);
/// What no run takes, whatever its faults are: the longest limit that one of them has to wait for is half a minute.
const HANGS: Duration = Duration::from_secs(150);

/// A private engine that is up as long as this is there.
pub(crate) struct Engine {
    serving: Option<Running>,
    pub(crate) socket: std::path::PathBuf,
}

impl Engine {
    /// Starts one; `None`, with words, where this machine can't. `path` comes before the usual folders of programs.
    pub(crate) fn start(lab: &str, path: Option<&Path>) -> Option<Self> {
        drop(able(lab)?);
        let usual = std::env::var("PATH").unwrap_or_default();
        let path = path.map_or_else(|| usual.clone(), |folder| format!("{}:{usual}", folder.display()));
        let serving = start_with(&["host", "--host", lab, "--serve"].map(String::from), "", &[("PATH", &path)]);
        serving.until_said("up until Ctrl-C");
        let socket = Path::new("/run/sdc-engine").join(&serving.name).join("docker.sock");
        Some(Self { serving: Some(serving), socket })
    }

    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Waits until so many of its containers run.
    pub(crate) fn until_containers_run(&self, wanted: usize) {
        self.serving.as_ref().unwrap().until_containers_run(wanted);
    }

    /// Kills the engine alone.
    pub(crate) fn kill(&self) {
        self.serving.as_ref().unwrap().signal_engine(rustix::process::Signal::KILL);
    }

    /// Leaves no byte on its disk, which is one of its own.
    pub(crate) fn fill_up(&self) {
        let of_engine = |process: &std::path::PathBuf| {
            let words = std::fs::read(process.join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).replace('\0', " ");
            words.split(' ').next().unwrap_or_default().ends_with("dockerd")
                && words.contains(&self.serving.as_ref().unwrap().name)
        };
        let process = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path()).find(of_engine).unwrap();
        let words = String::from_utf8(std::fs::read(process.join("cmdline")).unwrap()).unwrap();
        let data = words.split('\0').skip_while(|word| *word != "--data-root").nth(1).unwrap();
        let folder = process.join("root").join(data.trim_start_matches('/'));
        let on = std::fs::read_to_string(process.join("mountinfo")).unwrap();
        assert!(on.lines().any(|line| line.contains(&format!(" {data} ")) && line.contains("tmpfs")), "{on}");
        let mut file = File::create(folder.join("fill")).unwrap();
        let full = std::io::copy(&mut std::io::repeat(1), &mut file).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    /// Ends it, and sees to it that nothing of it is left.
    pub(crate) fn end(mut self) {
        let serving = self.serving.take().unwrap();
        serving.signal(rustix::process::Signal::TERM);
        let name = serving.end().name;
        nothing_left(&name, Duration::ZERO);
    }

    /// What programs made on it that is still there: containers, networks and volumes, none of which are its own.
    pub(crate) fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        for (kind, path) in [
            ("container", "/containers/json?all=true"),
            ("volume", "/volumes"),
            ("network", "/networks?filters={\"type\":[\"custom\"]}"),
        ] {
            let answer = get(&self.socket, path);
            let list = answer.get("Volumes").unwrap_or(&answer);
            left.extend(list.as_array().into_iter().flatten().map(|one| format!("{kind} {one:.300}")));
        }
        left
    }

    /// The names of its images.
    pub(crate) fn images(&self) -> Vec<String> {
        let answer = get(&self.socket, "/images/json?all=true");
        let tags = answer.as_array().into_iter().flatten().map(|image| image["RepoTags"].to_string());
        let mut tags: Vec<String> = tags.collect();
        tags.sort();
        tags
    }
}

/// A test that fails in the middle leaves no engine: its owner is told to end it.
impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.signal(rustix::process::Signal::TERM);
            drop(serving.end());
        }
    }
}

fn get(socket: &Path, path: &str) -> Value {
    use std::io::{Read, Write};
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    let path = path.replace('"', "%22");
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// A run under way; dropped, it is killed.
pub(crate) struct Run<'f> {
    child: Child,
    folder: &'f Path,
    peak: u64,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// What came of a run.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// `None` where it wrote no report.
    pub(crate) report: Option<Value>,
    /// The most memory that it had, in MiB.
    pub(crate) peak: u64,
}

/// Runs a shell line in which `"$@"` is the program's command line.
pub(crate) fn through<'f>(shell: &str, folder: &'f Path, arguments: &[&str]) -> Run<'f> {
    let file = |name: &str| File::create(folder.join(name)).unwrap();
    let text = |name: &str| folder.join(name).display().to_string();
    let child = Command::new("sh")
        .args(["-c", shell, "sh"])
        .arg(assert_cmd::cargo::cargo_bin("sdc-engine"))
        .args(["check", &text("scenarios"), "--golden", &text("golden"), "--aside", &text("aside"), "--images"])
        .arg(root().join("images"))
        .args(arguments)
        .current_dir(folder)
        .env("FOLDER", folder)
        .env_remove("CI")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("SDC_ENGINE_LOG")
        .stdin(std::process::Stdio::null())
        .stdout(file("stdout"))
        .stderr(file("stderr"))
        .spawn()
        .unwrap();
    Run { child, folder, peak: 0 }
}

/// Runs the program with a report.
pub(crate) fn start<'f>(folder: &'f Path, host: &str, more: &[&str]) -> Run<'f> {
    through("exec \"$@\" --json report.json", folder, &[&["--host", host], more].concat())
}

impl Run<'_> {
    fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.join(name)).unwrap_or_default()).into_owned()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let before = Instant::now();
        let status = loop {
            let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
            let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let most = most.and_then(|most| most.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0);
            self.peak = self.peak.max(most);
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            let said = || format!("{}\n{}", self.text("stdout"), self.text("stderr"));
            assert!(before.elapsed() < HANGS, "it does not end: {}", said());
            sleep(POLL);
        };
        let report = std::fs::read(self.folder.join("report.json")).ok();
        Ended {
            code: status.code(),
            stdout: self.text("stdout"),
            stderr: self.text("stderr"),
            report: report.map(|report| serde_json::from_slice(&report).unwrap()),
            peak: self.peak / 1024,
        }
    }
}
