//! Who owns a container: labels set at creation, and the sweep of what dead owners left.

use tokio::time::sleep;

use super::alive::RESTART;
use crate::events::Kept;
use crate::host::{Host, HostError, HostErrorKind, Listed};

/// The label that every container of ours has; its value is the run's id.
pub const RUN_LABEL: &str = "sdc-engine.run";
const PID_LABEL: &str = "sdc-engine.owner";
const START_LABEL: &str = "sdc-engine.owner-start";
const MACHINE_LABEL: &str = "sdc-engine.machine";
const CASE_LABEL: &str = "sdc-engine.case";
/// Set where a container may be kept when its run is over: only who asks for it removes those.
const KEEP_LABEL: &str = "sdc-engine.keep";

/// The process that owns a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The run's id.
    pub run: String,
    /// Its process.
    pub pid: u32,
    /// When that process started, in the kernel's ticks since boot: a reused process id differs in it.
    pub start: u64,
    /// The machine's boot id.
    pub machine: String,
}

impl Owner {
    /// This process, on Linux's `/proc`.
    #[must_use]
    pub fn this_process() -> Self {
        let pid = std::process::id();
        let start = start_of(pid).unwrap_or_default();
        let machine = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self { run: format!("{pid}-{start}"), pid, start, machine: machine.trim().to_string() }
    }

    pub(super) fn labels(&self, case: &str, keep: bool) -> Vec<(String, String)> {
        let mut labels = [
            (RUN_LABEL, self.run.clone()),
            (PID_LABEL, self.pid.to_string()),
            (START_LABEL, self.start.to_string()),
            (MACHINE_LABEL, self.machine.clone()),
            (CASE_LABEL, case.to_string()),
        ]
        .map(|(name, value)| (name.to_string(), value))
        .to_vec();
        labels.extend(keep.then(|| (KEEP_LABEL.to_owned(), "failed".to_owned())));
        labels
    }
}

/// Field 22 of `/proc/<pid>/stat`; the second field may hold spaces and brackets.
fn start_of(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Whether a container was left by a run of this machine whose process is gone. `start_of` gives a process's start.
fn is_orphan(listed: &Listed, machine: &str, start_of: impl Fn(u32) -> Option<u64>) -> bool {
    let label = |name: &str| listed.labels.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let (Some(owner), Some(start), Some(on)) = (label(PID_LABEL), label(START_LABEL), label(MACHINE_LABEL)) else {
        return false;
    };
    let Ok(pid) = owner.parse::<u32>() else { return false };
    // A boot of the machine that is over took its processes with it; another machine's we can't judge, and both look
    // the same from here: only containers of this very boot are ours to judge.
    on == machine && start_of(pid).map(|s| s.to_string()).as_deref() != Some(start)
}

/// What a sweep removes of dead runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// What was to be gone with its run.
    Left,
    /// That, and the containers that `--keep` has kept.
    Everything,
}

/// Removes containers that dead runs of this machine left on a host, and gives their names.
///
/// # Errors
/// Where the host can't list or remove.
pub async fn sweep(host: &dyn Host, owner: &Owner, what: Sweep) -> Result<Vec<String>, HostError> {
    let mut swept = Vec::new();
    for listed in host.list(RUN_LABEL).await? {
        let kept = listed.labels.iter().any(|(name, _)| name == KEEP_LABEL);
        if (what == Sweep::Everything || !kept) && is_orphan(&listed, &owner.machine, start_of) {
            host.remove(&listed.id).await?;
            swept.push(listed.name);
        }
    }
    Ok(swept)
}

/// Removes what is left of this run but for what is kept, and gives the names of what could not be removed. An engine that
/// does not answer is waited for, unless it was `lost`.
pub(super) async fn remove_own(host: &dyn Host, owner: &Owner, kept: &[Kept], lost: bool) -> Vec<String> {
    let mut pauses = RESTART.into_iter().filter(|_| !lost);
    let listed = loop {
        match (host.list(RUN_LABEL).await, pauses.next()) {
            (Ok(listed), _) => break listed,
            (Err(HostError { kind: HostErrorKind::Unreachable(_), .. }), Some(pause)) => sleep(pause).await,
            (Err(error), _) => {
                return vec![format!("unknown containers: {error}; when it is back: sdc-engine clean")];
            }
        }
    };
    let mut left = Vec::new();
    for container in listed {
        let ours = container.labels.iter().any(|(name, value)| name == RUN_LABEL && *value == owner.run);
        let keep = kept.iter().any(|kept| kept.container == container.name);
        if ours
            && !keep
            && let Err(error) = host.remove(&container.id).await
        {
            left.push(format!("container {}: {error}", container.name));
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ContainerId;

    fn owned(owner: &Owner) -> Listed {
        Listed { id: ContainerId("c".into()), name: "n".into(), labels: owner.labels("case", false) }
    }

    #[test]
    fn only_dead_owners_of_this_machine_leave_orphans() {
        let owner = Owner { run: "7-100".into(), pid: 7, start: 100, machine: "here".into() };
        let alive = |pid| (pid == 7).then_some(100);
        assert!(!is_orphan(&owned(&owner), "here", alive));
        assert!(is_orphan(&owned(&owner), "here", |_| None));
        assert!(is_orphan(&owned(&owner), "here", |_| Some(101)), "the process id was reused");
        assert!(!is_orphan(&owned(&owner), "elsewhere", |_| None));
        let foreign = Listed { labels: vec![], ..owned(&owner) };
        assert!(!is_orphan(&foreign, "here", |_| None));
    }

    #[test]
    fn this_process_is_alive() {
        let owner = Owner::this_process();
        assert_eq!(start_of(owner.pid), Some(owner.start));
        assert!(owner.start > 0);
    }
}
