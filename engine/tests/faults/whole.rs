//! Faults that hit a whole run: its engine, its way to it, or the machine that it writes to.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::program::user::{User, verdicts};
use crate::program::{nothing_left, start};
use crate::proxy::{Fault, Proxy, Rule};
use crate::run::{self, Ended, Engine};
use crate::scenes::{self, INNOCENT};
use crate::table::{self, Row};

fn row(fault: &str, place: &str, verdict: &str, code: Option<i32>, said: &str) -> Row {
    let code = code.map_or_else(|| "none".to_owned(), |code| code.to_string());
    let [fault, place, verdict] = [fault, place, verdict].map(ToOwned::to_owned);
    Row { fault, place, verdict, code, said: table::stable(said) }
}

/// The row of a run whose cases all have one verdict; where they do not, all of them, for a person to see.
fn all(fault: &str, place: &str, ended: &Ended) -> Row {
    let Some(report) = &ended.report else {
        let said = ended.stderr.replace(['│', '×', '╰', '▶', '├', '─'], " ");
        return row(fault, place, "–", ended.code, &said);
    };
    let cases = report["cases"].as_array().unwrap().iter().map(|case| case["id"].as_str().unwrap());
    let mut seen: Vec<(String, String)> = cases.map(|id| table::of_case(report, id)).collect();
    seen.sort();
    seen.dedup();
    let left = report["summary"]["left_behind"].as_array().unwrap().iter().map(|left| format!("; left: {left}"));
    let (verdicts, said): (Vec<String>, Vec<String>) = seen.into_iter().unzip();
    row(fault, place, &verdicts.join(", "), ended.code, &(said.join(" · ") + &left.collect::<String>()))
}

/// Faults on the way to an engine that is well.
pub(crate) fn on_the_way(engine: &Engine, wrong: &mut Vec<String>) -> Vec<Row> {
    let mut rows = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    scenes::write(folder.path(), &[]);
    let socket = folder.path().join("engine.sock");
    let host = format!("unix://{}", socket.display());
    let ended = run::start(folder.path(), &host, &[]).end();
    rows.push(all("connection refused", "before the run", &ended));
    for (fault, place, rule) in [
        ("garbage for an answer", "before the run", ("GET", "info", scenes::garbage())),
        ("500", "before the run", ("GET", "info", scenes::refuses("500 Internal Server Error", "context canceled"))),
        ("connection refused from then on", "start", ("POST", "containers/*/start", Fault::Gone)),
    ] {
        let (method, path, fault_is) = rule;
        let case = if path == "info" { String::new() } else { INNOCENT[0].to_owned() };
        let proxy = Proxy::start(&socket, &engine.socket, vec![Rule { case, method, path, skip: 0, fault: fault_is }]);
        let ended = run::start(folder.path(), &host, &[]).end();
        wrong.extend(proxy.unused());
        drop(proxy);
        rows.push(all(fault, place, &ended));
        let _old = std::fs::remove_file(folder.path().join("report.json"));
    }
    // What a run can't remove is what the next one, or `clean`, removes.
    let cleaned = crate::program::run(&["clean", "--host", &engine.address()].map(String::from));
    if cleaned.code != Some(0) {
        wrong.push(format!("clean: {}", cleaned.stderr));
    }
    wrong.extend(engine.left());
    rows
}

