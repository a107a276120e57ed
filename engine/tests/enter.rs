//! Looking into one case: `shell` and `logs`, by the program as users run it, on a private engine (a skip says why).
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on panics")]

#[expect(dead_code, reason = "some helpers are for other tests")]
mod program;

use std::process::{Command, Stdio};
use std::time::Duration;

use program::user::BOOTS;
use program::{Ended, able, nothing_left, run_with, start};
use rustix::process::Signal;

const LAB: &str = "docker-v1";

/// A folder with a scenario of that name, whose boot section has more lines.
fn folder(more: &str, matrix: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("title = \"What is in it?\"\n{matrix}\n{BOOTS}\n{more}\nexpect.state = \"running\"\n");
    std::fs::write(folder.path().join("mine.toml"), text).unwrap();
    folder
}

fn arguments(folder: &tempfile::TempDir, command: &[&str], more: &[&str]) -> Vec<String> {
    let path = folder.path().display().to_string();
    let own = [path.as_str(), "--host", LAB];
    command.iter().chain(&own).chain(more).map(ToString::to_string).collect()
}

fn ended(ended: &Ended, code: i32, words: &[&str]) {
    let said = format!("{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(code), "{said}");
    words.iter().for_each(|word| assert!(said.contains(word), "{word}: {said}"));
}

#[test]
fn a_command_runs_in_a_booted_case_and_its_code_is_told() {
    let Some(_alone) = able(LAB) else { return };
    let folder = folder("", "[matrix]\nn = [1, 12]");
    let run = |case: &str, more: &[&str]| run_with(&arguments(&folder, &["shell", case], more), "", &[]);
    let told = run("mine[n=1]", &["--", "sh", "-c", "echo in $(cat /proc/1/comm); exit 3"]);
    ended(&told, 1, &["in systemd\n", "mine[n=1] boots on docker-v1", "boot running after"]);
    assert!(told.stderr.contains("the command ended with exit code 3; the container is removed"), "{}", told.stderr);
    ended(&run("n=12", &["--", "true"]), 0, &["ended with exit code 0"]);
    ended(&run("mine", &[]), 2, &["2 cases have `mine` in their names", "mine[n=12]", "name one of them"]);
    ended(&run("yours", &[]), 2, &["no case is selected"]);
}

#[test]
fn a_shell_has_a_terminal() {
    let Some(_alone) = able(LAB) else { return };
    let folder = folder("", "");
    let program = assert_cmd::cargo::cargo_bin("sdc-engine").display().to_string();
    let line = shell_words::join(arguments(&folder, &[&program, "shell", "mine"], &[]));
    let mut script = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .current_dir(program::root())
        .env_remove("CI")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let typed = "tty; stty size >/dev/null && echo has-a-size; exit 7\n";
    std::io::Write::write_all(script.stdin.as_mut().unwrap(), typed.as_bytes()).unwrap();
    let output = script.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for words in ["/dev/pts/", "has-a-size", "the shell ended with exit code 7; the container is removed"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_boot_that_fails_is_told_with_its_cause_and_console() {
    let Some(_alone) = able(LAB) else { return };
    let folder = folder("", "");
    let file = folder.path().join("mine.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("setup_mode = \"unmount\"\ncap_add = [\"SYS_ADMIN\"]", "")).unwrap();
    let told = run_with(&arguments(&folder, &["shell", "mine"], &[]), "", &[]);
    ended(&told, 1, &["boot exited(255)", "writable-cgroups=true", "there is no shell to enter; its console:"]);
    assert!(told.stdout.contains("  │ Failed to create /init.scope control group"), "{}", told.stdout);
    ended(
        &run_with(&arguments(&folder, &["logs", "mine"], &["--journal"]), "", &[]),
        1,
        &["no journal: the container"],
    );
}

#[test]
fn nothing_is_left_of_a_shell_that_is_killed_or_interrupted() {
    let Some(_alone) = able(LAB) else { return };
    let quick = folder("", "");
    let running = start(&arguments(&quick, &["shell", "mine"], &["--", "sh", "-c", "echo entered; sleep 300"]));
    running.until_said("entered");
    running.signal(Signal::KILL);
    let killed = running.end();
    assert_eq!(killed.code, None);
    nothing_left(&killed.name, Duration::from_secs(60));
    let slow = folder("before = \"sleep 15\"", "");
    for (folder, command) in [(&slow, "true"), (&quick, "sleep 300")] {
        let running = start(&arguments(folder, &["shell", "mine"], &["--", "sh", "-c", command]));
        running.until_containers_run(1);
        if command != "true" {
            running.until_told("boot running");
        }
        running.signal(Signal::INT);
        let interrupted = running.end();
        ended(&interrupted, 130, &["interrupted"]);
        nothing_left(&interrupted.name, Duration::ZERO);
    }
}

#[test]
fn a_console_is_shown_while_it_prints_and_steers_nothing() {
    let Some(_alone) = able(LAB) else { return };
    let folder = folder("before = \"printf '\\\\033]0;x\\\\007::stop-commands::x\\\\n'\"", "");
    let logs = arguments(&folder, &["logs", "mine"], &["--journal"]);
    let told = run_with(&logs, "", &[("GITHUB_ACTIONS", "true")]);
    ended(&told, 0, &["\\x3a:stop-commands::x\n", "Reached target multi-user.target", "boot running after"]);
    assert!(told.stdout.contains("Journal started"), "{}", told.stdout);
    assert!(!told.stdout.contains('\u{1b}'), "{:?}", told.stdout);
    let running = start(&arguments(&folder, &["logs", "mine"], &["--follow"]));
    running.until_said("Reached target basic.target");
    running.until_told("Ctrl-C ends it");
    running.signal(Signal::INT);
    let followed = running.end();
    ended(&followed, 0, &["boot running after"]);
    nothing_left(&followed.name, Duration::ZERO);
}
