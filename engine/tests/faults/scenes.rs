//! Cases that a fault hits, the faults, and cases beside them that none hits.

use std::path::Path;
use std::time::Duration;

use crate::program::user::BOOTS;
use crate::proxy::{Fault, Rule};

/// A case, and what happens to it.
pub(crate) struct Scene {
    /// The case's id.
    pub(crate) id: String,
    /// The fault, for the table.
    pub(crate) fault: &'static str,
    /// Where it is injected, for the table.
    pub(crate) place: &'static str,
    container: &'static str,
    boot: &'static str,
    steps: &'static str,
    rule: Option<(&'static str, &'static str, usize, Fault)>,
}

/// A step that shows that commands run.
const STEP: &str = "[[step]]\nname = 'step'\nrun = 'echo out'\nexpect.stdout.equals = 'out'\n";

fn id(fault: &str, what: &str, place: &str) -> String {
    format!("{fault} {what} {place}").to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

/// A fault of the connection or of the engine, on a case that would pass.
pub(crate) fn broken(
    fault: &'static str,
    place: &'static str,
    (method, path, skip): (&'static str, &'static str, usize),
    how: Fault,
) -> Scene {
    // What takes longest starts first.
    let first = if matches!(how, Fault::Hang) { "0-" } else { "" };
    let id = format!("{first}{}", id(fault, "at", place));
    Scene { id, fault, place, container: "", boot: "", steps: STEP, rule: Some((method, path, skip, how)) }
}

/// A fault of what runs in the container.
pub(crate) fn inside(fault: &'static str, place: &'static str, steps: &'static str) -> Scene {
    let id = id(fault, "in", place);
    Scene { id, fault, place, container: "", boot: "", steps, rule: None }
}

impl Scene {
    /// With more flags.
    pub(crate) fn container(self, container: &'static str) -> Self {
        Self { container, ..self }
    }

    /// With more of the boot.
    pub(crate) fn boot(self, boot: &'static str) -> Self {
        Self { boot, ..self }
    }

    /// With other steps.
    pub(crate) fn steps(self, steps: &'static str) -> Self {
        Self { steps, ..self }
    }

    pub(crate) fn rule(&self) -> Option<Rule> {
        let (method, path, skip, fault) = self.rule.clone()?;
        Some(Rule { case: self.id.clone(), method, path, skip, fault })
    }

    /// Flags of a table replace those that all cases have.
    fn text(&self) -> String {
        let key = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
        let mut text = "title = 'Hit?'\nfresh = true\n".to_owned();
        for line in BOOTS.lines() {
            let replaced =
                [self.container, self.boot].iter().flat_map(|more| more.lines()).any(|more| key(more) == key(line));
            if !replaced || line.trim().is_empty() {
                text.push_str(line);
                text.push('\n');
            }
            match line {
                "[container]" => text.push_str(self.container),
                "[boot]" => text.push_str(self.boot),
                _ => {}
            }
        }
        format!("{text}\n{}", self.steps)
    }
}

/// The cases that no fault hits.
pub(crate) const INNOCENT: [&str; 2] = ["innocent-1", "innocent-2"];

/// Writes the cases, and the innocent ones, as scenarios.
pub(crate) fn write(folder: &Path, scenes: &[Scene]) {
    let scenarios = folder.join("scenarios");
    std::fs::create_dir(&scenarios).unwrap();
    for scene in scenes {
        std::fs::write(scenarios.join(format!("{}.toml", scene.id)), scene.text()).unwrap();
    }
    for name in INNOCENT {
        // Something that lasts, so that faults come while it runs.
        let steps = format!("[[step]]\nname = 'lasts'\nrun = 'sleep 1'\nchanges = true\n{STEP}");
        write_one(folder, name, &steps);
    }
}

/// Writes a case that no fault hits.
pub(crate) fn write_one(folder: &Path, name: &str, steps: &str) {
    let scene = Scene { id: name.into(), fault: "", place: "", container: "", boot: "", steps: "", rule: None };
    std::fs::write(folder.join("scenarios").join(format!("{name}.toml")), scene.text() + steps).unwrap();
}

const CREATE: (&str, &str, usize) = ("POST", "containers/create", 0);
const START: (&str, &str, usize) = ("POST", "containers/*/start", 0);
const ATTACH: (&str, &str, usize) = ("POST", "containers/*/attach", 0);
const WAIT: (&str, &str, usize) = ("POST", "containers/*/wait", 0);
const INSPECT: (&str, &str, usize) = ("GET", "containers/*/json", 0);
/// The first exec asks systemd whether it is up, the second is the step's.
const EXEC: (&str, &str, usize) = ("POST", "containers/*/exec", 1);
const EXEC_START: (&str, &str, usize) = ("POST", "exec/*/start", 1);

fn answer(head: &str, body: &[u8]) -> Fault {
    let head = format!("HTTP/1.1 {head}\r\nContent-Type: application/json\r\n\r\n");
    Fault::Instead { asked: false, bytes: [head.as_bytes(), body].concat(), more: 0 }
}

pub(crate) fn refuses(status: &str, message: &str) -> Fault {
    let body = serde_json::json!({ "message": message }).to_string();
    answer(&format!("{status}\r\nContent-Length: {}", body.len()), body.as_bytes())
}

pub(crate) fn garbage() -> Fault {
    Fault::Instead { asked: true, bytes: b"\xff\xfe\0\x1b[2J no HTTP\r\n\r\n".to_vec(), more: 0 }
}

fn body(bytes: &[u8]) -> Fault {
    Fault::Body { bytes: bytes.to_vec(), more: 0 }
}

const FULL: &str = "write /var/lib/docker/containers/x/.tmp-config.v2.json: no space left on device";
const NO_TTY: &str = "tty = false\n";
const BY_EXEC: &str = "ready = 'exec'\n";

/// Faults that leave nothing to say of the subject.
pub(crate) fn errors() -> Vec<Scene> {
    let logs = "[[step]]\nname = 'log'\nengine = 'logs'\nexpect.stdout.contains = 'Reached target'\n";
    vec![
        broken("connection closed without an answer", "create", CREATE, Fault::Close),
        broken("garbage for an answer, and the container is made", "create", CREATE, garbage()),
        broken("answer cut in mid-stream, and the container is made", "create", CREATE, Fault::Cut(20)),
        broken("500: disk full", "create", CREATE, refuses("500 Internal Server Error", FULL)),
        broken("503", "create", CREATE, refuses("503 Service Unavailable", "the engine is starting")),
        broken(
            "connection closed without an answer",
            "the setup script's upload",
            ("PUT", "containers/*/archive", 0),
            Fault::Close,
        ),
        broken("garbage for JSON", "inspect", INSPECT, answer("200 OK\r\nContent-Length: 9", b"{\"Id\": \xff}")),
        broken("Content-Length too long", "inspect", INSPECT, answer("200 OK\r\nContent-Length: 1000", b"{}")),
        broken(
            "Content-Length too short",
            "inspect",
            INSPECT,
            answer("200 OK\r\nContent-Length: 5", b"{\"Id\": \"a\"}"),
        ),
        broken(
            "500 with a body without an end",
            "inspect",
            INSPECT,
            Fault::Instead { asked: false, bytes: b"HTTP/1.1 500 Oh\r\n\r\n".to_vec(), more: u64::MAX },
        ),
        broken("500", "attach", ATTACH, refuses("500 Internal Server Error", "context deadline exceeded")),
        broken("stream cut", "the console", ATTACH, Fault::Cut(200)),
        broken("truncated frame", "the console", ATTACH, body(b"\x01\0\0\0\0\0\x10\0systemd"))
            .container(NO_TTY)
            .boot(BY_EXEC),
        broken("garbage for a frame", "the console", ATTACH, body(b"HTTP/1.1 200 OK\r\n\r\n"))
            .container(NO_TTY)
            .boot(BY_EXEC),
        broken("connection closed without an answer", "start", START, Fault::Close),
        broken("500: disk full", "start", START, refuses("500 Internal Server Error", FULL)),
        broken("500", "start", START, refuses("500 Internal Server Error", "transport is closing")),
        broken("answer cut in mid-stream", "wait", WAIT, Fault::Cut(0)),
        broken("500", "wait", WAIT, refuses("500 Internal Server Error", "context canceled")),
        broken("connection closed without an answer", "a step's exec", EXEC, Fault::Close),
        broken(
            "500",
            "a step's exec",
            EXEC,
            refuses("500 Internal Server Error", "connection error: transport is closing"),
        ),
        broken("garbage for an answer", "a step's exec", EXEC, garbage()),
        broken("no answer", "a step's exec", EXEC, Fault::Hang),
        broken("truncated frame", "a step's output", EXEC_START, body(b"\x01\0\0\0\0\0\0\x04out")),
        broken("garbage for a frame", "a step's output", EXEC_START, body(b"HTTP/1.1 200 OK\r\n\r\n")),
        broken(
            "frame of 4 GiB, of which 300 MiB come",
            "a step's output",
            EXEC_START,
            Fault::Body { bytes: b"\x01\0\0\0\xff\xff\xff\xff".to_vec(), more: 300 << 20 },
        ),
        broken(
            "garbage without a line end",
            "a step's output",
            EXEC_START,
            Fault::Body { bytes: b"x".to_vec(), more: u64::MAX },
        ),
        broken(
            "garbage for JSON",
            "a step's exit code",
            ("GET", "exec/*/json", 1),
            answer("200 OK\r\nContent-Length: 2", b"{]"),
        ),
        broken("answer cut in mid-stream", "a step's logs", ("GET", "containers/*/logs", 0), Fault::Cut(150))
            .steps(logs),
        broken("container vanished", "the boot", WAIT, Fault::Vanish),
        broken("container vanished", "a step", EXEC_START, Fault::Vanish),
    ]
}

/// Faults that are got over.
pub(crate) fn passes() -> Vec<Scene> {
    let slow = || Fault::Delay(Duration::from_secs(2));
    vec![
        broken("slow answer", "create", CREATE, slow()),
        broken("slow answer", "start", START, slow()),
        broken("slow answer", "a step's output", EXEC_START, slow()),
        broken(
            "500",
            "remove",
            ("DELETE", "containers/*", 0),
            refuses("500 Internal Server Error", "driver failed to remove"),
        ),
        broken("connection closed without an answer", "remove", ("DELETE", "containers/*", 0), Fault::Close),
        inside(
            "prints 1 GiB",
            "a command",
            "[[step]]\nname = 'much'\nrun = 'head -c 1G /dev/zero'\ntimeout = '100s'\nexpect.stdout.empty = false\n",
        ),
        inside("console log of 100 MiB", "the container", STEP).boot(
            "timeout = '100s'\nexpect.state = 'running'\nexpect.console.contains = 'Reached target'\n\
            before = \"head -c 100M /dev/zero | tr '\\\\0' x | fold -w 4000\"\n",
        ),
        inside(
            "prints binary and terminal escapes",
            "a command",
            "[[step]]\nname = 'binary'\nrun = '''printf '\\377\\000\\033[2J\\033]0;x\\007' '''\nexpect.stdout.regex = '^\\\\xff'\n",
        ),
        inside(
            "ignores SIGTERM",
            "a command in the background",
            "[[step]]\nname = 'deaf'\nrun = '''trap \"\" TERM; while :; do sleep 1; done'''\nbackground = true\n",
        ),
    ]
}

/// Faults of the subject.
pub(crate) fn fails() -> Vec<Scene> {
    vec![
        inside(
            "prints 100 MiB",
            "a command whose text must lack something",
            "[[step]]\nname = 'much'\nrun = 'head -c 100M /dev/zero'\ntimeout = '100s'\nexpect.stdout.not_contains = 'x'\n",
        ),
        inside(
            "prints 20 MiB",
            "a command whose text is to be recorded",
            "[[step]]\nname = 'much'\nrun = 'yes | head -c 20M'\ntimeout = '100s'\nexpect.stdout.golden = true\n",
        ),
        inside(
            "prints 200,000 words",
            "a command whose words are a set",
            "[[step]]\nname = 'words'\nrun = 'seq 100000 300000'\nexpect.stdout.set.equal = ['a']\n",
        ),
        inside(
            "prints 1 MiB a run",
            "a command that is repeated 12 times",
            "[[step]]\nname = 'again'\nrun = 'head -c 2M /dev/zero'\nrepeat = { times = 12 }\nexpect.stdout.not_contains = 'x'\n",
        ),
        inside(
            "prints binary and terminal escapes",
            "a command whose text must be another",
            "[[step]]\nname = 'binary'\nrun = '''printf '\\377\\000\\033[2J\\033]0;x\\007' '''\nexpect.stdout.equals = 'x'\n",
        ),
        inside("OOM-killed PID 1", "a container of 32 MiB", "")
            .boot("expect.state = 'running'\n")
            .container("memory = '32m'\nsetup_mode = 'default'\ncommand = ['/bin/sh', '-c', '''x=$(head -c 200M /dev/zero | tr '\\0' x)''']\n"),
        inside(
            "out of PIDs",
            "a container of 40 PIDs",
            "[[step]]\nname = 'many'\nrun = 'for i in $(seq 60); do sleep 9 & done; wait'\n",
        )
        .container("pids_limit = 40\n"),
        inside(
            "disk full",
            "a tmpfs of 64 KiB in the container",
            "[[step]]\nname = 'write'\nrun = 'head -c 1M /dev/zero > /small/file'\n",
        )
        .container("tmpfs = ['/run', '/run/lock', '/small:size=64k']\n"),
    ]
}

/// Faults that a limit ends.
pub(crate) fn timeouts() -> Vec<Scene> {
    vec![
        inside("never ends", "a command", "[[step]]\nname = 'endless'\nrun = 'sleep infinity'\ntimeout = '1s'\n"),
        inside("prints without an end", "a command", "[[step]]\nname = 'endless'\nrun = 'yes'\ntimeout = '2s'\n"),
        inside(
            "ignores SIGTERM",
            "a command",
            "[[step]]\nname = 'deaf'\nrun = '''trap \"\" TERM; while :; do sleep 1; done'''\ntimeout = '1s'\n",
        ),
        inside("never comes up", "PID 1", "")
            .container("setup_mode = 'default'\ncommand = ['/bin/sleep', 'infinity']\n")
            .boot("timeout = '2s'\nexpect.state = 'running'\n"),
    ]
}
