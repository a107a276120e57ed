//! Observations: facts about a run, without any opinion. Plain values.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::diagnose::Diagnosis;
use crate::scenario::model::{BootState, Stream};

/// How a boot ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BootOutcome {
    /// `systemctl is-system-running` says `running`.
    Running,
    /// It says `degraded`.
    Degraded {
        /// `systemctl --failed`'s unit names.
        failed_units: Vec<String>,
    },
    /// PID 1 ended.
    Exited {
        /// Its exit code.
        code: i64,
    },
    /// The engine would not create or start the container.
    Refused {
        /// The engine's words.
        message: String,
    },
    /// PID 1 froze.
    Frozen,
    /// Nothing of these within the limit.
    Timeout {
        /// The limit.
        #[serde(deserialize_with = "seconds")]
        after: Duration,
    },
}

impl BootOutcome {
    /// The outcome without its details.
    #[must_use]
    pub const fn state(&self) -> BootState {
        match self {
            Self::Running => BootState::Running,
            Self::Degraded { .. } => BootState::Degraded,
            Self::Exited { .. } => BootState::Exited,
            Self::Refused { .. } => BootState::Refused,
            Self::Frozen => BootState::Frozen,
            Self::Timeout { .. } => BootState::Timeout,
        }
    }
}

impl std::fmt::Display for BootOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Running => f.write_str("running"),
            Self::Degraded { failed_units } => write!(f, "degraded ({})", failed_units.join(", ")),
            Self::Exited { code } => write!(f, "exited({code})"),
            Self::Refused { message } => write!(f, "refused: {message}"),
            Self::Frozen => f.write_str("frozen"),
            Self::Timeout { after } => {
                write!(f, "timeout after {}", humantime::format_duration(*after))
            }
        }
    }
}

/// A flag that was asked for and that the engine's inspect does not show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotApplied {
    /// The flag, as on a command line: `--cap-add`.
    pub flag: String,
    /// What was asked.
    pub requested: String,
    /// What inspect shows.
    pub effective: String,
}

impl std::fmt::Display for NotApplied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} was not applied: the engine shows {}", self.flag, self.requested, self.effective)
    }
}

/// What was seen of one boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootObservation {
    /// How it ended.
    pub outcome: BootOutcome,
    /// The log line (or the engine's message) that shows why; `None` for a boot that runs.
    pub deciding_line: Option<String>,
    /// What is known of that line and others of the log: causes and remedies, the most telling first.
    pub diagnoses: Vec<Diagnosis>,
    /// The console log, ANSI sequences included, as text ([`crate::observe::escape`]), up to the limit of [`crate::runner`].
    pub console: String,
    /// Whether the console log was cut.
    pub console_cut: bool,
    /// The setup script's own log, fetched when the boot did not come to `running`.
    pub setup_log: Option<String>,
    /// From start to the outcome.
    #[serde(deserialize_with = "seconds")]
    pub took: Duration,
    /// Flags that were not applied.
    pub not_applied: Vec<NotApplied>,
}

/// How one run of a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// With this exit code.
    Exited(i64),
    /// The engine could not start it (the container is gone, the cgroup is busy); its words.
    Refused(String),
    /// It did not end within the step's limit.
    TimedOut,
    /// It was left running, as asked.
    Background,
}

impl std::fmt::Display for RunStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit code {code}"),
            Self::Refused(message) => write!(f, "not started: {message}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Background => f.write_str("left running"),
        }
    }
}

/// One run of a step's command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutput {
    /// How it ended.
    pub status: RunStatus,
    /// Standard output, as text ([`crate::observe::escape`]).
    pub stdout: String,
    /// Standard error, as text.
    pub stderr: String,
    /// The outputs that were longer than what is kept of them. A report only says whether there are any.
    #[serde(serialize_with = "any", deserialize_with = "either")]
    pub cut: Vec<Stream>,
    /// How long it took.
    #[serde(deserialize_with = "seconds")]
    pub took: Duration,
}

fn any<S: serde::Serializer>(streams: &[Stream], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(!streams.is_empty())
}

/// Which it was a report does not say: it may be either.
fn either<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Stream>, D::Error> {
    Ok(if bool::deserialize(deserializer)? { vec![Stream::Stdout, Stream::Stderr] } else { Vec::new() })
}

/// A time as reports have it: a number of seconds.
///
/// # Errors
/// What is no time.
pub(crate) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// What was seen of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepObservation {
    /// The step's name.
    pub name: String,
    /// Every run, in order (with `wait`, the last one alone). Empty where the step did not run because the boot or an
    /// earlier step left nothing to run it in; `not_run` says so.
    pub runs: Vec<RunOutput>,
    /// Why it did not run.
    pub not_run: Option<String>,
    /// Captured values known after this step, by name.
    pub captured: BTreeMap<String, String>,
    /// The console log up to the step's end, without ANSI sequences; empty unless an expectation looks at it.
    pub console: String,
    /// Whether something is left out in the middle of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub console_cut: bool,
}
