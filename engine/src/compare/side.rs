//! One side of a comparison, read from a report's JSON document. Pure.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::Value;

use super::document::{Document, Ran, SCHEMA_VERSION, outcome, without_host, word};
use crate::golden::Coordinates;
use crate::observe::normalise::Normaliser;

/// Why a document is no side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SideError {
    /// It is something else.
    #[error("it is no report of `sdc-engine check --json`: {0}")]
    NoReport(String),
    /// Its shape is another one's.
    #[error("its shape has version {0}, and this sdc-engine reads version {SCHEMA_VERSION}")]
    Version(u64),
    /// It has no such host.
    #[error("it has no host `{asked}`; its hosts: {known}")]
    NoHost {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
}

/// A case that ran.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Case {
    /// Its axes and its scenario.
    pub at: Coordinates,
    /// The verdict's word.
    pub verdict: String,
    /// The verdict's words, where it has any.
    pub detail: String,
    /// What the boot came to, in a few words.
    pub boot: Option<String>,
    /// The line that decided it.
    pub deciding_line: Option<String>,
    /// The normalised texts, by step and stream.
    pub texts: BTreeMap<String, String>,
}

/// One side.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Side {
    /// What it is called.
    pub name: String,
    /// The facts of its host; none where it has several.
    pub facts: BTreeMap<String, String>,
    /// The cases that ran.
    pub cases: BTreeMap<String, Case>,
    /// Why other cases did not run.
    pub left_out: BTreeMap<String, String>,
}

impl Side {
    /// Reads a document; of several hosts only the one that is named, where one is.
    ///
    /// # Errors
    /// Where it is no report, or has no such host.
    pub fn read(name: &str, document: Value, host: Option<&str>) -> Result<Self, SideError> {
        let document = Document::read(document)?;
        if let Some(asked) = host
            && !document.hosts.iter().any(|host| host.name == asked)
        {
            let known = document.hosts.iter().map(|host| host.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(SideError::NoHost { asked: asked.to_owned(), known });
        }
        let of_host = document.hosts.iter().find(|one| host == Some(one.name.as_str()));
        let facts = of_host.and_then(|one| one.facts.clone()).or(document.host);
        let several = document.hosts.len() > 1;
        let wanted = |point: &IndexMap<String, Value>, ran_on: Option<&str>| match host {
            Some(host) => ran_on.or_else(|| point.get("host").and_then(Value::as_str)).is_none_or(|on| on == host),
            None => true,
        };
        let bare = |id: String| match host {
            Some(host) if several => without_host(&id, host),
            _ => id,
        };
        let mut side = Self { name: name.to_owned(), facts: words(facts), ..Self::default() };
        for ran in document.cases {
            if wanted(&ran.point, Some(&ran.host)) {
                let (id, case) = case(ran, host.is_some() && several);
                side.cases.insert(bare(id), case);
            }
        }
        for left in document.left_out {
            if wanted(&left.point, None) {
                let reason = format!("{}: {}", left.verdict.replace('_', " "), left.detail);
                side.left_out.insert(bare(left.id), reason);
            }
        }
        Ok(side)
    }
}

fn case(ran: Ran, hostless: bool) -> (String, Case) {
    let mut at: Coordinates = ran.point.iter().map(|(axis, value)| (axis.clone(), word(value))).collect();
    if hostless {
        at.remove("host");
    }
    at.entry("scenario".to_owned()).or_insert(ran.scenario);
    let boot = ran.boot.as_ref().map(|boot| outcome(&boot.outcome));
    let case = Case {
        at,
        verdict: ran.verdict.replace('_', " "),
        detail: if ran.detail.is_null() { String::new() } else { word(&ran.detail) },
        boot,
        deciding_line: ran.boot.and_then(|boot| boot.deciding_line).map(|line| normalised(&line)),
        texts: ran.observed.into_iter().map(|seen| (seen.key.folder, seen.text)).collect(),
    };
    (ran.id, case)
}

/// A line without what differs between any two boots, as goldens have their texts.
fn normalised(line: &str) -> String {
    Normaliser::builtin().apply(line).text.trim_end().to_owned()
}

fn words(facts: Option<Value>) -> BTreeMap<String, String> {
    let Some(Value::Object(facts)) = facts else { return BTreeMap::new() };
    facts.into_iter().filter(|(name, _)| name != "name").map(|(name, value)| (name, word(&value))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_report_is_told() {
        let error = |value| Side::read("x", value, None).unwrap_err().to_string();
        assert!(error(json!([1])).contains("no report"), "{}", error(json!([1])));
        assert!(error(json!({ "schema_version": 1 })).contains("missing field `cases`"));
        assert!(error(json!({ "schema_version": 7 })).contains("version 7"));
    }

    #[test]
    fn one_host_of_several_has_ids_without_it() {
        let case = |host: &str| {
            json!({ "id": format!("s[n=1,host={host}]"), "scenario": "s", "point": { "n": 1, "host": host },
                    "host": host, "verdict": "pass", "boot": null, "observed": [] })
        };
        let document = json!({ "schema_version": 1, "host": null, "left_out": [],
            "hosts": [{ "name": "a", "facts": { "name": "a", "cgroups": "v1" } }, { "name": "b", "facts": null }],
            "cases": [case("a"), case("b")] });
        let side = Side::read("x", document.clone(), Some("a")).unwrap();
        assert_eq!(side.cases.keys().collect::<Vec<_>>(), ["s[n=1]"]);
        assert!(!side.cases["s[n=1]"].at.contains_key("host"));
        assert_eq!(side.facts["cgroups"], "v1");
        assert_eq!(Side::read("x", document.clone(), None).unwrap().cases.len(), 2);
        assert!(Side::read("x", document, Some("c")).unwrap_err().to_string().contains("its hosts: a, b"));
    }

    #[test]
    fn outcomes_and_lines_lose_what_is_random() {
        assert_eq!(outcome(&json!("running")), "running");
        assert_eq!(outcome(&json!({ "exited": { "code": 255 } })), "exited(255)");
        assert_eq!(outcome(&json!({ "timeout": { "after": 20.0 } })), "timeout");
        assert_eq!(outcome(&json!({ "degraded": { "failed_units": ["a", "b"] } })), "degraded (a b)");
        let id = "0123456789abcdef".repeat(4);
        assert_eq!(normalised(&format!("/docker/{id}/x: read-only (-13)")), "/<container>/x: read-only (-13)");
        assert_eq!(normalised(&format!("/sdc-engine-docker-v1-7/{id}/x: no")), "/<container>/x: no");
    }
}
