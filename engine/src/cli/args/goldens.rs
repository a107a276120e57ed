//! The commands that change goldens, or what is set aside for them: `update`, `review`, `accept`, `reject`, `prune`.

use clap::Args;

use super::host::HostsArgs;
use super::run::RunArgs;
use super::select::{PathArgs, SelectArgs};

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
