//! One case told in full: what was expected, what was seen, and how to see it again. Pure.

use std::time::Duration;

use crate::judge::{CaseResult, Judgement, JudgementKind, Subject, Verdict};
use crate::observe::{BootObservation, BootOutcome, RunStatus, StepObservation};
use crate::scenario::model::{Level, Stream};

use super::diff;
use super::groups::decisive;
use super::style::{BAD, BOLD, DIM, NEW, PLAIN, WARN, paint};
use super::text::{clean, plain_log, tail, wrap, wrap_words};
use super::why;

/// How much is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Columns to stay within; `None` never breaks a line.
    pub columns: Option<usize>,
    /// Whether long texts are told in full.
    pub full: bool,
}

impl Look {
    const fn limit(self, lines: usize) -> usize {
        if self.full { usize::MAX } else { lines }
    }

    fn within(self, indent: usize) -> Option<usize> {
        self.columns.map(|columns| columns.saturating_sub(indent))
    }
}

const CONSOLE: usize = 15;
const SETUP_LOG: usize = 30;
const OUTPUT: usize = 10;
const TEXT: usize = 25;
const DIFF: usize = 80;

/// `1.23s`, `2m 05s`.
pub(super) fn took(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.2}s")
    } else {
        format!("{}m {:02}s", took.as_secs() / 60, took.as_secs() % 60)
    }
}

/// The lines of one case, without its name. A case that only lacks a golden needs no log to be understood.
pub(super) fn lines(result: &CaseResult, look: Look) -> Vec<String> {
    let mut out = phrase(2, "", &result.title, look);
    match &result.verdict {
        Verdict::Error(words) => out.extend(phrase(2, "the environment failed: ", words, look)),
        Verdict::Timeout(phase) => out.extend(phrase(2, "limit passed: ", phase, look)),
        Verdict::Flaky(held, runs) => out.push(format!("  held in {held} of {runs} runs")),
        _ => {}
    }
    if let Some(boot) = &result.boot {
        out.extend(boot_lines(boot, look));
    }
    let decisive = decisive(result);
    for judgement in &decisive {
        out.extend(judgement_lines(judgement, result.boot.as_ref(), look));
    }
    out.extend(also(result, &decisive, look));
    out.extend(not_applied(result, &decisive, look));
    for step in &result.steps {
        if decisive.iter().any(|j| j.subject == Subject::Step(step.name.clone())) {
            out.extend(step_lines(step, &decisive, look));
        }
    }
    if result.verdict == Verdict::New {
        return out;
    }
    if let Some(boot) = &result.boot {
        out.extend(log("console", &boot.console, look.limit(CONSOLE), boot.console_cut, look));
        if let Some(setup) = &boot.setup_log {
            out.extend(log("setup script's log", setup, look.limit(SETUP_LOG), false, look));
        }
    }
    if !result.by_hand.is_empty() {
        out.push(paint(BOLD, "  by hand"));
        out.extend(clean(&result.by_hand).lines().map(|line| format!("    {line}")));
    }
    if let Some(folder) = &result.bundle {
        out.extend([paint(BOLD, "  evidence"), format!("    {}", clean(folder))]);
    }
    out
}

/// Where a boot ended and which line shows it, without styles, for whoever shows nothing else.
#[must_use]
pub fn boot(boot: &BootObservation, columns: Option<usize>) -> Vec<String> {
    let lines = boot_lines(boot, Look { columns, full: false });
    lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect()
}

/// Where a boot ended and which line shows it.
fn boot_lines(boot: &BootObservation, look: Look) -> Vec<String> {
    let told = match &boot.outcome {
        BootOutcome::Refused { .. } => "refused".to_owned(),
        BootOutcome::Timeout { .. } => boot.outcome.to_string(),
        outcome => format!("{outcome} after {}", took(boot.took)),
    };
    let mut out = phrase(2, "boot ", &told, look);
    let line = match (&boot.deciding_line, &boot.outcome) {
        (Some(line), _) | (None, BootOutcome::Refused { message: line }) => line,
        _ => {
            out.extend(why::lines(&boot.diagnoses, None, 4, look));
            return out;
        }
    };
    out.extend(block(4, &plain_log(line), usize::MAX, WARN, look));
    out.extend(why::lines(&boot.diagnoses, Some(line), 4, look));
    out
}

