//! Where a golden's texts were recorded: the shape of `recorded.toml`, its reader and its writer. Texts alone.
//!
//! ```toml
//! [[recording]]
//! date = "2025-06-01"
//! image = "debian-12"
//! systemd = "252.36-1~deb12u1"
//! runs = 3
//! reason = "first recording"
//! cases = [
//!     "cgroupns=host,setup_mode=rebind",
//!     "cgroupns=private,setup_mode=rebind",
//! ]
//!
//! [recording.host]
//! name = "docker-v2"
//! engine = "docker"
//! # …
//! ```
//!
//! A case is listed by its axes, in the form of a golden's file name (`base` for a case without axes); together with
//! the host's `engine` and `cgroups` they are its coordinates. So every text can be found again, and two branches that
//! record different cases change different lines.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::error::TextFault;
use super::name::Condition;
use super::{Coordinates, HOST_KEYS};
use crate::facts::Facts;

/// What stands above a written file.
const HEADER: &str = "# Where this folder's goldens were recorded. Written by `sdc-engine update`.\n";

/// The host that something was recorded on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedHost {
    /// What the run called it.
    pub name: String,
    /// The engine: a coordinate.
    pub engine: String,
    /// The engine's version.
    pub engine_version: String,
    /// The OCI runtime, with its version where known.
    pub runtime: String,
    /// Whether the engine runs without root.
    pub rootless: bool,
    /// The cgroup version of containers: a coordinate.
    pub cgroups: String,
    /// Whether containers got memory and pids, `full` or `partial`: a coordinate.
    pub delegation: String,
    /// The layout below `/sys/fs/cgroup`.
    pub cgroup_layout: String,
    /// Who laid out the v1 hierarchies, `systemd` or `other`: a coordinate. Written where it is `systemd`.
    #[serde(default = "other")]
    pub hierarchies: String,
    /// The kernel's release.
    pub kernel: String,
    /// The operating system.
    pub os: String,
    /// The machine's architecture.
    pub arch: String,
}

impl RecordedHost {
    /// The facts of a host that stand beside goldens.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let layout = match facts.cgroup_layout {
            crate::facts::CgroupLayout::V1 => "v1",
            crate::facts::CgroupLayout::Hybrid => "hybrid",
            crate::facts::CgroupLayout::V2 => "v2",
        };
        Self {
            name: facts.name.clone(),
            engine: facts.engine.to_string(),
            engine_version: facts.engine_version.clone(),
            runtime: format!("{} {}", facts.runtime, facts.runtime_version).trim().to_owned(),
            rootless: facts.rootless,
            cgroups: facts.cgroups.to_string(),
            delegation: facts.delegation().to_owned(),
            cgroup_layout: layout.to_owned(),
            hierarchies: facts.hierarchies().to_owned(),
            kernel: facts.kernel.clone(),
            os: facts.os.clone(),
            arch: facts.arch.clone(),
        }
    }

    /// The facts that are coordinates of every case, by the names of [`HOST_KEYS`].
    #[must_use]
    pub fn coordinates(&self) -> Coordinates {
        let values = [
            self.cgroups.clone(),
            self.delegation.clone(),
            self.engine.clone(),
            major(&self.engine_version),
            self.hierarchies.clone(),
            self.rootless.to_string(),
        ];
        HOST_KEYS.into_iter().map(str::to_owned).zip(values).collect()
    }
}

/// The hierarchies of hosts that were recorded before this was asked, and of all where it does not matter.
fn other() -> String {
    "other".to_owned()
}

/// The first number of a version, or all of one that starts with none.
fn major(version: &str) -> String {
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    if digits.is_empty() { version.to_owned() } else { digits }
}

/// One act of recording. Its order is the order of a file: by date first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Recording {
    /// The day, as the caller writes it.
    pub date: String,
    /// The host.
    pub host: RecordedHost,
    /// The image.
    pub image: String,
    /// The image's systemd version.
    pub systemd: String,
    /// How many identical runs there were.
    pub runs: u32,
    /// Why it was recorded.
    pub reason: String,
}

/// The cases of one recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// When, where and why.
    pub recording: Recording,
    /// The axes of each case, without the host's facts.
    pub cases: BTreeSet<Coordinates>,
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    recording: Vec<RawGroup>,
}

/// A recording in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGroup {
    date: String,
    image: String,
    systemd: String,
    runs: u32,
    reason: String,
    cases: Vec<Spanned<String>>,
    host: RecordedHost,
}

