//! `sdc-engine explain`: what a case will do, and how to do it by hand. Starts no container.

use std::path::Path;

use super::args::{ExplainArgs, SelectArgs};
use super::exit::{Exit, Failure};
use super::load::Selection;
use super::{columns, host, print, select};
use crate::facts::Facts;
use crate::host::by_hand::step_line;
use crate::host::command_line;
use crate::images::Catalogue;
use crate::plan::{CasePlan, LeftOut, RunPlan, WhyOut};
use crate::report::{Explained, clean, explained};
use crate::runner::argv;

/// Who explains more explains nothing.
const MOST: usize = 5;

/// What reaches the host by hand.
struct Reached {
    facts: Facts,
    client: String,
    before: Option<String>,
}

/// Shows the cases that are named.
pub(super) async fn explain(args: ExplainArgs, images: &Path) -> Result<Exit, Failure> {
    let select = SelectArgs::of(&args.paths, vec![args.case.clone()]);
    let selection = Selection::read(&select, images)?.of_something()?;
    let reached = reach(&args, images).await?;
    let RunPlan { groups, left_out, .. } = selection.plan(&reached.facts)?;
    let cases: Vec<CasePlan> = groups.into_iter().flat_map(|group| group.cases).collect();
    let chosen = named(&args.case, &cases.iter().collect::<Vec<_>>());
    if chosen.is_empty() {
        return Err(none(&args.case, &left_out, &reached.facts));
    }
    let catalogue = &selection.loaded.catalogue;
    let texts: Vec<String> = chosen.iter().take(MOST).map(|case| one(case, catalogue, &reached)).collect();
    print(&texts.join("\n"))?;
    if chosen.len() > MOST {
        print(&format!("\nand {} more cases; name one: sdc-engine list -k {:?}\n", chosen.len() - MOST, args.case))?;
    }
    Ok(Exit::Held)
}

async fn reach(args: &ExplainArgs, images: &Path) -> Result<Reached, Failure> {
    if !args.assume.is_empty() {
        let facts = select::assumed(&args.assume)?;
        return Ok(Reached { client: facts.engine.to_string(), facts, before: None });
    }
    let opened = host::open_one(&args.host, images).await?;
    let host = &opened.host;
    let reached = Reached { facts: host.facts().clone(), client: host.by_hand(), before: host.before_by_hand() };
    let left = host.close().await;
    if left.is_empty() { Ok(reached) } else { Err(Failure::environment(left.join("; "))) }
}

/// The cases that are meant: the one whose whole name it is, else all that have the words.
pub(super) fn named<'a>(asked: &str, cases: &[&'a CasePlan]) -> Vec<&'a CasePlan> {
    let exact = cases.iter().any(|case| case.id.0 == asked);
    cases.iter().copied().filter(|case| !exact || case.id.0 == asked).collect()
}

/// Why no case of that name runs there.
pub(super) fn none(asked: &str, left_out: &[LeftOut], facts: &Facts) -> Failure {
    let has = |out: &&LeftOut| asked.split_whitespace().all(|word| out.id.0.contains(word));
    let why = left_out.iter().filter(has).find_map(|out| match &out.why {
        WhyOut::NotApplicable(rule) => Some(format!("{}: not applicable: {rule}", out.id)),
        WhyOut::Skipped(reason) => Some(format!("{}: skipped: {reason}", out.id)),
        WhyOut::Filtered(_) => None,
    });
    let why = why.unwrap_or_else(|| format!("no case has `{asked}` in its name"));
    Failure::input(miette::miette!(
        help = "`sdc-engine list` shows the cases and why each is in or out; --host or --assume names another host",
        "nothing runs on {}: {}",
        facts.name,
        clean(&why)
    ))
}

fn one(case: &CasePlan, catalogue: &Catalogue, reached: &Reached) -> String {
    let Reached { facts, client, before } = reached;
    let image = catalogue.images.get(&case.container.image);
    let mode = catalogue.setup_modes.get(&case.container.setup_mode);
    let (Some(image), Some(mode)) = (image, mode) else { return String::new() };
    let argv = argv(image, mode, case);
    let boot = command_line(&case.container, &image.tag(), &argv, client);
    // A step needs a container that runs beside it.
    let beside = (!case.steps.is_empty()).then(|| "# then, in another terminal, when it is up:".to_owned());
    let steps = case.steps.iter().map(|step| step_line(step, client));
    let by_hand = before.iter().cloned().chain([boot]).chain(beside).chain(steps).collect();
    let version = &facts.engine_version;
    let told = Explained {
        plan: case,
        host: format!("{}: {} {version}, cgroup {}", facts.name, facts.engine, facts.cgroups),
        image: format!("{}: {} ({})", image.name, image.title, image.tag()),
        setup: format!("{}: {}", mode.name, mode.title),
        argv: shell_words::join(&argv),
        by_hand,
    };
    explained(&told, columns())
}
