//! A scenario with its defaults merged in: images, setup modes, the matrix, rules, readiness.

use super::super::Templates;
use super::super::cursor::Cx;
use super::super::diagnostic::{Code, Diagnostic};
use super::super::draft::{AxisDraft, Draft, IncludeDraft};
use super::super::model::{AxisValue, BUILTIN_RULES, Layer, Readiness, Scalar, Template};
use super::super::names::{and_also, list, suggest};
use super::flags;
use crate::images::Catalogue;
use crate::source::{Loc, Sp};

/// Checks a merged draft; `name` is the scenario's.
pub(crate) fn scenario(cx: Cx<'_>, name: &str, draft: &Draft, catalogue: &Catalogue) {
    axes(cx, draft);
    includes(cx, draft);
    image(cx, name, draft, catalogue);
    for layer in &draft.layers {
        scalars(cx, draft, layer, catalogue);
    }
    console(cx, draft);
    rules(cx, draft);
}

fn axes(cx: Cx<'_>, draft: &Draft) {
    for (name, axis) in draft.axes.iter().filter(|(_, axis)| axis.removes) {
        let message = format!("the axis `{name}` has no values, so there would be no case");
        let help = "list at least one value; an empty list removes an axis of a defaults.toml, and none has this one";
        cx.sink.push(Diagnostic::new(Code::EmptyAxis, message, &axis.key, "this axis").help(help));
    }
}

fn includes(cx: Cx<'_>, draft: &Draft) {
    let names: Vec<&str> = draft.axes.keys().map(String::as_str).collect();
    for (index, include) in draft.include.iter().enumerate() {
        for (name, value) in include.point.iter().filter(|(name, _)| !draft.axes.contains_key(*name)) {
            let message = format!("there is no axis `{name}`");
            let help = suggest(name, names.iter().copied(), "axes");
            cx.sink.push(Diagnostic::new(Code::UnknownName, message, &value.loc, "here").help(help));
        }
        let missing: Vec<&str> = names.iter().copied().filter(|name| !include.point.contains_key(*name)).collect();
        if !missing.is_empty() {
            let message = format!("an added point needs a value for each axis, and this lacks {}", list(&missing));
            let help = format!("the axes are {}", list(&names));
            cx.sink.push(Diagnostic::new(Code::MissingKey, message, &include.loc, "here").help(help));
        }
        if let Some(first) = draft.include[..index].iter().find(|first| same(first, include)) {
            cx.sink.push(
                Diagnostic::new(Code::Duplicate, "this point is added twice", &include.loc, "again here")
                    .also(&first.loc, "first here")
                    .help("leave one out: their case ids would be the same"),
            );
        } else if missing.is_empty() && draft.exclude.is_empty() && in_product(draft, include) {
            let message = "this point is a case already: each of its values is one of its axis";
            let diagnostic = Diagnostic::new(Code::Duplicate, message, &include.loc, "here");
            cx.sink.push(
                diagnostic.help("leave it out; [[matrix.include]] adds points with values that the axes do not list"),
            );
        }
    }
}

fn same(a: &IncludeDraft, b: &IncludeDraft) -> bool {
    a.point.len() == b.point.len()
        && a.point.iter().all(|(name, value)| {
            b.point.get(name).is_some_and(|other| other.value.to_string() == value.value.to_string())
        })
}

fn in_product(draft: &Draft, include: &IncludeDraft) -> bool {
    !include.point.is_empty()
        && include.point.iter().all(|(name, value)| {
            draft.axes.get(name).is_some_and(|axis| {
                axis.entries.iter().any(|entry| entry.value.value.to_string() == value.value.to_string())
            })
        })
}

fn image(cx: Cx<'_>, name: &str, draft: &Draft, catalogue: &Catalogue) {
    let set = draft.layers.iter().any(|layer| layer.when.is_none() && layer.scalars.contains_key(&Scalar::Image));
    if set || draft.container_broken {
        return;
    }
    let images: Vec<&str> = catalogue.images.keys().map(String::as_str).collect();
    let help = match images.first() {
        Some(first) => {
            format!("[container] image = \"{first}\", here or in a defaults.toml; the images are {}", list(&images))
        }
        None => "[container] image = \"…\"; and images/ declares none yet".to_string(),
    };
    let message = format!("{name} does not say which image its container has");
    cx.sink.push(Diagnostic::new(Code::MissingKey, message, &draft.loc, "in this file").help(help));
}

/// The values that a scalar can have, as far as the file shows: its own, or those of the axis that it reads.
fn values<'d>(draft: &'d Draft, template: &'d Template) -> Vec<(Sp<String>, Option<&'d Loc>)> {
    let text = &template.0;
    if Templates::is_plain(&text.value) {
        return vec![(text.clone(), None)];
    }
    let inner = text.value.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")).map(str::trim);
    let Some(axis) = inner.and_then(|name| draft.axes.get(name)) else { return Vec::new() };
    let of_axis = |axis: &'d AxisDraft| axis.entries.iter().map(|e| e.clone().map(|e| e.value.to_string()));
    let added = draft.include.iter().filter_map(|include| include.point.get(inner?)).map(|value| {
        let text = AxisValue::to_string(&value.value);
        Sp::new(text, value.loc.clone())
    });
    of_axis(axis).chain(added).map(|value| (value, Some(&text.loc))).collect()
}

