//! `sdc-engine update`: runs each case several times and records what was the same every time.

use super::super::Setting;
use super::super::args::UpdateArgs;
use super::super::exit::{Exit, Failure};
use super::super::session::{self, Asked};
use super::super::{check, host, print};
use super::accept::varied;
use super::aside::{Beyond, add, textless};
use super::{not_in_ci, reason, written};
use crate::golden::store;
use crate::pending::{Accepted, Item, Pending, decide, refusal};
use crate::report::Outcome;

/// Records goldens. Nothing is written of a run that was interrupted.
pub(in super::super) async fn update(args: UpdateArgs, setting: Setting<'_>) -> Result<Exit, Failure> {
    not_in_ci("update")?;
    let UpdateArgs { select, host: asked, run, reason: why, repeat } = &args;
    let why = reason(why)?;
    let Setting { images, golden, .. } = setting;
    let hosts = host::each(asked, images)?;
    let redaction = &setting.redaction.of_hosts(hosts.iter().filter_map(|ask| ask.name));
    let asked = Asked { select, hosts, run, repeat: *repeat, images, golden, earlier: None, silent: false, redaction };
    let ran = session::run(asked).await?;
    let said = ran.record.outcome();
    if ran.outcome.summary.stopped_early.is_some() {
        print("nothing is recorded: the run was stopped before its end\n")?;
        return Ok(check::exit(said));
    }
    let mut pending = Pending::default();
    add(&ran, *repeat, Beyond::Nothing, &mut pending);
    let items: Vec<Item<'_>> =
        pending.entries.iter().map(|entry| Item { entry, text: entry.text.clone(), golden: None }).collect();
    let (refused, accepted): (Vec<_>, Vec<_>) =
        items.iter().map(|item| (item, refusal(item, *repeat))).partition(|(_, why)| why.is_some());
    let accepted = accepted
        .into_iter()
        .filter_map(|(item, _)| Some(Accepted { item, facts: pending.facts(item.entry)?, reason: why }));
    let redactor = redaction.redactor(&ran.record.machines(), [why]);
    let updates = decide(&ran.store, &accepted.collect::<Vec<_>>(), &redactor).map_err(Failure::input)?;
    store::apply(golden, &updates).map_err(Failure::input)?;
    let mut told: Vec<String> = refused
        .iter()
        .map(|(item, why)| {
            format!("refused  {}: {}{}\n", item.entry.case, why.as_deref().unwrap_or_default(), varied(item))
        })
        .collect();
    told.extend(textless(&ran).into_iter().map(|(case, key, why)| {
        format!("refused  {case}: it showed no text for {}/{}: {why}\n", key.scenario, key.folder)
    }));
    print(&(told.concat() + &written(&updates, told.len())))?;
    Ok(match (told.is_empty(), said) {
        (false, _) => Exit::Differs,
        // What differed from the goldens, or had none, is recorded now.
        (true, Outcome::Differs | Outcome::Held) => Exit::Held,
        (true, said) => check::exit(said),
    })
}
