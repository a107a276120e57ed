//! `sdc-engine explain`: how the golden texts of a case are made of what it printed.

use super::super::Setting;
use super::super::args::{ExplainArgs, RunArgs, SelectArgs};
use super::super::exit::{Exit, Failure};
use super::super::host;
use super::super::load::Selection;
use super::super::print;
use super::super::session::{self, Asked};
use super::desk::Desk;
use super::review::columns;
use crate::golden::store;
use crate::judge::{GoldenKey, GoldenState, golden_form};
use crate::pending;
use crate::plan::CasePlan;
use crate::report::{clean, side_by_side};

/// Shows each golden text of the cases that are named, before and after normalising, and the file that stands for it. What
/// check has set aside of a case is shown; any other case is run once.
pub(in super::super) async fn explain(args: ExplainArgs, setting: Setting<'_>) -> Result<Exit, Failure> {
    let aside = shown_aside(&args, setting)?;
    if aside { Ok(Exit::Held) } else { run(&args, setting).await }
}

/// Shows what is set aside of the case; whether anything is.
fn shown_aside(args: &ExplainArgs, setting: Setting<'_>) -> Result<bool, Failure> {
    // To lay a desk makes the folder, which looking should not.
    if pending::store::read(setting.aside).map_err(Failure::input)?.entries.is_empty() {
        return Ok(false);
    }
    let desk = Desk::lay(setting, &args.paths)?;
    let (items, _) = desk.items()?;
    let mut any = false;
    for item in items.iter().filter(|item| item.entry.case.0 == args.case) {
        let Some(plan) = desk.plan(item.entry) else { continue };
        let host = desk.held.pending.facts(item.entry).map_or("", |facts| facts.name.as_str());
        let lead = format!("{}  as set aside, on {host}", item.entry.case);
        let file = item.golden.as_ref().map(|(file, _)| file.as_str());
        print(&one(&lead, plan, &item.entry.key, &item.entry.raw, file)?)?;
        any = true;
    }
    Ok(any)
}

/// Runs the case, and shows its texts.
async fn run(args: &ExplainArgs, setting: Setting<'_>) -> Result<Exit, Failure> {
    let Setting { images, golden, redaction, .. } = setting;
    let select = SelectArgs::of(&args.paths, vec![args.case.clone()]);
    let goldens = store::read(golden).map_err(Failure::input)?;
    let asked = Asked {
        select: &select,
        hosts: vec![host::one(&args.host)],
        run: &RunArgs { allow_host_risk: args.allow_host_risk, ..RunArgs::default() },
        repeat: 1,
        images,
        golden,
        earlier: None,
        silent: true,
        redaction,
    };
    let ran = session::run(asked).await?;
    let selection = Selection::read(&select, images)?;
    let mut any = false;
    for result in &ran.outcome.results {
        let Some(planned) = ran.cases.get(&result.id) else { continue };
        let Some(facts) = ran.facts.get(planned.host) else { continue };
        let plans = selection.plan(facts)?.groups.into_iter().flat_map(|group| group.cases);
        let Some(plan) = plans.into_iter().find(|plan| plan.id == result.id) else { continue };
        for observed in &result.observed {
            let state = goldens.state(&observed.key, &planned.case, &planned.at).map_err(Failure::input)?;
            let file = match &state {
                GoldenState::Recorded { file, .. } => Some(file.as_str()),
                GoldenState::New => None,
            };
            let lead = format!("{}  {} now, on {}", result.id, result.verdict.word(), result.host);
            print(&one(&lead, &plan, &observed.key, &observed.raw, file)?)?;
            any = true;
        }
    }
    if any {
        return Ok(Exit::Held);
    }
    let why = match ran.outcome.results.first() {
        Some(result) => {
            format!("{} ended as {}, and showed no text that a golden is about", result.id, result.verdict.word())
        }
        None => format!("no case that runs on this host has `{}` in its name", args.case),
    };
    Err(Failure::input(miette::miette!(
        help = "`sdc-engine list` shows the cases, and `check` what comes of one",
        "{why}"
    )))
}

/// One text, with the golden that stands for it.
fn one(lead: &str, plan: &CasePlan, key: &GoldenKey, raw: &str, file: Option<&str>) -> Result<String, Failure> {
    let golden = match file {
        Some(file) => format!("golden/{file}"),
        None => format!("nothing recorded in golden/{}/{}", key.scenario, key.folder),
    };
    let mut text = format!("{}\n{}\n", clean(lead), clean(&golden));
    let form = golden_form(plan, key).transpose().map_err(|error| Failure::input(miette::miette!("{error}")))?;
    let trace = form.map(|form| form.trace(raw)).transpose();
    match trace {
        Ok(Some(trace)) => text.extend(side_by_side(&trace, columns()).into_iter().map(|line| line + "\n")),
        Ok(None) => {}
        Err(error) => text += &format!("  it can't be made: {error}\n"),
    }
    Ok(text + "\n")
}