/// The text of `recorded.toml`. It is written by hand, as every case and every value must have a line of its own.
#[must_use]
pub fn write(groups: &[Group]) -> String {
    let mut out = String::from(HEADER);
    for Group { recording: Recording { date, host, image, systemd, runs, reason }, cases } in groups {
        let line = |key: &str, value: &str| format!("{key} = {}\n", quoted(value));
        out.push_str("\n[[recording]]\n");
        out.extend([line("date", date), line("image", image), line("systemd", systemd)]);
        out.extend([format!("runs = {runs}\n"), line("reason", reason), "cases = [\n".to_owned()]);
        out.extend(names(cases).iter().map(|name| format!("    {},\n", quoted(name))));
        out.push_str("]\n\n[recording.host]\n");
        out.extend([line("name", &host.name), line("engine", &host.engine)]);
        out.extend([line("engine_version", &host.engine_version), line("runtime", &host.runtime)]);
        out.extend([format!("rootless = {}\n", host.rootless), line("cgroups", &host.cgroups)]);
        out.extend([line("delegation", &host.delegation), line("cgroup_layout", &host.cgroup_layout)]);
        if host.hierarchies != other() {
            out.push_str(&line("hierarchies", &host.hierarchies));
        }
        out.push_str(&line("kernel", &host.kernel));
        out.extend([line("os", &host.os), line("arch", &host.arch)]);
    }
    out
}

/// A basic string of TOML, on one line.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Cases as they are listed, sorted.
fn names(cases: &BTreeSet<Coordinates>) -> BTreeSet<String> {
    cases.iter().map(|axes| Condition::at(axes).to_string()).collect()
}

