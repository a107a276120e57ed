//! One change that waits for a decision, as a person reads it. Pure.

use indexmap::IndexMap;

use super::details::{Look, block, phrase};
use super::diff::between;
use super::style::{BAD, BOLD, DIM, PLAIN, WARN, paint};
use super::text::{clean, wrap};
use crate::facts::Facts;
use crate::pending::{Change, Entry, Group, Item, refusal};

/// How many names of cases are listed before they are only counted.
const NAMES: usize = 8;
/// How many lines of a text or difference are shown.
const LINES: usize = 80;

/// Where a group stands among those that are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its number, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

/// A group: what changes, of which goldens, where it was seen and by how many runs, and what is in the way.
#[must_use]
pub fn lines(
    group: &Group<'_>,
    place: Place,
    facts: &dyn Fn(&Entry) -> Option<String>,
    runs: u32,
    columns: Option<usize>,
) -> Vec<String> {
    let look = Look { columns, full: false };
    let Some(first) = group.items.first() else { return Vec::new() };
    let mut out = heading(group, place, look);
    out.extend(phrase(2, "", &first.entry.title, look));
    out.extend(change(group, first, look));
    out.extend(counted(2, "seen on ", group, |item| facts(item.entry), look));
    out.extend(counted(2, "runs that saw it: ", group, |item| Some(seen_in(item.entry.runs, runs)), look));
    out.extend(names(group, look));
    // What is seen too seldom is run again when it is accepted; what else is in the way stays.
    let refused: Vec<String> = group.items.iter().filter_map(|item| refusal(item, 0)).collect();
    if let Some(why) = refused.first() {
        let lead =
            if refused.len() == group.items.len() { String::new() } else { format!("{} of them: ", refused.len()) };
        out.extend(phrase(2, "can't be accepted: ", &format!("{lead}{why}"), look));
    }
    out
}

fn heading(group: &Group<'_>, place: Place, look: Look) -> Vec<String> {
    let mut goldens: IndexMap<String, usize> = IndexMap::new();
    for Item { entry, .. } in &group.items {
        *goldens.entry(format!("{}/{}", entry.key.scenario, entry.key.folder)).or_default() += 1;
    }
    let mut of: Vec<&str> = goldens.keys().map(String::as_str).take(3).collect();
    if goldens.len() > 3 {
        of.push("…");
    }
    let (style, what) = match &group.change {
        Change::First(_) => (WARN, "first text"),
        Change::Varies(..) => (BAD, "text that varies"),
        Change::Lines(_) | Change::Whole(..) => (BAD, "change"),
    };
    let cases = plural(group.items.len(), "case");
    let number = format!("{} of {}", place.number, place.of);
    wrap(
        &[
            (DIM, &number),
            (PLAIN, "  "),
            (style, what),
            (PLAIN, " in "),
            (BOLD, &cases),
            (PLAIN, " of "),
            (BOLD, &clean(&of.join(", "))),
        ],
        look.columns,
    )
}

fn change(group: &Group<'_>, first: &Item<'_>, look: Look) -> Vec<String> {
    let within = look.columns.map(|columns| columns.saturating_sub(4));
    let diff = |old: (&str, &str), new: (&str, &str)| {
        let mut lines: Vec<String> = between(old, new, within).into_iter().map(|line| format!("    {line}")).collect();
        if lines.len() > LINES {
            let more = lines.len() - LINES;
            lines.truncate(LINES);
            lines.push(paint(DIM, &format!("    … {more} more lines")));
        }
        lines
    };
    match (&group.change, &first.golden) {
        (Change::Varies(text, other), _) => diff(("one run", text), ("another run", other)),
        (_, Some((file, golden))) => diff((&format!("golden/{file}"), golden), (&first.entry.case.0, &first.text)),
        (_, None) => block(4, &clean(&first.text), LINES, PLAIN, look),
    }
}

/// What the items of a group have, each value once with how many have it.
fn counted(
    indent: usize,
    lead: &str,
    group: &Group<'_>,
    of: impl Fn(&Item<'_>) -> Option<String>,
    look: Look,
) -> Vec<String> {
    let mut values: IndexMap<String, usize> = IndexMap::new();
    for value in group.items.iter().filter_map(of) {
        *values.entry(value).or_default() += 1;
    }
    let told = |(value, n): (&String, &usize)| if values.len() == 1 { value.clone() } else { format!("{value} ({n})") };
    let text = values.iter().map(told).collect::<Vec<_>>().join("; ");
    phrase(indent, lead, &text, look)
}

fn names(group: &Group<'_>, look: Look) -> Vec<String> {
    let mut out = Vec::new();
    for item in group.items.iter().take(NAMES) {
        out.extend(phrase(4, "", &item.entry.case.0, look));
    }
    if group.items.len() > NAMES {
        out.push(paint(DIM, &format!("    … and {} more", group.items.len() - NAMES)));
    }
    out
}

/// How many runs saw a text, and what accepting it costs.
fn seen_in(runs: u32, wanted: u32) -> String {
    match wanted.saturating_sub(runs) {
        0 => runs.to_string(),
        missing => format!("{runs}; {wanted} must say the same, so accepting it runs {missing} more"),
    }
}

/// What is known of the host that a text was seen on, on one line.
#[must_use]
pub fn seen_on(entry: &Entry, facts: &Facts) -> String {
    format!("{} ({}); image {}, systemd {}", facts.name, super::host::describe(facts), entry.image, entry.systemd)
}

fn plural(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// Where two runs of a case differ, as lines that go below what else is said of it.
#[must_use]
pub fn between_runs(one: &str, other: &str) -> String {
    let lines = between(("one run", one), ("another run", other), None);
    lines.into_iter().take(LINES).map(|line| format!("\n    {line}")).collect()
}
