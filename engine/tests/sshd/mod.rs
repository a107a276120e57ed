//! A real sshd on loopback, inside the namespaces of a private engine: what it shows of itself is a machine with that engine
//! alone. Keys, users and configuration are its own, in a folder of the test.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{Running, root};

/// Runs a program to its end.
fn ran(program: &str, arguments: &[&str], folder: &Path) {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The folder that holds `usr/sbin/sshd`: this machine's root, or where `make sshd` has unpacked one.
pub(crate) fn program() -> Option<PathBuf> {
    let unpacked = root().canonicalize().unwrap().join("target/sshd");
    let found = [PathBuf::from("/"), unpacked].into_iter().find(|place| place.join("usr/sbin/sshd").is_file());
    if found.is_none() {
        let why = "there is no sshd; `make sshd` unpacks one below target/";
        assert!(std::env::var_os("SDC_ENGINE_MUST_RUN").is_none(), "{why}");
        eprintln!("SKIPPED: {why}");
    }
    found
}

/// What makes the namespace ready: the folder of the test, that of sshd, and the sockets with the usual paths that lead to
/// them. sshd gives up its rights in a folder and to a user that must be there, and newer ones find their second half by
/// a fixed path.
const READY: &str = r#"
at=$1 sshd=$2 ready=$3
shift 3
mkdir -p /run/sshd
{ cat /etc/passwd; echo 'sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin'; } >"$at/passwd"
mount -n --bind "$at/passwd" /etc/passwd
[ ! -d "$sshd/usr/lib/openssh" ] || mount -n --bind "$sshd/usr/lib/openssh" /usr/lib/openssh
while [ $# -gt 0 ]; do
    mkdir -p "$(dirname "$2")"
    [ "${1#/}" = "$1" ] || ln -s "$1" "$2"
    shift 2
done
eval "$ready"
libraries=$(find "$sshd" -name '*.so*' -printf '%h:' 2>/dev/null)
exec env LD_LIBRARY_PATH="$libraries" "$sshd/usr/sbin/sshd" -D -e -f "$at/sshd_config"
"#;

/// The first process of an engine's namespaces.
fn first_process(engine: &Running) -> u32 {
    let first = |process: &PathBuf| {
        let read =
            |file: &str| String::from_utf8_lossy(&std::fs::read(process.join(file)).unwrap_or_default()).into_owned();
        let status = read("status");
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        let numbers: Vec<&str> = numbers.split_whitespace().collect();
        numbers.len() > 1 && numbers.last() == Some(&"1") && read("cmdline").contains(&engine.name)
    };
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let found: Vec<PathBuf> = entries.filter(first).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].file_name().unwrap().to_str().unwrap().parse().unwrap()
}

/// A server, and what an `ssh` needs that knows it.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    child: Child,
    pub(crate) port: u16,
}

impl Server {
    /// Starts one beside an engine; `usual` has sockets and the paths where they are looked for, `ready` is done before.
    pub(crate) fn start(sshd: &Path, engine: &Running, usual: &[(&str, &str)], ready: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        // Users that log in read what is here.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        for key in ["host", "mine", "other"] {
            ran("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", key], path);
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let read = |name: &str| std::fs::read_to_string(path.join(name)).unwrap();
        let write = |name: &str, text: &str| std::fs::write(path.join(name), text).unwrap();
        write("authorized_keys", &read("mine.pub"));
        write("known_hosts", &format!("[127.0.0.1]:{port} {}", read("host.pub")));
        write("changed_hosts", &format!("[127.0.0.1]:{port} {}", read("other.pub")));
        let at = path.display().to_string();
        write(
            "sshd_config",
            &format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/authorized_keys\n\
                 UsePAM no\nStrictModes no\nPidFile none\nPermitRootLogin prohibit-password\nPasswordAuthentication no\nLogLevel VERBOSE\n"
            ),
        );
        let mut command = Command::new("nsenter");
        command.args(["-t", &first_process(engine).to_string(), "--mount", "--pid", "unshare", "--mount"]);
        command.args(["--propagation", "private", "sh", "-c", READY, "sshd", &at, &sshd.display().to_string(), ready]);
        command.args(usual.iter().flat_map(|(socket, path)| [*socket, *path]));
        let child =
            command.stdin(Stdio::null()).stderr(std::fs::File::create(path.join("log")).unwrap()).spawn().unwrap();
        let mut server = Self { folder, child, port };
        let before = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let over = server.child.try_wait().unwrap().is_some() || before.elapsed() > Duration::from_secs(30);
            assert!(!over, "{}", std::fs::read_to_string(server.folder.path().join("log")).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// A file in the test's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A `PATH` whose `ssh` reads this configuration and none of the user's.
    pub(crate) fn path_with(&self, name: &str, configuration: &str) -> String {
        let bin = self.file(&format!("bin-{name}"));
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::write(bin.join("config"), configuration).unwrap();
        let program = bin.join("ssh");
        std::fs::write(&program, format!("#!/bin/sh\nexec /usr/bin/ssh -F {}/config \"$@\"\n", bin.display())).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
    }

    /// The same, with this key and these known hosts.
    pub(crate) fn path(&self, key: &str, known_hosts: &str) -> String {
        let at = self.folder.path().display();
        let configuration = format!(
            "Host *\n  IdentityFile {at}/{key}\n  IdentitiesOnly yes\n  UserKnownHostsFile {at}/{known_hosts}\n  \
             GlobalKnownHostsFile /dev/null\n"
        );
        self.path_with(&format!("{key}-{known_hosts}"), &configuration)
    }

    pub(crate) fn address(&self, user: &str, socket: &str) -> String {
        format!("ssh://{user}@127.0.0.1:{}{socket}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(self.file("log")).unwrap_or_default());
        }
        // The server is nsenter's child, and nsenter ends after it.
        let pid = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|word| Pid::from_raw(word.parse().ok()?)) {
            let _gone = kill_process(child, Signal::TERM);
        }
        let _reaped = self.child.wait();
    }
}
