//! Every entry of `images/diagnoses.toml` has a log of its own, `tests/diagnose/<name>.log`, that leads to it before all
//! others. The lines `#: …` at a log's start say where it is from, and what is known of its host and container.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeMap;
use std::path::Path;

use sdc_engine::diagnose::{Diagnoses, Diagnosis, Known, shipped, url};
use sdc_engine::facts::Facts;
use sdc_engine::observe::console::{deciding_line, plain};
use sdc_engine::plan::ContainerSpec;

struct Log {
    /// The entry that it belongs to.
    entry: String,
    source: String,
    known: BTreeMap<String, String>,
    deciding: Option<String>,
    text: String,
}

fn logs() -> BTreeMap<String, Log> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnose");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().strip_suffix(".log").unwrap().to_owned();
        let whole = std::fs::read_to_string(&path).unwrap();
        let (head, text): (Vec<&str>, Vec<&str>) = whole.lines().partition(|line| line.starts_with("#: "));
        let said = |word: &str| head.iter().find_map(|line| line[3..].strip_prefix(word)).map(str::to_owned);
        let pairs = said("known ").unwrap_or_default();
        let pairs = pairs.split_whitespace().filter_map(|pair| pair.split_once('='));
        let log = Log {
            entry: name.split('.').next().unwrap().to_owned(),
            source: head.first().map_or_else(String::new, |line| line[3..].to_owned()),
            known: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            deciding: said("deciding "),
            text: text.join("\n"),
        };
        (name, log)
    };
    files.map(read).collect()
}

impl Log {
    fn leads_to(&self, diagnoses: &Diagnoses) -> Vec<Diagnosis> {
        let text = plain(&self.text);
        let deciding = self.deciding.clone().or_else(|| deciding_line(&text, false));
        if self.known.is_empty() {
            return diagnoses.of(deciding.as_deref(), &text, Known::default());
        }
        let known = |name: &str| self.known.get(name).map(String::as_str);
        let host = Facts { rootless: known("rootless") == Some("true"), ..Facts::assumed() };
        let tty = known("tty") != Some("false");
        let container = ContainerSpec { tty, userns: known("userns").map(str::to_owned), ..ContainerSpec::default() };
        diagnoses.of(deciding.as_deref(), &text, Known { host: Some(&host), container: Some(&container) })
    }
}

#[test]
fn every_entry_has_a_log_and_every_log_an_entry() {
    let logs = logs();
    for entry in &shipped().0 {
        assert!(logs.values().any(|log| log.entry == entry.name), "no log in tests/diagnose leads to {}", entry.name);
    }
    for (name, log) in &logs {
        assert!(shipped().0.iter().any(|entry| entry.name == log.entry), "{name}.log is of no entry");
        assert!(log.source.len() > 10, "{name}.log does not say where it is from");
    }
}

#[test]
fn every_log_leads_to_its_entry_first() {
    let diagnoses = shipped();
    let wrong: Vec<String> = logs()
        .iter()
        .filter_map(|(name, log)| {
            let led: Vec<String> = log.leads_to(&diagnoses).into_iter().map(|told| told.name).collect();
            (led.first() != Some(&log.entry)).then(|| format!("{name}.log leads to {led:?}"))
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn texts_are_filled_in_and_links_have_addresses() {
    for (name, log) in logs() {
        for told in log.leads_to(&shipped()) {
            let texts = [Some(&told.cause), Some(&told.fix), told.docker.as_ref(), told.podman.as_ref()];
            for text in texts.into_iter().flatten() {
                assert!(!text.contains('{') && !text.contains("  "), "{name}: {text}");
            }
            assert!(told.links.iter().all(|link| url(link).is_some()), "{name}: {:?}", told.links);
        }
    }
}

/// Logs of boots that came up lead nowhere.
#[test]
fn healthy_logs_lead_nowhere() {
    let text = include_str!("../src/observe/testdata/debian12-v1-passthrough-ro.log");
    assert_eq!(shipped().of(None, &plain(text), Known::default()), []);
}
