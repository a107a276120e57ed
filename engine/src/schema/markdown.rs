//! Tables of keys as a reference for people.

use std::fmt::Write as _;

use super::model::{Key, Named, Shape, Table};

const HEAD: &str = "\
Made by `sdc-engine schema --markdown` from the tables that the decoder reads; a test holds that it is so. The compact form, with
examples, stands in the [README](../../README.md#the-scenario-format).

*Text* is a string with something in it. A *template* is a string that may hold `${{ expression }}` and `${% if … %}`, over the axes and
the host's facts (`sdc-engine host`). A *condition* is a bare expression over the same names. A *regex* is one of Rust's regex crate, and
may hold templates. A *name* has small letters, digits, `_`, `.` and `-`. A *duration* is `\"1m 30s\"`.
";

/// The reference of some kinds of files; a table that several have is shown once.
#[must_use]
pub fn markdown(files: &[&'static Table]) -> String {
    let mut text = String::from("# The keys of sdc-engine's files\n\n");
    text.push_str(HEAD);
    let mut shown: Vec<&str> = Vec::new();
    for file in files {
        section(&mut text, file, 2, &mut shown);
    }
    text
}

/// A table, then those below it, in the order of their keys.
fn section(text: &mut String, table: &'static Table, level: usize, shown: &mut Vec<&'static str>) {
    if shown.contains(&table.id) {
        return;
    }
    shown.push(table.id);
    let heading = "#".repeat(level);
    let _infallible = writeln!(text, "\n<a id=\"{}\"></a>\n{heading} {}\n\n{}\n", table.id, table.written, table.doc);
    text.push_str("| key | value | if not written | meaning |\n|---|---|---|---|\n");
    table.known().for_each(|key| row(text, key));
    if let Some(named) = &table.named {
        named_row(text, named);
    }
    for shape in table.known().map(|key| &key.shape).chain(table.named.iter().map(|named| &named.shape)) {
        below(shape, &mut |table| section(text, table, 3, shown));
    }
}

fn row(text: &mut String, key: &Key) {
    let default = match key.default {
        Some(default) => format!("`{default}`"),
        None if key.required => "**needed**".to_owned(),
        None => String::new(),
    };
    let value = cell(&value(&key.shape));
    let _infallible = writeln!(text, "| `{}` | {value} | {} | {} |", key.name, cell(&default), cell(key.doc));
}

fn named_row(text: &mut String, named: &Named) {
    let value = cell(&value(&named.shape));
    let _infallible = writeln!(text, "| *{}* | {value} | | {} |", named.name, cell(named.doc));
}

/// A bar would end the cell, in code too.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Every table that a value may be.
fn below(shape: &Shape, found: &mut impl FnMut(&'static Table)) {
    match shape {
        Shape::Table(table) => found(table),
        Shape::List(item) | Shape::Some(item) | Shape::OneOrMany(item) => below(item, found),
        Shape::Any(shapes) => shapes.iter().for_each(|shape| below(shape, found)),
        _ => {}
    }
}

/// A type in words.
fn value(shape: &Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Name => "name".to_owned(),
        Shape::Template => "template".to_owned(),
        Shape::Scalar => "template or number".to_owned(),
        Shape::Switch => "`true`, `false` or a template".to_owned(),
        Shape::Choice(words) => format!("{} or a template", quoted(words)),
        Shape::Bool => "`true` or `false`".to_owned(),
        Shape::True => "`true`".to_owned(),
        Shape::Int(i64::MIN, _) => "whole number".to_owned(),
        Shape::Int(least, i64::MAX) => format!("whole number from {least}"),
        Shape::Int(least, most) => format!("whole number from {least} to {most}"),
        Shape::Duration => "duration".to_owned(),
        Shape::Condition => "condition".to_owned(),
        Shape::Regex => "regex".to_owned(),
        Shape::Words(words) => quoted(&words()),
        Shape::List(item) | Shape::Some(item) => match item {
            Shape::Table(_) => format!("{}, each", value(item)),
            _ => format!("list of: {}", value(item)),
        },
        Shape::OneOrMany(item) => format!("{}, or a list", value(item)),
        Shape::Any(shapes) => shapes.iter().map(value).collect::<Vec<_>>().join("; or "),
        Shape::Table(table) => format!("table: [{}](#{})", table.written, table.id),
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
}
