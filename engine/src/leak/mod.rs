//! What a case changed on the machine that its container ran on: a machine's state, and the difference of two. Pure;
//! `host` reads the state, the runner says whose doing a difference is.

mod state;

pub use state::{CgroupDirs, Change, HostState, changes, of_an_engine};

use serde::{Deserialize, Serialize};

use crate::plan::CaseId;

/// A change of the host, found when a boot was over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// The host.
    pub host: String,
    /// The cases that ran since the host was last as before: the first one's doing where it is alone, else one of them.
    pub cases: Vec<CaseId>,
    /// Whether they are those that declare a `host_risk`; others that ran beside them are then not named.
    pub declared: bool,
    /// Whether the host is still so at the end of the run.
    pub lasting: bool,
    /// What changed.
    pub changes: Vec<Change>,
}

impl Leak {
    /// What changed, in words.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        self.changes.iter().map(ToString::to_string).collect()
    }

    /// Whose doing it is, in words: `after a[x=1]`, or `after one of 3 cases: …`.
    #[must_use]
    pub fn whose(&self) -> String {
        const SHOWN: usize = 3;
        let names: Vec<&str> = self.cases.iter().take(SHOWN).map(|case| case.0.as_str()).collect();
        let names = names.join(", ");
        match self.cases.len() {
            0 => "while no case ran".to_owned(),
            1 => format!("after {names}"),
            n if n <= SHOWN => format!("after one of {n} cases: {names}"),
            n => format!("after one of {n} cases: {names}, …"),
        }
    }
}

/// Takes note of what is undone: when a private engine has ended, `still` is what differs on its machine.
pub fn settle(leaks: &mut Vec<Leak>, host: &str, still: &[Change]) {
    let mut settled = Vec::new();
    for leak in leaks.drain(..) {
        if !leak.lasting || leak.host != host {
            settled.push(leak);
            continue;
        }
        let (stays, undone): (Vec<Change>, Vec<Change>) =
            leak.changes.iter().cloned().partition(|change| change.is_among(still));
        let parts = [(true, stays), (false, undone)].into_iter().filter(|(_, changes)| !changes.is_empty());
        settled.extend(parts.map(|(lasting, changes)| Leak { lasting, changes, ..leak.clone() }));
    }
    settled.sort_by_key(|leak| !leak.lasting);
    *leaks = settled;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_end_of_an_engine_undoes_does_not_last() {
        let change = |of: &str, how: &str| Change { of: of.into(), how: how.into() };
        let x = change("the mount /x", "was 1, and is 2");
        let y = change("the mount /y", "appeared: t");
        let z = change("the mount /z", "is gone: t");
        let leak = |host: &str, lasting, changes: &[&Change]| Leak {
            host: host.into(),
            cases: vec![],
            declared: true,
            lasting,
            changes: changes.iter().map(|change| (*change).clone()).collect(),
        };
        let mut leaks = vec![leak("a", true, &[&x, &y]), leak("b", true, &[&z])];
        settle(&mut leaks, "a", std::slice::from_ref(&y));
        assert_eq!(leaks, [leak("a", true, &[&y]), leak("b", true, &[&z]), leak("a", false, &[&x])]);
    }

    #[test]
    fn a_leak_says_whose_it_is() {
        let leak = |n: usize| Leak {
            host: "lab".into(),
            cases: (0..n).map(|i| CaseId(format!("a[x={i}]"))).collect(),
            declared: true,
            lasting: true,
            changes: vec![],
        };
        assert_eq!(leak(1).whose(), "after a[x=0]");
        assert_eq!(leak(2).whose(), "after one of 2 cases: a[x=0], a[x=1]");
        assert_eq!(leak(5).whose(), "after one of 5 cases: a[x=0], a[x=1], a[x=2], …");
        assert_eq!(leak(0).whose(), "while no case ran");
    }
}