/// Reads `recorded.toml`; `path` is for messages.
///
/// # Errors
/// Everything that is wrong with it: merge-conflict markers, what is not TOML, unknown keys, cases that are not named
/// as they would be written, and cases that two recordings of the same host facts list.
pub fn read(path: &str, text: &str) -> Result<Vec<Group>, Vec<TextFault>> {
    if let Some(fault) = conflict(path, text) {
        return Err(vec![fault]);
    }
    let file: RawFile = toml::from_str(text).map_err(|error| {
        vec![TextFault::new(path, text, error.span().unwrap_or_default(), error.message().trim_end())]
    })?;
    let mut faults = Vec::new();
    let mut listed: BTreeMap<Coordinates, String> = BTreeMap::new();
    let mut groups: BTreeMap<Recording, BTreeSet<Coordinates>> = BTreeMap::new();
    for raw in file.recording {
        let host = raw.host.coordinates();
        let mut cases = BTreeSet::new();
        for case in raw.cases {
            let (span, name) = (case.span(), case.into_inner());
            match axes_of(&name) {
                Err(message) => faults.push(TextFault::new(path, text, span, format!("no case: {message}"))),
                Ok(axes) => {
                    let mut all = axes.clone();
                    all.extend(host.clone());
                    if let Some(date) = listed.insert(all, raw.date.clone()) {
                        let message = format!("`{name}` is listed twice, first on {date}");
                        let fault = TextFault::new(path, text, span, message);
                        faults.push(fault.with_help("keep the line of the recording that the golden is from"));
                    }
                    cases.insert(axes);
                }
            }
        }
        let recording = Recording {
            date: raw.date,
            host: raw.host,
            image: raw.image,
            systemd: raw.systemd,
            runs: raw.runs,
            reason: raw.reason,
        };
        groups.entry(recording).or_default().extend(cases);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(groups.into_iter().map(|(recording, cases)| Group { recording, cases }).collect())
}

/// The axes that a listed case names.
fn axes_of(name: &str) -> Result<Coordinates, String> {
    let axes = Condition::parse(name).map_err(|error| error.to_string())?;
    let axes = axes.single().ok_or("an axis has several values")?;
    match HOST_KEYS.iter().find(|key| axes.contains_key(**key)) {
        Some(key) => Err(format!("`{key}` is the host's, not an axis")),
        None => Ok(axes),
    }
}

/// The first merge-conflict marker of a text, as a fault.
#[must_use]
pub fn conflict(path: &str, text: &str) -> Option<TextFault> {
    let span = conflict_marker(text)?;
    Some(
        TextFault::new(path, text, span, "a merge conflict was left in the file")
            .with_help("take one side, or record the cases again"),
    )
}

/// Where the first line that starts as git's conflict markers do stands in a text.
#[must_use]
pub fn conflict_marker(text: &str) -> Option<Range<usize>> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        let marked = ["<<<<<<<", ">>>>>>>"].iter().any(|m| bare == *m || bare.starts_with(&format!("{m} ")));
        if marked || bare == "=======" {
            return Some(start..start + bare.len());
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn group(date: &str, host: &str, cases: &[&str]) -> Group {
        let recording = Recording {
            date: date.into(),
            host: RecordedHost { name: host.into(), ..RecordedHost::of(&Facts::assumed()) },
            image: "debian-12".into(),
            systemd: "252".into(),
            runs: 3,
            reason: "the \"first\"\nrecording".into(),
        };
        Group { recording, cases: cases.iter().map(|name| axes_of(name).unwrap()).collect() }
    }

    fn faults(text: &str) -> Vec<String> {
        read("g/recorded.toml", text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn round_trips_with_one_case_a_line() {
        let groups = [group("2025-01-01", "a", &["base"]), group("2025-01-02", "b", &["mode=y", "mode=x%20z"])];
        let text = write(&groups);
        assert_eq!(read("recorded.toml", &text).unwrap(), groups);
        for line in ["\"base\",", "\"mode=x%20z\",", "\"mode=y\","] {
            assert!(text.lines().any(|found| found.trim() == line), "{line} in {text}");
        }
        assert_eq!(read("recorded.toml", &write(&[])).unwrap(), []);
    }

    #[test]
    fn a_v1_host_that_systemd_laid_out_is_a_kind_of_its_own() {
        let by_hand = Facts { cgroups: crate::facts::CgroupVersion::V1, ..Facts::assumed() };
        let by_systemd = Facts { host_systemd: "252".into(), ..by_hand.clone() };
        let of = |facts: &Facts| RecordedHost::of(facts).coordinates()["hierarchies"].clone();
        assert_eq!((of(&by_hand).as_str(), of(&by_systemd).as_str()), ("other", "systemd"));
        assert_eq!(of(&Facts { host_systemd: "252".into(), ..Facts::assumed() }), "other");
        let mut one = group("2025-01-01", "a", &["base"]);
        assert!(!write(std::slice::from_ref(&one)).contains("hierarchies"));
        one.recording.host = RecordedHost::of(&by_systemd);
        let text = write(std::slice::from_ref(&one));
        assert!(text.contains("\nhierarchies = \"systemd\"\n"), "{text}");
        assert_eq!(read("recorded.toml", &text).unwrap(), [one]);
    }

    proptest! {
        #[test]
        fn any_text_round_trips(reason in any::<String>(), value in "\\PC*", runs in any::<u32>()) {
            let mut group = group("2025-01-01", "a", &[]);
            group.recording.reason = reason;
            group.recording.runs = runs;
            group.cases.insert(Coordinates::from([("axis".to_owned(), value)]));
            let text = write(std::slice::from_ref(&group));
            prop_assert_eq!(read("recorded.toml", &text).unwrap(), [group]);
        }
    }

    #[test]
    fn unknown_keys_name_the_file_and_line() {
        let text = write(&[group("2025-01-01", "a", &["base"])]).replace("runs = 3", "runs = 3\nrunz = 3");
        let faults = faults(&text);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].starts_with("g/recorded.toml:8: unknown field `runz`"), "{faults:?}");
    }

    #[test]
    fn conflict_markers_name_the_line() {
        assert_eq!(faults("# x\n<<<<<<< HEAD\n"), ["g/recorded.toml:2: a merge conflict was left in the file"]);
        for text in ["a\n=======\nb\n", "=======\r\n", "x\n>>>>>>> other\n", "<<<<<<<"] {
            assert!(conflict("base.txt", text).is_some(), "{text}");
        }
        for text in ["", "========\n", " =======\n", "<<<<<<<<\n", "a =======\n"] {
            assert!(conflict("base.txt", text).is_none(), "{text}");
        }
    }

    #[test]
    fn cases_must_be_as_written_and_listed_once() {
        let text = write(&[group("2025-01-01", "a", &["mode=x", "mode=y"]), group("2025-01-02", "b", &["mode=x"])]);
        assert_eq!(faults(&text).len(), 1);
        assert!(faults(&text)[0].ends_with("`mode=x` is listed twice, first on 2025-01-01"));
        let text = write(&[group("2025-01-01", "a", &["mode=x", "mode=y"])]);
        let text = text.replace("mode=x", "mode=x+z").replace("mode=y", "engine=docker");
        let faults = faults(&text);
        assert!(faults[0].ends_with("no case: an axis has several values"), "{faults:?}");
        assert!(faults[1].ends_with("no case: `engine` is the host's, not an axis"), "{faults:?}");
    }
}