fn scalars(cx: Cx<'_>, draft: &Draft, layer: &Layer, catalogue: &Catalogue) {
    for (scalar, template) in &layer.scalars {
        for (value, feeds) in values(draft, template) {
            match scalar {
                Scalar::Image if !catalogue.images.contains_key(&value.value) => {
                    let known = catalogue.images.keys().map(String::as_str);
                    unknown(
                        cx,
                        Code::UnknownImage,
                        "image",
                        "images/",
                        &value,
                        feeds,
                        suggest(&value.value, known, "images"),
                    );
                }
                Scalar::SetupMode if !catalogue.setup_modes.contains_key(&value.value) => {
                    let known = catalogue.setup_modes.keys().map(String::as_str);
                    let help = suggest(&value.value, known, "setup modes");
                    unknown(cx, Code::UnknownSetupMode, "setup mode", "images/setup/", &value, feeds, help);
                }
                Scalar::Image | Scalar::SetupMode => {}
                // A plain value was looked at with its own file.
                _ if feeds.is_some() => flags::scalar_value(cx, *scalar, &value, feeds),
                _ => {}
            }
        }
    }
}

fn unknown(cx: Cx<'_>, code: Code, what: &str, folder: &str, value: &Sp<String>, feeds: Option<&Loc>, help: String) {
    let message = format!("{folder} has no {what} \"{}\"", value.value);
    let mut diagnostic = Diagnostic::new(code, message, &value.loc, "here").help(help);
    if let Some(feeds) = feeds {
        diagnostic = diagnostic.also(feeds, "used here");
    }
    cx.sink.push(diagnostic);
}

/// Without a TTY there is no console log, and so no readiness by it.
fn console(cx: Cx<'_>, draft: &Draft) {
    let of = |layer: &&Layer| layer.when.is_none() && layer.scalars.contains_key(&Scalar::Tty);
    let Some(tty) = draft.layers.iter().rev().find(of).and_then(|layer| layer.scalars.get(&Scalar::Tty)) else {
        return;
    };
    let maybe = draft.layers.iter().any(|layer| layer.when.is_some() && layer.scalars.contains_key(&Scalar::Tty));
    let ready = draft.boot.ready.as_ref();
    if tty.0.value != "false" || maybe || ready.is_some_and(|ready| ready.value == Readiness::Exec) {
        return;
    }
    let message = "without a TTY there is no console log, and the boot's end is noticed by it";
    let mut diagnostic = Diagnostic::new(Code::Contradiction, message, &tty.0.loc, "no TTY")
        .help("[boot] ready = \"exec\" asks systemd itself; it disturbs what cgroup scenarios measure");
    if let Some(ready) = ready {
        diagnostic = diagnostic.also(&ready.loc, "by the console log");
    }
    cx.sink.push(diagnostic);
}

fn rules(cx: Cx<'_>, draft: &Draft) {
    for (index, (name, _)) in draft.rules.iter().enumerate() {
        let first = draft.rules[..index].iter().find(|(first, _)| first.value == name.value);
        let builtin = BUILTIN_RULES.contains(&name.value.as_str());
        if first.is_none() && !builtin {
            continue;
        }
        let message = format!("there is a normalising rule `{}` already", name.value);
        let mut diagnostic = Diagnostic::new(Code::Duplicate, message, &name.loc, "here");
        if let Some((first, _)) = first {
            diagnostic = diagnostic.also(&first.loc, "first here");
        }
        let help = if builtin { "it is built in; choose another name" } else { "choose another name" };
        cx.sink.push(diagnostic.help(help));
    }
    let known: Vec<&str> =
        BUILTIN_RULES.iter().copied().chain(draft.rules.iter().map(|(name, _)| name.value.as_str())).collect();
    let used = || draft.normalise.iter().chain(draft.steps.iter().filter_map(|step| step.normalise.as_ref())).flatten();
    // A rule of a defaults.toml is there for whoever wants it.
    for (name, _) in draft.rules.iter().filter(|(name, _)| name.loc.file == cx.file) {
        if !used().any(|used| used.value == name.value) {
            let message = format!("no `normalise` names the rule `{}`", name.value);
            let diagnostic = Diagnostic::new(Code::NoEffect, message, &name.loc, "no effect");
            let help = "add it to the `normalise` of the scenario or of a step, or leave it out";
            cx.sink.push(diagnostic.help(help));
        }
    }
    for name in used().filter(|name| !known.contains(&name.value.as_str())) {
        let message = format!("there is no normalising rule `{}`", name.value);
        let help = and_also(
            &suggest(&name.value, known.iter().copied(), "rules"),
            "[normalise_rule.NAME] with `regex` and `replace` declares one",
        );
        cx.sink.push(Diagnostic::new(Code::UnknownRule, message, &name.loc, "here").help(help));
    }
}
