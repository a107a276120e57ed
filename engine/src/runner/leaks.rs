//! Watches the host while cases run, and says whose doing a change of it is.
//!
//! The state is looked at when a boot is over and its container is gone. Where it is as before, the cases that are over
//! are cleared; where not, those that ran since it last was may have done it: those that declared that they may, if there
//! are any. A case that can write to its neighbours' cgroups runs alone, so that what it does is its own.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::time::sleep;

use crate::host::Host;
use crate::leak::{Change, HostState, Leak, changes};
use crate::plan::{BootGroup, CaseId, Risk};

/// How long a difference must last at the end of a run. A service of the machine's own may be about to start or gone.
const SETTLED: Duration = Duration::from_millis(300);

/// The watch over a host.
pub(super) struct Leaks {
    gate: RwLock<()>,
    /// `None` where the host's state can't be seen.
    watch: Option<Mutex<Watch>>,
}

/// What holds others off while a boot runs.
pub(super) enum Pass<'a> {
    Beside(#[expect(dead_code, reason = "held, not read")] RwLockReadGuard<'a, ()>),
    Alone(#[expect(dead_code, reason = "held, not read")] RwLockWriteGuard<'a, ()>),
}

struct Watch {
    first: HostState,
    last: HostState,
    /// The cases of boots under way.
    running: BTreeMap<usize, Cases>,
    /// Those, and what is over since the host was last seen as before.
    suspects: BTreeMap<usize, Cases>,
    /// The same for sysctls, which are looked at more seldom.
    may_have_set: BTreeMap<usize, Cases>,
    found: Vec<Found>,
}

/// A difference from what was before, and who may have made it.
struct Found {
    suspects: BTreeMap<usize, Cases>,
    changes: Vec<Change>,
}

#[derive(Clone)]
struct Cases {
    ids: Vec<CaseId>,
    declared: bool,
}

impl Leaks {
    /// Starts to watch, from how the host was seen before, if it was.
    pub(super) async fn start(host: &dyn Host, before: Option<HostState>) -> Self {
        let state = match before {
            Some(state) => Some(state),
            None => host.state(true).await,
        };
        Self { gate: RwLock::new(()), watch: state.map(|state| Mutex::new(Watch::new(state))) }
    }

    /// Waits until a boot may run, and takes note of it.
    pub(super) async fn begin(&self, number: usize, group: &BootGroup) -> Pass<'_> {
        let pass = match group.cases.iter().any(|case| case.risk.alone()) {
            true => Pass::Alone(self.gate.write().await),
            false => Pass::Beside(self.gate.read().await),
        };
        if let Some(watch) = &self.watch {
            let cases = Cases {
                ids: group.cases.iter().map(|case| case.id.clone()).collect(),
                declared: group.cases.iter().any(|case| *case.risk != Risk::None),
            };
            let watch = &mut *watch.lock().await;
            for noted in [&mut watch.running, &mut watch.suspects, &mut watch.may_have_set] {
                noted.insert(number, cases.clone());
            }
        }
        pass
    }

    /// Looks at the host after a boot whose container is gone.
    pub(super) async fn over(&self, host: &dyn Host, number: usize, group: &BootGroup) {
        let settings = group.cases.iter().any(|case| case.risk.alone() || case.container.privileged);
        self.look(host, Some(number), settings).await;
    }

    /// Looks at the host for the last time; everything that was found, what lasts first.
    pub(super) async fn end(&self, host: &dyn Host) -> Vec<Leak> {
        let Some(watch) = &self.watch else { return Vec::new() };
        self.look(host, None, true).await;
        let differs = !watch.lock().await.lasting().is_empty();
        if differs {
            sleep(SETTLED).await;
            self.look(host, None, true).await;
        }
        watch.lock().await.told(&host.facts().name)
    }

    /// The state in which the host was found.
    pub(super) async fn first(&self) -> Option<HostState> {
        Some(self.watch.as_ref()?.lock().await.first.clone())
    }

    async fn look(&self, host: &dyn Host, over: Option<usize>, settings: bool) {
        let Some(watch) = &self.watch else { return };
        // Held while the host is read: states must be compared in the order in which they were.
        let mut watch = watch.lock().await;
        let Some(state) = host.state(settings).await else { return };
        over.map(|number| watch.running.remove(&number));
        watch.compare(state);
    }
}

