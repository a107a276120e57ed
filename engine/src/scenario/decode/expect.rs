//! What stands below `expect`: levels, exit codes, and the checks of one stream.

use std::collections::HashMap;

use super::super::cursor::{Cx, Fields, Item};
use super::super::diagnostic::{Code, Diagnostic};
use super::super::keys::{BOOT_STREAM, EXIT_WORDS, EXPECT, LINES, SET, STREAM};
use super::super::model::{Ask, Check, ExitSpec, Expectation, Level, SetRelation, Stream, Template};
use super::super::{Templates, pattern};
use super::golden::{self, Owner};
use crate::source::Loc;

/// The words of `level`.
pub(in crate::scenario) const LEVELS: &[(Level, &str)] = &[(Level::Fail, "fail"), (Level::Warn, "warn")];
const STREAMS: &[(Stream, &str)] =
    &[(Stream::Stdout, "stdout"), (Stream::Stderr, "stderr"), (Stream::Console, "console")];
const RELATIONS: &[(SetRelation, &str)] = &[
    (SetRelation::AtLeast, "at_least"),
    (SetRelation::Equal, "equal"),
    (SetRelation::AtMost, "at_most"),
    (SetRelation::NoneOf, "none_of"),
];

/// `expect` as a table or an array of tables.
pub(super) fn tables<'a, 'i>(item: &Item<'a, 'i>) -> Vec<Item<'a, 'i>> {
    let tables = item.one_or_many();
    if item.is_list() && tables.is_empty() {
        asserts_nothing(item.cx, &item.loc(), "add a table to the list, or leave it out");
    }
    tables
}

/// `level`.
pub(super) fn level(fields: &Fields<'_, '_>) -> Level {
    fields.get("level").and_then(|item| item.word(LEVELS)).unwrap_or_default()
}

/// Reports an expectation that holds whatever happens.
pub(super) fn asserts_nothing(cx: Cx<'_>, at: &Loc, help: &str) {
    let message = "this expectation asserts nothing: it holds whatever happens";
    cx.sink.push(Diagnostic::new(Code::AssertsNothing, message, at, "here").help(help));
}

/// One table of a step's `expect`.
pub(super) fn expectation(item: &Item<'_, '_>, step: &str) -> Option<Expectation> {
    let fields = item.table(&EXPECT, "such as expect.exit = 0 or expect.stdout.regex = '…'")?;
    let when = fields.get("when").map(|item| item.condition());
    let level = level(&fields);
    let before = fields.cx.sink.count();
    let exit = fields.get("exit").and_then(|item| exit(&item));
    let mut checks = Vec::new();
    for (of, key) in STREAMS {
        if let Some(item) = fields.get(key) {
            checks.extend(stream(&item, *of, Owner::Step(step)));
        }
    }
    fields.finish();
    let clean = fields.cx.sink.count() == before;
    match exit {
        None if clean && checks.is_empty() => {
            let help = "add `exit`, `stdout`, `stderr` or `console`, or leave it out (then exit code 0 is demanded)";
            asserts_nothing(fields.cx, &item.loc(), help);
        }
        Some(ExitSpec::Any) if clean && checks.is_empty() => {
            let at = fields.get("exit").map_or_else(|| item.loc(), |item| item.loc());
            asserts_nothing(
                fields.cx,
                &at,
                "any exit code will do and nothing else is looked at: add `stdout` or `stderr`",
            );
        }
        _ => {}
    }
    let when = match when {
        Some(None) => return None,
        other => other.flatten(),
    };
    Some(Expectation { loc: item.loc(), when, level, exit, checks })
}

fn exit(item: &Item<'_, '_>) -> Option<ExitSpec> {
    if item.is_str() {
        return item.word(EXIT_WORDS).map(|any| if any { ExitSpec::Any } else { ExitSpec::NonZero });
    }
    if !item.is_list() && item.as_int().is_none() {
        item.wrong("an exit code, a list of them, \"any\" or \"nonzero\"", "such as expect.exit = 0");
        return None;
    }
    let items = item.one_or_many();
    let codes: Vec<i64> = items.iter().filter_map(|item| item.int(0..=255)).collect();
    if items.is_empty() {
        item.bad(
            "no exit code is in this list, so the step can't pass",
            "list the codes, or write \"any\" or \"nonzero\"",
        );
    }
    (!codes.is_empty()).then_some(ExitSpec::OneOf(codes))
}

