//! Commands that look into cases, by the program as users run it, on a private engine (a skip says why).
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on panics")]

#[expect(dead_code, reason = "some helpers are for other tests")]
mod program;

use program::{able, run, start};
use rustix::process::Signal;

const LAB: &str = "docker-v1";

fn words(text: &[&str]) -> Vec<String> {
    text.iter().map(ToString::to_string).collect()
}

/// A folder with a scenario that fails: nothing lets systemd write to its cgroups.
fn failing() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let scenario = "title = \"Does it boot?\"\n[container]\nimage = \"debian-12\"\ncgroupns = \"private\"\n\
        tmpfs = [\"/run\", \"/run/lock\", \"/tmp\"]\nenv = { container = \"docker\" }\nstop_signal = \"SIGRTMIN+3\"\n\
        network = \"none\"\n[boot]\nexpect.state = \"running\"\n";
    std::fs::write(folder.path().join("plain.toml"), scenario).unwrap();
    folder
}

#[test]
fn a_failed_boot_is_told_with_its_cause_and_a_container_can_be_asked() {
    let Some(_alone) = able(LAB) else { return };
    let folder = failing();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (scenario, json, junit) = (at("plain.toml"), at("run.json"), at("run.xml"));
    let check =
        start(&words(&["check", &scenario, "--host", LAB, "--keep", "failed", "--json", &json, "--junit", &junit]));
    let told = check.until_told("Ctrl-C ends it");
    let line = told.lines().find(|line| line.contains(" logs ")).unwrap();
    let (client, container) = line.trim().split_once(" logs ").unwrap();
    let asked = run(&words(&["diagnose", "--container", container, "--host", client.rsplit(' ').next().unwrap()]));
    check.signal(Signal::INT);
    let ended = check.end();

    let cause = "cgroup file systems are mounted read-only, and systemd must";
    for text in [&ended.stdout, &asked.stdout, &std::fs::read_to_string(junit).unwrap()] {
        assert!(text.contains(cause) && text.contains("writable-cgroups=true"), "{text}");
        // The host is docker's.
        assert!(!text.contains("podman  "), "{text}");
    }
    assert_eq!(asked.code, Some(0), "{}", asked.stderr);
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    let told = &json["cases"][0]["boot"]["diagnoses"][0];
    assert_eq!((&told["name"], &told["podman"]), (&"cgroup-read-only".into(), &serde_json::Value::Null));
}

#[test]
fn a_new_scenario_runs_green_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let scenarios = folder.path().join("scenarios").display().to_string();
    assert_eq!(run(&words(&["new", "mine", "--folder", &scenarios])).code, Some(0));
    for lab in [LAB, "docker-v2", "podman-v2"] {
        let Some(_alone) = able(lab) else { continue };
        let ended = run(&words(&["check", &scenarios, "--host", lab]));
        assert_eq!(ended.code, Some(0), "{lab}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains("1 case: 1 pass"), "{lab}: {}", ended.stdout);
    }
}
