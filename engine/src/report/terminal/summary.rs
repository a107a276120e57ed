//! Which setups work: the table, its legend, and the scenarios. Pure.

use crate::report::run::Run;
use crate::report::style::{BOLD, DIM, Mark, PLAIN, paint};
use crate::report::support::{Support, UNBOOTED};
use crate::report::text::{width, wrap};

/// The tables, each after an empty line.
pub(super) fn tables(run: &Run, columns: Option<usize>) -> Vec<String> {
    let support = Support::of(run);
    let scenarios = support.scenarios();
    if scenarios.rows.is_empty() {
        return Vec::new();
    }
    let mut out = Vec::new();
    if let Some(grid) = support.grid() {
        out.extend([String::new(), paint(BOLD, "setup modes, over all scenarios")]);
        out.extend(grid.render(columns));
    }
    out.extend([String::new(), paint(BOLD, "scenarios")]);
    out.extend(scenarios.with_last_cut(columns).render(columns));
    out.push(String::new());
    out.extend(legend(&support, columns));
    out
}

fn legend(support: &Support, columns: Option<usize>) -> Vec<String> {
    let (marks, unbooted) = support.legend();
    let mut words: Vec<String> = marks.iter().map(|mark| word(*mark)).collect();
    if marks.iter().any(|mark| *mark > Mark::Pass) {
        words.push("k/n k of the n that ran".to_owned());
    }
    if unbooted {
        words.push(format!("{UNBOOTED} with cases that must not boot, and do not"));
    }
    let mut lines = vec![String::new()];
    for word in &words {
        let columns = columns.unwrap_or(usize::MAX);
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if width(line) + 3 + width(word) <= columns => *line = format!("{line}   {word}"),
            _ => lines.push(word.clone()),
        }
    }
    lines.iter().flat_map(|line| wrap(&[(PLAIN, line)], columns)).map(|line| paint(DIM, &line)).collect()
}

fn word(mark: Mark) -> String {
    format!("{} {}", mark.symbol(), mark.word())
}
