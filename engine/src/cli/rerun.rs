//! `sdc-engine rerun`: runs again what did not hold in the last run, or in a report; and what `check` keeps for that.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::args::{HostsArgs, PathArgs, RerunArgs, RunArgs, SelectArgs};
use super::exit::{Exit, Failure};
use super::goldens::in_ci;
use super::load::Selection;
use super::reports::{read, wrong};
use super::session::{self, Asked, Earlier, Ran};
use super::{Setting, check, host, print, say};
use crate::compare::Document;
use crate::plan::CaseId;
use crate::plan::HOST_AXIS;
use crate::rerun::{LastRun, Only, Told, Which, store};

const COMMAND: &str = "rerun";
/// So many cases that are gone are named.
const NAMED: usize = 8;

/// Runs again what did not hold.
pub(super) async fn rerun(args: RerunArgs, setting: Setting<'_>) -> Result<Exit, Failure> {
    let which = Which { new: args.new, warned: args.warned };
    let report = args.failed.clone().flatten();
    let mut last = match &report {
        Some(path) => of_report(path)?,
        None => kept(setting.aside)?,
    };
    if !args.scenarios.is_empty() {
        last.paths.clone_from(&args.scenarios);
    }
    let only = last.only(which);
    if only.ids().is_empty() {
        return nothing(&last, which);
    }
    let (asked, only) = hosts(&args.hosts, &last, &only)?;
    let paths = PathArgs { paths: last.paths.clone(), max_cases: last.max_cases };
    let select = SelectArgs { only: Some(only), ..SelectArgs::of(&paths, Vec::new()) };
    let gone = gone(&select, setting.images)?;
    let run = RunArgs { allow_host_risk: args.run.allow_host_risk || last.allow_host_risk, ..args.run };
    let repeat = args.repeat.unwrap_or(last.repeat);
    let Setting { images, golden, redaction, .. } = setting;
    let each = host::each(&asked, images)?;
    let ran = session::run(Asked {
        select: &select,
        hosts: each,
        run: &run,
        repeat,
        images,
        golden,
        earlier: Some(Earlier { folder: setting.aside, leave_out: false }),
        silent: false,
        redaction,
    })
    .await?;
    let again = told(&ran);
    let mut known = last.after(&again, &gone);
    known.hosts.extend(asked.hosts.iter().filter(|name| !known.hosts.contains(name)).cloned().collect::<Vec<_>>());
    if report.is_some() {
        known = LastRun { cases: again, ..of(&select, &asked, &run, repeat, &ran) };
    }
    let ended = check::end(&ran, &run, repeat, setting.aside);
    keep(setting.aside, &known);
    ended
}

/// What a run is kept as.
pub(super) fn of(select: &SelectArgs, hosts: &HostsArgs, run: &RunArgs, repeat: u32, ran: &Ran) -> LastRun {
    LastRun {
        day: session::today(),
        paths: select.paths.clone(),
        max_cases: select.max_cases,
        hosts: hosts.hosts.iter().filter(|name| !name.is_empty()).cloned().collect(),
        engine: hosts.container_exe,
        allow_host_risk: run.allow_host_risk,
        repeat,
        missing: ran.record.missing(),
        ..LastRun::of(told(ran))
    }
}

/// Keeps a run as the last one, but not in CI, where nothing is written that nobody asked for. A folder that can't be
/// written takes nothing from what the run says.
pub(super) fn keep(aside: &Path, last: &LastRun) {
    if in_ci() {
        return;
    }
    if let Err(error) = store::write(aside, last) {
        tracing::warn!("`rerun --failed` will not know of this run: {}: {error}", aside.display());
    }
}

/// What came of the cases of a run.
fn told(ran: &Ran) -> Vec<Told> {
    let one = |result: &crate::judge::CaseResult| Told {
        id: result.id.without(HOST_AXIS, &result.host),
        host: result.host.clone(),
        verdict: result.verdict.word().to_owned(),
    };
    ran.outcome.results.iter().map(one).collect()
}

