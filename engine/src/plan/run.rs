//! The plan of a whole run as a value: cases by shared boot, and what is changed of all of them.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use super::model::{Action, BootGroup, CaseId, CasePlan, LeftOut, Risk, RunPlan, WhyOut};
use crate::scenario::model::{AxisValue, EngineAction, Point};

/// Cases that may share a boot, together; the groups stand where their first case stood.
pub(super) fn group(plans: Vec<CasePlan>) -> Vec<BootGroup> {
    let mut groups: Vec<BootGroup> = Vec::new();
    // By a hash of what must be equal, and not by a copy of it, which would be most of a large plan's memory once more.
    let mut shared: HashMap<u64, Vec<usize>> = HashMap::new();
    let hasher = RandomState::new();
    for plan in plans {
        if plan.solo {
            groups.push(BootGroup { cases: vec![plan] });
            continue;
        }
        let alike = shared.entry(hasher.hash_one((&plan.container, &plan.boot))).or_default();
        let same = |at: &&usize| {
            let first = &groups[**at].cases[0];
            first.container == plan.container && first.boot == plan.boot
        };
        match alike.iter().find(same) {
            Some(at) => groups[*at].cases.push(plan),
            None => {
                alike.push(groups.len());
                groups.push(BootGroup { cases: vec![plan] });
            }
        }
    }
    groups
}

impl RunPlan {
    /// How many cases run.
    #[must_use]
    pub fn cases(&self) -> usize {
        self.groups.iter().map(|g| g.cases.len()).sum()
    }

    /// Adds an axis that has one value in all of the plan, to ids and points alike: where a run has several hosts, each
    /// host's plan gets `host=<name>`.
    pub fn add_axis(&mut self, axis: &str, value: &str) {
        let add = |id: &mut CaseId, point: &mut Point| {
            *id = id.with(axis, value);
            point.insert(axis.into(), AxisValue::Str(value.into()));
        };
        self.groups.iter_mut().flat_map(|group| &mut group.cases).for_each(|case| add(&mut case.id, &mut case.point));
        self.left_out.iter_mut().for_each(|case| add(&mut case.id, &mut case.point));
    }

    /// Makes every limit of time so many times wider: the host is slower than those that limits are written for.
    pub fn widen(&mut self, times: u32) {
        for case in self.groups.iter_mut().flat_map(|group| &mut group.cases) {
            case.boot.timeout *= times;
            for step in &mut case.steps {
                step.timeout *= times;
                if let Some(wait) = &mut step.wait {
                    wait.limit *= times;
                }
                if let Action::Engine(EngineAction::Stop { grace } | EngineAction::Restart { grace }) = &mut step.action
                {
                    *grace *= times;
                }
            }
        }
    }

    /// Turns the cases that may change the host into skipped ones: on a machine that nobody gave for that.
    pub fn spare_host(&mut self) {
        self.skip(|case| match &*case.risk {
            Risk::None => None,
            Risk::Host { flags, .. } => {
                Some(format!("it may change this host ({flags}): use a lab host, or --allow-host-risk"))
            }
        });
    }

    /// Turns the cases of which `why` gives a reason into skipped ones: an image that can't be had.
    pub fn skip(&mut self, why: impl Fn(&CasePlan) -> Option<String>) {
        self.leave_out(|case| why(case).map(WhyOut::Skipped));
    }

    /// Takes the cases out of which `why` says so.
    pub fn leave_out(&mut self, mut why: impl FnMut(&CasePlan) -> Option<WhyOut>) {
        for group in &mut self.groups {
            group.cases.retain(|case| match why(case) {
                None => true,
                Some(why) => {
                    self.left_out.push(LeftOut {
                        id: case.id.clone(),
                        scenario: case.scenario.clone(),
                        point: case.point.clone(),
                        why,
                    });
                    false
                }
            });
        }
        self.groups.retain(|group| !group.cases.is_empty());
    }
}
