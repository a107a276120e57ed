//! `golden`: true, a name, or a table that says what counts as equal.

use super::super::cursor::Item;
use super::super::diagnostic::{Code, Diagnostic};
use super::super::keys::GOLDEN;
use super::super::model::{Compare, Golden, TableForm};
use super::super::names::unsafe_name;
use super::expect::asserts_nothing;
use super::step::no_effect;
use crate::source::Loc;

/// Whose golden it is.
#[derive(Clone, Copy)]
pub(super) enum Owner<'a> {
    /// A step of this name.
    Step(&'a str),
    /// A boot, and a boot has none.
    Boot,
}

/// How two texts are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::scenario) enum Word {
    Unordered,
    Table,
}

/// The words of `compare`.
pub(in crate::scenario) const COMPARE: &[(Word, &str)] = &[(Word::Unordered, "unordered"), (Word::Table, "table")];
const HELP: &str =
    "golden = true uses the step's name; { compare = \"unordered\" } or { compare = \"table\" } says what counts";

/// What a text is compared with. For one that was reported one without a name stands in, so that the rest is looked at.
pub(super) fn golden(item: &Item<'_, '_>, owner: Owner<'_>) -> Option<Golden> {
    let Owner::Step(step) = owner else {
        let diagnostic = Diagnostic::new(Code::NoEffect, "a boot has no golden", &item.key_loc(), "here");
        let help = "record it in a step: engine = \"logs\" with expect.stdout.golden = true";
        item.cx.sink.push(diagnostic.help(help));
        return None;
    };
    let nameless = || Golden { name: String::new(), compare: Compare::Exact };
    Some(of_step(item, step).unwrap_or_else(nameless))
}

fn of_step(item: &Item<'_, '_>, step: &str) -> Option<Golden> {
    match item.as_bool() {
        Some(true) => return Some(Golden { name: step.to_string(), compare: Compare::Exact }),
        Some(false) => {
            asserts_nothing(item.cx, &item.loc(), "golden = true compares with a golden; else leave it out");
            return None;
        }
        None => {}
    }
    if item.is_str() {
        return Some(Golden { name: name(item)?, compare: Compare::Exact });
    }
    if !item.is_table() {
        item.wrong("true, a name or a table", HELP);
        return None;
    }
    let fields = item.table(&GOLDEN, HELP)?;
    let own = fields.get("name").map(|item| name(&item));
    let compare =
        fields.required("compare", "\"unordered\" or \"table\"; for equal texts golden = true or a name is enough");
    let (columns, sort_rows) = (fields.get("columns"), fields.get("sort_rows"));
    let compare = compare.map(|item| compared(&item, columns, sort_rows));
    fields.finish();
    let name = own.unwrap_or_else(|| Some(step.to_string()));
    Some(Golden { name: name?, compare: compare?? })
}

fn name(item: &Item<'_, '_>) -> Option<String> {
    let name = item.string()?;
    if let Some(why) = unsafe_name(&name.value) {
        let message = format!("the golden's name \"{}\" {why}", name.value);
        let help = "it names one folder in golden/<scenario>/: small letters, digits, `_`, `.` and `-`";
        item.cx.sink.push(Diagnostic::new(Code::UnsafeName, message, &name.loc, "here").help(help));
        return None;
    }
    Some(name.value)
}

fn compared(item: &Item<'_, '_>, columns: Option<Item<'_, '_>>, sort_rows: Option<Item<'_, '_>>) -> Option<Compare> {
    match item.word(COMPARE)? {
        Word::Unordered => {
            for item in [columns, sort_rows].into_iter().flatten() {
                no_effect(
                    &item,
                    "belongs to a table",
                    "compare = \"table\" looks at columns; \"unordered\" sorts whole lines",
                );
            }
            Some(Compare::Unordered)
        }
        Word::Table => {
            let columns = columns.map_or_else(Vec::new, |item| headings(&item));
            let sort_rows = sort_rows.and_then(|item| item.bool()).unwrap_or(false);
            Some(Compare::Table(TableForm { columns, sort_rows }))
        }
    }
}

/// The headings of the columns that count.
fn headings(item: &Item<'_, '_>) -> Vec<String> {
    let names = item.strings();
    if item.is_list() && names.is_empty() {
        let help = "name the headings that count, such as [\"UNIT\", \"ACTIVE\"], or leave it out";
        item.bad("no column is in this list", help);
    }
    let mut headings: Vec<(String, Loc)> = Vec::new();
    for name in names {
        // As a table is read: how many blanks are between the words of a heading does not count.
        let heading = name.value.split_whitespace().collect::<Vec<_>>().join(" ");
        let first = headings.iter().find(|(first, _)| *first == heading);
        if heading.is_empty() {
            let help = "write the heading as the output has it";
            item.cx
                .sink
                .push(Diagnostic::new(Code::BadValue, "a column needs a heading", &name.loc, "here").help(help));
        } else if let Some((_, first)) = first {
            let message = format!("the column `{heading}` is named twice");
            let diagnostic = Diagnostic::new(Code::Duplicate, message, &name.loc, "again here");
            item.cx.sink.push(diagnostic.also(first, "first here").help("leave one out"));
        }
        headings.push((heading, name.loc));
    }
    headings.into_iter().map(|(heading, _)| heading).collect()
}
