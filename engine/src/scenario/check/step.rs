//! Steps: keys that contradict each other within one, and names and order over all of them.

use std::collections::{HashMap, HashSet};

use super::super::cursor::{Cx, Fields};
use super::super::diagnostic::{Code, Diagnostic};
use super::super::draft::StepDraft;
use super::super::model::{Action, Ask, Check, EngineAction, Golden, Phase, Step, Stream, Template};
use super::super::names::{and_also, suggest};
use super::super::pattern::captures;
use super::super::span::within;
use crate::source::{Loc, Sp};

/// Checks the keys of one step against each other.
pub(crate) fn keys(fields: &Fields<'_, '_>, step: &Step) {
    let sink = fields.cx.sink;
    let at = |key: &'static str| fields.get(key).map(|item| item.key_loc());
    let effect = |key: &'static str, message: &str, help: &str| {
        if let Some(at) = at(key) {
            sink.push(Diagnostic::new(Code::NoEffect, message, &at, "no effect").help(help));
        }
    };
    let clash = |key: &'static str, label: &str, other: &Loc, other_label: &str, message: &str, help: &str| {
        if let Some(at) = at(key) {
            let diagnostic = Diagnostic::new(Code::Contradiction, message, &at, label).also(other, other_label);
            sink.push(diagnostic.help(help));
        }
    };
    if let Some(repeat) = at("repeat") {
        let message = "a step is either repeated, or tried until it holds";
        clash("wait", "tried until it holds", &repeat, "repeated", message, "make two steps of it");
    }
    if step.background
        && let Some(background) = at("background")
    {
        let message = "a command that is left running has no result to look at";
        let help = "look at what it does in a later step, or leave out `background`";
        for key in ["wait", "capture"] {
            clash(key, "needs a result", &background, "left running", message, help);
        }
        for at in step.expect.iter().flat_map(results) {
            let diagnostic = Diagnostic::new(Code::Contradiction, message, at, "needs a result");
            sink.push(diagnostic.also(&background, "left running").help(help));
        }
        effect("timeout", "a command that is left running has no limit", "it ends with the container");
    }
    if let Action::Engine(action) = &step.action {
        engine(fields, step, action);
    }
    if step.goldens().next().is_none() {
        effect("normalise", "`normalise` is for goldens, and this step has none", "add expect.stdout.golden = true");
    }
    for (index, (check, Golden { name, .. })) in named(step).enumerate() {
        let mut before = named(step).take(index);
        if let Some((first, _)) = before.find(|(first, golden)| golden.name == *name && first.stream != check.stream) {
            let message = format!("two streams can't share the golden `{name}`");
            let diagnostic = Diagnostic::new(Code::Contradiction, message, &check.loc, "and another stream here");
            let help = format!("name one of them: golden = \"{name}-stderr\"");
            sink.push(diagnostic.also(&first.loc, "one stream here").help(help));
        }
    }
}

fn engine(fields: &Fields<'_, '_>, step: &Step, action: &EngineAction) {
    let sink = fields.cx.sink;
    let Some(word) = fields.get("engine").map(|item| item.loc()) else { return };
    let report = |code: Code, at: Option<Loc>, label: &str, message: &str, help: &str| {
        if let Some(at) = at {
            let diagnostic = Diagnostic::new(code, message, &at, label);
            sink.push(diagnostic.also(&word, "on the engine's side").help(help));
        }
    };
    let key = |key: &'static str| fields.get(key).map(|item| item.key_loc());
    let message = "a command on the engine's side runs as no user of the container";
    report(Code::NoEffect, key("user"), "no effect", message, "leave `user` out");
    if step.background {
        let message = "a command on the engine's side can't be left running";
        report(Code::Contradiction, key("background"), "left running", message, "leave `background` out");
    }
    let stderr = step.expect.iter().flat_map(|e| &e.checks).find(|check| check.stream == Stream::Stderr);
    let message = "a command on the engine's side has no stderr";
    let help = "its answer is the step's stdout; expect.exit sees whether it worked";
    report(Code::NoEffect, stderr.map(|check| check.loc.clone()), "never has text", message, help);
    let ends = matches!(
        action,
        EngineAction::Stop { .. } | EngineAction::Restart { .. } | EngineAction::Start | EngineAction::Wait
    );
    if ends && step.at == Phase::Boot {
        let message = "this can't come while the boot goes on: it ends the boot or waits for another";
        let help = "leave out `at`, so that it comes when the boot is complete";
        report(Code::Contradiction, key("at"), "while systemd boots", message, help);
    }
    let changes = matches!(
        action,
        EngineAction::Stop { .. } | EngineAction::Restart { .. } | EngineAction::Start | EngineAction::Kill { .. }
    );
    if changes && !step.changes {
        let message = "this changes the container, and `changes = false` says that it does not";
        report(Code::Contradiction, key("changes"), "said here", message, "leave `changes` out");
    }
}

