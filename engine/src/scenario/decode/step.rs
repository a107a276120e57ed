//! `[[step]]`.

use std::time::Duration;

use super::super::check::step as check;
use super::super::cursor::{Fields, Item};
use super::super::diagnostic::{Code, Diagnostic};
use super::super::draft::StepDraft;
use super::super::keys::{CAPTURE, REPEAT, STEP, WAIT};
use super::super::model::{Action, Capture, EngineAction, Phase, Repeat, Step, Template, Wait};
use super::super::names::{is_identifier, unsafe_name};
use super::expect::{expectation, tables};
use crate::source::Sp;

/// The words of `at`.
pub(in crate::scenario) const PHASES: &[(Phase, &str)] = &[(Phase::Boot, "boot"), (Phase::Ready, "ready")];
const GRACE: Duration = Duration::from_secs(10);
const EVERY: Duration = Duration::from_millis(200);

/// The words of `engine`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::scenario) enum Word {
    Logs,
    Inspect,
    Top,
    Stats,
    Stop,
    Restart,
    Start,
    Kill,
    Wait,
}

/// Every [`Word`].
pub(in crate::scenario) const ENGINE_WORDS: &[(Word, &str)] = &[
    (Word::Logs, "logs"),
    (Word::Inspect, "inspect"),
    (Word::Top, "top"),
    (Word::Stats, "stats"),
    (Word::Stop, "stop"),
    (Word::Restart, "restart"),
    (Word::Start, "start"),
    (Word::Kill, "kill"),
    (Word::Wait, "wait"),
];

/// Decodes every step of a file.
pub(super) fn all(item: &Item<'_, '_>) -> Vec<StepDraft> {
    let help = "write [[step]] with two brackets for each step";
    let Some(items) = item.list("a list of tables", help) else { return Vec::new() };
    if items.is_empty() {
        let message = "this list of steps is empty";
        item.cx.sink.push(Diagnostic::new(Code::NoSteps, message, &item.loc(), "here").help(help));
    }
    let steps: Vec<StepDraft> = items.iter().filter_map(|item| step(item, help)).collect();
    check::order(item.cx, &steps);
    steps
}

fn step(item: &Item<'_, '_>, help: &str) -> Option<StepDraft> {
    let fields = item.table(&STEP, help)?;
    let name = name(&fields);
    let action = action(&fields);
    let background = fields.get("background").and_then(|item| item.bool()).unwrap_or(false);
    let changes = fields.get("changes").and_then(|item| item.bool());
    let expect = fields.get("expect").map_or_else(Vec::new, |item| {
        tables(&item).iter().filter_map(|table| expectation(table, &name.value)).collect()
    });
    let step = Step {
        when: fields.get("when").and_then(|item| item.condition()),
        at: fields.get("at").and_then(|item| item.word(PHASES)).unwrap_or_default(),
        background,
        repeat: fields.get("repeat").and_then(|item| repeat(&item)),
        wait: fields.get("wait").and_then(|item| wait(&item)),
        capture: fields.get("capture").map_or_else(Vec::new, |item| captures(&item)),
        timeout: Duration::ZERO,
        changes: changes.unwrap_or_else(|| background || action.as_ref().is_some_and(changes_container)),
        user: fields.get("user").and_then(|item| item.scalar()),
        normalise: Vec::new(),
        expect,
        name,
        // A step without a readable action was reported; a harmless one stands in, so that the rest is looked at.
        action: action.clone().unwrap_or(Action::Engine(EngineAction::Logs)),
    };
    let timeout = fields.get("timeout").and_then(|item| item.duration());
    let normalise = fields.get("normalise").map(|item| item.strings());
    if action.is_some() {
        check::keys(&fields, &step);
    }
    fields.finish();
    Some(StepDraft { step, timeout, normalise })
}

fn changes_container(action: &Action) -> bool {
    matches!(
        action,
        Action::Engine(
            EngineAction::Stop { .. } | EngineAction::Restart { .. } | EngineAction::Start | EngineAction::Kill { .. }
        )
    )
}

fn name(fields: &Fields<'_, '_>) -> Sp<String> {
    let item = fields.required("name", "case ids and goldens use it: name = \"mounts\"");
    let Some(name) = item.and_then(|item| item.string()) else { return Sp::new(String::new(), fields.loc()) };
    if let Some(why) = unsafe_name(&name.value) {
        let message = format!("the step's name \"{}\" {why}", name.value);
        let help = "it names a folder in golden/: small letters, digits, `_`, `.` and `-`";
        fields.cx.sink.push(Diagnostic::new(Code::UnsafeName, message, &name.loc, "here").help(help));
    }
    name
}

fn action(fields: &Fields<'_, '_>) -> Option<Action> {
    let (run, engine) = (fields.get("run"), fields.get("engine"));
    let (grace, signal) = (fields.get("grace"), fields.get("signal"));
    match (run, engine) {
        (Some(run), None) => {
            for item in [grace, signal].into_iter().flatten() {
                no_effect(
                    &item,
                    "belongs to a command on the engine's side",
                    "leave it out, or use engine = \"stop\" or \"kill\"",
                );
            }
            command(&run)
        }
        (None, Some(item)) => engine_action(fields, &item, grace.as_ref(), signal.as_ref()),
        (Some(run), Some(engine)) => {
            let message = "a step does one thing: either `run` or `engine`";
            fields.cx.sink.push(
                Diagnostic::new(Code::Contradiction, message, &engine.key_loc(), "and this on the engine's side")
                    .also(&run.key_loc(), "this runs inside the container")
                    .help("make two steps of it"),
            );
            None
        }
        (None, None) => {
            let help = "run = \"findmnt\" inside the container, or engine = \"logs\" on the engine's side";
            fields.missing("run", help);
            None
        }
    }
}

