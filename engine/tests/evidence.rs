//! What a run tells of itself while it goes on and leaves for later, by the program as users run it, on a private engine
//! (a skip says why): evidence of failed cases, events, slow boots.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on panics")]

#[expect(dead_code, reason = "some helpers are for other tests")]
mod program;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use program::user::{User, tree};
use program::{able, run_with, start, start_with};
use rustix::process::Signal;
use serde_json::Value;

const LAB: &str = "docker-v1";

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn ids(lines: &[Value], event: &str) -> Vec<String> {
    let of = lines.iter().filter(|line| line["event"] == event);
    let mut ids: Vec<_> = of.map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn a_failed_case_leaves_its_evidence_without_secrets_and_escapes_and_events_tell_of_it() {
    let Some(_alone) = able(LAB) else { return };
    let steps = r#"before = "test ${{ way }} != ends"
[matrix]
way = ["fails", "holds", "ends"]
[[step]]
name = "say"
run = '''echo "$TOKEN" | systemd-cat -t mine; printf '\033]0;x\007%s\n' "$TOKEN" >/dev/console
    case ${{ way }} in holds) ;; fails) systemd-run --unit mine --wait false ;; esac'''
changes = true
"#;
    let user = User::with("What is left of it?", steps);
    let file = user.scenarios().join("mine.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let secret = "env = { container = \"docker\", TOKEN = { secret = \"MY_TOKEN\" } }";
    std::fs::write(&file, text.replace("env = { container = \"docker\" }", secret)).unwrap();
    let at = |name: &str| user.scenarios().parent().unwrap().join(name);
    let words = |name: &str| at(name).display().to_string();
    let (bundle, junit, events) = (words("bundle"), words("run.xml"), words("events.jsonl"));
    let more = ["--host", LAB, "--bundle", &bundle, "--junit", &junit, "--events", &events];
    let ended = run_with(&user.arguments(&["check"], &more), "", &[("MY_TOKEN", "hunter2-hunter2")]);
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);

    let files = tree(&at("bundle"));
    let folders: std::collections::BTreeSet<&str> = files.keys().map(|name| name.split_once('/').unwrap().0).collect();
    assert_eq!(folders.into_iter().collect::<Vec<_>>(), ["mine%5Bway=ends%5D", "mine%5Bway=fails%5D"]);
    let read = |way: &str, name: &str| files[&format!("mine%5Bway={way}%5D/{name}")].as_str();
    assert!(read("fails", "journal.txt").contains("mine[") && read("fails", "journal.txt").contains("<secret>"));
    assert!(read("fails", "failed-units.txt").contains("mine.service"), "{}", read("fails", "failed-units.txt"));
    assert!(read("fails", "status.txt").contains("State: degraded"), "{}", read("fails", "status.txt"));
    assert!(read("fails", "cgroup.txt").contains("name=systemd:/init.scope"));
    assert!(read("fails", "cgroup-tree.txt").contains("/sys/fs/cgroup/systemd/system.slice"));
    assert!(read("fails", "mountinfo.txt").contains(" - tmpfs tmpfs ") && read("fails", "mounts.txt").contains("/run"));
    assert!(read("fails", "console.log").contains("<secret>"), "{}", read("fails", "console.log"));
    assert!(read("fails", "by-hand.txt").starts_with("# first") && read("fails", "plan.json").contains("MY_TOKEN"));
    assert!(
        read("fails", "host.json").contains("\"docker-v1\"") && read("fails", "inspect.json").contains("\"State\"")
    );
    assert!(read("ends", "journal.txt").starts_with("could not be had: the container had ended, with exit code"));
    for (name, text) in &files {
        assert!(!text.contains("hunter2"), "{name}");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{name}: {text:?}");
    }
    for folder in [at("bundle"), at("bundle/mine%5Bway=fails%5D")] {
        assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let shown = format!("{bundle}/mine%5Bway=fails%5D");
    let report = user.report();
    let case = report["cases"].as_array().unwrap().iter().find(|case| case["id"] == "mine[way=fails]").unwrap();
    assert_eq!(case["bundle"], shown.as_str());
    assert!(std::fs::read_to_string(&junit).unwrap().contains(&shown));
    assert!(ended.stdout.contains("  evidence\n") && ended.stdout.contains("/mine%5Bway="), "{}", ended.stdout);
    let page = words("page.html");
    let made = run_with(&["report", &user.json().display().to_string(), "--html", &page].map(String::from), "", &[]);
    assert!(made.code == Some(0) && std::fs::read_to_string(&page).unwrap().contains(&shown), "{}", made.stderr);

    let lines = lines(Path::new(&events));
    let all = ["mine[way=ends]", "mine[way=fails]", "mine[way=holds]"];
    assert_eq!(
        (ids(&lines, "case_started"), ids(&lines, "case_finished")),
        (all.map(Into::into).into(), all.map(Into::into).into())
    );
    let verdicts: BTreeMap<&str, &str> = lines
        .iter()
        .filter(|line| line["event"] == "case_finished")
        .map(|line| (line["id"].as_str().unwrap(), line["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!((verdicts[all[1]], verdicts[all[2]]), ("fail", "pass"));
    assert!(!std::fs::read_to_string(&events).unwrap().contains("hunter2"));
}

#[test]
fn a_killed_run_leaves_whole_lines_of_events() {
    let Some(_alone) = able(LAB) else { return };
    let user = User::with(
        "How far does it get?",
        "[matrix]\nn = [1, 2]\n[[step]]\nname = \"wait\"\nrun = \"sleep 60\"\nchanges = true",
    );
    let events = user.scenarios().parent().unwrap().join("events.jsonl");
    let running = start(&user.arguments(&["check"], &["--host", LAB, "--events", &events.display().to_string()]));
    running.until_containers_run(2);
    running.signal(Signal::KILL);
    let ended = running.end();
    assert_eq!(ended.code, None);
    let lines = lines(&events);
    assert_eq!(lines[0]["event"], "run_started");
    assert_eq!(ids(&lines, "case_started"), ["mine[n=1]", "mine[n=2]"]);
    assert!(ids(&lines, "case_finished").is_empty());
    program::nothing_left(&ended.name, std::time::Duration::from_secs(60));
}

#[test]
fn events_on_stdout_are_alone_there() {
    let Some(_alone) = able(LAB) else { return };
    let user =
        User::with("Is it quiet?", "[[step]]\nname = \"say\"\nrun = \"echo hello\"\nexpect.stdout.golden = true");
    let ended = user.run(&["check"], &["--host", LAB, "--events", "-"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.last().unwrap()["event"], "run_finished");
    let both = user.run(&["check"], &["--host", LAB, "--events", "-", "--junit", "-"]);
    assert!(both.code == Some(2) && both.stderr.contains("only one of them can go to stdout"), "{}", both.stderr);
}

#[test]
fn a_slow_boot_is_named_while_it_runs() {
    let Some(_alone) = able(LAB) else { return };
    let user = User::with("Is it slow?", "before = \"sleep 16\"\ntimeout = \"30s\"\nexpect.state = \"running\"");
    let running = start_with(&user.arguments(&["check"], &["--host", LAB]), "", &[]);
    running.until_said("… slow: mine has been booting for 15.");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stdout.matches("slow: ").count(), 1, "{}", ended.stdout);
}

#[test]
fn in_actions_failures_are_annotated_and_nothing_of_a_container_is_a_command() {
    let Some(_alone) = able(LAB) else { return };
    let steps = "[[step]]\nname = \"say\"\nrun = '''printf '::stop-commands::x\\n ##[error]boo\\n' | tee /dev/stderr\necho \"$X\"'''\n\
        expect.stdout.contains = \"nothing, 100%\"\n";
    let user = User::with("What may it say?", steps);
    let file = user.scenarios().join("mine.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let env = "env = { container = \"docker\", X = \"a\\n::stop-commands::y\\n##[error]z\" }";
    std::fs::write(&file, text.replace("env = { container = \"docker\" }", env)).unwrap();
    let summary = user.scenarios().parent().unwrap().join("summary.md").display().to_string();
    let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.as_str()), ("CI", "true")];
    let ended = run_with(&user.arguments(&["check"], &["--host", LAB, "-v"]), "", &variables);
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains("│ ::stop-commands::x") && said.contains("\\x23#[error]boo"), "{said}");
    assert!(!said.contains("##["), "{said}");
    let commands: Vec<&str> = said.lines().filter(|line| line.trim_start().starts_with("::")).collect();
    let [command] = commands.as_slice() else { panic!("{commands:?}") };
    let start = format!("::error file={},line=", file.display());
    assert!(command.starts_with(&start) && command.contains(",title=fail%3A mine::say: expected "), "{command}");
    assert!(command.contains("100%25") && command.contains("::stop-commands::x"), "{command}");
    let summary = std::fs::read_to_string(summary).unwrap();
    for words in ["## Support", "## Scenarios", "fail: 1 case", "docker create", "mine"] {
        assert!(summary.contains(words), "{words}: {summary}");
    }
}
