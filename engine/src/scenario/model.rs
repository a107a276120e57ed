//! A validated scenario: every name in it is known, every template and pattern compiles, nothing is rendered yet.

use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::shared::Shared;
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

/// One value of an axis.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AxisValue {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text.
    Str(Shared<String>),
}

/// The name of an axis: every case has those of its scenario.
pub type AxisName = Shared<String>;

/// A point of a matrix: the value of each axis, in the order of the file.
pub type Point = IndexMap<AxisName, AxisValue>;

impl std::fmt::Display for AxisValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Str(s) => f.write_str(s),
        }
    }
}

/// A value of an axis and the rule by which it may be left out (`{ value = "legacy", when = "…", reason = "…" }`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AxisEntry {
    /// The value.
    pub value: AxisValue,
    /// Cases with this value are applicable only when the condition holds; `reason` says why not otherwise.
    pub only: Option<Rule>,
}

/// `[matrix]`: the axes in the order of the file, and what is taken out or added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matrix {
    /// Axis name to values; never an empty list.
    pub axes: IndexMap<AxisName, Vec<AxisEntry>>,
    /// Combinations that are not applicable, with the reason.
    pub exclude: Vec<Rule>,
    /// Points added to the cross product; each names every axis.
    pub include: Vec<Point>,
}

/// One layer of `[container]`: what is absent leaves the layer below as it is.
///
/// In a plain layer a list replaces the list below it; in a conditional layer (`[[container.when]]`) it is appended.
/// Maps are merged by key in both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layer {
    /// The condition of a `[[container.when]]` layer (its key is `if`).
    pub when: Option<Condition>,
    /// Scalars by key; booleans and numbers are templates too (`"${{ setup_mode == 'default' }}"`).
    pub scalars: IndexMap<Scalar, Template>,
    /// Lists by [`List`].
    pub lists: IndexMap<List, Vec<Template>>,
    /// Maps by [`Map`].
    pub maps: IndexMap<Map, IndexMap<String, Template>>,
    /// Secrets of `env`: name to the variable of sdc-engine's own environment that holds the value.
    pub secrets: IndexMap<String, String>,
}

/// Keys of `[container]` that hold one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scalar {
    /// `image`: a folder of `images/`.
    Image,
    /// `setup_mode`: a folder of `images/setup/`.
    SetupMode,
    /// `cgroupns`: `host` or `private`.
    Cgroupns,
    /// `systemd`: podman's systemd mode, `always`, `true` or `false`.
    Systemd,
    /// `privileged`: a boolean.
    Privileged,
    /// `read_only`: a boolean.
    ReadOnly,
    /// `tty`: a boolean, true unless said otherwise (without one there is no console log).
    Tty,
    /// `stop_signal`, such as `SIGRTMIN+3`.
    StopSignal,
    /// `network`, such as `none`.
    Network,
    /// `hostname`.
    Hostname,
    /// `userns`, such as `host`.
    Userns,
    /// `cgroups`: podman's, `enabled`, `disabled`, `no-conmon` or `split`.
    Cgroups,
    /// `cgroup_parent`.
    CgroupParent,
    /// `memory`, with a unit as in docker (`256m`).
    Memory,
    /// `cpus`, such as `0.5`.
    Cpus,
    /// `pids_limit`.
    PidsLimit,
    /// `shm_size`, with a unit as in docker.
    ShmSize,
    /// `user`: whom PID 1 runs as.
    User,
}

impl Scalar {
    /// Every scalar with its key in a file.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Image, "image"),
        (Self::SetupMode, "setup_mode"),
        (Self::Cgroupns, "cgroupns"),
        (Self::Systemd, "systemd"),
        (Self::Privileged, "privileged"),
        (Self::ReadOnly, "read_only"),
        (Self::Tty, "tty"),
        (Self::StopSignal, "stop_signal"),
        (Self::Network, "network"),
        (Self::Hostname, "hostname"),
        (Self::Userns, "userns"),
        (Self::Cgroups, "cgroups"),
        (Self::CgroupParent, "cgroup_parent"),
        (Self::Memory, "memory"),
        (Self::Cpus, "cpus"),
        (Self::PidsLimit, "pids_limit"),
        (Self::ShmSize, "shm_size"),
        (Self::User, "user"),
    ];
}

/// Keys of `[container]` that hold a list of texts. A text that renders to nothing is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum List {
    /// `cap_add`, names without `CAP_`.
    CapAdd,
    /// `cap_drop`.
    CapDrop,
    /// `security_opt`, such as `apparmor=unconfined`.
    SecurityOpt,
    /// `unmask`: podman's, paths that are not hidden in the container, or `ALL`.
    Unmask,
    /// `tmpfs`: `path` or `path:options`.
    Tmpfs,
    /// `volumes`: `host:container[:options]`.
    Volumes,
    /// `devices`: `host[:container[:rwm]]`.
    Devices,
    /// `ulimits`: `name=soft[:hard]`.
    Ulimits,
    /// `command`: what PID 1 runs in place of the image's init.
    Command,
}

impl List {
    /// Every list with its key in a file.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::CapAdd, "cap_add"),
        (Self::CapDrop, "cap_drop"),
        (Self::SecurityOpt, "security_opt"),
        (Self::Unmask, "unmask"),
        (Self::Tmpfs, "tmpfs"),
        (Self::Volumes, "volumes"),
        (Self::Devices, "devices"),
        (Self::Ulimits, "ulimits"),
        (Self::Command, "command"),
    ];
}

/// Keys of `[container]` that hold a table of texts. A value that renders to nothing is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Map {
    /// `env`.
    Env,
    /// `sysctls`.
    Sysctls,
}

impl Map {
    /// Every map with its key in a file.
    pub const ALL: &'static [(Self, &'static str)] = &[(Self::Env, "env"), (Self::Sysctls, "sysctls")];
}

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
