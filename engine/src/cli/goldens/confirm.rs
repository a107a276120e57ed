//! Runs cases again, as often as is missing before their texts may be recorded.

use std::collections::BTreeMap;

use super::super::args::{RunArgs, SelectArgs};
use super::super::exit::Failure;
use super::super::host::Ask;
use super::super::print;
use super::super::session::{self, Asked};
use super::aside::{Beyond, add};
use super::count;
use super::desk::Desk;
use crate::pending::Entry;

/// Runs the cases for which `wanted` holds until `runs` runs of each saw it, host by host, and sets aside what they see.
/// A host that can't be had is told, and its cases stay as they are.
///
/// # Errors
/// What is wrong with the scenarios, or with the file of what is set aside.
pub(super) async fn confirm(desk: &mut Desk<'_>, wanted: impl Fn(&Entry) -> bool, runs: u32) -> Result<(), Failure> {
    let mut missing: BTreeMap<(String, u32), Vec<String>> = BTreeMap::new();
    let pending = &desk.held.pending;
    let some = |entry: &&Entry| wanted(entry) && entry.other.is_none() && entry.broken.is_none() && entry.runs < runs;
    for entry in pending.entries.iter().filter(some) {
        let Some(facts) = pending.facts(entry) else { continue };
        let cases = missing.entry((facts.name.clone(), runs - entry.runs)).or_default();
        if !cases.contains(&entry.case.0) {
            cases.push(entry.case.0.clone());
        }
    }
    let setting = desk.setting;
    for ((host, more), cases) in missing {
        let times = count(more as usize, "time");
        print(&format!(
            "running {} {times} more on {host}, for {runs} runs must say the same\n",
            count(cases.len(), "case")
        ))?;
        let asked = Asked {
            select: &SelectArgs::of(desk.paths, cases),
            hosts: vec![Ask { name: Some(&host), engine: None }],
            // It ran there before, so somebody has allowed it.
            run: &RunArgs { allow_host_risk: true, ..RunArgs::default() },
            repeat: more,
            images: setting.images,
            golden: setting.golden,
            earlier: None,
            silent: true,
            redaction: setting.redaction,
        };
        match session::run(asked).await {
            Ok(ran) => add(&ran, more, Beyond::Goldens, &mut desk.held.pending),
            Err(failure) => print(&format!("not on {host}: {}\n", failure.report))?,
        }
    }
    desk.held.write().map_err(Failure::environment)?;
    desk.read_scenarios()
}
