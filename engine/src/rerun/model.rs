//! What is kept of a run, and which of its cases are to run again. Plain values, pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::facts::EngineKind;
use crate::plan::CaseId;

/// The version of the file's shape: a file of another version is not read.
pub(super) const VERSION: u32 = 1;

/// A run: where it looked, on which hosts, and what came of each case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastRun {
    /// The version of this shape.
    pub version: u32,
    /// Its day, in UTC; empty where nobody knows.
    pub day: String,
    /// The scenario files and folders that it was given.
    pub paths: Vec<PathBuf>,
    /// The most cases that one scenario may have.
    pub max_cases: usize,
    /// The hosts that it was given; none where the choice was left to the environment.
    pub hosts: Vec<String>,
    /// Only hosts with this engine.
    pub engine: Option<EngineKind>,
    /// Whether cases that may change the host were to run anywhere.
    pub allow_host_risk: bool,
    /// How often each case ran.
    pub repeat: u32,
    /// Cases that were to run and have no verdict: it was stopped early.
    pub missing: usize,
    /// What came of the others.
    pub cases: Vec<Told>,
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Its name, without the host.
    pub id: CaseId,
    /// The host's name.
    pub host: String,
    /// The verdict's word.
    pub verdict: String,
}

/// Which verdicts are run again. What holds (`pass`) never is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Which {
    /// `new` too: the text has no golden, which another run does not change; `review` does.
    pub new: bool,
    /// `warn` too: the case held.
    pub warned: bool,
}

impl Which {
    fn has(self, verdict: &str) -> bool {
        match verdict {
            "fail" | "timeout" | "error" | "flaky" => true,
            "new" => self.new,
            "warn" => self.warned,
            _ => false,
        }
    }
}

/// The only cases that run: by host, or the same on any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Only {
    by_host: BTreeMap<String, BTreeSet<String>>,
}

impl Only {
    /// All of them, on whatever host.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<String> {
        self.by_host.values().flatten().cloned().collect()
    }

    /// Those of a host; of one that is not known here, all: its name may have been written in another way.
    #[must_use]
    pub fn on(&self, host: &str) -> BTreeSet<String> {
        self.by_host.get(host).cloned().unwrap_or_else(|| self.ids())
    }

    /// The same cases on any host.
    #[must_use]
    pub fn anywhere(&self) -> Self {
        Self { by_host: BTreeMap::from([(String::new(), self.ids())]) }
    }

    /// Whether it names a host that has cases.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        self.by_host.contains_key(host)
    }

    /// The hosts that have cases.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.by_host.keys().map(String::as_str)
    }
}

impl LastRun {
    /// A run of which nothing is known but what came of its cases.
    #[must_use]
    pub fn of(cases: Vec<Told>) -> Self {
        Self {
            version: VERSION,
            day: String::new(),
            paths: Vec::new(),
            max_cases: crate::matrix::MAX_CASES,
            hosts: Vec::new(),
            engine: None,
            allow_host_risk: false,
            repeat: 1,
            missing: 0,
            cases,
        }
    }

    /// The cases to run again.
    #[must_use]
    pub fn only(&self, which: Which) -> Only {
        let mut only = Only::default();
        for told in self.cases.iter().filter(|told| which.has(&told.verdict)) {
            only.by_host.entry(told.host.clone()).or_default().insert(told.id.0.clone());
        }
        only
    }

    /// How many cases have a verdict.
    #[must_use]
    pub fn count(&self, verdict: &str) -> usize {
        self.cases.iter().filter(|told| told.verdict == verdict).count()
    }

    /// What is known after some of its cases ran again: theirs is what came of them now. A failure that did not get its
    /// turn stays one, and one that is no case any more is forgotten with `gone`.
    #[must_use]
    pub fn after(mut self, again: &[Told], gone: &BTreeSet<String>) -> Self {
        let mut cases: BTreeMap<(CaseId, String), String> = BTreeMap::new();
        for told in self.cases.into_iter().filter(|told| !gone.contains(&told.id.0)).chain(again.iter().cloned()) {
            cases.insert((told.id, told.host), told.verdict);
        }
        self.cases = cases.into_iter().map(|((id, host), verdict)| Told { id, host, verdict }).collect();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(id: &str, host: &str, verdict: &str) -> Told {
        Told { id: CaseId(id.into()), host: host.into(), verdict: verdict.into() }
    }

    fn ids(only: &BTreeSet<String>) -> Vec<&str> {
        only.iter().map(String::as_str).collect()
    }

    #[test]
    fn what_did_not_hold_runs_again_and_new_and_warned_cases_when_asked() {
        let all = ["pass", "fail", "timeout", "error", "flaky", "new", "warn"];
        let last = LastRun::of(all.iter().map(|verdict| told(verdict, "h", verdict)).collect());
        assert_eq!(ids(&last.only(Which::default()).ids()), ["error", "fail", "flaky", "timeout"]);
        let more = Which { new: true, warned: true };
        assert_eq!(ids(&last.only(more).ids()), ["error", "fail", "flaky", "new", "timeout", "warn"]);
    }

    #[test]
    fn each_host_has_its_own() {
        let last = LastRun::of(vec![told("a", "one", "fail"), told("b", "two", "fail"), told("b", "one", "pass")]);
        let only = last.only(Which::default());
        assert_eq!((ids(&only.on("one")), ids(&only.on("two"))), (vec!["a"], vec!["b"]));
        assert_eq!(ids(&only.on("three")), ["a", "b"]);
        assert_eq!(ids(&only.anywhere().on("one")), ["a", "b"]);
        assert!(only.names("one") && !only.names("three"));
    }

    #[test]
    fn a_failure_that_got_no_turn_stays_one() {
        let last = LastRun::of(vec![told("a", "h", "fail"), told("b", "h", "fail"), told("c", "h", "fail")]);
        let after = last.after(&[told("a", "h", "pass")], &BTreeSet::from(["c".to_owned()]));
        assert_eq!(after.cases, [told("a", "h", "pass"), told("b", "h", "fail")]);
    }
}
