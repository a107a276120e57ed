//! Cases that differ in the same way are told once. Pure.

use indexmap::{IndexMap, IndexSet};

use crate::judge::{CaseResult, Judgement, JudgementKind, Subject, Verdict};
use crate::observe::BootOutcome;
use crate::scenario::model::{AxisValue, Level};
use crate::source::Place;

/// Cases with one and the same difference: at least one.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// In the order of their names.
    pub cases: Vec<&'a CaseResult>,
}

/// What the cases of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common<'a> {
    /// Axis and value; only axes that have other values elsewhere in the run.
    pub point: Vec<(&'a str, &'a AxisValue)>,
    /// Whether every case of these scenarios with these values is in the group.
    pub all: bool,
}

/// The judgements that make the verdict: the broken ones of its level, without those of steps that never ran because
/// the boot had broken before.
#[must_use]
pub fn decisive(result: &CaseResult) -> Vec<&Judgement> {
    let unbooted = result.judgements.iter().any(|j| !j.held && j.level == Level::Fail && j.subject == Subject::Boot);
    let never_ran = |j: &Judgement| match &j.subject {
        Subject::Boot => false,
        Subject::Step(name) => result.steps.iter().any(|step| step.name == *name && step.not_run.is_some()),
    };
    result
        .judgements
        .iter()
        .filter(|j| match (&result.verdict, j.kind) {
            (Verdict::New, kind) => kind == JudgementKind::GoldenNew,
            (_, JudgementKind::GoldenNew) => false,
            (Verdict::Warn, _) => !j.held && j.level == Level::Warn,
            _ => !j.held && j.level == Level::Fail,
        })
        .filter(|j| !(unbooted && never_ran(j)))
        .collect()
}

/// What two cases must share to be told as one. A boot's expectation is usually written once for many scenarios and
/// read in each, so its place does not count.
#[derive(PartialEq)]
struct Signature<'a> {
    verdict: &'a Verdict,
    judgements: Vec<(&'a Subject, JudgementKind, &'a str, &'a str, Option<&'a Place>)>,
    boot: Option<(&'a BootOutcome, Option<&'a str>)>,
}

fn signature(result: &CaseResult) -> Signature<'_> {
    let place = |j: &'_ Judgement| j.subject != Subject::Boot;
    Signature {
        verdict: &result.verdict,
        judgements: decisive(result)
            .into_iter()
            .map(|j| {
                let place = if place(j) { j.place.as_ref() } else { None };
                (&j.subject, j.kind, j.expected.as_str(), j.actual.as_str(), place)
            })
            .collect(),
        boot: result.boot.as_ref().map(|boot| (&boot.outcome, boot.deciding_line.as_deref())),
    }
}

/// Groups cases, in the order of each group's first.
#[must_use]
pub fn group<'a>(cases: impl IntoIterator<Item = &'a CaseResult>) -> Vec<Group<'a>> {
    let mut groups: Vec<(Signature<'a>, Group<'a>)> = Vec::new();
    for case in cases {
        let signature = signature(case);
        match groups.iter_mut().find(|(known, _)| *known == signature) {
            Some((_, group)) => group.cases.push(case),
            None => groups.push((signature, Group { cases: vec![case] })),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Something that cases warn of.
#[derive(Debug, Clone)]
pub struct Warning<'a> {
    /// What it is.
    pub what: String,
    /// Its text; console lines that the same cases have stand together.
    pub text: String,
    /// The cases: at least one.
    pub cases: Vec<&'a CaseResult>,
}

/// What cases warn of, each line once.
#[must_use]
pub fn warnings<'a>(cases: impl IntoIterator<Item = &'a CaseResult>) -> Vec<Warning<'a>> {
    let mut found: IndexMap<(String, &str), Vec<&CaseResult>> = IndexMap::new();
    for case in cases {
        for j in case.judgements.iter().filter(|j| !j.held && j.level == Level::Warn) {
            let told: Vec<(String, &str)> = match j.kind {
                JudgementKind::UnknownLines => j.actual.lines().map(|line| (UNKNOWN.to_owned(), line)).collect(),
                _ => vec![(format!("{}: expected {}", j.subject, j.expected), j.actual.as_str())],
            };
            for key in told {
                let cases = found.entry(key).or_default();
                if cases.last().is_none_or(|last| last.id != case.id) {
                    cases.push(case);
                }
            }
        }
    }
    let mut warnings: Vec<Warning<'a>> = Vec::new();
    for ((what, text), cases) in found {
        let same = |known: &&mut Warning<'_>| {
            known.what == UNKNOWN
                && what == UNKNOWN
                && known.cases.iter().map(|c| &c.id).eq(cases.iter().map(|c| &c.id))
        };
        match warnings.iter_mut().find(same) {
            Some(known) => known.text = format!("{}\n{text}", known.text),
            None => warnings.push(Warning { what, text: text.to_owned(), cases }),
        }
    }
    warnings
}

const UNKNOWN: &str = "console lines that no rule knows";

/// What cases have in common, seen against all that ran; nothing where there is only one case.
#[must_use]
pub fn common<'a>(cases: &[&'a CaseResult], all: &[&CaseResult]) -> Option<Common<'a>> {
    let (first, rest) = cases.split_first()?;
    if rest.is_empty() {
        return None;
    }
    let scenarios: IndexSet<&str> = cases.iter().map(|case| case.scenario.as_str()).collect();
    let around: Vec<_> = all.iter().filter(|case| scenarios.contains(case.scenario.as_str())).collect();
    let point: Vec<_> = first
        .point
        .iter()
        .filter(|(axis, value)| rest.iter().all(|case| case.point.get(*axis) == Some(value)))
        .filter(|(axis, value)| around.iter().any(|case| case.point.get(*axis) != Some(value)))
        .map(|(axis, value)| (axis.as_str(), value))
        .collect();
    if point.is_empty() {
        return None;
    }
    let matching =
        around.iter().filter(|case| point.iter().all(|(axis, value)| case.point.get(*axis) == Some(value))).count();
    Some(Common { all: matching == cases.len(), point })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_same_difference_is_one_group_and_its_axes_are_found() {
        let run = sample::run();
        let sorted = run.sorted();
        let groups = group(sorted.iter().copied().filter(|case| case.verdict == Verdict::Fail));
        let ids: Vec<Vec<&str>> =
            groups.iter().map(|g| g.cases.iter().map(|case| case.id.0.as_str()).collect()).collect();
        insta::assert_debug_snapshot!(ids);
        let rebind = groups.iter().find(|g| g.cases.len() > 1).unwrap();
        let common = common(&rebind.cases, &sorted).unwrap();
        assert_eq!(common.point, [("setup_mode", &AxisValue::Str("rebind".into()))]);
        assert!(common.all);
    }

    #[test]
    fn steps_that_never_ran_do_not_decide() {
        let run = sample::run();
        let unbooted = run.results.iter().find(|case| case.steps.iter().any(|step| step.not_run.is_some())).unwrap();
        assert!(unbooted.judgements.iter().any(|j| !j.held && j.subject != Subject::Boot));
        assert!(decisive(unbooted).iter().all(|j| j.subject == Subject::Boot));
    }
}
