//! The command line.

mod looking;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::File;
use crate::facts::EngineKind;
use crate::matrix::{MAX_CASES, Select};
use crate::plan::Partition;
use crate::rerun::Only;

pub(super) use looking::{LogsArgs, OneArgs, RerunArgs, ShellArgs};

/// What works, and what does not, when systemd runs inside a container.
#[derive(Debug, Parser)]
#[command(name = "sdc-engine", version, about, after_help = EXIT_CODES, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How much to log on stderr: error, warn, info, debug, trace.
    #[arg(long, global = true, value_name = "LEVEL", env = "SDC_ENGINE_LOG", default_value = "warn")]
    pub log_level: String,
    /// Where images and setup modes are declared.
    #[arg(long, global = true, value_name = "FOLDER", default_value = "images")]
    pub images: PathBuf,
    /// Where goldens are recorded.
    #[arg(long, global = true, value_name = "FOLDER", default_value = "golden")]
    pub golden: PathBuf,
    /// Where check sets aside what differs from the goldens, until it is reviewed.
    #[arg(long, global = true, value_name = "FOLDER", default_value = ".sdc-engine")]
    pub aside: PathBuf,
    /// Leave names of users and machines in what is written for others (--json, --junit, recorded.toml), instead of
    /// <user>, <home>, <machine-1>. The terminal's text always has them.
    #[arg(long, global = true)]
    pub no_redact: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    something ran, and everything that was expected held
  1    the subject differs from what was expected, or has no golden yet
  2    a scenario, a golden or the command line is wrong; nothing was started
  3    the environment is wrong: no engine, no image, or an engine that broke
  130  interrupted; everything that was started is removed";

const CHECK_ENDS: &str = "\
Exit codes:
  0    something ran, and everything that was expected held (warnings do not count)
  1    the subject differs from what was expected, or has no golden yet
  2    a scenario, a golden or the command line is wrong, or no case is selected; nothing was started
  3    the environment is wrong: no engine, no image, an engine that broke, or something could not be removed
  130  interrupted; everything that was started is removed

What failed runs again with `sdc-engine rerun --failed`. In GitHub Actions failures are annotated, and the step gets a summary.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs scenarios in real containers and compares what happens with what they expect. Writes no golden.
    Check(CheckArgs),
    /// Runs again what failed in the last run, or in a report.
    Rerun(RerunArgs),
    /// Shows what differs between two hosts, or between reports that check has written.
    Compare(CompareArgs),
    /// Reads the log of a container in which systemd did not come up, and says the cause and the fix.
    Diagnose(DiagnoseArgs),
    /// Boots an image with more and more grants until systemd comes up, and says the least that it needs, as docker, podman and
    /// compose have it.
    Advise(AdviseArgs),
    /// Makes a page of the support table, HTML or Markdown, from reports that check has written.
    Report(ReportArgs),
    /// Joins reports that check has written, such as those of all shares of a --partition, into one.
    Merge(MergeArgs),
    /// Shows the cases, and why each is in or out. Starts nothing when the facts are given.
    List(ListArgs),
    /// Shows the host that would be used, why, and its facts.
    Host(HostCommand),
    /// Lists, makes and removes the images that scenarios use.
    Images(ImagesArgs),
    /// Runs scenarios and records what they show as goldens.
    Update(UpdateArgs),
    /// Walks through what check saw beyond the goldens, and asks what to do with it.
    Review(ReviewArgs),
    /// Records what check saw of these cases as goldens.
    Accept(AcceptArgs),
    /// Forgets what check saw of these cases.
    Reject(RejectArgs),
    /// Shows what a case will do, and the command lines that do it by hand, without running it. With --goldens: how its
    /// golden texts are made of what it printed, line by line and rule by rule.
    Explain(ExplainArgs),
    /// Boots a case as it is planned and enters it; it is removed when the shell ends.
    Shell(ShellArgs),
    /// Boots a case and shows its console while it prints.
    Logs(LogsArgs),
    /// Runs everything and, where all of it held, shows the goldens that are of no case any more; --yes removes them.
    Prune(PruneArgs),
    /// Writes a commented scenario to start from: it runs as it is.
    New(NewArgs),
    /// Says whether scenarios are right, for every kind of host, and warns of what has no effect. Starts nothing.
    Lint(LintArgs),
    /// Prints the keys that files may have, as a JSON Schema for editors or, with --markdown, as a reference.
    Schema(SchemaArgs),
    /// Prints a shell's completions: sdc-engine completions bash >/etc/bash_completion.d/sdc-engine
    Completions(CompletionsArgs),
    /// Prints the manual page, or that of a command: sdc-engine man check | man -l -
    Man(ManArgs),
    /// Removes what runs that died have left on a host.
    Clean(CleanArgs),
}

