//! Faults of the connection, the engine, the machine and the container: each ends with the right verdict, harms no other
//! case, takes no more memory than it may, and leaves nothing. What came of each is the table beside this file.
//!
//! Root and dockerd are needed; a skip says why, and fails where `SDC_ENGINE_MUST_RUN` is set.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on panics")]
#![allow(dead_code, reason = "the helpers are shared with other tests")]

#[path = "../program/mod.rs"]
mod program;
mod proxy;
mod run;
mod scenes;
mod table;
mod whole;

use run::Engine;
use scenes::{INNOCENT, Scene};
use table::Row;

/// The most memory that the program may have, in MiB: a few outputs of their greatest length in a few forms.
const MEMORY: u64 = 200;

/// The most that it may say of a run, in bytes.
const TEXT: usize = 200 << 10;

/// A run of scenes through the proxy; each of them must end with that verdict, and the run with that code.
fn each(engine: &Engine, scenes: &[Scene], verdict: &str, code: i32, wrong: &mut Vec<String>) -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    scenes::write(folder.path(), scenes);
    let socket = folder.path().join("engine.sock");
    let proxy = proxy::Proxy::start(&socket, &engine.socket, scenes.iter().filter_map(Scene::rule).collect());
    let images = engine.images();
    let ended = run::start(folder.path(), &format!("unix://{}", socket.display()), &["--jobs", "4"]).end();
    let report = ended.report.unwrap_or_else(|| panic!("no report: {}{}", ended.stdout, ended.stderr));
    for innocent in INNOCENT {
        let (verdict, said) = table::of_case(&report, innocent);
        if verdict != "pass" {
            wrong.push(format!("{innocent}: {verdict}: {said}"));
        }
    }
    let mut rows = Vec::new();
    for scene in scenes {
        let (seen, said) = table::of_case(&report, &scene.id);
        if seen != verdict {
            wrong.push(format!("{}: {seen}, not {verdict}: {said}", scene.id));
        }
        let code = ended.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        rows.push(Row { fault: scene.fault.into(), place: scene.place.into(), verdict: seen, code, said });
    }
    wrong.extend(proxy.unused().into_iter().map(|rule| format!("no request met the rule {rule}")));
    wrong.extend(engine.left().into_iter().map(|left| format!("left: {left}")));
    if report["summary"]["left_behind"] != serde_json::json!([]) {
        wrong.push(format!("left_behind: {}", report["summary"]["left_behind"]));
    }
    if engine.images() != images && !images.is_empty() {
        wrong.push(format!("images: {images:?} became {:?}", engine.images()));
    }
    if ended.code != Some(code) {
        wrong.push(format!("the program ended with {:?}, not {code}", ended.code));
    }
    if ended.stdout.len() > TEXT {
        wrong.push(format!("it said {} bytes", ended.stdout.len()));
    }
    if ended.peak > MEMORY {
        wrong.push(format!("it took {} MiB of memory", ended.peak));
    }
    // What a command printed steers no terminal.
    if ended.stdout.chars().any(|c| c.is_control() && c != '\n') {
        wrong.push("its stdout has control characters".into());
    }
    eprintln!("{verdict}: {} MiB, {}s", ended.peak, report["summary"]["took"]);
    if !wrong.is_empty() {
        eprintln!("{:.60000}\n{:.60000}", ended.stdout, ended.stderr);
    }
    rows
}

#[test]
fn every_fault_ends_with_its_verdict() {
    let Some(engine) = Engine::start("docker-v1", None) else { return };
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    // To work on a part alone: the table then differs.
    let only = std::env::var("SDC_ENGINE_FAULTS").unwrap_or_default();
    for (scenes, verdict, code) in [
        (scenes::errors(), "error", 3),
        (scenes::fails(), "fail", 1),
        (scenes::timeouts(), "timeout", 1),
        (scenes::passes(), "pass", 0),
    ]
    .into_iter()
    .filter(|(_, verdict, _)| only.is_empty() || only == *verdict)
    {
        rows.extend(each(&engine, &scenes, verdict, code, &mut wrong));
    }
    rows.extend(whole::on_the_way(&engine, &mut wrong));
    rows.extend(whole::on_this_machine(&engine, &mut wrong));
    engine.end();
    rows.push(whole::killed(&mut wrong));
    rows.extend(whole::restarted(&mut wrong));
    rows.extend(whole::full(&mut wrong));
    if !wrong.is_empty() {
        rows.iter().for_each(|row| eprintln!("{}", row.line()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    table::compare(&rows);
}
