//! Engines on other machines, over the system's own `ssh`: its configuration, agent and known hosts all hold, it never
//! asks for anything, and no check of it is ever turned off.
//!
//! One `ssh` looks at the machine and finds the engine's socket; a second one forwards that socket to one of ours. The
//! second lives as long as the pipe to it is open, so that it also ends where this process is killed, and a shell
//! around it removes the socket's folder after it.

mod target;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::HostError;
use super::address::Address;
use super::facts::LOOK as MACHINE;
use super::wire::get_json;
use target::advised;

pub use target::SshTarget;

/// How long the first look at a machine may take, its name's resolution and a slow login included.
const LOOK: Duration = Duration::from_secs(60);
/// How long the forward may take to be there.
const FORWARD: Duration = Duration::from_secs(30);
/// How long an engine may take to answer through it: a socket of systemd's may have to start it first.
const ANSWER: Duration = Duration::from_secs(20);
/// How long ssh may take to end by itself.
const GOES: Duration = Duration::from_secs(5);
/// How much of what a machine says is read.
const LIMIT: u64 = 4 << 20;

/// Finds the engine's socket, and tells of the machine in sections: `==> NAME <==` and a file's text. Its arguments are
/// the only sockets to look at, where there are any.
const LOOKS: &str = r#"
uid=$(id -u)
run=${XDG_RUNTIME_DIR:-/run/user/$uid}
own=/run/user/$uid
if [ $# -eq 0 ]; then
    set -- /var/run/docker.sock "$run/docker.sock" /run/podman/podman.sock "$run/podman/podman.sock"
    [ "$run" = "$own" ] || set -- "$@" "$own/docker.sock" "$own/podman/podman.sock"
fi
head() { printf '==> %s <==\n' "$1"; }
head looked; printf '%s\n' "$@"
head socket; for s; do if [ -S "$s" ] && [ -w "$s" ]; then printf '%s\n' "$s"; fi; done
head denied; for s; do if [ -S "$s" ] && ! [ -w "$s" ]; then printf '%s\n' "$s"; fi; done
head programs; PATH=$PATH:/usr/sbin:/sbin; for p in dockerd podman; do command -v "$p"; done
# The engine's process: the one that has the socket, which only root may see of others; else the only one of its name.
socket=; for s; do if [ -S "$s" ] && [ -w "$s" ]; then socket=$s; break; fi; done
real=$(readlink -f "$socket" 2>/dev/null)
inodes=$(while read -r _ _ _ _ _ _ inode path; do
    case $path in "$socket" | "$real") echo "socket:\[$inode\]" ;; esac
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

/// What the first look at a machine came to.
#[derive(Debug)]
struct Look {
    /// The sockets that its user may open, in the order of preference.
    sockets: Vec<String>,
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
    /// Finds the engine's socket on a machine and forwards it: the first one behind which an engine answers, for a socket
    /// may be there without one.
    ///
    /// # Errors
    /// ssh's own words and what to do, or that there is no engine.
    pub(super) async fn open(target: &SshTarget) -> Result<Self, HostError> {
        let error = |words: String| HostError::local(format!("use the engine of {target}"), words);
        let mut look = look(target).await.map_err(error)?;
        let mut dead = Vec::new();
        for (number, socket) in std::mem::take(&mut look.sockets).into_iter().enumerate() {
            let one = SshTarget { socket: Some(socket.clone()), ..target.clone() };
            if number > 0 {
                // What the machine tells is of the engine behind the socket.
                look = self::look(&one).await.map_err(error)?;
            }
            match Self::through(&one, socket.clone(), look.machine.clone()).await {
                Ok(tunnel) => return Ok(tunnel),
                Err(words) => dead.push(format!("{socket} ({words})")),
            }
        }
        Err(error(format!("no engine answers there: {}", dead.join(", "))))
    }

    /// Forwards a socket behind which an engine answers.
    async fn through(target: &SshTarget, socket: String, machine: String) -> Result<Self, String> {
        let base = base().map_err(|error| format!("no folder for its socket can be made: {error}"))?;
        let (forward, local) = forward(target, &socket, &base).await?;
        let address = Address::Unix(local.clone());
        let tunnel = Self { local, socket, machine, forward: Arc::new(Mutex::new(Some(forward))) };
        let words = match timeout(ANSWER, get_json(&address, "/version")).await {
            Ok(Ok(_)) => return Ok(tunnel),
            Ok(Err(kind)) => kind.to_string(),
            Err(_) => format!("no answer within {} s", ANSWER.as_secs()),
        };
        tunnel.close().await;
        Err(words)
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

/// Where the folders of sockets are made.
fn base() -> std::io::Result<PathBuf> {
    let base = if rustix::process::geteuid().is_root() {
        PathBuf::from("/run/sdc-engine")
    } else {
        std::env::var_os("XDG_RUNTIME_DIR").filter(|v| !v.is_empty()).map_or_else(std::env::temp_dir, PathBuf::from)
    };
    std::fs::create_dir_all(&base)?;
    Ok(base)
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
        if status.success() { Ok(text(&out)) } else { Err(advised(&text(&err), target)) }
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

/// Reads what a look found.
fn found(machine: String) -> Result<Look, String> {
    let line =
        |name: &str| section(&machine, name).lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>();
    let sockets: Vec<String> = line("socket").into_iter().map(ToOwned::to_owned).collect();
    if !sockets.is_empty() {
        return Ok(Look { sockets, machine });
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
    let programs = line("programs");
    let has = |name: &str| programs.iter().any(|path| path.ends_with(name));
    let docker = "docker is there, and listens after `systemctl start docker`";
    let podman = "podman is there, and listens after `systemctl enable --now podman.socket` (`systemctl --user` for a user's own)";
    let start = match (has("/dockerd"), has("/podman")) {
        (true, true) => format!("{docker}; {podman}"),
        (true, false) => docker.to_owned(),
        (false, true) => podman.to_owned(),
        (false, false) => "start one there".to_owned(),
    };
    Err(format!(
        "no engine listens there: no socket {}; {start}; or name its socket: `ssh://user@host/path/to.sock`",
        looked.join(", ")
    ))
}

/// A section's text.
fn section<'a>(text: &'a str, name: &str) -> &'a str {
    let head = format!("==> {name} <==\n");
    let Some((_, rest)) = text.split_once(&head) else { return "" };
    rest.split_once("\n==> ").map_or(rest, |(section, _)| section).split("==> ").next().unwrap_or_default()
}

/// Makes the folder of the socket, which only this user may enter, runs ssh, and removes the folder when it is over: one
/// process does all three, so that nothing is left wherever this one is killed.
const AROUND: &str = r#"
trap '' HUP INT TERM
folder=$(mktemp -d "$1/ssh-XXXXXX") || exit
echo "folder $folder"
socket=$2 host=$3 run=$4
shift 4
"$@" -L "$folder/engine.sock:$socket" -- "$host" "$run"
rm -rf -- "$folder"
"#;

/// ssh, and the socket of ours that it has made.
async fn forward(target: &SshTarget, socket: &str, base: &Path) -> Result<(Forward, PathBuf), String> {
    let ssh = target.command();
    let mut command = Command::new("sh");
    command.args(["-c", AROUND, "sdc-engine-ssh"]).arg(base);
    command.args([socket, &target.host, "echo ready; cat >/dev/null", "ssh"]).args(ssh.as_std().get_args());
    for option in
        ["ControlPath=none", "ExitOnForwardFailure=yes", "StreamLocalBindUnlink=yes", "ServerAliveInterval=15"]
    {
        command.args(["-o", option]);
    }
    // Ctrl-C on the terminal is for us; ssh ends when we close its pipe.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(|error| format!("sh can't be started: {error}"))?;
    let missing = || "no pipe to ssh".to_owned();
    let stdin = child.stdin.take().ok_or_else(missing)?;
    let stdout = child.stdout.take().ok_or_else(missing)?;
    let stderr = child.stderr.take().ok_or_else(missing)?;
    let ready = timeout(FORWARD, async {
        let mut lines = BufReader::new(stdout).lines();
        let mut folder = None;
        // A login may print words of its own first.
        while let Ok(Some(line)) = lines.next_line().await {
            match (&folder, line.trim()) {
                (None, first) => folder = first.strip_prefix("folder ").map(PathBuf::from),
                (Some(folder), "ready") => return Ok(folder.join("engine.sock")),
                (Some(_), _) => {}
            }
        }
        let mut words = String::new();
        let _unreadable = BufReader::new(stderr).take(LIMIT).read_to_string(&mut words).await;
        Err(advised(&words, target))
    });
    match ready.await {
        Ok(Ok(local)) => Ok((Forward { child, stdin }, local)),
        Ok(Err(words)) => Err(words),
        Err(_) => Err(format!("the forward of {socket} is not there after {} s", FORWARD.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_read() {
        let text = |socket: &str, denied: &str| {
            format!(
                "hello\n==> looked <==\n/a\n/b\n==> socket <==\n{socket}==> denied <==\n{denied}==> status <==\nName: x\n"
            )
        };
        let look = found(text("/a\n/b\n", "")).map(|look| look.sockets);
        assert_eq!(look, Ok(vec!["/a".to_owned(), "/b".to_owned()]));
        let podman = text("", "") + "==> programs <==\n/usr/bin/podman\n";
        assert!(found(podman).is_err_and(|words| words.contains("enable --now podman.socket")));
        assert!(found(text("", "/b\n")).is_err_and(|words| words.contains("may not open /b")));
        assert!(found(text("", "")).is_err_and(|words| words.contains("no socket /a, /b")));
        assert!(found(String::new()).is_err_and(|words| words.contains("as `sh` does")));
        assert_eq!(section(&text("", ""), "status"), "Name: x\n");
    }
}
