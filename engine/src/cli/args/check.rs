//! `check`, and `rerun` of what failed in it.

use std::path::PathBuf;

use clap::Args;

use super::host::HostsArgs;
use super::run::RunArgs;
use super::select::SelectArgs;

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

const CHECK_ENDS: &str = "\
Exit codes:
  0    something ran, and everything that was expected held (warnings do not count)
  1    the subject differs from what was expected, or has no golden yet
  2    a scenario, a golden or the command line is wrong, or no case is selected; nothing was started
  3    the environment is wrong: no engine, no image, an engine that broke, or something could not be removed
  130  interrupted; everything that was started is removed

What failed runs again with `sdc-engine rerun --failed`. In GitHub Actions failures are annotated, and the step gets a summary.";

/// `rerun`.
#[derive(Debug, Clone, Args)]
#[command(after_help = RERUN_ENDS)]
pub struct RerunArgs {
    /// Run what ended as fail, timeout, error or flaky: in the last check or rerun of this folder, or in a report of check
    /// --json FILE.
    #[arg(long, value_name = "FILE", num_args = 0..=1, required = true)]
    pub failed: Option<Option<PathBuf>>,
    /// Also what is new: it has no golden, and `review` is what changes that.
    #[arg(long)]
    pub new: bool,
    /// Also what only warned.
    #[arg(long)]
    pub warned: bool,
    /// Where the scenarios are [default: as in the last run; of a report: scenarios]; may be given more than once.
    #[arg(long, value_name = "PATH")]
    pub scenarios: Vec<PathBuf>,
    /// Where, as check takes it [default: each case where it failed].
    #[arg(long = "host", alias = "container-host", value_name = "HOST", value_delimiter = ',')]
    pub hosts: Vec<String>,
    /// How.
    #[command(flatten)]
    pub run: RunArgs,
    /// Run each case this often [default: as in the last run; of a report: once].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: Option<u32>,
}

const RERUN_ENDS: &str = "\
Exit codes: those of check; 0 also where nothing had failed in a run that came to its end, 2 where there was no run, none of the \
failed cases is a case any more, or nothing had failed in a run that was stopped early.";
