//! The commands that boot one case for somebody: `shell`, `logs`.

use clap::Args;

use super::host::HostArgs;
use super::select::PathArgs;

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
