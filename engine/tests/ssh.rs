//! Engines over ssh: a real sshd on loopback, which shows a machine with one private engine. A skip says why.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on panics")]
#![allow(dead_code, reason = "the helpers are shared with other tests")]

mod program;
mod sshd;

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use program::{Running, able, root, start};
use rustix::process::Signal;
use sshd::Server;

fn engine(path: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("sdc-engine"));
    command.args(arguments).current_dir(root()).env("PATH", path).stdin(Stdio::null());
    for variable in ["SSH_AUTH_SOCK", "DOCKER_HOST", "CONTAINER_HOST", "CI"] {
        command.env_remove(variable);
    }
    command
}

fn said(output: &Output) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    text.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Runs to its end, which must be this one and leave no forward; what it said.
fn ends(mut command: Command, code: i32) -> String {
    let before = forwards();
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    until("a forward is left", || forwards().iter().all(|forward| before.contains(forward)));
    said(&output)
}

/// The folders of forwarded sockets that are there.
fn forwards() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/run/sdc-engine").into_iter().flatten().filter_map(Result::ok);
    let ssh = entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"ssh-"));
    ssh.map(|entry| entry.path()).collect()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let before = Instant::now();
    while !holds() {
        assert!(before.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A private engine that serves; `None` where there is none, or no sshd.
fn serving(lab: &str) -> Option<(PathBuf, Running)> {
    let sshd = sshd::program()?;
    let running = start(&["host", "--host", lab, "--serve"].map(String::from));
    running.until_said("_HOST=unix:///");
    Some((sshd, running))
}

fn over(running: Running) {
    running.signal(Signal::TERM);
    let ended = running.end();
    program::nothing_left(&ended.name, Duration::ZERO);
}

#[test]
fn a_docker_over_ssh() {
    let Some(_alone) = able("docker-v1") else { return };
    let Some((sshd, serving)) = serving("docker-v1") else { return };
    let server = Server::start(&sshd, &serving, &[], "");
    let socket = format!("/run/sdc-engine/{}/docker.sock", serving.name);
    let address = server.address("root", &socket);
    let path = server.path("mine", "known_hosts");

    let words = ends(engine(&path, &["host", "--host", &address]), 0);
    assert!(words.contains(&format!("name {address}")) && words.contains("engine docker"), "{words}");
    boots(&path, &address, &format!("docker -H {address}"));

    for (key, known, socket, words) in [
        ("other", "known_hosts", socket.as_str(), "Permission denied"),
        ("mine", "known_hosts", "/nowhere/x.sock", "no engine listens there: no socket /nowhere/x.sock"),
    ] {
        let said = ends(engine(&server.path(key, known), &["host", "--host", &server.address("root", socket)]), 3);
        assert!(said.contains(words), "{said}");
    }
    killed(&path, &address);
    drop(server);
    over(serving);
}

#[test]
fn a_machine_whose_key_is_not_known_is_refused_with_what_to_do() {
    let Some(_alone) = able("docker-v1") else { return };
    let Some((sshd, serving)) = serving("docker-v1") else { return };
    let server = Server::start(&sshd, &serving, &[], "");
    let address = server.address("root", "");
    let words = ends(engine(&server.path("mine", "nobody"), &["host", "--host", &address]), 3);
    let command = format!("log in once with `ssh -p {} root@127.0.0.1`", server.port);
    assert!(words.contains("Host key verification failed") && words.contains(&command), "{words}");
    assert!(!server.file("nobody").exists(), "an unknown key was accepted");
    let words = ends(engine(&server.path("mine", "changed_hosts"), &["host", "--host", &address]), 3);
    assert!(words.contains("IDENTIFICATION HAS CHANGED") && words.contains("check why its key is another"), "{words}");
    drop(server);
    over(serving);
}

#[test]
fn a_podman_over_ssh_is_found_where_it_usually_listens() {
    let Some(_alone) = able("podman-v2") else { return };
    let Some((sshd, serving)) = serving("podman-v2") else { return };
    let socket = format!("/run/sdc-engine/{}/podman.sock", serving.name);
    // docker's socket is there, as after its removal, and nobody behind it.
    let folder = tempfile::tempdir().unwrap();
    let dead = folder.path().join("dead.sock");
    drop(UnixListener::bind(&dead).unwrap());
    let usual = [(dead.to_str().unwrap(), "/run/docker.sock"), (&socket, "/run/podman/podman.sock")];
    let server = Server::start(&sshd, &serving, &usual, "");
    let known = server.file("known_hosts").display().to_string();

    // A name of ssh's configuration is all that is said, and the key is an agent's.
    let configuration = format!(
        "Host box\n  HostName 127.0.0.1\n  Port {}\n  User root\nHost *\n  IdentityFile none\n  UserKnownHostsFile {known}\n",
        server.port
    );
    let path = server.path_with("agent", &configuration);
    let words = ends(engine(&path, &["host", "--host", "ssh://box"]), 3);
    assert!(words.contains("Permission denied") && words.contains("ssh-add"), "{words}");
    let agent = Agent::with(&server);
    let with_agent = |arguments: &[&str]| {
        let mut command = engine(&path, arguments);
        command.env("SSH_AUTH_SOCK", &agent.socket);
        command
    };
    let words = ends(with_agent(&["host", "--host", "ssh://box"]), 0);
    for expected in ["name ssh://box", "engine podman", "rootless no", "cgroups v2"] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    let mut command = with_agent(&["host"]);
    command.env("CONTAINER_HOST", "ssh://box/run/podman/podman.sock");
    let words = ends(command, 0);
    assert!(words.contains("CONTAINER_HOST names it") && words.contains("engine podman"), "{words}");

    let address = server.address("root", "/run/podman/podman.sock");
    boots(&server.path("mine", "known_hosts"), &address, &format!("podman --url {address}"));
    drop((server, agent));
    over(serving);
}

#[test]
fn a_rootless_podman_over_ssh() {
    let Some(_alone) = able("podman-rootless-v2") else { return };
    let Some((sshd, serving)) = serving("podman-rootless-v2") else { return };
    let socket = format!("/run/sdc-engine/{}/user/podman.sock", serving.name);
    let user = "/run/user/64999/podman/podman.sock";
    // The machine's rootful podman has a socket too, which this user may not open.
    let rootful = "mkdir -m 700 /run/podman; ln -s /nowhere /run/podman/podman.sock";
    let server = Server::start(&sshd, &serving, &[(&socket, user)], rootful);
    let path = server.path("mine", "known_hosts");
    let address = server.address("sdc-engine", "");
    let words = ends(engine(&path, &["host", "--host", &address]), 0);
    for expected in ["engine podman", "rootless yes", "cgroups v2"] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    // Reports name no user.
    boots(&path, &address, &format!("podman --url {}{user}", address.replace("sdc-engine", "<user>")));
    // And root finds none there that is its own.
    let words = ends(engine(&path, &["host", "--host", &server.address("root", "")]), 3);
    assert!(words.contains("podman is there, and listens after `systemctl enable --now podman.socket`"), "{words}");
    drop(server);
    over(serving);
}

/// A scenario runs there as anywhere. Where podman has no cgroup to give, systemd finds podman's own processes in its, and
/// a line about that is a warning.
fn boots(path: &str, address: &str, by_hand: &str) {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("run.json").display().to_string();
    let scenario = "scenarios/boot/passthrough.toml";
    let asked = ["check", scenario, "--host", address, "--json", &json, "--allow-host-risk"];
    ends(engine(path, &asked), 0);
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let cases = report["cases"].as_array().unwrap();
    assert!(!cases.is_empty() && cases.iter().all(|case| case["verdict"] == "pass" || case["verdict"] == "warn"));
    let words = cases[0]["by_hand"].as_str().unwrap();
    assert!(words.contains(by_hand), "{words}");
}

/// A run that is killed leaves neither ssh nor its socket.
fn killed(path: &str, address: &str) {
    let before = forwards();
    let mut child = engine(path, &["host", "--host", address, "--serve"]).stdout(Stdio::null()).spawn().unwrap();
    until("no forward", || forwards().len() > before.len());
    child.kill().unwrap();
    child.wait().unwrap();
    until("the forward is left", || forwards().iter().all(|forward| before.contains(forward)));
}

/// An agent that holds the test's key.
struct Agent {
    child: std::process::Child,
    socket: PathBuf,
}

impl Agent {
    fn with(server: &Server) -> Self {
        let socket = server.file("agent.sock");
        let child = Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        until("no agent", || socket.exists());
        let added = Command::new("ssh-add").arg(server.file("mine")).env("SSH_AUTH_SOCK", &socket).output().unwrap();
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        Self { child, socket }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
