//! The pure core: the text of `diagnoses.toml` in, entries or every error out.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::keys::{DIAGNOSES, DIAGNOSIS};
use super::link::{projects, url};
use super::matching::CONTAINER;
use super::model::{Diagnoses, Entry};
use crate::observe::pattern::{Lazy, author, builtin};
use crate::scenario::cursor::{Cx, Fields, Item};
use crate::scenario::document::with_root;
use crate::scenario::pattern::parse as parse_pattern;
use crate::scenario::{Code, Diagnostic, Scope, Sink, unsafe_name, within};
use crate::source::{FileId, Sources, Sp};

/// The entries that are part of the program: sdc-engine knows them wherever it is run.
const SHIPPED: &str = include_str!("../../../images/diagnoses.toml");

/// A group of the pattern in a text.
static GROUP: LazyLock<Regex> = LazyLock::new(|| builtin(r"\{([a-z_][a-z0-9_]*)\}"));

/// The shipped entries.
#[must_use]
pub fn shipped() -> Diagnoses {
    let mut sources = Sources::default();
    let file = sources.add("images/diagnoses.toml", SHIPPED);
    // A test holds that there is no error in them.
    decode(&sources, file, Patterns::AreRight).unwrap_or_default()
}

/// Whether a text is that of the shipped entries.
pub(super) fn is_shipped(text: &str) -> bool {
    text == SHIPPED
}

/// What is known of a file's patterns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patterns {
    /// Nothing: each is checked.
    AreAsked,
    /// That they compile, and have the groups that the texts name. To find that out takes most of the time of reading.
    AreRight,
}

/// Decodes a `diagnoses.toml`.
///
/// # Errors
/// Everything that is wrong with it, by place.
pub fn parse(sources: &Sources, file: FileId) -> Result<Diagnoses, Vec<Diagnostic>> {
    decode(sources, file, Patterns::AreAsked)
}

fn decode(sources: &Sources, file: FileId, patterns: Patterns) -> Result<Diagnoses, Vec<Diagnostic>> {
    let sink = Sink::new(sources);
    let cx = Cx { sink: &sink, file };
    let entries = with_root(cx, &DIAGNOSES, |fields| {
        let item = fields.get("diagnosis")?;
        let items = item.list("a list of tables", "write [[diagnosis]], with two brackets, for each")?;
        let mut names: BTreeSet<String> = BTreeSet::new();
        Some(items.iter().filter_map(|item| entry(item, &mut names, patterns)).collect::<Vec<_>>())
    });
    let found = sink.finish();
    if found.is_empty() { Ok(Diagnoses(entries.unwrap_or_default())) } else { Err(found) }
}

