//! One JSON document for a run, for tools. Its shape is versioned: a field may be added without a new version; nothing
//! else may change without one.

use std::io;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use crate::events::{Event, Kept};
use crate::facts::Facts;
use crate::judge::{CaseResult, Judgement, Observed, UnusedRule, Verdict};
use crate::leak::Leak;
use crate::observe::escape;
use crate::observe::{BootObservation, StepObservation};
use crate::plan::{CaseId, LeftOut, Share, WhyOut};
use crate::redact::Redaction;
use crate::scenario::model::Point;

use super::Reporter;
use super::counts::{Counts, Outcome};
use super::file::Target;
use super::run::Run;

/// The version of the document's shape.
const SCHEMA_VERSION: u32 = 1;

/// Writes the document at the end of the run.
pub struct Json {
    run: Run,
    target: Target,
    redaction: Redaction,
}

impl Json {
    /// Will write there.
    #[must_use]
    pub fn new(target: Target, redaction: Redaction) -> Self {
        Self { run: Run::default(), target, redaction }
    }
}

impl Reporter for Json {
    fn event(&mut self, event: &Event) {
        self.run.event(event);
    }

    fn finish(&mut self) -> io::Result<()> {
        let document = document(&self.run, &self.redaction)?;
        self.target.write(text(&document)?.as_bytes())
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    sdc_engine_version: &'static str,
    /// Whether placeholders stand for the names of users and machines.
    redacted: bool,
    /// Where the run has one host only; `hosts` has all of them.
    host: Option<&'a Facts>,
    why_host: Option<&'a str>,
    hosts: Vec<OneHost<'a>>,
    jobs: Option<usize>,
    summary: Numbers<'a>,
    cases: Vec<Case<'a>>,
    left_out: Vec<Left<'a>>,
    /// Normalising rules that scenarios name and that changed nothing; none where the run was not whole.
    unused_rules: &'a [UnusedRule],
}

#[derive(Serialize)]
struct OneHost<'a> {
    name: &'a str,
    why_host: &'a str,
    /// Cases that were to run there.
    planned: usize,
    /// `null` where it could not be used.
    facts: Option<&'a Facts>,
    /// Why it could not be used.
    error: Option<&'a str>,
    /// Which share of a larger plan ran there.
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<&'a Share>,
}

#[derive(Serialize)]
struct Numbers<'a> {
    outcome: Outcome,
    exit_code: u8,
    /// Cases that were to run.
    planned: usize,
    /// Cases that have a verdict.
    ran: usize,
    counts: Counts,
    boots: usize,
    took: f64,
    stopped_early: Option<&'a str>,
    left_behind: &'a [String],
    /// What cases changed on their hosts.
    leaks: &'a [Leak],
    /// Containers that stay because their cases failed.
    kept: &'a [Kept],
}

#[derive(Serialize)]
struct Case<'a> {
    id: &'a CaseId,
    scenario: &'a str,
    title: &'a str,
    point: &'a Point,
    host: &'a str,
    #[serde(flatten)]
    verdict: &'a Verdict,
    took: f64,
    by_hand: &'a str,
    /// The same by the other engine's program.
    by_hand_elsewhere: &'a str,
    /// The folder with its evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<&'a str>,
    tags: &'a [String],
    /// What each step does.
    commands: &'a IndexMap<String, String>,
    judgements: &'a [Judgement],
    boot: Option<&'a BootObservation>,
    steps: &'a [StepObservation],
    observed: &'a [Observed],
}

#[derive(Serialize)]
struct Left<'a> {
    id: &'a CaseId,
    scenario: &'a str,
    point: &'a Point,
    verdict: &'static str,
    detail: &'a str,
}

/// The file of a document.
///
/// # Errors
/// None in practice: all of it can be said in JSON.
pub fn text(document: &Value) -> serde_json::Result<String> {
    Ok(escape::json(&serde_json::to_string_pretty(document)?) + "\n")
}

/// The document as a value; all durations are seconds.
///
/// # Errors
/// None in practice: all of it can be said in JSON.
pub fn document(run: &Run, redaction: &Redaction) -> serde_json::Result<Value> {
    let outcome = run.outcome();
    let summary = run.summary.clone().unwrap_or_default();
    let counts = run.counts();
    let started = run.only();
    let mut value = serde_json::to_value(Document {
        schema_version: SCHEMA_VERSION,
        sdc_engine_version: env!("CARGO_PKG_VERSION"),
        redacted: redaction.is_on(),
        host: started.map(|s| &s.host),
        why_host: started.map(|s| s.why_host.as_str()),
        hosts: hosts(run),
        jobs: run.started.first().map(|s| s.jobs),
        summary: Numbers {
            outcome,
            exit_code: outcome.exit_code(),
            planned: run.planned(),
            ran: counts.ran(),
            counts,
            boots: summary.boots,
            took: summary.took.as_secs_f64(),
            stopped_early: summary.stopped_early.as_deref(),
            left_behind: &summary.left_behind,
            leaks: &summary.leaks,
            kept: &summary.kept,
        },
        cases: run.sorted().into_iter().map(case).collect(),
        left_out: run.left_out.iter().map(left).collect(),
        unused_rules: &run.unused_rules,
    })?;
    seconds(&mut value);
    redaction.value(&run.machines(), &mut value);
    Ok(value)
}

