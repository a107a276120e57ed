//! From accepted texts to what changes in the golden folders. Pure.

use std::collections::BTreeMap;

use super::present::Item;
use crate::facts::Facts;
use crate::golden::GoldenStore;
use crate::golden::record::{RecordedHost, Recording};
use crate::golden::update::{Batch, FolderUpdate, Recorded, UpdateError, update_all};
use crate::judge::GoldenKey;
use crate::redact::Redactor;

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

/// What accepting these texts changes. What is compared stays as it was seen; `redactor` takes names out of what stands
/// beside it, for others.
///
/// # Errors
/// See [`UpdateError`]; then nothing of it may be applied.
pub fn decide(
    store: &GoldenStore,
    accepted: &[Accepted<'_>],
    redactor: &Redactor,
) -> Result<Vec<FolderUpdate>, UpdateError> {
    let mut folders: BTreeMap<&GoldenKey, BTreeMap<Recording, Vec<Recorded>>> = BTreeMap::new();
    for one in accepted {
        let entry = one.item.entry;
        let recorded =
            Recorded { case: entry.case.clone(), coordinates: entry.at.clone(), text: one.item.text.clone() };
        folders.entry(&entry.key).or_default().entry(recording(one, redactor)).or_default().push(recorded);
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

fn recording(accepted: &Accepted<'_>, redactor: &Redactor) -> Recording {
    let entry = accepted.item.entry;
    Recording {
        date: entry.day.clone(),
        host: RecordedHost { name: redactor.text(&accepted.facts.name), ..RecordedHost::of(accepted.facts) },
        image: entry.image.clone(),
        systemd: entry.systemd.clone(),
        runs: entry.runs,
        reason: redactor.text(accepted.reason.trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Pending;
    use super::super::testkit::{Run, items};
    use super::*;
    use crate::redact::{Known, Redaction};

    #[test]
    fn what_may_not_be_recorded_says_why() {
        let mut pending = Pending::default();
        Run::of("a=1", "x\n").runs(3).into(&mut pending);
        Run::of("a=2", "x\n").runs(2).into(&mut pending);
        Run::of("a=3", "x\n").runs(3).varied("y\n").into(&mut pending);
        Run::of("a=4", "x\n").runs(3).broken("boot: expected running, saw frozen").into(&mut pending);
        let why: Vec<Option<String>> = items(&pending, |_| None).iter().map(|item| refusal(item, 3)).collect();
        assert_eq!(why[0], None);
        assert_eq!(why[1].as_deref(), Some("it was seen 2 times, and 3 runs must say the same"));
        assert_eq!(why[2].as_deref(), Some("its runs gave different texts for s/g"));
        assert_eq!(why[3].as_deref(), Some("boot: expected running, saw frozen"));
    }

    #[test]
    fn equal_texts_become_one_file_with_who_where_and_why() {
        let mut pending = Pending::default();
        for (a, text) in [("1", "x\n"), ("2", "x\n"), ("3", "y\n")] {
            Run::of(&format!("a={a}"), text).runs(3).into(&mut pending);
        }
        let items = items(&pending, |_| None);
        let accepted: Vec<Accepted<'_>> = items
            .iter()
            .map(|item| Accepted { item, facts: &pending.hosts[item.entry.host], reason: " because " })
            .collect();
        let redactor = Redaction::on(Known::default()).redactor(&[], []);
        let updates = decide(&GoldenStore::default(), &accepted, &redactor).unwrap();
        assert_eq!(updates.len(), 1);
        let names: Vec<&str> = updates[0].write.keys().map(String::as_str).collect();
        assert_eq!(names, ["a=3.txt", "base.txt"]);
        let recorded = updates[0].recorded.as_deref().unwrap();
        assert!(recorded.contains("runs = 3\nreason = \"because\"\n"), "{recorded}");
        assert_eq!(decide(&GoldenStore::default(), &[], &redactor).unwrap(), []);
    }
}
