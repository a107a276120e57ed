//! Expectations: what is asked of exit codes and of texts.

use serde::{Deserialize, Serialize};

use super::{Condition, Template};
use crate::source::Loc;

/// Whether a broken expectation fails the case or only warns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The case fails.
    #[default]
    Fail,
    /// The case warns.
    Warn,
}

/// What a step's commands must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// Where it was written.
    pub loc: Loc,
    /// Judged only when this holds.
    pub when: Option<Condition>,
    /// Fails or warns.
    pub level: Level,
    /// The exit code; `None` where the file does not say (then 0 is demanded once a step, unless another
    /// expectation of the step names the exit code).
    pub exit: Option<ExitSpec>,
    /// Checks of the streams.
    pub checks: Vec<Check>,
}

/// Which exit codes hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExitSpec {
    /// Any code, and a command that the engine could not start (`"any"`).
    Any,
    /// Any code but 0 (`"nonzero"`).
    NonZero,
    /// One of these.
    OneOf(Vec<i64>),
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// The command's standard output (for an engine command, its answer).
    Stdout,
    /// The command's standard error.
    Stderr,
    /// The container's console log up to then, without ANSI sequences.
    Console,
}

/// One thing asked of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Where it was written.
    pub loc: Loc,
    /// The stream.
    pub stream: Stream,
    /// What is asked.
    pub ask: Ask<Template>,
}

/// What is asked of a text; `T` is [`Template`] before rendering and `String` in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask<T> {
    /// `regex`: found somewhere (multi-line mode: `^` and `$` match at lines).
    Regex(T),
    /// `not_regex`: found nowhere.
    NotRegex(T),
    /// `contains`.
    Contains(T),
    /// `not_contains`.
    NotContains(T),
    /// `equals`: the whole text, without spaces and line ends around it.
    Equals(T),
    /// `empty`: nothing but white space (or, for false, something).
    Empty(bool),
    /// `lines`: how many, least and most.
    Lines(usize, Option<usize>),
    /// `set`: the words of the text as a set.
    Set(SetRelation, Vec<T>),
    /// `golden`: the normalised text is the recorded one.
    Golden(Golden),
}

/// A recorded text to compare with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Golden {
    /// Its folder: the step's name, or one of its own.
    pub name: String,
    /// What counts as equal.
    pub compare: Compare,
}

/// What of a golden's text counts; the text that is compared and recorded has nothing else in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// Every line, in order.
    #[default]
    Exact,
    /// The lines, in any order: they are sorted, and blank ones are left out.
    Unordered,
    /// The cells below each heading, whatever their width and the order of the columns.
    Table(TableForm),
}

/// What of a table counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Default)]
pub struct TableForm {
    /// The headings of the columns that are looked at, in the order in which they are written; all of them, by name, if
    /// empty.
    pub columns: Vec<String>,
    /// Whether rows are sorted, so that their order does not count.
    pub sort_rows: bool,
}

/// How the words of a text must relate to a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetRelation {
    /// `at_least`: all of these, and maybe more.
    AtLeast,
    /// `equal`: these and no others.
    Equal,
    /// `at_most`: none but these.
    AtMost,
    /// `none_of`: none of these.
    NoneOf,
}
