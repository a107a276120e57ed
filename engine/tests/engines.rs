//! Engines that fail: killed or hung in mid-run, or not to be started at all. Root, dockerd and podman are needed; a skip
//! says why, and fails where `SDC_ENGINE_MUST_RUN` is set.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on panics")]
#![allow(dead_code, reason = "the helpers are shared with other tests")]

mod program;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use program::user::{User, verdicts};
use program::{able, nothing_left, run_with, start};
use rustix::process::Signal;

/// Three boots that share nothing and take a few seconds.
const STEPS: &str = "[matrix]\nn = [1, 2, 3]\n\n[[step]]\nname = 'a'\nrun = 'sleep 5'\nchanges = true\nexpect.exit = 0";

/// A run on two hosts; the engine of the first gets a signal when all its containers run.
fn struck(lab: &str, other: &str, signal: Signal, why: &str) {
    let Some(alone) = able(lab) else { return };
    drop(alone);
    let Some(_alone) = able(other) else { return };
    let user = User::with("Struck?", STEPS);
    let running = start(&user.arguments(&["check"], &["--host", lab, "--host", other, "--jobs", "3"]));
    running.until_containers_run(3);
    running.signal_engine(signal);
    let second = running.next_engine(&running.name);
    // The first is over and away before the second starts, and was never told to go on.
    nothing_left(&running.name, Duration::ZERO);
    let ended = running.end();
    assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
    let report = user.report();
    let lost = verdicts(&report, lab);
    assert_eq!(lost.len(), 3);
    assert!(lost.iter().all(|(verdict, detail)| verdict == "error" && detail.contains(why)), "{lost:?}");
    let passed = verdicts(&report, other);
    assert!(passed.len() == 3 && passed.iter().all(|(verdict, _)| verdict == "pass"), "{passed:?}");
    assert_eq!(report["summary"]["left_behind"].as_array().map(Vec::len), Some(0));
    nothing_left(&second, Duration::ZERO);
}

#[test]
fn a_docker_that_hangs_ends_its_cases_alone() {
    struck("docker-v2", "podman-v1", Signal::STOP, "the engine of docker-v2 hangs: no answer within 30s, twice");
}

#[test]
fn a_podman_that_hangs_ends_its_cases_alone() {
    struck("podman-v2", "docker-v1", Signal::STOP, "the engine of podman-v2 hangs: no answer within 30s, twice");
}

#[test]
fn a_podman_that_is_killed_ends_its_cases_alone() {
    struck("podman-v2", "docker-v1", Signal::KILL, "the engine of podman-v2 died in mid-run");
}

/// A program of an engine's name that is the engine with one more argument, which it can't do with.
fn not_started(lab: &str, program: &str, bad: &str, reason: &str) {
    let Some(_alone) = able(lab) else { return };
    let folder = tempfile::tempdir().unwrap();
    let real = Command::new("sh").args(["-c", &format!("PATH=$PATH:/usr/sbin:/sbin; command -v {program}")]).output();
    let real = String::from_utf8(real.unwrap().stdout).unwrap();
    let file = folder.path().join(program);
    std::fs::write(&file, format!("#!/bin/sh\nexec {} {bad} \"$@\"\n", real.trim())).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let user = User::with("Started?", STEPS);
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let ended = run_with(&user.arguments(&["check"], &["--host", lab]), "", &[("PATH", &path)]);
    let text = ended.stderr.replace('│', " ");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(ended.code, Some(3), "{words}");
    assert!(words.starts_with(&format!("× failed to start the private engine {lab}: ")), "{words}");
    assert!(words.to_lowercase().ends_with(reason) && !words.contains("level=warning"), "{words}");
    assert!(ended.stdout.is_empty(), "{}", ended.stdout);
    assert!(!ended.name.is_empty(), "its engine was never seen");
}

#[test]
fn a_docker_that_can_not_be_started_says_why() {
    not_started("docker-v1", "dockerd", "--bip nonsense", "invalid cidr address: nonsense");
}

#[test]
fn a_podman_that_can_not_be_started_says_why() {
    not_started("podman-v2", "podman", "--storage-opt nonsense=1", "unknown option nonsense");
}
