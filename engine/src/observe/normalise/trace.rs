//! What happened to each line of a text on its way to a golden's. Pure.

use serde::Serialize;

use super::form::{Form, Lines, joined};
use super::origin::{Origin, Piece};
use super::table::TableError;
use super::used_by;
use crate::scenario::model::Compare;

/// What changed a part of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The rule of this name.
    Rule(String),
    /// No rule: line ends are LF, and no white space is before them.
    LineEnds,
    /// No rule: characters that steer a terminal are escaped.
    Unprintable,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rule(name) => name,
            Self::LineEnds => "line ends",
            Self::Unprintable => "unprintable",
        })
    }
}

/// A part of a line that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What stood there; of a table, as the golden shows the row.
    pub from: String,
    /// What stands there.
    pub to: String,
    /// What changed it, one after another.
    pub by: Vec<Cause>,
}

/// A line, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceRow {
    /// The number of its first raw line, from 1.
    pub line: usize,
    /// The raw line; several where a change made one of them. It may hold control characters.
    pub raw: Vec<String>,
    /// The golden's line; none where it was taken out, several where one was broken up.
    pub normalised: Vec<String>,
    /// What was changed, from left to right.
    pub changes: Vec<Change>,
}

/// A text before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// Its lines in the golden's order; those that are not in the golden come last where it has an order of its own.
    pub rows: Vec<TraceRow>,
    /// The golden's text.
    pub text: String,
    /// The rules that changed something, in the order in which they were named.
    pub used: Vec<String>,
    /// The rules that changed nothing.
    pub unused: Vec<String>,
}

pub(super) fn of(form: &Form, raw: &str) -> Result<Trace, TableError> {
    let rules = &form.rules;
    let mut used = vec![false; rules.steps.len()];
    // A table is made before the rules; its lines are then what they start from.
    let before = match &form.compare {
        Compare::Exact | Compare::Unordered => None,
        Compare::Table(_) => {
            let mut origin = Origin::of(raw);
            let plain = rules.run_ansi(raw, &mut |by, edits| {
                origin.edit(by, edits);
                used_by(&mut used, by);
            });
            let lines = form.canonical(&plain)?;
            Some((joined(&lines), lines, rows(form, raw, &origin)))
        }
    };
    let source = before.as_ref().map_or(raw, |(text, ..)| text.as_str());
    let mut origin = Origin::of(source);
    let text = rules.run(source, &mut |by, edits| {
        origin.edit(by, edits);
        used_by(&mut used, by);
    });
    let mut rows = rows(form, source, &origin);
    let mut done = text;
    if form.compare != Compare::Exact {
        let lines = form.canonical(&done)?;
        done = joined(&lines);
        rows = ordered(rows, &lines);
    }
    if let Some((_, lines, raw_rows)) = before {
        rows = rows.into_iter().map(|row| beyond(row, &lines, &raw_rows)).collect();
    }
    let unused: Vec<bool> = used.iter().map(|used| !used).collect();
    Ok(Trace { rows, text: done, used: rules.names(&used), unused: rules.names(&unused) })
}

/// A row under way.
#[derive(Default)]
struct Row {
    raw: String,
    normalised: String,
    changes: Vec<Change>,
}

/// The rows of a text: each ends where a line ends in both.
fn rows(form: &Form, raw: &str, origin: &Origin) -> Vec<TraceRow> {
    let mut rows = Rows::default();
    for Piece { raw: at, now, by, .. } in &origin.pieces {
        let from = &raw[at.clone()];
        let Some(to) = now else {
            for line in from.split_inclusive('\n') {
                rows.row.raw.push_str(line);
                rows.row.normalised.push_str(line);
                rows.end_if(line.ends_with('\n'));
            }
            continue;
        };
        rows.row.raw.push_str(from);
        rows.row.normalised.push_str(to);
        let by = by.iter().map(|by| form.rules.cause(*by)).collect();
        rows.row.changes.push(Change { from: from.to_owned(), to: to.clone(), by });
        let over = |text: &str| text.is_empty() || text.ends_with('\n');
        rows.end_if(rows.row.raw.ends_with('\n') && over(&rows.row.normalised));
    }
    rows.end_if(!rows.row.raw.is_empty() || !rows.row.normalised.is_empty());
    rows.done
}

#[derive(Default)]
struct Rows {
    done: Vec<TraceRow>,
    row: Row,
    lines: usize,
}

