//! What a step's expectations say of its runs.

use std::collections::BTreeMap;

use super::golden::{self, Asked};
use super::weigh::Weighed;
use super::{GoldenKey, GoldenState, Judgement, JudgementKind, Observed, Subject, check, phrase};
use crate::observe::captures::{capture, substitute_regex};
use crate::observe::{RunStatus, StepObservation};
use crate::plan::{CasePlan, StepPlan};
use crate::scenario::model::{Ask, ExitSpec, Level, Stream};
use crate::source::Place;

/// What is demanded of the exit code of every run.
struct ExitDemand {
    spec: ExitSpec,
    level: Level,
    place: Option<Place>,
}

/// Whether what was seen of a step is all that its expectations ask, for `wait`. Goldens do not count: a text that was
/// never recorded would be waited for in vain.
#[must_use]
pub fn step_holds(step: &StepPlan, observation: &StepObservation) -> bool {
    observation.not_run.is_none()
        && !observation.runs.is_empty()
        && exits(step, observation).iter().all(|weighed| weighed.judgement.held)
        && captures(step, observation).iter().all(|judgement| judgement.held)
        && step.expect.iter().flat_map(|expectation| &expectation.checks).all(|asked| {
            let text = text_of(observation, asked.stream);
            check::ask(&asked.ask, phrase::stream(asked.stream), &text, &observation.captured).held
        })
}

/// Judges one step. `cut_short` says that a limit passed before, so that a step that did not run may follow from it.
pub(super) fn judge(
    step: &StepPlan,
    observation: Option<&StepObservation>,
    cut_short: bool,
    plan: &CasePlan,
    goldens: &BTreeMap<GoldenKey, GoldenState>,
) -> (Vec<Weighed>, Vec<Observed>) {
    let observation = match ran(observation) {
        Ok(observation) => observation,
        Err(reason) => {
            let judgement = Judgement {
                subject: subject(step),
                kind: JudgementKind::Exit,
                held: false,
                level: own_level(step),
                expected: "the step runs".to_owned(),
                actual: format!("did not run: {reason}"),
                place: step.expect.first().map(|expectation| expectation.place.clone()),
            };
            return (vec![Weighed { judgement, follows: cut_short, limit: None }], Vec::new());
        }
    };
    let mut judgements = exits(step, observation);
    let timed_out = observation.runs.iter().any(|run| run.status == RunStatus::TimedOut);
    let recordable =
        judgements.iter().all(|weighed| weighed.judgement.held) && !observation.runs.iter().any(|run| run.cut);
    let mut observed = Vec::new();
    let mut checks = captures(step, observation);
    for expectation in &step.expect {
        for asked in &expectation.checks {
            let text = text_of(observation, asked.stream);
            if let Some(key) = golden::key(plan, asked) {
                let (subject, level, rules) = (subject(step), expectation.level, Some(step.normalise.as_slice()));
                let about = Asked { subject, level, check: asked, key, text: &text, rules };
                let (judgement, seen) = golden::judge(about, plan, goldens);
                checks.push(judgement);
                observed.extend(seen.filter(|_| recordable));
                continue;
            }
            let answer = check::ask(&asked.ask, phrase::stream(asked.stream), &text, &observation.captured);
            checks.push(Judgement {
                subject: subject(step),
                kind: JudgementKind::Check,
                held: answer.held,
                level: expectation.level,
                expected: within(step, answer.expected),
                actual: answer.actual,
                place: Some(asked.place.clone()),
            });
        }
    }
    judgements.extend(checks.into_iter().map(|judgement| Weighed { judgement, follows: timed_out, limit: None }));
    (judgements, observed)
}

/// The observation of a step that ran, or why it did not.
fn ran(observation: Option<&StepObservation>) -> Result<&StepObservation, &str> {
    match observation {
        None => Err("nothing was seen of it"),
        Some(StepObservation { not_run: Some(reason), .. }) => Err(reason),
        Some(observation) if observation.runs.is_empty() => Err("no run of it was seen"),
        Some(observation) => Ok(observation),
    }
}

fn subject(step: &StepPlan) -> Subject {
    Subject::Step(step.name.clone())
}

/// What the step does to its case where no single expectation says it: a step that only warns never fails it.
fn own_level(step: &StepPlan) -> Level {
    let warns = !step.expect.is_empty() && step.expect.iter().all(|expectation| expectation.level == Level::Warn);
    if warns { Level::Warn } else { Level::Fail }
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
fn exits(step: &StepPlan, observation: &StepObservation) -> Vec<Weighed> {
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

/// Values that later steps need must be there; one judgement for each.
fn captures(step: &StepPlan, observation: &StepObservation) -> Vec<Judgement> {
    let stdout = text_of(observation, Stream::Stdout);
    let judge = |(name, pattern): &(String, String)| {
        let found = substitute_regex(pattern, &observation.captured)
            .map_err(|unknown| format!("`{unknown}` was not captured by any step"))
            .and_then(|pattern| capture(&pattern, &stdout));
        let (held, actual) = match found {
            Ok(Some(value)) => (true, phrase::shorten(&value)),
            Ok(None) => (false, phrase::excerpt(&stdout)),
            Err(reason) => (false, format!("can't be captured: {reason}")),
        };
        Judgement {
            subject: subject(step),
            kind: JudgementKind::Check,
            held,
            level: Level::Fail,
            expected: within(step, format!("stdout has `{name}` to capture, by /{pattern}/")),
            actual,
            place: step.expect.first().map(|expectation| expectation.place.clone()),
        }
    };
    step.capture.iter().map(judge).collect()
}

/// The limit of `wait` is part of what is expected.
fn within(step: &StepPlan, expected: String) -> String {
    match step.wait {
        Some(wait) => format!("{expected} within {}", humantime::format_duration(wait.limit)),
        None => expected,
    }
}

/// A stream of all runs, one after another; a run starts on a line of its own.
fn text_of(observation: &StepObservation, stream: Stream) -> String {
    let of_run = match stream {
        Stream::Stdout => |run: &crate::observe::RunOutput| run.stdout.clone(),
        Stream::Stderr => |run: &crate::observe::RunOutput| run.stderr.clone(),
        Stream::Console => return observation.console.clone(),
    };
    let mut all = String::new();
    for text in observation.runs.iter().map(of_run) {
        if !all.is_empty() && !all.ends_with('\n') && !text.is_empty() {
            all.push('\n');
        }
        all.push_str(&text);
    }
    all
}

/// Whether a check of a step is about a golden; for the keys that are looked up before judging.
pub(super) fn golden_checks(step: &StepPlan) -> impl Iterator<Item = &crate::plan::Check> {
    step.expect.iter().flat_map(|expectation| &expectation.checks).filter(|check| matches!(check.ask, Ask::Golden(_)))
}