/// The last run of this folder.
fn kept(aside: &Path) -> Result<LastRun, Failure> {
    let help = "delete it, and run `check` once more";
    match store::read(aside).map_err(|words| Failure::input(miette::miette!(help = help, "{words}")))? {
        Some(last) => Ok(last),
        None => {
            let help = if in_ci() {
                "CI is set, so check keeps nothing: check --json FILE, then rerun --failed FILE"
            } else {
                "run `sdc-engine check` first, in this folder; or name a report: rerun --failed FILE"
            };
            Err(Failure::input(miette::miette!(help = help, "no run is known in {}", aside.display())))
        }
    }
}

/// What a report says of a run.
fn of_report(path: &Path) -> Result<LastRun, Failure> {
    let document = Document::read(read(path, COMMAND)?).map_err(|error| wrong(path, COMMAND, &error.to_string()))?;
    let told = |case: &crate::compare::document::Ran| Told {
        id: CaseId(case.id.clone()).without(HOST_AXIS, &case.host),
        host: case.host.clone(),
        verdict: case.verdict.clone(),
    };
    let runs = |case: &crate::compare::document::Ran| u32::try_from(case.detail.get(1)?.as_u64()?).ok();
    let flaky = document.cases.iter().filter(|case| case.verdict == "flaky").filter_map(runs).max();
    Ok(LastRun {
        paths: vec![PathBuf::from("scenarios")],
        hosts: document.hosts.iter().map(|host| host.name.clone()).collect(),
        repeat: flaky.unwrap_or(1),
        ..LastRun::of(document.cases.iter().map(told).collect())
    })
}

/// Says that there is nothing to run.
fn nothing(last: &LastRun, which: Which) -> Result<Exit, Failure> {
    let day = if last.day.is_empty() { String::new() } else { format!(" of {}", last.day) };
    if last.missing > 0 {
        return Err(Failure::input(miette::miette!(
            help = "run `sdc-engine check` again",
            "nothing failed in the run{day}, but it was stopped before {} cases ran",
            last.missing
        )));
    }
    let s = if last.cases.len() == 1 { "" } else { "s" };
    print(&format!("nothing failed in the run{day} ({} case{s})\n", last.cases.len()))?;
    for (verdict, words, asked) in [
        ("new", "new: `sdc-engine review` decides on them, --new runs them again", which.new),
        ("warn", "warned: --warned runs them again", which.warned),
    ] {
        let n = last.count(verdict);
        if n > 0 && !asked {
            print(&format!("{n} of them {words}\n"))?;
        }
    }
    Ok(Exit::Held)
}

/// Where the cases run: on the hosts that are asked for, else each where it failed.
fn hosts(asked: &[String], last: &LastRun, only: &Only) -> Result<(HostsArgs, Only), Failure> {
    let on = |hosts: Vec<String>| HostsArgs { hosts, container_exe: last.engine };
    if !asked.is_empty() {
        return Ok((HostsArgs { hosts: asked.to_vec(), container_exe: None }, only.anywhere()));
    }
    if let Some(name) = last.hosts.iter().find(|name| name.contains('<')) {
        return Err(Failure::input(miette::miette!(
            help = "name the host: rerun --failed FILE --host ssh://…",
            "the report calls its host {name}: names were taken out of it"
        )));
    }
    if last.hosts.len() < 2 {
        return Ok((on(last.hosts.clone()), only.anywhere()));
    }
    let failed: Vec<String> = last.hosts.iter().filter(|name| only.names(name)).cloned().collect();
    Ok((on(if failed.is_empty() { last.hosts.clone() } else { failed }), only.clone()))
}

/// The cases that there are no more; where there are others, that is only said.
fn gone(select: &SelectArgs, images: &Path) -> Result<BTreeSet<String>, Failure> {
    let wanted = select.only.as_ref().map(Only::ids).unwrap_or_default();
    let known = Selection::read(select, images)?.ids()?;
    let gone: BTreeSet<String> = wanted.difference(&known).cloned().collect();
    if gone.is_empty() {
        return Ok(gone);
    }
    let mut names: Vec<&str> = gone.iter().take(NAMED).map(String::as_str).collect();
    let more = format!("and {} more", gone.len().saturating_sub(NAMED));
    if gone.len() > NAMED {
        names.push(&more);
    }
    let words = format!("no case any more: {}", names.join(", "));
    if gone.len() == wanted.len() {
        let help = "the scenarios were changed since: run `sdc-engine check`; or --scenarios names where they are";
        return Err(Failure::input(miette::miette!(help = help, "{words}")));
    }
    say(&words);
    Ok(gone)
}