fn entry(item: &Item<'_, '_>, names: &mut BTreeSet<String>, patterns: Patterns) -> Option<Entry> {
    let fields = item.table(&DIAGNOSIS, "write [[diagnosis]] with `name`, `line`, `cause` and `fix`")?;
    let name = fields.required("name", "name = \"cgroup-read-only\"").and_then(|item| item.text());
    if let Some(name) = &name {
        check_name(&fields, name, names);
    }
    let line = fields.required("line", "a regular expression on a line: line = 'Read-only file system$'");
    let line = line.and_then(|item| item.text());
    let groups = match &line {
        Some(text) if patterns == Patterns::AreAsked => groups(&fields, text),
        _ => None,
    };
    let line = line.filter(|_| groups.is_some() || patterns == Patterns::AreRight);
    let when = fields.get("when").and_then(|item| item.condition()).map(|condition| condition.0);
    if let Some(when) = &when {
        let whose = "names here".to_owned();
        Scope { axes: Vec::new(), paths: &CONTAINER, whose }.condition(fields.cx.sink, when);
    }
    let told = |item: Option<Item<'_, '_>>| {
        let text = item.and_then(|item| item.text())?;
        if let Some(groups) = &groups {
            check_groups(&fields, &text, groups);
        }
        Some(text.value.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let cause = told(fields.required("cause", "why the line is there, in a sentence"));
    let fix = told(fields.required("fix", "what to do, in a sentence"));
    let (docker, podman) = (told(fields.get("docker")), told(fields.get("podman")));
    let links = fields.get("links").map_or_else(Vec::new, |item| item.strings());
    for link in links.iter().filter(|link| url(&link.value).is_none()) {
        let message = format!("\"{}\" is no link", link.value);
        let help = format!("write project#number (of {}), or an https address", projects().join(", "));
        fields.cx.sink.push(Diagnostic::new(Code::BadValue, message, &link.loc, "here").help(help));
    }
    fields.finish();
    Some(Entry {
        name: name?.value,
        line: Lazy::new(line?.value),
        when: when.map(|when| when.value),
        cause: cause?,
        fix: fix?,
        docker,
        podman,
        links: links.into_iter().map(|link| link.value).collect(),
    })
}

fn check_name(fields: &Fields<'_, '_>, name: &Sp<String>, names: &mut BTreeSet<String>) {
    let sink = fields.cx.sink;
    if let Some(why) = unsafe_name(&name.value) {
        let message = format!("the name \"{}\" {why}", name.value);
        let help = "its test log is a file of that name: small letters, digits, `_`, `.` and `-` only";
        sink.push(Diagnostic::new(Code::UnsafeName, message, &name.loc, "here").help(help));
    }
    if !names.insert(name.value.clone()) {
        let message = format!("two diagnoses are called \"{}\"", name.value);
        sink.push(Diagnostic::new(Code::Duplicate, message, &name.loc, "again here").help("rename one of them"));
    }
}

/// The groups of a pattern, which must be able to miss a line: one that fits every line would hide all that follow it.
fn groups(fields: &Fields<'_, '_>, text: &Sp<String>) -> Option<BTreeSet<String>> {
    let cx = fields.cx;
    let hir = parse_pattern(cx, text)?;
    if hir.properties().minimum_len() == Some(0) && text.value != "^$" {
        let message = "this regular expression fits an empty line, and so maybe every line";
        let help = "write what the line must have; '^$' alone stands for a log that is empty";
        cx.sink.push(Diagnostic::new(Code::BadRegex, message, &text.loc, "here").help(help));
        return None;
    }
    let pattern = author(&text.value).ok()?;
    Some(pattern.capture_names().flatten().map(ToOwned::to_owned).collect())
}

fn check_groups(fields: &Fields<'_, '_>, text: &Sp<String>, groups: &BTreeSet<String>) {
    for found in GROUP.captures_iter(&text.value) {
        let (Some(whole), name) = (found.get(0), &found[1]) else { continue };
        if !groups.contains(name) {
            let message = format!("the pattern `line` has no group `{name}`");
            let at = within(fields.cx.sink.sources, text, whole.range());
            let help = format!("name a group of it: (?<{name}>…)");
            fields.cx.sink.push(Diagnostic::new(Code::UnknownName, message, &at, "no group").help(help));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        let mut sources = Sources::default();
        let file = sources.add("images/diagnoses.toml", text);
        parse(&sources, file).expect_err("errors").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_shipped_ones_are_right() {
        let mut sources = Sources::default();
        let file = sources.add("images/diagnoses.toml", SHIPPED);
        let found = parse(&sources, file).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(found.map(|all| all.0.len()), Ok(shipped().0.len()));
        assert!(shipped().0.len() >= 12);
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let found = messages(
            "[[diagnosis]]\nname = 'A b'\nline = '('\nwhen = \"host.nope == 1 and container.tty\"\ncause = ''\n\
             links = ['x#1']\nfixx = 'x'\n[[diagnosis]]\nname = 'b'\nline = 'x*'\ncause = 'c'\nfix = 'f'\n\
             [[diagnosis]]\nname = 'b'\nline = '(?<a>x)'\ncause = '{a} and {b}'\nfix = 'f'\nwhen = 'container.nope'\n",
        );
        let all = found.join("\n");
        for words in [
            "the name \"A b\"",
            "this is no regular expression",
            "a host has no fact `nope`",
            "`cause` is empty",
            "\"x#1\" is no link",
            "a diagnosis has no key `fixx`",
            "fits an empty line",
            "two diagnoses are called \"b\"",
            "has no group `b`",
            "nothing is called `container.nope` here",
        ] {
            assert!(all.contains(words), "{words}: {all}");
        }
        assert_eq!(found.len(), 10, "{all}");
    }
}
