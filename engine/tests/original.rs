//! The original suite's own numbers, from the shipped scenarios: 12 tests, 576 cells; on a v1 host 280 applicable, on v2
//! 118, in podman; docker has no systemd mode. Given facts, so no engine is touched.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::Path;

use assert_cmd::Command;

fn list(arguments: &[&str]) -> serde_json::Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::cargo_bin("sdc-engine")
        .unwrap()
        .current_dir(root)
        .env("DOCKER_HOST", "unix:///nowhere/there/is/no/engine.sock")
        .args(["list", "scenarios", "--tag", "original", "--json"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The original's 12 tests, by our names for them.
const ORIGINAL: [&str; 12] = [
    "boot/privileged",
    "boot/non_priv",
    "boot/passthrough",
    "boot/non_priv_systemd_mode",
    "boot/privileged_systemd_mode",
    "cgroups/dir",
    "cgroups/mounts",
    "cgroups/paths",
    "cgroups/controllers",
    "exec/late",
    "exec/early",
    "exec/spam",
];

/// Cases of the original's tests alone: to run, skipped, filtered, not applicable.
fn counts(arguments: &[&str]) -> (usize, usize, usize, usize) {
    let json = list(arguments);
    let original = |case: &&serde_json::Value| ORIGINAL.contains(&case["scenario"].as_str().unwrap());
    let run = json["run"].as_array().unwrap().iter().flat_map(|boot| boot.as_array().unwrap()).filter(original);
    let out: Vec<_> = json["left_out"].as_array().unwrap().iter().filter(original).collect();
    let why = |kind: &str| out.iter().filter(|case| case["why"]["kind"] == kind).count();
    (run.count(), why("skipped"), why("filtered"), why("not_applicable"))
}

#[test]
fn on_a_v1_host_280_of_576_cases_are_applicable() {
    let (run, skipped, filtered, not_applicable) = counts(&["--assume", "cgroups=v1,engine=podman"]);
    assert_eq!((run + skipped, filtered, not_applicable), (280, 0, 296));
    assert_eq!(skipped, 60, "systemd mode with a cgroup namespace on v1 would work in the host's root cgroup");
}

#[test]
fn on_a_v2_host_118_of_576_cases_are_applicable() {
    let (run, skipped, filtered, not_applicable) = counts(&["--assume", "cgroups=v2,engine=podman"]);
    assert_eq!(run + skipped + filtered + not_applicable, 576);
    assert_eq!((run + skipped, not_applicable), (118, 458));
}

#[test]
fn docker_lacks_the_mode_that_two_of_the_tests_are_about() {
    let (run, skipped, _, not_applicable) = counts(&["--assume", "cgroups=v1"]);
    assert_eq!((run, skipped, not_applicable), (280 - 52, 0, 296 + 52));
    let (run, skipped, _, not_applicable) = counts(&["--assume", "cgroups=v2"]);
    assert_eq!((run + skipped, not_applicable), (118 - 22, 458 + 22));
}

#[test]
fn filters_are_counted_apart() {
    let all = counts(&["--assume", "cgroups=v1"]);
    let (run, skipped, filtered, not_applicable) =
        counts(&["--assume", "cgroups=v1", "--setup-mode", "rebind,unmount", "--cgroupns", "host", "-k", "cgroups"]);
    assert_eq!(not_applicable, all.3);
    assert_eq!(run, 16, "4 cgroup tests, 2 setup modes, 2 cgroup modes");
    assert_eq!(run + skipped + filtered, 280 - 52);
}
