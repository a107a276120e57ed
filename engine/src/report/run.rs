//! What the events of a run add up to, for reports made at its end. Pure.

use indexmap::IndexMap;

use crate::changed::is_unchanged;
use crate::events::{Event, Summary};
use crate::facts::Facts;
use crate::judge::{CaseResult, UnusedRule};
use crate::plan::{LeftOut, Share, WhyOut};
use crate::redact::Machine;

use super::counts::{Counts, Outcome};

/// How a run started.
#[derive(Debug, Clone)]
pub struct Started {
    /// The host.
    pub host: Facts,
    /// Why this host was chosen.
    pub why_host: String,
    /// Cases that were to run.
    pub cases: usize,
    /// Containers that were to boot.
    pub boots: usize,
    /// How many containers at a time.
    pub jobs: usize,
    /// Which share of a larger plan it is.
    pub share: Option<Share>,
}

/// A host that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedHost {
    /// Its name.
    pub name: String,
    /// Why it was to be used.
    pub why_host: String,
    /// What is wrong with it.
    pub reason: String,
    /// Cases that end as errors for it.
    pub cases: usize,
}

/// Everything that is known of a run so far.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// How it started, on each of its hosts so far.
    pub started: Vec<Started>,
    /// The hosts that could not be used.
    pub failed_hosts: Vec<FailedHost>,
    /// The cases that finished, in the order in which they did; [`Run::sorted`] does not depend on timing.
    pub results: Vec<CaseResult>,
    /// The cases that were never to run.
    pub left_out: Vec<LeftOut>,
    /// The normalising rules that changed nothing.
    pub unused_rules: Vec<UnusedRule>,
    /// The numbers; `None` while it runs and where it broke off.
    pub summary: Option<Summary>,
}

impl Run {
    /// Takes note of an event.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { host, why_host, cases, boots, left_out, jobs, share } => {
                self.started.push(Started {
                    host: (**host).clone(),
                    why_host: why_host.clone(),
                    cases: *cases,
                    boots: *boots,
                    jobs: *jobs,
                    share: share.clone(),
                });
                self.left_out.extend_from_slice(left_out);
            }
            Event::HostFailed { host, why_host, reason, cases } => self.failed_hosts.push(FailedHost {
                name: host.clone(),
                why_host: why_host.clone(),
                reason: reason.clone(),
                cases: *cases,
            }),
            Event::CaseFinished { result } => self.results.push((**result).clone()),
            Event::RuleUnused { rule } => self.unused_rules.push(rule.clone()),
            Event::RunFinished { summary } => self.summary = Some(summary.clone()),
            Event::Evidence { .. } | Event::Notice { .. } | Event::Phase { .. } | Event::BootOver { .. } => {}
        }
    }

    /// Takes note of an event for its numbers alone: of a case nothing is kept but its name and verdict.
    pub(super) fn light(&mut self, event: &Event) {
        let Event::CaseFinished { result } = event else { return self.event(event) };
        let (id, verdict) = (result.id.clone(), result.verdict.clone());
        let (scenario, title, host, by_hand) = Default::default();
        self.results.push(CaseResult {
            id,
            verdict,
            scenario,
            title,
            host,
            by_hand,
            point: IndexMap::new(),
            judgements: Vec::new(),
            boot: None,
            steps: Vec::new(),
            observed: Vec::new(),
            rules: std::collections::BTreeMap::new(),
            took: result.took,
            recipe: crate::judge::Recipe::default(),
            bundle: None,
        });
    }

    /// The finished cases by name.
    #[must_use]
    pub fn sorted(&self) -> Vec<&CaseResult> {
        let mut results: Vec<_> = self.results.iter().collect();
        results.sort_by(|a, b| a.id.cmp(&b.id));
        results
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::of(&self.results, &self.left_out)
    }

    /// What the run says as a whole. One that broke off without its last event is incomplete.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let broken_off = || Summary { stopped_early: Some("broken off".into()), ..Summary::default() };
        match Outcome::of(&self.counts(), &self.summary.clone().unwrap_or_else(broken_off)) {
            Outcome::AllSkipped | Outcome::NothingSelected if self.is_empty_share() => Outcome::EmptyShare,
            Outcome::AllSkipped | Outcome::NothingSelected if self.is_unchanged() => Outcome::Unchanged,
            outcome => outcome,
        }
    }

    /// Whether there was something to run, and all of it in other shares.
    fn is_empty_share(&self) -> bool {
        let wholes = self.started.iter().filter_map(|started| started.share.as_ref());
        self.planned() == 0 && wholes.map(|share| share.whole).sum::<usize>() > 0
    }

    /// Whether nothing was to run, some of it because it passed and nothing of it differs.
    fn is_unchanged(&self) -> bool {
        let unchanged = |why: &WhyOut| matches!(why, WhyOut::Filtered(reason) if is_unchanged(reason));
        self.planned() == 0 && self.left_out.iter().any(|out| unchanged(&out.why))
    }

    /// Cases that were to run, on all hosts.
    #[must_use]
    pub fn planned(&self) -> usize {
        let started = self.started.iter().map(|started| started.cases);
        started.chain(self.failed_hosts.iter().map(|host| host.cases)).sum()
    }

    /// Cases that were to run and have no result.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.planned().saturating_sub(self.results.len())
    }

    /// The hosts, with the names that their machines have for themselves.
    #[must_use]
    pub fn machines(&self) -> Vec<Machine<'_>> {
        let used = self.started.iter().map(|started| (started.host.name.as_str(), started.host.machine.as_str()));
        used.chain(self.failed_hosts.iter().map(|host| (host.name.as_str(), ""))).collect()
    }

    /// The host of a run that has only one.
    #[must_use]
    pub fn only(&self) -> Option<&Started> {
        match (self.started.as_slice(), self.failed_hosts.as_slice()) {
            ([only], []) => Some(only),
            _ => None,
        }
    }

    /// The reasons of one kind with how many cases each holds back, the most frequent first.
    #[must_use]
    pub fn reasons(&self, kind: fn(&WhyOut) -> Option<&str>) -> Vec<(&str, usize)> {
        let mut reasons: IndexMap<&str, usize> = IndexMap::new();
        for reason in self.left_out.iter().filter_map(|case| kind(&case.why)) {
            *reasons.entry(reason).or_default() += 1;
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        reasons
    }
}

/// The reason of a skipped case, for [`Run::reasons`].
#[must_use]
pub fn skipped(why: &WhyOut) -> Option<&str> {
    if let WhyOut::Skipped(reason) = why { Some(reason) } else { None }
}

/// The rule of a case that is not applicable, for [`Run::reasons`].
#[must_use]
pub fn not_applicable(why: &WhyOut) -> Option<&str> {
    if let WhyOut::NotApplicable(rule) = why { Some(rule) } else { None }
}

/// The filter of a case, for [`Run::reasons`].
#[must_use]
pub fn filtered(why: &WhyOut) -> Option<&str> {
    if let WhyOut::Filtered(filter) = why { Some(filter) } else { None }
}
