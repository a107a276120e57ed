//! Where containers run, and the commands that are about a host itself.

use clap::Args;

use crate::facts::EngineKind;

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
pub(super) fn engine(text: &str) -> Result<EngineKind, String> {
    match text.rsplit('/').next().unwrap_or_default() {
        "docker" => Ok(EngineKind::Docker),
        "podman" => Ok(EngineKind::Podman),
        _ => Err("there are: docker, podman".to_owned()),
    }
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

/// `clean`.
#[derive(Debug, Clone, Args)]
pub struct CleanArgs {
    /// Where.
    #[command(flatten)]
    pub host: HostArgs,
}
