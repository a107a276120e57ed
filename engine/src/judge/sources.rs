//! What the golden texts of a case are made from.

use super::{GoldenKey, Subject, boot, golden, step};
use crate::observe::normalise::{Form, NormaliseError};
use crate::observe::{BootObservation, StepObservation};
use crate::plan::CasePlan;
use crate::scenario::model::Stream;

/// What a golden's text is made from, in one case.
#[derive(Debug, Clone)]
pub struct GoldenSource {
    /// Which golden.
    pub key: GoldenKey,
    /// Of which step, or of the boot.
    pub subject: Subject,
    /// Of which stream.
    pub stream: Stream,
    /// What was seen, as [`crate::observe::escape`] tells it: control characters are in it.
    pub raw: String,
    /// How the text is made; it was made so for the judgement too.
    pub form: Form,
}

/// What the goldens of a case are made from, in the order of the scenario; not those of steps that did not run.
///
/// # Errors
/// Rules that can't be used.
pub fn golden_sources(
    plan: &CasePlan,
    boot: Option<&BootObservation>,
    steps: &[StepObservation],
) -> Result<Vec<GoldenSource>, NormaliseError> {
    let mut sources = Vec::new();
    for check in plan.boot_expect.iter().flat_map(|expectation| &expectation.checks) {
        if let (Some(key), Some(boot)) = (golden::key(plan, check), boot) {
            let (raw, form) = (boot::console_text(boot), golden::form(plan, None, check)?);
            sources.push(GoldenSource { key, subject: Subject::Boot, stream: check.stream, raw, form });
        }
    }
    for step in &plan.steps {
        let ran = |seen: &&StepObservation| seen.name == step.name && seen.not_run.is_none() && !seen.runs.is_empty();
        let Some(seen) = steps.iter().find(ran) else { continue };
        for check in step.expect.iter().flat_map(|expectation| &expectation.checks) {
            if let Some(key) = golden::key(plan, check) {
                let (raw, form) = (step::text_of(seen, check.stream), golden::form(plan, Some(step), check)?);
                let subject = Subject::Step(step.name.clone());
                sources.push(GoldenSource { key, subject, stream: check.stream, raw, form });
            }
        }
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::golden_sources;
    use crate::judge::testkit::{check, expect, golden, judged, not_run, plan, printed, step};
    use crate::scenario::model::{Ask, Compare, Golden, Stream};

    #[test]
    fn a_source_makes_the_text_that_was_judged() {
        let sorted = Golden { compare: Compare::Unordered, ..golden("s") };
        let mut one = step("s", vec![expect(None, vec![check(Stream::Stdout, Ask::Golden(sorted))])]);
        one.normalise = vec!["pids".to_owned()];
        let other = step("t", vec![expect(None, vec![check(Stream::Stderr, Ask::Golden(golden("t")))])]);
        let plan = plan(vec![one, other]);
        let seen = [printed("s", "b\na pid 7\n"), not_run("t")];
        let sources = golden_sources(&plan, None, &seen).unwrap();
        let result = judged(&plan, &seen);
        assert_eq!(sources.len(), 1);
        assert_eq!(sources[0].raw, "b\na pid 7\n");
        assert_eq!(sources[0].key, result.observed[0].key);
        let trace = sources[0].form.trace(&sources[0].raw).unwrap();
        assert_eq!(trace.text, result.observed[0].text);
        assert_eq!(trace.used, ["pids"]);
    }
}
