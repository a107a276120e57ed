//! `sdc-engine accept` and `reject`: decisions by flags, for scripts.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Setting;
use super::super::args::{AcceptArgs, RejectArgs, WhichArgs};
use super::super::exit::{Exit, Failure};
use super::super::print;
use super::confirm::confirm;
use super::desk::{Decided, Desk};
use super::{count, not_in_ci, reason, written};
use crate::pending::{Entry, Item, Name, refusal};

/// Records what was set aside of the cases that are named.
pub(in super::super) async fn accept(args: AcceptArgs, setting: Setting<'_>) -> Result<Exit, Failure> {
    not_in_ci("accept")?;
    let why = reason(&args.reason)?;
    let mut desk = Desk::lay(setting, &args.paths)?;
    let chosen = chosen(&desk, &args.which)?;
    let all = chosen.into_iter().map(|name| (name, why.to_owned())).collect();
    settle(&mut desk, all, &BTreeSet::new(), args.runs).await
}

/// Forgets what was set aside of the cases that are named.
pub(in super::super) fn reject(args: RejectArgs, setting: Setting<'_>) -> Result<Exit, Failure> {
    not_in_ci("reject")?;
    let mut desk = Desk::lay(setting, &args.paths)?;
    let rejected = chosen(&desk, &args.which)?;
    desk.held.pending.forget(|entry| rejected.contains(&entry.name()));
    desk.held.write().map_err(Failure::environment)?;
    print(&format!("rejected {}; the goldens are as they were\n", count(rejected.len(), "text")))?;
    Ok(Exit::Held)
}

/// The texts of the cases that are named.
///
/// # Errors
/// No text is.
fn chosen(desk: &Desk<'_>, which: &WhichArgs) -> Result<BTreeSet<Name>, Failure> {
    let (items, _) = desk.items()?;
    let named = |entry: &Entry| {
        let id = entry.case.0.as_str();
        which.case.iter().any(|words| {
            id == words
                || words.split_whitespace().all(|word| match word.strip_prefix('!') {
                    Some(word) => !id.contains(word),
                    None => id.contains(word),
                })
        })
    };
    let names: BTreeSet<Name> =
        items.iter().filter(|item| which.all || named(item.entry)).map(|item| item.entry.name()).collect();
    if names.is_empty() {
        let help = "`sdc-engine review --list` shows what is set aside; `sdc-engine check` sets aside what it sees";
        return Err(Failure::input(miette::miette!(help = help, "nothing that is set aside is of these cases")));
    }
    Ok(names)
}

/// Carries out decisions: runs what was seen too seldom again, records what may be recorded, and forgets it and what was
/// rejected.
pub(super) async fn settle(
    desk: &mut Desk<'_>,
    accepted: BTreeMap<Name, String>,
    rejected: &BTreeSet<Name>,
    runs: u32,
) -> Result<Exit, Failure> {
    let texts: BTreeMap<Name, String> =
        desk.items()?.0.into_iter().map(|item| (item.entry.name(), item.text)).collect();
    confirm(desk, |entry| accepted.contains_key(&entry.name()), runs).await?;
    let (items, _) = desk.items()?;
    let mut decided: Vec<Decided<'_>> = Vec::new();
    let mut refused: Vec<(String, String)> = Vec::new();
    for item in &items {
        let Some(why) = accepted.get(&item.entry.name()) else { continue };
        let other = || Some("it gave another text when it was run again: review it".to_owned());
        let same = texts.get(&item.entry.name()) == Some(&item.text);
        match refusal(item, runs).or_else(|| if same { None } else { other() }) {
            None => decided.push((item, why)),
            Some(why) => refused.push((item.entry.case.to_string(), why + &varied(item))),
        }
    }
    let updates = desk.record(&decided)?;
    let done: BTreeSet<Name> = decided.iter().map(|(item, _)| item.entry.name()).collect();
    desk.held.pending.forget(|entry| done.contains(&entry.name()) || rejected.contains(&entry.name()));
    desk.held.write().map_err(Failure::environment)?;
    let told: String = refused.iter().map(|(case, why)| format!("refused  {case}: {why}\n")).collect();
    print(&(told + &written(&updates, refused.len())))?;
    Ok(if refused.is_empty() { Exit::Held } else { Exit::Differs })
}

/// The lines in which the runs of a case differ, below what else is said of it.
pub(super) fn varied(item: &Item<'_>) -> String {
    item.entry.other.as_ref().map_or_else(String::new, |other| crate::report::review::between_runs(&item.text, other))
}
