//! Runs put together, and what keeps them from being one.

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;
use serde_json::Value;

use super::Part;
use crate::compare::document::{IDENTITY, word};
use crate::events::Summary;
use crate::facts::Facts;
use crate::judge::CaseResult;
use crate::plan::{CaseId, HOST_AXIS, How, LeftOut, WhyOut, is_of_another_share};
use crate::report::run::{Run, Started};
use crate::scenario::model::{AxisValue, Point};

/// Facts besides those that tell hosts apart which decide what runs and how.
const DECIDES: [&str; 3] = ["controllers", "missing_capabilities", "security"];

/// So many names are said of a list.
const SHOWN: usize = 5;

/// Reports that are no parts of one run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct MergeError(
    /// Everything that is wrong, each in one line.
    pub Vec<String>,
);

/// What reports come to together.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The run.
    pub run: Run,
    /// What a reader should know, and that no fault is.
    pub notices: Vec<String>,
    /// What is in no report: shares, and cases without a result.
    pub missing: Vec<String>,
}

/// Puts the parts of a run together. Times and boots are those of all parts, added up; of a case that two reports have with
/// one verdict the first is kept; the rules that changed nothing are those that a report names, for shares know none.
///
/// # Errors
/// Where they are no parts of one run: other versions, another host of the same name, other scenarios, shares of different
/// partitions, or two verdicts for one case.
pub fn merge(mut parts: Vec<Part>) -> Result<Merged, MergeError> {
    let mut errors = alike(&parts);
    let mut missing = Vec::new();
    for (host, of_host) in by_host(&parts) {
        errors.extend(one_host(host, &of_host));
        match shares(host, &of_host) {
            Ok(lacking) => missing.extend(lacking),
            Err(error) => errors.push(error),
        }
    }
    missing.extend(parts.iter().filter_map(unfinished));
    let several = names(&parts).len() > 1;
    parts.iter_mut().filter(|part| several && names(std::slice::from_ref(*part)).len() == 1).for_each(add_host_axis);
    let mut notices = Vec::new();
    let results = results(&parts, &mut notices, &mut errors);
    let left_out = left_out(&parts, &results, &mut errors);
    let others = |out: &&LeftOut| matches!(&out.why, WhyOut::Filtered(why) if is_of_another_share(why));
    let lost: Vec<&str> = left_out.iter().filter(others).map(|out| out.id.0.as_str()).collect();
    if !lost.is_empty() {
        missing.push(format!("{} in no report: {}", cases(lost.len()), list(&lost)));
    }
    if !errors.is_empty() {
        return Err(MergeError(errors));
    }
    Ok(Merged { run: together(&parts, results, left_out), notices, missing })
}

