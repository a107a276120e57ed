//! What the expectations say of a boot.

use std::collections::BTreeMap;

use super::golden::{self, Asked};
use super::weigh::Weighed;
use super::{GoldenKey, GoldenState, Judgement, JudgementKind, Observed, Subject, check, phrase};
use crate::observe::console::{plain, unknown_lines};
use crate::observe::escape::visible;
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
    let text = checked_text(&console, &boot.outcome);
    let (mut judgements, mut observed) = (Vec::new(), Vec::new());
    for expectation in &plan.boot_expect {
        let late = timed_out_against(expectation, boot);
        let state = state(expectation, boot);
        let exit = exit(expectation, boot);
        let as_expected = state.iter().map(|weighed| &weighed.judgement).chain(&exit).all(|judgement| judgement.held);
        judgements.extend(state);
        judgements.extend(exit.map(|judgement| Weighed { judgement, follows: late, limit: None }));
        for asked in &expectation.checks {
            let judgement = if let Some(key) = golden::key(plan, asked).filter(|_| !boot.console_cut) {
                let (subject, level, form) = (Subject::Boot, expectation.level, golden::form(plan, None, asked));
                let compared = golden::judge(Asked { subject, level, check: asked, key, text: &text, form }, goldens);
                observed.extend(compared.observed.filter(|_| as_expected));
                compared.judgement
            } else {
                let answer =
                    check::ask(&asked.ask, phrase::stream(asked.stream), &text, boot.console_cut, &BTreeMap::new());
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

/// Whether the boot ended as expected by not coming up: then there is nothing in which a step could run, and nothing that
/// its not running could say.
pub(super) fn must_not_come_up(boot: &BootObservation, plan: &CasePlan) -> bool {
    let up = |state: &BootState| matches!(state, BootState::Running | BootState::Degraded);
    let mut wanted = plan.boot_expect.iter().filter(|expectation| expectation.level == Level::Fail);
    let mut states = wanted.by_ref().flat_map(|expectation| &expectation.state).peekable();
    let outcome = boot.outcome.state();
    states.peek().is_some() && !up(&outcome) && states.all(|state| !up(state))
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
    let actual = visible(&actual).into_owned();
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

/// The console log as checks and goldens see it.
pub(super) fn console_text(boot: &BootObservation) -> String {
    checked_text(&plain(&boot.console), &boot.outcome)
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

#[cfg(test)]
mod tests {
    use crate::judge::testkit::{CONSOLE, boot, boots, broken, check, golden, plan};
    use crate::judge::{Judged, JudgementKind, Verdict, judge_case};
    use crate::observe::{BootObservation, BootOutcome, NotApplied};
    use crate::plan::CasePlan;
    use crate::scenario::model::{Ask, BootState, Stream, UnknownLines};
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn judged(plan: &CasePlan, boot: &BootObservation) -> Judged {
        judge_case(plan, Some(boot), &[], &BTreeMap::new())
    }

    fn exited() -> BootObservation {
        let line = "Failed to create /init.scope control group: Read-only file system".to_owned();
        BootObservation { deciding_line: Some(line), ..boot(BootOutcome::Exited { code: 255 }) }
    }

    fn refused() -> BootObservation {
        let message = "unable to apply caps: operation not permitted".to_owned();
        BootObservation { console: String::new(), ..boot(BootOutcome::Refused { message }) }
    }

    #[test]
    fn a_boot_that_comes_up_passes() {
        assert_eq!(judged(&plan(vec![]), &boot(BootOutcome::Running)).verdict, Verdict::Pass);
    }

    #[test]
    fn another_state_fails_with_the_deciding_line() {
        let result = judged(&plan(vec![]), &exited());
        assert_eq!(result.verdict, Verdict::Fail);
        assert_eq!(
            broken(&result),
            ["boot: running: exited(255): Failed to create /init.scope control group: Read-only file system"]
        );
        let degraded = boot(BootOutcome::Degraded { failed_units: vec!["a.service".to_owned()] });
        assert_eq!(broken(&judged(&plan(vec![]), &degraded)), ["boot: running: degraded (a.service)"]);
    }

    #[test]
    fn any_of_the_states_and_codes_holds() {
        let mut plan = plan(vec![]);
        plan.boot_expect = vec![boots(&[BootState::Exited, BootState::Frozen])].into();
        plan.boot_expect[0].exit = vec![1, 255];
        assert_eq!(judged(&plan, &exited()).verdict, Verdict::Pass);
        let other = boot(BootOutcome::Exited { code: 2 });
        assert_eq!(broken(&judged(&plan, &other)), ["boot: PID 1 ends with exit code 1 or 255: exited(2)"]);
        assert_eq!(judged(&plan, &boot(BootOutcome::Frozen)).verdict, Verdict::Fail, "a code was asked for");
        assert_eq!(judged(&plan, &boot(BootOutcome::Running)).judgements[0].expected, "exited or frozen");
    }

    #[test]
    fn a_limit_that_passed_is_no_failure_unless_something_else_broke() {
        let late = boot(BootOutcome::Timeout { after: Duration::from_secs(20) });
        let mut plan = plan(vec![]);
        plan.boot_expect[0].checks = vec![check(Stream::Console, Ask::Contains("never".to_owned()))];
        let result = judged(&plan, &late);
        assert_eq!(result.verdict, Verdict::Timeout("boot after 20s".to_owned()));
        assert_eq!(broken(&result).len(), 2, "the check is judged all the same");
        let not_applied =
            NotApplied { flag: "tty".to_owned(), requested: "true".to_owned(), effective: "false".to_owned() };
        let worse = BootObservation { not_applied: vec![not_applied], ..late.clone() };
        assert_eq!(judged(&plan, &worse).verdict, Verdict::Fail);
        plan.boot_expect = vec![boots(&[BootState::Timeout])].into();
        assert_eq!(judged(&plan, &late).verdict, Verdict::Pass);
    }

    #[test]
    fn flags_that_were_not_applied_fail() {
        let not_applied =
            NotApplied { flag: "cap_add".to_owned(), requested: "SYS_ADMIN".to_owned(), effective: "".to_owned() };
        let seen = BootObservation { not_applied: vec![not_applied], ..boot(BootOutcome::Running) };
        let result = judged(&plan(vec![]), &seen);
        assert_eq!(broken(&result), ["boot: cap_add = SYS_ADMIN: not applied: the engine shows nothing"]);
        assert_eq!(result.verdict, Verdict::Fail);
    }

    #[test]
    fn the_console_is_checked_without_its_colours() {
        let mut plan = plan(vec![]);
        let asked = |pattern: &str| vec![check(Stream::Console, Ask::Regex(pattern.to_owned()))];
        plan.boot_expect[0].checks = asked(r"^\[  OK  \] Reached target multi-user\.target - Multi-User System\.$");
        assert_eq!(judged(&plan, &boot(BootOutcome::Running)).verdict, Verdict::Pass);
        plan.boot_expect = vec![boots(&[BootState::Refused])].into();
        plan.boot_expect[0].checks = asked("^unable to apply caps");
        assert_eq!(judged(&plan, &refused()).verdict, Verdict::Pass, "the engine's words");
    }

    #[test]
    fn consoles_of_boots_that_went_wrong_are_never_recorded() {
        let mut plan = plan(vec![]);
        plan.boot_expect[0].checks = vec![check(Stream::Console, Ask::Golden(golden("boot")))];
        let good = judged(&plan, &boot(BootOutcome::Running));
        assert_eq!(good.verdict, Verdict::New);
        assert!(good.observed[0].text.starts_with("systemd 252 running"), "{:?}", good.observed);
        let late = boot(BootOutcome::Timeout { after: Duration::from_secs(20) });
        let cut = BootObservation { console_cut: true, ..boot(BootOutcome::Running) };
        for wrong in [exited(), late, cut] {
            assert_eq!(judged(&plan, &wrong).observed, []);
        }
    }

    #[test]
    fn unknown_lines_by_their_level() {
        let seen = BootObservation { console: format!("{CONSOLE}odd\nodder\n"), ..boot(BootOutcome::Running) };
        let mut plan = plan(vec![]);
        for (level, verdict) in [
            (UnknownLines::Warn, Verdict::Warn),
            (UnknownLines::Fail, Verdict::Fail),
            (UnknownLines::Ignore, Verdict::Pass),
        ] {
            plan.unknown_lines = level;
            assert_eq!(judged(&plan, &seen).verdict, verdict);
        }
        plan.unknown_lines = UnknownLines::Fail;
        assert_eq!(broken(&judged(&plan, &seen)), ["boot: no unknown console lines: odd\nodder"]);
        plan.known_lines = vec!["^odd$".to_owned()].into();
        assert_eq!(broken(&judged(&plan, &seen)), ["boot: no unknown console lines: odder"]);
        plan.known_lines = vec!["^odd".to_owned()].into();
        assert_eq!(judged(&plan, &seen).verdict, Verdict::Pass);
        plan.known_lines = vec!["(".to_owned()].into();
        assert_eq!(judged(&plan, &seen).verdict, Verdict::Fail);
        let many: String = (0..25).map(|n| format!("odd {n}\n")).collect();
        plan.known_lines.clear();
        let result = judged(&plan, &BootObservation { console: format!("{CONSOLE}{many}"), ..seen });
        assert!(broken(&result)[0].ends_with("odd 19\n… and 5 more lines"), "{:?}", broken(&result));
    }

    #[test]
    fn unknown_lines_count_only_where_the_boot_was_to_come_up_and_did() {
        let judges_lines = |plan: &CasePlan, boot: &BootObservation| {
            judged(plan, boot).judgements.iter().any(|judgement| judgement.kind == JudgementKind::UnknownLines)
        };
        let mut plan = plan(vec![]);
        assert!(judges_lines(&plan, &boot(BootOutcome::Degraded { failed_units: vec![] })));
        assert!(!judges_lines(&plan, &exited()));
        plan.boot_expect = vec![boots(&[BootState::Exited])].into();
        assert!(!judges_lines(&plan, &boot(BootOutcome::Running)));
    }

    #[test]
    fn a_boot_that_nobody_saw_fails() {
        let result = judge_case(&plan(vec![]), None, &[], &BTreeMap::new());
        assert_eq!(result.verdict, Verdict::Fail);
        assert_eq!(broken(&result), ["boot: the container is started: no boot was seen"]);
    }
}