/// Which host.
#[derive(Debug, Clone, Args)]
pub struct HostArgs {
    /// Where containers run: unix:///path, tcp://address, ssh://user@host, or a lab host (docker-v1, docker-v2). Without it:
    /// DOCKER_HOST, CONTAINER_HOST, the docker context, the usual sockets, a private engine.
    #[arg(long, alias = "container-host", value_name = "HOST", env = "SDC_ENGINE_HOST")]
    pub host: Option<String>,
    /// Only a host with this engine: docker or podman.
    #[arg(long, value_name = "ENGINE", value_parser = engine)]
    pub container_exe: Option<EngineKind>,
}

/// Which hosts: several make the axis `host`.
#[derive(Debug, Clone, Args)]
pub struct HostsArgs {
    /// Where containers run: unix:///path, tcp://address, ssh://user@host, or a lab host (docker-v1, docker-v2); given more
    /// than once, on each in turn. Without it: DOCKER_HOST, CONTAINER_HOST, the docker context, the usual sockets, a private engine.
    #[arg(
        long = "host",
        alias = "container-host",
        id = "host",
        value_name = "HOST",
        env = "SDC_ENGINE_HOST",
        value_delimiter = ','
    )]
    pub hosts: Vec<String>,
    /// Only hosts with this engine: docker or podman.
    #[arg(long, value_name = "ENGINE", value_parser = engine)]
    pub container_exe: Option<EngineKind>,
}

/// The original's tool names an engine by its program, maybe with a path.
fn engine(text: &str) -> Result<EngineKind, String> {
    match text.rsplit('/').next().unwrap_or_default() {
        "docker" => Ok(EngineKind::Docker),
        "podman" => Ok(EngineKind::Podman),
        _ => Err("there are: docker, podman".to_owned()),
    }
}

/// A time as scenarios have it, kept as it was written; with a limit, so that multiples of it are times too.
fn duration(text: &str) -> Result<String, String> {
    match humantime::parse_duration(text) {
        Ok(time) if !time.is_zero() && time.as_secs() <= 3600 => Ok(text.to_owned()),
        Ok(_) => Err("more than nothing, and an hour at most".to_owned()),
        Err(error) => Err(format!("{error}; such as 20s or 1m 30s")),
    }
}

