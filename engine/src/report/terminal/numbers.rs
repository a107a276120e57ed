//! The numbers of a run, why cases did not run, and on what it ran. Pure.

use crate::plan::WhyOut;

use crate::report::details::{Look, phrase, took};
use crate::report::host::describe;
use crate::report::run::{FailedHost, Run, filtered, not_applicable, skipped};
use crate::report::style::{BAD, GOOD, NEW, paint};
use crate::report::{Outcome, clean};

use super::Verbosity;

/// So many rules are listed without being asked for.
const FEW: usize = 3;

/// The line that a run starts with on a host.
pub(super) fn start(run: &Run, look: Look) -> Vec<String> {
    let Some(started) = run.started.last() else { return Vec::new() };
    let (cases, boots) = (plural(started.cases, "case"), plural(started.boots, "boot"));
    phrase(0, "", &format!("{cases} in {boots} on {}, {} at a time", started.host.name, started.jobs), look)
}

/// The line of a host that can't be used.
pub(super) fn failed(run: &Run, look: Look) -> Vec<String> {
    let Some(FailedHost { name, reason, cases, .. }) = run.failed_hosts.last() else { return Vec::new() };
    let head = format!("{} on {} end as errors: ", plural(*cases, "case"), clean(name));
    phrase(0, &head, reason, look)
}

fn plural(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// Everything below the tables.
pub(super) fn end(run: &Run, look: Look, verbosity: Verbosity) -> Vec<String> {
    let mut out = Vec::new();
    if verbosity > Verbosity::Quiet {
        out.push(String::new());
        out.extend(reasons(run, look));
        out.extend(host(run, look));
    }
    out.extend(numbers(run, look));
    out
}

fn reasons(run: &Run, look: Look) -> Vec<String> {
    let mut out = Vec::new();
    for (reason, cases) in run.reasons(skipped) {
        out.extend(phrase(0, &format!("skipped {cases}: "), reason, look));
    }
    for (word, kind) in [("not applicable", not_applicable as fn(&WhyOut) -> Option<&str>), ("filtered", filtered)] {
        let rules = run.reasons(kind);
        if look.full || rules.len() <= FEW {
            for (rule, cases) in rules {
                out.extend(phrase(0, &format!("{word} {cases}: "), rule, look));
            }
        } else {
            let cases: usize = rules.iter().map(|(_, cases)| cases).sum();
            let told = format!("by {} rules; --verbose lists them", rules.len());
            out.extend(phrase(0, &format!("{word} {cases}: "), &told, look));
        }
    }
    out
}

fn host(run: &Run, look: Look) -> Vec<String> {
    let mut out = Vec::new();
    for started in &run.started {
        let name = format!("host {}: ", clean(&started.host.name));
        out.extend(phrase(0, &name, &describe(&started.host), look));
        out.extend(chosen(&started.why_host, look));
    }
    for host in &run.failed_hosts {
        out.extend(phrase(0, &format!("host {}: ", clean(&host.name)), &format!("not used, {}", host.reason), look));
        out.extend(chosen(&host.why_host, look));
    }
    out
}

fn chosen(why: &str, look: Look) -> Vec<String> {
    if why.is_empty() { Vec::new() } else { phrase(0, "chosen because: ", why, look) }
}

fn numbers(run: &Run, look: Look) -> Vec<String> {
    let counts = run.counts();
    let outcome = run.outcome();
    let style = match outcome {
        Outcome::Held | Outcome::Unchanged => GOOD,
        _ => BAD,
    };
    let mut out: Vec<_> = phrase(0, "", &counts.line(), look).into_iter().map(|line| paint(style, &line)).collect();
    if let Some(summary) = &run.summary {
        let jobs = run.started.first().map_or_else(String::new, |s| format!(", {} at a time", s.jobs));
        let boots = plural(summary.boots, "boot");
        out.extend(phrase(0, "", &format!("{boots} in {}{jobs}", took(summary.took)), look));
    }
    let stopped = match &run.summary {
        Some(summary) => summary.stopped_early.as_deref(),
        None => Some("the run broke off"),
    };
    if let Some(why) = stopped {
        let told = format!("{why}; {} did not run", plural(run.missing(), "case"));
        out.extend(phrase(0, "stopped early: ", &told, look));
    }
    out.extend(match outcome {
        Outcome::AllSkipped if run.only().is_none() => {
            vec![paint(BAD, "nothing ran: no host can run any of the selected cases")]
        }
        Outcome::AllSkipped => vec![paint(BAD, "nothing ran: this host can run none of the selected cases")],
        Outcome::EmptyShare => {
            vec![paint(BAD, "nothing ran: all cases are in other shares; fewer shares, or slice, fill each")]
        }
        Outcome::Unchanged => {
            vec![paint(GOOD, "nothing had to run: nothing differs since these cases passed; without --changed all run")]
        }
        Outcome::NothingSelected => vec![paint(BAD, "nothing ran: no case is left by the filters and rules")],
        _ => Vec::new(),
    });
    if counts.new > 0 {
        let verb = if counts.new == 1 { "case has" } else { "cases have" };
        let told = format!("{} {verb} no golden yet: `sdc-engine update` records what was seen", counts.new);
        out.extend(phrase(0, "", &told, look).into_iter().map(|line| paint(NEW, &line)));
    }
    out.extend(left_behind(run, look));
    out
}

/// What the run could not remove: loudly, and last.
fn left_behind(run: &Run, look: Look) -> Vec<String> {
    let items = run.summary.as_ref().map_or(&[][..], |summary| &summary.left_behind);
    if items.is_empty() {
        return Vec::new();
    }
    let head = format!("LEFT BEHIND on the host, {} not removed:", items.len());
    let mut out: Vec<_> = phrase(0, "", &head, look).into_iter().map(|line| paint(BAD, &line)).collect();
    for item in items {
        out.extend(phrase(2, "", item, look));
    }
    out
}
