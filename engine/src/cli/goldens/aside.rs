//! What a run says beyond the goldens, as something to decide on.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::session::{Planned, Ran, today};
use crate::judge::{CaseResult, GoldenKey, GoldenState, Judgement, JudgementKind, Verdict};
use crate::observe::console::systemd_version;
use crate::pending::store::PendingError;
use crate::pending::{Pending, Seen, collect, store};
use crate::plan::CaseId;
use crate::scenario::model::Level;

/// Writes what a run saw beside what is set aside already; how many texts wait for a decision then. Where there is
/// nothing, nothing is written.
///
/// # Errors
/// Where the folder can't be written.
pub(in super::super) fn set_aside(ran: &Ran, runs: u32, folder: &Path) -> Result<usize, PendingError> {
    let mut new = Pending::default();
    add(ran, runs, Beyond::Goldens, &mut new);
    if new.entries.is_empty() && store::read(folder)?.entries.is_empty() {
        return Ok(0);
    }
    let mut held = store::hold(folder)?;
    add(ran, runs, Beyond::Goldens, &mut held.pending);
    held.write()?;
    Ok(held.pending.entries.len())
}

/// Which of the texts of a run are taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beyond {
    /// Those that differ from the goldens, or have none.
    Goldens,
    /// All: what is as recorded may be better evidence than the recording.
    Nothing,
}

/// Adds what a run saw.
pub(super) fn add(ran: &Ran, runs: u32, beyond: Beyond, pending: &mut Pending) {
    let broken: Vec<Option<String>> = ran.outcome.results.iter().map(broken).collect();
    let systemd: BTreeMap<&str, String> =
        ran.catalogue.images.iter().map(|(name, image)| (name.as_str(), image.systemd.to_string())).collect();
    let seen = ran.outcome.results.iter().zip(&broken).filter_map(|(result, broken)| {
        let Planned { case, image, at, host, .. } = ran.cases.get(&result.id)?;
        // What booted is known better from its own words than from what the image is declared to have.
        let said = result.boot.as_ref().and_then(|boot| systemd_version(&boot.console));
        let systemd = said.or_else(|| systemd.get(image.as_str()).map(String::as_str)).unwrap_or_default();
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
    let recorded = |key: &_, case: &_, at: &_| match beyond {
        Beyond::Goldens => ran.store.state(key, case, at).unwrap_or(GoldenState::New),
        Beyond::Nothing => GoldenState::New,
    };
    collect(pending, seen, recorded, &today());
}

/// The cases that should have shown a golden's text, broke and did not: each golden, with why.
pub(super) fn textless(ran: &Ran) -> Vec<(&CaseId, &GoldenKey, String)> {
    let of = |result: &CaseResult| {
        let planned = ran.cases.get(&result.id)?;
        let why = first_broken(result)?;
        let varies = ran.outcome.varied.contains_key(&result.id);
        let shown = |key: &GoldenKey| varies || result.observed.iter().any(|observed| observed.key == *key);
        let missing = planned.keys.iter().filter(|key| !shown(key));
        Some(missing.map(|key| (&planned.case, key, why.clone())).collect::<Vec<_>>())
    };
    ran.outcome.results.iter().filter_map(of).flatten().collect()
}

/// What broke first in a case that did not hold.
fn first_broken(result: &CaseResult) -> Option<String> {
    match &result.verdict {
        Verdict::Fail | Verdict::Timeout(_) | Verdict::Error(_) | Verdict::Flaky(..) => {}
        _ => return None,
    }
    let first = || result.judgements.iter().find(|j| !j.held && j.level == Level::Fail).map(words);
    broken(result).or_else(first).or_else(|| Some(format!("it ended as {}", result.verdict.word())))
}

/// A judgement that broke, on one line.
fn words(broken: &Judgement) -> String {
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    format!("{}: expected {}, saw {}", broken.subject, first(&broken.expected), first(&broken.actual))
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
    Some(words(broken))
}
