//! A validated scenario: every name in it is known, every template and pattern compiles, nothing is rendered yet.

mod boot;
mod container;
mod expect;
mod matrix;
mod step;

use serde::Serialize;

pub use boot::{Boot, BootExpectation, BootState, Readiness, UnknownLines};
pub use container::{Layer, List, Map, Scalar};
pub use expect::{Ask, Check, Compare, ExitSpec, Expectation, Golden, Level, SetRelation, Stream, TableForm};
pub use matrix::{AxisEntry, AxisName, AxisValue, Matrix, Point};
pub use step::{Action, Capture, EngineAction, Phase, Repeat, Step, Wait};

use crate::source::{Loc, Sp};

/// A text that may hold `${{ … }}`; it is known to compile and to name known variables only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(pub Sp<String>);

/// A bare expression (`host.cgroups == 'v1'`), known to compile and to name known variables only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition(pub Sp<String>);

/// A condition and why it holds: `[[matrix.exclude]]`, `[[skip]]`, `[[not_applicable]]` of a setup mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// When it applies.
    pub when: Condition,
    /// Why, for the report.
    pub reason: String,
}

/// The names of the normalising rules that are built in.
pub const BUILTIN_RULES: &[&str] = &["ansi", "cgroup", "ids", "pids", "times", "sizes", "paths"];

/// A normalising rule of a scenario's own: `[normalise_rule.NAME] regex = "…", replace = "…"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NormaliseRule {
    /// The name by which steps use it.
    pub name: String,
    /// What is replaced.
    pub regex: String,
    /// By what (`$1` as in the regex crate).
    pub replace: String,
}

/// Which of a scenario's cases run: all, or as many as bring every value, or every pair of values of two axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// Every case.
    #[default]
    Full,
    /// Each pair of values of two axes that some case has is in one that runs.
    Pairwise,
    /// Each value of each axis that some case has is in one that runs.
    Each,
}

/// One scenario file, with the defaults of its folders merged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// The path below the scenarios' root without `.toml`, such as `cgroups/mounts`.
    pub name: String,
    /// The start of the file.
    pub loc: Loc,
    /// The question.
    pub title: String,
    /// Why someone would ask, and links.
    pub description: String,
    /// Words to select by.
    pub tags: Vec<String>,
    /// Whether the scenario must have a boot of its own.
    pub fresh: bool,
    /// What its containers may change on the host, and why that is wanted; containers that can are an error without it.
    pub host_risk: Option<String>,
    /// Which of its cases run where the user asks for no more.
    pub select: Selection,
    /// The axes.
    pub matrix: Matrix,
    /// When a host can't run a case though it is applicable.
    pub skip: Vec<Rule>,
    /// Container flags, lowest layer first.
    pub layers: Vec<Layer>,
    /// The boot.
    pub boot: Boot,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Rules of its own, after those of the defaults.
    pub normalise_rules: Vec<NormaliseRule>,
    /// Where the file itself names rules; what it inherits is not among them.
    pub named_rules: Vec<NamedRule>,
}

/// A place where a scenario's own file names a normalising rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRule {
    /// The name.
    pub name: Sp<String>,
    /// The steps for whose goldens it is meant.
    pub steps: Vec<String>,
}
