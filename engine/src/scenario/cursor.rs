//! A cursor over the spanned TOML tree: it takes fields by key and collects errors instead of stopping at the first.
//!
//! A method gives `None` only after it has reported why, so a caller just goes on with what it has.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::diagnostic::{Code, Diagnostic, Sink};
use super::model::{Condition, Template};
use super::names::{list, nearest};
use super::pattern;
use crate::schema::Table;
use crate::source::{FileId, Loc, Sp};

/// Words that people bring from other tools, and the key that they stand for here.
const ALIASES: &[(&str, &str)] = &[
    ("cmd", "run"),
    ("command", "run"),
    ("exec", "run"),
    ("script", "run"),
    ("id", "name"),
    ("if", "when"),
    ("when", "if"),
    ("assert", "expect"),
    ("exit_code", "exit"),
    ("status", "exit"),
    ("matches", "regex"),
    ("pattern", "regex"),
    ("tmpfss", "tmpfs"),
    ("volume", "volumes"),
    ("mounts", "volumes"),
    ("environment", "env"),
    ("capabilities", "cap_add"),
    ("capture_regex", "capture"),
    ("normalize", "normalise"),
    ("normalize_rule", "normalise_rule"),
    ("setup", "setup_mode"),
    ("name", "title"),
];

/// One file on its way through the decoder.
#[derive(Clone, Copy)]
pub(crate) struct Cx<'a> {
    /// Where errors go.
    pub(crate) sink: &'a Sink<'a>,
    /// The file.
    pub(crate) file: FileId,
}

impl Cx<'_> {
    /// A place in this file.
    pub(crate) fn loc(&self, span: Range<usize>) -> Loc {
        Loc { file: self.file, span }
    }
}

/// A table whose keys are taken one by one: those of its [`Table`] alone, so that none is read that is not explained.
pub(crate) struct Fields<'a, 'i> {
    /// The file.
    pub(crate) cx: Cx<'a>,
    of: &'static Table,
    table: &'a DeTable<'i>,
    span: Range<usize>,
    /// Keys that lack; reported at the end, unless an unknown key looks like one.
    missing: RefCell<Vec<(String, Diagnostic)>>,
    finished: Cell<bool>,
}

impl<'a, 'i> Fields<'a, 'i> {
    /// A table that may have the keys of `of`.
    pub(super) fn new(cx: Cx<'a>, of: &'static Table, table: &'a DeTable<'i>, span: Range<usize>) -> Self {
        Self { cx, of, table, span, missing: RefCell::default(), finished: Cell::new(false) }
    }

    /// Where the table was written: its header, or the start of the file.
    pub(crate) fn loc(&self) -> Loc {
        self.cx.loc(self.span.clone())
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &'static str) -> Option<Item<'a, 'i>> {
        debug_assert!(self.of.has(key), "{} has no key `{key}`", self.of.id);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(name, value)| self.item(name, value))
    }

    /// The value of a key that must be there.
    pub(crate) fn required(&self, key: &'static str, help: &str) -> Option<Item<'a, 'i>> {
        let item = self.get(key);
        if item.is_none() {
            self.missing(key, help);
        }
        item
    }

    /// Reports a key that must be there.
    pub(crate) fn missing(&self, key: &str, help: &str) {
        let message = format!("{} needs `{key}`", self.of.what);
        let diagnostic = Diagnostic::new(Code::MissingKey, message, &self.loc(), "here").help(help);
        if self.finished.get() {
            self.cx.sink.push(diagnostic);
        } else {
            self.missing.borrow_mut().push((key.to_string(), diagnostic));
        }
    }

    /// What stands under names of the author's.
    pub(crate) fn rest(&self) -> Vec<(Sp<String>, Item<'a, 'i>)> {
        debug_assert!(self.of.named.is_some(), "{} has no names of the author's", self.of.id);
        self.table
            .iter()
            .filter(|(name, _)| !self.of.has(name.get_ref()))
            .map(|(name, value)| {
                (Sp::new(name.get_ref().to_string(), self.cx.loc(name.span())), self.item(name, value))
            })
            .collect()
    }

    /// Whether the table has nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Reports every key that the table can't have, and those that lack.
    pub(crate) fn finish(&self) {
        self.finished.set(true);
        let mut missing = self.missing.take();
        let known: Vec<&str> = self.of.known().map(|key| key.name).collect();
        let open = self.of.named.is_some();
        for (name, _) in self.table.iter().filter(|(name, _)| !open && !self.of.has(name.get_ref())) {
            let alias = ALIASES.iter().find(|(word, key)| *word == name.get_ref().as_ref() && known.contains(key));
            let help = match alias.map(|(_, key)| *key).or_else(|| nearest(name.get_ref(), known.iter().copied())) {
                Some(key) => {
                    missing.retain(|(lacking, _)| lacking != key);
                    format!("did you mean `{key}`?")
                }
                None => format!("{} may have {}", self.of.what, list(&known)),
            };
            let message = format!("{} has no key `{}`", self.of.what, name.get_ref());
            let at = self.cx.loc(name.span());
            self.cx.sink.push(Diagnostic::new(Code::UnknownKey, message, &at, "nothing reads this").help(help));
        }
        missing.into_iter().for_each(|(_, diagnostic)| self.cx.sink.push(diagnostic));
    }

    fn item(&self, name: &'a Spanned<std::borrow::Cow<'i, str>>, value: &'a Spanned<DeValue<'i>>) -> Item<'a, 'i> {
        Item { cx: self.cx, key: name.get_ref(), key_span: name.span(), value: value.get_ref(), span: value.span() }
    }
}

