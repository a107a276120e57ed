//! A report's JSON document as the run that it is of. What a report does not have stays empty: the normalising rules that each
//! case used, and how many boots each host was to have.

use std::collections::BTreeMap;
use std::time::Duration;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::Part;
use crate::compare::{self, SideError};
use crate::events::{Kept, Summary};
use crate::facts::Facts;
use crate::judge::{CaseResult, Judgement, Observed, Recipe, UnusedRule, Verdict};
use crate::leak::Leak;
use crate::observe::{BootObservation, StepObservation, seconds};
use crate::plan::{CaseId, LeftOut, Share, WhyOut};
use crate::report::run::{FailedHost, Run, Started};
use crate::scenario::model::Point;

#[derive(Deserialize)]
struct Document {
    sdc_engine_version: String,
    redacted: bool,
    hosts: Vec<OneHost>,
    jobs: Option<usize>,
    summary: Numbers,
    cases: Vec<Case>,
    left_out: Vec<Left>,
    #[serde(default)]
    unused_rules: Vec<UnusedRule>,
}

#[derive(Deserialize)]
struct OneHost {
    name: String,
    why_host: String,
    planned: usize,
    facts: Option<Facts>,
    error: Option<String>,
    share: Option<Share>,
}

#[derive(Deserialize)]
struct Numbers {
    boots: usize,
    #[serde(deserialize_with = "seconds")]
    took: Duration,
    stopped_early: Option<String>,
    left_behind: Vec<String>,
    leaks: Vec<Leak>,
    kept: Vec<Kept>,
}

#[derive(Deserialize)]
struct Case {
    id: CaseId,
    scenario: String,
    title: String,
    point: Point,
    host: String,
    #[serde(flatten)]
    verdict: Verdict,
    #[serde(deserialize_with = "seconds")]
    took: Duration,
    by_hand: String,
    by_hand_elsewhere: String,
    tags: Vec<String>,
    commands: IndexMap<String, String>,
    judgements: Vec<Judgement>,
    boot: Option<BootObservation>,
    steps: Vec<StepObservation>,
    observed: Vec<Observed>,
    #[serde(default)]
    bundle: Option<String>,
}

#[derive(Deserialize)]
struct Left {
    id: CaseId,
    scenario: String,
    point: Point,
    #[serde(flatten)]
    why: Why,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "detail")]
enum Why {
    NotApplicable(String),
    Filtered(String),
    Skipped(String),
}

/// Reads a report.
///
/// # Errors
/// It is no report, or one of a shape that is not known.
pub fn read(name: &str, value: Value) -> Result<Part, SideError> {
    // The same words for what is no report as for every reader of one.
    compare::Document::read(value.clone())?;
    let document: Document = serde_json::from_value(value).map_err(|error| SideError::NoReport(error.to_string()))?;
    let Document { sdc_engine_version, redacted, hosts, jobs, summary, cases, left_out, unused_rules } = document;
    let mut run = Run { unused_rules, ..Run::default() };
    for OneHost { name, why_host, planned, facts, error, share } in hosts {
        match facts {
            Some(host) => run.started.push(Started {
                host,
                why_host,
                cases: planned,
                boots: summary.boots,
                jobs: jobs.unwrap_or_default(),
                share,
            }),
            None => {
                let reason = error.unwrap_or_default();
                run.failed_hosts.push(FailedHost { name, why_host, reason, cases: planned });
            }
        }
    }
    run.results = cases.into_iter().map(result).collect();
    run.left_out = left_out.into_iter().map(left).collect();
    let Numbers { boots, took, stopped_early, left_behind, leaks, kept } = summary;
    run.summary = Some(Summary { boots, took, stopped_early, left_behind, leaks, kept });
    Ok(Part { name: name.to_owned(), version: sdc_engine_version, redacted, run })
}

fn result(case: Case) -> CaseResult {
    CaseResult {
        id: case.id,
        scenario: case.scenario,
        title: case.title,
        point: case.point,
        host: case.host,
        verdict: case.verdict,
        judgements: case.judgements,
        boot: case.boot,
        steps: case.steps,
        observed: case.observed,
        rules: BTreeMap::new(),
        took: case.took,
        by_hand: case.by_hand,
        recipe: Recipe { tags: case.tags, commands: case.commands, elsewhere: case.by_hand_elsewhere },
        bundle: case.bundle,
    }
}

fn left(Left { id, scenario, point, why }: Left) -> LeftOut {
    let why = match why {
        Why::NotApplicable(rule) => WhyOut::NotApplicable(rule),
        Why::Filtered(filter) => WhyOut::Filtered(filter),
        Why::Skipped(reason) => WhyOut::Skipped(reason),
    };
    LeftOut { id, scenario: scenario.into(), point, why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Redaction;
    use crate::report::{document, sample};

    #[test]
    fn what_was_written_reads_back_whole() {
        let written = document(&sample::run(), &Redaction::off()).unwrap();
        let part = read("a", written.clone()).unwrap();
        assert_eq!((part.version.as_str(), part.redacted), (env!("CARGO_PKG_VERSION"), false));
        assert_eq!(document(&part.run, &Redaction::off()).unwrap(), written);
    }

    #[test]
    fn what_is_no_report_is_told() {
        let error = |value| read("a", value).unwrap_err().to_string();
        assert!(error(serde_json::json!({ "schema_version": 7 })).contains("version 7"));
        assert!(error(serde_json::json!([])).contains("it is no report"));
    }
}
