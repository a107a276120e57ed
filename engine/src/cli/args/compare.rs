//! `compare`.

use clap::Args;

use super::host::engine;
use super::select::SelectArgs;
use crate::facts::EngineKind;

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
