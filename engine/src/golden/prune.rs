//! What goldens say of cases that there are no more, and what removing it changes. Pure; only a run that was whole and
//! clean may apply it (see `sdc-engine prune`).

use std::collections::{BTreeMap, BTreeSet};

use super::name::Condition;
use super::record::{Group, write};
use super::update::FolderUpdate;
use super::{Coordinates, GoldenFolder, GoldenStore, HOST_KEYS, KIND_KEYS, RECORDED_FILE};

/// What a run planned of one golden, on one host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Covered {
    /// The host's facts among the coordinates.
    pub host: Coordinates,
    /// The axes of every case of that golden there, those that the host can't run too.
    pub cases: BTreeSet<Coordinates>,
}

/// The files that stand for no recorded case, by name.
#[must_use]
pub fn unreachable(folder: &GoldenFolder) -> BTreeSet<String> {
    let reached = reached(folder, &folder.groups);
    folder.files.keys().filter(|condition| !reached.contains(condition)).map(Condition::file_name).collect()
}

/// What of the goldens is of none of these scenarios, or stands for no recorded case, in words.
#[must_use]
pub fn not_needed(store: &GoldenStore, scenarios: &BTreeSet<&str>) -> Vec<String> {
    let of = |folder: &GoldenFolder| {
        let name = format!("{}/{}", folder.key.scenario, folder.key.folder);
        if !scenarios.contains(folder.key.scenario.as_str()) {
            return vec![format!("{name} in the goldens' folder is of no scenario: sdc-engine prune")];
        }
        let idle = unreachable(folder).into_iter();
        idle.map(|file| format!("{name}/{file} in the goldens' folder stands for no recorded case: sdc-engine prune"))
            .collect()
    };
    store.folders.values().flat_map(of).collect()
}

/// What removing changes: recorded cases that the hosts of a run plan no more, and files that then stand for no
/// recorded case and claim no host that was not in the run. All else stays as it is.
#[must_use]
pub fn prune(folder: &GoldenFolder, covered: &[Covered]) -> FolderUpdate {
    let groups: Vec<Group> = folder
        .groups
        .iter()
        .map(|group| {
            let host = group.recording.host.coordinates();
            let of_its_kind: Vec<&Covered> =
                covered.iter().filter(|covered| alike(&covered.host, &host, &KIND_KEYS)).collect();
            let stays = |case: &&Coordinates| {
                of_its_kind.is_empty() || of_its_kind.iter().any(|covered| covered.cases.contains(*case))
            };
            Group { recording: group.recording.clone(), cases: group.cases.iter().filter(stays).cloned().collect() }
        })
        .filter(|group| !group.cases.is_empty())
        .collect();
    let reached = reached(folder, &groups);
    let goes = |condition: &&Condition| !reached.contains(*condition) && claims_only(condition, covered);
    let delete: BTreeSet<String> = folder.files.keys().filter(goes).map(Condition::file_name).collect();
    let files: BTreeMap<Condition, String> = folder
        .files
        .iter()
        .filter(|(condition, _)| !delete.contains(&condition.file_name()))
        .map(|(condition, text)| (condition.clone(), text.clone()))
        .collect();
    let changes = groups != folder.groups;
    let mut update = FolderUpdate {
        key: folder.key.clone(),
        write: BTreeMap::new(),
        delete,
        recorded: (changes && !groups.is_empty()).then(|| write(&groups)),
        changed: BTreeSet::new(),
        unclaimed: BTreeSet::new(),
        after: GoldenFolder { key: folder.key.clone(), files: files.into(), groups },
    };
    if changes && update.after.groups.is_empty() {
        update.delete.insert(RECORDED_FILE.to_owned());
    }
    update
}

/// The files that recorded cases resolve to. A case for which files contradict each other holds on to all of them.
fn reached<'a>(folder: &'a GoldenFolder, groups: &[Group]) -> BTreeSet<&'a Condition> {
    let mut reached = BTreeSet::new();
    for group in groups {
        let host = group.recording.host.coordinates();
        for case in &group.cases {
            let at: Coordinates = case.iter().chain(&host).map(|(key, value)| (key.clone(), value.clone())).collect();
            match folder.resolve(&at) {
                Ok(found) => reached.extend(found.map(|(condition, _)| condition)),
                Err(_) => reached.extend(folder.files.keys().filter(|condition| condition.matches(&at))),
            }
        }
    }
    reached
}