fn command(run: &Item<'_, '_>) -> Option<Action> {
    if run.is_str() {
        run.text()?;
        return run.template().map(Action::Shell);
    }
    let items = run.list(
        "a command: a string for the shell, or a list of strings",
        "run = \"stat -f /\" or [\"stat\", \"-f\", \"/\"]",
    )?;
    let arguments: Vec<Template> = items.iter().filter_map(Item::template).collect();
    if items.first().is_none_or(|first| first.as_str().is_some_and(str::is_empty)) {
        run.bad("this command has no program", "the first item is the program: [\"findmnt\", \"-R\", \"/sys\"]");
        return None;
    }
    (arguments.len() == items.len()).then_some(Action::Argv(arguments))
}

fn engine_action(
    fields: &Fields<'_, '_>,
    item: &Item<'_, '_>,
    grace: Option<&Item<'_, '_>>,
    signal: Option<&Item<'_, '_>>,
) -> Option<Action> {
    let word = item.word(ENGINE_WORDS)?;
    let called = item.as_str().unwrap_or_default();
    let stops = matches!(word, Word::Stop | Word::Restart);
    if let Some(grace) = grace.filter(|_| !stops) {
        let why = format!("does nothing for `{called}`");
        no_effect(grace, &why, "only `stop` and `restart` give PID 1 a time to end");
    }
    if let Some(signal) = signal.filter(|_| word != Word::Kill) {
        let why = format!("does nothing for `{called}`");
        no_effect(
            signal,
            &why,
            "only `kill` sends one; [container] stop_signal sets the signal of `stop` and `restart`",
        );
    }
    let grace = grace.and_then(Item::duration).unwrap_or(GRACE);
    Some(Action::Engine(match word {
        Word::Logs => EngineAction::Logs,
        Word::Inspect => EngineAction::Inspect,
        Word::Top => EngineAction::Top,
        Word::Stats => EngineAction::Stats,
        Word::Stop => EngineAction::Stop { grace },
        Word::Restart => EngineAction::Restart { grace },
        Word::Start => EngineAction::Start,
        Word::Wait => EngineAction::Wait,
        Word::Kill => {
            let Some(signal) = signal else {
                fields.missing("signal", "engine = \"kill\" sends it to PID 1: signal = \"SIGRTMIN+3\"");
                return None;
            };
            EngineAction::Kill { signal: signal.text()?.value }
        }
    }))
}

/// How often a command is repeated at most: each run is kept until its case is judged.
pub(in crate::scenario) const MOST_TIMES: i64 = 100_000;

/// Reports a key that changes nothing where it stands.
pub(crate) fn no_effect(item: &Item<'_, '_>, why: &str, help: &str) {
    let message = format!("`{}` {why}", item.key);
    item.cx.sink.push(Diagnostic::new(Code::NoEffect, message, &item.key_loc(), "no effect").help(help));
}

fn repeat(item: &Item<'_, '_>) -> Option<Repeat> {
    let help = "repeat = { times = 5 } or { for = \"2s\" }";
    let fields = item.table(&REPEAT, help)?;
    let (times, duration) = (fields.get("times"), fields.get("for"));
    fields.finish();
    match (times, duration) {
        (Some(times), None) => times.int(1..=MOST_TIMES).and_then(|n| u32::try_from(n).ok()).map(Repeat::Times),
        (None, Some(duration)) => duration.duration().map(Repeat::For),
        (Some(times), Some(duration)) => {
            let message = "a command is repeated either a number of times or for a time";
            item.cx.sink.push(
                Diagnostic::new(Code::Contradiction, message, &duration.key_loc(), "for a time")
                    .also(&times.key_loc(), "a number of times")
                    .help("keep one of the two"),
            );
            None
        }
        (None, None) => {
            fields.missing("times", help);
            None
        }
    }
}

fn wait(item: &Item<'_, '_>) -> Option<Wait> {
    let fields = item.table(&WAIT, "wait = { limit = \"5s\", every = \"200ms\" }")?;
    let limit = fields.required("limit", "how long to try: wait = { limit = \"5s\" }").and_then(|item| item.duration());
    let every_item = fields.get("every");
    let every = every_item.as_ref().map_or(Some(EVERY), Item::duration);
    fields.finish();
    let wait = Wait { limit: limit?, every: every? };
    if let Some(every) = every_item.filter(|_| wait.every >= wait.limit) {
        every.bad("the pause between tries is not shorter than the limit, so there is one try", "make `every` shorter");
    }
    Some(wait)
}

fn captures(item: &Item<'_, '_>) -> Vec<Capture> {
    let help = "capture.pid = '^PID (\\d+)$'";
    let Some(fields) = item.table(&CAPTURE, help) else { return Vec::new() };
    let mut found = Vec::new();
    for (name, item) in fields.rest() {
        if !is_identifier(&name.value) {
            let message = format!("`{}` is no name for a captured value", name.value);
            let help = "small letters, digits and `_`, and no digit first: it is read as @{name}";
            item.cx.sink.push(Diagnostic::new(Code::BadValue, message, &name.loc, "here").help(help));
        }
        // A broken pattern was reported; the name is known all the same, so that its uses are not reported too.
        let regex = item.regex().unwrap_or_else(|| Template(Sp::new(String::new(), item.loc())));
        found.push(Capture { name: name.value, regex });
    }
    found
}
