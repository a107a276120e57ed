//! The command line: what it says, where, and with which exit code. Nothing here needs an engine, and none is started:
//! `DOCKER_HOST` points to where there is none.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

const NO_ENGINE: &str = "unix:///nowhere/engine.sock";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The program in the repository's root, with as little as possible of this test's environment.
fn engine(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("sdc-engine").unwrap();
    for variable in [
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "FORCE_COLOR",
        "SDC_ENGINE_LOG",
        "SDC_ENGINE_HOST",
        "CONTAINER_HOST",
        "RUST_BACKTRACE",
        "CI",
    ] {
        command.env_remove(variable);
    }
    command.current_dir(root()).env("COLUMNS", "100").env("DOCKER_HOST", NO_ENGINE).args(arguments);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What the program says on stderr when it ends with that code and prints nothing.
fn fails(arguments: &[&str], code: i32) -> String {
    let output = engine(arguments).assert().code(code).stdout("").get_output().clone();
    // Reports are wrapped for the terminal; what they say is what counts here.
    text(&output.stderr).replace(['│', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A folder with one scenario.
fn folder(scenario: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.toml"), scenario).unwrap();
    folder
}

fn scenario(rest: &str) -> String {
    format!("title = 'x'\ncontainer.image = 'debian-12'\n{rest}\n")
}

/// A folder with a scenario that is right, and its path.
fn small() -> (tempfile::TempDir, String) {
    let folder = folder(&scenario("step = [{ name = 'a', run = 'true' }]"));
    let path = folder.path().display().to_string();
    (folder, path)
}

#[test]
fn help_lists_the_commands_and_the_exit_codes() {
    let output = engine(&["--help"]).assert().code(0).stderr("").get_output().stdout.clone();
    insta::assert_snapshot!(text(&output));
}

/// What `diagnose` prints for a log on its standard input, and its exit code.
fn diagnosed(log: &str, more: &[&str], code: i32) -> String {
    let arguments: Vec<&str> = ["diagnose"].into_iter().chain(more.iter().copied()).collect();
    text(&engine(&arguments).write_stdin(log).assert().code(code).stderr("").get_output().stdout)
}

#[test]
fn a_log_on_standard_input_is_told_with_cause_and_fix() {
    let log = "systemd 252 running in system mode\nFailed to mount tmpfs at /run/lock: Operation not permitted\n\
        [!!!!!!] Failed to mount API filesystems.\nExiting PID 1...\n";
    let told = diagnosed(log, &[], 0);
    for words in
        ["│ Failed to mount tmpfs at /run/lock: Op", "why     systemd wants a tmpfs", "docker  --tmpfs /run/lock"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    let json: serde_json::Value = serde_json::from_str(&diagnosed(log, &["-", "--json"], 0)).unwrap();
    assert_eq!(json["diagnoses"][0]["name"], "tmpfs-without-sys-admin");
    assert_eq!(json["deciding_line"], "Failed to mount tmpfs at /run/lock: Operation not permitted");
}

#[test]
fn a_log_that_leads_nowhere_says_what_to_give() {
    let told = diagnosed("all\u{1b}]0;x\u{7} is well\n", &[], 1);
    assert!(told.contains("no cause is known") && told.contains("│ all is well\n"), "{told}");
    assert!(told.contains("docker logs NAME") && told.contains("images/diagnoses.toml"), "{told}");
    let json: serde_json::Value = serde_json::from_str(&diagnosed("x\n", &["--json"], 1)).unwrap();
    assert_eq!((json["deciding_line"].as_str(), json["diagnoses"].as_array().map(Vec::len)), (Some("x"), Some(0)));
    let told = diagnosed("", &[], 0);
    assert!(told.contains("(the log is empty)") && told.contains("if      not container.tty"), "{told}");
}

#[test]
fn a_log_file_is_read_and_its_lack_is_told() {
    let log = "engine/tests/diagnose/not-pid-1.log";
    let output = engine(&["diagnose", log]).assert().code(0).get_output().stdout.clone();
    assert!(text(&output).contains("systemd is not the container's first process"), "{}", text(&output));
    let told = fails(&["diagnose", "nope.log"], 2);
    assert!(told.contains("failed to read nope.log") && told.contains("--container NAME"), "{told}");
}

#[test]
fn diagnoses_of_ones_own_come_first_and_are_checked() {
    let images = tempfile::tempdir().unwrap();
    let own = images.path().join("diagnoses.toml");
    let folder = images.path().display().to_string();
    std::fs::write(
        &own,
        "[[diagnosis]]\nname = 'mine'\nline = 'Freezing (?<what>\\w+)'\ncause = 'c {what}'\nfix = 'f'\n",
    )
    .unwrap();
    let told = diagnosed("Freezing now\n", &["--images", &folder], 0);
    assert!(told.contains("why     c now"), "{told}");
    // The shipped ones are there too.
    diagnosed("unshare: unshare failed: Operation not permitted\n", &["--images", &folder], 0);
    std::fs::write(&own, "[[diagnosis]]\nname = 'mine'\nline = '('\ncause = 'c'\nfix = 'f'\n").unwrap();
    let told = fails(&["diagnose", "--images", &folder, "engine/tests/diagnose/no-tty.log"], 2);
    assert!(told.contains("diagnoses.toml:3") && told.contains("no regular expression"), "{told}");
}

#[test]
fn every_command_has_help() {
    for command in [
        "check",
        "compare",
        "diagnose",
        "list",
        "host",
        "images",
        "update",
        "clean",
        "explain",
        "new",
        "lint",
        "completions",
        "man",
    ] {
        engine(&[command, "--help"]).assert().code(0).stdout(contains("Usage: sdc-engine"));
    }
    engine(&["--version"]).assert().code(0).stdout(contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_wrong_command_line_is_2_and_says_what_there_is() {
    for (arguments, words, help) in [
        (&["list", "--axis", "nope=1"][..], "no scenario has the axis 'nope'", "cgroup_mode, cgroupns"),
        (&["list", "--axis", "cgroupns=nope"], "the axis cgroupns 'nope'", "host, private"),
        (&["check", "--setup-mode", "rebind,nope"], "the axis setup_mode 'nope'", "rebind"),
        (&["list", "--axis", "foo"], "'foo' is no axis and value", "--axis name=value"),
        (&["list", "--tag", "nope"], "no scenario has the tag 'nope'", "original"),
        (&["list", "--assume", "nope=v2"], "there is no host fact 'nope'", "cgroups, cgroup_layout"),
        (&["list", "--assume", "cgroups=v3"], "unknown variant `v3`", "sdc-engine host --json"),
        (&["list", "--assume", "cgroups"], "'cgroups' is no fact and value", "cgroups=v2"),
        (&["images", "build", "nope"], "there is no image 'nope'", "debian-12"),
        (&["images", "remove", "nope"], "there is no image 'nope'", "debian-12"),
        (&["check", "nowhere"], "failed to read nowhere", "give a scenario file"),
        (&["check", "--images", "nowhere"], "nowhere", "images and setup modes are declared there"),
        (&["update", "--reason", " "], "--reason is empty", "why the recorded truth changes"),
        (&["check", "--log-level", "loud"], "loud", "there are: off, error, warn"),
        (&["check", "--jobs", "0"], "0 is not in 1..=1024", "--help"),
        (&["check", "--repeat", "0"], "0 is not in 1..=1000", "--help"),
        (&["update"], "--reason <TEXT>", "--help"),
        (&["check", "--verbose", "--quiet"], "cannot be used with", "--help"),
        (
            &["check", "--host", "docker-v3"],
            "there is no host of the name `docker-v3`",
            "`docker-26-v2`, `docker-28-v2`",
        ),
        (&["host", "--host", "docker-v3"], "there is no host of the name `docker-v3`", "unix://, tcp:// or ssh://"),
        (&["list", "--host", "https://box"], "TLS is not supported", "unix://, tcp:// or ssh://"),
        (&["check", "--host", "docker-v1,docker-v1"], "names docker-v1 twice", "--repeat"),
        (&["clean", "--container-exe", "lxc"], "there are: docker, podman", "--help"),
        (&["chekc"], "unrecognized subcommand 'chekc'", "check"),
        (&["check", "-k", "no-such-case"], "no case is selected", "sdc-engine list"),
    ] {
        let said = fails(arguments, 2);
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert!(said.contains(help), "{arguments:?}: {said}");
    }
}

#[test]
fn a_wrong_scenario_is_2_with_its_place_and_no_engine_is_asked() {
    let bad = folder("title = 'x'\ncontainer.image = 'debian-fork'\n[[step]]\nname = 'a'\nrnu = 'true'\n");
    let path = bad.path().to_str().unwrap();
    for command in [&["check", path][..], &["list", path], &["update", "--reason", "r", path]] {
        let said = fails(command, 2);
        assert!(said.contains("a.toml:2:19") && said.contains("a.toml:5:1"), "{said}");
        assert!(said.contains("debian-forky") && said.contains("run"), "suggestions: {said}");
    }
}

#[test]
fn what_only_rendering_shows_is_2_too() {
    let bad = folder(&scenario("matrix.n = [1, 0]\nstep = [{ name = 'a', run = 'echo ${{ 1 // n }}' }]"));
    let said = fails(&["check", bad.path().to_str().unwrap()], 2);
    assert!(said.contains("a.toml:4:"), "{said}");
    assert!(said.contains("when the cases were rendered"), "{said}");
}

#[test]
fn a_container_that_may_change_the_host_must_be_declared() {
    for (flag, words) in [
        ("cgroupns = 'host'", "it is in the host's cgroup namespace"),
        ("volumes = ['/sys/fs/cgroup:/sys/fs/cgroup:rw']", "it has the host's /sys/fs/cgroup writable"),
    ] {
        let text = format!("container.{flag}\nstep = [{{ name = 'a', run = 'true' }}]");
        let bad = folder(&scenario(&text));
        let said = fails(&["check", bad.path().to_str().unwrap()], 2);
        assert!(said.contains(words) && said.contains("host_risk = \"…\"") && said.contains("a.toml:1:1"), "{said}");
        let good = folder(&format!("host_risk = 'it is asked for'\n{}", scenario(&text)));
        let mut listed = engine(&["list", good.path().to_str().unwrap(), "--assume", "cgroups=v2"]);
        listed.assert().success().stdout(contains("1 run in 1 boots"));
    }
}

#[test]
fn a_folder_without_scenarios_is_2() {
    let empty = tempfile::tempdir().unwrap();
    assert!(fails(&["check", empty.path().to_str().unwrap()], 2).contains("no scenario was found"));
}

#[test]
fn a_golden_with_merge_markers_is_2_with_file_and_line() {
    let golden = tempfile::tempdir().unwrap();
    let file = golden.path().join("cgroups/dir/ls/base.txt");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "memory\n<<<<<<< HEAD\npids\n=======\nio\n>>>>>>> theirs\n").unwrap();
    let golden = golden.path().to_str().unwrap();
    let (_folder, own) = small();
    for command in [&["check", &own, "--golden", golden][..], &["update", &own, "--reason", "r", "--golden", golden]] {
        let said = fails(command, 2);
        assert!(said.contains("cgroups/dir/ls/base.txt:2"), "{said}");
    }
}

#[test]
fn a_golden_that_is_no_text_is_2() {
    let golden = tempfile::tempdir().unwrap();
    let file = golden.path().join("cgroups/dir/ls/base.txt");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, b"memory\n\xff\n").unwrap();
    let (_folder, own) = small();
    let said = fails(&["check", &own, "--golden", golden.path().to_str().unwrap()], 2);
    assert!(said.contains("cgroups/dir/ls/base.txt"), "{said}");
}

#[test]
fn an_engine_that_is_not_there_is_3_and_says_where_it_was_looked_for() {
    let (_folder, own) = small();
    for command in [&["check", &own][..], &["list", &own], &["host"], &["clean"], &["images", "list"]] {
        let said = fails(command, 3);
        assert!(said.contains(NO_ENGINE) && said.contains("DOCKER_HOST names it"), "{said}");
        assert!(said.contains("does not exist"), "{said}");
    }
    let said = fails(&["check", &own, "--host", "tcp://127.0.0.1:1"], 3);
    assert!(said.contains("127.0.0.1:1") && said.contains("Connection refused"), "{said}");
}

#[test]
fn a_socket_that_is_no_engine_is_3() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            drop(stream);
        }
    });
    let host = format!("unix://{}", path.display());
    let output = engine(&["host"]).env("DOCKER_HOST", &host).assert().code(3).stdout("").get_output().clone();
    assert!(text(&output.stderr).contains("DOCKER_HOST"), "{}", text(&output.stderr));
}

#[test]
fn list_needs_no_engine_where_facts_are_assumed() {
    engine(&["list", "--assume", "cgroups=v2", "--tag", "original"])
        .assert()
        .code(0)
        .stderr("")
        .stdout(contains("cgroups/mounts[setup_mode=rebind,cgroupns=private,cgroup_mode=unified]"))
        .stdout(contains("not applicable: a cgroup v2 host has the unified mode only"))
        .stdout(contains("cases on docker with cgroup v2"));
    engine(&["list", "--assume", "cgroups=v1", "-k", "no-such-case"])
        .assert()
        .code(0)
        .stdout(contains("filtered: -k 'no-such-case'").and(contains(": 0 run in 0 boots")));
}

#[test]
fn list_tells_each_case_once() {
    let output = engine(&["list", "--assume", "cgroups=v1", "--json"]).assert().code(0).stderr("").get_output().clone();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let groups = json["run"].as_array().unwrap();
    let run = groups.iter().flat_map(|group| group.as_array().unwrap()).map(|case| &case["id"]);
    let ids: Vec<&str> = run
        .chain(json["left_out"].as_array().unwrap().iter().map(|out| &out["id"]))
        .map(|id| id.as_str().unwrap())
        .collect();
    let set: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), set.len());
    let count = |name: &str| usize::try_from(json["counts"][name].as_u64().unwrap()).unwrap();
    assert_eq!(ids.len(), count("run") + count("skipped") + count("filtered") + count("not_applicable"));
    assert_eq!(groups.len(), count("boots"));
    assert_eq!(json["host"]["cgroups"], "v1");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_force_them() {
    let wrong = &["list", "--axis", "nope=1"];
    let coloured = |variables: &[(&str, &str)]| {
        let mut command = engine(wrong);
        command.envs(variables.iter().copied());
        text(&command.assert().code(2).get_output().stderr).contains('\x1b')
    };
    assert!(!coloured(&[]), "this is no terminal");
    assert!(!coloured(&[("CLICOLOR", "1")]));
    assert!(!coloured(&[("NO_COLOR", "1")]));
    assert!(!coloured(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]));
    assert!(coloured(&[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn logs_go_to_stderr() {
    let command = ["host", "--host", "tcp://127.0.0.1:1"];
    let quiet = engine(&command).assert().code(3).stdout("").get_output().stderr.clone();
    assert!(!text(&quiet).contains("chose a host"), "{}", text(&quiet));
    for level in ["debug", "info", "sdc_engine=info"] {
        let said =
            engine(&command).args(["--log-level", level]).assert().code(3).stdout("").get_output().stderr.clone();
        assert!(text(&said).contains("chose a host"), "{level}: {}", text(&said));
    }
    engine(&command).env("SDC_ENGINE_LOG", "info").assert().code(3).stderr(contains("chose a host"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let program = assert_cmd::cargo::cargo_bin("sdc-engine");
    let line = format!("{} list --assume cgroups=v1 | head -n 1; exit ${{PIPESTATUS[0]}}", program.display());
    let output = std::process::Command::new("bash").args(["-c", &line]).current_dir(root()).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn explain_says_what_a_case_will_do_and_starts_nothing() {
    let case = "exec/early[setup_mode=unmount,cgroupns=private,cgroup_mode=unified]";
    let output = engine(&["explain", case, "--assume", "cgroups=v2"]).assert().code(0).stderr("").get_output().clone();
    insta::assert_snapshot!(text(&output.stdout));
    let told = fails(&["explain", "minimal", "--assume", "cgroups=v2"], 2);
    assert!(told.contains("nothing runs on assumed") && told.contains("not applicable"), "{told}");
    let output =
        engine(&["explain", "exec/late", "--assume", "cgroups=v2,engine=podman"]).assert().code(0).get_output().clone();
    assert!(text(&output.stdout).contains("more cases; name one"), "{}", text(&output.stdout));
}

#[test]
fn a_new_scenario_is_right_as_it_is_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let scenarios = folder.path().join("scenarios").display().to_string();
    let new = |name: &str| engine(&["new", name, "--folder", &scenarios]);
    new("mine/first").assert().code(0).stdout(contains("next: sdc-engine lint").and(contains("mine/first.toml")));
    let path = folder.path().join("scenarios/mine/first.toml");
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains("title = \"mine/first: ") && !written.contains('@'), "{written}");
    let output = engine(&["lint", &scenarios]).assert().code(0).stderr("").get_output().stdout.clone();
    assert!(text(&output).contains("1 scenario right, 0 warnings"), "{}", text(&output));
    std::fs::write(&path, "mine").unwrap();
    let told = fails(&["new", "mine/first.toml", "--folder", &scenarios], 2);
    assert!(told.contains("is there already, and stays as it is"), "{told}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    for name in ["../out", "/out", "Mine", "a b", "a//b", "defaults"] {
        let told = fails(&["new", name, "--folder", &scenarios], 2);
        assert!(told.contains("can't be a scenario's name"), "{name}: {told}");
    }
    assert!(!folder.path().join("out.toml").exists());
}

#[test]
fn the_shipped_files_are_without_warnings() {
    let output = engine(&["lint"]).assert().code(0).stderr("").get_output().stdout.clone();
    assert!(text(&output).contains("scenarios right, 0 warnings"), "{}", text(&output));
}

#[test]
fn lint_warns_of_what_has_no_effect_and_shows_errors() {
    let idle = folder(&scenario("step = [{ name = 'a', run = 'true' }]\n[matrix]\nn = [1, 2]"));
    let idle = idle.path().display().to_string();
    let output = engine(&["lint", &idle]).assert().code(0).stderr("").get_output().stdout.clone();
    assert!(text(&output).contains("! warn  a: nothing reads the axis `n`"), "{}", text(&output));
    let never = folder(&scenario(
        "step = [{ name = 'a', run = 'true' }]\n[matrix]\nn = [1]\nexclude = [{ when = 'n == 1', reason = 'r' }]",
    ));
    let never = never.path().display().to_string();
    let output = engine(&["lint", &never]).assert().code(0).stderr("").get_output().stdout.clone();
    assert!(text(&output).contains("a: no case of it is applicable on any kind of host"), "{}", text(&output));
    let wrong = folder(&scenario("step = [{ name = 'a', rum = 'true' }]"));
    let told = fails(&["lint", &wrong.path().display().to_string()], 2);
    assert!(told.contains("no key `rum`") && told.contains("did you mean `run`?"), "{told}");
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let output = engine(&["completions", shell]).assert().code(0).stderr("").get_output().stdout.clone();
        for word in ["diagnose", "explain", "allow-host-risk"] {
            assert!(text(&output).contains(word), "{shell} {word}");
        }
    }
    let page = |words: &[&str]| text(&engine(words).assert().code(0).stderr("").get_output().stdout);
    assert!(page(&["man"]).contains(".TH sdc-engine 1") && page(&["man"]).contains("diagnose"));
    let check = page(&["man", "check"]);
    assert!(check.contains(".TH sdc-engine-check 1") && check.contains("repeat"), "{check}");
    assert!(fails(&["man", "nope"], 2).contains("there is no command `nope`"));
}

#[test]
fn advice_needs_a_time_that_is_one_and_an_engine() {
    let words = fails(&["advise", "debian-12", "--timeout", "soon"], 2);
    assert!(words.contains("soon") && words.contains("--timeout"), "{words}");
    let words = fails(&["advise", "debian-12"], 3);
    assert!(words.contains("nowhere"), "{words}");
}