/// The names of the hosts, in the order of the reports.
fn names(parts: &[Part]) -> Vec<&str> {
    let mut names = Vec::new();
    for run in parts.iter().map(|part| &part.run) {
        let used = run.started.iter().map(|started| started.host.name.as_str());
        for name in used.chain(run.failed_hosts.iter().map(|host| host.name.as_str())) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// What must be the same in all reports.
fn alike(parts: &[Part]) -> Vec<String> {
    let Some(first) = parts.first() else { return Vec::new() };
    let mut errors = Vec::new();
    for part in parts {
        if part.version != first.version {
            let (a, b) = (&first.version, &part.version);
            errors.push(format!("{} is of sdc-engine {a}, and {} of {b}", first.name, part.name));
        }
        if part.redacted != first.redacted {
            let (a, b) = if part.redacted { (part, first) } else { (first, part) };
            errors.push(format!("names were taken out of {}, and not of {}", a.name, b.name));
        }
    }
    errors
}

/// Each host with what reports say of it.
fn by_host(parts: &[Part]) -> IndexMap<&str, Vec<(&str, &Started)>> {
    let mut hosts: IndexMap<&str, Vec<_>> = IndexMap::new();
    for part in parts {
        for started in &part.run.started {
            hosts.entry(&started.host.name).or_default().push((part.name.as_str(), started));
        }
    }
    hosts
}

/// The facts in which a host is another one in some report.
fn one_host(host: &str, reports: &[(&str, &Started)]) -> Vec<String> {
    let Some((first, (name, started))) = reports.split_first().map(|(first, rest)| (rest, first)) else {
        return Vec::new();
    };
    let known = facts(&started.host);
    let mut errors = Vec::new();
    for (other, there) in first {
        for (fact, value) in facts(&there.host).iter().filter(|(fact, value)| known.get(*fact) != Some(*value)) {
            let before = known.get(fact).map_or("", String::as_str);
            errors.push(format!("{host} is two hosts: its {fact} is `{before}` in {name}, and `{value}` in {other}"));
        }
    }
    errors
}

fn facts(facts: &Facts) -> BTreeMap<&'static str, String> {
    let value = serde_json::to_value(facts).unwrap_or_default();
    let of = |name: &'static str| (name, word(value.get(name).unwrap_or(&Value::Null)));
    IDENTITY.into_iter().chain(DECIDES).map(of).collect()
}

/// The shares that no report has of a host.
fn shares(host: &str, reports: &[(&str, &Started)]) -> Result<Option<String>, String> {
    let shares = || reports.iter().filter_map(|(name, started)| Some((*name, started.share.as_ref()?)));
    let Some((name, first)) = shares().next() else { return Ok(None) };
    let what = |how: How, of: u32| if how == How::Slice { format!("slice:…/{of}") } else { format!("hash:…/{of}") };
    for (other, share) in shares() {
        let (a, b) = (first.partition, share.partition);
        if (a.how, a.of) != (b.how, b.of) {
            return Err(format!("{name} and {other} are shares of two partitions of {host}: {a} and {b}"));
        }
        if (first.whole, &first.digest) != (share.whole, &share.digest) {
            return Err(format!(
                "{name} and {other} are shares of other cases on {host}: {} in all and {} (the scenarios, the filters or what is \
                 rendered of the host's facts differ)",
                first.whole, share.whole
            ));
        }
    }
    let (how, of) = (first.partition.how, first.partition.of);
    let lacking = (1..=of).filter(|number| !shares().any(|(_, share)| share.partition.share == *number));
    let lacking: Vec<String> = lacking.map(|number| number.to_string()).collect();
    let words = if lacking.len() == 1 { "share" } else { "shares" };
    let told = format!("{words} {} of {of} on {host} ({})", lacking.join(", "), what(how, of));
    Ok((!lacking.is_empty()).then_some(told))
}

/// Cases that a report should have a result of.
fn unfinished(part: &Part) -> Option<String> {
    let why = part.run.summary.as_ref().and_then(|summary| summary.stopped_early.as_deref()).unwrap_or("it broke off");
    let missing = part.run.missing();
    (missing > 0).then(|| format!("{} of {}, which was stopped early: {why}", cases(missing), part.name))
}

/// Gives the cases of a run on one host the names that they have where there are several.
fn add_host_axis(part: &mut Part) {
    let Some(host) = names(std::slice::from_ref(part)).first().map(ToString::to_string) else { return };
    let named = |id: &mut CaseId| *id = id.with(HOST_AXIS, &host);
    let add = |point: &mut Point| {
        point.insert(HOST_AXIS.into(), AxisValue::Str(host.as_str().into()));
    };
    for result in &mut part.run.results {
        named(&mut result.id);
        add(&mut result.point);
    }
    for out in &mut part.run.left_out {
        named(&mut out.id);
        add(&mut out.point);
    }
    if let Some(summary) = &mut part.run.summary {
        summary.leaks.iter_mut().flat_map(|leak| &mut leak.cases).for_each(named);
        summary.kept.iter_mut().for_each(|kept| named(&mut kept.case));
    }
}

/// Each case once; where two reports have it their verdicts must be one.
fn results(parts: &[Part], notices: &mut Vec<String>, errors: &mut Vec<String>) -> Vec<CaseResult> {
    let mut known: HashMap<&CaseId, (&str, &CaseResult)> = HashMap::new();
    let mut doubled: IndexMap<(&str, &str), Vec<&str>> = IndexMap::new();
    let mut results = Vec::new();
    for part in parts {
        for result in &part.run.results {
            let Some((name, first)) = known.get(&result.id) else {
                known.insert(&result.id, (&part.name, result));
                results.push(result.clone());
                continue;
            };
            if first.verdict == result.verdict {
                doubled.entry((name, &part.name)).or_default().push(&result.id.0);
            } else {
                let (a, b) = (first.verdict.word(), result.verdict.word());
                errors.push(format!("{} has two results: {a} in {name}, and {b} in {}", result.id, part.name));
            }
        }
    }
    for ((a, b), ids) in doubled {
        notices.push(format!(
            "{} in {a} and again in {b}, with the same verdict, kept once: {}",
            cases(ids.len()),
            list(&ids)
        ));
    }
    results
}

/// The cases that ran in no report. A filter is the user's wish for one run, and gives way to any other reason.
fn left_out(parts: &[Part], results: &[CaseResult], errors: &mut Vec<String>) -> Vec<LeftOut> {
    let ran: HashMap<&CaseId, &CaseResult> = results.iter().map(|result| (&result.id, result)).collect();
    let mut left: IndexMap<&CaseId, (&str, &LeftOut)> = IndexMap::new();
    for part in parts {
        for out in &part.run.left_out {
            let filtered = |out: &LeftOut| matches!(out.why, WhyOut::Filtered(_));
            if let Some(result) = ran.get(&out.id) {
                if !filtered(out) {
                    errors.push(format!(
                        "{} is {} in {}, and {} in another report",
                        out.id,
                        kind(out),
                        part.name,
                        result.verdict.word()
                    ));
                }
                continue;
            }
            match left.get(&out.id) {
                None => drop(left.insert(&out.id, (&part.name, out))),
                Some((_, first)) if filtered(first) && !filtered(out) => drop(left.insert(&out.id, (&part.name, out))),
                Some((name, first)) if !filtered(out) && kind(first) != kind(out) => {
                    errors.push(format!("{} is {} in {name}, and {} in {}", out.id, kind(first), kind(out), part.name))
                }
                Some(_) => {}
            }
        }
    }
    left.into_values().map(|(_, out)| out.clone()).collect()
}

const fn kind(out: &LeftOut) -> &'static str {
    match out.why {
        WhyOut::NotApplicable(_) => "not applicable",
        WhyOut::Filtered(_) => "filtered",
        WhyOut::Skipped(_) => "skipped",
    }
}

