//! The program as users run it, on private engines: the shipped scenarios, wrong expectations, goldens from the first
//! update to a difference, and that nothing of a run is left, however it ends. Root and dockerd are needed; a skip says
//! why, and fails where `SDC_ENGINE_MUST_RUN` is set.
//!
//! Engines run one after another: boots have limits, and two runs at once would test the machine's cores.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on panics")]

mod program;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use program::user::{BOOTS, User, tree, verdicts};
use program::{Ended, able, nothing_left, run, start};
use rustix::process::Signal;
use serde_json::Value;

/// Verdicts that no shipped case may have. `new` joins them when every golden is recorded.
const NEVER: &[&str] = &["fail", "error", "timeout", "flaky", "new"];
/// Whether the shipped goldens cover every case of the private engines; then the exit code is 0.
const GOLDENS_ARE_COMPLETE: bool = true;

fn everything(lab: &str) {
    let Some(_alone) = able(lab) else { return };
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("run.json");
    let before = tree(&program::root().join("golden"));
    let started = Instant::now();
    let ended = run(&["check", "scenarios", "--host", lab, "--json", &json.display().to_string()].map(String::from));
    eprintln!("{lab}: {:?}: {}", started.elapsed(), ended.stdout.lines().rev().take(4).collect::<Vec<_>>().join(" | "));
    let report: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let cases = report["cases"].as_array().unwrap();
    let wrong: Vec<String> =
        cases.iter().filter(|case| NEVER.contains(&case["verdict"].as_str().unwrap())).map(told).collect();
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(!cases.is_empty());
    assert_eq!(report["summary"]["planned"], report["summary"]["ran"]);
    assert_eq!(report["summary"]["left_behind"].as_array().map(Vec::len), Some(0));
    let ids = cases.iter().chain(report["left_out"].as_array().unwrap()).map(|case| case["id"].as_str().unwrap());
    assert_eq!(ids.clone().count(), ids.collect::<BTreeSet<_>>().len(), "each case is told once");
    let fact = if lab == "docker-v2" { "v2" } else { "v1" };
    assert_eq!(report["host"]["cgroups"], fact);
    if GOLDENS_ARE_COMPLETE {
        assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    } else {
        assert!(matches!(ended.code, Some(0 | 1)), "{:?}: {}", ended.code, ended.stderr);
    }
    assert_eq!(tree(&program::root().join("golden")), before, "check writes nothing");
}

/// A case and what broke.
fn told(case: &Value) -> String {
    let broken = case["judgements"].as_array().unwrap().iter().filter(|judgement| judgement["held"] == false);
    let broken: Vec<String> =
        broken.map(|j| format!("{}: {} / {}", j["subject"], j["expected"], j["actual"])).take(2).collect();
    format!("{} {} {}: {}", case["verdict"], case["detail"], case["id"], broken.join("; "))
}

#[test]
fn the_shipped_scenarios_hold_on_v1() {
    everything("docker-v1");
}

#[test]
fn the_shipped_scenarios_hold_on_v2() {
    everything("docker-v2");
}

