//! `[[step]]`: what it does, when, how often, and what must come of it.

use std::time::Duration;

use serde::Serialize;

use super::{Ask, Check, Condition, Expectation, Golden, Template};
use crate::source::Sp;

/// When a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// From the container's start on, while systemd boots.
    Boot,
    /// When the boot is complete.
    #[default]
    Ready,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `run = "text"`: by `/bin/sh -c` inside the container.
    Shell(Template),
    /// `run = ["program", "argument"]` inside the container.
    Argv(Vec<Template>),
    /// `engine = "…"`: on the engine's side.
    Engine(EngineAction),
}

/// A command on the engine's side; what it answers is the step's stdout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineAction {
    /// The container's log.
    Logs,
    /// The container's description, as pretty JSON.
    Inspect,
    /// Its processes, a line each.
    Top,
    /// One sample of its statistics, as pretty JSON.
    Stats,
    /// Stops it by its stop signal, then kills it after `grace`; the answer is `exit code N`.
    Stop {
        /// How long it has.
        grace: Duration,
    },
    /// Stops and starts it, and waits for the boot to complete.
    Restart {
        /// How long it has to stop.
        grace: Duration,
    },
    /// Starts it after a stop, and waits for the boot to complete.
    Start,
    /// Sends a signal to PID 1.
    Kill {
        /// The signal's name.
        signal: String,
    },
    /// Waits until PID 1 has ended; the answer is `exit code N`.
    Wait,
}

impl EngineAction {
    /// The command in a reader's words: `logs`, `kill SIGRTMIN+4`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Logs => "logs".to_owned(),
            Self::Inspect => "inspect".to_owned(),
            Self::Top => "top".to_owned(),
            Self::Stats => "stats".to_owned(),
            Self::Stop { grace } => format!("stop, within {}", humantime::format_duration(*grace)),
            Self::Restart { grace } => format!("restart, within {}", humantime::format_duration(*grace)),
            Self::Start => "start".to_owned(),
            Self::Kill { signal } => format!("kill {signal}"),
            Self::Wait => "wait".to_owned(),
        }
    }
}

/// How often a step's command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// `repeat = { times = n }`.
    Times(u32),
    /// `repeat = { for = "2s" }`: one after another until the time is over.
    For(Duration),
}

/// `wait = { limit = "5s", every = "200ms" }`: the command runs again until its expectations hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// How long to try.
    pub limit: Duration,
    /// The pause between tries.
    pub every: Duration,
}

/// `capture.NAME = "regex"`: the first group (or the whole match) of stdout, readable as `@{NAME}` in later steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// The name.
    pub name: String,
    /// The pattern, matched against stdout.
    pub regex: Template,
}

/// `[[step]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, unique in the scenario.
    pub name: Sp<String>,
    /// Runs only when this holds.
    pub when: Option<Condition>,
    /// When it runs.
    pub at: Phase,
    /// What it does.
    pub action: Action,
    /// The command is left running while later steps go on; it ends with the container.
    pub background: bool,
    /// How often it runs.
    pub repeat: Option<Repeat>,
    /// Tried again until it holds.
    pub wait: Option<Wait>,
    /// Values for later steps.
    pub capture: Vec<Capture>,
    /// The limit for one run of the command.
    pub timeout: Duration,
    /// It changes the container, so the boot can't be shared with other scenarios.
    pub changes: bool,
    /// Whom the command runs as.
    pub user: Option<Template>,
    /// Normalising rules for goldens, in order.
    pub normalise: Vec<String>,
    /// What must come of it.
    pub expect: Vec<Expectation>,
}

impl Step {
    /// The recorded texts that its expectations compare with.
    pub fn goldens(&self) -> impl Iterator<Item = (&Check, &Golden)> {
        self.expect.iter().flat_map(|expectation| &expectation.checks).filter_map(|check| match &check.ask {
            Ask::Golden(golden) => Some((check, golden)),
            _ => None,
        })
    }
}
