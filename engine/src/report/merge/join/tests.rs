use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::judge::Verdict;
use crate::plan::{Partition, Share};
use crate::redact::Redaction;
use crate::report::{document, sample};

/// A made-up run of so many cases: the sample's results under other names, on one host.
fn whole(cases: usize) -> Run {
    let mut run = sample::run();
    run.unused_rules.clear();
    let kinds = run.results.clone();
    run.results = (0..cases)
        .map(|n| {
            let mut result = kinds[n % kinds.len()].clone();
            result.id = CaseId(format!("s[n={n}]"));
            result
        })
        .collect();
    run.started[0].cases = cases;
    run
}

/// One share of it, as a machine of its own would have run it.
fn share(run: &Run, share: u32, of: u32) -> Part {
    let partition = Partition { how: How::Slice, share, of };
    let mine = |n: usize| n % (of as usize) == (share as usize) - 1;
    let mut part = run.clone();
    part.left_out.extend(run.results.iter().enumerate().filter(|(n, _)| !mine(*n)).map(|(_, result)| LeftOut {
        id: result.id.clone(),
        scenario: result.scenario.clone().into(),
        point: result.point.clone(),
        why: WhyOut::Filtered(format!("--partition {partition}: it is in another")),
    }));
    part.results = run.results.iter().enumerate().filter(|(n, _)| mine(*n)).map(|(_, result)| result.clone()).collect();
    part.started[0].cases = part.results.len();
    part.started[0].share = Some(Share { partition, whole: run.results.len(), digest: "d".into() });
    if share > 1 {
        part.summary = part.summary.map(|summary| Summary { leaks: vec![], ..summary });
    }
    Part { name: format!("{share}.json"), version: "1".into(), redacted: false, run: part }
}

fn shares(run: &Run, of: u32) -> Vec<Part> {
    (1..=of).map(|number| share(run, number, of)).collect()
}

/// The document without what parts have of their own, and with what has no order in one.
fn said(run: &Run) -> Value {
    let mut value = document(run, &Redaction::off()).unwrap();
    for name in ["boots", "took"] {
        value["summary"][name] = Value::Null;
    }
    let key = |value: &Value| value["id"].as_str().map(ToOwned::to_owned);
    value["left_out"].as_array_mut().unwrap().sort_by_key(key);
    value
}

fn errors(parts: Vec<Part>) -> String {
    merge(parts).unwrap_err().to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_shares_of_a_run_are_the_run(cases in 0usize..40, of in 1u32..5, turn in any::<prop::sample::Index>()) {
        let run = whole(cases);
        let mut parts = shares(&run, of);
        let turn = turn.index(parts.len());
        parts.rotate_left(turn);
        let merged = merge(parts).unwrap();
        prop_assert_eq!((&merged.missing, &merged.notices), (&vec![], &vec![]));
        prop_assert_eq!(said(&merged.run), said(&run));
    }

    #[test]
    fn a_share_that_is_missing_is_told_with_its_cases(cases in 1usize..40, of in 2u32..5, gone in any::<prop::sample::Index>()) {
        let run = whole(cases);
        let mut parts = shares(&run, of);
        let gone = parts.remove(gone.index(parts.len()));
        let merged = merge(parts).unwrap();
        prop_assert!(merged.missing[0].starts_with(&format!("share {} of {of}", gone.name.replace(".json", ""))), "{:?}", merged.missing);
        let lost: BTreeSet<_> = gone.run.results.iter().map(|result| &result.id).collect();
        let left = merged.run.left_out.iter().filter(|out| matches!(&out.why, WhyOut::Filtered(why) if is_of_another_share(why)));
        prop_assert_eq!(left.map(|out| &out.id).collect::<BTreeSet<_>>(), lost.clone());
        prop_assert_eq!(merged.missing.len(), if lost.is_empty() { 1 } else { 2 });
    }
}

#[test]
fn what_is_twice_is_kept_once_or_is_an_error() {
    let run = whole(6);
    let mut parts = shares(&run, 2);
    parts.push(Part { name: "again.json".into(), ..share(&run, 2, 2) });
    let merged = merge(parts.clone()).unwrap();
    assert_eq!(said(&merged.run), said(&run));
    assert_eq!(
        merged.notices,
        ["3 cases in 2.json and again in again.json, with the same verdict, kept once: s[n=1], s[n=3], s[n=5]"]
    );
    parts[2].run.results[1].verdict = Verdict::Skipped("x".into());
    let before = parts[1].run.results[1].verdict.word();
    assert_eq!(errors(parts), format!("s[n=3] has two results: {before} in 2.json, and skipped in again.json"));
}

#[test]
fn what_is_no_part_of_one_run_is_told() {
    let run = whole(4);
    let with = |change: fn(&mut Part)| {
        let mut parts = shares(&run, 2);
        change(&mut parts[1]);
        errors(parts)
    };
    assert_eq!(with(|part| part.version = "2".into()), "1.json is of sdc-engine 1, and 2.json of 2");
    assert_eq!(with(|part| part.redacted = true), "names were taken out of 2.json, and not of 1.json");
    let kernel = with(|part| part.run.started[0].host.kernel = "9.9".into());
    assert!(kernel.contains("is two hosts: its kernel is `") && kernel.ends_with("and `9.9` in 2.json"), "{kernel}");
    let cases = with(|part| part.run.started[0].share.iter_mut().for_each(|share| share.digest = "e".into()));
    assert!(cases.starts_with("1.json and 2.json are shares of other cases on docker-v1: 4 in all and 4"), "{cases}");
    let how = with(|part| part.run.started[0].share.iter_mut().for_each(|share| share.partition.how = How::Hash));
    assert_eq!(how, "1.json and 2.json are shares of two partitions of docker-v1: slice:1/2 and hash:2/2");
    let skipped = with(|part| part.run.left_out[0].why = WhyOut::NotApplicable("x".into()));
    assert!(skipped.contains("is skipped in 1.json, and not applicable in 2.json"), "{skipped}");
}

#[test]
fn a_run_that_was_stopped_lacks_its_cases() {
    let mut parts = shares(&whole(4), 2);
    parts[0].run.results.truncate(1);
    parts[0].run.summary.iter_mut().for_each(|summary| summary.stopped_early = Some("interrupted".into()));
    let merged = merge(parts).unwrap();
    assert_eq!(merged.missing[0], "1 case of 1.json, which was stopped early: interrupted");
    assert_eq!((merged.run.planned(), merged.run.results.len()), (4, 3));
}

#[test]
fn hosts_stand_side_by_side_as_in_one_run() {
    let mut parts: Vec<Part> = shares(&whole(3), 1);
    let mut other = parts[0].clone();
    other.run.started[0].host.name = "podman-v2".into();
    other.run.results.iter_mut().for_each(|result| result.host = "podman-v2".into());
    parts.push(other);
    let run = merge(parts).unwrap().run;
    let ids: BTreeSet<&str> = run.results.iter().map(|result| result.id.0.as_str()).collect();
    assert_eq!((run.started.len(), ids.len(), run.planned()), (2, 6, 6));
    assert!(ids.contains("s[n=0,host=docker-v1]") && ids.contains("s[n=2,host=podman-v2]"), "{ids:?}");
    assert!(run.results.iter().all(|result| result.point["host"] == AxisValue::Str(result.host.as_str().into())));
}