/// Places to write to that are full. The engine is well, and so is the case but for its golden, which is new.
pub(crate) fn on_this_machine(engine: &Engine, wrong: &mut Vec<String>) -> Vec<Row> {
    const SMALL: &str =
        "set -e; mkdir \"$FOLDER/small\"; mount -n -t tmpfs -o size=4k,nr_inodes=2 none \"$FOLDER/small\"; ";
    let mut rows = Vec::new();
    for (fault, place, shell) in [
        ("disk full", "the file of --json", format!("{SMALL} exec \"$@\" --json \"$FOLDER/small/report.json\"")),
        ("a full device", "--json", "mknod \"$FOLDER/full\" c 1 7; exec \"$@\" --json \"$FOLDER/full\"".to_owned()),
        ("disk full", "stdout", "mknod \"$FOLDER/full\" c 1 7; exec \"$@\" >\"$FOLDER/full\"".to_owned()),
        (
            "disk full",
            "the folder of what is set aside",
            format!(
                "{SMALL} rmdir \"$FOLDER/small\" 2>/dev/null || ln -s small \"$FOLDER/aside\"; exec \"$@\" --json report.json"
            ),
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        scenes::write(folder.path(), &[]);
        let steps = "[[step]]\nname = 'new'\nrun = 'seq 4000'\nexpect.stdout.golden = true\n";
        scenes::write_one(folder.path(), "new", steps);
        let shell = format!("exec unshare --mount --propagation private sh -c '{shell}' sh \"$@\"");
        let ended = run::through(&shell, folder.path(), &["--host", &engine.address(), "-k", "new"]).end();
        let mut said = all(fault, place, &ended);
        if ended.report.is_some() {
            said.said = table::stable(&format!("{}; {}", ended.stderr, said.said));
        }
        rows.push(said);
        let device = folder.path().join("full");
        if device.exists() && device.is_file() {
            wrong.push(format!("{fault} at {place}: the device has become a file"));
        }
    }
    wrong.extend(engine.left());
    rows
}

/// The engine of a run is killed: it takes its containers with it.
pub(crate) fn killed(wrong: &mut Vec<String>) -> Row {
    let user = User::with(
        "Killed?",
        "[matrix]\nn = [1, 2]\n\n[[step]]\nname = 'a'\nrun = 'sleep 60'\nchanges = true\ntimeout = '90s'\n",
    );
    let running = start(&user.arguments(&["check"], &["--host", "docker-v1", "--jobs", "2"]));
    running.until_containers_run(2);
    running.signal_engine(Signal::KILL);
    let ended = running.end();
    nothing_left(&ended.name, Duration::ZERO);
    let report = user.report();
    let mut seen = verdicts(&report, "docker-v1");
    seen.dedup();
    if seen.len() != 1 || report["summary"]["left_behind"] != serde_json::json!([]) {
        wrong.push(format!("engine killed: {seen:?}, {}", report["summary"]));
    }
    row("engine killed", "two boots under way", &seen[0].0, ended.code, &seen[0].1)
}

/// A folder with a program of dockerd's name that does more than dockerd.
fn wrapper(folder: &Path, script: &str) -> PathBuf {
    let real = Command::new("sh").args(["-c", "PATH=$PATH:/usr/sbin:/sbin; command -v dockerd"]).output().unwrap();
    let file = folder.join("dockerd");
    let script = script.replace("REAL", String::from_utf8_lossy(&real.stdout).trim());
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder.to_owned()
}

/// An engine that starts again when it is killed: the case that it ran has no verdict, those that follow have theirs.
pub(crate) fn restarted(wrong: &mut Vec<String>) -> Option<Row> {
    const AGAIN: &str = "trap 'over=1; kill -TERM $engine' TERM\n\
        while [ -z \"$over\" ]; do REAL \"$@\" & engine=$!; wait $engine; done\n\
        wait $engine";
    let bin = tempfile::tempdir().unwrap();
    let engine = Engine::start("docker-v1", Some(&wrapper(bin.path(), AGAIN)))?;
    let folder = tempfile::tempdir().unwrap();
    scenes::write(folder.path(), &[]);
    scenes::write_one(folder.path(), "a-victim", "[[step]]\nname = 'long'\nrun = 'sleep 60'\ntimeout = '90s'\n");
    let running = run::start(folder.path(), &engine.address(), &["--jobs", "1"]);
    engine.until_containers_run(1);
    engine.kill();
    let ended = running.end();
    let report = ended.report.as_ref().unwrap();
    for innocent in INNOCENT {
        let (verdict, said) = table::of_case(report, innocent);
        if verdict != "pass" {
            wrong.push(format!("engine restarted: {innocent}: {verdict}: {said}"));
        }
    }
    let (verdict, said) = table::of_case(report, "a-victim");
    wrong.extend(engine.left());
    engine.end();
    Some(row("engine killed, and started again", "a boot under way", &verdict, ended.code, &said))
}

/// An engine whose disk is full before the run.
pub(crate) fn full(wrong: &mut Vec<String>) -> Option<Row> {
    const SMALL: &str = "data=$(echo \"$*\" | sed 's/.*--data-root \\([^ ]*\\).*/\\1/')\n\
        mount -n -t tmpfs -o size=900m none \"$data\"\n\
        exec REAL \"$@\"";
    let bin = tempfile::tempdir().unwrap();
    let engine = Engine::start("docker-v1", Some(&wrapper(bin.path(), SMALL)))?;
    let built = crate::program::run(&["images", "build", "debian-12", "--host", &engine.address()].map(String::from));
    assert_eq!(built.code, Some(0), "{}", built.stderr);
    engine.fill_up();
    let folder = tempfile::tempdir().unwrap();
    scenes::write(folder.path(), &[]);
    let ended = run::start(folder.path(), &engine.address(), &[]).end();
    let row = all("disk full", "the engine's data folder", &ended);
    wrong.extend(engine.left());
    engine.end();
    Some(row)
}
