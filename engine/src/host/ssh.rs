//! Engines on other machines, over the system's own `ssh`: its configuration, agent and known hosts all hold, it never
//! asks for anything, and no check of it is ever turned off.
//!
//! One `ssh` looks at the machine and finds the engine's socket; a second one forwards that socket to one of ours. The
//! second lives as long as the pipe to it is open, so that it also ends where this process is killed, and a shell
//! around it removes the socket's folder after it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::HostError;
use super::facts::LOOK as MACHINE;

/// How long the first look at a machine may take, its name's resolution and a slow login included.
const LOOK: Duration = Duration::from_secs(60);
/// How long the forward may take to be there.
const FORWARD: Duration = Duration::from_secs(30);
/// How long ssh may take to end by itself.
const GOES: Duration = Duration::from_secs(5);
/// How much of what a machine says is read.
const LIMIT: u64 = 4 << 20;

/// Finds the engine's socket, and tells of the machine in sections: `==> NAME <==` and a file's text. Its arguments are
/// the only sockets to look at, where there are any.
const LOOKS: &str = r#"
uid=$(id -u)
run=${XDG_RUNTIME_DIR:-/run/user/$uid}
[ $# -gt 0 ] || set -- /var/run/docker.sock "$run/docker.sock" "/run/user/$uid/docker.sock" \
    /run/podman/podman.sock "$run/podman/podman.sock" "/run/user/$uid/podman/podman.sock"
head() { printf '==> %s <==\n' "$1"; }
head looked; printf '%s\n' "$@"
head socket; for s; do if [ -S "$s" ] && [ -w "$s" ]; then printf '%s\n' "$s"; break; fi; done
head denied; for s; do if [ -S "$s" ] && ! [ -w "$s" ]; then printf '%s\n' "$s"; fi; done
# The engine's process: the one that has the socket, which only root may see of others; else the only one of its name.
socket=; for s; do if [ -S "$s" ] && [ -w "$s" ]; then socket=$s; break; fi; done
inodes=$(while read -r _ _ _ _ _ _ inode path; do
    case $path in "$socket" | "${socket#/var}") echo "socket:\[$inode\]" ;; esac
done </proc/net/unix)
engines= holder=
for process in /proc/[0-9]*; do
    { read -r name <"$process/comm"; } 2>/dev/null || continue
    case $name in dockerd* | podman) ;; *) continue ;; esac
    engines="$engines ${process#/proc/}"
    for inode in $inodes; do
        ls -l "$process/fd" 2>/dev/null | grep -q "$inode" && holder=${process#/proc/}
    done
done
set -- $engines
[ -n "$holder" ] || [ $# -ne 1 ] || holder=$1
look "${holder:-none}" 2>/dev/null
"#;

/// A machine and maybe a socket there, as `ssh://[user@]host[:port][/path/to.sock]` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshTarget {
    /// The user; none leaves it to ssh's configuration.
    pub user: Option<String>,
    /// The host, or a name of ssh's configuration.
    pub host: String,
    /// The port; none leaves it to ssh's configuration.
    pub port: Option<u16>,
    /// The engine's socket; none lets it be looked for.
    pub socket: Option<String>,
}

impl SshTarget {
    /// Reads what follows `ssh://`.
    ///
    /// # Errors
    /// A fragment that says what is wrong.
    pub(super) fn parse(rest: &str) -> Result<Self, String> {
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err("has a password, which ssh takes from nobody; use a key or an agent".to_owned());
        }
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| format!("has the port `{port}`, which is no number"))?))
            }
            _ => (place, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let plain = |text: &str| !text.is_empty() && !text.starts_with('-') && !text.contains(char::is_whitespace);
        if !plain(host) || !user.is_none_or(plain) {
            return Err("has no user and host; write `ssh://user@host`".to_owned());
        }
        let path = path.trim_end_matches('/');
        // ssh cuts the words of a forward at its colons.
        if path.contains([':', '\n']) {
            return Err("has a socket's path with a colon, which ssh can't forward".to_owned());
        }
        let socket = (!path.is_empty()).then(|| path.to_owned());
        Ok(Self { user: user.map(ToOwned::to_owned), host: host.to_owned(), port, socket })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("ssh");
        command.args(["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20"]);
        if let Some(user) = &self.user {
            command.args(["-l", user]);
        }
        if let Some(port) = self.port {
            command.args(["-p", &port.to_string()]);
        }
        command
    }
}

impl std::fmt::Display for SshTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        if self.host.contains(':') { write!(f, "[{}]", self.host) } else { f.write_str(&self.host) }?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.socket.as_deref().unwrap_or_default())
    }
}

/// What the first look at a machine came to.
#[derive(Debug)]
struct Look {
    socket: String,
    machine: String,
}

