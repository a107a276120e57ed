//! The process that owns a run, as containers are labelled with it. Reads `/proc`; of containers it asks the host.

use crate::host::{ContainerId, Host, own_container};

/// The inode that Linux gives to the PID namespace that a machine starts with.
const FIRST_PIDS: &str = "4026531836";

/// The process that owns a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The run's id; of all runs that are under way on a machine no two have the same.
    pub run: String,
    /// Its process.
    pub pid: u32,
    /// When that process started, in the kernel's ticks since boot: a reused process id differs in it.
    pub start: u64,
    /// Where process ids mean the same: the machine's boot id and, in a container, the PID namespace.
    pub machine: String,
    /// The container that it runs in, if it is one of the host that it uses.
    pub container: Option<String>,
}

impl Owner {
    /// This process, on Linux's `/proc`.
    #[must_use]
    pub fn this_process() -> Self {
        let pid = std::process::id();
        let start = start_of(pid).unwrap_or_default();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let boot = boot.trim();
        // Every container's first process is 1, and two can start in one tick.
        let (run, machine) = match pid_namespace() {
            Some(pids) => (format!("{pid}-{start}-{pids}"), format!("{boot}/{pids}")),
            None => (format!("{pid}-{start}"), boot.to_owned()),
        };
        Self { run, pid, start, machine, container: None }
    }

    /// This process, for a run on a host. What a process in a container of that host leaves can be told from what it has by
    /// asking the host for that container. One of another engine, as in a pod of containerd, is of no use for that.
    pub async fn on(host: &dyn Host) -> Self {
        let mut owner = Self::this_process();
        if let Some(id) = own_container() {
            let known = host.inspect(&ContainerId(id.clone())).await.is_ok();
            owner.container = known.then_some(id);
        }
        owner
    }
}

/// The inode of this process's PID namespace; `None` where it is the machine's first, or can't be known.
fn pid_namespace() -> Option<String> {
    let link = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let inode = link.to_str()?.strip_prefix("pid:[")?.strip_suffix(']')?;
    (inode != FIRST_PIDS).then(|| inode.to_owned())
}

/// When a process started: field 22 of `/proc/<pid>/stat`; the second field may hold spaces and brackets.
pub(super) fn start_of(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive() {
        let owner = Owner::this_process();
        assert_eq!(start_of(owner.pid), Some(owner.start));
        assert!(owner.start > 0);
    }
}
