//! What README says is there: each promise has the test that it names, and its examples are right.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::Path;

use assert_cmd::Command;

fn here(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_default()
}

/// The text between two words, the first of its kind.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

#[test]
fn every_promise_has_its_test() {
    let readme = here("../README.md");
    let promises = between(&readme, "## What it promises", "\n## ");
    let names: Vec<&str> = promises.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let (file, test) = name.split_once("::").unwrap();
        let file = if file.starts_with("src/") { format!("{file}.rs") } else { format!("tests/{file}.rs") };
        assert!(here(&file).contains(&format!("fn {test}(")), "README names `{name}`, and {file} has no such test");
    }
    for row in promises.lines().filter(|line| line.starts_with("| ")).skip(1) {
        assert!(row.contains("::"), "no test is named: {row}");
    }
}

#[test]
fn the_scenario_that_readme_adds_is_planned_as_it_shows() {
    let readme = here("../README.md");
    let example = between(&readme, "`scenarios/sandbox/private_tmp.toml`:", "`scenarios/defaults.toml`");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("private_tmp.toml"), between(example, "```toml\n", "```")).unwrap();
    let listed = between(&readme, "$ sdc-engine list scenarios/sandbox --assume cgroups=v1\n", "```");
    let shown = Command::cargo_bin("sdc-engine")
        .unwrap()
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .args(["list", folder.path().to_str().unwrap(), "--assume", "cgroups=v1"])
        .assert()
        .success();
    let shown = String::from_utf8_lossy(&shown.get_output().stdout).into_owned();
    let words = |text: &str| text.replace("sandbox/", "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(&shown), words(listed));
}
