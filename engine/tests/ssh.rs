//! An engine over ssh: a real sshd on loopback, in front of a private engine. The server's program is unpacked from
//! Debian's package in a folder of the test and never installed; a skip says why there is none.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on panics")]
#![allow(dead_code, reason = "the helpers are shared with other tests")]

mod program;

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use program::{able, root, start};
use rustix::process::Signal;

/// Runs a program to its end; its words where it fails.
fn ran(program: &str, arguments: &[&str], folder: &Path) -> Result<(), String> {
    let output = Command::new(program).args(arguments).current_dir(folder).output().map_err(|e| e.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// A server with keys of its own, and an `ssh` that knows them.
struct Server {
    folder: tempfile::TempDir,
    child: Child,
    port: u16,
    made: bool,
}

/// The folder that sshd gives up its rights in, compiled into it.
const EMPTY: &str = "/run/sshd";

impl Server {
    fn start() -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        // The folder is only for root, and apt's own user can't write there: apt says so and goes on as root.
        ran(
            "sh",
            &[
                "-c",
                "apt-get download openssh-server libwrap0 && for deb in *.deb; do dpkg -x \"$deb\" root; done && mkdir lib && find root -name '*.so*' -exec cp -P {} lib \\;",
            ],
            path,
        )?;
        for key in ["host", "mine", "other"] {
            ran("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", key], path)?;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let read = |name: &str| std::fs::read_to_string(path.join(name)).unwrap();
        let write = |name: &str, text: &str| std::fs::write(path.join(name), text).unwrap();
        write("authorized_keys", &read("mine.pub"));
        write("known_hosts", &format!("[127.0.0.1]:{port} {}", read("host.pub")));
        let at = path.display();
        write(
            "sshd_config",
            &format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/authorized_keys\n\
                 UsePAM no\nStrictModes no\nPidFile none\nPermitRootLogin prohibit-password\nPasswordAuthentication no\nLogLevel VERBOSE\n"
            ),
        );
        // The user that sshd wants is there in its own mount namespace only.
        let users = std::fs::read_to_string("/etc/passwd").unwrap();
        write("passwd", &format!("{users}sshd:x:65533:65534::{EMPTY}:/usr/sbin/nologin\n"));
        let made = std::fs::create_dir(EMPTY).is_ok();
        let line = format!(
            "mount --bind {at}/passwd /etc/passwd && LD_LIBRARY_PATH={at}/lib exec {at}/root/usr/sbin/sshd -D -e -f {at}/sshd_config"
        );
        let child = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", &line])
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(path.join("log")).unwrap())
            .spawn()
            .map_err(|e| e.to_string())?;
        let mut server = Self { folder, child, port, made };
        let before = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if server.child.try_wait().unwrap().is_some() || before.elapsed() > Duration::from_secs(10) {
                return Err(std::fs::read_to_string(server.folder.path().join("log")).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// A `PATH` whose `ssh` has this key and these known hosts, and asks nothing of the user's configuration.
    fn path(&self, key: &str, known_hosts: &str) -> String {
        let at = self.folder.path();
        let bin = at.join(format!("bin-{key}-{known_hosts}"));
        std::fs::create_dir_all(&bin).unwrap();
        let config = format!(
            "Host *\n  IdentityFile {0}/{key}\n  IdentitiesOnly yes\n  UserKnownHostsFile {0}/{known_hosts}\n  \
             GlobalKnownHostsFile /dev/null\n",
            at.display()
        );
        std::fs::write(bin.join("config"), config).unwrap();
        let program = bin.join("ssh");
        std::fs::write(&program, format!("#!/bin/sh\nexec /usr/bin/ssh -F {}/config \"$@\"\n", bin.display())).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
    }

    fn address(&self, socket: &str) -> String {
        format!("ssh://root@127.0.0.1:{}{socket}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default());
        }
        if self.made {
            std::fs::remove_dir(EMPTY).unwrap();
        }
    }
}

fn engine(path: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("sdc-engine"));
    command.args(arguments).current_dir(root()).env("PATH", path).env_remove("SSH_AUTH_SOCK").stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    text.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
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
        assert!(before.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_engine_over_ssh() {
    let Some(_alone) = able("docker-v1") else { return };
    let server = match Server::start() {
        Ok(server) => server,
        Err(why) => {
            eprintln!("SKIPPED: no sshd: {why}");
            return;
        }
    };
    let serving = start(&["host", "--host", "docker-v1", "--serve"].map(String::from));
    serving.until_said("export DOCKER_HOST=");
    let socket = format!("/run/sdc-engine/{}/docker.sock", serving.name);
    let address = server.address(&socket);
    let path = server.path("mine", "known_hosts");
    let before = forwards();

    let output = engine(&path, &["host", "--host", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains(&format!("name {address}")), "{}", said(&output));
    assert_eq!(forwards(), before);

    boots(&path, &address);
    assert_eq!(forwards(), before);

    for (key, known, socket, words) in [
        ("mine", "nobody", socket.as_str(), "Host key verification failed"),
        ("other", "known_hosts", &socket, "Permission denied"),
        ("mine", "known_hosts", "/nowhere/x.sock", "no engine listens there: no socket /nowhere/x.sock"),
    ] {
        let output = engine(&server.path(key, known), &["host", "--host", &server.address(socket)]).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
        assert_eq!(forwards(), before);
    }
    assert!(!server.folder.path().join("nobody").exists(), "an unknown key was accepted");

    killed(&path, &address, &before);
    serving.signal(Signal::TERM);
    serving.end();
}

/// A scenario runs there as anywhere.
fn boots(path: &str, address: &str) {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("run.json").display().to_string();
    let scenario = "scenarios/boot/passthrough.toml";
    let output = engine(path, &["check", scenario, "--host", address, "--json", &json]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let cases = report["cases"].as_array().unwrap();
    assert!(!cases.is_empty() && cases.iter().all(|case| case["verdict"] == "pass"), "{}", said(&output));
    let by_hand = cases[0]["by_hand"].as_str().unwrap();
    assert!(by_hand.contains(&format!("docker -H {address}")), "{by_hand}");
}

/// A run that is killed leaves neither ssh nor its socket.
fn killed(path: &str, address: &str, before: &[PathBuf]) {
    let mut child = engine(path, &["host", "--host", address, "--serve"]).stdout(Stdio::null()).spawn().unwrap();
    until("no forward", || forwards().len() > before.len());
    child.kill().unwrap();
    child.wait().unwrap();
    until("the forward is left", || forwards() == before);
}