/// Whether every host that a condition names was in the run: one that names none claims whatever host was recorded.
fn claims_only(condition: &Condition, covered: &[Covered]) -> bool {
    let of_hosts = condition.values().iter().filter(|(key, _)| HOST_KEYS.contains(&key.as_str()));
    of_hosts.into_iter().all(|(key, values)| {
        values.iter().all(|value| covered.iter().any(|covered| covered.host.get(key) == Some(value)))
    })
}

fn alike(one: &Coordinates, other: &Coordinates, keys: &[&str]) -> bool {
    keys.iter().all(|key| one.get(*key) == other.get(*key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{EngineKind, Facts};
    use crate::golden::update::{Recorded, update};
    use crate::golden::{RecordedHost, Recording};
    use crate::judge::GoldenKey;
    use crate::plan::CaseId;

    fn recording(engine: EngineKind) -> Recording {
        let facts = Facts { engine, ..Facts::assumed() };
        let (date, image, systemd) = ("2026-01-01".to_owned(), "debian-12".to_owned(), "252".to_owned());
        Recording { date, host: RecordedHost::of(&facts), image, systemd, runs: 3, reason: "r".to_owned() }
    }

    fn axis(value: &str) -> Coordinates {
        [("mode".to_owned(), value.to_owned())].into()
    }

    /// docker printed `x` in the modes a and b and `y` in c; podman `z` in all three.
    fn folder() -> GoldenFolder {
        let mut folder = GoldenFolder::empty(GoldenKey { scenario: "s".into(), folder: "g".into() });
        for (engine, texts) in [(EngineKind::Docker, ["x", "x", "y"]), (EngineKind::Podman, ["z", "z", "z"])] {
            let recording = recording(engine);
            let seen: Vec<Recorded> = ["a", "b", "c"]
                .iter()
                .zip(texts)
                .map(|(mode, text)| {
                    let mut coordinates = axis(mode);
                    coordinates.extend(recording.host.coordinates());
                    Recorded { case: CaseId(format!("s[mode={mode}]")), coordinates, text: format!("{text}\n") }
                })
                .collect();
            folder = update(&folder, &seen, &recording).unwrap().after;
        }
        folder
    }

    fn covered(engine: EngineKind, modes: &[&str]) -> Covered {
        Covered { host: recording(engine).host.coordinates(), cases: modes.iter().map(|mode| axis(mode)).collect() }
    }

    #[test]
    fn what_is_planned_stays() {
        let all = ["a", "b", "c"];
        let covered = [covered(EngineKind::Docker, &all), covered(EngineKind::Podman, &all)];
        assert!(prune(&folder(), &covered).is_empty());
        assert!(unreachable(&folder()).is_empty());
        assert!(prune(&folder(), &[]).is_empty());
    }

    #[test]
    fn a_case_that_is_gone_takes_its_file_along_and_no_other_hosts() {
        let before = folder();
        let update = prune(&before, &[covered(EngineKind::Docker, &["a", "b"])]);
        assert_eq!(update.delete.len(), 1);
        let gone = before.files.iter().find(|(_, text)| *text == "y\n").unwrap().0.file_name();
        assert!(update.delete.contains(&gone) && update.write.is_empty(), "{update:?}");
        let left: usize = update.after.groups.iter().map(|group| group.cases.len()).sum();
        assert_eq!(left, 5);
        assert!(prune(&update.after, &[covered(EngineKind::Docker, &["a", "b"])]).is_empty(), "twice changes nothing");
    }

    #[test]
    fn a_golden_that_is_gone_goes_when_all_its_hosts_were_there() {
        let docker = prune(&folder(), &[covered(EngineKind::Docker, &[])]);
        assert!(docker.recorded.as_ref().is_some_and(|text| text.contains("podman")), "{docker:?}");
        assert!(docker.after.files.values().any(|text| text == "z\n"));
        let both = prune(&folder(), &[covered(EngineKind::Docker, &[]), covered(EngineKind::Podman, &[])]);
        assert!(both.after.files.is_empty() && both.after.groups.is_empty());
        assert!(both.delete.contains(RECORDED_FILE));
    }

    #[test]
    fn a_file_that_nothing_resolves_to_is_told_and_kept_for_hosts_that_were_not_there() {
        let mut folder = folder();
        for name in ["mode=nowhere.txt", "engine=other,mode=a.txt"] {
            folder.files.insert(Condition::from_file_name(name).unwrap(), "left\n".into());
        }
        assert_eq!(unreachable(&folder), ["engine=other,mode=a.txt", "mode=nowhere.txt"].map(String::from).into());
        let all = ["a", "b", "c"];
        let update = prune(&folder, &[covered(EngineKind::Docker, &all)]);
        assert_eq!(update.delete, ["mode=nowhere.txt".to_owned()].into());
        assert_eq!(update.recorded, None);
    }
}
