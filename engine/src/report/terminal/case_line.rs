//! One line for one thing that happened. Pure.

use crate::judge::{CaseResult, Verdict};

use crate::report::clean;
use crate::report::details::took;
use crate::report::style::{self, DIM, paint};
use crate::report::text::{cut, width, wrap_words};

/// `pass     cgroups/mounts[…] 0.42s`.
pub(super) fn line(result: &CaseResult, columns: Option<usize>) -> String {
    let word = format!("{:<7}", result.verdict.word());
    let took = took(result.took);
    let note = match &result.verdict {
        Verdict::Flaky(held, runs) => format!("  held in {held} of {runs} runs"),
        _ => String::new(),
    };
    let id = clean(&result.id.0);
    let room =
        columns.map_or(usize::MAX, |columns| columns.saturating_sub(width(&word) + width(&took) + width(&note) + 2));
    format!("{} {} {}{note}", paint(style::of(&result.verdict), &word), cut(&id, room), paint(DIM, &took))
}

/// Something slow that is no case.
pub(super) fn notice(message: &str, columns: Option<usize>) -> Vec<String> {
    let lines = clean(message);
    lines.lines().flat_map(|line| wrap_words(&[(DIM, "… "), (DIM, line)], columns)).collect()
}
