//! How long cases took when they last ran, on each host: kept beside what is set aside, so that the next run starts with those
//! that take long. It is a hint and no more: what can't be read counts as nothing, and of two runs that end together one is kept.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::files;
use crate::plan::CaseId;

/// The largest file that is read: a hundred bytes for each of very many cases.
const LARGEST: u64 = 64 << 20;

/// The file, in the folder of what is set aside.
const FILE: &str = "durations.json";

/// The version of its shape.
const VERSION: u32 = 1;

/// Host to case to seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Durations {
    version: u32,
    hosts: BTreeMap<String, BTreeMap<CaseId, f64>>,
}

impl Default for Durations {
    fn default() -> Self {
        Self { version: VERSION, hosts: BTreeMap::new() }
    }
}

impl Durations {
    /// What is known of a host. A time that is none is not known.
    pub fn of(&self, host: &str) -> impl Iterator<Item = (&CaseId, Duration)> {
        let cases = self.hosts.get(host).into_iter().flatten();
        cases.filter_map(|(case, seconds)| Some((case, Duration::try_from_secs_f64(*seconds).ok()?)))
    }

    /// Takes note of how long a case took.
    pub fn note(&mut self, host: &str, case: &CaseId, took: Duration) {
        // A thousandth is as exact as anybody needs it.
        let seconds = (took.as_secs_f64() * 1000.0).round() / 1000.0;
        self.hosts.entry(host.to_owned()).or_default().insert(case.clone(), seconds);
    }
}

/// What is known in a folder: nothing where there is no such file, or none that this program wrote.
#[must_use]
pub fn read(folder: &Path) -> Durations {
    let bytes = files::read(&folder.join(FILE), LARGEST).unwrap_or_default();
    serde_json::from_slice(&bytes).ok().filter(|found: &Durations| found.version == VERSION).unwrap_or_default()
}

/// Writes it, as a whole or not at all.
///
/// # Errors
/// Where the file system would not.
pub fn write(folder: &Path, durations: &Durations) -> io::Result<()> {
    files::replace(&folder.join(FILE), &serde_json::to_vec(durations)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_damage_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("aside");
        assert_eq!(read(&place), Durations::default());
        let (mut known, case) = (Durations::default(), CaseId("a[x=1]".into()));
        known.note("lab", &case, Duration::from_millis(1500));
        write(&place, &known).unwrap();
        let again = read(&place);
        assert_eq!(again.of("lab").collect::<Vec<_>>(), [(&case, Duration::from_millis(1500))]);
        assert_eq!(again.of("other").count(), 0);
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 1, "a trace of writing is left");
        let negative = r#"{"version":1,"hosts":{"lab":{"a":-1.0,"b":1e300}}}"#;
        for text in ["{", "[]", r#"{"version":2,"hosts":{}}"#, negative] {
            std::fs::write(place.join(FILE), text).unwrap();
            assert_eq!(read(&place).of("lab").count(), 0, "{text}");
        }
    }
}