impl Watch {
    fn new(state: HostState) -> Self {
        let none = BTreeMap::new;
        let (running, suspects, may_have_set) = (none(), none(), none());
        Self { first: state.clone(), last: state, running, suspects, may_have_set, found: Vec::new() }
    }

    fn compare(&mut self, state: HostState) {
        let changes = changes(&self.last, &state);
        let settings = state.sysctls.is_some();
        let sysctls = state.sysctls.clone().or_else(|| self.last.sysctls.take());
        self.last = HostState { sysctls, ..state };
        if !changes.is_empty() {
            let only_settings = changes.iter().all(|change| change.of.starts_with("the sysctl "));
            let suspects = if only_settings { self.may_have_set.clone() } else { self.suspects.clone() };
            self.found.push(Found { suspects, changes });
        }
        self.suspects.clone_from(&self.running);
        if settings {
            self.may_have_set.clone_from(&self.running);
        }
    }

    /// What is not as it was at first.
    fn lasting(&self) -> Vec<Change> {
        changes(&self.first, &self.last)
    }

    /// What was found. What lasts is told as it differs from the first state, with those who may have done it last.
    fn told(&self, host: &str) -> Vec<Leak> {
        let mut lasting = self.lasting();
        let mut leaks = Vec::new();
        for found in self.found.iter().rev() {
            let (mine, rest): (Vec<Change>, Vec<Change>) =
                lasting.into_iter().partition(|change| change.is_among(&found.changes));
            lasting = rest;
            let passing = found.changes.iter().filter(|change| !change.is_among(&mine)).cloned().collect();
            leaks.extend(found.leak(host, passing, false));
            leaks.extend(found.leak(host, mine, true));
        }
        leaks.sort_by_key(|leak| !leak.lasting);
        leaks
    }
}

impl Found {
    fn leak(&self, host: &str, changes: Vec<Change>, lasting: bool) -> Option<Leak> {
        let declared = self.suspects.values().any(|cases| cases.declared);
        let named = self.suspects.values().filter(|cases| cases.declared == declared);
        let cases = named.flat_map(|cases| cases.ids.clone()).collect();
        (!changes.is_empty()).then(|| Leak { host: host.to_owned(), cases, declared, lasting, changes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(hierarchies: &[&str]) -> HostState {
        hierarchies.iter().fold(HostState::default(), |state, name| state.with_hierarchies(&format!("1:{name}:/\n")))
    }

    fn cases(name: &str, declared: bool) -> Cases {
        Cases { ids: vec![CaseId(name.to_owned())], declared }
    }

    #[test]
    fn what_is_as_before_at_the_end_has_passed_and_what_lasts_is_the_last_ones() {
        let mut watch = Watch::new(with(&["a"]));
        for (number, one) in [(0, cases("one", false)), (1, cases("two", true))] {
            watch.running.insert(number, one.clone());
            watch.suspects.insert(number, one);
        }
        watch.compare(with(&["a", "b"]));
        watch.running.clear();
        watch.compare(with(&["a"]));
        assert_eq!(watch.suspects.len(), 0);
        watch.suspects.insert(2, cases("three", false));
        watch.compare(with(&["a", "c"]));
        let told: Vec<_> = watch.told("lab").iter().map(|l| (l.whose(), l.lasting, l.declared, l.words())).collect();
        let words = |words: &str| vec![words.to_owned()];
        assert_eq!(
            told,
            [
                ("after three".to_owned(), true, false, words("the cgroup hierarchy c appeared")),
                ("after two".to_owned(), false, true, words("the cgroup hierarchy b is gone")),
                ("after two".to_owned(), false, true, words("the cgroup hierarchy b appeared")),
            ]
        );
    }
}