/// A socket of ours behind which another machine's engine listens. Ends when it is closed, dropped, or when this
/// process ends, however that is.
#[derive(Debug, Clone)]
pub(super) struct Tunnel {
    /// Our socket.
    pub(super) local: PathBuf,
    /// The socket there.
    pub(super) socket: String,
    /// What the machine says of itself, in sections that start with `==> NAME <==`: those of `facts/look.sh`.
    pub(super) machine: String,
    forward: Arc<Mutex<Option<Forward>>>,
}

#[derive(Debug)]
struct Forward {
    child: Child,
    /// ssh lives as long as this pipe is open.
    stdin: ChildStdin,
}

impl Tunnel {
    /// Finds the engine's socket on a machine and forwards it.
    ///
    /// # Errors
    /// ssh's own words and what to do, or that there is no engine.
    pub(super) async fn open(target: &SshTarget) -> Result<Self, HostError> {
        let error = |words: String| HostError::local(format!("use the engine of {target}"), words);
        let Look { socket, machine } = look(target).await.map_err(error)?;
        let folder = folder().map_err(|e| error(format!("no folder for its socket can be made: {e}")))?;
        let local = folder.path().join("engine.sock");
        let forward = forward(target, &socket, &local).await.map_err(error)?;
        // From here on the shell around ssh removes it.
        let _path = folder.keep();
        Ok(Self { local, socket, machine, forward: Arc::new(Mutex::new(Some(forward))) })
    }

    /// Ends the forward; what could not be removed.
    pub(super) async fn close(&self) -> Vec<String> {
        let Some(Forward { mut child, stdin }) = self.forward.lock().await.take() else { return Vec::new() };
        drop(stdin);
        if timeout(GOES, child.wait()).await.is_err() {
            // The machine is out of reach, and ssh waits for it.
            if let Some(group) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
                let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            drop(timeout(GOES, child.wait()).await);
            let _seen_below = self.local.parent().map(std::fs::remove_dir_all);
        }
        match self.local.parent() {
            Some(folder) if folder.exists() => vec![format!("the folder {}", folder.display())],
            _ => Vec::new(),
        }
    }
}

/// A folder that only this user may enter.
fn folder() -> std::io::Result<tempfile::TempDir> {
    let base = if rustix::process::geteuid().is_root() {
        PathBuf::from("/run/sdc-engine")
    } else {
        std::env::var_os("XDG_RUNTIME_DIR").filter(|v| !v.is_empty()).map_or_else(std::env::temp_dir, PathBuf::from)
    };
    std::fs::create_dir_all(&base)?;
    tempfile::Builder::new().prefix("ssh-").tempdir_in(base)
}

async fn look(target: &SshTarget) -> Result<Look, String> {
    let mut command = target.command();
    command.args(["--", &target.host, "sh", "-s"]);
    if let Some(socket) = &target.socket {
        command.args(["--", &shell_words::quote(socket)]);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).process_group(0);
    let mut child = command.spawn().map_err(not_started)?;
    let run = async {
        if let Some(mut stdin) = child.stdin.take() {
            // A machine that refuses us closes the pipe: its words say more than this error.
            let _refused = stdin.write_all(format!("{MACHINE}{LOOKS}").as_bytes()).await;
        }
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let read_out = async {
            match stdout {
                Some(pipe) => pipe.take(LIMIT).read_to_end(&mut out).await.map(drop),
                None => Ok(()),
            }
        };
        let read_err = async {
            match stderr {
                Some(pipe) => pipe.take(LIMIT).read_to_end(&mut err).await.map(drop),
                None => Ok(()),
            }
        };
        let (a, b) = tokio::join!(read_out, read_err);
        a.and(b).map_err(|e| e.to_string())?;
        let status = child.wait().await.map_err(|e| e.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if status.success() { Ok(text(&out)) } else { Err(advised(&text(&err))) }
    };
    let said = timeout(LOOK, run).await.map_err(|_| format!("ssh has no answer after {} s", LOOK.as_secs()))??;
    found(said)
}

fn not_started(error: std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            "there is no `ssh` in PATH; install `openssh-client` (Debian, Ubuntu) or `openssh-clients` (Fedora)".into()
        }
        _ => format!("ssh can't be started: {error}"),
    }
}

/// ssh's words, and what to do.
fn advised(words: &str) -> String {
    let words = words.trim();
    let lower = words.to_lowercase();
    let advice = [
        ("remote host identification has changed", "check why its key is another one; `ssh-keygen -R` forgets the old"),
        ("host key verification failed", "log in once by hand with `ssh`, and compare the key before you accept it"),
        (
            "permission denied",
            "log in by hand with `ssh -o BatchMode=yes` must work: use a key without a passphrase, or an agent",
        ),
        ("could not resolve hostname", "check the name, or name the machine in ~/.ssh/config"),
        ("connection refused", "check that an ssh server runs there, and its port: `ssh://user@host:port`"),
    ];
    let words = if words.is_empty() { "ssh ended without a word" } else { words };
    match advice.iter().find(|(sign, _)| lower.contains(sign)) {
        Some((_, advice)) => format!("{words}; {advice}"),
        None => words.to_owned(),
    }
}

