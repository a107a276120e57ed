//! The rules of the data flow, kept: which module may name what. Reads the sources.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every production line that holds one of the words, below the folders and files of `src` that `places` names.
fn offenders(places: &[&str], allowed: &[&str], words: &[&str]) -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in sources(&src) {
        let name = path.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
        if !places.iter().any(|p| name.starts_with(p)) || allowed.iter().any(|a| name.starts_with(a)) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let production = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for (number, line) in production.lines().enumerate() {
            if !line.trim_start().starts_with("//") && words.iter().any(|word| line.contains(word)) {
                found.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

const PURE: &[&str] = &[
    "scenario/",
    "matrix/",
    "plan/",
    "observe/",
    "judge/",
    "pending/",
    "golden/",
    "leak/",
    "compare/",
    "changed/",
    "advise/",
    "diagnose/",
    "redact",
    "rerun/",
    "schema/",
    "secrets.rs",
    "facts.rs",
    "source.rs",
    "events.rs",
    "images/model.rs",
];
/// The one file of each that says that it reads or writes.
const EDGES: &[&str] = &[
    "scenario/load.rs",
    "pending/store.rs",
    "golden/store.rs",
    "diagnose/load.rs",
    "rerun/store.rs",
    "changed/store.rs",
];
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "std::time::Instant",
    "SystemTime",
    "tokio",
    "async fn",
    ".await",
];

#[test]
fn pure_modules_touch_nothing_outside() {
    let none: Vec<String> = vec![];
    assert_eq!(offenders(PURE, EDGES, OUTSIDE), none);
}

#[test]
fn bollard_is_named_in_host_alone() {
    let none: Vec<String> = vec![];
    assert_eq!(offenders(&[""], &["host/"], &["bollard"]), none);
}

#[test]
fn nothing_prints_below_cli_and_report() {
    let none: Vec<String> = vec![];
    let words = ["println!", "print!(", "eprint", "std::io::stdout", "std::io::stderr", "anstream"];
    assert_eq!(offenders(&[""], &["cli/", "report/"], &words), none);
}

#[test]
fn runner_and_report_know_events_and_not_each_other() {
    let none: Vec<String> = vec![];
    assert_eq!(offenders(&["runner/"], &[], &["crate::report", "crate::cli"]), none);
    assert_eq!(offenders(&["report/"], &[], &["crate::runner", "crate::host", "crate::cli"]), none);
    assert_eq!(offenders(PURE, EDGES, &["crate::runner", "crate::report", "crate::cli", "crate::host"]), none);
}

#[test]
fn the_search_finds_what_is_there() {
    assert!(!offenders(&["cli/"], &[], &["use "]).is_empty());
}
