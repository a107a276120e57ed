//! What the expectations say of a boot.

use std::collections::BTreeMap;

use super::golden::{self, Asked};
use super::weigh::Weighed;
use super::{GoldenKey, GoldenState, Judgement, JudgementKind, Observed, Subject, check, phrase};
use crate::observe::console::{plain, unknown_lines};
use crate::observe::{BootObservation, BootOutcome, pattern};
use crate::plan::{BootExpectation, CasePlan};
use crate::scenario::model::{BootState, Level, UnknownLines};
use crate::source::Place;

/// Unknown console lines that a judgement lists.
const LISTED: usize = 20;

/// Judges a boot.
pub(super) fn judge(
    boot: &BootObservation,
    plan: &CasePlan,
    goldens: &BTreeMap<GoldenKey, GoldenState>,
) -> (Vec<Weighed>, Vec<Observed>) {
    let console = plain(&boot.console);
    let (mut judgements, mut observed) = (Vec::new(), Vec::new());
    for expectation in &plan.boot_expect {
        let late = timed_out_against(expectation, boot);
        judgements.extend(state(expectation, boot));
        judgements.extend(exit(expectation, boot).map(|judgement| Weighed { judgement, follows: late, limit: None }));
        for asked in &expectation.checks {
            let text = checked_text(&console, &boot.outcome);
            let judgement = if let Some(key) = golden::key(plan, asked) {
                let (subject, level, rules) = (Subject::Boot, expectation.level, None);
                let about = Asked { subject, level, check: asked, key, text: &text, rules };
                let (judgement, seen) = golden::judge(about, plan, goldens);
                observed.extend(seen.filter(|_| !boot.console_cut && boot.outcome.state() != BootState::Timeout));
                judgement
            } else {
                let answer = check::ask(&asked.ask, phrase::stream(asked.stream), &text, &BTreeMap::new());
                let (level, place) = (expectation.level, Some(asked.place.clone()));
                judgement(JudgementKind::Check, answer.held, level, answer.expected, answer.actual, place)
            };
            judgements.push(Weighed { judgement, follows: late, limit: None });
        }
    }
    for not_applied in &boot.not_applied {
        let expected = format!("{} = {}", not_applied.flag, not_applied.requested);
        let actual = format!("not applied: the engine shows {}", phrase::excerpt(&not_applied.effective));
        judgements.push(judgement(JudgementKind::NotApplied, false, Level::Fail, expected, actual, None).into());
    }
    judgements.extend(unknown(&console, boot, plan).map(Weighed::from));
    (judgements, observed)
}

/// A case whose boot nobody saw.
pub(super) fn unseen(plan: &CasePlan) -> Weighed {
    let place = plan.boot_expect.first().map(|expectation| expectation.place.clone());
    let actual = "no boot was seen".to_owned();
    judgement(JudgementKind::State, false, Level::Fail, "the container is started".to_owned(), actual, place).into()
}

/// Whether the boot came to its limit, and no expectation of its state wanted that.
pub(super) fn timed_out(boot: &BootObservation, plan: &CasePlan) -> bool {
    plan.boot_expect.iter().any(|expectation| timed_out_against(expectation, boot))
}

fn timed_out_against(expectation: &BootExpectation, boot: &BootObservation) -> bool {
    boot.outcome.state() == BootState::Timeout
        && !expectation.state.is_empty()
        && !expectation.state.contains(&BootState::Timeout)
}

fn judgement(
    kind: JudgementKind,
    held: bool,
    level: Level,
    expected: String,
    actual: String,
    place: Option<Place>,
) -> Judgement {
    Judgement { subject: Subject::Boot, kind, held, level, expected, actual, place }
}

fn state(expectation: &BootExpectation, boot: &BootObservation) -> Option<Weighed> {
    if expectation.state.is_empty() {
        return None;
    }
    let held = expectation.state.contains(&boot.outcome.state());
    let limit = match boot.outcome {
        BootOutcome::Timeout { after } if !held => Some(after),
        _ => None,
    };
    let kind = if limit.is_some() { JudgementKind::Timeout } else { JudgementKind::State };
    let words: Vec<String> = expectation.state.iter().map(|state| word(*state).to_owned()).collect();
    let actual = match &boot.deciding_line {
        // An engine's refusal is in the outcome already.
        Some(line) if boot.outcome.state() != BootState::Refused => format!("{}: {line}", boot.outcome),
        _ => boot.outcome.to_string(),
    };
    let expected = phrase::either(&words);
    let judgement = judgement(kind, held, expectation.level, expected, actual, Some(expectation.place.clone()));
    Some(Weighed { judgement, follows: false, limit })
}

fn word(state: BootState) -> &'static str {
    BootState::ALL.iter().find(|(each, _)| *each == state).map_or("", |(_, word)| word)
}

fn exit(expectation: &BootExpectation, boot: &BootObservation) -> Option<Judgement> {
    if expectation.exit.is_empty() {
        return None;
    }
    let held = matches!(boot.outcome, BootOutcome::Exited { code } if expectation.exit.contains(&code));
    let codes: Vec<String> = expectation.exit.iter().map(i64::to_string).collect();
    let expected = format!("PID 1 ends with exit code {}", phrase::either(&codes));
    let place = Some(expectation.place.clone());
    Some(judgement(JudgementKind::State, held, expectation.level, expected, boot.outcome.to_string(), place))
}

/// The console log; for a container that the engine refused, the engine's words stand where its console would be.
fn checked_text(console: &str, outcome: &BootOutcome) -> String {
    match outcome {
        BootOutcome::Refused { message } => format!("{console}{message}\n"),
        _ => console.to_owned(),
    }
}

/// Unknown console lines are judged of a boot that was to come up and did: any other has its deciding line.
fn unknown(console: &str, boot: &BootObservation, plan: &CasePlan) -> Option<Judgement> {
    const UP: [BootState; 2] = [BootState::Running, BootState::Degraded];
    let level = match plan.unknown_lines {
        UnknownLines::Ignore => return None,
        UnknownLines::Warn => Level::Warn,
        UnknownLines::Fail => Level::Fail,
    };
    let wanted_up = plan.boot_expect.iter().flat_map(|expectation| &expectation.state).any(|state| UP.contains(state));
    if !wanted_up || !UP.contains(&boot.outcome.state()) {
        return None;
    }
    let expected = "no unknown console lines".to_owned();
    let known: Result<Vec<_>, String> = plan.known_lines.iter().map(|known| pattern::author(known)).collect();
    let known = match known {
        Ok(known) => known,
        Err(reason) => {
            let actual = format!("can't be judged: a pattern of `known_lines`: {reason}");
            return Some(judgement(JudgementKind::UnknownLines, false, Level::Fail, expected, actual, None));
        }
    };
    let lines = unknown_lines(console, &known);
    let mut listed: Vec<String> = lines.iter().take(LISTED).map(|line| phrase::shorten(line)).collect();
    if lines.len() > LISTED {
        listed.push(format!("… and {}", phrase::count(lines.len() - LISTED, "more line")));
    }
    let actual = if lines.is_empty() { "none".to_owned() } else { listed.join("\n") };
    Some(judgement(JudgementKind::UnknownLines, lines.is_empty(), level, expected, actual, None))
}
