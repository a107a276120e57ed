//! What leaves the program for others has no names of users and machines: through the program, with engines that are made
//! up or can't be reached, and with a private one (root and dockerd are needed for that; a skip says why).
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on panics")]
#![allow(dead_code, reason = "the helpers are shared with other tests")]

mod program;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use program::{able, start};
use rustix::process::Signal;
use serde_json::Value;

/// Bob's folder, which is his home by his environment alone.
struct Bob {
    folder: tempfile::TempDir,
}

impl Bob {
    fn new() -> Self {
        let bob = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(bob.home().join("bin")).unwrap();
        bob
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("people/bob")
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.home().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.write(&format!("bin/{name}"), text);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The program as Bob runs it: its exit code and stdout.
    fn runs(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::cargo_bin("sdc-engine").unwrap();
        for variable in ["SDC_ENGINE_LOG", "SDC_ENGINE_HOST", "DOCKER_HOST", "CONTAINER_HOST", "DOCKER_CONTEXT", "CI"] {
            command.env_remove(variable);
        }
        let path = format!("{}:{}", self.home().join("bin").display(), std::env::var("PATH").unwrap());
        command.env("HOME", self.home()).env("USER", "bob").env("PATH", path).env("NO_COLOR", "1");
        command.env("DOCKER_CONFIG", self.home().join(".docker")).current_dir(program::root()).args(arguments);
        let output = command.output().unwrap();
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.runs(arguments).1).unwrap()
    }
}

/// An engine that says what it is, and no more.
fn engine(socket: &Path) {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
                    _ => break,
                }
            }
            let body = match String::from_utf8_lossy(&request).split(' ').nth(1) {
                Some("/version") => r#"{"Version": "28.0.0", "ApiVersion": "1.48"}"#,
                Some("/info") => {
                    r#"{"Name": "bobs-tower.example.org", "CgroupVersion": "2", "OperatingSystem": "Linux on bobs-tower"}"#
                }
                _ => "{}",
            };
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _gone = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
}

/// A folder of docker's configuration whose current context is that engine.
fn context(bob: &Bob, name: &str, socket: &Path) {
    use std::fmt::Write as _;
    let digest = <sha2::Sha256 as sha2::Digest>::digest(name.as_bytes());
    let hash = digest.iter().fold(String::new(), |mut hash, byte| {
        write!(hash, "{byte:02x}").unwrap();
        hash
    });
    bob.write(".docker/config.json", &format!(r#"{{"currentContext": "{name}"}}"#));
    let endpoint = format!(r#"{{"Endpoints": {{"docker": {{"Host": "unix://{}"}}}}}}"#, socket.display());
    bob.write(&format!(".docker/contexts/meta/{hash}/meta.json"), &endpoint);
}

fn free_of(text: &str, names: &[&str]) {
    for name in names {
        assert!(!text.contains(name), "{name}: {text}");
    }
}

#[test]
fn facts_for_others_name_nobody_and_the_terminal_names_all() {
    let bob = Bob::new();
    let socket = bob.home().join("x.sock");
    engine(&socket);
    context(&bob, "tower-of-bob", &socket);

    let (code, text) = bob.runs(&["host"]);
    assert_eq!(code, 0);
    let address = format!("unix://{}", socket.display());
    for name in [address.as_str(), "tower-of-bob", "bobs-tower"] {
        assert!(text.contains(name), "{name}: {text}");
    }

    let (code, text) = bob.runs(&["host", "--json"]);
    assert_eq!(code, 0);
    free_of(&text, &["bob", "tower", "people"]);
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["facts"]["name"], "unix://<home>/x.sock");
    assert_eq!(told["facts"]["os"], "Linux on <machine-1>");
    assert!(told["why"].as_str().unwrap().contains("the docker context `<context>` names it"), "{text}");

    let plain = bob.json(&["host", "--json", "--no-redact"]);
    assert_eq!(plain["facts"]["name"], address);
    assert!(plain["why"].as_str().unwrap().contains("`tower-of-bob`"), "{plain}");

    let (_, text) = bob.runs(&["list", "scenarios/boot", "--json"]);
    free_of(&text, &["bob", "tower", "people"]);
    assert!(text.contains("unix://<home>/x.sock"), "{text}");
}

/// What ssh says of machines that it does not find, or that do not let it in.
const SSH: &str = "#!/bin/sh
case \"$*\" in
    *build7*) echo 'ssh: Could not resolve hostname build7: Name or service not known' >&2 ;;
    *) echo 'bob@build8.example.org: Permission denied (publickey).' >&2 ;;
esac
exit 255
";