/// Reads what a look found.
fn found(machine: String) -> Result<Look, String> {
    let line =
        |name: &str| section(&machine, name).lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>();
    if let Some(socket) = line("socket").first() {
        return Ok(Look { socket: (*socket).to_owned(), machine });
    }
    let denied = line("denied");
    if !denied.is_empty() {
        let list = denied.join(", ");
        return Err(format!("its user may not open {list}; use another user, or add it to the group that may"));
    }
    let looked = line("looked");
    if looked.is_empty() {
        return Err("its shell does not answer as `sh` does".to_owned());
    }
    Err(format!(
        "no engine listens there: no socket {}; start one there, or name its socket: `ssh://user@host/path/to.sock`",
        looked.join(", ")
    ))
}

/// A section's text.
fn section<'a>(text: &'a str, name: &str) -> &'a str {
    let head = format!("==> {name} <==\n");
    let Some((_, rest)) = text.split_once(&head) else { return "" };
    rest.split_once("\n==> ").map_or(rest, |(section, _)| section).split("==> ").next().unwrap_or_default()
}

/// Runs ssh, and removes the folder of the socket when it is over.
const AROUND: &str = r#"folder=$1; shift; trap '' HUP INT TERM; "$@"; rm -rf -- "$folder""#;

async fn forward(target: &SshTarget, socket: &str, local: &Path) -> Result<Forward, String> {
    let ssh = target.command();
    let mut command = Command::new("sh");
    command.args(["-c", AROUND, "sdc-engine-ssh"]).args(local.parent()).arg("ssh").args(ssh.as_std().get_args());
    for option in
        ["ControlPath=none", "ExitOnForwardFailure=yes", "StreamLocalBindUnlink=yes", "ServerAliveInterval=15"]
    {
        command.args(["-o", option]);
    }
    command.arg("-L").arg(format!("{}:{socket}", local.display()));
    command.args(["--", &target.host, "echo ready; cat >/dev/null"]);
    // Ctrl-C on the terminal is for us; ssh ends when we close its pipe.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(|error| format!("sh can't be started: {error}"))?;
    let missing = || "no pipe to ssh".to_owned();
    let stdin = child.stdin.take().ok_or_else(missing)?;
    let stdout = child.stdout.take().ok_or_else(missing)?;
    let stderr = child.stderr.take().ok_or_else(missing)?;
    let ready = timeout(FORWARD, async {
        let mut lines = BufReader::new(stdout).lines();
        // A login may print words of its own first.
        while let Ok(Some(line)) = lines.next_line().await {
            if line.trim() == "ready" {
                return Ok(());
            }
        }
        let mut words = String::new();
        let _unreadable = BufReader::new(stderr).take(LIMIT).read_to_string(&mut words).await;
        Err(advised(&words))
    });
    match ready.await {
        Ok(Ok(())) => Ok(Forward { child, stdin }),
        Ok(Err(words)) => Err(words),
        Err(_) => Err(format!("the forward of {socket} is not there after {} s", FORWARD.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_written() {
        for text in ["box", "me@box", "me@box:2222", "box/run/x.sock", "me@[::1]:22/run/x.sock", "[::1]"] {
            assert_eq!(SshTarget::parse(text).map(|t| t.to_string()), Ok(format!("ssh://{text}")));
        }
        assert_eq!(SshTarget::parse("box/").map(|t| t.socket), Ok(None));
        for text in ["", "@box", "me@", "-oProxyCommand=x", "me:secret@box", "box:port", "box/a:b", "-l@box"] {
            assert!(SshTarget::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_look_is_read() {
        let text = |socket: &str, denied: &str| {
            format!(
                "hello\n==> looked <==\n/a\n/b\n==> socket <==\n{socket}==> denied <==\n{denied}==> status <==\nName: x\n"
            )
        };
        let look = found(text("/a\n", "")).map(|look| look.socket);
        assert_eq!(look, Ok("/a".to_owned()));
        assert!(found(text("", "/b\n")).is_err_and(|words| words.contains("may not open /b")));
        assert!(found(text("", "")).is_err_and(|words| words.contains("no socket /a, /b")));
        assert!(found(String::new()).is_err_and(|words| words.contains("as `sh` does")));
        assert_eq!(section(&text("", ""), "status"), "Name: x\n");
    }

    #[test]
    fn sshs_words_come_with_advice() {
        let unknown = "No ED25519 host key is known for box and you have requested strict checking.\r\nHost key verification failed.";
        assert!(advised(unknown).contains("No ED25519") && advised(unknown).contains("before you accept it"));
        assert!(advised("me@box: Permission denied (publickey).").contains("agent"));
        assert_eq!(advised("odd"), "odd");
        assert_eq!(advised(" "), "ssh ended without a word");
    }
}
