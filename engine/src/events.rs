//! What the runner says while it works and the reporters read. Owned, serialisable values; neither side knows the other.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::judge::{CaseResult, UnusedRule};
use crate::leak::Leak;
use crate::plan::{CaseId, CasePlan, LeftOut, Share};

/// Where a boot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BootPhase {
    /// The container is made and the setup script put in.
    Create,
    /// The container was started; systemd boots.
    Boot,
    /// Steps run.
    Steps,
    /// Logs are collected and the container is removed.
    Remove,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The run starts on a host; one on several hosts starts on one after another.
    RunStarted {
        /// The host.
        host: Box<Facts>,
        /// Why this host was chosen.
        why_host: String,
        /// Cases that will run.
        cases: usize,
        /// Containers that will boot.
        boots: usize,
        /// Cases that will not run.
        left_out: Vec<LeftOut>,
        /// How many containers at a time.
        jobs: usize,
        /// Which share of a larger plan it is.
        share: Option<Share>,
    },
    /// One of several hosts can't be used: its cases end as errors without a boot.
    HostFailed {
        /// The host's name.
        host: String,
        /// Why it was to be used.
        why_host: String,
        /// What is wrong with it.
        reason: String,
        /// Cases that end so.
        cases: usize,
    },
    /// Something slow that is no case: an image is made, an engine starts.
    Notice {
        /// What.
        message: String,
    },
    /// A boot came to a phase.
    Phase {
        /// The boot's number in this run, from 0.
        boot: usize,
        /// The cases that it serves, at least one.
        cases: Vec<CaseId>,
        /// The limit of the boot, from the container's start.
        limit: Duration,
        /// The phase.
        phase: BootPhase,
    },
    /// A boot is over and its container is removed.
    BootOver {
        /// The boot's number.
        boot: usize,
    },
    /// What the container of cases that failed could still show. Before the verdicts of its cases, once for each boot
    /// in which any failed, where it was asked for.
    Evidence {
        /// The cases that failed.
        cases: Vec<CasePlan>,
        /// What it showed.
        evidence: Box<Evidence>,
    },
    /// A case has its verdict.
    CaseFinished {
        /// Everything of it.
        result: Box<CaseResult>,
    },
    /// After all cases of a whole run: a normalising rule that a scenario names and that changed nothing.
    RuleUnused {
        /// Which, and where it is named.
        rule: UnusedRule,
    },
    /// The run is over.
    RunFinished {
        /// Its numbers.
        summary: Summary,
    },
}

/// What a container shows of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Evidence {
    /// By the names of the files that it becomes.
    pub files: Vec<EvidenceFile>,
}

/// One thing that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EvidenceFile {
    /// The file's name.
    pub name: String,
    /// The text ([`crate::observe::escape`]) and whether it was cut; or why it could not be had.
    pub content: Result<(String, bool), String>,
}

/// A run's numbers; verdicts are counted from the results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Summary {
    /// Containers that were started.
    pub boots: usize,
    /// Wall time from the first event to the last.
    pub took: Duration,
    /// Whether the run was interrupted or stopped at the first failure before all cases had run.
    pub stopped_early: Option<String>,
    /// What could not be removed, if anything.
    pub left_behind: Vec<String>,
    /// What cases changed on their hosts.
    pub leaks: Vec<Leak>,
    /// Containers that stay because their cases failed.
    pub kept: Vec<Kept>,
}

impl Summary {
    /// Takes in the numbers of a run besides: on another host, or of another share.
    pub fn add(&mut self, other: Self) {
        let Self { boots, took, stopped_early, left_behind, leaks, kept } = other;
        self.boots += boots;
        self.took += took;
        self.left_behind.extend(left_behind);
        self.leaks.extend(leaks);
        self.kept.extend(kept);
        self.stopped_early = self.stopped_early.take().or(stopped_early);
    }
}

/// A container that stays when its run is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The host.
    pub host: String,
    /// The container's name.
    pub container: String,
    /// The first of its cases that failed.
    pub case: CaseId,
    /// Whether it runs still.
    pub running: bool,
    /// The program and words that reach its engine by hand.
    pub client: String,
}