/// One value and its key.
#[derive(Clone)]
pub(crate) struct Item<'a, 'i> {
    /// The file.
    pub(crate) cx: Cx<'a>,
    /// The key (for an item of a list, the list's).
    pub(crate) key: &'a str,
    key_span: Range<usize>,
    value: &'a DeValue<'i>,
    span: Range<usize>,
}

impl<'a, 'i> Item<'a, 'i> {
    /// Where the value was written; for a table without brackets of its own, its key.
    pub(crate) fn loc(&self) -> Loc {
        match self.value {
            DeValue::Table(_) if self.span.is_empty() => self.key_loc(),
            _ => self.cx.loc(self.span.clone()),
        }
    }

    /// Where the key was written.
    pub(crate) fn key_loc(&self) -> Loc {
        self.cx.loc(self.key_span.clone())
    }

    /// Reports a value that has the right type and no meaning.
    pub(crate) fn bad(&self, message: impl Into<String>, help: impl Into<String>) {
        self.cx.sink.push(Diagnostic::new(Code::BadValue, message, &self.loc(), "here").help(help));
    }

    /// Reports a value of a wrong type.
    pub(crate) fn wrong(&self, wanted: &str, help: &str) {
        let found = kind(self.value);
        let message = format!("`{}` must be {wanted}, and this is {found}", self.key);
        let at = self.loc();
        self.cx.sink.push(Diagnostic::new(Code::WrongType, message, &at, format!("this is {found}")).help(help));
    }

    /// Whether it is a table.
    pub(crate) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    /// Whether it is a string.
    pub(crate) fn is_str(&self) -> bool {
        self.value.is_str()
    }

    /// Whether it is a list.
    pub(crate) fn is_list(&self) -> bool {
        self.value.is_array()
    }

    /// The text, if it is one.
    pub(crate) fn as_str(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// The boolean, if it is one.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        self.value.as_bool()
    }

    /// The whole number, if it is one.
    pub(crate) fn as_int(&self) -> Option<i64> {
        let integer = self.value.as_integer()?;
        i64::from_str_radix(integer.as_str(), integer.radix()).ok()
    }

    /// A string.
    pub(crate) fn string(&self) -> Option<Sp<String>> {
        if let Some(text) = self.as_str() {
            return Some(Sp::new(text.to_string(), self.loc()));
        }
        self.wrong("a string", "put it in quotes");
        None
    }

    /// A string with something in it.
    pub(crate) fn text(&self) -> Option<Sp<String>> {
        let text = self.string()?;
        if text.value.trim().is_empty() {
            self.bad(format!("`{}` is empty", self.key), "write a text, or leave the key out");
            return None;
        }
        Some(text)
    }

