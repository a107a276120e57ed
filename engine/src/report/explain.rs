//! What a case will do, in words: for `sdc-engine explain`. Pure.

use std::time::Duration;

use crate::judge;
use crate::plan::{Action, BootExpectation, CasePlan, Expectation, Risk, StepPlan};
use crate::scenario::model::{BootState, EngineAction, Level, Phase, Readiness, Repeat};
use crate::source::Place;

use super::details::Look;
use super::style::{BOLD, DIM, PLAIN, paint};
use super::text::{clean, wrap_words};

/// The columns that names take.
const NAME: usize = 10;

/// What is known of a case besides its plan.
#[derive(Debug, Clone)]
pub struct Explained<'a> {
    /// The plan.
    pub plan: &'a CasePlan,
    /// The host, in words.
    pub host: String,
    /// The image's title and its tag on the host.
    pub image: String,
    /// What the setup mode does.
    pub setup: String,
    /// What PID 1 runs.
    pub argv: String,
    /// The command lines that do the same by hand: the boot's, and one for each step, in order.
    pub by_hand: Vec<String>,
}

/// The text of a case.
#[must_use]
pub fn explained(told: &Explained<'_>, columns: Option<usize>) -> String {
    let look = Look { columns, full: true };
    let plan = told.plan;
    let mut out = vec![paint(BOLD, &clean(&plan.id.0)), format!("  {}", clean(&plan.title))];
    let mut field = |name: &str, text: &str| out.extend(field(name, text, look));
    field("host", &told.host);
    field("image", &told.image);
    field("setup", &told.setup);
    field("PID 1", &told.argv);
    for (name, value) in flags(plan) {
        field("flag", &format!("{name} = {value}"));
    }
    if let Risk::Host { flags, declared, .. } = &*plan.risk {
        field("risk", &format!("it may change the host ({flags}): {declared}"));
    }
    field("boot", &boot(plan));
    for expectation in &plan.boot_expect {
        field("", &expected(&boot_phrases(expectation), expectation.level, Some(&expectation.place)));
    }
    if plan.boot_expect.is_empty() {
        field("", "must end running");
    }
    for (i, step) in plan.steps.iter().enumerate() {
        field(&format!("step {}", i + 1), &format!("{}: {}", step.name, action(&step.action)));
        for note in notes(step) {
            field("", &note);
        }
        for expectation in &step.expect {
            field("", &expected(&step_phrases(step, expectation), expectation.level, Some(&expectation.place)));
        }
    }
    out.push(paint(BOLD, "  by hand"));
    out.extend(told.by_hand.iter().flat_map(|line| line.lines()).map(|line| format!("    {}", clean(line))));
    out.join("\n") + "\n"
}

fn field(name: &str, text: &str, look: Look) -> Vec<String> {
    let columns = look.columns.map(|columns| columns.saturating_sub(NAME + 2));
    let text = clean(text).replace('\n', " ↵ ");
    let lines = wrap_words(&[(PLAIN, &text)], columns);
    let lead = |i: usize| if i == 0 { paint(DIM, &format!("{name:<NAME$}")) } else { " ".repeat(NAME) };
    lines.iter().enumerate().map(|(i, line)| format!("  {}{line}", lead(i))).collect()
}

/// The flags that are given, as a scenario has them.
fn flags(plan: &CasePlan) -> Vec<(String, String)> {
    let Ok(serde_json::Value::Object(all)) = serde_json::to_value(&plan.container) else { return Vec::new() };
    let given = all.into_iter().filter(|(name, value)| {
        let nothing = match value {
            serde_json::Value::Null | serde_json::Value::Bool(false) => true,
            serde_json::Value::Array(items) => items.is_empty(),
            serde_json::Value::Object(items) => items.is_empty(),
            _ => false,
        };
        !nothing && name != "image" && name != "setup_mode"
    });
    given.map(|(name, value)| (name, value.to_string())).collect()
}

fn boot(plan: &CasePlan) -> String {
    let noticed = match plan.boot.ready {
        Readiness::Console => "the console log and then systemctl tell when it is over",
        Readiness::Exec => "systemctl is asked by exec when it is over",
    };
    let before = plan.boot.before.as_ref().map_or_else(String::new, |before| format!("; before all, `{before}` runs"));
    format!("within {}; {noticed}{before}", span(plan.boot.timeout))
}

fn span(time: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(time)
}

fn expected(phrases: &[String], level: Level, place: Option<&Place>) -> String {
    let must = match level {
        Level::Fail => "must hold",
        Level::Warn => "should hold (warns)",
    };
    let place = place.map_or_else(String::new, |place| format!("  ({place})"));
    format!("{must}: {}{place}", phrases.join("; "))
}

fn boot_phrases(expectation: &BootExpectation) -> Vec<String> {
    let mut phrases = Vec::new();
    let word = |state: &BootState| BootState::ALL.iter().find(|(known, _)| known == state).map_or("", |(_, word)| word);
    if !expectation.state.is_empty() {
        phrases.push(format!("it ends {}", expectation.state.iter().map(word).collect::<Vec<_>>().join(" or ")));
    }
    if !expectation.exit.is_empty() {
        let codes: Vec<_> = expectation.exit.iter().map(i64::to_string).collect();
        phrases.push(format!("exit code {}", codes.join(" or ")));
    }
    phrases.extend(expectation.checks.iter().map(judge::check_phrase));
    phrases
}

fn step_phrases(step: &StepPlan, expectation: &Expectation) -> Vec<String> {
    let in_container = matches!(step.action, Action::Run(_)) && !step.background;
    let exit = match &expectation.exit {
        Some(spec) => Some(judge::exit_phrase(spec)),
        None => in_container.then(|| "exit code 0".to_owned()),
    };
    exit.into_iter().chain(expectation.checks.iter().map(judge::check_phrase)).collect()
}

fn action(action: &Action) -> String {
    match action {
        Action::Run(argv) => shell_words::join(argv),
        Action::Engine(engine) => match engine {
            EngineAction::Logs => "the engine's logs".to_owned(),
            EngineAction::Inspect => "the engine's inspect".to_owned(),
            EngineAction::Top => "the engine's top".to_owned(),
            EngineAction::Stats => "the engine's stats".to_owned(),
            EngineAction::Stop { grace } => format!("the engine stops it, and kills it after {}", span(*grace)),
            EngineAction::Restart { grace } => format!("the engine restarts it (killed after {})", span(*grace)),
            EngineAction::Start => "the engine starts it again".to_owned(),
            EngineAction::Kill { signal } => format!("the engine sends {signal} to PID 1"),
            EngineAction::Wait => "the engine waits until PID 1 has ended".to_owned(),
        },
    }
}

/// How the step runs, where that is not as usual.
fn notes(step: &StepPlan) -> Vec<String> {
    let mut notes = Vec::new();
    if step.at == Phase::Boot {
        notes.push("runs while systemd boots".to_owned());
    }
    if step.background {
        notes.push("is left running".to_owned());
    }
    notes.extend(step.user.as_ref().map(|user| format!("runs as {user}")));
    notes.extend(step.repeat.as_ref().map(|repeat| match repeat {
        Repeat::Times(times) => format!("runs {times} times"),
        Repeat::For(time) => format!("runs again and again for {}", span(*time)),
    }));
    notes.extend(
        step.wait
            .as_ref()
            .map(|wait| format!("is tried every {} for {} until it holds", span(wait.every), span(wait.limit))),
    );
    notes.extend(step.capture.iter().map(|(name, regex)| format!("@{{{name}}} is what /{regex}/ finds")));
    notes
}
