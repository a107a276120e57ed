//! How a golden's text was made, told to people: before and after side by side, and below each line what changed it. Pure.

use anstyle::Style;

use crate::observe::normalise::{Cause, Change, Trace, TraceRow};

use super::style::{BOLD, DIM, NEW, PLAIN, paint};
use super::text::{clean, cut, width, wrap};

/// Between the two sides.
const BAR: &str = " │ ";
/// The columns of a side where there is no limit to them.
const WIDE: usize = 100;
/// A side is never narrower.
const LEAST: usize = 12;
/// So many columns of a replaced part are told.
const PART: usize = 60;

/// The lines of a trace within so many columns; `None` is a width of our own. A line that was changed has a `~`.
#[must_use]
pub fn side_by_side(trace: &Trace, columns: Option<usize>) -> Vec<String> {
    let number = trace.rows.iter().map(|row| row.line).max().unwrap_or(0).to_string().len();
    let gutter = number + 3;
    let longest = trace.rows.iter().flat_map(|row| &row.raw).map(|line| width(&shown(line))).max().unwrap_or(0);
    let room = columns.map_or(WIDE, |columns| columns.saturating_sub(gutter + width(BAR)) / 2);
    let side = longest.clamp(LEAST, room.max(LEAST));
    let right = columns.map_or(WIDE, |columns| columns.saturating_sub(gutter + width(BAR) + side).max(LEAST));
    let mut out = Vec::new();
    let head = |name: &str, style| vec![(style, name.to_owned())];
    out.extend(beside(&" ".repeat(gutter), &head("seen", BOLD), &head("golden", BOLD), side, right));
    for row in &trace.rows {
        let changed = !told(row).is_empty() || row.normalised.is_empty() || row.raw.is_empty();
        let mark = if changed { '~' } else { ' ' };
        let line = if row.raw.is_empty() { String::new() } else { row.line.to_string() };
        let lead = format!("{line:>number$} {mark} ");
        let style = if changed { NEW } else { PLAIN };
        let lines = |lines: &[String], none: &str| match lines {
            [] => vec![(DIM, none.to_owned())],
            lines => lines.iter().map(|line| (style, shown(line))).collect(),
        };
        let (raw, golden) = (lines(&row.raw, ""), lines(&row.normalised, "(not in the golden)"));
        out.extend(beside(&lead, &raw, &golden, side, right));
        for change in told(row) {
            let within = columns.map(|columns| columns.saturating_sub(gutter));
            let lines = wrap(&[(DIM, &format!("{}: ", cause(change))), (PLAIN, &replaced(change))], within);
            out.extend(lines.into_iter().map(|line| " ".repeat(gutter) + &line));
        }
    }
    out.push(String::new());
    for (lead, rules) in [("used: ", &trace.used), ("changed nothing: ", &trace.unused)] {
        let names = if rules.is_empty() { "none".to_owned() } else { clean(&rules.join(", ")) };
        out.extend(wrap(&[(BOLD, lead), (PLAIN, &names)], columns));
    }
    out
}

/// The changes that are worth a line: not those of line ends alone.
fn told(row: &TraceRow) -> Vec<&Change> {
    row.changes.iter().filter(|change| change.by.iter().any(|by| *by != Cause::LineEnds)).collect()
}

fn cause(change: &Change) -> String {
    let by = change.by.iter().filter(|by| **by != Cause::LineEnds).map(|by| clean(&by.to_string()));
    by.collect::<Vec<_>>().join(" + ")
}

fn replaced(change: &Change) -> String {
    let part = |text: &str| format!("`{}`", cut(&shown(text), PART));
    match (change.from.is_empty(), change.to.is_empty()) {
        (_, true) => format!("{} is taken out", part(&change.from)),
        (true, false) => format!("{} is put in", part(&change.to)),
        (false, false) => format!("{} becomes {}", part(&change.from), part(&change.to)),
    }
}

/// A text on one line that steers no terminal.
fn shown(text: &str) -> String {
    clean(text).replace('\n', "\u{240a}")
}

