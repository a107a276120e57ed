//! Names in templates and conditions: axes of the scenario, facts of the host, and nothing else.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use super::super::diagnostic::{Code, Diagnostic, Sink};
use super::super::model::{Action, Layer, Scenario, Step};
use super::super::names::{and_also, suggest};
use super::super::span::within;
use super::step::ask_texts;
use crate::facts::Facts;
use crate::source::Sp;

/// Functions that every template has.
const FUNCTIONS: &[&str] = &["range", "dict", "namespace"];

static FACTS: LazyLock<Vec<String>> = LazyLock::new(|| match serde_json::to_value(Facts::assumed()) {
    Ok(serde_json::Value::Object(facts)) => facts.keys().cloned().collect(),
    _ => Vec::new(),
});

/// Flags of the rendered container that `[[skip]]` and the rules of a mode.toml may read.
pub(crate) const CONTAINER_PATHS: &[&str] = &["container.cgroupns", "container.systemd", "container.privileged"];

/// What templates and conditions of one file may read.
pub(crate) struct Scope<'a> {
    /// Plain values by name.
    pub(crate) axes: Vec<&'a str>,
    /// Paths besides `host.*`.
    pub(crate) paths: &'a [&'a str],
    /// What the plain values are called in messages.
    pub(crate) whose: String,
}

impl Scope<'_> {
    /// Checks the names of a condition.
    pub(crate) fn condition(&self, sink: &Sink<'_>, text: &Sp<String>) {
        if let Ok(names) = sink.templates.condition_names(&text.value) {
            self.check(sink, text, &names);
        }
    }

    /// Checks the names of a template.
    pub(crate) fn template(&self, sink: &Sink<'_>, text: &Sp<String>) {
        if let Ok(names) = sink.templates.names(&text.value) {
            self.check(sink, text, &names);
        }
    }

    fn check(&self, sink: &Sink<'_>, text: &Sp<String>, names: &BTreeSet<String>) {
        for name in names {
            let Some((message, help)) = self.fault(name) else { continue };
            let at = within(sink.sources, text, find(&text.value, name));
            sink.push(Diagnostic::new(Code::UnknownName, message, &at, "read here").help(help));
        }
    }

    fn fault(&self, name: &str) -> Option<(String, String)> {
        let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
        if self.paths.contains(&name) {
            return None;
        }
        match (first, rest) {
            ("host", None) => {
                let help = and_also("write host.<fact>", &suggest("", FACTS.iter().map(String::as_str), "facts"));
                Some(("`host` alone is no value".to_string(), help))
            }
            ("host", Some(fact)) => {
                let fact = fact.split('.').next().unwrap_or_default();
                let unknown = !FACTS.iter().any(|known| known == fact);
                unknown.then(|| {
                    let help = suggest(fact, FACTS.iter().map(String::as_str), "facts of a host");
                    (format!("a host has no fact `{fact}`"), help)
                })
            }
            (axis, None) if self.axes.contains(&axis) || FUNCTIONS.contains(&axis) => None,
            (axis, Some(rest)) if self.axes.contains(&axis) => {
                let help = format!("an axis is a plain value: write `{axis}` alone");
                Some((format!("the axis `{axis}` has no `{rest}`"), help))
            }
            _ => {
                let known = self.axes.iter().copied().chain(self.paths.iter().copied());
                let help = and_also(&suggest(name, known, &self.whose), "facts of the host are read as host.<fact>");

                Some((format!("nothing is called `{name}` here"), help))
            }
        }
    }
}

/// Where a name stands in a text: as a whole word, else the whole text.
fn find(text: &str, name: &str) -> Range<usize> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let inside = text.find("${").unwrap_or(0);
    let whole = |name: &str, more: fn(char) -> bool| {
        let ends = |at: usize| {
            !text[..at].ends_with(|c: char| word(c) || c == '.') && !text[at + name.len()..].starts_with(more)
        };
        let found = text[inside..].match_indices(name).map(|(at, _)| at + inside).find(|at| ends(*at))?;
        Some(found..found + name.len())
    };
    let first = name.split('.').next().unwrap_or(name);
    whole(name, |c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        .or_else(|| whole(name, |c| c.is_ascii_alphanumeric() || c == '_'))
        .or_else(|| whole(first, |c| c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(0..text.len())
}

/// Checks every template and condition of a scenario.
pub(crate) fn scenario(sink: &Sink<'_>, scenario: &Scenario) {
    let scope = Scope {
        axes: scenario.matrix.axes.keys().map(|axis| axis.as_str()).collect(),
        paths: &[],
        whose: format!("axes of {}", scenario.name),
    };
    let entries = scenario.matrix.axes.values().flatten().filter_map(|entry| entry.only.as_ref());
    for rule in entries.chain(&scenario.matrix.exclude) {
        scope.condition(sink, &rule.when.0);
    }
    let of_container = Scope { axes: scope.axes.clone(), paths: CONTAINER_PATHS, whose: scope.whose.clone() };
    for rule in &scenario.skip {
        of_container.condition(sink, &rule.when.0);
    }
    for each in &scenario.layers {
        layer(sink, &scope, each);
    }
    let boot = &scenario.boot;
    for text in boot.before.iter().chain(&boot.known_lines) {
        scope.template(sink, &text.0);
    }
    for expectation in &boot.expect {
        expectation.when.iter().for_each(|when| scope.condition(sink, &when.0));
        expectation.checks.iter().flat_map(|c| ask_texts(&c.ask)).for_each(|text| scope.template(sink, &text.0));
    }
    for each in &scenario.steps {
        step(sink, &scope, each);
    }
}

fn layer(sink: &Sink<'_>, scope: &Scope<'_>, layer: &Layer) {
    layer.when.iter().for_each(|when| scope.condition(sink, &when.0));
    let lists = layer.lists.values().flatten();
    let maps = layer.maps.values().flat_map(|map| map.values());
    for text in layer.scalars.values().chain(lists).chain(maps) {
        scope.template(sink, &text.0);
    }
}

fn step(sink: &Sink<'_>, scope: &Scope<'_>, step: &Step) {
    let conditions = step.when.iter().chain(step.expect.iter().filter_map(|e| e.when.as_ref()));
    conditions.for_each(|when| scope.condition(sink, &when.0));
    let action = match &step.action {
        Action::Shell(text) => std::slice::from_ref(text),
        Action::Argv(items) => items,
        Action::Engine(_) => &[],
    };
    let checks = step.expect.iter().flat_map(|e| &e.checks).flat_map(|check| ask_texts(&check.ask));
    let captures = step.capture.iter().map(|capture| &capture.regex);
    for text in action.iter().chain(checks).chain(captures).chain(&step.user) {
        scope.template(sink, &text.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_those_of_the_type() {
        assert!(FACTS.iter().any(|fact| fact == "cgroups") && FACTS.iter().any(|fact| fact == "missing_capabilities"));
    }

    #[test]
    fn a_name_is_found_as_a_whole_word() {
        assert_eq!(find("modes == 'mode' and mode == 'x'", "mode"), 10..14);
        assert_eq!(find("nope ${{ nope }}", "nope"), 9..13);
        assert_eq!(find("host.nope == 'x'", "host.nope"), 0..9);
        assert_eq!(find("x", "absent"), 0..1);
    }
}
