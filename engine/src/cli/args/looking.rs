//! The command lines of what looks into cases: running failures again, and booting one case for somebody.

use std::path::PathBuf;

use clap::Args;

use super::{HostArgs, PathArgs, RunArgs};

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

/// One case, on one host.
#[derive(Debug, Clone, Args)]
pub struct OneArgs {
    /// The case's id, or words that only its id has.
    #[arg(value_name = "CASE")]
    pub case: String,
    /// The scenarios.
    #[command(flatten)]
    pub paths: PathArgs,
    /// Where.
    #[command(flatten)]
    pub host: HostArgs,
    /// Also on a host that is no lab host of ours, where the case may change it.
    #[arg(long)]
    pub allow_host_risk: bool,
}

/// `shell`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Its steps do not run. Exit codes: 0 the shell or command ended with 0; 1 with another code, which is \
    said, or the boot failed, and its cause and console are shown; 2, 3, 130 as for check.\n\nExamples:\n  \
    sdc-engine shell boot/passthrough --host docker-v2\n  \
    sdc-engine shell boot/passthrough --host docker-v2 -- systemctl --failed"
)]
pub struct ShellArgs {
    /// What is booted.
    #[command(flatten)]
    pub one: OneArgs,
    /// A command instead of a shell.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// `logs`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Exit codes: 0 systemd came up, 1 it did not; 2, 3, 130 as for check.")]
pub struct LogsArgs {
    /// What is booted.
    #[command(flatten)]
    pub one: OneArgs,
    /// Show the journal too, once it is known what the boot came to.
    #[arg(long)]
    pub journal: bool,
    /// Go on until Ctrl-C or the container's end, not only until it is known what the boot came to.
    #[arg(short, long)]
    pub follow: bool,
}
