//! `sdc-engine lint`: whether scenarios, goldens and the rest are right, for every kind of host. Starts nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::args::{LintArgs, SelectArgs};
use super::exit::{Exit, Failure};
use super::load::{Selection, kinds_of_hosts};
use super::{Setting, host, print};
use crate::diagnose;
use crate::golden::{self, store};
use crate::plan::{CaseId, CasePlan, RunPlan, WhyOut};
use crate::report::clean;

/// Reads everything that a run would read, plans it for all kinds of hosts, and warns of what has no effect.
pub(super) fn lint(args: &LintArgs, setting: Setting<'_>) -> Result<Exit, Failure> {
    let select = SelectArgs::of(&args.paths, Vec::new());
    let selection = Selection::read(&select, setting.images)?;
    host::labs(setting.images)?;
    let diagnoses = diagnose::load(setting.images).map_err(Failure::input)?;
    let goldens = store::read(setting.golden).map_err(Failure::input)?;
    let mut plans: Vec<Vec<CasePlan>> = Vec::new();
    let mut counts = Vec::new();
    // What one host can't run another may.
    let mut runs: BTreeSet<String> = BTreeSet::new();
    for facts in kinds_of_hosts() {
        let RunPlan { groups, left_out, .. } = selection.plan(&facts)?;
        let skipped = left_out.into_iter().filter(|out| matches!(out.why, WhyOut::Skipped(_)));
        runs.extend(skipped.map(|out| String::clone(&out.scenario)));
        let cases: Vec<_> = groups.into_iter().flat_map(|group| group.cases).collect();
        counts.push(format!("{} on {} with cgroup {}", cases.len(), facts.engine, facts.cgroups));
        runs.extend(cases.iter().map(|case| String::clone(&case.scenario)));
        plans.push(cases);
    }
    let scenarios: BTreeSet<&str> = selection.loaded.scenarios.iter().map(|one| one.name.as_str()).collect();
    let mut warnings = Vec::new();
    for name in &scenarios {
        if !runs.contains(*name) {
            warnings
                .push(format!("{name}: no case of it is applicable on any kind of host; `sdc-engine list` says why"));
        }
    }
    warnings.extend(idle_axes(&plans));
    if !select.is_some_selection() {
        warnings.extend(golden::not_needed(&goldens, &scenarios));
        warnings.extend(goldens.strays.iter().map(|stray| format!("{} is not read: {}", stray.path, stray.why)));
    }
    let mut text: String = warnings.iter().map(|warning| format!("! warn  {}\n", clean(warning))).collect();
    let s = |n: usize| if n == 1 { "" } else { "s" };
    let (n, w) = (scenarios.len(), warnings.len());
    text += &format!("{n} scenario{} right, {w} warning{}; cases: {}\n", s(n), s(w), counts.join(", "));
    text += &format!("{} diagnoses and {} goldens read\n", diagnoses.0.len(), goldens.folders.len());
    print(&text)?;
    Ok(Exit::Held)
}

/// Axes whose values change nothing: on no kind of host do cases differ that differ in this axis alone.
fn idle_axes(plans: &[Vec<CasePlan>]) -> Vec<String> {
    let mut effect: BTreeMap<(String, String), bool> = BTreeMap::new();
    for cases in plans {
        let mut of_scenario: BTreeMap<&str, Vec<&CasePlan>> = BTreeMap::new();
        cases.iter().for_each(|case| of_scenario.entry(&case.scenario).or_default().push(case));
        for (scenario, cases) in of_scenario {
            for axis in cases.iter().flat_map(|case| case.point.keys()).collect::<BTreeSet<_>>() {
                if let Some(changes) = changes(&cases, axis) {
                    *effect.entry((scenario.to_owned(), axis.to_string())).or_default() |= changes;
                }
            }
        }
    }
    let idle = effect.into_iter().filter(|(_, changes)| !changes);
    idle.map(|((scenario, axis), _)| {
        format!("{scenario}: nothing reads the axis `{axis}`, so all of its values are the same case")
    })
    .collect()
}

/// Whether cases differ that differ in this axis alone; `None` where there are no two such.
fn changes(cases: &[&CasePlan], axis: &str) -> Option<bool> {
    let mut groups: BTreeMap<Vec<(String, String)>, Vec<CasePlan>> = BTreeMap::new();
    for case in cases {
        let rest = case.point.iter().filter(|(name, _)| name.as_str() != axis);
        let rest = rest.map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let mut plain = (*case).clone();
        plain.id = CaseId(String::new());
        plain.point.clear();
        groups.entry(rest).or_default().push(plain);
    }
    let mut several = groups.values().filter(|group| group.len() > 1).peekable();
    several.peek()?;
    Some(several.any(|group| group.windows(2).any(|pair| pair[0] != pair[1])))
}