#[test]
fn reports_keep_machines_apart_and_can_be_compared() {
    let bob = Bob::new();
    bob.program("ssh", SSH);
    let scenario =
        bob.write("mine.toml", "title = 'x'\ncontainer.image = 'debian-12'\nstep = [{ name = 'a', run = 'true' }]\n");
    let file = |name: &str| bob.home().join(name).display().to_string();
    let (json, junit) = (file("run.json"), file("run.xml"));
    let hosts = "ssh://bob@build7:22,ssh://bob@build8,ssh://carol@build8";
    let run = ["check", scenario.as_str(), "--host", hosts, "--json", json.as_str(), "--junit", junit.as_str()];
    let (code, text) = bob.runs(&run);
    assert_eq!(code, 3);
    assert!(text.contains("host=ssh://carol@build8"), "{text}");

    let text = std::fs::read_to_string(&json).unwrap();
    free_of(&text, &["bob", "carol", "build7", "build8", "example.org", "people"]);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["redacted"], true);
    let names = ["ssh://<user>@<machine-1>:22", "ssh://<user>@<machine-2>", "ssh://<user-2>@<machine-2>"];
    for (number, name) in names.into_iter().enumerate() {
        assert_eq!(document["hosts"][number]["name"], name);
        let case = &document["cases"][number];
        assert_eq!((&case["host"], &case["point"]["host"]), (&name.into(), &name.into()));
        let id = case["id"].as_str().unwrap();
        assert!(id.ends_with(&format!("[host={name}]")), "{id}");
    }
    let reason = document["hosts"][0]["error"].as_str().unwrap();
    assert!(reason.contains("Could not resolve hostname <machine-1>"), "{reason}");

    let text = std::fs::read_to_string(&junit).unwrap();
    free_of(&text, &["bob", "carol", "build7", "build8", "example.org", "people"]);
    assert!(text.contains("host=ssh://&lt;user&gt;@&lt;machine-1&gt;:22]"), "{text}");

    // One host of it is found by the name that it has there.
    let sides = [format!("{json}#{}", names[0]), format!("{json}#{}", names[2])];
    let (code, text) = bob.runs(&["compare", &sides[0], &sides[1], "--json"]);
    assert_eq!(code, 3, "nothing ran: {text}");
    free_of(&text, &["bob", "carol", "build7", "build8", "people"]);
    let compared: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(compared["comparison"]["errors"][0]["cases"].as_array().unwrap().len(), 1);
    assert_eq!(compared["redacted"], true);
    let (code, _) = bob.runs(&["compare", &format!("{json}#ssh://bob@build7:22"), &sides[1]]);
    assert_eq!(code, 2);

    // The same with names, which are taken out to be alike.
    let plain = file("plain.json");
    bob.runs(&["check", &scenario, "--host", hosts, "--json", &plain, "--no-redact"]);
    let text = std::fs::read_to_string(&plain).unwrap();
    for name in ["ssh://bob@build7:22", "carol", "build8.example.org"] {
        assert!(text.contains(name), "{name}: {text}");
    }
    let (_, text) = bob.runs(&["compare", &format!("{plain}#ssh://bob@build7:22"), &sides[0]]);
    assert!(text.contains("not compared, as the environment failed: 1 case"), "{text}");
    assert!(!text.contains("ran on plain.json"), "{text}");
}

#[test]
fn goldens_are_recorded_without_names() {
    let Some(_alone) = able("docker-v1") else { return };
    let serving = start(&["host", "--host", "docker-v1", "--serve"].map(String::from));
    serving.until_said("export DOCKER_HOST=");
    let bob = Bob::new();
    let socket = bob.home().join("x.sock");
    std::os::unix::fs::symlink(format!("/run/sdc-engine/{}/docker.sock", serving.name), &socket).unwrap();
    let host = format!("unix://{}", socket.display());
    let scenario = bob.write(
        "mine.toml",
        "title = 'x'\n[container]\nimage = 'debian-12'\nsetup_mode = 'unmount'\ncap_add = ['SYS_ADMIN']\n\
         cgroupns = 'private'\ntmpfs = ['/run', '/run/lock']\nenv = { container = 'docker' }\n\
         stop_signal = 'SIGRTMIN+3'\nnetwork = 'none'\n[boot]\nunknown_lines = 'ignore'\n\
         [[step]]\nname = 'a'\nrun = 'echo hello'\nexpect.stdout.golden = true\n",
    );
    let golden = bob.home().join("golden").display().to_string();
    let reason = format!("bob found it below {}", bob.home().display());
    let update = ["update", &scenario, "--host", &host, "--golden", &golden, "--repeat", "1", "--reason", &reason];
    let (code, text) = bob.runs(&update);
    assert_eq!(code, 0, "{text}");
    let record = bob.home().join("golden/mine/a/recorded.toml");
    let recorded = std::fs::read_to_string(&record).unwrap();
    free_of(&recorded, &["bob", "people"]);
    assert!(recorded.contains("name = \"unix://<home>/x.sock\""), "{recorded}");
    assert!(recorded.contains("reason = \"<user> found it below <home>\""), "{recorded}");

    let run = ["check", &scenario, "--host", &host, "--golden", &golden, "--json", "-"];
    let (code, text) = bob.runs(&run);
    assert_eq!(code, 0, "{text}");
    free_of(&text, &["bob", "people"]);
    let document: Value = serde_json::from_str(&text).unwrap();
    let by_hand = document["cases"][0]["by_hand"].as_str().unwrap();
    assert!(by_hand.contains("docker -H unix://<home>/x.sock"), "{by_hand}");

    std::fs::remove_dir_all(bob.home().join("golden")).unwrap();
    bob.runs(&[&update[..], &["--no-redact"]].concat());
    let recorded = std::fs::read_to_string(&record).unwrap();
    assert!(recorded.contains(&format!("name = \"{host}\"")), "{recorded}");
    serving.signal(Signal::TERM);
    serving.end();
}
