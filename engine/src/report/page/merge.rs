//! Several reports as one list of cases: which host is which, and which result counts. Pure.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::Value;

use super::build::Source;
use super::model::HostView;
use crate::compare::document::{IDENTITY, Left, OneHost, Ran, without_host, word};
use crate::report::clean;

/// A case as a report tells it.
#[derive(Debug, Clone)]
pub(super) struct Origin<'a> {
    /// Its name without the host.
    pub id: String,
    /// The report.
    pub source: &'a str,
    /// Its host as the page calls it; `None` where nobody knows.
    pub host: Option<String>,
    what: What<'a>,
}

#[derive(Debug, Clone, Copy)]
enum What<'a> {
    Ran(&'a Ran),
    Left(&'a Left),
}

impl<'a> Origin<'a> {
    pub(super) const fn ran(&self) -> Option<&'a Ran> {
        match self.what {
            What::Ran(ran) => Some(ran),
            What::Left(_) => None,
        }
    }

    pub(super) fn verdict(&self) -> &'a str {
        match self.what {
            What::Ran(ran) => &ran.verdict,
            What::Left(left) => &left.verdict,
        }
    }

    pub(super) fn point(&self) -> &'a IndexMap<String, Value> {
        match self.what {
            What::Ran(ran) => &ran.point,
            What::Left(left) => &left.point,
        }
    }

    pub(super) fn detail(&self) -> Option<Value> {
        match self.what {
            What::Ran(ran) => Some(ran.detail.clone()),
            What::Left(left) => Some(left.detail.clone().into()),
        }
    }

    /// A case that never ran has its scenario's name in its own, in reports that do not say it.
    pub(super) fn scenario(&self) -> &'a str {
        match self.what {
            What::Ran(ran) => &ran.scenario,
            What::Left(left) if left.scenario.is_empty() => left.id.split('[').next().unwrap_or_default(),
            What::Left(left) => &left.scenario,
        }
    }
}

/// All reports.
#[derive(Debug, Default)]
pub(super) struct Merged<'a> {
    /// The hosts, in the order of the reports.
    pub hosts: Vec<HostView>,
    /// The cases, by name and host.
    pub cases: Vec<Origin<'a>>,
    /// What a reader must know.
    pub notices: Vec<String>,
}

/// Puts them together. Of a case that several reports have on the same host the last result counts, unless a filter kept
/// it from having one there; hosts of one name whose facts differ are two.
pub(super) fn merge(sources: &[Source]) -> Merged<'_> {
    let mut merged = Merged::default();
    let mut names: Vec<(String, String)> = Vec::new();
    let mut cases: IndexMap<(String, Option<String>), Origin<'_>> = IndexMap::new();
    for source in sources {
        let own = hosts(source, &mut merged, &mut names);
        let mut again: IndexMap<(&str, String), usize> = IndexMap::new();
        let document = &source.document;
        let only = match document.hosts.as_slice() {
            [host] => Some(host.name.as_str()),
            _ => None,
        };
        let ran = document.cases.iter().map(|ran| (ran.id.as_str(), Some(ran.host.as_str()), What::Ran(ran)));
        let left = document.left_out.iter().map(|left| {
            let host = left.point.get("host").and_then(Value::as_str).or(only);
            (left.id.as_str(), host, What::Left(left))
        });
        for (id, host, what) in ran.chain(left) {
            let shown = host.map(|host| own.get(host).cloned().unwrap_or_else(|| add(&mut merged.hosts, host)));
            let id = host.map_or_else(|| id.to_owned(), |host| without_host(id, host));
            let origin = Origin { id: id.clone(), source: &source.name, host: shown.clone(), what };
            let key = (id, shown);
            if let Some(known) = cases.get(&key) {
                if origin.verdict() == "filtered" {
                    continue;
                }
                if known.ran().is_some() {
                    *again.entry((known.source, key.1.clone().unwrap_or_default())).or_default() += 1;
                }
            }
            cases.insert(key, origin);
        }
        for ((before, host), n) in again {
            let cases = if n == 1 { "case" } else { "cases" };
            let (before, after) = (clean(before), clean(&source.name));
            merged.notices.push(format!("{n} {cases} of {host}: in {before} and again in {after}, which counts"));
        }
    }
    merged.cases = cases.into_values().collect();
    merged.cases.sort_by(|a, b| (a.scenario(), &a.id).cmp(&(b.scenario(), &b.id)));
    merged
}

/// The names of a report's hosts in the page.
fn hosts(source: &Source, merged: &mut Merged<'_>, names: &mut Vec<(String, String)>) -> HashMap<String, String> {
    let mut own = HashMap::new();
    for host in &source.document.hosts {
        let identity = identity(host);
        let name = clean(&host.name).replace('\n', " ");
        let same =
            names.iter().position(|(known, facts)| *known == host.name && (*facts == identity || identity.is_empty()));
        // The name stands at the same place among the hosts.
        let shown = if let Some(at) = same {
            merged.hosts[at].name.clone()
        } else {
            let before = names.iter().filter(|(known, _)| *known == host.name).count();
            let shown = if before == 0 { name.clone() } else { format!("{name} ({})", before + 1) };
            if before > 0 {
                let report = clean(&source.name);
                merged.notices.push(format!("{name} is another host in {report}, by its facts: {shown} here"));
            }
            names.push((host.name.clone(), identity));
            merged.hosts.push(view(shown.clone(), host));
            shown
        };
        own.insert(host.name.clone(), shown);
    }
    own
}

