//! Every way in which a user's file can be wrong, and what the user then reads.
//!
//! A case is a folder of `tests/bad/`: `scenarios/`, maybe `images/` (else `tests/images/`), and the report in
//! `stderr.txt`. `UPDATE=1 cargo test --test bad_files` writes the reports anew: look at the difference.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use miette::{GraphicalReportHandler, GraphicalTheme};
use sdc_engine::scenario::{Code, LoadError, load};

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir("tests/bad").unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn error(case: &Path) -> LoadError {
    let own = case.join("images");
    let images = if own.is_dir() { own } else { PathBuf::from("tests/images") };
    match load(&[case.join("scenarios")], &images) {
        Ok(_) => panic!("{} is not wrong", case.display()),
        Err(error) => error,
    }
}

fn render(error: &LoadError) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut text = String::new();
    handler.with_links(false).render_report(&mut text, error).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

#[test]
fn reports_are_as_recorded() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let found = render(&error(&case));
        let recorded = case.join("stderr.txt");
        if update {
            std::fs::write(&recorded, &found).unwrap();
        } else if std::fs::read_to_string(&recorded).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", recorded.display()));
        }
    }
    assert!(wrong.is_empty(), "{}\nUPDATE=1 records them anew", wrong.join("\n"));
}

#[test]
fn every_error_has_a_caret_and_help() {
    for case in cases() {
        for diagnostic in error(&case).diagnostics {
            let message = format!("{}: {}", case.display(), diagnostic.message);
            assert!(diagnostic.help.is_some(), "no help: {message}");
            assert!(diagnostic.at.is_some() || diagnostic.code == Code::Unreadable, "no place: {message}");
        }
    }
}

#[test]
fn every_kind_of_error_has_a_case() {
    let seen: BTreeSet<Code> = cases().iter().flat_map(|case| error(case).diagnostics).map(|d| d.code).collect();
    let missing: Vec<&Code> = Code::ALL.iter().filter(|code| !seen.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
