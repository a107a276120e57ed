//! `sdc-engine compare` on reports: what it prints, and its exit codes. Needs no engine.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

const BEFORE: &str = "before.json";
const AFTER: &str = "after.json";

/// The program in the folder of the reports: code, stdout, stderr.
fn compare(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("sdc-engine").unwrap();
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "SDC_ENGINE_LOG", "SDC_ENGINE_HOST"] {
        command.env_remove(variable);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compare");
    let output = command.current_dir(folder).env("COLUMNS", "100").arg("compare").args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn differences_are_grouped_by_what_explains_them() {
    let (code, stdout, stderr) = compare(&[BEFORE, AFTER]);
    assert_eq!((code, stderr.as_str()), (1, ""));
    insta::assert_snapshot!(stdout);
}

#[test]
fn the_same_is_0() {
    let (code, stdout, _) = compare(&[AFTER, AFTER]);
    assert_eq!(code, 0);
    assert!(stdout.contains("10 cases on both: nothing differs"), "{stdout}");
}

#[test]
fn json_tells_the_same() {
    let (code, stdout, _) = compare(&[BEFORE, AFTER, "--json"]);
    let told: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, told["exit_code"].as_i64(), told["differing"].as_i64()), (1, Some(1), Some(5)));
    assert_eq!(told["comparison"]["groups"][0]["when"][0], "setup_mode=unmount");
}

#[test]
fn what_is_no_report_is_2_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (text, other, future) =
        (file("text.json", "no"), file("other.json", "{}"), file("future.json", "{\"schema_version\": 9}"));
    for (arguments, words) in [
        (vec![text.as_str(), BEFORE], "it is no JSON"),
        (vec![BEFORE, other.as_str()], "it is no report of `sdc-engine check --json`"),
        (vec![BEFORE, future.as_str()], "version 9"),
        (vec!["nowhere.json", BEFORE], "there is no report nowhere.json"),
        (vec!["docker-v7", BEFORE], "there is no host of the name `docker-v7`"),
        (vec!["before.json#docker-v7", BEFORE], "its hosts: docker-v1"),
        (vec![BEFORE, AFTER, "-k", "x"], "paths and filters choose what runs"),
        (vec![BEFORE, AFTER, "--across", "nope"], "no case has the axis 'nope'"),
        (vec![BEFORE], "<B>"),
    ] {
        let (code, stdout, stderr) = compare(&arguments);
        let said = stderr.replace(['│', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    let (_, _, stderr) = compare(&["no-report.toml", BEFORE]);
    insta::assert_snapshot!("a_bad_side", stderr);
}
