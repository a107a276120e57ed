//! What recording some cases changes in a golden folder, as a value. Pure: [`super::store::apply`] writes it.
//!
//! Cases that were not seen keep exactly their text, and their line in `recorded.toml`. So does a seen case whose text
//! is the recorded one: provenance says where a text is from, not where it was last confirmed, so that recording the
//! same again changes nothing. A recording of fewer runs gives way to one of more, for that is better evidence. A file is deleted only when recorded cases lie within its condition and the new set
//! does without it; a file that stands for no recorded case is left alone and reported.

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;
use thiserror::Error;

use super::folder::axes;
use super::minimise::MinimiseError;
use super::name::{Condition, same_but_case};
use super::patch::{Patched, patch};
use super::record::{Group, Recording, conflict_marker, write};
use super::resolve::Ambiguity;
use super::{Coordinates, GoldenFolder, HOST_KEYS};
use crate::judge::GoldenKey;
use crate::plan::CaseId;

/// What was seen of one case, and is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The case, for messages.
    pub case: CaseId,
    /// Its axes and the host's facts.
    pub coordinates: Coordinates,
    /// The normalised text.
    pub text: String,
}

/// Cases that were recorded together: on one host, with one image.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// When, where and why.
    pub recording: &'a Recording,
    /// The cases.
    pub seen: &'a [Recorded],
}

/// What changes in a golden folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderUpdate {
    /// Which folder.
    pub key: GoldenKey,
    /// Files whose text changes or that are new, by name; `recorded.toml` is not among them.
    pub write: BTreeMap<String, String>,
    /// Files that the new set does without, by name.
    pub delete: BTreeSet<String>,
    /// The new text of `recorded.toml`, if it changes.
    pub recorded: Option<String>,
    /// Seen cases that were new or had another text.
    pub changed: BTreeSet<CaseId>,
    /// Files that stand for no recorded case, by name: they stay.
    pub unclaimed: BTreeSet<String>,
    /// The folder as it is when the update was applied.
    pub after: GoldenFolder,
}

impl FolderUpdate {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.write.is_empty() && self.delete.is_empty() && self.recorded.is_none()
    }
}

/// Why there is no update. The folder is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum UpdateError {
    /// A case's host facts are not those of its recording: a fault of the caller.
    #[error("{case} was not seen on {host}: its coordinates have other host facts")]
    Host {
        /// The case.
        case: CaseId,
        /// The recording's host.
        host: String,
    },
    /// The same coordinates gave different texts.
    #[error("{first} and {second} gave different texts for the same coordinates, {at}")]
    #[diagnostic(help("record hosts of the same engine and cgroup version one at a time, or normalise what differs"))]
    Contradiction {
        /// A case, with its host.
        first: String,
        /// The other.
        second: String,
        /// The coordinates.
        at: String,
    },
    /// A text that could not be read again.
    #[error("line {line} of the text of {case} looks like a merge-conflict marker")]
    #[diagnostic(help("normalise the line by a rule of the scenario"))]
    Marker {
        /// The case.
        case: CaseId,
        /// The line, from 1.
        line: usize,
    },
    /// A recorded case that was not seen has lost its text.
    #[error("{at} is recorded, was not seen in this run, and no file stands for it")]
    #[diagnostic(help("restore the file that was deleted, or record the case again"))]
    Missing {
        /// The coordinates.
        at: String,
    },
    /// A recorded case that was not seen has two texts.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Ambiguous(#[from] Ambiguity),
    /// Two files that some file systems take for one.
    #[error("{first} and {second} would differ by letter case alone")]
    #[diagnostic(help("on some file systems they are one file: give the axes or values other names"))]
    SameButCase {
        /// A file's name.
        first: String,
        /// The other's.
        second: String,
    },
    /// The texts can't be laid out as files.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Minimise(#[from] MinimiseError),
}

/// What recording these cases changes.
///
/// # Errors
/// See [`UpdateError`].
pub fn update(existing: &GoldenFolder, seen: &[Recorded], recording: &Recording) -> Result<FolderUpdate, UpdateError> {
    update_all(existing, &[Batch { recording, seen }])
}

