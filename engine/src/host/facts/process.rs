//! The engine's process behind a socket of this machine.

use std::path::{Path, PathBuf};

/// What was found behind a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// The engine.
    Engine(i32),
    /// The engine, as a process that can't be told.
    Unknown,
    /// Something else, which hands on to an engine that may be anywhere.
    Other,
}

/// Looks for it: the process that listens, or, where systemd listens in its place until it is wanted, the one that has
/// the socket too.
pub(super) async fn behind(socket: &Path) -> Option<Behind> {
    let stream = tokio::net::UnixStream::connect(socket).await.ok()?;
    let pid = stream.peer_cred().ok()?.pid().filter(|pid| *pid > 0)?;
    let socket = socket.to_owned();
    // Hundreds of small files, read without a word to anybody.
    tokio::task::spawn_blocking(move || told(pid, &socket)).await.ok()
}

fn told(pid: i32, socket: &Path) -> Behind {
    let name = name(pid);
    if is_engine(&name) {
        return Behind::Engine(pid);
    }
    if name != "systemd" {
        return Behind::Other;
    }
    let list = std::fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let inodes = inodes(&list, socket);
    let engines: Vec<i32> = processes().filter(|pid| is_engine(&self::name(*pid))).collect();
    let holds = |pid: &&i32| files(**pid).any(|file| inodes.contains(&file));
    match (engines.iter().find(holds), engines.as_slice()) {
        // Only root may see who holds what.
        (Some(pid), _) | (None, [pid]) => Behind::Engine(*pid),
        _ => Behind::Unknown,
    }
}

/// A process's own name, by its program where that can be seen: podman starts itself again as `exe`.
fn name(pid: i32) -> String {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let program = words.split(|byte| *byte == 0).next().map(String::from_utf8_lossy).unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    if is_engine(name) { name.to_owned() } else { comm.trim().to_owned() }
}

fn is_engine(name: &str) -> bool {
    name.starts_with("dockerd") || name == "podman"
}

fn processes() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// What a process has open, as `/proc` names it.
fn files(pid: i32) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| std::fs::read_link(entry.path()).ok())
}

/// The sockets on a path, as `/proc/<pid>/fd` names them; `list` is `/proc/net/unix`.
fn inodes(list: &str, socket: &Path) -> Vec<PathBuf> {
    // /var/run is a link to /run, and the list has either.
    let same = |path: &str| {
        let path = Path::new(path);
        path == socket
            || path.strip_prefix("/var").is_ok_and(|rest| Path::new("/").join(rest) == socket)
            || socket.strip_prefix("/var").is_ok_and(|rest| Path::new("/").join(rest) == path)
    };
    let inode = |line: &str| {
        let mut columns = line.split_whitespace().skip(6);
        let inode = columns.next()?.to_owned();
        columns.next().filter(|path| same(path)).map(|_| PathBuf::from(format!("socket:[{inode}]")))
    };
    list.lines().filter_map(inode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_found_by_their_path() {
        let list = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            ffff: 00000002 00000000 00010000 0001 01 4711 /run/docker.sock\n\
            ffff: 00000003 00000000 00000000 0001 03 4712 /run/docker.sock\n\
            ffff: 00000003 00000000 00000000 0001 03 4713\n\
            ffff: 00000003 00000000 00000000 0001 03 4714 /run/docker.sock2\n";
        let expected = ["socket:[4711]", "socket:[4712]"].map(PathBuf::from);
        assert_eq!(inodes(list, Path::new("/run/docker.sock")), expected);
        assert_eq!(inodes(list, Path::new("/var/run/docker.sock")), expected);
        assert!(inodes(list, Path::new("/elsewhere")).is_empty());
    }

    #[test]
    fn engines_are_told_by_their_names() {
        assert!(is_engine("dockerd") && is_engine("podman"));
        assert!(!is_engine("systemd") && !is_engine("ssh") && !is_engine("docker-proxy"));
        assert!(processes().any(|pid| pid.unsigned_abs() == std::process::id()));
    }

    #[tokio::test]
    async fn what_is_no_engine_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.sock");
        let _listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
        assert_eq!(behind(&path).await, Some(Behind::Other));
        assert_eq!(behind(&folder.path().join("none.sock")).await, None);
    }
}
