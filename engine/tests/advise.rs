//! `sdc-engine advise` on real engines (a skip says why): what it finds, that what it prints works by hand, and what it says where
//! nothing can.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on panics"
)]

#[expect(dead_code, reason = "other tests use the rest")]
mod host;
#[expect(dead_code, reason = "other tests use the rest")]
mod program;

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use host::on_real;
use program::{Ended, able, nothing_left, root, run, start};
use rustix::process::Signal;
use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::Value;

fn advise(arguments: &[&str]) -> Ended {
    run(&[&["advise"], arguments].concat().iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn json(arguments: &[&str]) -> Value {
    let ended = advise(&[arguments, &["--json"]].concat());
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The names of the grants that are needed; each was left out in a try that failed.
fn needed(advice: &Value) -> Vec<&str> {
    let needed = advice["verdict"]["least"]["needed"].as_array().unwrap();
    for grant in needed {
        assert_eq!(grant["without"]["works"], false, "{grant:#}");
        assert!(grant["without"]["line"].as_str().is_some_and(|line| !line.is_empty()), "{grant:#}");
    }
    needed.iter().map(|grant| grant["name"].as_str().unwrap()).collect()
}

#[test]
fn the_least_is_found_and_each_grant_is_proved() {
    let on = [
        ("docker-v1", &["--cap-add SYS_ADMIN"][..]),
        ("docker-v2", &["--cap-add SYS_ADMIN", "the setup mode unmount"]),
        ("podman-v2", &["--systemd=always"]),
        ("docker-28-v2", &["--tmpfs /run/lock", "--tmpfs /run", "--security-opt writable-cgroups=true"]),
    ];
    for (lab, least) in on {
        let Some(_alone) = able(lab) else { continue };
        let advice = json(&["debian-12", "--host", lab]);
        assert_eq!(needed(&advice), least, "{lab}");
        assert_eq!(advice["verdict"]["least"]["ended"]["outcome"], "running", "{lab}");
        let tries = advice["tries"].as_array().unwrap();
        assert_eq!(tries[0]["grants"], serde_json::json!([]), "nothing is tried first");
        assert!(
            tries.iter().any(|tried| tried["grants"] == serde_json::json!(least) && tried["ended"]["works"] == true)
        );
        assert!(
            tries.iter().all(|tried| !tried["grants"].to_string().contains("host")),
            "it was not needed: {tries:#?}"
        );
        // podman would turn a systemd mode on that was not tried, or that was.
        let podman = advice["recipes"].as_object().unwrap().iter().find(|(by, _)| by.starts_with("podman")).unwrap().1;
        let mode = match lab {
            "podman-v2" => "--systemd=always",
            "docker-28-v2" => "podman has none",
            _ => "--systemd=false",
        };
        assert!(podman.as_str().unwrap().contains(mode), "{podman}");
        let compose = advice["recipes"]["compose (not tried here)"].as_str().unwrap();
        let file = Yaml::load_from_str(compose).unwrap().remove(0);
        assert_eq!(file["services"]["systemd"]["cgroup"].as_str(), Some("private"), "{compose}");
    }
}

/// Does in a terminal what is printed, until systemd says that it runs.
fn boots_by_hand(line: &str, address: &str) {
    let docker = |arguments: &[&str]| {
        let output = Command::new("docker").args(["-H", address]).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let mut terminal = Command::new("script")
        .args(["--quiet", "--return", "--command", line, "/dev/null"])
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let before = Instant::now();
    let mut said = String::new();
    while said != "running" && before.elapsed() < Duration::from_secs(30) {
        sleep(Duration::from_millis(100));
        said = docker(&["exec", "sdc-by-hand", "systemctl", "is-system-running", "--wait"]);
    }
    docker(&["rm", "--force", "sdc-by-hand"]);
    let _ended = terminal.kill();
    terminal.wait().unwrap();
    assert_eq!(said, "running", "{line}");
}

#[test]
fn the_command_line_that_is_printed_boots_by_hand() {
    for lab in ["docker-v1", "docker-v2"] {
        let Some(_alone) = able(lab) else { continue };
        let on = on_real(lab, "sdc-test/none:advise", async |host| {
            let address = host.address();
            tokio::task::block_in_place(|| {
                let advice = json(&["debian-12", "--host", &address]);
                let line = advice["recipes"]["docker (as it was tried)"].as_str().unwrap();
                boots_by_hand(line, &address);
            });
        });
        tokio::runtime::Runtime::new().unwrap().block_on(on);
    }
}

#[test]
fn an_image_of_the_users_that_can_not_boot_is_told_why() {
    const IMAGE: &str = "sdc-test/shell:advise";
    let Some(_alone) = able("docker-v2") else { return };
    let on = on_real("docker-v2", IMAGE, async |host| {
        let address = host.address();
        tokio::task::block_in_place(|| {
            let ended = advise(&[IMAGE, "--host", &address]);
            assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
            for words in ["no grant can help: 1 boot", "/sbin/init", "✘ nothing → refused"] {
                assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
            }

            // It starts and is no systemd: everything is tried that may be.
            let ended = advise(&[IMAGE, "--host", &address, "--init", "/bin/sh -c 'exit 3'"]);
            assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
            for words in ["nothing that was tried boots it", "exited(3)", "use a lab host, or --allow-host-risk"] {
                assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
            }
            let tried = ended.stdout.split("not tried\n").next().unwrap();
            assert!(tried.contains("--cap-add SYS_ADMIN"), "{tried}");
            assert!(!tried.contains("--cgroupns host") && !tried.contains("--privileged"), "{tried}");

            let ended = advise(&["sdc-test/nowhere", "--host", &address]);
            assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
            // It is wrapped, maybe within words.
            let told: String = ended.stderr.replace('│', "").split_whitespace().collect();
            for words in ["hasnoimage`sdc-test/nowhere`", "getittherefirst"] {
                assert!(told.contains(words), "{words}: {}", ended.stderr);
            }
        });
    });
    tokio::runtime::Runtime::new().unwrap().block_on(on);
}

#[test]
fn a_search_that_is_interrupted_leaves_nothing() {
    let Some(_alone) = able("docker-v2") else { return };
    let running = start(&["advise", "debian-12", "--host", "docker-v2"].map(String::from));
    running.until_containers_run(1);
    running.signal(Signal::INT);
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stdout, "", "half a search is no advice");
    nothing_left(&ended.name, Duration::ZERO);
}