fn judgement_lines(judgement: &Judgement, boot: Option<&BootObservation>, look: Look) -> Vec<String> {
    let (mark, style) = match judgement.level {
        _ if judgement.kind == JudgementKind::GoldenNew => ("?", NEW),
        Level::Fail => ("✘", BAD),
        Level::Warn => ("!", WARN),
    };
    let what = match judgement.kind {
        JudgementKind::State => "did not end as expected",
        JudgementKind::NotApplied => "not applied",
        JudgementKind::UnknownLines => "console lines that no rule knows",
        JudgementKind::Exit => "did not end as expected",
        JudgementKind::Check => "does not hold",
        JudgementKind::Golden => "differs from its golden",
        JudgementKind::GoldenNew => "has no golden yet",
        JudgementKind::Timeout => "a limit passed",
    };
    let place = judgement.place.as_ref().map_or_else(String::new, |place| format!("  {}", clean(&place.to_string())));
    let subject = clean(&judgement.subject.to_string());
    let head = format!("{subject}: {what}");
    let mut out: Vec<_> = wrap_words(&[(style, mark), (PLAIN, " "), (BOLD, &head), (DIM, &place)], look.within(2))
        .into_iter()
        .map(|line| format!("  {line}"))
        .collect();
    match judgement.kind {
        JudgementKind::Golden if is_text(&judgement.expected) => {
            let diff = diff::unified(&judgement.expected, &judgement.actual, look.within(4));
            out.extend(limited(diff, look.limit(DIFF)).into_iter().map(|line| format!("    {line}")));
        }
        JudgementKind::GoldenNew | JudgementKind::UnknownLines => {
            out.extend(block(4, &clean(&judgement.actual), look.limit(OUTPUT), PLAIN, look));
        }
        _ => {
            out.extend(value("expected", &judgement.expected, look));
            out.extend(value("actual", short_of(&judgement.actual, boot), look));
        }
    }
    out
}

/// Whether this is a golden's own text and no phrase in its place: texts end in a line end unless they are empty.
fn is_text(expected: &str) -> bool {
    expected.is_empty() || expected.ends_with('\n')
}

/// What was seen, without the deciding line that stands under the boot already.
fn short_of<'a>(actual: &'a str, boot: Option<&BootObservation>) -> &'a str {
    let line = boot.and_then(|boot| boot.deciding_line.as_deref()).unwrap_or_default();
    let short = actual.strip_suffix(line).and_then(|rest| rest.strip_suffix(": ")).unwrap_or(actual);
    if line.is_empty() { actual } else { short }
}

/// A named text: beside its name if it is one line, below it otherwise.
fn value(name: &str, text: &str, look: Look) -> Vec<String> {
    let text = clean(text.strip_suffix('\n').unwrap_or(text));
    if text.contains('\n') {
        let mut out = vec![format!("    {}", paint(DIM, name))];
        out.extend(block(6, &text, look.limit(TEXT), PLAIN, look));
        out
    } else {
        let name = format!("{name:<10}");
        wrap(&[(DIM, &name), (PLAIN, &text)], look.within(4)).into_iter().map(|line| format!("    {line}")).collect()
    }
}

/// Broken judgements that do not decide the verdict, in a line each.
fn also(result: &CaseResult, decisive: &[&Judgement], look: Look) -> Vec<String> {
    let not_run: Vec<_> = result.steps.iter().filter_map(|s| s.not_run.as_ref().map(|why| (&s.name, why))).collect();
    let mut out = Vec::new();
    for j in &result.judgements {
        let broken = !j.held || j.kind == JudgementKind::GoldenNew;
        let ran = !matches!(&j.subject, Subject::Step(name) if not_run.iter().any(|(step, _)| *step == name));
        if broken && ran && !decisive.iter().any(|d| std::ptr::eq(*d, j)) {
            let what = match j.kind {
                JudgementKind::GoldenNew => "has no golden yet".to_owned(),
                JudgementKind::UnknownLines => {
                    format!("console lines that no rule knows ({})", j.actual.trim().lines().count())
                }
                _ => format!("expected {}", j.expected.lines().next().unwrap_or_default()),
            };
            out.extend(phrase(2, "also: ", &format!("{}: {what}", j.subject), look));
        }
    }
    if let Some((_, why)) = not_run.first() {
        let names: Vec<_> = not_run.iter().map(|(name, _)| name.as_str()).collect();
        out.extend(phrase(2, "did not run: ", &format!("{} ({why})", names.join(", ")), look));
    }
    out
}

