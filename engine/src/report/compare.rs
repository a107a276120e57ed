//! A comparison told to people. Pure.

use crate::compare::{Comparison, Group, OneSided, Pair, TextPair};

use super::details::{Look, phrase};
use super::diff;
use super::style::{BAD, BOLD, DIM, GOOD, PLAIN, WARN, paint};
use super::table::{Cell, Grid};
use super::text::{clean, plain_log, wrap_words};

/// So many lines of a diff are told.
const DIFF: usize = 40;
/// So many cases of one side are named for a reason.
const NAMED: usize = 3;

/// The lines of a comparison; `None` never breaks a line.
#[must_use]
pub fn lines(found: &Comparison, columns: Option<usize>) -> Vec<String> {
    let look = Look { columns, full: false };
    let mut out = facts(found, columns);
    for group in &found.groups {
        out.push(String::new());
        out.extend(difference(group, &found.sides, look));
    }
    let Pair { a, b } = &found.sides;
    for (head, list) in [
        (format!("ran on {} only", clean(a)), &found.only_a),
        (format!("ran on {} only", clean(b)), &found.only_b),
        ("not compared, as the environment failed".to_owned(), &found.errors),
    ] {
        out.extend(one_sided(&head, list, look));
    }
    out.push(String::new());
    out.extend(end(found, look));
    out
}

fn facts(found: &Comparison, columns: Option<usize>) -> Vec<String> {
    let Pair { a, b } = &found.sides;
    let plain = |text: &str| Cell::from(clean(text).replace('\n', " "));
    let head = |text: &str| Cell::new(clean(text).replace('\n', " "), BOLD);
    if found.facts.is_empty() {
        return vec![format!("{} and {}: no known fact of the hosts differs", clean(a), clean(b))];
    }
    let row = |fact: &crate::compare::Fact| vec![plain(&fact.name), plain(&fact.values.a), plain(&fact.values.b)];
    let header = vec![vec![Cell::new("facts that differ", DIM), head(a), head(b)]];
    Grid { header, rows: found.facts.iter().map(row).collect() }.render(columns)
}

fn difference(group: &Group, sides: &Pair, look: Look) -> Vec<String> {
    let Pair { a, b } = sides;
    let n = group.cases.len();
    let count = match group.matching {
        all if group.when.is_empty() || all == n => format!(" ({})", plural(n, "case")),
        all => format!(" ({n} of {} there)", plural(all, "case")),
    };
    let told = if group.verdict.a == group.verdict.b {
        format!(": {} on both, but not alike", group.verdict.a)
    } else {
        format!(": {} on {a}, {} on {b}", group.verdict.a, group.verdict.b)
    };
    let when = clean(&conditions(group)).replace('\n', " ");
    let told = clean(&told).replace('\n', " ");
    let mut out = wrap_words(&[(BOLD, &when), (BAD, &told), (DIM, &count)], look.columns);
    if let Some(boot) = &group.boot {
        out.extend(pair("boot", boot, sides, look));
    }
    if let Some(line) = &group.deciding_line
        && line.a != line.b
    {
        out.extend(pair("deciding line", line, sides, look));
    }
    for text in &group.texts {
        out.extend(texts(text, sides, look));
    }
    out.extend(group.cases.first().into_iter().flat_map(|first| phrase(2, "first case: ", first, look)));
    out
}

fn conditions(group: &Group) -> String {
    let list = |list: &[String]| list.join("; ");
    match (group.when.as_slice(), group.except.as_slice()) {
        ([], _) => "some cases".to_owned(),
        ([all], []) if all.is_empty() => "everywhere".to_owned(),
        (when, except) if when.iter().any(String::is_empty) => format!("everywhere but {}", list(except)),
        (when, _) => list(when),
    }
}

fn pair(name: &str, values: &Pair, sides: &Pair, look: Look) -> Vec<String> {
    let mut out = vec![format!("  {name}")];
    if values.a == values.b {
        out.extend(phrase(4, "both: ", &values.a, look));
    } else {
        for (side, value) in [(&sides.a, &values.a), (&sides.b, &values.b)] {
            out.extend(phrase(4, &format!("{}: ", clean(side)), value, look));
        }
    }
    out
}

fn texts(text: &TextPair, sides: &Pair, look: Look) -> Vec<String> {
    let mut out = phrase(2, "step ", &text.step, look);
    match (&text.a, &text.b) {
        (Some(a), Some(b)) => {
            let columns = look.columns.map(|columns| columns.saturating_sub(4));
            let lines = diff::between((&sides.a, a), (&sides.b, b), columns);
            let more = lines.len().saturating_sub(DIFF);
            out.extend(lines.into_iter().take(DIFF).map(|line| format!("    {line}")));
            if more > 0 {
                out.push(paint(DIM, &format!("    {more} more lines; --json has all")));
            }
        }
        (one, _) => {
            let side = if one.is_some() { &sides.a } else { &sides.b };
            out.extend(phrase(4, "", &format!("seen on {side} only"), look));
        }
    }
    out
}

fn one_sided(head: &str, list: &[OneSided], look: Look) -> Vec<String> {
    let mut out = Vec::new();
    if !list.is_empty() {
        out.push(String::new());
        out.push(paint(BOLD, &format!("{head}: {}", plural(Comparison::count(list), "case"))));
    }
    for one in list {
        let reason = plain_log(&one.reason).replace('\n', " ");
        let mut names = one.cases.iter().take(NAMED).map(|id| clean(id)).collect::<Vec<_>>().join(", ");
        if one.cases.len() > NAMED {
            names.push_str(", …");
        }
        let count = format!("{:>4}  ", one.cases.len());
        let line = wrap_words(&[(PLAIN, &count), (WARN, &reason), (DIM, &format!(": {names}"))], look.columns);
        out.extend(line);
    }
    out
}

fn end(found: &Comparison, look: Look) -> Vec<String> {
    let Pair { a, b } = &found.sides;
    let differing = found.differing();
    let told = if found.compared == 0 {
        format!("no case ran on both {a} and {b}; --across AXIS pairs cases that differ in it, such as cgroup_mode")
    } else if differing == 0 {
        format!("{} on both: nothing differs", plural(found.compared, "case"))
    } else {
        let groups = plural(found.groups.len(), "way");
        format!("{} on both: {differing} differ in {groups}", plural(found.compared, "case"))
    };
    let others = [
        (Comparison::count(&found.only_a), format!("on {a} only")),
        (Comparison::count(&found.only_b), format!("on {b} only")),
        (Comparison::count(&found.errors), "not compared".to_owned()),
    ];
    let others: String = others.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("; {n} {what}")).collect();
    let style = if differing == 0 && found.compared > 0 && found.errors.is_empty() { GOOD } else { BAD };
    phrase(0, "", &format!("{told}{others}"), look).into_iter().map(|line| paint(style, &line)).collect()
}

fn plural(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}
