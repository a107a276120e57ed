//! `sdc-engine list`: the cases, and why each is in or out.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use super::args::ListArgs;
use super::exit::{Exit, Failure};
use super::load::Selection;
use super::{host, json as to_json, print, select};
use crate::facts::Facts;
use crate::plan::{RunPlan, WhyOut};
use crate::redact::Redaction;

/// Prints the cases, of each host in turn.
pub(super) async fn list(args: ListArgs, images: &Path, redaction: &Redaction) -> Result<Exit, Failure> {
    let selection = Selection::read(&args.select, images)?;
    let mut hosts = Vec::new();
    if args.assume.is_empty() {
        for ask in host::each(&args.host, images)? {
            let opened = host::open(ask, images).await?;
            hosts.push((opened.host.facts().clone(), opened.host.is_lab()));
            opened.host.close().await;
        }
    } else {
        hosts.push((select::assumed(&args.assume)?, true));
    }
    let mut plans = Vec::new();
    for (facts, lab) in &hosts {
        let mut plan = selection.plan(facts)?;
        if !lab && !args.allow_host_risk {
            plan.spare_host();
        }
        if hosts.len() > 1 {
            plan.add_axis("host", &facts.name);
        }
        plans.push((plan, facts));
    }
    let shown = if args.json {
        let mut documents: Vec<_> = plans.iter().map(|(plan, facts)| document(plan, facts)).collect();
        let mut value = if documents.len() == 1 { documents.remove(0) } else { json!({ "hosts": documents }) };
        let machines: Vec<_> = hosts.iter().map(|(facts, _)| (facts.name.as_str(), facts.machine.as_str())).collect();
        redaction.value(&machines, &mut value);
        to_json(&value)?
    } else {
        plans.iter().map(|(plan, facts)| text(plan, facts)).collect::<Vec<_>>().join("\n")
    };
    print(&shown)?;
    Ok(Exit::Held)
}

/// How many cases are in and out.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    run: usize,
    skipped: usize,
    filtered: usize,
    not_applicable: usize,
}

fn counts(plan: &RunPlan) -> Counts {
    let mut counts = Counts { run: plan.cases(), ..Counts::default() };
    for out in &plan.left_out {
        match out.why {
            WhyOut::NotApplicable(_) => counts.not_applicable += 1,
            WhyOut::Filtered(_) => counts.filtered += 1,
            WhyOut::Skipped(_) => counts.skipped += 1,
        }
    }
    counts
}

fn text(plan: &RunPlan, facts: &Facts) -> String {
    let mut lines: Vec<(String, String)> = plan
        .groups
        .iter()
        .flat_map(|group| &group.cases)
        .map(|case| (case.id.0.clone(), "run".to_string()))
        .chain(plan.left_out.iter().map(|out| (out.id.0.clone(), why(&out.why))))
        .collect();
    lines.sort();
    let width = lines.iter().map(|(id, _)| id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (id, why) in &lines {
        // Writing to a string can't fail.
        let _ok = writeln!(text, "{id:width$}  {why}");
    }
    let Counts { run, skipped, filtered, not_applicable } = counts(plan);
    let total = run + skipped + filtered + not_applicable;
    let applicable = total - not_applicable;
    let _ok = write!(
        text,
        "\n{total} cases on {} with cgroup {}: {applicable} applicable, {not_applicable} not applicable\n\
         of the applicable: {run} run in {} boots, {skipped} skipped, {filtered} filtered\n",
        facts.engine,
        facts.cgroups,
        plan.groups.len(),
    );
    text
}

fn why(why: &WhyOut) -> String {
    match why {
        WhyOut::NotApplicable(reason) => format!("not applicable: {reason}"),
        WhyOut::Filtered(by) => format!("filtered: {by}"),
        WhyOut::Skipped(reason) => format!("skipped: {reason}"),
    }
}

fn document(plan: &RunPlan, facts: &Facts) -> serde_json::Value {
    let Counts { run, skipped, filtered, not_applicable } = counts(plan);
    json!({
        "host": facts,
        "counts": { "run": run, "skipped": skipped, "filtered": filtered, "not_applicable": not_applicable,
                    "boots": plan.groups.len() },
        "run": plan.groups.iter().map(|group| &group.cases).collect::<Vec<_>>(),
        "left_out": plan.left_out,
    })
}