#[test]
fn a_wrong_expectation_is_1_with_all_that_a_reader_needs() {
    let Some(_alone) = able("docker-v1") else { return };
    let user = User::with("Is it bye?", "[[step]]\nname = 'hello'\nrun = 'echo hello'\nexpect.stdout.equals = 'bye'");
    let ended = user.run(&["check"], &["--host", "docker-v1"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    for words in ["Is it bye?", "expected  stdout is `bye`", "actual    hello", "mine.toml:", "by hand", "docker "] {
        assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\x1b'), "no colours in a file");
    let report = user.report();
    assert_eq!((&report["summary"]["exit_code"], &report["cases"][0]["verdict"]), (&1.into(), &"fail".into()));
}

#[test]
fn a_flag_that_the_engine_does_not_know_is_a_refused_boot() {
    let Some(_alone) = able("docker-v1") else { return };
    let step = "[[step]]\nname = 'a'\nrun = 'true'";
    let user = User::with("Refused?", step);
    let refused = |expect: &str| {
        let text = format!("title = 'Refused?'\n{BOOTS}\n{expect}\n{step}\n");
        let text = text.replace("network =", "security_opt = [\"nonsense=1\"]\nnetwork =");
        std::fs::write(user.scenarios().join("mine.toml"), text).unwrap();
        user.run(&["check"], &["--host", "docker-v1"])
    };
    let ended = refused("");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let boot = &user.report()["cases"][0]["boot"];
    assert!(boot["outcome"]["refused"]["message"].as_str().unwrap().contains("nonsense"), "{boot}");
    assert!(boot["deciding_line"].as_str().unwrap().contains("invalid --security-opt"), "{boot}");
    let ended = refused("expect = { state = 'refused', console.contains = 'invalid --security-opt' }");
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
}

#[test]
fn goldens_from_the_first_update_to_a_difference() {
    let Some(_alone) = able("docker-v1") else { return };
    let step = |text: &str| format!("[[step]]\nname = 'hello'\nrun = 'echo {text}'\nexpect.stdout.golden = true");
    let user = User::with("What does it say?", &step("hello"));
    let host = ["--host", "docker-v1"];

    let ended = user.run(&["check"], &host);
    assert_eq!((ended.code, user.report()["cases"][0]["verdict"].as_str()), (Some(1), Some("new")), "{}", ended.stdout);
    assert!(user.files().is_empty(), "check writes nothing");

    let ended = user.run(&["update", "--reason", "first", "--repeat", "1"], &host);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let recorded = user.files();
    assert_eq!(recorded["mine/hello/base.txt"], "hello\n", "{recorded:?}");

    let ended = user.run(&["check"], &host);
    assert_eq!(
        (ended.code, user.report()["cases"][0]["verdict"].as_str()),
        (Some(0), Some("pass")),
        "{}",
        ended.stdout
    );

    std::fs::write(user.golden().join("mine/hello/n=1,n=2.txt"), "misspelt\n").unwrap();
    let ended = user.run(&["check"], &host);
    assert!(ended.stdout.contains("mine/hello/n=1,n=2.txt"), "{}", ended.stdout);
    std::fs::remove_file(user.golden().join("mine/hello/n=1,n=2.txt")).unwrap();

    user.write("What does it say?", &step("world"));
    let ended = user.run(&["check"], &host);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    for words in ["hello: differs from its golden", "-hello", "+world"] {
        assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
    }
    assert_eq!(user.files(), recorded, "check writes nothing");

    let ended = user.run(&["update", "--reason", "it says more", "--repeat", "2"], &host);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(user.files()["mine/hello/base.txt"], "world\n");
}

#[test]
fn bytes_that_are_no_text_are_recorded_and_told_apart() {
    let Some(_alone) = able("docker-v1") else { return };
    // A sequence that would clear the screen, NUL, bytes that are no UTF-8, a character that turns the direction of text,
    // and a backslash that was printed as such.
    let step = |odd: &str| {
        let run = format!(r"printf 'a\{odd}b\000c\\xff caf\351 \033[2J\342\200\256\n'");
        format!("[[step]]\nname = 'odd'\nrun = '''{run}'''\nnormalise = []\nexpect.stdout.golden = true")
    };
    let user = User::with("Which bytes?", &step("377"));
    let host = ["--host", "docker-v1"];
    let ended = user.run(&["update", "--reason", "first", "--repeat", "2"], &host);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let golden = String::from_utf8(std::fs::read(user.golden().join("mine/odd/base.txt")).unwrap()).unwrap();
    assert_eq!(golden, "a\\xffb\\x00c\\x5cxff caf\\xe9 \\x1b[2J\\xe2\\x80\\xae\n");
    let printed = sdc_engine::observe::escape::bytes(&golden);
    assert_eq!(printed, b"a\xffb\x00c\\xff caf\xe9 \x1b[2J\xe2\x80\xae\n", "nothing is lost");
    assert_eq!(user.run(&["check"], &host).code, Some(0));
    user.write("Which bytes?", &step("376"));
    let ended = user.run(&["check", "--verbose"], &host);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    for words in [r"-a\xffb\x00c", r"+a\xfeb\x00c"] {
        assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
    }
    let report = std::fs::read_to_string(user.json()).unwrap();
    for told in [&ended.stdout, &ended.stderr, &report] {
        assert!(!told.contains(['\x1b', '\0', '\u{202e}', '\u{fffd}']), "{told:?}");
    }
}

#[test]
fn tables_are_compared_by_their_cells_and_rules_that_do_nothing_are_told() {
    let Some(_alone) = able("docker-v1") else { return };
    // The second step prints the table of the first: wider, its rows and columns in another order, with another id.
    let table = |text: &str| {
        format!(
            "normalise = ['ids', 'times']\nrun = '''printf '{text}' '''\n\
             expect.stdout.golden = {{ name = 'units', compare = 'table', sort_rows = true }}"
        )
    };
    let one = table(r"UNIT ID           STATE\nb    602bcd6aba38 up\na                 down\n");
    let other = table(r"STATE        UNIT           ID\n down        a\n up          b    0000000b0a0a\n");
    let units = "run = 'systemctl list-units --type=target --no-pager'\n\
                 expect.stdout.golden = { compare = 'table', columns = ['UNIT', 'ACTIVE'] }";
    let lines = "run = 'sort --random-sort /proc/self/mounts'\nnormalise = ['paths', 'sizes']\n\
                 expect.stdout.golden = { compare = 'unordered' }";
    let steps = [("one", one.as_str()), ("other", &other), ("list", units), ("lines", lines)];
    let steps: String = steps.iter().map(|(name, step)| format!("[[step]]\nname = '{name}'\n{step}\n")).collect();
    let user = User::with("Which units?", &steps);
    let ended = user.run(&["update", "--reason", "first", "--repeat", "2"], &["--host", "docker-v1"]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let files = user.files();
    assert_eq!(files["mine/units/base.txt"], "ID | STATE | UNIT\n | down | a\n<id> | up | b\n", "{files:?}");
    let list = &files["mine/list/base.txt"];
    assert!(list.starts_with("UNIT | ACTIVE\n") && list.contains("\nmulti-user.target | active\n"), "{list}");
    let mounts: Vec<&str> = files["mine/lines/base.txt"].lines().collect();
    assert!(mounts.is_sorted() && mounts.len() > 5, "{mounts:?}");
    let ended = user.run(&["check"], &["--host", "docker-v1"]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let report = user.report();
    let unused = report["unused_rules"].as_array().unwrap();
    let names: Vec<&str> = unused.iter().map(|unused| unused["rule"].as_str().unwrap()).collect();
    assert_eq!(names, ["times", "times"], "one for each list");
    let told = format!("mine.toml:{}  `times` in 1 case of mine", unused[1]["place"]["line"]);
    assert!(ended.stdout.contains(&told), "{}", ended.stdout);
}

#[test]
fn what_varies_is_never_recorded() {
    let Some(_alone) = able("docker-v1") else { return };
    let step = "[[step]]\nname = 'id'\nrun = 'cat /proc/sys/kernel/random/uuid | tr -d -c g-z0-9'\nexpect.stdout.golden = true";
    let user = User::with("Which id?", step);
    let ended = user.run(&["update", "--reason", "r", "--repeat", "2"], &["--host", "docker-v1"]);
    assert_eq!(ended.code, Some(1), "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("refused  mine"), "{}", ended.stdout);
    assert!(user.files().is_empty(), "{:?}", user.files());
}

#[test]
fn json_on_stdout_is_alone_there() {
    let Some(_alone) = able("docker-v1") else { return };
    let user = User::with("Does it boot?", "[[step]]\nname = 'a'\nrun = 'true'");
    let scenarios = user.scenarios().display().to_string();
    let words = ["check", &scenarios, "--host", "docker-v1", "--json", "-", "--log-level", "debug"];
    let ended = run(&words.map(String::from));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["summary"]["outcome"], "held");
    assert!(ended.stderr.contains("chose a host"), "{}", ended.stderr);
    for command in [&["host", "--json"][..], &["list", "--json", "-k", "mounts"]] {
        let arguments = command.iter().chain(&["--host", "docker-v1"]).map(ToString::to_string).collect::<Vec<_>>();
        let ended = run(&arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{command:?}");
        let _valid: Value = serde_json::from_str(&ended.stdout).unwrap();
    }
}

/// A run of six boots whose steps take a minute, ended by a signal when containers run; what came of it and how long it
/// took.
fn ended_by(lab: &str, signal: Signal) -> Option<(Ended, Duration, User)> {
    let _alone = able(lab)?;
    let sleeps = "[matrix]\nn = [1, 2, 3, 4, 5, 6]\n\n[[step]]\nname = 'a'\nrun = 'sleep 60'\nchanges = true";
    let user = User::with("Is it interrupted?", sleeps);
    let running = start(&user.arguments(&["check"], &["--host", lab, "--jobs", "3"]));
    running.until_containers_run(3);
    let sent = Instant::now();
    running.signal(signal);
    let ended = running.end();
    let took = sent.elapsed();
    eprintln!("{lab}: {signal:?}: ended after {took:?}");
    Some((ended, took, user))
}

fn interrupted(signal: Signal) {
    let Some((ended, took, user)) = ended_by("docker-v1", signal) else { return };
    assert_eq!(ended.code, Some(130), "{}\n{}", ended.stdout, ended.stderr);
    assert!(took < Duration::from_secs(10), "{took:?}");
    nothing_left(&ended.name, Duration::ZERO);
    assert!(ended.stdout.contains("interrupted"), "{}", ended.stdout);
    let report = user.report();
    assert_eq!(report["summary"]["stopped_early"], "interrupted");
    assert_eq!(report["summary"]["outcome"], "incomplete");
}

#[test]
fn a_container_that_failed_is_kept_and_can_be_entered_until_ctrl_c() {
    let Some(_alone) = able("docker-v1") else { return };
    let steps = "[matrix]\nn = [0, 1]\n\n[[step]]\nname = 'a'\nrun = 'exit ${{ n }}'\nchanges = true";
    let user = User::with("Is it kept?", steps);
    let running = start(&user.arguments(&["check"], &["--host", "docker-v1", "--keep", "failed"]));
    let told = running.until_told("Ctrl-C ends it");
    let lines: Vec<&str> = told.lines().filter(|line| line.starts_with("kept ")).collect();
    assert!(lines.len() == 1 && lines[0].contains("of mine[n=1], on docker-v1"), "{told}");
    let enter = told.lines().find(|line| line.contains(" exec --interactive --tty ")).unwrap().trim();
    let words: Vec<&str> = enter.split_whitespace().filter(|word| *word != "--tty").collect();
    let inside =
        std::process::Command::new(words[0]).args(&words[1..words.len() - 1]).args(["cat", "/proc/1/comm"]).output();
    let inside = inside.unwrap();
    assert_eq!(String::from_utf8_lossy(&inside.stdout).trim(), "systemd", "{enter}: {inside:?}");
    running.signal(Signal::INT);
    let ended = running.end();
    assert_eq!(ended.code, Some(1), "{}\n{}", ended.stdout, ended.stderr);
    nothing_left(&ended.name, Duration::ZERO);
    assert_eq!(user.report()["summary"]["kept"].as_array().map(Vec::len), Some(1));

    let ended = program::run_with(
        &user.arguments(&["check"], &["--host", "docker-v1", "--keep", "failed"]),
        "",
        &[("CI", "1")],
    );
    assert!(ended.code == Some(1) && ended.stderr.contains("CI is set"), "{}", ended.stderr);
}

#[test]
fn ctrl_c_leaves_nothing() {
    interrupted(Signal::INT);
}

#[test]
fn sigterm_leaves_nothing() {
    interrupted(Signal::TERM);
}

#[test]
fn sighup_leaves_nothing() {
    interrupted(Signal::HUP);
}

#[test]
fn a_killed_run_leaves_nothing() {
    for lab in ["docker-v1", "docker-v2"] {
        let Some((ended, _, user)) = ended_by(lab, Signal::KILL) else { return };
        assert_eq!(ended.code, None);
        let after = nothing_left(&ended.name, Duration::from_secs(10));
        eprintln!("{lab}: gone {after:?} after the kill");
        assert!(!user.json().exists(), "half a report is none");
    }
}

#[test]
fn an_update_that_is_interrupted_writes_nothing() {
    let Some(_alone) = able("docker-v1") else { return };
    let steps = "[matrix]\nn = [1, 60]\n\n[[step]]\nname = 'a'\nrun = 'sleep ${{ n }}; echo x'\nchanges = true\ntimeout = '90s'\nexpect.stdout.golden = true";
    let user = User::with("Is it interrupted?", steps);
    let arguments = user.arguments(&["update", "--reason", "r", "--repeat", "1"], &["--host", "docker-v1"]);
    let running = start(&arguments);
    running.until_said("n=1");
    running.signal(Signal::INT);
    let ended = running.end();
    assert!(matches!(ended.code, Some(1 | 130)), "{:?}: {}", ended.code, ended.stdout);
    assert!(ended.stdout.contains("nothing is recorded"), "{}", ended.stdout);
    assert!(user.files().is_empty(), "{:?}", user.files());
    nothing_left(&ended.name, Duration::ZERO);
}

const SLOW: &str = "[matrix]\nn = [1, 2, 3, 4, 5, 6, 7, 8]\n\n[[step]]\nname = 'a'\nrun = 'sleep 60'\nchanges = true\ntimeout = '90s'\nexpect.exit = 0";

#[test]
fn an_engine_that_is_killed_in_mid_run_ends_its_cases_as_errors_at_once() {
    let Some(_alone) = able("docker-v1") else { return };
    let user = User::with("Killed?", SLOW);
    let running = start(&user.arguments(&["check"], &["--host", "docker-v1", "--jobs", "3"]));
    running.until_containers_run(3);
    let killed = Instant::now();
    running.signal_engine(Signal::KILL);
    let ended = running.end();
    assert!(killed.elapsed() < Duration::from_secs(20), "{:?}: {}", killed.elapsed(), ended.stdout);
    assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
    let verdicts = verdicts(&user.report(), "docker-v1");
    assert_eq!(verdicts.len(), 8);
    assert!(verdicts.iter().all(|other| *other == verdicts[0]), "one reason: {verdicts:#?}");
    assert!(verdicts[0].0 == "error" && verdicts[0].1.contains("docker-v1 died in mid-run"), "{verdicts:?}");
    assert!(!ended.stdout.contains("LEFT BEHIND"), "{}", ended.stdout);
    nothing_left(&ended.name, Duration::ZERO);
}

#[test]
fn the_other_host_goes_on_where_an_engine_is_killed() {
    let (Some(_alone), true) = (able("docker-v1"), Path::new("/sys/fs/cgroup/unified").exists()) else { return };
    let steps = "[matrix]\nn = [1, 2, 3]\n\n[[step]]\nname = 'a'\nrun = 'sleep 4'\nchanges = true\nexpect.exit = 0";
    let user = User::with("Killed?", steps);
    let running = start(&user.arguments(&["check"], &["--host", "docker-v1", "--host", "docker-v2", "--jobs", "3"]));
    running.until_containers_run(3);
    running.signal_engine(Signal::KILL);
    let second = running.next_engine(&running.name);
    let ended = running.end();
    assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
    let report = user.report();
    assert!(verdicts(&report, "docker-v1").iter().all(|(verdict, _)| verdict == "error"), "{report:#}");
    let passed = verdicts(&report, "docker-v2");
    assert!(passed.len() == 3 && passed.iter().all(|(verdict, _)| verdict == "pass"), "{passed:?}");
    assert_eq!(report["cases"][0]["point"]["host"], "docker-v1");
    assert_eq!(report["hosts"].as_array().unwrap().len(), 2);
    for name in [&ended.name, &second] {
        nothing_left(name, Duration::ZERO);
    }
}

#[test]
fn a_host_that_can_not_be_opened_is_an_error_of_its_cases_alone() {
    let Some(_alone) = able("docker-v1") else { return };
    let user = User::with("Half there?", "[[step]]\nname = 'a'\nrun = 'true'\nexpect.exit = 0");
    let ended = user.run(&["check"], &["--host", "unix:///nowhere/engine.sock,docker-v1"]);
    assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
    let report = user.report();
    let gone = verdicts(&report, "unix:///nowhere/engine.sock");
    assert!(gone.len() == 1 && gone[0].0 == "error" && gone[0].1.contains("can't be used"), "{gone:?}");
    assert_eq!(verdicts(&report, "docker-v1"), [("pass".to_owned(), String::new())]);
    assert!(ended.stdout.contains("host unix:///nowhere/engine.sock: not used"), "{}", ended.stdout);
}

#[test]
fn two_hosts_are_compared() {
    let (Some(_alone), true) = (able("docker-v1"), Path::new("/sys/fs/cgroup/unified").exists()) else { return };
    let steps = "[matrix]\nn = [1, 2]\n\n[[step]]\nname = 'a'\nrun = 'stat -f -c %T /sys/fs/cgroup; echo ${{ n }}'\nexpect.stdout.golden = true";
    let user = User::with("Which?", steps);
    let [scenarios, golden] = [user.scenarios(), user.golden()].map(|path| path.display().to_string());
    let arguments = ["compare", "docker-v1", "docker-v2", &scenarios, "--golden", &golden].map(String::from);
    let ended = run(&arguments);
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    for words in [
        "cgroups            v1",
        "new on both, but not alike (1 case)",
        "-tmpfs",
        "+cgroup2fs",
        "2 cases on both: 2 differ",
    ] {
        assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
    }
    let itself = arguments.map(|word| if word == "docker-v2" { "docker-v1".to_owned() } else { word });
    let ended = run(&itself);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}
