//! Small plans and observations for the tests of judging.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{GoldenKey, GoldenState, Judged, judge_case};
use crate::observe::{BootObservation, BootOutcome, RunOutput, RunStatus, StepObservation};
use crate::plan::{Action, BootExpectation, CasePlan, Check, Expectation, StepPlan};
use crate::scenario::model::{Ask, BootState, Compare, ExitSpec, Golden, Level, Phase, Stream};
use crate::source::Place;

pub(super) fn place(line: usize) -> Place {
    Place { file: "scenarios/a.toml".to_owned(), line }
}

pub(super) fn check(stream: Stream, ask: Ask<String>) -> Check {
    Check { place: place(9), stream, ask }
}

/// An exact golden of that name.
pub(super) fn golden(name: &str) -> Golden {
    Golden { name: name.to_owned(), compare: Compare::Exact }
}

pub(super) fn expect(exit: Option<ExitSpec>, checks: Vec<Check>) -> Expectation {
    Expectation { place: place(8), level: Level::Fail, exit, checks }
}

pub(super) fn warn(mut expectation: Expectation) -> Expectation {
    expectation.level = Level::Warn;
    expectation
}

pub(super) fn step(name: &str, expect: Vec<Expectation>) -> StepPlan {
    StepPlan {
        name: name.to_owned(),
        at: Phase::Ready,
        action: Action::Run(vec!["true".to_owned()]),
        background: false,
        repeat: None,
        wait: None,
        capture: Vec::new(),
        timeout: Duration::from_secs(5),
        user: None,
        normalise: vec!["ids".to_owned()],
        expect,
    }
}

pub(super) fn boots(states: &[BootState]) -> BootExpectation {
    BootExpectation {
        place: place(3),
        level: Level::Fail,
        state: states.to_vec(),
        exit: Vec::new(),
        checks: Vec::new(),
    }
}

/// A case that boots to `running` and has these steps.
pub(crate) fn plan(steps: Vec<StepPlan>) -> CasePlan {
    let boot_expect = vec![boots(&[BootState::Running])].into();
    let steps = steps.into_iter().map(Into::into).collect();
    CasePlan { title: "A?".into(), boot_expect, steps, ..crate::testing::case("a[x=1]") }
}

pub(super) const CONSOLE: &str = "systemd 252 running in system mode (+PAM)\r\r\n\
    \u{1b}[0mWelcome to Debian!\r\n[\u{1b}[0;32m  OK  \u{1b}[0m] Reached target multi-user.target - Multi-User System.\r\r\n";

pub(super) fn boot(outcome: BootOutcome) -> BootObservation {
    BootObservation {
        outcome,
        deciding_line: None,
        diagnoses: Vec::new(),
        console: CONSOLE.to_owned(),
        console_cut: false,
        setup_log: None,
        took: Duration::from_secs(1),
        not_applied: Vec::new(),
    }
}

pub(super) fn run(status: RunStatus, stdout: &str) -> RunOutput {
    RunOutput { status, stdout: stdout.to_owned(), stderr: String::new(), cut: vec![], took: Duration::ZERO }
}

pub(super) fn saw(name: &str, runs: Vec<RunOutput>) -> StepObservation {
    StepObservation {
        name: name.to_owned(),
        runs,
        not_run: None,
        captured: BTreeMap::new(),
        console: String::new(),
        console_cut: false,
    }
}

/// A step that printed this and ended with 0.
pub(super) fn printed(name: &str, stdout: &str) -> StepObservation {
    saw(name, vec![run(RunStatus::Exited(0), stdout)])
}

pub(super) fn not_run(name: &str) -> StepObservation {
    StepObservation { not_run: Some("the boot failed".to_owned()), ..saw(name, Vec::new()) }
}

pub(super) fn key(folder: &str) -> GoldenKey {
    GoldenKey { scenario: "a".to_owned(), folder: folder.to_owned() }
}

pub(super) fn recorded(folder: &str, text: &str) -> BTreeMap<GoldenKey, GoldenState> {
    let state = GoldenState::Recorded { file: format!("a/{folder}/base.txt"), text: text.to_owned() };
    [(key(folder), state)].into()
}

/// Judges a boot that runs with these steps.
pub(super) fn judged(plan: &CasePlan, steps: &[StepObservation]) -> Judged {
    judge_case(plan, Some(&boot(BootOutcome::Running)), steps, &BTreeMap::new())
}

/// What broke, as `subject: expected: actual`.
pub(super) fn broken(judged: &Judged) -> Vec<String> {
    let broken = judged.judgements.iter().filter(|judgement| !judgement.held);
    broken.map(|judgement| format!("{}: {}: {}", judgement.subject, judgement.expected, judgement.actual)).collect()
}
