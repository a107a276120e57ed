//! From accepted texts to what changes in the golden folders. Pure.

use std::collections::BTreeMap;

use super::present::Item;
use crate::facts::Facts;
use crate::golden::GoldenStore;
use crate::golden::record::{RecordedHost, Recording};
use crate::golden::update::{Batch, FolderUpdate, Recorded, UpdateError, update_all};
use crate::judge::GoldenKey;

/// A text that somebody accepted, and why.
#[derive(Debug, Clone, Copy)]
pub struct Accepted<'a> {
    /// The text.
    pub item: &'a Item<'a>,
    /// The host that it was seen on.
    pub facts: &'a Facts,
    /// Why the recorded truth changes.
    pub reason: &'a str,
}

/// Why a text can't be accepted, by anybody; `runs` is how many of them must say the same.
#[must_use]
pub fn refusal(item: &Item<'_>, runs: u32) -> Option<String> {
    let entry = item.entry;
    let key = &entry.key;
    if entry.other.is_some() {
        return Some(format!("its runs gave different texts for {}/{}", key.scenario, key.folder));
    }
    if let Some(why) = &entry.broken {
        return Some(why.clone());
    }
    let times = |n: u32| if n == 1 { "once".to_owned() } else { format!("{n} times") };
    (entry.runs < runs).then(|| format!("it was seen {}, and {runs} runs must say the same", times(entry.runs)))
}

/// What accepting these texts changes.
///
/// # Errors
/// See [`UpdateError`]; then nothing of it may be applied.
pub fn decide(store: &GoldenStore, accepted: &[Accepted<'_>]) -> Result<Vec<FolderUpdate>, UpdateError> {
    let mut folders: BTreeMap<&GoldenKey, BTreeMap<Recording, Vec<Recorded>>> = BTreeMap::new();
    for one in accepted {
        let entry = one.item.entry;
        let recorded =
            Recorded { case: entry.case.clone(), coordinates: entry.at.clone(), text: one.item.text.clone() };
        folders.entry(&entry.key).or_default().entry(recording(one)).or_default().push(recorded);
    }
    let mut updates = Vec::new();
    for (key, recordings) in folders {
        let batches: Vec<Batch<'_>> = recordings.iter().map(|(recording, seen)| Batch { recording, seen }).collect();
        let update = update_all(&store.folder(key), &batches)?;
        if !update.is_empty() {
            updates.push(update);
        }
    }
    Ok(updates)
}

fn recording(accepted: &Accepted<'_>) -> Recording {
    let entry = accepted.item.entry;
    Recording {
        date: entry.day.clone(),
        host: RecordedHost::of(accepted.facts),
        image: entry.image.clone(),
        systemd: entry.systemd.clone(),
        runs: entry.runs,
        reason: accepted.reason.trim().to_owned(),
    }
}
