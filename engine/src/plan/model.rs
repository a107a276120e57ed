//! What the runner is told to do: every text rendered, every default filled in. Plain values.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::partition::Share;
use crate::scenario::model::Ask;
use crate::scenario::model::{
    BootState, EngineAction, ExitSpec, Level, NormaliseRule, Phase, Point, Readiness, Repeat, Stream, UnknownLines,
    Wait,
};
use crate::shared::Shared;
use crate::source::Place;

/// A case's name: `cgroups/mounts[cgroupns=private,setup_mode=rebind]`. Stable over runs and hosts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(pub String);

impl CaseId {
    /// The name with one more axis.
    #[must_use]
    pub fn with(&self, axis: &str, value: &str) -> Self {
        Self(match self.0.strip_suffix(']') {
            Some(rest) => format!("{rest},{axis}={value}]"),
            None => format!("{}[{axis}={value}]", self.0),
        })
    }

    /// The name without an axis that [`CaseId::with`] gave it; as it is where it has none such.
    #[must_use]
    pub fn without(&self, axis: &str, value: &str) -> Self {
        let own = format!("{axis}={value}]");
        let rest = self.0.strip_suffix(&own);
        Self(match rest.map(|rest| (rest.strip_suffix(','), rest.strip_suffix('['))) {
            Some((Some(rest), _)) => format!("{rest}]"),
            Some((_, Some(bare))) => bare.to_owned(),
            _ => self.0.clone(),
        })
    }
}

impl std::fmt::Display for CaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The container that a boot needs. Equal specs may share a boot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Default)]
pub struct ContainerSpec {
    /// The image's name in `images/`.
    pub image: String,
    /// The setup mode's name in `images/setup/`.
    pub setup_mode: String,
    /// `host`, `private`, or the engine's own default.
    pub cgroupns: Option<String>,
    /// podman's systemd mode: `always`, `true` or `false`.
    pub systemd: Option<String>,
    /// `--privileged`.
    pub privileged: bool,
    /// `--read-only`.
    pub read_only: bool,
    /// `--tty`.
    pub tty: bool,
    /// `--cap-add`, without `CAP_`.
    pub cap_add: Vec<String>,
    /// `--cap-drop`.
    pub cap_drop: Vec<String>,
    /// `--security-opt`.
    pub security_opt: Vec<String>,
    /// podman's `--security-opt unmask=…`: paths, or `ALL`.
    pub unmask: Vec<String>,
    /// `--tmpfs`: path and options (maybe empty).
    pub tmpfs: Shared<BTreeMap<String, String>>,
    /// `--volume`.
    pub volumes: Vec<String>,
    /// `--device`.
    pub devices: Vec<String>,
    /// `--ulimit`.
    pub ulimits: Vec<String>,
    /// `--env`.
    pub env: Shared<BTreeMap<String, String>>,
    /// `--env` of secrets: the variable of sdc-engine's own environment that holds the value. The value is never here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: Shared<BTreeMap<String, String>>,
    /// `--sysctl`.
    pub sysctls: Shared<BTreeMap<String, String>>,
    /// `--stop-signal`.
    pub stop_signal: Option<String>,
    /// `--network`.
    pub network: Option<String>,
    /// `--hostname`.
    pub hostname: Option<String>,
    /// `--userns`.
    pub userns: Option<String>,
    /// podman's `--cgroups`: `enabled`, `disabled`, `no-conmon` or `split`.
    pub cgroups: Option<String>,
    /// `--cgroup-parent`.
    pub cgroup_parent: Option<String>,
    /// `--memory`, in bytes.
    pub memory: Option<i64>,
    /// `--cpus`, in billionths.
    pub nano_cpus: Option<i64>,
    /// `--pids-limit`.
    pub pids_limit: Option<i64>,
    /// `--shm-size`, in bytes.
    pub shm_size: Option<i64>,
    /// `--user`.
    pub user: Option<String>,
    /// What PID 1 runs in place of the image's init.
    pub command: Vec<String>,
}

impl ContainerSpec {
    /// Holds the other's tables in place of equal ones of its own.
    pub(super) fn join(&mut self, other: &Self) {
        self.tmpfs.join(&other.tmpfs);
        self.env.join(&other.env);
        self.secrets.join(&other.secrets);
        self.sysctls.join(&other.sysctls);
    }
}

/// How a container boots: with [`ContainerSpec`] all that decides whether two cases may share a boot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct BootSpec {
    /// The limit from the container's start.
    pub timeout: Duration,
    /// How readiness is noticed.
    pub ready: Readiness,
    /// A shell command before the setup script.
    pub before: Option<String>,
}

/// [`crate::scenario::model::BootExpectation`], rendered; its condition held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BootExpectation {
    /// Where it was written.
    pub place: Place,
    /// Fails or warns.
    pub level: Level,
    /// Any of these states, if not empty.
    pub state: Vec<BootState>,
    /// Any of these codes, if not empty.
    pub exit: Vec<i64>,
    /// Checks of the console log.
    pub checks: Vec<Check>,
}

