//! `check --changed`: leaves out what passed and is as it was; and what every run keeps for that.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use tokio::task::JoinHandle;

use super::goldens::in_ci;
use super::session::{Asked, Planned, Ran, today};
use crate::changed::model::{Passed, counted};
use crate::changed::{Green, Origin, store};
use crate::facts::Facts;
use crate::images::Catalogue;
use crate::plan::{CaseId, RunPlan, WhyOut};

/// What a run knows of earlier ones.
pub(super) struct Known {
    green: Green,
    /// Its own digest.
    pub(super) program: store::Program,
}

/// What is being read of earlier runs.
pub(super) struct Reading(Option<JoinHandle<io::Result<Known>>>);

/// Reads what earlier runs have left, where this one is to know or to keep it, while a host is opened. In CI, where nothing is
/// kept that nobody asked for, `--changed` asks for it.
pub(super) fn known(asked: &Asked<'_>) -> Reading {
    let kept = asked.earlier.filter(|earlier| earlier.leave_out || !in_ci());
    let folder = kept.map(|earlier| earlier.folder.to_owned());
    let read = |folder: PathBuf| store::program(&folder).map(|program| Known { green: store::read(&folder), program });
    Reading(folder.map(|folder| tokio::task::spawn_blocking(move || read(folder))))
}

impl Reading {
    /// What there is, once it is read.
    pub(super) async fn wait(self) -> Option<Known> {
        match self.0?.await {
            Ok(Ok(known)) => Some(known),
            Ok(Err(error)) => {
                tracing::warn!("what passes is not kept for --changed: the program's own file can't be read: {error}");
                None
            }
            Err(_) => None,
        }
    }
}

/// Completes the parts of the cases of a host.
pub(super) fn complete(
    known: &Known,
    plan: &RunPlan,
    cases: &mut BTreeMap<CaseId, Planned>,
    (facts, catalogue, images): (&Facts, &Catalogue, &BTreeMap<String, String>),
) {
    let origin = Origin { facts, catalogue, images, program: &known.program.digest };
    for case in plan.groups.iter().flat_map(|group| &group.cases) {
        if let Some(planned) = cases.get_mut(&case.id) {
            planned.parts = planned.parts.take().map(|parts| parts.on(case, origin));
        }
    }
}

/// Leaves out what is as it was when it passed, and says what runs for which reason.
pub(super) fn leave_out(
    known: &Known,
    plan: &mut RunPlan,
    cases: &BTreeMap<CaseId, Planned>,
    host: &str,
    notice: &impl Fn(String),
) {
    let (mut reasons, mut unchanged) = (BTreeMap::<String, usize>::new(), 0);
    plan.leave_out(|case| {
        let planned = cases.get(&case.id)?;
        match known.green.leave_out(host, &planned.case, case, planned.parts.as_ref()?) {
            Ok(reason) => {
                unchanged += 1;
                Some(WhyOut::Filtered(reason))
            }
            Err(why) => {
                *reasons.entry(why).or_default() += 1;
                None
            }
        }
    });
    let runs: usize = reasons.values().sum();
    let why = if runs == 0 { String::new() } else { format!(" ({})", counted(&reasons)) };
    notice(format!(
        "--changed on {host}: {runs} of {} cases run{why}; of {unchanged} nothing differs since they passed",
        runs + unchanged
    ));
}

/// Takes note of what passed.
pub(super) fn remember(ran: &Ran, aside: &Path) {
    let Some(program) = &ran.program else { return };
    // Read anew: what another run has found out meanwhile stays.
    let (mut green, day) = (store::read(aside), today());
    for result in &ran.outcome.results {
        let Some(planned) = ran.cases.get(&result.id) else { continue };
        let Some(parts) = planned.parts.clone() else { continue };
        green.note(&result.host, &planned.case, &result.verdict, Passed { day: day.clone(), parts });
    }
    // Not at the start of the run, where its digest is known: what waits for review must find room first.
    if let Err(error) = store::write(aside, &green).and_then(|()| store::keep(aside, program)) {
        tracing::warn!("what passed is not kept for --changed: {error}");
    }
}