/// Which scenarios and cases.
#[derive(Debug, Clone, Args)]
pub struct SelectArgs {
    /// Scenario files, or folders of them.
    #[arg(default_value = "scenarios", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only these values of the axis setup_mode.
    #[arg(long, value_name = "A,B", value_delimiter = ',', alias = "setup-modes")]
    pub setup_mode: Vec<String>,
    /// Only these values of the axis cgroupns.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub cgroupns: Vec<String>,
    /// Only these values of the axis cgroup_mode.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub cgroup_mode: Vec<String>,
    /// Only these values of any axis; may be given more than once.
    #[arg(long, value_name = "NAME=A,B")]
    pub axis: Vec<String>,
    /// Only cases whose id has all of these words (!word: has it not); given more than once, any of the lines counts.
    #[arg(short = 'k', value_name = "WORDS")]
    pub names: Vec<String>,
    /// Only scenarios with one of these tags.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub tag: Vec<String>,
    /// How many of these cases: as each scenario says for itself, all, or as many as bring every pair of values of two axes.
    #[arg(long, value_name = "HOW", default_value = "default")]
    pub select: SelectHow,
    /// Only one share of these cases, for several machines that run one share each: slice:1/3 deals boots by their place,
    /// hash:1/3 by what they are, so that a new case moves no other. `merge` joins the reports.
    #[arg(long, value_name = "HOW:M/N")]
    pub partition: Option<Partition>,
    /// The most cases that one scenario may have.
    #[arg(long, value_name = "N", default_value_t = MAX_CASES)]
    pub max_cases: usize,
    /// Only these cases: no flag, but what `rerun` asks for.
    #[arg(skip)]
    pub only: Option<Only>,
}

/// `--select`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SelectHow {
    /// As each scenario says.
    Default,
    /// All.
    Full,
    /// As many as bring every pair of values.
    Pairwise,
}

impl From<SelectHow> for Select {
    fn from(how: SelectHow) -> Self {
        match how {
            SelectHow::Default => Self::Default,
            SelectHow::Full => Self::Full,
            SelectHow::Pairwise => Self::Pairwise,
        }
    }
}

impl SelectArgs {
    /// These cases of the scenarios below these paths; no case is named: all.
    #[must_use]
    pub fn of(paths: &PathArgs, names: Vec<String>) -> Self {
        let (setup_mode, cgroupns, cgroup_mode, axis, tag) = (vec![], vec![], vec![], vec![], vec![]);
        let PathArgs { paths, max_cases } = paths.clone();
        Self {
            paths,
            setup_mode,
            cgroupns,
            cgroup_mode,
            axis,
            names,
            tag,
            select: SelectHow::Full,
            partition: None,
            max_cases,
            only: None,
        }
    }

    /// Whether anything else than all of the scenarios is selected.
    #[must_use]
    pub fn is_some_selection(&self) -> bool {
        let lists = [&self.setup_mode, &self.cgroupns, &self.cgroup_mode, &self.axis, &self.names, &self.tag];
        let some = lists.iter().any(|list| !list.is_empty()) || self.partition.is_some() || self.only.is_some();
        self.paths != [PathBuf::from("scenarios")] || some
    }
}

/// Which containers stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Keep {
    /// Those of cases that fail.
    Failed,
}

/// How cases run.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    /// Containers at a time [default: the cores, twice].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub jobs: Option<u32>,
    /// Stop at the first case that fails.
    #[arg(long)]
    pub fail_fast: bool,
    /// Also run, on a host that is no lab host of ours, cases that may change it: in the host's cgroup namespace, privileged,
    /// with its folders or devices.
    #[arg(long)]
    pub allow_host_risk: bool,
    /// Keep the containers of cases that fail, and say how to enter and remove them. A private engine stays up for them
    /// until Ctrl-C.
    #[arg(long, value_name = "WHICH")]
    pub keep: Option<Keep>,
    /// Write a JUnit report.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write a JSON report ('-': to stdout).
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write what happens as it happens, a JSON object a line ('-': to stdout); README says what they have.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// Write a folder of evidence below this one for each case that fails: console, journal, failed units, mounts, cgroups,
    /// inspect, verdict, the command by hand.
    #[arg(long, value_name = "FOLDER")]
    pub bundle: Option<PathBuf>,
    /// Show every case, also those that pass.
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Show failures and the last line only.
    #[arg(short, long)]
    pub quiet: bool,
}

impl RunArgs {
    /// Whether something else than text for people goes to stdout.
    #[must_use]
    pub fn stdout_is_taken(&self) -> bool {
        self.for_a_program() || self.junit.as_ref().is_some_and(|path| path.as_os_str() == "-")
    }