/// [`crate::scenario::model::Check`], rendered. `@{name}` of captured values is still in its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Where it was written.
    pub place: Place,
    /// The stream.
    pub stream: Stream,
    /// What is asked.
    pub ask: Ask<String>,
}

/// [`crate::scenario::model::Expectation`], rendered; its condition held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expectation {
    /// Where it was written.
    pub place: Place,
    /// Fails or warns.
    pub level: Level,
    /// The exit code.
    pub exit: Option<ExitSpec>,
    /// Checks of the streams.
    pub checks: Vec<Check>,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// This argument vector inside the container.
    Run(Vec<String>),
    /// A command on the engine's side.
    Engine(EngineAction),
}

/// One step, rendered; its condition held. `@{name}` of captured values is still in its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepPlan {
    /// Its name.
    pub name: String,
    /// When it runs.
    pub at: Phase,
    /// What it does.
    pub action: Action,
    /// Left running.
    pub background: bool,
    /// How often.
    pub repeat: Option<Repeat>,
    /// Tried again until it holds.
    pub wait: Option<Wait>,
    /// Name and pattern of values for later steps.
    pub capture: Vec<(String, String)>,
    /// The limit for one run of the command.
    pub timeout: Duration,
    /// Whom it runs as.
    pub user: Option<String>,
    /// Normalising rules for goldens.
    pub normalise: Vec<String>,
    /// What must come of it: at least one that demands something.
    pub expect: Vec<Expectation>,
}

/// One case: a container to boot and what to do and expect there. What is the same in other cases is held once for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CasePlan {
    /// Its name.
    pub id: CaseId,
    /// The scenario's name.
    pub scenario: Shared<String>,
    /// The scenario's question.
    pub title: Shared<String>,
    /// The scenario's tags.
    pub tags: Shared<Vec<String>>,
    /// Its point in the matrix.
    pub point: Point,
    /// The container.
    pub container: Shared<ContainerSpec>,
    /// The boot.
    pub boot: BootSpec,
    /// What must come of the boot.
    pub boot_expect: Shared<Vec<BootExpectation>>,
    /// What to do with console lines that no rule knows.
    pub unknown_lines: UnknownLines,
    /// Patterns of console lines known to be harmless besides the built-in ones.
    pub known_lines: Shared<Vec<String>>,
    /// The steps in order.
    pub steps: Vec<Shared<StepPlan>>,
    /// Own normalising rules.
    pub normalise_rules: Shared<Vec<NormaliseRule>>,
    /// Whether the case must have a boot of its own.
    pub solo: bool,
    /// What it may do to the host.
    pub risk: Shared<Risk>,
}

/// What a case may do to the machine that its container runs on, as far as its flags tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing.
    #[default]
    None,
    /// It may change the host. Why, and what the scenario says of it.
    Host {
        /// The flags, in words.
        flags: String,
        /// The scenario's `host_risk`.
        declared: String,
        /// Whether it can write to cgroups that others use, so that nothing may run beside it.
        alone: bool,
    },
}

impl Risk {
    /// Whether nothing else may run on the host meanwhile.
    #[must_use]
    pub const fn alone(&self) -> bool {
        matches!(self, Self::Host { alone: true, .. })
    }
}

/// The axis that a run on several hosts has besides those of its scenarios.
pub const HOST_AXIS: &str = "host";

/// Cases that share one boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BootGroup {
    /// At least one; all with the same container and boot; one alone if any is `solo`.
    pub cases: Vec<CasePlan>,
}

/// Everything a run will do on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct RunPlan {
    /// The boots, in the order of the scenarios.
    pub groups: Vec<BootGroup>,
    /// The cases that do not run, and why.
    pub left_out: Vec<LeftOut>,
    /// Which share of a larger plan it is.
    pub share: Option<Share>,
}

/// A case that does not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its name.
    pub id: CaseId,
    /// The scenario's name.
    pub scenario: Shared<String>,
    /// Its point in the matrix.
    pub point: Point,
    /// Why.
    pub why: WhyOut,
}

/// Why a case does not run: three different things, counted apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "reason")]
pub enum WhyOut {
    /// The combination makes no sense, by a rule.
    NotApplicable(String),
    /// The user's filters left it out.
    Filtered(String),
    /// This host can't run it, by a fact.
    Skipped(String),
}

#[cfg(test)]
mod tests {
    use super::CaseId;

    #[test]
    fn an_axis_is_added_and_taken_away() {
        for id in ["a", "a[b=1]"] {
            let id = CaseId(id.into());
            assert_eq!(id.with("host", "x").without("host", "x"), id);
            assert_eq!(id.without("host", "x"), id);
        }
        assert_eq!(CaseId("a[myhost=x]".into()).without("host", "x").0, "a[myhost=x]");
    }
}