fn not_applied(result: &CaseResult, decisive: &[&Judgement], look: Look) -> Vec<String> {
    if decisive.iter().any(|j| j.kind == JudgementKind::NotApplied) {
        return Vec::new();
    }
    let flags = result.boot.iter().flat_map(|boot| &boot.not_applied);
    flags
        .flat_map(|flag| {
            let told = format!("{}: asked for {}, inspect shows {}", flag.flag, flag.requested, flag.effective);
            phrase(2, "not applied: ", &told, look)
        })
        .collect()
}

/// What a step whose expectation broke left behind, where its judgements do not show it already.
fn step_lines(step: &StepObservation, decisive: &[&Judgement], look: Look) -> Vec<String> {
    let broke = step.runs.iter().find(|run| !matches!(run.status, RunStatus::Exited(0) | RunStatus::Background));
    let Some(run) = broke.or(step.runs.last()) else { return Vec::new() };
    let own = || decisive.iter().filter(|j| matches!(&j.subject, Subject::Step(name) if *name == step.name));
    let told = |text: &str| text.trim().is_empty() || own().any(|j| j.actual.contains(text.trim()));
    let compared = own().any(|j| j.kind == JudgementKind::Golden);
    let mut out = Vec::new();
    if !compared && !told(&run.stdout) {
        out.extend(log("stdout", &run.stdout, look.limit(OUTPUT), run.cut.contains(&Stream::Stdout), look));
    }
    if !told(&run.stderr) {
        out.extend(log("stderr", &run.stderr, look.limit(OUTPUT), run.cut.contains(&Stream::Stderr), look));
    }
    if !out.is_empty() || run.status != RunStatus::Exited(0) {
        let ended = format!("{} after {}", run.status, took(run.took));
        out.splice(0..0, phrase(2, &format!("{}: ", clean(&step.name)), &ended, look));
    }
    out
}

/// A log's tail under its name.
fn log(name: &str, text: &str, lines: usize, cut: bool, look: Look) -> Vec<String> {
    let (shown, all) = tail(text, lines);
    let note = match (shown.is_empty(), shown.len() < all) {
        (true, _) => "  (empty)".to_owned(),
        (false, true) => format!("  (last {} of {all} lines)", shown.len()),
        (false, false) => String::new(),
    };
    let cut = if cut { "  (cut at the limit)" } else { "" };
    let mut out = vec![format!("  {}{}", paint(BOLD, name), paint(DIM, &format!("{note}{cut}")))];
    out.extend(block(4, &shown.join("\n"), usize::MAX, PLAIN, look));
    out
}

/// Lines behind a bar, so that a log can't pass for the report's own words.
pub(super) fn block(indent: usize, text: &str, limit: usize, style: anstyle::Style, look: Look) -> Vec<String> {
    let bar = format!("{}{} ", " ".repeat(indent), paint(DIM, "│"));
    let broken = text.lines().flat_map(|line| wrap(&[(style, line)], look.within(indent + 2)));
    limited(broken.collect(), limit).into_iter().map(|line| format!("{bar}{line}")).collect()
}

fn limited(mut lines: Vec<String>, limit: usize) -> Vec<String> {
    if lines.len() > limit {
        let more = lines.len() - limit;
        lines.truncate(limit);
        lines.push(paint(DIM, &format!("… {more} more lines; --verbose shows them")));
    }
    lines
}

