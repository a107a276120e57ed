//! One golden folder as it was read: its files by condition, and which cases were recorded where. A plain value.

use super::name::{Condition, NameError, decode, encode};
use super::record::Group;
use super::resolve::{Ambiguity, Files};
use super::{Coordinates, GoldenError, HOST_KEYS, KIND_KEYS};
use crate::judge::{GoldenKey, GoldenState};
use crate::plan::CaseId;

/// The longest name of a folder in bytes: what file systems take.
pub const MAX_FOLDER: usize = 255;

/// `golden/<scenario>/<folder>/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoldenFolder {
    /// Which.
    pub key: GoldenKey,
    /// Texts by condition.
    pub files: Files,
    /// Recorded cases, by recording, sorted.
    pub groups: Vec<Group>,
}

impl GoldenFolder {
    /// A folder that was never recorded.
    #[must_use]
    pub const fn empty(key: GoldenKey) -> Self {
        Self { key, files: Files::new(), groups: Vec::new() }
    }

    /// The recording that lists a case, on exactly such a host or else on another of its kind (see [`KIND_KEYS`]).
    #[must_use]
    pub fn recorded(&self, at: &Coordinates) -> Option<&Group> {
        self.listed(at, &HOST_KEYS).or_else(|| self.listed(at, &KIND_KEYS))
    }

    /// The first recording that lists a case, on a host that shares these facts.
    fn listed(&self, at: &Coordinates, keys: &[&str]) -> Option<&Group> {
        let axes = axes(at);
        self.groups.iter().find(|group| {
            let host = group.recording.host.coordinates();
            keys.iter().all(|key| host.get(*key) == at.get(*key)) && group.cases.contains(&axes)
        })
    }

    /// The coordinates of every recorded case.
    pub fn coordinates(&self) -> impl Iterator<Item = Coordinates> + '_ {
        self.groups.iter().flat_map(|group| {
            let host = group.recording.host.coordinates();
            group.cases.iter().map(move |axes| axes.iter().chain(&host).map(|(k, v)| (k.clone(), v.clone())).collect())
        })
    }

    /// The file that stands for these coordinates, recorded or not.
    ///
    /// # Errors
    /// When two equally specific files do, with different texts.
    pub fn resolve(&self, at: &Coordinates) -> Result<Option<(&Condition, &str)>, Ambiguity> {
        self.files.resolve(at)
    }

    /// What the folder says of a case: `New` unless a recording lists it.
    ///
    /// # Errors
    /// When files contradict each other for it, or when a recording lists it and no file stands for it.
    pub fn state(&self, case: &CaseId, at: &Coordinates) -> Result<GoldenState, GoldenError> {
        if self.recorded(at).is_none() {
            return Ok(GoldenState::New);
        }
        let path = path(&self.key)?;
        match self.resolve(at) {
            Ok(Some((condition, text))) => {
                Ok(GoldenState::Recorded { file: format!("{path}/{}", condition.file_name()), text: text.to_owned() })
            }
            // Every file may stand for other versions of the engine than this one.
            Ok(None) if self.listed(at, &HOST_KEYS).is_none() => Ok(GoldenState::New),
            Ok(None) => Err(GoldenError::Missing { folder: path, case: case.to_string() }),
            Err(ambiguity) => Err(GoldenError::Ambiguous { folder: path, ambiguity }),
        }
    }
}