/// What recording the cases of several hosts or images changes, in any order.
///
/// # Errors
/// See [`UpdateError`].
pub fn update_all(existing: &GoldenFolder, batches: &[Batch<'_>]) -> Result<FolderUpdate, UpdateError> {
    let seen = by_coordinates(batches)?;

    let mut cells: BTreeMap<Coordinates, String> = BTreeMap::new();
    let mut changed = BTreeSet::new();
    let mut groups: BTreeMap<Recording, BTreeSet<Coordinates>> = BTreeMap::new();
    for group in &existing.groups {
        groups.entry(group.recording.clone()).or_default().extend(group.cases.iter().cloned());
    }
    for at in existing.coordinates().filter(|at| !seen.contains_key(at)) {
        let (_, text) =
            existing.resolve(&at)?.ok_or_else(|| UpdateError::Missing { at: Condition::at(&at).to_string() })?;
        let text = text.to_owned();
        cells.insert(at, text);
    }
    for (at, (recorded, recording)) in seen {
        let before = existing.recorded(at);
        let same = matches!(existing.resolve(at), Ok(Some((_, text))) if text == recorded.text);
        let weaker = before.is_some_and(|group| group.recording.runs < recording.runs);
        if before.is_none() || !same || weaker {
            changed.insert(recorded.case.clone());
            if let Some(cases) = before.and_then(|group| groups.get_mut(&group.recording)) {
                cases.remove(&axes(at));
            }
            groups.entry(recording.clone()).or_default().insert(axes(at));
        }
        cells.insert(at.clone(), recorded.text.clone());
    }
    groups.retain(|_, cases| !cases.is_empty());
    let groups: Vec<Group> = groups.into_iter().map(|(recording, cases)| Group { recording, cases }).collect();

    let cells = cells.iter().map(|(at, text)| (at, text.as_str())).collect();
    let Patched { files, unclaimed } = patch(&existing.files, &cells)?;
    let obsolete = existing.files.keys().filter(|condition| !files.contains_key(condition));
    let delete = obsolete.filter(|condition| !unclaimed.contains(condition));
    let write = files.iter().filter(|(condition, text)| existing.files.get(condition) != Some(text));
    let name = |condition: &Condition| condition.file_name();
    let mut update = FolderUpdate {
        key: existing.key.clone(),
        write: write.map(|(condition, text)| (name(condition), text.clone())).collect(),
        delete: delete.map(name).collect(),
        recorded: (groups != existing.groups).then(|| self::write(&groups)),
        changed,
        unclaimed: unclaimed.iter().map(|condition| name(condition)).collect(),
        after: GoldenFolder { key: existing.key.clone(), files: files.into(), groups },
    };
    for condition in unclaimed {
        update.after.files.extend(existing.files.get_key_value(condition).map(|(c, t)| (c.clone(), t.clone())));
    }
    let names: Vec<String> = update.after.files.keys().map(name).collect();
    if let Some((first, second)) = same_but_case(names.iter().map(String::as_str)) {
        return Err(UpdateError::SameButCase { first: first.to_owned(), second: second.to_owned() });
    }
    Ok(update)
}

/// Every seen case by its coordinates, checked. Where two batches agree on one, the first recording in order has it.
fn by_coordinates<'a>(
    batches: &[Batch<'a>],
) -> Result<BTreeMap<&'a Coordinates, (&'a Recorded, &'a Recording)>, UpdateError> {
    let mut all: BTreeMap<&Coordinates, (&Recorded, &Recording)> = BTreeMap::new();
    let mut batches = batches.to_vec();
    batches.sort_by(|a, b| a.recording.cmp(b.recording));
    for Batch { recording, seen } in batches {
        let host = recording.host.coordinates();
        for recorded in seen {
            if HOST_KEYS.iter().any(|key| recorded.coordinates.get(*key) != host.get(*key)) {
                return Err(UpdateError::Host { case: recorded.case.clone(), host: recording.host.name.clone() });
            }
            if let Some(span) = conflict_marker(&recorded.text) {
                let line = recorded.text[..span.start].matches('\n').count() + 1;
                return Err(UpdateError::Marker { case: recorded.case.clone(), line });
            }
            let (first, on) = *all.entry(&recorded.coordinates).or_insert((recorded, recording));
            if first.text != recorded.text {
                return Err(UpdateError::Contradiction {
                    first: format!("{} on {}", first.case, on.host.name),
                    second: format!("{} on {}", recorded.case, recording.host.name),
                    at: Condition::at(&recorded.coordinates).to_string(),
                });
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::facts::{EngineKind, Facts};
    use crate::golden::RecordedHost;

    fn on(date: &str, engine: EngineKind) -> Recording {
        let facts = Facts { engine, name: format!("lab-{engine}"), ..Facts::assumed() };
        Recording {
            date: date.into(),
            host: RecordedHost::of(&facts),
            image: "debian-12".into(),
            systemd: "252".into(),
            runs: 3,
            reason: "because".into(),
        }
    }

    fn seen(recording: &Recording, all: &[(&str, &str)]) -> Vec<Recorded> {
        let one = |(name, text): &(&str, &str)| {
            let mut coordinates = Condition::parse(name).unwrap().single().unwrap();
            coordinates.extend(recording.host.coordinates());
            Recorded { case: CaseId(format!("s[{name}]")), coordinates, text: format!("{text}\n") }
        };
        all.iter().map(one).collect()
    }

    fn empty() -> GoldenFolder {
        GoldenFolder::empty(GoldenKey { scenario: "s".into(), folder: "g".into() })
    }

    fn names(update: &FolderUpdate) -> (Vec<&str>, Vec<&str>) {
        (update.write.keys().map(String::as_str).collect(), update.delete.iter().map(String::as_str).collect())
    }

    #[test]
    fn the_first_recording_writes_everything_and_the_same_again_nothing() {
        let docker = on("2025-01-01", EngineKind::Docker);
        let cases = seen(&docker, &[("mode=a", "x"), ("mode=b", "x"), ("mode=c", "y")]);
        let first = update(&empty(), &cases, &docker).unwrap();
        assert_eq!(names(&first), (vec!["base.txt", "mode=c.txt"], vec![]));
        assert_eq!(first.changed.len(), 3);
        assert!(first.recorded.as_ref().unwrap().contains("\"mode=a\",\n"));
        let again = update(&first.after, &cases, &on("2025-02-02", EngineKind::Docker)).unwrap();
        assert!(again.is_empty() && again.changed.is_empty(), "{again:?}");
        assert_eq!(again.after, first.after);
    }

    #[test]
    fn a_changed_case_moves_to_its_recording_and_others_stay() {
        let old = on("2025-01-01", EngineKind::Docker);
        let before = update(&empty(), &seen(&old, &[("mode=a", "x"), ("mode=b", "x"), ("mode=c", "y")]), &old).unwrap();
        let new = on("2025-02-02", EngineKind::Docker);
        let after = update(&before.after, &seen(&new, &[("mode=c", "x")]), &new).unwrap();
        assert_eq!(names(&after), (vec![], vec!["mode=c.txt"]));
        let dates: Vec<_> = after.after.groups.iter().map(|g| (g.recording.date.as_str(), g.cases.len())).collect();
        assert_eq!(dates, [("2025-01-01", 2), ("2025-02-02", 1)]);
        assert_eq!(after.changed, BTreeSet::from([CaseId("s[mode=c]".into())]));
    }

    #[test]
    fn more_runs_are_better_evidence_and_fewer_are_not() {
        let once = Recording { runs: 1, ..on("2025-01-01", EngineKind::Docker) };
        let cases = [("mode=a", "x"), ("mode=b", "y")];
        let first = update(&empty(), &seen(&once, &cases), &once).unwrap();
        let thrice = on("2025-02-02", EngineKind::Docker);
        let again = update(&first.after, &seen(&thrice, &cases[..1]), &thrice).unwrap();
        assert_eq!(names(&again), (vec![], vec![]), "the text is as it was");
        let runs: Vec<_> = again.after.groups.iter().map(|g| (g.recording.runs, g.cases.len())).collect();
        assert_eq!(runs, [(1, 1), (3, 1)]);
        let later = Recording { runs: 2, ..on("2025-03-03", EngineKind::Docker) };
        assert!(update(&again.after, &seen(&later, &cases[..1]), &later).unwrap().is_empty());
    }

    #[test]
    fn another_engine_is_told_apart_by_its_facts() {
        let (docker, podman) = (on("2025-01-01", EngineKind::Docker), on("2025-01-01", EngineKind::Podman));
        let one = seen(&docker, &[("mode=a", "x"), ("mode=b", "x")]);
        let other = seen(&podman, &[("mode=a", "x"), ("mode=b", "y")]);
        let before = update(&empty(), &one, &docker).unwrap();
        assert!(before.after.recorded(&other[0].coordinates).is_none());
        let after = update(&before.after, &other, &podman).unwrap();
        assert_eq!(names(&after), (vec!["engine=podman,mode=b.txt"], vec![]));
        let batches = [Batch { recording: &podman, seen: &other }, Batch { recording: &docker, seen: &one }];
        assert_eq!(update_all(&empty(), &batches).unwrap().after, after.after);
    }

    #[test]
    fn a_file_that_stands_for_no_recorded_case_stays() {
        let docker = on("2025-01-01", EngineKind::Docker);
        let mut folder = empty();
        for name in ["engine=docker", "mode=a", "mode=z"] {
            folder.files.insert(Condition::parse(name).unwrap(), "by hand\n".into());
        }
        let update = update(&folder, &seen(&docker, &[("mode=a", "x")]), &docker).unwrap();
        assert_eq!(names(&update), (vec!["engine=docker.txt"], vec!["mode=a.txt"]), "one of the two is enough");
        assert_eq!(update.unclaimed, BTreeSet::from(["mode=z.txt".to_owned()]));
        assert_eq!(update.after.files.len(), 2);
    }

    #[test]
    fn faults_name_their_cases() {
        let docker = on("2025-01-01", EngineKind::Docker);
        let message = |result: Result<FolderUpdate, UpdateError>| result.unwrap_err().to_string();
        let twice = seen(&docker, &[("mode=a", "x"), ("mode=a", "y")]);
        assert_eq!(
            message(update(&empty(), &twice, &docker)),
            "s[mode=a] on lab-docker and s[mode=a] on lab-docker gave different texts for the same coordinates, \
             cgroups=v2,delegation=full,engine=docker,engine_major=28,hierarchies=other,mode=a,rootless=false"
        );
        let marker = seen(&docker, &[("mode=a", "x\n=======")]);
        let expected = "line 2 of the text of s[mode=a] looks like a merge-conflict marker";
        assert_eq!(message(update(&empty(), &marker, &docker)), expected);
        let cases = seen(&docker, &[("mode=a", "x"), ("mode=A", "y"), ("mode=b", "z"), ("mode=c", "z")]);
        let expected = "mode=A.txt and mode=a.txt would differ by letter case alone";
        assert_eq!(message(update(&empty(), &cases, &docker)), expected);
        assert!(update(&empty(), &cases[..3], &docker).is_ok(), "with no two such files there is nothing wrong");
        let elsewhere = update(&empty(), &seen(&docker, &[("base", "x")]), &on("", EngineKind::Podman));
        assert!(message(elsewhere).starts_with("s[base] was not seen on lab-podman"));
        let mut lost = update(&empty(), &seen(&docker, &[("mode=a", "x")]), &docker).unwrap().after;
        lost.files.clear();
        let missing = update(&lost, &seen(&docker, &[("mode=b", "x")]), &docker);
        assert!(matches!(missing, Err(UpdateError::Missing { .. })));
        assert!(update(&lost, &seen(&docker, &[("mode=a", "x")]), &docker).is_ok(), "seeing it again repairs it");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_was_not_seen_keeps_its_text(
            first in prop::collection::btree_map((0..3_u8, 0..3_u8), 0..3_u8, 0..9),
            second in prop::collection::btree_map((0..3_u8, 0..3_u8), 0..3_u8, 0..9),
        ) {
            let host = on("2025-01-01", EngineKind::Docker);
            let recorded = |cases: &BTreeMap<(u8, u8), u8>| -> Vec<Recorded> {
                cases.iter().flat_map(|((a, b), t)| seen(&host, &[(&format!("a={a},b={b}"), &t.to_string())])).collect()
            };
            let before = update(&empty(), &recorded(&first), &host).unwrap();
            let after = update(&before.after, &recorded(&second), &on("2025-02-02", EngineKind::Docker)).unwrap();
            let mut expected = first;
            expected.extend(second.clone());
            for case in recorded(&expected) {
                prop_assert!(after.after.recorded(&case.coordinates).is_some());
                prop_assert_eq!(after.after.resolve(&case.coordinates).unwrap().unwrap().1, &case.text);
            }
            let again = update(&after.after, &recorded(&second), &on("2025-03-03", EngineKind::Docker)).unwrap();
            prop_assert!(again.is_empty());
        }
    }
}