fn together(parts: &[Part], results: Vec<CaseResult>, left_out: Vec<LeftOut>) -> Run {
    let mut run = Run { left_out, ..Run::default() };
    let mut summary = Summary::default();
    for part in parts {
        for started in &part.run.started {
            let without_result = started.cases.saturating_sub(ran_on(&part.run.results, &started.host.name));
            match run.started.iter_mut().find(|known| known.host.name == started.host.name) {
                Some(known) => known.cases += without_result,
                None => {
                    let cases = ran_on(&results, &started.host.name) + without_result;
                    run.started.push(Started { cases, share: None, ..started.clone() });
                }
            }
        }
        summary.add(part.run.summary.clone().unwrap_or_default());
        for rule in &part.run.unused_rules {
            if !run.unused_rules.contains(rule) {
                run.unused_rules.push(rule.clone());
            }
        }
    }
    // A host that could be used for one part has its cases there.
    for host in parts.iter().flat_map(|part| &part.run.failed_hosts) {
        let known = run.started.iter().any(|started| started.host.name == host.name);
        if !known && !run.failed_hosts.iter().any(|failed| failed.name == host.name) {
            let mut host = host.clone();
            host.cases = ran_on(&results, &host.name);
            run.failed_hosts.push(host);
        }
    }
    run.results = results;
    run.summary = Some(summary);
    run
}

fn ran_on(results: &[CaseResult], host: &str) -> usize {
    results.iter().filter(|result| result.host == host).count()
}

fn cases(n: usize) -> String {
    format!("{n} {}", if n == 1 { "case" } else { "cases" })
}

fn list(names: &[&str]) -> String {
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown}, …") } else { shown }
}

#[cfg(test)]
mod tests;