impl Rows {
    fn end_if(&mut self, over: bool) {
        if !over {
            return;
        }
        let Row { raw, normalised, changes } = std::mem::take(&mut self.row);
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let line = self.lines + 1;
        self.lines += raw.matches('\n').count();
        self.done.push(TraceRow { line, raw: lines(&raw), normalised: lines(&normalised), changes });
    }
}

/// Which row each line is in.
fn row_of_line(rows: &[TraceRow], lines: impl Fn(&TraceRow) -> usize) -> Vec<usize> {
    rows.iter().enumerate().flat_map(|(at, row)| std::iter::repeat_n(at, lines(row))).collect()
}

/// The rows in the order of the golden's lines. A row of several lines that are apart there is told with the first.
fn ordered(rows: Vec<TraceRow>, lines: &Lines) -> Vec<TraceRow> {
    let row_of = row_of_line(&rows, |row| row.normalised.len());
    let mut left: Vec<Option<TraceRow>> = rows.into_iter().map(Some).collect();
    let mut ordered: Vec<(usize, TraceRow)> = Vec::with_capacity(left.len());
    for (from, text) in lines {
        let Some(at) = row_of.get(*from).copied() else { continue };
        match (left[at].take(), ordered.last_mut()) {
            (Some(row), _) => ordered.push((at, TraceRow { normalised: vec![text.clone()], ..row })),
            (None, Some((last, row))) if *last == at => row.normalised.push(text.clone()),
            (None, _) => {
                let line = ordered.iter().find(|(row, _)| *row == at).map_or(1, |(_, row)| row.line);
                let normalised = vec![text.clone()];
                ordered.push((at, TraceRow { line, raw: Vec::new(), normalised, changes: Vec::new() }));
            }
        }
    }
    let gone = left.into_iter().flatten().map(|row| TraceRow { normalised: Vec::new(), ..row });
    ordered.into_iter().map(|(_, row)| row).chain(gone).collect()
}

/// A row of a table that was made of the raw text, with its raw lines.
fn beyond(row: TraceRow, lines: &Lines, raw_rows: &[TraceRow]) -> TraceRow {
    let row_of = row_of_line(raw_rows, |row| row.normalised.len());
    let from = row.raw.iter().enumerate().filter_map(|(at, _)| lines.get(row.line - 1 + at));
    let mut ats: Vec<usize> = from.filter_map(|(plain, _)| row_of.get(*plain).copied()).collect();
    ats.dedup();
    let raw: Vec<&TraceRow> = ats.iter().map(|at| &raw_rows[*at]).collect();
    let changes = raw.iter().flat_map(|raw| raw.changes.clone()).chain(row.changes).collect();
    TraceRow {
        line: raw.first().map_or(row.line, |raw| raw.line),
        raw: raw.iter().flat_map(|raw| raw.raw.clone()).collect(),
        normalised: row.normalised,
        changes,
    }
}