/// Coordinates without the host's facts.
#[must_use]
pub fn axes(at: &Coordinates) -> Coordinates {
    at.iter().filter(|(key, _)| !HOST_KEYS.contains(&key.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// A key's folder below the golden root, with `/`: scenario names hold `/` themselves, the last component is the
/// golden's folder, and each component is percent-encoded, so no name leads out of the root.
///
/// # Errors
/// When a component is empty, `.`, `..` or too long.
pub fn path(key: &GoldenKey) -> Result<String, GoldenError> {
    let mut out = String::new();
    for part in key.scenario.split('/').chain([key.folder.as_str()]) {
        if matches!(part, "" | "." | "..") {
            return Err(GoldenError::BadKey { scenario: key.scenario.clone(), folder: key.folder.clone() });
        }
        let name = encode(part);
        if name.len() > MAX_FOLDER {
            return Err(GoldenError::LongKey { part: part.to_owned() });
        }
        out.push_str(if out.is_empty() { "" } else { "/" });
        out.push_str(&name);
    }
    Ok(out)
}

/// Undoes [`path`]; `None` for what it never writes.
///
/// # Errors
/// When a component is not as [`path`] writes it.
pub fn key(path: &str) -> Result<Option<GoldenKey>, NameError> {
    let mut parts = path.split('/').map(decode).collect::<Result<Vec<_>, _>>()?;
    let Some(folder) = parts.pop().filter(|_| !parts.is_empty()) else { return Ok(None) };
    // What is joined here falls apart again at every `/`, also at one that was encoded.
    let scenario = parts.join("/");
    let parts = scenario.split('/').chain([folder.as_str()]);
    let canonical = parts.map(encode).collect::<Vec<_>>().join("/");
    if canonical != path {
        return Err(NameError::NotCanonical(canonical));
    }
    let key = GoldenKey { scenario, folder };
    Ok(self::path(&key).is_ok().then_some(key))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::facts::Facts;
    use crate::golden::{RecordedHost, Recording};

    fn key_of(scenario: &str, folder: &str) -> GoldenKey {
        GoldenKey { scenario: scenario.into(), folder: folder.into() }
    }

    #[test]
    fn paths_never_leave_the_root() {
        assert_eq!(path(&key_of("cgroups/mounts", "list.stderr")).unwrap(), "cgroups/mounts/list.stderr");
        assert_eq!(path(&key_of("a", "b/../../c")).unwrap(), "a/b%2F..%2F..%2Fc");
        for (scenario, folder) in [("..", "a"), ("a/../..", "b"), ("/etc", "b"), ("a", ".."), ("a", ""), ("a//b", "c")]
        {
            assert!(path(&key_of(scenario, folder)).is_err(), "{scenario} {folder}");
        }
        let long = "ü".repeat(MAX_FOLDER / 6 + 1);
        assert!(matches!(path(&key_of("a", &long)), Err(GoldenError::LongKey { part }) if part == long));
        assert!(path(&key_of("a", &long[2..])).is_ok());
    }

    #[test]
    fn paths_lead_back_to_keys() {
        for original in [key_of("a/b", "c d"), key_of("a", "b/c=ü"), key_of("a", "x.console")] {
            assert_eq!(key(&path(&original).unwrap()), Ok(Some(original)));
        }
        assert_eq!(key("a"), Ok(None));
        for other in ["a/b c", "a%2Fb/c", "%2E%2E/c", "a/%41"] {
            assert!(key(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_newer_engine_is_held_against_older_ones_and_another_kind_is_new() {
        let host = |engine_version: &str, rootless| {
            let mut host = RecordedHost::of(&Facts::assumed());
            host.engine_version = engine_version.into();
            host.rootless = rootless;
            host
        };
        let recording = Recording {
            date: "2026-01-01".into(),
            host: host("28.5.2", false),
            image: "i".into(),
            systemd: "252".into(),
            runs: 1,
            reason: "r".into(),
        };
        let cases = BTreeSet::from([Coordinates::from([("mode".into(), "a".into())])]);
        let mut folder = GoldenFolder::empty(key_of("s", "f"));
        folder.groups.push(Group { recording, cases });
        folder.files.insert(Condition::parse("engine_major=28").unwrap(), "old\n".into());
        let state = |folder: &GoldenFolder, host: RecordedHost| {
            let mut at = host.coordinates();
            at.insert("mode".into(), "a".into());
            let case = CaseId("s[mode=a]".into());
            folder.state(&case, &at).unwrap()
        };
        assert!(matches!(state(&folder, host("28.0", false)), GoldenState::Recorded { .. }));
        assert_eq!(state(&folder, host("29.1", false)), GoldenState::New, "the one file is for 28 only");
        folder.files.insert(Condition::base(), "all\n".into());
        assert!(matches!(state(&folder, host("29.1", false)), GoldenState::Recorded { text, .. } if text == "all\n"));
        assert_eq!(state(&folder, host("28.0", true)), GoldenState::New, "rootless is another kind");
    }
}
