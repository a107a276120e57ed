//! `[matrix]`: axes, exclusions, additions.

use indexmap::IndexMap;

use super::super::cursor::{Fields, Item};
use super::super::diagnostic::{Code, Diagnostic};
use super::super::draft::{AxisDraft, IncludeDraft};
use super::super::keys::{AXIS_VALUE, EXCLUDE, INCLUDE, MATRIX};
use super::super::model::{AxisEntry, AxisValue, Rule};
use super::super::names::is_identifier;
use super::{rule, rules};
use crate::facts::HOST_KEYS;
use crate::source::Sp;

/// Words that conditions use for something else.
const RESERVED: &[&str] = &[
    "host",
    "container",
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "true",
    "false",
    "none",
    "loop",
    "range",
    "dict",
    "namespace",
    "step",
    "reason",
];

type Parts = (IndexMap<String, AxisDraft>, Vec<Rule>, Vec<IncludeDraft>);

/// Decodes the table.
pub(super) fn matrix(item: &Item<'_, '_>) -> Parts {
    let Some(fields) = item.table(&MATRIX, "write [matrix] with a list of values for each axis") else {
        return Parts::default();
    };
    let exclude = fields.get("exclude").map_or_else(Vec::new, |item| rules(&item, &EXCLUDE));
    let include = fields.get("include").map_or_else(Vec::new, |item| includes(&item));
    let mut axes = IndexMap::new();
    for (name, item) in fields.rest() {
        check_name(&fields, &name);
        axes.insert(name.value.clone(), axis(&name, &item));
    }
    (axes, exclude, include)
}

fn check_name(fields: &Fields<'_, '_>, name: &Sp<String>) {
    let (message, help) = if RESERVED.contains(&name.value.as_str()) {
        (format!("an axis can't be called `{}`", name.value), "conditions use this word for something else")
    } else if HOST_KEYS.contains(&name.value.as_str()) {
        (format!("an axis can't be called `{}`", name.value), "goldens tell hosts apart by this word")
    } else if !is_identifier(&name.value) {
        let help = "conditions read it as a variable: small letters, digits and `_`, and no digit first";
        (format!("`{}` is no name for an axis", name.value), help)
    } else {
        return;
    };
    fields.cx.sink.push(Diagnostic::new(Code::BadValue, message, &name.loc, "here").help(help));
}

fn axis(name: &Sp<String>, item: &Item<'_, '_>) -> AxisDraft {
    let help = format!("{} = [\"one\", \"two\"]", name.value);
    let items = item.list("a list of values", &help);
    let removes = items.as_ref().is_some_and(Vec::is_empty);
    let mut entries: Vec<Sp<AxisEntry>> = Vec::new();
    for item in items.unwrap_or_default() {
        let Some(entry) = entry(&item) else { continue };
        let text = entry.value.value.to_string();
        // Case ids show values as text, so `1` and "1" are one value too.
        if let Some(first) = entries.iter().find(|known| known.value.value.to_string() == text) {
            let message = format!("the axis `{}` has the value {text} twice", name.value);
            item.cx.sink.push(
                Diagnostic::new(Code::Duplicate, message, &entry.loc, "again here")
                    .also(&first.loc, "first here")
                    .help("each value makes cases of its own, and their ids must differ; leave one out"),
            );
            continue;
        }
        entries.push(entry);
    }
    AxisDraft { key: name.loc.clone(), entries, removes }
}

fn entry(item: &Item<'_, '_>) -> Option<Sp<AxisEntry>> {
    if !item.is_table() {
        return Some(value(item)?.map(|value| AxisEntry { value, only: None }));
    }
    let fields = item.table(&AXIS_VALUE, "")?;
    let found = fields.required("value", "the value itself").map(|item| value(&item));
    let only = rule(&fields);
    fields.finish();
    Some(found??.map(|value| AxisEntry { value, only }))
}

fn value(item: &Item<'_, '_>) -> Option<Sp<AxisValue>> {
    let value = if let Some(flag) = item.as_bool() {
        AxisValue::Bool(flag)
    } else if let Some(number) = item.as_int() {
        AxisValue::Int(number)
    } else if let Some(text) = item.as_str() {
        let odd = |c: char| c.is_control() || "[]=,/\\".contains(c) || (c.is_whitespace() && c != ' ');
        if text.contains("${") {
            item.bad(
                "an axis value can't be a template",
                "values are listed; make the choice in [container] by a template",
            );
            return None;
        }
        if let Some(odd) = text.chars().find(|c| odd(*c)) {
            let message = format!("an axis value can't have {odd:?} in it");
            item.bad(
                message,
                "values stand in case ids and in the names of goldens: give it a plain name, and turn that into the text where \
                 it is used, such as \"${{ {'name': '/the=text'}[axis] }}\"",
            );
            return None;
        }
        AxisValue::Str(text.into())
    } else {
        item.wrong("a string, a whole number or a boolean", "or { value = …, when = \"…\", reason = \"…\" }");
        return None;
    };
    Some(Sp::new(value, item.loc()))
}

fn includes(item: &Item<'_, '_>) -> Vec<IncludeDraft> {
    let help = "write [[matrix.include]] with one value for each axis";
    let tables = item.list("a list of tables", help).unwrap_or_default();
    let mut found = Vec::new();
    for table in &tables {
        let Some(fields) = table.table(&INCLUDE, help) else { continue };
        let mut point = IndexMap::new();
        for (name, item) in fields.rest() {
            if let Some(value) = value(&item) {
                point.insert(name.value, Sp::new(value.value, name.loc));
            }
        }
        found.push(IncludeDraft { loc: fields.loc(), point });
    }
    found
}
