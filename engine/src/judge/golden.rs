//! A text against its golden.

use std::collections::BTreeMap;

use super::{GoldenKey, GoldenState, Judgement, JudgementKind, Observed, Subject};
use crate::observe::normalise::{Normaliser, tidy};
use crate::plan::{CasePlan, Check};
use crate::scenario::model::{Ask, Level, Stream};

/// Where the golden of a check is.
pub(super) fn key(plan: &CasePlan, check: &Check) -> Option<GoldenKey> {
    let Ask::Golden(folder) = &check.ask else { return None };
    let suffix = match check.stream {
        Stream::Stdout => "",
        Stream::Stderr => ".stderr",
        Stream::Console => ".console",
    };
    Some(GoldenKey { scenario: plan.scenario.clone(), folder: format!("{folder}{suffix}") })
}

/// What a golden check is about.
pub(super) struct Asked<'a> {
    pub(super) subject: Subject,
    pub(super) level: Level,
    pub(super) check: &'a Check,
    pub(super) key: GoldenKey,
    pub(super) text: &'a str,
    /// Names of normalising rules; all built-in ones where a plan has no place for names.
    pub(super) rules: Option<&'a [String]>,
}

/// A text as it would be compared with that golden of the case; `None` where the case has no such golden.
///
/// # Errors
/// Words on the rules, where they can't be used.
#[must_use]
pub fn golden_text(plan: &CasePlan, of: &GoldenKey, raw: &str) -> Option<Result<String, String>> {
    let mut steps = plan.steps.iter().flat_map(|step| super::step::golden_checks(step).map(move |check| (step, check)));
    let rules = match steps.find(|(_, check)| key(plan, check).as_ref() == Some(of)) {
        Some((step, _)) => Normaliser::new(&step.normalise, &plan.normalise_rules),
        None => return None,
    };
    Some(rules.map(|rules| rules.apply(raw).text).map_err(|error| error.to_string()))
}

/// Normalises the text and compares it with the golden.
pub(super) fn judge(
    asked: Asked<'_>,
    plan: &CasePlan,
    goldens: &BTreeMap<GoldenKey, GoldenState>,
) -> (Judgement, Option<Observed>) {
    let judgement = |kind, held, expected, actual| Judgement {
        subject: asked.subject.clone(),
        kind,
        held,
        level: asked.level,
        expected,
        actual,
        place: Some(asked.check.place.clone()),
    };
    let stream = super::phrase::stream(asked.check.stream);
    let normaliser = match asked.rules.map(|rules| Normaliser::new(rules, &plan.normalise_rules)).transpose() {
        Ok(normaliser) => normaliser.unwrap_or_else(Normaliser::builtin),
        Err(error) => {
            let expected = format!("{stream} as recorded in `{}`", asked.key.folder);
            return (judgement(JudgementKind::Golden, false, expected, format!("can't be judged: {error}")), None);
        }
    };
    let text = normaliser.apply(asked.text).text;
    let judgement = match goldens.get(&asked.key) {
        Some(GoldenState::Recorded { file, text: recorded }) if tidy(recorded) == text => {
            let expected = format!("{stream} as recorded in {file}");
            judgement(JudgementKind::Golden, true, expected, "the same".to_owned())
        }
        Some(GoldenState::Recorded { text: recorded, .. }) => {
            judgement(JudgementKind::Golden, false, recorded.clone(), text.clone())
        }
        Some(GoldenState::New) | None => {
            let expected = format!("{stream} as recorded, and nothing is recorded yet in `{}`", asked.key.folder);
            judgement(JudgementKind::GoldenNew, false, expected, text.clone())
        }
    };
    (judgement, Some(Observed { key: asked.key, stream: asked.check.stream, raw: asked.text.to_owned(), text }))
}
