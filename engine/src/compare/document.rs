//! A report's JSON document as it is read back, field by field: what a reader of reports may rely on. Pure.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::side::SideError;

/// The only shape of a report that is known.
pub(super) const SCHEMA_VERSION: u64 = 1;

/// The facts that tell a host from another one of the same name.
pub(crate) const IDENTITY: [&str; 10] = [
    "engine",
    "engine_version",
    "runtime",
    "runtime_version",
    "rootless",
    "cgroups",
    "cgroup_layout",
    "kernel",
    "os",
    "arch",
];

/// All of a report that is read again. Fields that reports got later have defaults, so that older reports stay readable.
#[derive(Debug, Clone, Deserialize)]
pub struct Document {
    /// The version of its shape.
    pub schema_version: u64,
    /// The version of the program that wrote it.
    #[serde(default)]
    pub sdc_engine_version: String,
    /// The facts of the only host.
    pub host: Option<Value>,
    /// The hosts.
    #[serde(default)]
    pub hosts: Vec<OneHost>,
    /// The cases that ran.
    pub cases: Vec<Ran>,
    /// The cases that did not.
    pub left_out: Vec<Left>,
}

/// A host of a run.
#[derive(Debug, Clone, Deserialize)]
pub struct OneHost {
    /// Its name.
    pub name: String,
    /// Why it was used.
    #[serde(default)]
    pub why_host: String,
    /// Its facts; `None` where it could not be used.
    pub facts: Option<Value>,
    /// Why it could not be used.
    #[serde(default)]
    pub error: Option<String>,
}

/// A case that ran.
#[derive(Debug, Clone, Deserialize)]
pub struct Ran {
    /// Its name.
    pub id: String,
    /// Its scenario.
    pub scenario: String,
    /// The scenario's question.
    #[serde(default)]
    pub title: String,
    /// The scenario's tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Its point in the matrix.
    pub point: IndexMap<String, Value>,
    /// The host's name.
    pub host: String,
    /// The verdict's word, with `_`.
    pub verdict: String,
    /// What the verdict has besides its word.
    #[serde(default)]
    pub detail: Value,
    /// The command line that repeats the boot.
    #[serde(default)]
    pub by_hand: String,
    /// The same by the other engine's program.
    #[serde(default)]
    pub by_hand_elsewhere: String,
    /// The folder with its evidence.
    #[serde(default)]
    pub bundle: Option<String>,
    /// What each step does.
    #[serde(default)]
    pub commands: IndexMap<String, String>,
    /// What each expectation says.
    #[serde(default)]
    pub judgements: Vec<Judged>,
    /// The boot, where there was one.
    pub boot: Option<Boot>,
    /// The steps.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// The normalised texts that goldens are about.
    pub observed: Vec<Seen>,
}

/// What one expectation says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Judged {
    /// `boot`, or `{ step = name }`.
    pub subject: Value,
    /// What was judged.
    pub kind: String,
    /// Whether it held.
    pub held: bool,
    /// What it does to the case when it did not hold.
    pub level: String,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub actual: String,
    /// Where the expectation was written.
    pub place: Option<At>,
}

impl Judged {
    /// `boot`, or the step's name.
    #[must_use]
    pub fn about(&self) -> String {
        self.subject.get("step").map_or_else(|| word(&self.subject), word)
    }
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct At {
    /// The file.
    pub file: String,
    /// The line.
    pub line: u64,
}

/// A boot.
#[derive(Debug, Clone, Deserialize)]
pub struct Boot {
    /// How it ended.
    pub outcome: Value,
    /// The line that decided it.
    pub deciding_line: Option<String>,
    /// The console log.
    #[serde(default)]
    pub console: String,
    /// Whether that was cut.
    #[serde(default)]
    pub console_cut: bool,
    /// The setup script's log.
    #[serde(default)]
    pub setup_log: Option<String>,
    /// Seconds to the outcome.
    #[serde(default)]
    pub took: f64,
    /// Flags that were not applied.
    #[serde(default)]
    pub not_applied: Vec<Unapplied>,
}

/// A flag that the engine did not apply.
#[derive(Debug, Clone, Deserialize)]
pub struct Unapplied {
    /// Its name.
    pub flag: String,
    /// What was asked.
    pub requested: String,
    /// What the engine shows.
    pub effective: String,
}

/// A step.
#[derive(Debug, Clone, Deserialize)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Each run of it.
    pub runs: Vec<Output>,
    /// Why it did not run.
    pub not_run: Option<String>,
}

/// One run of a step.
#[derive(Debug, Clone, Deserialize)]
pub struct Output {
    /// How it ended.
    pub status: Value,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Whether any of these is cut.
    #[serde(default)]
    pub cut: bool,
}

impl Output {
    /// How it ended, in words.
    #[must_use]
    pub fn ended(&self) -> String {
        match (self.status.get("exited"), self.status.get("refused")) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(words)) => format!("not started: {}", word(words)),
            (None, None) if self.status == "background" => "left running".to_owned(),
            (None, None) => word(&self.status).replace('_', " "),
        }
    }
}

/// A text that a golden is about.
#[derive(Debug, Clone, Deserialize)]
pub struct Seen {
    /// Which golden.
    pub key: Key,
    /// The normalised text.
    pub text: String,
}

/// A golden's name.
#[derive(Debug, Clone, Deserialize)]
pub struct Key {
    /// The step, with `.stderr` or `.console` for those streams.
    pub folder: String,
}

/// A case that did not run.
#[derive(Debug, Clone, Deserialize)]
pub struct Left {
    /// Its name.
    pub id: String,
    /// Its scenario.
    #[serde(default)]
    pub scenario: String,
    /// Its point in the matrix.
    #[serde(default)]
    pub point: IndexMap<String, Value>,
    /// The verdict's word, with `_`.
    pub verdict: String,
    /// Why.
    pub detail: String,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// It is no report, or one of a shape that is not known.
    pub fn read(value: Value) -> Result<Self, SideError> {
        // The version first: a document of another one may lack what this one needs.
        match value.get("schema_version").and_then(Value::as_u64) {
            Some(SCHEMA_VERSION) | None => {}
            Some(other) => return Err(SideError::Version(other)),
        }
        let document: Self = serde_json::from_value(value).map_err(|error| SideError::NoReport(error.to_string()))?;
        match document.schema_version {
            SCHEMA_VERSION => Ok(document),
            other => Err(SideError::Version(other)),
        }
    }
}

/// An outcome without what differs between any two boots.
pub(crate) fn outcome(value: &Value) -> String {
    let Some((kind, details)) = value.as_object().and_then(|object| object.iter().next()) else { return word(value) };
    match (details.get("code"), details.get("failed_units")) {
        (Some(code), _) => format!("{kind}({code})"),
        (None, Some(units)) => format!("{kind} ({})", word(units)),
        (None, None) => kind.clone(),
    }
}

/// A case's name without its host.
pub(crate) fn without_host(id: &str, host: &str) -> String {
    let end = |before: &str| format!("{before}host={host}]");
    match (id.strip_suffix(&end("[")), id.strip_suffix(&end(","))) {
        (Some(name), _) => name.to_owned(),
        (None, Some(rest)) => format!("{rest}]"),
        (None, None) => id.to_owned(),
    }
}

/// A value in a reader's words.
pub(crate) fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(word).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
