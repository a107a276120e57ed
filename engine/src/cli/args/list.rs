//! The commands that show cases without judging them: `list` all, `explain` one.

use clap::Args;

use super::host::{HostArgs, HostsArgs};
use super::select::{PathArgs, SelectArgs};

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