/// All that is asked of one stream.
pub(super) fn stream(item: &Item<'_, '_>, of: Stream, owner: Owner<'_>) -> Vec<Check> {
    let help = format!("such as {}.contains = \"…\", or .regex, .equals, .golden = true", item.key);
    let Some(fields) = item.table(if matches!(owner, Owner::Boot) { &BOOT_STREAM } else { &STREAM }, &help) else {
        return Vec::new();
    };
    let mut checks = Checks { cx: fields.cx, stream: of, found: Vec::new() };
    let before = fields.cx.sink.count();
    if let Some(item) = fields.get("regex") {
        checks.patterns(&item, true);
    }
    if let Some(item) = fields.get("not_regex") {
        checks.patterns(&item, false);
    }
    if let Some(item) = fields.get("contains") {
        checks.texts(&item, Ask::Contains);
    }
    if let Some(item) = fields.get("not_contains") {
        checks.texts(&item, Ask::NotContains);
    }
    if let Some(item) = fields.get("equals")
        && let Some(text) = item.scalar()
    {
        checks.add(item.loc(), Ask::Equals(text));
    }
    if let Some(item) = fields.get("empty")
        && let Some(empty) = item.bool()
    {
        checks.add(item.loc(), Ask::Empty(empty));
    }
    if let Some(item) = fields.get("lines") {
        checks.lines(&item);
    }
    if let Some(item) = fields.get("set") {
        checks.sets(&item);
    }
    if let Some(item) = fields.get("golden")
        && let Some(golden) = golden::golden(&item, owner)
    {
        checks.add(item.loc(), Ask::Golden(golden));
    }
    if fields.is_empty() && fields.cx.sink.count() == before {
        asserts_nothing(fields.cx, &item.loc(), "add `contains`, `regex`, `equals` or `golden`, or leave it out");
    }
    fields.finish();
    checks.contradictions();
    checks.found
}

struct Checks<'a> {
    cx: Cx<'a>,
    stream: Stream,
    found: Vec<Check>,
}

