//! Carries out a plan on a host: the only place that does. Emits events, asks `judge` for verdicts, prints nothing.
//!
//! A boot is a task: create, put the setup script in, attach, start, watch, run steps, collect, remove. Removal happens
//! on every way out of a task, and once more for everything that carries this run's label when all tasks are over.

mod alive;
mod alone;
mod boot;
mod console;
mod evidence;
mod group;
mod labels;
mod leaks;
mod order;
mod owner;
mod schedule;
mod steps;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

pub use alive::lost;
pub use alone::{Held, boot_alone, release};
pub use boot::argv;
pub use labels::{RUN_LABEL, Sweep, sweep};
pub use order::Lengths;
pub use owner::Owner;
pub use schedule::run;

use crate::diagnose::Diagnoses;
use crate::events::{Event, Summary};
use crate::host::Host;
use crate::images::Catalogue;
use crate::judge::{CaseResult, GoldenKey, GoldenState, Varied};
use crate::leak::HostState;
use crate::plan::CaseId;

/// How many bytes of a console log are kept, half from its start and half from its end.
pub const CONSOLE_LIMIT: usize = 1 << 20;
/// How many bytes of a command's stdout and stderr are kept, each.
pub const OUTPUT_LIMIT: usize = 1 << 20;
/// How many bytes of all runs of a step are kept, of each stream: a step may be repeated without an end, and a report says
/// a byte that is no text in six.
pub const STEP_LIMIT: usize = 4 << 20;
/// Where a setup script logs.
pub const SETUP_LOG: &str = "/var/log/sdc-setup.log";

/// What was recorded for a case, looked up before the run.
pub type Goldens = HashMap<CaseId, BTreeMap<GoldenKey, GoldenState>>;

/// The user's wishes for a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Containers at a time, at least 1.
    pub jobs: usize,
    /// Stop at the first case that fails.
    pub fail_fast: bool,
    /// How often each boot is done, at least 1.
    pub repeat: u32,
    /// Whether the containers of cases that fail stay.
    pub keep_failed: bool,
    /// Whether the containers of cases that fail are asked for evidence, and the folder in which each case's will be.
    pub bundle: Option<PathBuf>,
    /// Whose containers these are.
    pub owner: Owner,
}

/// What a run works with.
pub struct Run {
    /// The host.
    pub host: Arc<dyn Host>,
    /// Images and setup modes.
    pub catalogue: Catalogue,
    /// Each image's tag in the host's store, by our name for it.
    pub tags: BTreeMap<String, String>,
    /// What was recorded.
    pub goldens: Goldens,
    /// How long cases took before: those that take long start first.
    pub lengths: Lengths,
    /// What is known of failed boots.
    pub diagnoses: Arc<Diagnoses>,
    /// The user's wishes.
    pub options: Options,
    /// Who listens.
    pub events: UnboundedSender<Event>,
    /// Ends the run early: containers are removed, no new ones start.
    pub cancel: CancellationToken,
    /// Who hears the consoles, as they print.
    pub hear: Option<UnboundedSender<Bytes>>,
    /// The host's state, where it was looked at shortly before the run.
    pub before: Option<HostState>,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Run {
    /// Tells who listens. A listener that is gone is no reason to stop.
    fn tell(&self, event: Event) {
        let _gone = self.events.send(event);
    }
}

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// A result for each case that ran, in the order of the plan.
    pub results: Vec<CaseResult>,
    /// Cases whose repeated runs gave different golden texts, with one golden that varied.
    pub varied: BTreeMap<CaseId, Varied>,
    /// The run's numbers.
    pub summary: Summary,
    /// The state in which the host was found, where it can be seen.
    pub before: Option<HostState>,
}

impl Outcome {
    /// Takes in what came of a run on another host.
    pub fn add(&mut self, other: Self) {
        self.before = other.before;
        self.results.extend(other.results);
        self.varied.extend(other.varied);
        self.summary.add(other.summary);
    }
}
