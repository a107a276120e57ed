//! `diagnose`.

use std::path::PathBuf;

use clap::Args;

use super::host::HostArgs;

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
