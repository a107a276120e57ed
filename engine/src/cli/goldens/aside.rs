//! What a run says beyond the goldens, as something to decide on.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::session::{Planned, Ran, today};
use crate::judge::{CaseResult, GoldenState, JudgementKind, Verdict};
use crate::pending::store::PendingError;
use crate::pending::{Pending, Seen, collect, store};
use crate::scenario::model::Level;

/// Writes what a run saw beside what is set aside already; how many texts wait for a decision then. Where there is
/// nothing, nothing is written.
///
/// # Errors
/// Where the folder can't be written.
pub(in super::super) fn set_aside(ran: &Ran, runs: u32, folder: &Path) -> Result<usize, PendingError> {
    let mut new = Pending::default();
    add(ran, runs, &mut new);
    if new.entries.is_empty() && store::read(folder)?.entries.is_empty() {
        return Ok(0);
    }
    let mut held = store::hold(folder)?;
    add(ran, runs, &mut held.pending);
    held.write()?;
    Ok(held.pending.entries.len())
}

/// Adds what a run saw.
pub(super) fn add(ran: &Ran, runs: u32, pending: &mut Pending) {
    let broken: Vec<Option<String>> = ran.outcome.results.iter().map(broken).collect();
    let systemd: BTreeMap<&str, String> =
        ran.catalogue.images.iter().map(|(name, image)| (name.as_str(), image.systemd.to_string())).collect();
    let seen = ran.outcome.results.iter().zip(&broken).filter_map(|(result, broken)| {
        let Planned { case, image, at, host, .. } = ran.cases.get(&result.id)?;
        let systemd = systemd.get(image.as_str()).map_or("", String::as_str);
        Some(Seen {
            result,
            case,
            at,
            image: (image, systemd),
            facts: ran.facts.get(*host)?,
            runs,
            varied: ran.outcome.varied.get(&result.id),
            broken: broken.as_deref(),
        })
    });
    // What contradicts itself has ended the run before it started.
    let recorded = |key: &_, case: &_, at: &_| ran.store.state(key, case, at).unwrap_or(GoldenState::New);
    collect(pending, seen, recorded, &today());
}

/// Why a case is not to be recorded, whatever its texts are: it broke in another way too.
fn broken(result: &CaseResult) -> Option<String> {
    match &result.verdict {
        Verdict::Error(words) => return Some(words.clone()),
        Verdict::Flaky(held, of) => return Some(format!("it held in {held} of {of} runs")),
        _ => {}
    }
    let about_goldens = |kind| matches!(kind, JudgementKind::Golden | JudgementKind::GoldenNew);
    let broken = result.judgements.iter().find(|j| !j.held && j.level == Level::Fail && !about_goldens(j.kind))?;
    let actual = broken.actual.lines().next().unwrap_or("");
    Some(format!("{}: expected {}, saw {actual}", broken.subject, broken.expected))
}
