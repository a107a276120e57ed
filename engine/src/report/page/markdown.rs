//! The support table as Markdown, for a repository or an issue: the table, the scenarios, and what does not hold, with its
//! deciding line, its neighbours and its command. Pure.

use std::fmt::Write as _;

use indexmap::IndexMap;

use super::grid;
use super::model::{CaseView, Page};
use crate::report::style::Mark;

/// So many groups of cases that did not hold are told.
const TOLD: usize = 40;
/// So many cases of a group are named.
const NAMED: usize = 6;

/// The page as Markdown.
#[must_use]
pub fn markdown(page: &Page) -> String {
    let mut out = String::from("# systemd in containers: what works\n\n");
    let ran = page.cases.iter().filter(|case| page.marks[case.mark].ran).count();
    let sources = page.sources.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ");
    let plural = if ran == 1 { "" } else { "s" };
    line(&mut out, &format!("{ran} case{plural} ran; from {sources}, by sdc-engine {}.\n", page.version));
    for host in &page.hosts {
        line(&mut out, &format!("- **{}**: {}", text(&host.name), text(&host.what)));
    }
    for notice in &page.notices {
        line(&mut out, &format!("\n> {}", text(notice)));
    }
    table(&mut out, page);
    scenarios(&mut out, page);
    broken(&mut out, page);
    out
}

pub(super) fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn table(out: &mut String, page: &Page) {
    let table = grid::table(page);
    line(out, "\n## Support\n");
    let head = table.columns.iter().map(|name| text(name)).collect::<Vec<_>>();
    line(out, &format!("| {} | {} |", text(&table.rows_axis), head.join(" | ")));
    line(out, &format!("|---|{}", ":---:|".repeat(table.columns.len())));
    for row in &table.rows {
        let cells: Vec<&str> = row.cells.iter().map(|cell| cell.text.as_str()).collect();
        line(out, &format!("| {} | {} |", text(&row.name), cells.join(" | ")));
    }
    let shown = |mark: &Mark| page.cases.iter().any(|case| page.marks[case.mark].word == mark.word());
    let legend: Vec<_> =
        Mark::ALL.iter().filter(|mark| shown(mark)).map(|mark| format!("{} {}", mark.symbol(), mark.word())).collect();
    line(out, &format!("\n{}; ° with cases that must not boot, and do not", legend.join(", ")));
}

fn scenarios(out: &mut String, page: &Page) {
    let Some(axis) = page.axes.iter().position(|axis| axis.name == super::build::SCENARIO) else { return };
    line(out, "\n## Scenarios\n\n| scenario | question | cases |\n|---|---|---|");
    for (number, name) in page.axes[axis].values.iter().enumerate() {
        let mut counts = vec![0_usize; page.marks.len()];
        page.cases.iter().filter(|case| case.at[axis] == Some(number)).for_each(|case| counts[case.mark] += 1);
        let told = counts.iter().enumerate().filter(|(_, n)| **n > 0);
        let told: Vec<_> = told.map(|(mark, n)| format!("{n} {}", page.marks[mark].word)).collect();
        line(out, &format!("| {} | {} | {} |", text(name), text(&page.titles[number]), told.join(", ")));
    }
}

/// What two cases share that are told as one: mark, what the verdict says, the boot's end, what broke.
type Signature<'a> = (usize, Option<usize>, Option<(&'a str, Option<&'a str>)>, Vec<usize>);

fn broken(out: &mut String, page: &Page) {
    let mut groups: IndexMap<Signature<'_>, Vec<&CaseView>> = IndexMap::new();
    for case in page.cases.iter().filter(|case| page.marks[case.mark].bad) {
        let boot =
            case.boot.map(|boot| &page.boots[boot]).map(|boot| (boot.outcome.as_str(), boot.deciding.as_deref()));
        let broke = case.judgements.iter().copied().filter(|judgement| !page.judgements[*judgement].held).collect();
        groups.entry((case.mark, case.detail, boot, broke)).or_default().push(case);
    }
    if groups.is_empty() {
        return;
    }
    line(out, "\n## What does not hold");
    let more = groups.len().saturating_sub(TOLD);
    for ((mark, detail, boot, broke), cases) in groups.into_iter().take(TOLD) {
        let mark = &page.marks[mark];
        let plural = if cases.len() == 1 { "" } else { "s" };
        line(out, &format!("\n### {} {}: {} case{plural}\n", mark.symbol, mark.word, cases.len()));
        let names: Vec<_> = cases.iter().take(NAMED).map(|case| format!("- {}", code(&named(page, case)))).collect();
        line(out, &names.join("\n"));
        if cases.len() > NAMED {
            line(out, &format!("- and {} more", cases.len() - NAMED));
        }
        if let Some(detail) = detail {
            line(out, &format!("\n{}", code(&page.texts[detail])));
        }
        if let Some((outcome, deciding)) = boot {
            let decided = deciding.map_or_else(String::new, |line| format!(", decided by {}", code(line)));
            line(out, &format!("\nBoot: {}{decided}", text(outcome)));
        }
        for judgement in broke.iter().map(|number| &page.judgements[*number]) {
            told(out, page, judgement);
        }
        if let Some(case) = cases.first() {
            neighbours(out, page, case);
        }
    }
    if more > 0 {
        line(out, &format!("\n{more} more ways are in the HTML page."));
    }
}