/// A host that only cases know.
fn add(hosts: &mut Vec<HostView>, name: &str) -> String {
    let name = clean(name).replace('\n', " ");
    if !hosts.iter().any(|host| host.name == name) {
        hosts.push(HostView { name: name.clone(), what: String::new(), why: String::new(), facts: Vec::new() });
    }
    name
}

fn fact(host: &OneHost, name: &str) -> String {
    host.facts.as_ref().and_then(|facts| facts.get(name)).map_or_else(String::new, |value| clean(&word(value)))
}

fn identity(host: &OneHost) -> String {
    if host.facts.is_none() { String::new() } else { IDENTITY.map(|name| fact(host, name)).join("\n") }
}

fn view(name: String, host: &OneHost) -> HostView {
    let facts = host.facts.as_ref().and_then(Value::as_object);
    let what = match (facts, &host.error) {
        (Some(_), _) => {
            let rights = if fact(host, "rootless") == "true" { "rootless" } else { "rootful" };
            let (cgroups, layout) = (fact(host, "cgroups"), fact(host, "cgroup_layout"));
            let layout = if layout.is_empty() || layout == cgroups { String::new() } else { format!(" ({layout})") };
            format!(
                "{} {} ({} {}), {rights}, cgroup {cgroups}{layout}, kernel {}, {}",
                fact(host, "engine"),
                fact(host, "engine_version"),
                fact(host, "runtime"),
                fact(host, "runtime_version"),
                fact(host, "kernel"),
                fact(host, "os"),
            )
        }
        (None, Some(error)) => format!("could not be used: {}", clean(error)),
        (None, None) => String::new(),
    };
    let facts = facts.into_iter().flatten().filter(|(name, _)| *name != "name");
    let facts = facts.map(|(name, value)| (clean(name), clean(&word(value)))).filter(|(_, value)| !value.is_empty());
    HostView { name, what, why: clean(&host.why_host), facts: facts.collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::compare::Document;

    fn case(host: &str, verdict: &str) -> Value {
        json!({ "id": format!("s[n=1,host={host}]"), "scenario": "s", "point": { "n": 1, "host": host }, "host": host,
                "verdict": verdict, "boot": null, "observed": [] })
    }

    fn source(name: &str, kernel: &str, cases: &[Value], left_out: &[Value]) -> Source {
        let hosts = json!([{ "name": "a", "facts": { "name": "a", "kernel": kernel, "rlimits": name } }]);
        let value = json!({ "schema_version": 1, "host": null, "hosts": hosts, "cases": cases, "left_out": left_out });
        Source { name: name.into(), document: Document::read(value).unwrap() }
    }

    /// Name, host, verdict.
    type Told = (String, Option<String>, String);

    fn told(sources: &[Source]) -> (Vec<Told>, Vec<String>) {
        let merged = merge(sources);
        let told = |origin: &Origin<'_>| (origin.id.clone(), origin.host.clone(), origin.verdict().to_owned());
        (merged.cases.iter().map(told).collect(), merged.notices)
    }

    #[test]
    fn the_later_result_of_a_case_counts_and_that_is_said() {
        let (one, two) = (source("1", "6", &[case("a", "fail")], &[]), source("2", "6", &[case("a", "pass")], &[]));
        let (cases, notices) = told(&[one.clone(), two]);
        assert_eq!(cases, [("s[n=1]".to_owned(), Some("a".to_owned()), "pass".to_owned())]);
        assert_eq!(notices, ["1 case of a: in 1 and again in 2, which counts"]);
        // A filter is the user's wish for that run, and no result.
        let left =
            json!({ "id": "s[n=1]", "scenario": "s", "point": { "n": 1 }, "verdict": "filtered", "detail": "-k" });
        let (cases, notices) = told(&[one, source("2", "6", &[], &[left])]);
        assert_eq!((cases[0].2.as_str(), notices.len()), ("fail", 0));
    }

    #[test]
    fn one_name_and_other_facts_are_two_hosts() {
        let sources = [source("1", "6", &[case("a", "fail")], &[]), source("2", "7", &[case("a", "pass")], &[])];
        let (cases, notices) = told(&sources);
        assert_eq!(cases.iter().filter_map(|case| case.1.as_deref()).collect::<Vec<_>>(), ["a", "a (2)"]);
        assert_eq!(notices, ["a is another host in 2, by its facts: a (2) here"]);
    }

    #[test]
    fn a_host_that_only_cases_know_is_one_too() {
        let merged_from = [source("1", "6", &[case("b", "pass")], &[])];
        let merged = merge(&merged_from);
        assert_eq!(merged.hosts.iter().map(|host| host.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }
}
