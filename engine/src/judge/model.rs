//! Judgements and verdicts. Plain values.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::observe::{BootObservation, StepObservation};
use crate::plan::{Action, CaseId, CasePlan, StepPlan};
use crate::scenario::model::{Level, Point, Stream};
use crate::source::Place;

/// The result of a case. Never conflated: each is counted apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "detail")]
pub enum Verdict {
    /// Everything that was expected held.
    Pass,
    /// The subject differs from what was expected.
    Fail,
    /// Only expectations of level `warn` broke.
    Warn,
    /// Not run here: the fact that forbids it.
    Skipped(String),
    /// The combination makes no sense: the rule.
    NotApplicable(String),
    /// Left out by the user's filters: which.
    Filtered(String),
    /// A limit passed: of which phase.
    Timeout(String),
    /// Some of the repeated runs passed and others did not: how many held, of how many.
    Flaky(u32, u32),
    /// The environment failed, not the subject: its words.
    Error(String),
    /// Nothing broke, and a golden was never recorded for this case.
    New,
}

impl Verdict {
    /// The word that reports use.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Skipped(_) => "skipped",
            Self::NotApplicable(_) => "not applicable",
            Self::Filtered(_) => "filtered",
            Self::Timeout(_) => "timeout",
            Self::Flaky(..) => "flaky",
            Self::Error(_) => "error",
            Self::New => "new",
        }
    }
}

/// What a judgement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The boot.
    Boot,
    /// A step, by name.
    Step(String),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Boot => f.write_str("boot"),
            Self::Step(name) => f.write_str(name),
        }
    }
}

/// What kind of thing was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JudgementKind {
    /// The boot's state or exit code.
    State,
    /// A flag that the engine ignored: "not applied".
    NotApplied,
    /// Console lines that no rule knows.
    UnknownLines,
    /// A command's exit code, or that it ran at all.
    Exit,
    /// A check of a text.
    Check,
    /// A text against its golden, which differs.
    Golden,
    /// A text that has no golden yet.
    GoldenNew,
    /// A limit passed.
    Timeout,
}

/// What one expectation says of one observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Boot or step.
    pub subject: Subject,
    /// What was judged.
    pub kind: JudgementKind,
    /// Whether it held.
    pub held: bool,
    /// What it does to the case when it did not hold.
    pub level: Level,
    /// What was expected, as a phrase (`stdout matches /^tmpfs$/`), or the golden's text for [`JudgementKind::Golden`].
    pub expected: String,
    /// What was seen, as a phrase or text.
    pub actual: String,
    /// Where the expectation was written, where it was.
    pub place: Option<Place>,
}

/// A place in the golden folder: `golden/<scenario>/<step>/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenKey {
    /// The scenario's name.
    pub scenario: String,
    /// The golden's folder name below it: the step's name, with `.stderr` or `.console` for those streams.
    pub folder: String,
}

/// A normalised text that a golden is about, as seen in one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Which golden.
    pub key: GoldenKey,
    /// The stream that it came from.
    pub stream: Stream,
    /// The text as it was printed; reports have it among the steps.
    #[serde(skip)]
    pub raw: String,
    /// The normalised text, always ending in one line end unless empty.
    pub text: String,
}

impl Observed {
    /// Whether both say the same of one golden, however it was printed.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        (&self.key, self.stream, &self.text) == (&other.key, other.stream, &other.text)
    }
}

/// Repeated runs of a case that gave different texts for one golden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Varied {
    /// The first run's text.
    pub first: Observed,
    /// A text of another run; empty where it had none.
    pub other: String,
}

/// What the golden folder says of a case: looked up before judging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GoldenState {
    /// Nothing was ever recorded for this case.
    New,
    /// This text was recorded, in this file below the golden root.
    Recorded {
        /// The file, with `/`.
        file: String,
        /// Its text.
        text: String,
    },
}

/// Everything known of one case after it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseResult {
    /// Its name.
    pub id: CaseId,
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's question.
    pub title: String,
    /// Its point in the matrix.
    pub point: Point,
    /// The host's name.
    pub host: String,
    /// The result.
    pub verdict: Verdict,
    /// All judgements, those that held too.
    pub judgements: Vec<Judgement>,
    /// The boot, where there was one. Shared boots are repeated in each of their cases.
    pub boot: Option<BootObservation>,
    /// The steps.
    pub steps: Vec<StepObservation>,
    /// Texts that goldens are about.
    pub observed: Vec<Observed>,
    /// For each step of which a golden's text was seen the normalising rules that changed something in it.
    pub rules: BTreeMap<String, BTreeSet<String>>,
    /// Wall time of the case's own steps and, for the first case of a boot, the boot.
    pub took: Duration,
    /// The command line that repeats the case's boot by hand.
    pub by_hand: String,
    /// What was asked for, as far as a reader of the result wants it.
    pub recipe: Recipe,
    /// The folder with its evidence, where one was asked for and the case failed.
    pub bundle: Option<String>,
}

/// What a case was made of, for whoever reads its result without the scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Recipe {
    /// The scenario's tags.
    pub tags: Vec<String>,
    /// What each step does: its command as for a shell, or `engine` and its command on the engine's side.
    pub commands: IndexMap<String, String>,
    /// The command line that boots the same by the other engine's program; empty where there is none.
    pub elsewhere: String,
}

impl Recipe {
    /// Of a case; nobody knows an engine here, so without the other engine's command line.
    #[must_use]
    pub fn of(case: &CasePlan) -> Self {
        let command = |step: &StepPlan| match &step.action {
            Action::Run(argv) => match argv.as_slice() {
                [shell, c, text] if shell == "/bin/sh" && c == "-c" => text.clone(),
                argv => shell_words::join(argv),
            },
            Action::Engine(action) => format!("engine {}", action.words()),
        };
        let commands = case.steps.iter().map(|step| (step.name.clone(), command(step))).collect();
        Self { tags: Vec::clone(&case.tags), commands, elsewhere: String::new() }
    }
}

impl CaseResult {
    /// A case of which nothing was seen.
    #[must_use]
    pub fn of_nothing(case: &CasePlan, host: &str, verdict: Verdict) -> Self {
        Self {
            id: case.id.clone(),
            scenario: String::clone(&case.scenario),
            title: String::clone(&case.title),
            point: case.point.clone(),
            host: host.to_owned(),
            verdict,
            judgements: vec![],
            boot: None,
            steps: vec![],
            observed: vec![],
            rules: BTreeMap::new(),
            took: Duration::ZERO,
            by_hand: String::new(),
            recipe: Recipe::of(case),
            bundle: None,
        }
    }
}