fn told(out: &mut String, page: &Page, judgement: &super::model::JudgementView) {
    let head = format!("\n{} ({})", text(&judgement.subject), text(&judgement.kind));
    match judgement.diff {
        Some(diff) => line(out, &format!("{head} differs:\n\n{}", block("diff", &page.texts[diff]))),
        None => {
            let (expected, actual) = (&page.texts[judgement.expected], &page.texts[judgement.actual]);
            line(out, &format!("{head}: expected {}, seen {}", code(expected), code(actual)));
        }
    }
}

fn neighbours(out: &mut String, page: &Page, case: &CaseView) {
    for flip in &case.flips {
        let other = &page.cases[flip.to];
        let value = |case: &CaseView, axis: usize| {
            case.at[axis].and_then(|value| page.axes[axis].values.get(value)).map_or("none", String::as_str).to_owned()
        };
        let change = |axis: &usize| {
            format!("{} {} → {}", text(&page.axes[*axis].name), code(&value(case, *axis)), code(&value(other, *axis)))
        };
        let change: Vec<_> = flip.axes.iter().map(change).collect();
        let mark = &page.marks[other.mark];
        let boot = other.boot.map_or_else(String::new, |boot| format!(", boot {}", text(&page.boots[boot].outcome)));
        line(out, &format!("\nFlips with {}: {} {}{boot}", change.join(", "), mark.symbol, mark.word));
        if let Some((what, diff)) = flip.diffs.first() {
            let body = block("diff", &page.texts[*diff]);
            line(out, &format!("\n<details><summary>difference of {}</summary>\n\n{body}\n</details>", text(what)));
        }
    }
    if let Some(folder) = &case.bundle {
        line(out, &format!("\nEvidence, on the machine that ran it: {}", code(folder)));
    }
    for (title, command) in ["by hand", "by the other engine"].iter().zip(&case.by_hand) {
        let body = block("sh", &page.texts[*command]);
        line(out, &format!("\n<details><summary>{title}</summary>\n\n{body}\n</details>"));
    }
}

fn named(page: &Page, case: &CaseView) -> String {
    let host = page.axes.iter().position(|axis| axis.name == super::build::HOST);
    let host = host.and_then(|axis| page.axes[axis].values.get(case.at[axis]?));
    host.map_or_else(|| case.id.clone(), |host| format!("{} on {host}", case.id))
}

/// Prose in which nothing is markup.
pub(super) fn text(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Names have underscores inside words, which mean nothing there.
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '!' | '#' => out.extend(['\\', c]),
            // Nobody is to be called by what a container wrote.
            '@' => out.push_str("&#64;"),
            c => out.push(c),
        }
    }
    out
}

/// Words as code, on one line, whatever backticks they have.
pub(super) fn code(words: &str) -> String {
    if words.trim().is_empty() {
        return "nothing".to_owned();
    }
    let words = words.trim_end().replace('\n', " ⏎ ");
    let fence = "`".repeat(longest_run(&words) + 1);
    let pad = if words.starts_with('`') || words.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{words}{pad}{fence}")
}

/// A text as a block of code that it can't end.
fn block(language: &str, words: &str) -> String {
    let fence = "`".repeat(longest_run(words).max(2) + 1);
    let end = if words.ends_with('\n') { "" } else { "\n" };
    let mut out = String::new();
    let _infallible = write!(out, "{fence}{language}\n{words}{end}{fence}");
    out
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Document;
    use crate::redact::Redaction;
    use crate::report::page::{Source, page};
    use crate::report::{document, sample};

    #[test]
    fn the_sample_as_markdown() {
        let document = Document::read(document(&sample::run(), &Redaction::off()).unwrap()).unwrap();
        let page = page(&[Source { name: "run.json".into(), document }]).unwrap();
        insta::assert_snapshot!(markdown(&page));
    }

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(text("<b> a|b [x](y) `c` & ~~d~~"), "&lt;b&gt; a\\|b \\[x\\](y) \\`c\\` &amp; \\~\\~d\\~\\~");
        assert_eq!(text("@all #1"), "&#64;all \\#1");
        assert_eq!(code("a ``` b"), "````a ``` b````");
        assert_eq!(code("`x`\ny`"), "`` `x` ⏎ y` ``");
        assert_eq!(block("diff", "a\n```\nb"), "````diff\na\n```\nb\n````");
    }
}