    /// `true` or `false`.
    pub(crate) fn bool(&self) -> Option<bool> {
        let value = self.as_bool();
        if value.is_none() {
            self.wrong("true or false", "write `true` or `false` without quotes");
        }
        value
    }

    /// A whole number between two others.
    pub(crate) fn int(&self, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let Some(value) = self.as_int() else {
            self.wrong("a whole number", "write digits without quotes");
            return None;
        };
        if !range.contains(&value) {
            let (least, most) = range.into_inner();
            let help = if most == i64::MAX { format!("at least {least}") } else { format!("from {least} to {most}") };
            self.bad(format!("`{}` can't be {value}", self.key), help);
            return None;
        }
        Some(value)
    }

    /// The items of a list.
    pub(crate) fn list(&self, wanted: &str, help: &str) -> Option<Vec<Self>> {
        match self.value {
            DeValue::Array(array) => Some(self.items(array)),
            _ => {
                self.wrong(wanted, help);
                None
            }
        }
    }

    /// The items of a list, or the value itself where it is none.
    pub(crate) fn one_or_many(&self) -> Vec<Self> {
        match self.value {
            DeValue::Array(array) => self.items(array),
            _ => vec![self.clone()],
        }
    }

    fn items(&self, array: &'a DeArray<'i>) -> Vec<Self> {
        array.iter().map(|value| Self { value: value.get_ref(), span: value.span(), ..self.clone() }).collect()
    }

    /// A list of strings.
    pub(crate) fn strings(&self) -> Vec<Sp<String>> {
        let items = self.list("a list of strings", "write it as [\"…\", \"…\"]").unwrap_or_default();
        items.iter().filter_map(Self::string).collect()
    }

    /// A table.
    pub(crate) fn table(&self, of: &'static Table, help: &str) -> Option<Fields<'a, 'i>> {
        match self.value {
            DeValue::Table(table) => Some(Fields::new(self.cx, of, table, self.loc().span)),
            _ => {
                self.wrong("a table", help);
                None
            }
        }
    }

    /// A text that may hold `${{ … }}`.
    pub(crate) fn template(&self) -> Option<Template> {
        pattern::template(self.cx, self.string()?)
    }

    /// A text, boolean or number that may hold `${{ … }}`.
    pub(crate) fn scalar(&self) -> Option<Template> {
        let text = match self.value {
            DeValue::String(text) => text.to_string(),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Integer(_) => self.as_int()?.to_string(),
            DeValue::Float(value) => value.as_str().to_string(),
            _ => {
                self.wrong("a string, a boolean or a number", "a template such as \"${{ … }}\" is a string");
                return None;
            }
        };
        pattern::template(self.cx, Sp::new(text, self.loc()))
    }

    /// An expression.
    pub(crate) fn condition(&self) -> Option<Condition> {
        if !self.value.is_str() {
            self.wrong("a condition in a string", "such as \"host.cgroups == 'v2'\"");
            return None;
        }
        pattern::condition(self.cx, self.string()?)
    }

    /// A regular expression that may hold `${{ … }}`.
    pub(crate) fn regex(&self) -> Option<Template> {
        pattern::regex(self.cx, self.string()?)
    }

    /// A duration that is not zero.
    pub(crate) fn duration(&self) -> Option<Duration> {
        if !self.value.is_str() {
            self.wrong("a duration in a string", "such as \"20s\" or \"1m 30s\"");
            return None;
        }
        pattern::duration(self.cx, &self.string()?)
    }

    /// One of some words.
    pub(crate) fn word<T: Copy>(&self, words: &[(T, &'static str)]) -> Option<T> {
        let text = self.string()?;
        let found = words.iter().find(|(_, word)| *word == text.value).map(|(value, _)| *value);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(_, word)| *word).collect();
            let near = nearest(&text.value, known.iter().copied()).map(|near| format!("did you mean `{near}`? "));
            let help = format!("{}it is one of {}", near.unwrap_or_default(), list(&known));
            self.bad(format!("`{}` can't be \"{}\"", self.key, text.value), help);
        }
        found
    }
}

/// A value's type in words.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