/// Where an expectation looks at the command's own result.
fn results(expectation: &super::super::model::Expectation) -> Vec<&Loc> {
    let own = expectation.checks.iter().filter(|check| check.stream != Stream::Console).map(|check| &check.loc);
    let exit = expectation.exit.is_some().then_some(&expectation.loc);
    exit.into_iter().chain(own).collect()
}

/// Checks all steps of a file: unique names, boot steps first, captured values known before they are read, goldens alike.
pub(crate) fn order(cx: Cx<'_>, steps: &[StepDraft]) {
    goldens(cx, steps);
    let mut names: HashMap<String, &Loc> = HashMap::new();
    let mut ready: Option<&Sp<String>> = None;
    let mut captured: HashSet<&str> = HashSet::new();
    let all: HashSet<&str> = steps.iter().flat_map(|s| &s.step.capture).map(|c| c.name.as_str()).collect();
    for StepDraft { step, .. } in steps {
        if let Some(first) = names.get(&step.name.value.to_lowercase()).filter(|_| !step.name.value.is_empty()) {
            let message = format!("two steps are called `{}`", step.name.value);
            cx.sink.push(
                Diagnostic::new(Code::Duplicate, message, &step.name.loc, "again here")
                    .also(first, "first here")
                    .help("give each a name of its own: verdicts and goldens go by it"),
            );
        }
        names.insert(step.name.value.to_lowercase(), &step.name.loc);
        match (step.at, ready) {
            (Phase::Boot, Some(earlier)) => {
                let message = "steps with at = \"boot\" come before all others";
                cx.sink.push(
                    Diagnostic::new(Code::Contradiction, message, &step.name.loc, "while systemd boots")
                        .also(&earlier.loc, "when the boot is complete")
                        .help("move this step up: steps run in the order of the file"),
                );
            }
            (Phase::Ready, None) => ready = Some(&step.name),
            _ => {}
        }
        for text in texts(step) {
            for (name, range) in
                captures(&text.0.value).into_iter().filter(|(name, _)| !captured.contains(name.as_str()))
            {
                let at = within(cx.sink.sources, &text.0, range);
                let (message, help) = if step.capture.iter().any(|capture| capture.name == name) {
                    let help = "a captured value is known from the next step on";
                    (format!("`@{{{name}}}` is captured by this step itself"), help.to_string())
                } else if all.contains(name.as_str()) {
                    let help = "move that step up: steps run in the order of the file";
                    (format!("`@{{{name}}}` is captured by a later step"), help.to_string())
                } else {
                    let known = suggest(&name, captured.iter().copied(), "values captured by earlier steps");
                    let help = and_also(&known, &format!("capture.{name} = '…' in an earlier step makes it"));
                    (format!("no step captures `@{{{name}}}`"), help)
                };
                cx.sink.push(Diagnostic::new(Code::UnknownCapture, message, &at, "read here").help(help));
            }
        }
        captured.extend(step.capture.iter().map(|capture| capture.name.as_str()));
    }
}

/// The goldens of a step but those that were reported.
fn named(step: &Step) -> impl Iterator<Item = (&Check, &Golden)> {
    step.goldens().filter(|(_, golden)| !golden.name.is_empty())
}

/// Checks that one golden is compared in one way.
fn goldens(cx: Cx<'_>, steps: &[StepDraft]) {
    let mut seen: HashMap<(&str, Stream), (&Check, &Golden)> = HashMap::new();
    for (check, golden) in steps.iter().flat_map(|draft| named(&draft.step)) {
        let (first, other) = *seen.entry((&golden.name, check.stream)).or_insert((check, golden));
        if other.compare != golden.compare {
            let message = format!("the golden `{}` is compared in two ways", golden.name);
            cx.sink.push(
                Diagnostic::new(Code::Contradiction, message, &check.loc, "and otherwise here")
                    .also(&first.loc, "so here")
                    .help("give one of them another name: golden = { name = \"…\", … }"),
            );
        }
    }
}

/// The texts of a step in which captured values may be read.
fn texts(step: &Step) -> Vec<&Template> {
    let mut texts: Vec<&Template> = match &step.action {
        Action::Shell(text) => vec![text],
        Action::Argv(items) => items.iter().collect(),
        Action::Engine(_) => Vec::new(),
    };
    for check in step.expect.iter().flat_map(|e| &e.checks) {
        texts.extend(ask_texts(&check.ask));
    }
    texts
}

/// The texts in what is asked of a stream.
pub(crate) fn ask_texts(ask: &Ask<Template>) -> &[Template] {
    match ask {
        Ask::Regex(text) | Ask::NotRegex(text) | Ask::Contains(text) | Ask::NotContains(text) | Ask::Equals(text) => {
            std::slice::from_ref(text)
        }
        Ask::Set(_, words) => words,
        Ask::Empty(_) | Ask::Lines(..) | Ask::Golden(_) => &[],
    }
}