    /// Whether stdout is for a program.
    #[must_use]
    pub fn for_a_program(&self) -> bool {
        [&self.json, &self.events].into_iter().flatten().any(|path| path.as_os_str() == "-")
    }
}

/// `check`.
#[derive(Debug, Clone, Args)]
#[command(after_help = CHECK_ENDS)]
pub struct CheckArgs {
    /// Which cases.
    #[command(flatten)]
    pub select: SelectArgs,
    /// Where.
    #[command(flatten)]
    pub host: HostsArgs,
    /// How.
    #[command(flatten)]
    pub run: RunArgs,
    /// Run each case this often; what differs between the runs is flaky.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
    /// Leave out the cases that passed when they last ran here, and of which nothing differs since: scenario, goldens, setup
    /// mode, image, host and sdc-engine itself.
    #[arg(long, conflicts_with_all = ["repeat", "partition"])]
    pub changed: bool,
}

/// `update`.
#[derive(Debug, Clone, Args)]
pub struct UpdateArgs {
    /// Which cases.
    #[command(flatten)]
    pub select: SelectArgs,
    /// Where.
    #[command(flatten)]
    pub host: HostsArgs,
    /// How.
    #[command(flatten)]
    pub run: RunArgs,
    /// Why the recorded truth changes; kept beside the goldens.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Run each case this often; one that varies is refused.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
}

/// Where scenarios are.
#[derive(Debug, Clone, Args)]
pub struct PathArgs {
    /// Scenario files, or folders of them, that check was given.
    #[arg(default_value = "scenarios", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The most cases that one scenario may have.
    #[arg(long, value_name = "N", default_value_t = MAX_CASES)]
    pub max_cases: usize,
}

/// `review`.
#[derive(Debug, Clone, Args)]
pub struct ReviewArgs {
    /// The scenarios.
    #[command(flatten)]
    pub paths: PathArgs,
    /// Show what is set aside, and ask nothing; exit 1 where something is.
    #[arg(long)]
    pub list: bool,
    /// The same as JSON, an array for each change.
    #[arg(long)]
    pub json: bool,
    /// Runs that must have seen a text before it is recorded; what is missing is run.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub runs: u32,
}

/// Which of the texts that are set aside.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct WhichArgs {
    /// Those of this case: its id, or words that its id has (!word: has not); may be given more than once.
    #[arg(long, value_name = "ID")]
    pub case: Vec<String>,
    /// All of them.
    #[arg(long)]
    pub all: bool,
}

/// `accept`.
#[derive(Debug, Clone, Args)]
pub struct AcceptArgs {
    /// The scenarios.
    #[command(flatten)]
    pub paths: PathArgs,
    /// Which texts.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Why the recorded truth changes; kept beside the goldens.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Runs that must have seen a text before it is recorded; what is missing is run.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub runs: u32,
}

/// `reject`.
#[derive(Debug, Clone, Args)]
pub struct RejectArgs {
    /// The scenarios.
    #[command(flatten)]
    pub paths: PathArgs,
    /// Which texts.
    #[command(flatten)]
    pub which: WhichArgs,
}

/// `prune`.
#[derive(Debug, Clone, Args)]
pub struct PruneArgs {
    /// All scenarios that the goldens are of: those of others count as not needed.
    #[command(flatten)]
    pub paths: PathArgs,
    /// Where. What was recorded on other kinds of hosts stays.
    #[command(flatten)]
    pub host: HostsArgs,
    /// How.
    #[command(flatten)]
    pub run: RunArgs,
    /// Remove them.
    #[arg(long)]
    pub yes: bool,
}

