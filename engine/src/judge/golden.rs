//! A text against its golden.

use std::collections::BTreeMap;

use super::{GoldenKey, GoldenState, Judgement, JudgementKind, Observed, Subject, phrase};
use crate::observe::normalise::{Form, NormaliseError, TableError};
use crate::plan::{CasePlan, Check, StepPlan};
use crate::scenario::model::{Ask, Golden, Level, Stream};

/// Where the golden of a check is.
pub(super) fn key(plan: &CasePlan, check: &Check) -> Option<GoldenKey> {
    let Ask::Golden(Golden { name, .. }) = &check.ask else { return None };
    let suffix = match check.stream {
        Stream::Stdout => "",
        Stream::Stderr => ".stderr",
        Stream::Console => ".console",
    };
    Some(GoldenKey { scenario: String::clone(&plan.scenario), folder: format!("{name}{suffix}") })
}

/// How the golden's text of a check is made; by all built-in rules for a boot, whose plan has no place for names.
pub(super) fn form(plan: &CasePlan, step: Option<&StepPlan>, check: &Check) -> Result<Form, NormaliseError> {
    match (step, &check.ask) {
        (Some(step), Ask::Golden(golden)) => Form::new(&step.normalise, &plan.normalise_rules, golden.compare.clone()),
        _ => Ok(Form::builtin()),
    }
}

/// What a golden check is about.
pub(super) struct Asked<'a> {
    pub(super) subject: Subject,
    pub(super) level: Level,
    pub(super) check: &'a Check,
    pub(super) key: GoldenKey,
    pub(super) text: &'a str,
    pub(super) form: Result<Form, NormaliseError>,
}

/// A text as it would be compared with that golden of the case; `None` where the case has no such golden.
///
/// # Errors
/// Words on why it can't be made.
#[must_use]
pub fn golden_text(plan: &CasePlan, of: &GoldenKey, raw: &str) -> Option<Result<String, String>> {
    let form = golden_form(plan, of)?.map_err(|error| error.to_string());
    Some(form.and_then(|form| form.apply(raw).map(|made| made.text).map_err(|error| no_table(&error, raw))))
}

/// How the text of that golden of the case is made; `None` where the case has no such golden.
///
/// # Errors
/// Rules that can't be used.
#[must_use]
pub fn golden_form(plan: &CasePlan, of: &GoldenKey) -> Option<Result<Form, NormaliseError>> {
    let is_it = |check: &&Check| key(plan, check).as_ref() == Some(of);
    let of_steps =
        plan.steps.iter().flat_map(|step| step.expect.iter().map(move |expect| (Some(&**step), &expect.checks)));
    let of_boot = plan.boot_expect.iter().map(|expect| (None, &expect.checks));
    let (step, check) = of_boot.chain(of_steps).find_map(|(step, checks)| Some((step, checks.iter().find(is_it)?)))?;
    Some(form(plan, step, check))
}

/// What came of it.
pub(super) struct Compared {
    pub(super) judgement: Judgement,
    /// The text; none where there is none to compare.
    pub(super) observed: Option<Observed>,
    /// The rules that changed something.
    pub(super) used: Vec<String>,
}

/// Makes the golden's text of what was seen, and compares.
pub(super) fn judge(asked: Asked<'_>, goldens: &BTreeMap<GoldenKey, GoldenState>) -> Compared {
    let judgement = |kind, held, expected, actual| Judgement {
        subject: asked.subject.clone(),
        kind,
        held,
        level: asked.level,
        expected,
        actual,
        place: Some(asked.check.place.clone()),
    };
    let stream = phrase::stream(asked.check.stream);
    let wanted = |what: &str| format!("{stream} {what}as recorded in `{}`", asked.key.folder);
    let unread = |judgement| Compared { judgement, observed: None, used: Vec::new() };
    let form = match asked.form {
        Ok(form) => form,
        Err(error) => {
            let actual = format!("can't be judged: {error}");
            return unread(judgement(JudgementKind::Golden, false, wanted(""), actual));
        }
    };
    let normalised = match form.apply(asked.text) {
        Ok(normalised) => normalised,
        // This is no text that could ever be recorded.
        Err(error) => {
            let actual = no_table(&error, asked.text);
            return unread(judgement(JudgementKind::Check, false, wanted("is a table, "), actual));
        }
    };
    let text = normalised.text;
    let judgement = match goldens.get(&asked.key) {
        Some(GoldenState::Recorded { file, text: recorded }) => {
            let recorded = form.recorded(recorded);
            if recorded == text {
                let expected = format!("{stream} as recorded in {file}");
                judgement(JudgementKind::Golden, true, expected, "the same".to_owned())
            } else {
                judgement(JudgementKind::Golden, false, recorded, text.clone())
            }
        }
        Some(GoldenState::New) | None => {
            let expected = format!("{stream} as recorded, and nothing is recorded yet in `{}`", asked.key.folder);
            judgement(JudgementKind::GoldenNew, false, expected, text.clone())
        }
    };
    let observed = Some(Observed { key: asked.key, stream: asked.check.stream, raw: asked.text.to_owned(), text });
    Compared { judgement, observed, used: normalised.used }
}

/// Why a text is no table, and the lines that show it.
fn no_table(error: &TableError, text: &str) -> String {
    let why = format!("no table: {}", phrase::shorten(&error.to_string()));
    let line = match error {
        TableError::Empty => return why,
        TableError::Across { line, .. } | TableError::Cells { line, .. } => *line,
        TableError::OneHeading { .. } | TableError::NoColumn { .. } => {
            return format!("{why}:\n{}", phrase::excerpt(text));
        }
    };
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let row = text.lines().nth(line - 1).unwrap_or_default();
    format!("{why}:\n{}\n{}", phrase::shorten(header), phrase::shorten(row))
}
