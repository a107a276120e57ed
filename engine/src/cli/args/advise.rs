//! `advise`.

use clap::Args;

use super::host::HostArgs;

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

/// A time as scenarios have it, kept as it was written; with a limit, so that multiples of it are times too.
fn duration(text: &str) -> Result<String, String> {
    match humantime::parse_duration(text) {
        Ok(time) if !time.is_zero() && time.as_secs() <= 3600 => Ok(text.to_owned()),
        Ok(_) => Err("more than nothing, and an hour at most".to_owned()),
        Err(error) => Err(format!("{error}; such as 20s or 1m 30s")),
    }
}
