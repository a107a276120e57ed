//! The labels that say who owns a container, and the sweep of what dead owners left.

use serde_json::Value;
use tokio::time::sleep;

use super::alive::RESTART;
use super::owner::{Owner, start_of};
use crate::events::Kept;
use crate::host::{ContainerId, Host, HostError, HostErrorKind, Listed};

/// The label that every container of ours has; its value is the run's id.
pub const RUN_LABEL: &str = "sdc-engine.run";
const PID_LABEL: &str = "sdc-engine.owner";
const START_LABEL: &str = "sdc-engine.owner-start";
const MACHINE_LABEL: &str = "sdc-engine.machine";
const CONTAINER_LABEL: &str = "sdc-engine.owner-container";
const CASE_LABEL: &str = "sdc-engine.case";
/// Set where a container may be kept when its run is over: only who asks for it removes those.
const KEEP_LABEL: &str = "sdc-engine.keep";

impl Owner {
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
        labels.extend(self.container.clone().map(|id| (CONTAINER_LABEL.to_owned(), id)));
        labels.extend(keep.then(|| (KEEP_LABEL.to_owned(), "failed".to_owned())));
        labels
    }
}

/// What can be said here of who made a container.
#[derive(Debug, PartialEq, Eq)]
enum Maker {
    /// It is alive, or nothing can be known of it.
    Spared,
    /// It is gone.
    Dead,
    /// It ran in this container of the same engine, which knows of it.
    In(ContainerId),
}

/// Judges who made a container; `start_of` gives a process's start.
fn maker(listed: &Listed, me: &Owner, start_of: impl Fn(u32) -> Option<u64>) -> Maker {
    let label = |name: &str| listed.labels.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let (Some(owner), Some(start), Some(on)) = (label(PID_LABEL), label(START_LABEL), label(MACHINE_LABEL)) else {
        return Maker::Spared;
    };
    let Ok(pid) = owner.parse::<u32>() else { return Maker::Spared };
    if on == me.machine {
        let lives = start_of(pid).map(|s| s.to_string()).as_deref() == Some(start);
        return if lives { Maker::Spared } else { Maker::Dead };
    }
    // A boot of the machine that is over took its processes with it; another machine's we can't judge, and both look
    // the same from here. A process id of another PID namespace is a number that says nothing here. But a container's end is
    // the end of all that ran in it, and a new start of this very one is the end of what ran in it before.
    match label(CONTAINER_LABEL) {
        Some(id) if me.container.as_deref() == Some(id) => Maker::Dead,
        Some(id) => Maker::In(ContainerId(id.to_owned())),
        None => Maker::Spared,
    }
}

/// Whether a container of this engine has ended, or is gone.
async fn has_ended(host: &dyn Host, id: &ContainerId) -> Result<bool, HostError> {
    match host.inspect(id).await {
        Ok(container) => Ok(container.pointer("/State/Running").and_then(Value::as_bool) == Some(false)),
        Err(HostError { kind: HostErrorKind::NotFound(_), .. }) => Ok(true),
        Err(error) => Err(error),
    }
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
        if what == Sweep::Left && kept {
            continue;
        }
        let dead = match maker(&listed, owner, start_of) {
            Maker::Spared => false,
            Maker::Dead => true,
            Maker::In(container) => has_ended(host, &container).await?,
        };
        if dead {
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

    fn owned(owner: &Owner) -> Listed {
        Listed { id: ContainerId("c".into()), name: "n".into(), labels: owner.labels("case", false) }
    }

    fn owner(machine: &str, container: Option<&str>) -> Owner {
        let container = container.map(str::to_owned);
        Owner { run: "7-100".into(), pid: 7, start: 100, machine: machine.into(), container }
    }

    #[test]
    fn only_dead_owners_of_this_machine_leave_orphans() {
        let me = owner("here", None);
        let alive = |pid| (pid == 7).then_some(100);
        assert_eq!(maker(&owned(&me), &me, alive), Maker::Spared);
        assert_eq!(maker(&owned(&me), &me, |_| None), Maker::Dead);
        assert_eq!(maker(&owned(&me), &me, |_| Some(101)), Maker::Dead, "the process id was reused");
        assert_eq!(maker(&owned(&me), &owner("elsewhere", None), |_| None), Maker::Spared);
        let foreign = Listed { labels: vec![], ..owned(&me) };
        assert_eq!(maker(&foreign, &me, |_| None), Maker::Spared);
    }

    /// Two runs in two containers of one machine are both process 1, say.
    #[test]
    fn a_run_in_another_container_is_judged_by_that_container() {
        let (one, two) = (owner("here/1", Some("one")), owner("here/2", Some("two")));
        let alive = |_| Some(5);
        assert_eq!(maker(&owned(&one), &two, alive), Maker::In(ContainerId("one".into())));
        assert_eq!(maker(&owned(&one), &owner("here", None), alive), Maker::In(ContainerId("one".into())));
        // The container was started again: what ran in it before is gone.
        assert_eq!(maker(&owned(&one), &owner("here/3", Some("one")), alive), Maker::Dead);
        // One that no engine knows of.
        assert_eq!(maker(&owned(&owner("here/1", None)), &two, alive), Maker::Spared);
    }
}
