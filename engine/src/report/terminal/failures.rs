//! What differs, told once for all cases that share it. Pure.

use crate::judge::{CaseResult, Verdict};
use crate::leak::Leak;

use crate::report::clean;
use crate::report::details::{self, Look, block, phrase};
use crate::report::groups::{Warning, common, group, warnings as grouped_warnings};
use crate::report::run::Run;
use crate::report::style::{self, BAD, BOLD, DIM, PLAIN, WARN, mark, paint};
use crate::report::text::{wrap, wrap_words};

/// How many names of cases are listed before they are only counted.
const NAMES: usize = 8;

/// The texts that warn cases warn of, each once.
pub(super) fn warnings(run: &Run, look: Look) -> Vec<String> {
    let sorted = run.sorted();
    let warn = sorted.iter().copied().filter(|case| case.verdict == Verdict::Warn);
    let mut out = Vec::new();
    for Warning { what, text, cases } in &grouped_warnings(warn) {
        let limit = if look.full { usize::MAX } else { NAMES };
        out.push(String::new());
        out.extend(wrap_words(&[(WARN, "! warn"), (PLAIN, "  "), (BOLD, &clean(what))], look.columns));
        out.extend(block(4, &clean(text), limit, PLAIN, look));
        let lead = format!("in {}", count(cases.len()));
        out.extend(names(&lead, cases, cases, &sorted, look));
    }
    out
}

/// The normalising rules that changed nothing, by the place that names them.
pub(super) fn unused_rules(run: &Run, look: Look) -> Vec<String> {
    let unused = &run.unused_rules;
    if unused.is_empty() {
        return Vec::new();
    }
    let (s, them, lists) = if unused.len() == 1 { ("", "it", "the list") } else { ("s", "them", "their lists") };
    let what = format!("{} normalising rule{s} changed nothing", unused.len());
    let mut out = vec![String::new()];
    out.extend(wrap_words(&[(WARN, "! warn"), (PLAIN, "  "), (BOLD, &what)], look.columns));
    for of_place in unused.chunk_by(|a, b| a.place == b.place && a.scenario == b.scenario) {
        let names: Vec<_> = of_place.iter().map(|rule| format!("`{}`", rule.rule)).collect();
        let Some(first) = of_place.first() else { continue };
        let told = format!("{} in {} of {}", names.join(", "), count(first.cases), first.scenario);
        out.extend(phrase(4, &format!("{}  ", clean(&first.place.to_string())), &told, look));
    }
    let skipped = if unused.iter().any(|rule| rule.skipped > 0) { " or for cases that were skipped" } else { "" };
    let help = format!("take {them} out of {lists}, except what is there for other hosts{skipped}");
    out.extend(phrase(2, "", &help, look));
    out
}

/// What cases changed on their hosts; of what has passed how much it was, but in full where all is asked for.
pub(super) fn leaks(run: &Run, look: Look) -> Vec<String> {
    let mut out = Vec::new();
    let leaks = run.summary.iter().flat_map(|summary| &summary.leaks);
    let (told, passed): (Vec<&Leak>, Vec<&Leak>) = leaks.partition(|leak| leak.lasting || look.full);
    for leak in told {
        let (style, mark) = if leak.declared { (WARN, "! leaked") } else { (BAD, "! leaked") };
        let now = if leak.lasting { "is not as it was" } else { "was changed for a while" };
        let what = format!("{} {now}, {}", leak.host, leak.whose());
        out.push(String::new());
        out.extend(wrap_words(&[(style, mark), (PLAIN, "  "), (BOLD, &clean(&what))], look.columns));
        let limit = if look.full { usize::MAX } else { NAMES };
        out.extend(block(4, &clean(&leak.words().join("\n")), limit, PLAIN, look));
        if !leak.declared {
            let help = "by their flags none of them can do that, and no scenario says that it may: another program of this \
                        machine did, or it is worth a look";
            out.extend(phrase(2, "", help, look));
        }
    }
    let changes: usize = passed.iter().map(|leak| leak.changes.len()).sum();
    if changes > 0 {
        let s = if changes == 1 { "" } else { "s" };
        let what =
            format!("{changes} change{s} of the host, undone by the end of the run; --verbose and --json have them");
        out.extend(phrase(0, "", &what, look));
    }
    out
}

/// Every case that neither passed nor only warned, the most alarming last: it is what stays on the screen.
pub(super) fn failures(run: &Run, look: Look) -> Vec<String> {
    let sorted = run.sorted();
    let told = sorted.iter().copied().filter(|case| !matches!(case.verdict, Verdict::Pass | Verdict::Warn));
    let mut groups = group(told);
    groups.sort_by_key(|group| group.cases.first().map(|case| mark(&case.verdict)));
    let mut out = Vec::new();
    for group in &groups {
        let Some((first, rest)) = group.cases.split_first() else { continue };
        out.push(String::new());
        out.extend(heading(first, look));
        out.extend(details::lines(first, look));
        if !rest.is_empty() {
            let what = if first.verdict == Verdict::New { "text" } else { "difference" };
            let lead = format!("and {} with the same {what}", more(rest.len()));
            out.extend(names(&lead, rest, &group.cases, &sorted, look));
        }
    }
    out
}

fn heading(case: &CaseResult, look: Look) -> Vec<String> {
    let mark = mark(&case.verdict);
    let word = format!("{} {}", mark.symbol(), mark.word());
    let style = style::of(&case.verdict);
    wrap(&[(style, &word), (PLAIN, "  "), (BOLD, &clean(&case.id.0))], look.columns)
}

fn count(cases: usize) -> String {
    format!("{cases} case{}", if cases == 1 { "" } else { "s" })
}

fn more(cases: usize) -> String {
    format!("{cases} more case{}", if cases == 1 { "" } else { "s" })
}

/// What the cases have in common, and their names.
fn names(lead: &str, listed: &[&CaseResult], all: &[&CaseResult], ran: &[&CaseResult], look: Look) -> Vec<String> {
    let shared = common(all, ran).map_or_else(String::new, |common| {
        let point: Vec<_> = common.point.iter().map(|(axis, value)| format!("{axis}={value}")).collect();
        let all = if common.all { "every case with" } else { "all with" };
        format!(" ({all} {})", point.join(", "))
    });
    let mut out = phrase(2, "", &format!("{lead}{shared}:"), look);
    let limit = if look.full { usize::MAX } else { NAMES };
    for case in listed.iter().take(limit) {
        out.extend(phrase(4, "", &case.id.0, look));
    }
    if listed.len() > limit {
        out.push(paint(DIM, &format!("    … and {}; --verbose lists them", more(listed.len() - limit))));
    }
    out
}
