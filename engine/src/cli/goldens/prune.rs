//! `sdc-engine prune`: removes what goldens say of cases that there are no more, after a run that was whole and clean.

use std::collections::BTreeSet;

use super::super::Setting;
use super::super::args::{PruneArgs, SelectArgs};
use super::super::exit::{Exit, Failure};
use super::super::session::{self, Asked, Ran};
use super::super::{check, host, print};
use super::{count, not_in_ci};
use crate::golden::store::apply;
use crate::golden::{Coordinates, Covered, FolderUpdate, RecordedHost, prune as remove};
use crate::judge::GoldenKey;
use crate::plan::{HOST_AXIS, WhyOut};
use crate::report::Outcome;

/// Runs everything, and shows or removes what is not needed for it.
pub(in super::super) async fn prune(args: PruneArgs, setting: Setting<'_>) -> Result<Exit, Failure> {
    if args.yes {
        not_in_ci("prune --yes")?;
    }
    let Setting { images, golden, redaction, .. } = setting;
    let select = SelectArgs::of(&args.paths, Vec::new());
    let hosts = host::each(&args.host, images)?;
    let run = &args.run;
    let asked =
        Asked { select: &select, hosts, run, repeat: 1, images, golden, earlier: None, silent: false, redaction };
    let ran = session::run(asked).await?;
    let said = ran.record.outcome();
    if said != Outcome::Held || ran.record.missing() > 0 {
        print("nothing is removed: only a run in which everything held says what is not needed\n")?;
        return Ok(match check::exit(said) {
            Exit::Held => Exit::Interrupted,
            exit => exit,
        });
    }
    let updates: Vec<FolderUpdate> = ran
        .store
        .folders
        .values()
        .map(|folder| remove(folder, &covered(&ran, &folder.key)))
        .filter(|update| !update.is_empty())
        .collect();
    if args.yes {
        apply(golden, &updates).map_err(Failure::input)?;
    }
    print(&told(&ran, &updates, args.yes))?;
    Ok(if updates.is_empty() || args.yes { Exit::Held } else { Exit::Differs })
}

/// What each host of the run planned of a golden. A case that a host can't run counts for every host: whether it still
/// has that golden is not known.
fn covered(ran: &Ran, key: &GoldenKey) -> Vec<Covered> {
    let skipped =
        ran.record.left_out.iter().filter(|out| matches!(out.why, WhyOut::Skipped(_)) && *out.scenario == key.scenario);
    let axes = skipped.map(|out| {
        let point = out.point.iter().filter(|(axis, _)| axis.as_str() != HOST_AXIS);
        point.map(|(axis, value)| (axis.to_string(), value.to_string())).collect()
    });
    let skipped: BTreeSet<Coordinates> = axes.collect();
    let of = |(number, facts)| {
        let planned = ran.cases.values().filter(|planned| planned.host == number && planned.keys.contains(key));
        let cases = planned.map(|planned| crate::golden::folder::axes(&planned.at)).chain(skipped.iter().cloned());
        Covered { host: RecordedHost::of(facts).coordinates(), cases: cases.collect() }
    };
    ran.facts.iter().enumerate().map(of).collect()
}

fn told(ran: &Ran, updates: &[FolderUpdate], done: bool) -> String {
    let mut text = String::new();
    let mut cases = 0;
    for update in updates {
        let folder = format!("golden/{}/{}", update.key.scenario, update.key.folder);
        let listed = |folder: &crate::golden::GoldenFolder| folder.coordinates().count();
        let gone = ran.store.folders.get(&update.key).map_or(0, listed).saturating_sub(listed(&update.after));
        cases += gone;
        if gone > 0 {
            text += &format!("{folder}: {} recorded, planned no more\n", count(gone, "case"));
        }
        text.extend(update.delete.iter().map(|name| format!("{folder}/{name}\n")));
    }
    let files: usize = updates.iter().map(|update| update.delete.len()).sum();
    text + &match (updates.is_empty(), done) {
        (true, _) => "every golden is needed, as far as these hosts tell\n".to_owned(),
        (false, true) => format!("removed {} and {}\n", count(cases, "case"), count(files, "file")),
        (false, false) => {
            format!("{} and {} are not needed: --yes removes them\n", count(cases, "case"), count(files, "file"))
        }
    }
}
