//! User and machine names taken out of what leaves the program for others: facts, reports and records. Pure.
//!
//! A name becomes a placeholder, the same one in the whole document: `<user>`, `<home>`, `<machine-1>`; the second user
//! is `<user-2>`, the second machine `<machine-2>`, so that what was two stays two. Names come from the addresses of
//! hosts, in the order in which they were asked for, from addresses and home folders in the document itself, and from
//! what the process knows of its own user and machine ([`Known`]). What names nobody stays: lab hosts, loopback
//! addresses, `root` and its home, sockets below `/run` and `/var/run`, numbers of users.
//!
//! It is applied to a finished document, at the edge: [`Redaction::value`] for JSON, [`Redaction::redactor`] for texts.

mod names;

use regex::Captures;
use serde_json::Value;

use crate::observe::pattern::{self, Sought};
use names::{ADDRESS, HOME, Names, bare};

/// What a process knows of who runs it, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The names of its user: the account's, and that of whoever called `sudo`.
    pub users: Vec<String>,
    /// Their home folders.
    pub homes: Vec<String>,
    /// The names of its machine.
    pub machines: Vec<String>,
}

/// A host: what a run calls it, and the name that its machine has for itself (empty where unknown).
pub type Machine<'a> = (&'a str, &'a str);

/// Whether names are taken out, and which are known from the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redaction {
    known: Option<Known>,
    hosts: Vec<String>,
}

impl Redaction {
    /// Nothing is taken out.
    #[must_use]
    pub fn off() -> Self {
        Self::default()
    }

    /// Names are taken out.
    #[must_use]
    pub const fn on(known: Known) -> Self {
        Self { known: Some(known), hosts: Vec::new() }
    }

    /// Whether names are taken out.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.known.is_some()
    }

    /// The same for a document about these hosts, which are numbered in this order.
    #[must_use]
    pub fn of_hosts<'a>(&self, hosts: impl IntoIterator<Item = &'a str>) -> Self {
        Self { known: self.known.clone(), hosts: hosts.into_iter().map(ToOwned::to_owned).collect() }
    }

    /// For a document with these texts, all of which must be told before the first is redacted.
    #[must_use]
    pub fn redactor<'t>(&self, machines: &[Machine<'_>], texts: impl IntoIterator<Item = &'t str>) -> Redactor {
        let Some(known) = &self.known else { return Redactor { names: None } };
        let mut names = Names::default();
        let named = self.hosts.iter().map(String::as_str).chain(machines.iter().map(|(name, _)| *name));
        named.for_each(|name| names.host(name));
        machines.iter().for_each(|(name, machine)| names.machine_behind(name, machine));
        texts.into_iter().for_each(|text| names.learn(text));
        known.users.iter().for_each(|user| names.user(user));
        known.homes.iter().for_each(|home| names.home(home));
        known.machines.iter().for_each(|machine| names.own_machine(machine));
        Redactor { names: Some(names) }
    }

    /// Takes the names out of every text of a document; its keys are ours, and stay.
    pub fn value(&self, machines: &[Machine<'_>], value: &mut Value) {
        if self.is_on() {
            let mut texts = Vec::new();
            collect(value, &mut texts);
            let redactor = self.redactor(machines, texts);
            replace(value, &redactor);
        }
    }
}

fn collect<'v>(value: &'v Value, into: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, into)),
        _ => {}
    }
}

fn replace(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => *text = redactor.text(text),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, redactor)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, redactor)),
        _ => {}
    }
}

/// Takes the names of one document out of its texts.
#[derive(Debug, Clone)]
pub struct Redactor {
    /// `None` leaves texts as they are.
    names: Option<Names>,
}

static CONTEXT: Sought = Sought::new(&["docker context `"], || pattern::builtin("docker context `[^`]*`"));

impl Redactor {
    /// A text without the names.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let Some(names) = &self.names else { return text.to_owned() };
        let text = ADDRESS.replace_all(text, |found: &Captures<'_>| address(names, found));
        let mut text = HOME.replace_all(&text, |found: &Captures<'_>| home(names, found)).into_owned();
        for (home, placeholder) in names.unusual_homes() {
            text = replaced(&text, &text, home, placeholder, begins_a_path);
        }
        text = CONTEXT.replace_all(&text, "docker context `<context>`").into_owned();
        let begins = |before: &str| !before.ends_with(in_a_word);
        for (name, placeholder) in names.machine_words() {
            text = replaced(&text, &text.to_ascii_lowercase(), name, placeholder, begins);
        }
        for (name, placeholder) in names.user_words() {
            text = replaced(&text, &text, name, placeholder, begins);
        }
        text
    }
}

fn address(names: &Names, found: &Captures<'_>) -> String {
    let host = names.of_machine(bare(&found["host"]));
    // A web page is no host, unless it was asked for as one.
    if &found["scheme"] == "http" && host.is_none() {
        return found[0].to_owned();
    }
    let user = found.name("user").map(|user| format!("{}@", names.of_user(user.as_str()).unwrap_or(user.as_str())));
    format!("{}://{}{}", &found["scheme"], user.unwrap_or_default(), host.unwrap_or(&found["host"]))
}

fn home(names: &Names, found: &Captures<'_>) -> String {
    let home = &found["home"];
    format!("{}{}", &found["before"], names.of_home(home).unwrap_or(home))
}

/// A dash belongs to a word, so that a user `deb` leaves `deb-systemd` alone.
fn in_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

fn begins_a_path(before: &str) -> bool {
    before.ends_with("://") || !before.ends_with(|c| in_a_word(c) || c == '/' || c == '.')
}

/// The text with a name replaced where it is a whole word and what stands before it allows that; `folded` is the text
/// in the case that the name has.
fn replaced(text: &str, folded: &str, name: &str, by: &str, begins: fn(&str) -> bool) -> String {
    let mut out = String::new();
    let mut done = 0;
    for (at, _) in folded.match_indices(name) {
        let end = at + name.len();
        if begins(&text[..at]) && !text[end..].starts_with(in_a_word) {
            out.push_str(&text[done..at]);
            out.push_str(by);
            done = end;
        }
    }
    out.push_str(&text[done..]);
    out
}

#[cfg(test)]
mod tests;
