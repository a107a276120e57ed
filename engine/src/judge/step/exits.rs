//! What the exit codes of a step's runs say.

use super::{own_level, subject, within};
use crate::judge::weigh::Weighed;
use crate::judge::{Judgement, JudgementKind, phrase};
use crate::observe::{RunStatus, StepObservation};
use crate::plan::StepPlan;
use crate::scenario::model::{ExitSpec, Level};
use crate::source::Place;

/// What is demanded of the exit code of every run.
struct ExitDemand {
    spec: ExitSpec,
    level: Level,
    place: Option<Place>,
}

/// The exit codes that the expectations name, or else 0, once.
fn demands(step: &StepPlan) -> Vec<ExitDemand> {
    let named: Vec<ExitDemand> = step
        .expect
        .iter()
        .filter_map(|expectation| {
            let spec = expectation.exit.clone()?;
            Some(ExitDemand { spec, level: expectation.level, place: Some(expectation.place.clone()) })
        })
        .collect();
    if named.is_empty() {
        let place = step.expect.first().map(|expectation| expectation.place.clone());
        return vec![ExitDemand { spec: ExitSpec::OneOf(vec![0]), level: own_level(step), place }];
    }
    named
}

/// Whether one run ended as demanded. A run that was left running, as asked, has no code to differ.
fn exit_holds(spec: &ExitSpec, status: &RunStatus) -> bool {
    match (spec, status) {
        (_, RunStatus::TimedOut) => false,
        (_, RunStatus::Background) | (ExitSpec::Any, _) => true,
        (_, RunStatus::Refused(_)) => false,
        (ExitSpec::NonZero, RunStatus::Exited(code)) => *code != 0,
        (ExitSpec::OneOf(codes), RunStatus::Exited(code)) => codes.contains(code),
    }
}

/// Every demand on the exit code is judged over all runs; runs that timed out are judged once, and by themselves.
pub(super) fn exits(step: &StepPlan, observation: &StepObservation) -> Vec<Weighed> {
    let runs = &observation.runs;
    let late: Vec<usize> = (0..runs.len()).filter(|at| runs[*at].status == RunStatus::TimedOut).collect();
    let demands = demands(step);
    let mut weighed = Vec::new();
    let statuses = || runs.iter().map(|run| &run.status);
    if !late.is_empty() {
        let strict = demands.iter().find(|demand| demand.level == Level::Fail).or(demands.first());
        let judgement = Judgement {
            subject: subject(step),
            kind: JudgementKind::Timeout,
            held: false,
            level: strict.map_or(Level::Fail, |demand| demand.level),
            expected: format!("ends within {}", humantime::format_duration(step.timeout)),
            actual: phrase::runs(statuses(), &late),
            place: strict.and_then(|demand| demand.place.clone()),
        };
        weighed.push(Weighed { judgement, follows: false, limit: Some(step.timeout) });
    }
    for demand in demands {
        let broke: Vec<usize> =
            (0..runs.len()).filter(|at| !late.contains(at) && !exit_holds(&demand.spec, &runs[*at].status)).collect();
        if broke.is_empty() && !late.is_empty() {
            continue;
        }
        let mut actual = phrase::runs(statuses(), &broke);
        if let Some(stderr) = broke.first().map(|at| runs[*at].stderr.trim()).filter(|stderr| !stderr.is_empty()) {
            actual = format!("{actual}; stderr:\n{}", phrase::excerpt(stderr));
        }
        weighed.push(Weighed::from(Judgement {
            subject: subject(step),
            kind: JudgementKind::Exit,
            held: broke.is_empty(),
            level: demand.level,
            expected: within(step, phrase::exit(&demand.spec)),
            actual,
            place: demand.place,
        }));
    }
    weighed
}