/// `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// The case's id, or words that it has.
    #[arg(value_name = "CASE")]
    pub case: String,
    /// The scenarios.
    #[command(flatten)]
    pub paths: PathArgs,
    /// Where it runs; with --goldens, unless check has set it aside.
    #[command(flatten)]
    pub host: HostArgs,
    /// Show its golden texts before and after normalising. What check has set aside is shown, any other case is run once.
    #[arg(long)]
    pub goldens: bool,
    /// Take these facts for the host's, and start nothing at all: see `list --help`.
    #[arg(long, value_name = "FACT=VALUE", value_delimiter = ',', conflicts_with_all = ["host", "goldens"])]
    pub assume: Vec<String>,
    /// Also run, on a host that is no lab host of ours, cases that may change it.
    #[arg(long)]
    pub allow_host_risk: bool,
}

/// `diagnose`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Exit codes: 0 the cause is known, 1 it is not (and what to do then is said).\n\n\
    Examples:\n  docker logs web 2>&1 | sdc-engine diagnose\n  sdc-engine diagnose --container web\n  \
    sdc-engine diagnose console.log")]
pub struct DiagnoseArgs {
    /// A file with the log, or the engine's words where it refused to start; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-", conflicts_with = "container")]
    pub file: PathBuf,
    /// Read the log of this container, running or ended; its flags and its host are taken into account.
    #[arg(long, value_name = "NAME")]
    pub container: Option<String>,
    /// Where the container is.
    #[command(flatten)]
    pub host: HostArgs,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `advise`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Exit codes: 0 something works, 1 nothing does (and what is in the way is said), 3 the environment is wrong.\n\n\
    Examples:\n  sdc-engine advise debian-12 --host docker-v2\n  sdc-engine advise registry.example/web:1 --init /lib/systemd/systemd"
)]
pub struct AdviseArgs {
    /// An image that the engine has (nothing is pulled), or one of images/.
    #[arg(value_name = "IMAGE")]
    pub image: String,
    /// Where it is tried.
    #[command(flatten)]
    pub host: HostArgs,
    /// What PID 1 runs [default: /sbin/init, or what images/ declares].
    #[arg(long, value_name = "COMMAND")]
    pub init: Option<String>,
    /// How long a boot may take.
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration)]
    pub timeout: String,
    /// Also try, on a host that is no lab host of ours, what may change it: its cgroups, and privileged.
    #[arg(long)]
    pub allow_host_risk: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// Which cases.
    #[command(flatten)]
    pub select: SelectArgs,
    /// Where.
    #[command(flatten)]
    pub host: HostsArgs,
    /// Take these facts for the host's, such as cgroups=v2,engine=podman (sets with +: controllers=memory+pids).
    #[arg(long, value_name = "FACT=VALUE", value_delimiter = ',', conflicts_with = "host")]
    pub assume: Vec<String>,
    /// As check with this flag: cases that may change the host run, though it is no lab host.
    #[arg(long)]
    pub allow_host_risk: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `compare`.
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// A host, as --host takes it, on which the scenarios run; or a report of check --json FILE (FILE#HOST: one host of
    /// a report that has several, by its name there: 'FILE#ssh://<user>@<machine-1>' where names were taken out).
    #[arg(value_name = "A")]
    pub a: String,
    /// The other side.
    #[arg(value_name = "B")]
    pub b: String,
    /// Hold cases against each other that differ in this axis, where the sides share no value of it: cgroup_mode, between
    /// hosts with cgroup v1 and v2; may be given more than once.
    #[arg(long, value_name = "AXIS")]
    pub across: Vec<String>,
    /// Which cases run.
    #[command(flatten)]
    pub select: SelectArgs,
    /// Only hosts with this engine: docker or podman.
    #[arg(long, value_name = "ENGINE", value_parser = engine)]
    pub container_exe: Option<EngineKind>,
    /// Containers at a time [default: the cores, twice].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub jobs: Option<u32>,
    /// Run each case this often; one that varies is flaky, which is a verdict like any other.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
    /// Also run, on a host that is no lab host of ours, cases that may change it.
    #[arg(long)]
    pub allow_host_risk: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `report`.
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("page").required(true).multiple(true).args(["html", "markdown", "findings"]))]
pub struct ReportArgs {
    /// Reports of check --json FILE: their hosts stand side by side. Of a case that several have on the same host the last
    /// one's result counts.
    #[arg(value_name = "FILE", required = true)]
    pub reports: Vec<PathBuf>,
    /// Write a page for a browser: one file that needs no network ('-': to stdout).
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write a page in Markdown ('-': to stdout).
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Write the findings in Markdown ('-': to stdout): for each scenario its question and description, and what was seen by
    /// host and version of systemd.
    #[arg(long, value_name = "FILE")]
    pub findings: Option<PathBuf>,
    /// Where the scenarios are whose descriptions the findings have.
    #[arg(long, value_name = "PATH", default_value = "scenarios")]
    pub scenarios: PathBuf,
}