fn hosts(run: &Run) -> Vec<OneHost<'_>> {
    let used = run.started.iter().map(|started| OneHost {
        name: &started.host.name,
        why_host: &started.why_host,
        planned: started.cases,
        facts: Some(&started.host),
        error: None,
        share: started.share.as_ref(),
    });
    let failed = run.failed_hosts.iter().map(|host| OneHost {
        name: &host.name,
        why_host: &host.why_host,
        planned: host.cases,
        facts: None,
        error: Some(&host.reason),
        share: None,
    });
    used.chain(failed).collect()
}

/// One case as the document has it, with its names.
pub(super) fn one(result: &CaseResult) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(case(result))?;
    seconds(&mut value);
    Ok(value)
}

fn case(result: &CaseResult) -> Case<'_> {
    Case {
        id: &result.id,
        scenario: &result.scenario,
        title: &result.title,
        point: &result.point,
        host: &result.host,
        verdict: &result.verdict,
        took: result.took.as_secs_f64(),
        by_hand: &result.by_hand,
        by_hand_elsewhere: &result.recipe.elsewhere,
        bundle: result.bundle.as_deref(),
        tags: &result.recipe.tags,
        commands: &result.recipe.commands,
        judgements: &result.judgements,
        boot: result.boot.as_ref(),
        steps: &result.steps,
        observed: &result.observed,
    }
}

fn left(case: &LeftOut) -> Left<'_> {
    let (verdict, detail) = match &case.why {
        WhyOut::NotApplicable(rule) => ("not_applicable", rule),
        WhyOut::Filtered(filter) => ("filtered", filter),
        WhyOut::Skipped(reason) => ("skipped", reason),
    };
    Left { id: &case.id, scenario: &case.scenario, point: &case.point, verdict, detail }
}

/// serde writes a `Duration` as `{"secs": 1, "nanos": 5}`; a reader wants a number.
pub(super) fn seconds(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let (2, Some(Value::Number(secs)), Some(Value::Number(nanos))) =
                (map.len(), map.get("secs"), map.get("nanos"))
            {
                *value = (secs.as_f64().unwrap_or_default() + nanos.as_f64().unwrap_or_default() / 1e9).into();
            } else {
                map.values_mut().for_each(seconds);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(seconds),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::escape::steers;
    use crate::redact::Known;
    use crate::report::sample;

    #[test]
    fn the_document() {
        insta::assert_snapshot!(
            serde_json::to_string_pretty(&document(&sample::run(), &Redaction::off()).unwrap()).unwrap()
        );
    }

    #[test]
    fn no_name_is_left_and_ids_stay_apart() {
        let (run, names) = sample::named_run();
        let value = document(&run, &Redaction::on(Known::default())).unwrap();
        let text = value.to_string();
        assert!(names.iter().all(|name| !text.contains(name)), "{text}");
        assert_eq!((&value["redacted"], &value["host"]["name"]), (&true.into(), &"ssh://<user>@<machine-1>:22".into()));
        let ids = |value: &Value| {
            let cases = value["cases"].as_array().unwrap().iter().chain(value["left_out"].as_array().unwrap());
            cases.map(|case| case["id"].as_str().unwrap().to_owned()).collect::<std::collections::BTreeSet<_>>()
        };
        let plain = document(&run, &Redaction::off()).unwrap();
        assert_eq!(ids(&value).len(), ids(&plain).len());
        assert!(ids(&value).iter().all(|id| id.ends_with("host=ssh://<user>@<machine-1>:22]")), "{:?}", ids(&value));
        assert!(names.iter().all(|name| plain.to_string().contains(name)));
    }

    #[test]
    fn what_would_steer_a_terminal_is_escaped_and_means_the_same() {
        let value = serde_json::json!({ "a\u{9b}2J": "\u{1b}[1m\u{7f}\u{202e}é\n ##[error]" });
        let text = escape::json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.chars().any(|c| steers(c) && c != '\n') && !text.contains("##["), "{text:?}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn a_run_that_never_started_is_a_document_too() {
        let value = document(&Run::default(), &Redaction::off()).unwrap();
        assert_eq!(value["host"], Value::Null);
        assert_eq!(value["summary"]["exit_code"], 130);
    }

    #[test]
    fn the_file_is_whole_and_readable_by_others() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reports/run.json");
        let mut json = Json::new(Target::named(&path, Vec::new()), Redaction::off());
        sample::events().iter().for_each(|event| json.event(event));
        json.finish().unwrap();
        let value: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(value["schema_version"], 1);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o400, 0o400);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_path_that_cannot_be_written_is_named() {
        let target = Target::named(std::path::Path::new("/proc/none/run.json"), Vec::new());
        let mut json = Json::new(target, Redaction::off());
        assert!(json.finish().unwrap_err().to_string().contains("/proc/none/run.json"));
    }
}