/// Lines of both sides, each broken where it is too long.
fn beside(
    lead: &str,
    left: &[(Style, String)],
    right: &[(Style, String)],
    left_width: usize,
    right_width: usize,
) -> Vec<String> {
    let broken = |lines: &[(Style, String)], columns: usize| -> Vec<(Style, String)> {
        let broken = |(style, line): &(Style, String)| {
            wrap(&[(PLAIN, line.as_str())], Some(columns)).into_iter().map(|part| (*style, part)).collect::<Vec<_>>()
        };
        lines.iter().flat_map(broken).collect()
    };
    let (left, right) = (broken(left, left_width), broken(right, right_width));
    let nothing = (PLAIN, String::new());
    let line = |at: usize| {
        let (left_style, left) = left.get(at).unwrap_or(&nothing);
        let (right_style, right) = right.get(at).unwrap_or(&nothing);
        let lead = if at == 0 { lead.to_owned() } else { " ".repeat(width(lead)) };
        let pad = " ".repeat(left_width.saturating_sub(width(left)));
        let bar = if right.is_empty() { BAR.trim_end() } else { BAR };
        format!(
            "{}{}{pad}{}{}",
            paint(DIM, &lead),
            paint(*left_style, left),
            paint(DIM, bar),
            paint(*right_style, right)
        )
    };
    (0..left.len().max(right.len())).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::side_by_side;
    use crate::observe::normalise::Form;
    use crate::report::text::width;
    use crate::scenario::model::{Compare, NormaliseRule};

    fn told(columns: Option<usize>) -> String {
        let id = "0123456789abcdef".repeat(4);
        let raw = format!("total 0\r\n\x1b[1m0::/docker/{id}/x\x1b[0m\r\nsame\r\npid 7\tof 9\x1b[2J\n");
        let own = [NormaliseRule { name: "total".into(), regex: r"^total.*\n".into(), replace: String::new() }];
        let rules = ["total", "cgroup", "pids", "times"].map(str::to_owned);
        let trace = Form::new(&rules, &own, Compare::Exact).unwrap().trace(&raw).unwrap();
        anstream::adapter::strip_str(&side_by_side(&trace, columns).join("\n")).to_string()
    }

    #[test]
    fn before_and_after_with_the_rules_between() {
        insta::assert_snapshot!(told(Some(100)), @r"
            seen                                           │ golden
        1 ~ total 0                                        │ (not in the golden)
            total: `total 0␍␊` is taken out
        2 ~ ␛[1m0::/docker/0123456789abcdef0123456789abcde │ \x1b[1m0::/<container>/x\x1b[0m
            f0123456789abcdef0123456789abcdef/x␛[0m        │
            unprintable: `␛` becomes `\x1b`
            cgroup: `docker/0123456789abcdef0123456789abcdef0123456789abcdef0123…` becomes `<container>`
            unprintable: `␛` becomes `\x1b`
        3   same                                           │ same
        4 ~ pid 7␉of 9␛[2J                                 │ pid <pid>␉of 9\x1b[2J
            pids: `7` becomes `<pid>`
            unprintable: `␛` becomes `\x1b`

        used: total, cgroup, pids
        changed nothing: times
        ");
    }

    #[test]
    fn narrow_screens_break_lines_and_lose_nothing() {
        insta::assert_snapshot!(told(Some(50)), @r"
            seen                  │ golden
        1 ~ total 0               │ (not in the golden)
            total: `total 0␍␊` is taken out
        2 ~ ␛[1m0::/docker/012345 │ \x1b[1m0::/<container>
            6789abcdef0123456789a │ /x\x1b[0m
            bcdef0123456789abcdef │
            0123456789abcdef/x␛[0 │
            m                     │
            unprintable: `␛` becomes `\x1b`
            cgroup: `docker/0123456789abcdef0123456789abcd
            ef0123456789abcdef0123…` becomes `<container>`
            unprintable: `␛` becomes `\x1b`
        3   same                  │ same
        4 ~ pid 7␉of 9␛[2J        │ pid <pid>␉of 9\x1b[2J
            pids: `7` becomes `<pid>`
            unprintable: `␛` becomes `\x1b`

        used: total, cgroup, pids
        changed nothing: times
        ");
        for columns in 40..130 {
            assert!(told(Some(columns)).lines().all(|line| width(line) <= columns), "{columns}");
        }
    }
}