/// `merge`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Exit codes: 0 merged, and everything held; 1 merged, and something differs or has no golden; 2 a part is missing, they\n\
    are no parts of one run, or a file is no report; 3 merged, and the environment failed for some case. With 2 nothing is written.\n\n\
    Example:\n  sdc-engine merge share-1.json share-2.json share-3.json --json run.json"
)]
pub struct MergeArgs {
    /// Reports of check --json FILE. A case that two of them have with the same verdict is kept once; with two verdicts they are no
    /// parts of one run. Reports of several hosts become one as of check with several --host.
    #[arg(value_name = "FILE", required = true)]
    pub reports: Vec<PathBuf>,
    /// Write the JSON report of all ('-': to stdout).
    #[arg(long, value_name = "FILE")]
    pub json: PathBuf,
    /// Write a JUnit report of all.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Merge also where shares, or results of a run that was stopped, are missing; what is missing is told, and stands in the report.
    #[arg(long)]
    pub allow_missing: bool,
}

/// `host`.
#[derive(Debug, Clone, Args)]
pub struct HostCommand {
    /// Which.
    #[command(flatten)]
    pub host: HostArgs,
    /// List the lab hosts, and whether this machine can start them. Starts nothing.
    #[arg(long, conflicts_with_all = ["host", "serve"])]
    pub list: bool,
    /// Keep a private engine up until Ctrl-C, and say how docker reaches it.
    #[arg(long)]
    pub serve: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `new`.
#[derive(Debug, Clone, Args)]
pub struct NewArgs {
    /// The scenario's name; `/` makes folders: sandbox/private_tmp.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Where it is written.
    #[arg(long, value_name = "FOLDER", default_value = "scenarios")]
    pub folder: PathBuf,
}

/// `lint`.
#[derive(Debug, Clone, Args)]
pub struct LintArgs {
    /// The scenarios.
    #[command(flatten)]
    pub paths: PathArgs,
}

/// `schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// The kind of file [default: scenario; with --markdown: all].
    #[arg(value_name = "FILE")]
    pub file: Option<File>,
    /// A reference for people instead, in Markdown.
    #[arg(long)]
    pub markdown: bool,
}

/// `completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// `man`.
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// A command; none: the whole program.
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

/// `clean`.
#[derive(Debug, Clone, Args)]
pub struct CleanArgs {
    /// Where.
    #[command(flatten)]
    pub host: HostArgs,
}

/// `images`.
#[derive(Debug, Clone, Args)]
pub struct ImagesArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: ImagesCommand,
}

/// The commands of `images`.
#[derive(Debug, Clone, Subcommand)]
pub enum ImagesCommand {
    /// Shows what is declared, and what of it the host has.
    List(HostArgs),
    /// Makes images on the host.
    Build {
        /// Their names; none: all.
        names: Vec<String>,
        /// Where.
        #[command(flatten)]
        host: HostArgs,
    },
    /// Removes images from the host, and the root file systems kept for them.
    Remove {
        /// Their names; none: all.
        names: Vec<String>,
        /// Where.
        #[command(flatten)]
        host: HostArgs,
    },
}