/// One sentence of the report with untrusted text in it, on as many lines as it needs.
pub(super) fn phrase(indent: usize, lead: &str, text: &str, look: Look) -> Vec<String> {
    let text = plain_log(text);
    let mut out = Vec::new();
    for (i, line) in text.trim_end().lines().enumerate() {
        let lead = if i == 0 { lead } else { "" };
        let pad = " ".repeat(indent);
        out.extend(
            wrap_words(&[(BOLD, lead), (PLAIN, line)], look.within(indent)).into_iter().map(|l| format!("{pad}{l}")),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{NotApplied, RunOutput};
    use crate::report::sample::{broken, case};

    const LOOK: Look = Look { columns: Some(70), full: false };

    fn plain(result: &CaseResult, look: Look) -> String {
        anstream::adapter::strip_str(&lines(result, look).join("\n")).to_string()
    }

    fn run(status: RunStatus, stdout: &str) -> RunOutput {
        let (stdout, stderr) = (stdout.to_owned(), String::new());
        RunOutput { status, stdout, stderr, cut: vec![], took: Duration::from_secs(75) }
    }

    #[test]
    fn a_refused_start_shows_the_engines_words() {
        let mut result = case("boot/plain", &[], Verdict::Fail);
        let boot = result.boot.as_mut().unwrap();
        boot.outcome = BootOutcome::Refused { message: "OCI runtime create failed: unable to apply caps".into() };
        boot.console.clear();
        let actual = "refused: OCI runtime create failed: unable to apply caps";
        result.judgements = vec![broken(Subject::Boot, JudgementKind::State, "running", actual)];
        insta::assert_snapshot!(plain(&result, LOOK), @r"
        What does boot/plain show?
        boot refused
          │ OCI runtime create failed: unable to apply caps
        ✘ boot: did not end as expected  scenarios/cgroups.toml:31
          expected  running
          actual    refused: OCI runtime create failed: unable to apply caps
        console  (empty)
        by hand
          docker run -d -t --cap-add SYS_ADMIN --tmpfs /run sdc/debian-12
        ");
    }

    #[test]
    fn a_flaky_case_shows_the_run_that_broke() {
        let mut result = case("exec/spam", &[], Verdict::Flaky(2, 3));
        let spam = || Subject::Step("spam".into());
        result.judgements = vec![
            broken(spam(), JudgementKind::Exit, "exit code 0", "exit code 1 in run 2 of 3"),
            broken(Subject::Boot, JudgementKind::NotApplied, "memory = 64m", "not applied: the engine shows 0"),
        ];
        result.boot.as_mut().unwrap().not_applied =
            vec![NotApplied { flag: "memory".into(), requested: "64m".into(), effective: "0".into() }];
        result.steps = vec![StepObservation {
            name: "spam".into(),
            runs: vec![
                run(RunStatus::Exited(0), "fine"),
                run(RunStatus::Exited(1), "Device or resource busy"),
                run(RunStatus::Exited(0), "fine"),
            ],
            not_run: None,
            captured: [].into(),
            console: String::new(),
            console_cut: false,
        }];
        insta::assert_snapshot!(plain(&result, LOOK), @r"
        What does exec/spam show?
        held in 2 of 3 runs
        boot running after 0.98s
        ✘ spam: did not end as expected  scenarios/cgroups.toml:31
          expected  exit code 0
          actual    exit code 1 in run 2 of 3
        ✘ boot: not applied  scenarios/cgroups.toml:31
          expected  memory = 64m
          actual    not applied: the engine shows 0
        spam: exit code 1 after 1m 15s
        stdout
          │ Device or resource busy
        console
          │ systemd 252 running in system mode
          │ [  OK  ] Reached target multi-user.target
        by hand
          docker run -d -t --cap-add SYS_ADMIN --tmpfs /run sdc/debian-12
        ");
    }

    #[test]
    fn long_texts_are_told_in_full_only_when_asked() {
        let mut result = case("cgroups/mounts", &[], Verdict::Fail);
        let many: String = (0..200).map(|i| format!("line {i}\n")).collect();
        result.judgements = vec![broken(Subject::Step("mounts".into()), JudgementKind::Golden, "", &many)];
        let short = plain(&result, LOOK);
        assert!(short.contains("… 123 more lines; --verbose shows them"), "{short}");
        assert!(plain(&result, Look { full: true, ..LOOK }).contains("+line 199"));
    }
}
