//! One case: its boot and its steps together.

use std::collections::BTreeMap;

use super::weigh::{Weighed, verdict};
use super::{GoldenKey, GoldenState, Judgement, JudgementKind, Observed, Verdict, boot, golden, step};
use crate::observe::{BootObservation, StepObservation};
use crate::plan::CasePlan;

/// What comes of judging a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The result.
    pub verdict: Verdict,
    /// Every judgement in the order of the scenario, those that held too.
    pub judgements: Vec<Judgement>,
    /// The normalised texts that goldens are about, but not those of a step that ended otherwise than it must or whose
    /// output was cut: these are never to be recorded.
    pub observed: Vec<Observed>,
}

/// The goldens that a case is compared with, each once: look them up, then judge.
#[must_use]
pub fn golden_keys(plan: &CasePlan) -> Vec<GoldenKey> {
    let of_boot = plan.boot_expect.iter().flat_map(|expectation| &expectation.checks);
    let mut keys: Vec<GoldenKey> = Vec::new();
    for key in
        of_boot.chain(plan.steps.iter().flat_map(step::golden_checks)).filter_map(|check| golden::key(plan, check))
    {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// Judges a case: what was seen of its boot and steps, by what its plan expects. Observations belong to steps by name.
///
/// The verdict is the first that applies of `fail`, `timeout`, `new`, `warn`, `pass`:
/// - `fail`: an expectation of level `fail` broke, a flag was not applied, or a step did not run, whatever the reason. What
///   only follows from a passed limit does not count beside it: the checks of a run or a boot that timed out, and steps
///   that did not run after it.
/// - `timeout`: the boot or a run of a step came to its limit, and nothing else broke.
/// - `new`: a golden was never recorded for the case. A key that is missing from `goldens` is taken as never recorded.
/// - `warn`: only expectations of level `warn` broke.
#[must_use]
pub fn judge_case(
    plan: &CasePlan,
    boot: Option<&BootObservation>,
    steps: &[StepObservation],
    goldens: &BTreeMap<GoldenKey, GoldenState>,
) -> Judged {
    let (mut weighed, mut observed) = match boot {
        Some(boot) => boot::judge(boot, plan, goldens),
        None => (vec![boot::unseen(plan)], Vec::new()),
    };
    let mut cut_short = boot.is_some_and(|boot| boot::timed_out(boot, plan));
    for step in &plan.steps {
        let seen = steps.iter().find(|observation| observation.name == step.name);
        let (judgements, texts) = step::judge(step, seen, cut_short, plan, goldens);
        cut_short |= judgements.iter().any(is_timeout);
        weighed.extend(judgements);
        observed.extend(texts);
    }
    let verdict = verdict(&weighed);
    Judged { verdict, judgements: weighed.into_iter().map(|weighed| weighed.judgement).collect(), observed }
}

fn is_timeout(weighed: &Weighed) -> bool {
    weighed.judgement.kind == JudgementKind::Timeout
}
