//! What a run adds to what is set aside, and what it settles. Pure.

use std::collections::BTreeMap;

use super::model::{Entry, Name, Pending};
use crate::facts::Facts;
use crate::golden::{Coordinates, RecordedHost};
use crate::judge::{CaseResult, GoldenKey, GoldenState, Observed, Varied};
use crate::plan::CaseId;

/// A case that ran, with what goldens need to know of it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What came of it.
    pub result: &'a CaseResult,
    /// Its name without the host.
    pub case: &'a CaseId,
    /// Its place among goldens.
    pub at: &'a Coordinates,
    /// The image, and its systemd version.
    pub image: (&'a str, &'a str),
    /// The host.
    pub facts: &'a Facts,
    /// How many runs say the same.
    pub runs: u32,
    /// A golden for which the runs gave different texts.
    pub varied: Option<&'a Varied>,
    /// Why it can't be recorded, whatever its texts are.
    pub broken: Option<&'a str>,
}

/// How many lines of a console are kept.
const LOG: usize = 40;

/// Takes in a run: texts that differ from their goldens are set aside or counted once more, texts that are as recorded
/// settle what was set aside for them. `recorded` says what the goldens have.
pub fn collect<'a>(
    pending: &mut Pending,
    seen: impl IntoIterator<Item = Seen<'a>>,
    recorded: impl Fn(&GoldenKey, &CaseId, &Coordinates) -> GoldenState,
    day: &str,
) {
    let mut entries: BTreeMap<Name, Entry> = pending.entries.drain(..).map(|entry| (entry.name(), entry)).collect();
    for seen in seen {
        let host = pending.host(seen.facts);
        if let Some(Varied { first, other }) = seen.varied {
            add(&mut entries, &pending.hosts, entry(&seen, first, Some(other), host, day));
        }
        let varies = |observed: &Observed| seen.varied.is_some_and(|varied| varied.first.key == observed.key);
        for observed in seen.result.observed.iter().filter(|observed| !varies(observed)) {
            match recorded(&observed.key, seen.case, seen.at) {
                GoldenState::Recorded { text, .. } if text == observed.text => {
                    entries.remove(&(observed.key.clone(), seen.at.clone()));
                }
                _ => add(&mut entries, &pending.hosts, entry(&seen, observed, None, host, day)),
            }
        }
    }
    pending.entries = entries.into_values().collect();
    pending.forget(|_| false);
}

fn entry(seen: &Seen<'_>, observed: &Observed, other: Option<&String>, host: usize, day: &str) -> Entry {
    let console = seen.result.boot.as_ref().map_or("", |boot| boot.console.as_str());
    let lines: Vec<&str> = console.lines().filter(|line| !line.trim().is_empty()).collect();
    Entry {
        key: observed.key.clone(),
        at: seen.at.clone(),
        case: seen.case.clone(),
        title: seen.result.title.clone(),
        image: seen.image.0.to_owned(),
        systemd: seen.image.1.to_owned(),
        host,
        day: day.to_owned(),
        runs: seen.runs,
        raw: observed.raw.clone(),
        text: observed.text.clone(),
        other: other.cloned(),
        broken: seen.broken.map(ToOwned::to_owned),
        log: lines[lines.len().saturating_sub(LOG)..].join("\n"),
        by_hand: seen.result.by_hand.clone(),
    }
}

/// Runs add up as long as they say the same of one and the same host. A new text takes the old one's place: what was seen
/// before may be of another image or scenario.
fn add(entries: &mut BTreeMap<Name, Entry>, hosts: &[Facts], mut new: Entry) {
    if let Some(old) = entries.get(&new.name()) {
        let host = |entry: &Entry| hosts.get(entry.host).map(RecordedHost::of);
        let same = old.text == new.text && host(old) == host(&new) && old.image == new.image;
        if same && old.other.is_none() && new.other.is_none() {
            new.runs = new.runs.saturating_add(old.runs);
        }
    }
    entries.insert(new.name(), new);
}

#[cfg(test)]
mod tests {
    use super::super::testkit::{Run, key};
    use super::*;

    #[test]
    fn what_differs_is_set_aside_and_counted_and_settled() {
        let mut pending = Pending::default();
        Run::of("a=1", "new\n").recorded("old\n").into(&mut pending);
        Run::of("a=2", "old\n").recorded("old\n").into(&mut pending);
        Run::of("a=3", "first\n").into(&mut pending);
        let told = |pending: &Pending| -> Vec<(String, String, u32)> {
            pending.entries.iter().map(|e| (e.at["a"].clone(), e.text.clone(), e.runs)).collect()
        };
        assert_eq!(told(&pending), [("1".into(), "new\n".into(), 1), ("3".into(), "first\n".into(), 1)]);
        Run::of("a=1", "new\n").recorded("old\n").runs(2).into(&mut pending);
        assert_eq!(told(&pending)[0], ("1".into(), "new\n".into(), 3));
        Run::of("a=1", "newer\n").recorded("old\n").into(&mut pending);
        assert_eq!(told(&pending)[0], ("1".into(), "newer\n".into(), 1));
        Run::of("a=1", "old\n").recorded("old\n").into(&mut pending);
        assert_eq!(told(&pending), [("3".into(), "first\n".into(), 1)]);
        assert_eq!(pending.hosts.len(), 1);
    }

    #[test]
    fn what_varies_is_set_aside_with_both_texts_though_one_is_the_golden() {
        let mut pending = Pending::default();
        Run::of("a=1", "old\n").recorded("old\n").varied("other\n").into(&mut pending);
        assert_eq!(pending.entries[0].other.as_deref(), Some("other\n"));
        Run::of("a=1", "new\n").recorded("old\n").into(&mut pending);
        assert_eq!((pending.entries[0].other.as_deref(), pending.entries[0].runs), (None, 1));
    }

    #[test]
    fn hosts_that_nothing_was_seen_on_are_forgotten() {
        let mut pending = Pending::default();
        Run::of("a=1", "x\n").on("one").into(&mut pending);
        Run::of("a=2", "y\n").on("two").into(&mut pending);
        assert_eq!(pending.hosts.len(), 2);
        pending.forget(|entry| entry.at["a"] == "1");
        let names: Vec<&str> = pending.hosts.iter().map(|facts| facts.name.as_str()).collect();
        assert_eq!((names, pending.entries[0].host), (vec!["two"], 0));
        assert_eq!(pending.entries[0].key, key());
    }
}
