//! `[boot]`: how its end is noticed, and what must come of it.

use std::time::Duration;

use serde::Serialize;

use super::{Check, Condition, Level, Template};
use crate::source::Loc;

/// What happens with console lines of a boot that no rule knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum UnknownLines {
    /// They are shown and the case warns.
    #[default]
    Warn,
    /// The case fails.
    Fail,
    /// They are not looked at.
    Ignore,
}

/// How a boot may end, without its details. See [`crate::observe::BootOutcome`] for what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BootState {
    /// Every unit is up.
    Running,
    /// Booted, and some unit failed.
    Degraded,
    /// PID 1 ended.
    Exited,
    /// The engine would not start the container.
    Refused,
    /// PID 1 stopped doing anything ("Freezing execution") and the container still runs.
    Frozen,
    /// None of these before the boot's time limit.
    Timeout,
}

impl BootState {
    /// Every state with its word in a file.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Running, "running"),
        (Self::Degraded, "degraded"),
        (Self::Exited, "exited"),
        (Self::Refused, "refused"),
        (Self::Frozen, "frozen"),
        (Self::Timeout, "timeout"),
    ];
}

/// How the end of a boot is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Readiness {
    /// By the console log's line for `multi-user.target`, then one `systemctl is-system-running --wait` by exec.
    #[default]
    Console,
    /// By `systemctl is-system-running --wait` in exec, tried again until systemd answers: needed without a TTY, and it
    /// disturbs what cgroup scenarios measure.
    Exec,
}

/// `[boot]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// How long the boot may take from the container's start.
    pub timeout: Duration,
    /// How readiness is noticed.
    pub ready: Readiness,
    /// A shell command that runs in the container before the setup mode's script and systemd (`sleep 1`).
    pub before: Option<Template>,
    /// What must come of it; never empty: without any in the file it is `state = "running"`.
    pub expect: Vec<BootExpectation>,
    /// What happens with console lines that no rule knows.
    pub unknown_lines: UnknownLines,
    /// Console lines known to be harmless besides the built-in ones.
    pub known_lines: Vec<Template>,
}

/// What a boot must come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootExpectation {
    /// Where it was written.
    pub loc: Loc,
    /// Judged only when this holds.
    pub when: Option<Condition>,
    /// Fails or warns.
    pub level: Level,
    /// Any of these states, if not empty.
    pub state: Vec<BootState>,
    /// Any of these exit codes, for `exited`, if not empty.
    pub exit: Vec<i64>,
    /// Checks of the console log.
    pub checks: Vec<Check>,
}