#[cfg(test)]
mod tests {
    use super::{Trace, TraceRow};
    use crate::observe::normalise::Form;
    use crate::scenario::model::{Compare, NormaliseRule, TableForm};
    use proptest::prelude::{prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
    use proptest::strategy::{Just, Strategy};
    use std::sync::LazyLock;

    fn form(rules: &[&str], compare: Compare) -> Form {
        let own = [
            NormaliseRule { name: "total".into(), regex: r"^total.*\n".into(), replace: String::new() },
            NormaliseRule { name: "comma".into(), regex: ", ".into(), replace: ",\n".into() },
        ];
        Form::new(&rules.iter().map(ToString::to_string).collect::<Vec<_>>(), &own, compare).unwrap()
    }

    /// `line raw => normalised (from>to by)`.
    fn shown(trace: &Trace) -> Vec<String> {
        let changes = |row: &TraceRow| {
            let change = |c: &super::Change| {
                let by: Vec<String> = c.by.iter().map(ToString::to_string).collect();
                format!(" ({:?}>{:?} {})", c.from, c.to, by.join("+"))
            };
            row.changes.iter().map(change).collect::<String>()
        };
        trace
            .rows
            .iter()
            .map(|row| format!("{} {:?} => {:?}{}", row.line, row.raw, row.normalised, changes(row)))
            .collect()
    }

    const ID: &str = "602bcd6aba38a8a0d8f14256a302a000dd28d2f4a56d78484aed999fa25e92b5";

    #[test]
    fn each_change_has_its_rule() {
        let raw = format!("total 0\n\x1b[1m0::/docker/{ID}/x  \r\nsame\na, pid 7\x07");
        let trace = form(&["ansi", "total", "ids", "pids", "times", "comma"], Compare::Exact).trace(&raw).unwrap();
        assert_eq!(trace.text, "0::/docker/<id>/x\nsame\na,\npid <pid>\n");
        assert_eq!(
            (trace.used.join(" "), trace.unused.join(" ")),
            ("ansi total ids pids comma".into(), "times".into())
        );
        assert_eq!(
            shown(&trace),
            [
                r#"1 ["total 0"] => [] ("total 0\n">"" total)"#.to_owned(),
                format!(
                    r#"2 ["\u{{1b}}[1m0::/docker/{ID}/x  "] => ["0::/docker/<id>/x"] ("\u{{1b}}[1m">"" ansi) ("{ID}">"<id>" ids) ("  \r">"" line ends)"#
                ),
                r#"3 ["same"] => ["same"]"#.to_owned(),
                r#"4 ["a, pid 7\u{7}"] => ["a,", "pid <pid>"] (" ">"\n" comma) ("7">"<pid>" pids) ("\u{7}">"" ansi) ("">"\n" line ends)"#
                    .to_owned(),
            ]
        );
    }

    #[test]
    fn sorted_lines_know_where_they_stood() {
        let trace = form(&["total", "pids"], Compare::Unordered).trace("total 1\nb\n\na pid 5\n").unwrap();
        assert_eq!(
            shown(&trace),
            [
                r#"4 ["a pid 5"] => ["a pid <pid>"] ("5">"<pid>" pids)"#,
                r#"2 ["b"] => ["b"]"#,
                r#"1 ["total 1"] => [] ("total 1\n">"" total)"#,
                r#"3 [""] => []"#,
            ]
        );
        assert_eq!(trace.text, "a pid <pid>\nb\n");
    }

    #[test]
    fn rows_of_a_table_know_their_raw_lines() {
        let table = Compare::Table(TableForm { columns: vec!["NAME".into(), "ID".into()], sort_rows: true });
        let raw = "\nNAME  ID             N\nb     602bcd6aba38   1\n\x1b[1ma     -\x1b[0m              2\n";
        let trace = form(&["ansi", "ids"], table).trace(raw).unwrap();
        assert_eq!(trace.text, "NAME | ID\na | -\nb | <id>\n");
        assert_eq!(
            shown(&trace),
            [
                r#"2 ["NAME  ID             N"] => ["NAME | ID"]"#,
                r#"4 ["\u{1b}[1ma     -\u{1b}[0m              2"] => ["a | -"] ("\u{1b}[1m">"" ansi) ("\u{1b}[0m">"" ansi)"#,
                r#"3 ["b     602bcd6aba38   1"] => ["b | <id>"] ("602bcd6aba38">"<id>" ids)"#,
            ]
        );
    }

    fn raw() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just(ID.to_owned()),
            prop::sample::select(vec![
                "\n", "\n", " \r\n", "\r", "total 3", "pid 12", ", ", "5s", "A  B", "x  y", "\x1b[1m", "\u{9b}", " ",
                "|", "\u{0}", "é",
            ])
            .prop_map(str::to_owned),
        ];
        prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
    }

    /// With and without `ansi`, each way of comparing.
    static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
        let rules = ["ansi", "total", "ids", "pids", "times", "comma"];
        let table = |sort_rows| Compare::Table(TableForm { columns: Vec::new(), sort_rows });
        let compare = [Compare::Exact, Compare::Unordered, table(false), table(true)];
        compare.iter().flat_map(|c| [form(&rules, c.clone()), form(&rules[1..], c.clone())]).collect()
    });

    proptest! {
        #[test]
        fn a_trace_tells_the_text_that_is_compared(raw in raw()) {
            for form in FORMS.iter() {
                let applied = form.apply(&raw);
                let Ok(trace) = form.trace(&raw) else {
                    prop_assert!(applied.is_err());
                    continue;
                };
                let applied = applied.unwrap();
                prop_assert_eq!(&trace.text, &applied.text);
                prop_assert_eq!(&trace.used, &applied.used);
                let lines: Vec<&str> = trace.rows.iter().flat_map(|row| &row.normalised).map(String::as_str).collect();
                prop_assert_eq!(lines.join("\n"), trace.text.trim_end_matches('\n'));
                if form.compare == Compare::Exact {
                    let raw_lines: Vec<&str> = trace.rows.iter().flat_map(|row| &row.raw).map(String::as_str).collect();
                    prop_assert_eq!(raw_lines, raw.lines().collect::<Vec<_>>());
                }
            }
        }
    }
}