impl Checks<'_> {
    fn add(&mut self, loc: Loc, ask: Ask<Template>) {
        self.found.push(Check { loc, stream: self.stream, ask });
    }

    fn patterns(&mut self, item: &Item<'_, '_>, found: bool) {
        let items = item.one_or_many();
        if items.is_empty() {
            asserts_nothing(self.cx, &item.loc(), "add a pattern to the list, or leave it out");
        }
        for item in items {
            let Some(template) = item.regex() else { continue };
            let always = Templates::is_plain(&template.0.value)
                && pattern::parse(self.cx, &template.0).is_some_and(|hir| pattern::always_matches(&hir));
            if always && found {
                asserts_nothing(
                    self.cx,
                    &item.loc(),
                    "the pattern matches the empty text, and that is found in every text",
                );
            } else if always {
                item.bad("this can't hold: the pattern is found in every text", "demand at least one character");
            }
            self.add(item.loc(), if found { Ask::Regex(template) } else { Ask::NotRegex(template) });
        }
    }

    fn texts(&mut self, item: &Item<'_, '_>, ask: fn(Template) -> Ask<Template>) {
        let items = item.one_or_many();
        if items.is_empty() {
            asserts_nothing(self.cx, &item.loc(), "add a text to the list, or leave it out");
        }
        for item in items {
            let Some(template) = item.template() else { continue };
            let ask = ask(template);
            match &ask {
                Ask::Contains(text) if text.0.value.is_empty() => {
                    asserts_nothing(self.cx, &item.loc(), "every text contains the empty text");
                }
                Ask::NotContains(text) if text.0.value.is_empty() => {
                    item.bad(
                        "this can't hold: every text contains the empty text",
                        "write the text that must not be there",
                    );
                }
                _ => {}
            }
            self.add(item.loc(), ask);
        }
    }

    fn lines(&mut self, item: &Item<'_, '_>) {
        let number = |item: &Item<'_, '_>| item.int(0..=i64::MAX).and_then(|n| usize::try_from(n).ok());
        if !item.is_table() {
            if let Some(n) = number(item) {
                self.add(item.loc(), Ask::Lines(n, Some(n)));
            }
            return;
        }
        let Some(fields) = item.table(&LINES, "") else { return };
        let min = fields.get("min").map(|item| number(&item));
        let max = fields.get("max").map(|item| number(&item));
        fields.finish();
        match (min.unwrap_or(Some(0)), max) {
            (Some(0), None) => {
                asserts_nothing(self.cx, &item.loc(), "every text has at least 0 lines: give `min` or `max`")
            }
            (Some(min), Some(Some(max))) if max < min => {
                item.bad(format!("no text has at least {min} and at most {max} lines"), "swap the two");
            }
            (Some(min), None) => self.add(item.loc(), Ask::Lines(min, None)),
            (Some(min), Some(Some(max))) => self.add(item.loc(), Ask::Lines(min, Some(max))),
            _ => {}
        }
    }

    fn sets(&mut self, item: &Item<'_, '_>) {
        let Some(fields) = item.table(&SET, "such as set.at_least = [\"memory\", \"pids\"]") else { return };
        for (relation, key) in RELATIONS {
            let Some(item) = fields.get(key) else { continue };
            let Some(items) = item.list("a list of words", "such as [\"memory\", \"pids\"]") else { continue };
            let words: Vec<Template> = items.iter().filter_map(Item::template).collect();
            if items.is_empty() && matches!(relation, SetRelation::AtLeast | SetRelation::NoneOf) {
                asserts_nothing(self.cx, &item.loc(), "name at least one word");
            }
            self.add(item.loc(), Ask::Set(*relation, words));
        }
        if fields.is_empty() {
            asserts_nothing(self.cx, &item.loc(), "add `at_least`, `equal`, `at_most` or `none_of`");
        }
        fields.finish();
    }

    /// Pairs of demands on one stream that no text can meet.
    fn contradictions(&self) {
        let mut wanted: HashMap<(bool, &str), &Loc> = HashMap::new();
        for check in &self.found {
            let (pattern, text, must) = match &check.ask {
                Ask::Contains(text) => (false, text, true),
                Ask::NotContains(text) => (false, text, false),
                Ask::Regex(text) => (true, text, true),
                Ask::NotRegex(text) => (true, text, false),
                _ => continue,
            };
            if must {
                wanted.insert((pattern, &text.0.value), &check.loc);
            } else if let Some(first) = wanted.get(&(pattern, text.0.value.as_str())) {
                self.contradiction(&check.loc, "must not be there", first, "must be there", "keep one of the two");
            }
        }
        let Some(empty) = self.found.iter().find(|check| matches!(check.ask, Ask::Empty(true))) else { return };
        let demands_text = |check: &&Check| match &check.ask {
            Ask::Contains(_) | Ask::Empty(false) => true,
            Ask::Equals(text) => !text.0.value.trim().is_empty() && Templates::is_plain(&text.0.value),
            Ask::Lines(min, _) => *min > 0,
            Ask::Set(SetRelation::AtLeast | SetRelation::Equal, words) => !words.is_empty(),
            _ => false,
        };
        if let Some(other) = self.found.iter().find(demands_text) {
            let help = "keep one of the two; by case, use a list of expectations with `when`";
            self.contradiction(&empty.loc, "must be empty", &other.loc, "must have text", help);
        }
    }

    fn contradiction(&self, at: &Loc, label: &str, other: &Loc, other_label: &str, help: &str) {
        let message = "no output can meet both of these";
        self.cx.sink.push(Diagnostic::new(Code::Contradiction, message, at, label).also(other, other_label).help(help));
    }
}
