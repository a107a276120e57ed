//! Which host a run uses: the one that was asked for, else what the environment names, else an engine that runs, else
//! a private one. Reads sockets and docker's configuration where [`Environment`] says; decides, but starts nothing
//! until [`open`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::address::Address;
use super::docker::Docker;
use super::facts::{self, layout_here};
use super::lab::{Lab, Labs, Place};
use super::private::{self, PrivateOptions};
use super::vm;
use super::wire::get_json;
use super::{Host, HostError, HostErrorKind};
use crate::facts::{CgroupLayout, CgroupVersion, EngineKind};

/// How long a socket may take to answer before it is passed over.
const ANSWER: Duration = Duration::from_secs(5);

/// What the choice depends on: plain values, so that a test needs no environment variables.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// `CONTAINER_HOST`, podman's.
    pub container_host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub docker_context: Option<String>,
    /// docker's configuration folder: `DOCKER_CONFIG`, else `~/.docker`.
    pub docker_config: Option<PathBuf>,
    /// Where engines usually listen, in the order of preference.
    pub sockets: Vec<PathBuf>,
    /// The layout of this machine's cgroups.
    pub layout: Option<CgroupLayout>,
    /// The lab hosts that there are.
    pub labs: Labs,
}

impl Environment {
    /// This process's.
    pub async fn read(labs: Labs) -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let runtime = text("XDG_RUNTIME_DIR").map(PathBuf::from);
        let below = |name: &str| runtime.as_ref().map(|folder| folder.join(name));
        let sockets = [
            Some(PathBuf::from("/var/run/docker.sock")),
            below("docker.sock"),
            Some(PathBuf::from("/run/podman/podman.sock")),
            below("podman/podman.sock"),
        ];
        Self {
            docker_host: text("DOCKER_HOST"),
            container_host: text("CONTAINER_HOST"),
            docker_context: text("DOCKER_CONTEXT"),
            docker_config: text("DOCKER_CONFIG")
                .map(PathBuf::from)
                .or_else(|| text("HOME").map(|home| Path::new(&home).join(".docker"))),
            sockets: sockets.into_iter().flatten().collect(),
            layout: layout_here().await,
            labs,
        }
    }
}

/// What a choice points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An engine that listens there.
    Address(Address),
    /// An engine to start.
    Lab(Box<Lab>),
}

/// The host of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The host.
    pub target: Target,
    /// Why this one, as a fragment (`DOCKER_HOST names it`).
    pub why: String,
}

impl Choice {
    /// What reports call the host: an address or a lab host's name.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.target {
            Target::Address(address) => address.to_string(),
            Target::Lab(lab) => lab.name.clone(),
        }
    }
}

/// What the command line asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ask<'a> {
    /// `--host`: an address or a lab host's name; `None` leaves the choice to the environment.
    pub name: Option<&'a str>,
    /// `--container-exe`: only this engine will do.
    pub engine: Option<EngineKind>,
}

/// Chooses a host. What is named explicitly is used or fails; only the usual sockets are passed over where nothing
/// answers, or another engine than the one that was asked for.
///
/// # Errors
/// Words on every step that was tried, or on what was asked for and can't be had.
pub async fn discover(environment: &Environment, ask: Ask<'_>) -> Result<Choice, HostError> {
    if let Some(host) = ask.name {
        return asked(&environment.labs, host);
    }
    let mut tried = Vec::new();
    for (variable, value, of) in [
        ("DOCKER_HOST", &environment.docker_host, EngineKind::Docker),
        ("CONTAINER_HOST", &environment.container_host, EngineKind::Podman),
    ] {
        match value {
            // Either program's variable may name either engine; where one is asked for, its own alone is meant.
            Some(_) if ask.engine.is_some_and(|engine| engine != of) => {
                tried.push(format!("{variable} is for {of}"));
            }
            Some(value) => return named(value, &format!("{variable} names it")).await,
            None => tried.push(format!("{variable} is not set")),
        }
    }
    if ask.engine != Some(EngineKind::Podman) {
        match context(environment).await? {
            Some((name, address)) => return named(&address, &format!("the docker context `{name}` names it")).await,
            None => tried.push("no docker context but the default is in use".to_owned()),
        }
    }
    for socket in &environment.sockets {
        let address = Address::Unix(socket.clone());
        match answers(&address).await {
            Ok(engine) if ask.engine.is_some_and(|asked| asked != engine) => {
                tried.push(format!("{} is {engine}'s", socket.display()));
            }
            Ok(_) => {
                let why = format!("{}, and it answers there", tried.join(", "));
                return Ok(Choice { target: Target::Address(address), why });
            }
            Err(words) => tried.push(format!("{} {words}", socket.display())),
        }
    }
    fallback(environment, ask, tried)
}

/// An engine of our own, where none runs.
fn fallback(environment: &Environment, ask: Ask<'_>, mut tried: Vec<String>) -> Result<Choice, HostError> {
    let cgroups = if environment.layout == Some(CgroupLayout::V2) { CgroupVersion::V2 } else { CgroupVersion::V1 };
    let why = format!("no engine runs: {}", tried.join(", "));
    for lab in environment.labs.fallbacks(cgroups) {
        if ask.engine.is_some_and(|engine| engine != lab.engine) {
            continue;
        }
        match private::possible(lab, environment.layout) {
            Ok(_) => return Ok(Choice { target: Target::Lab(Box::new(lab.clone())), why }),
            Err(words) => tried.push(format!("a private engine ({}) can't be started: {words}", lab.name)),
        }
    }
    let list: String = tried.iter().map(|step| format!("\n  - {step}")).collect();
    Err(HostError::local("find a container engine", format!("none can be used{list}")))
}

fn asked(labs: &Labs, ask: &str) -> Result<Choice, HostError> {
    let why = "--host asks for it".to_owned();
    if let Some(lab) = labs.named(ask) {
        return Ok(Choice { target: Target::Lab(Box::new(lab.clone())), why });
    }
    let bad = |words| HostError::new(format!("use the host `{ask}`"), HostErrorKind::NoSuchHost(words));
    if !ask.contains("://") {
        let words = format!(
            "there is none of that name; the names are {}, and an address starts with unix://, tcp:// or ssh://",
            labs.names()
        );
        return Err(bad(words));
    }
    let address = Address::parse(ask).map_err(bad)?;
    Ok(Choice { target: Target::Address(address), why })
}

/// A host that the user's environment names: it must answer.
async fn named(text: &str, why: &str) -> Result<Choice, HostError> {
    let action = || format!("use the host `{text}` ({why})");
    let address = Address::parse(text).map_err(|words| HostError::local(action(), words))?;
    // Whether that answers is known once it has been forwarded.
    if matches!(address, Address::Ssh { .. }) {
        return Ok(Choice { target: Target::Address(address), why: why.to_owned() });
    }
    match answers(&address).await {
        Ok(_) => Ok(Choice { target: Target::Address(address), why: why.to_owned() }),
        Err(words) => Err(HostError::new(action(), HostErrorKind::Unreachable(words))),
    }
}

/// Which engine answers; words that follow an address where none does.
async fn answers(address: &Address) -> Result<EngineKind, String> {
    if let Address::Unix(path) = address
        && !path.exists()
    {
        return Err("does not exist".to_owned());
    }
    match tokio::time::timeout(ANSWER, get_json(address, "/version")).await {
        Ok(Ok(version)) => Ok(facts::engine(&version)),
        Ok(Err(HostErrorKind::Unreachable(words))) if words.contains("ermission denied") => {
            Err("may not be opened by this user (permission denied)".to_owned())
        }
        Ok(Err(HostErrorKind::Unreachable(words))) => Err(format!("does not answer ({words})")),
        Ok(Err(other)) => Err(format!("does not answer as an engine ({other})")),
        Err(_) => Err(format!("does not answer within {} s", ANSWER.as_secs())),
    }
}

/// The docker context in use and its address; `None` for the default.
async fn context(environment: &Environment) -> Result<Option<(String, String)>, HostError> {
    let Some(folder) = &environment.docker_config else { return Ok(None) };
    let name = match &environment.docker_context {
        Some(name) => Some(name.clone()),
        None => json(&folder.join("config.json")).await.and_then(|config| {
            config.get("currentContext").and_then(Value::as_str).filter(|name| !name.is_empty()).map(ToOwned::to_owned)
        }),
    };
    let Some(name) = name.filter(|name| name != "default") else { return Ok(None) };
    let hash = format!("{:x}", Sha256::digest(&name));
    let file = folder.join("contexts/meta").join(hash).join("meta.json");
    let host = json(&file)
        .await
        .and_then(|meta| meta.pointer("/Endpoints/docker/Host").and_then(Value::as_str).map(ToOwned::to_owned));
    match host {
        Some(host) => Ok(Some((name, host))),
        None => Err(HostError::local(
            format!("use the docker context `{name}`"),
            format!("{} names no docker endpoint; `docker context ls` shows what there is", file.display()),
        )),
    }
}

async fn json(file: &Path) -> Option<Value> {
    serde_json::from_str(&tokio::fs::read_to_string(file).await.ok()?).ok()
}

/// Opens the host of a choice; what takes its time is told to `notice` first.
///
/// # Errors
/// Where it does not answer or can't be started.
pub async fn open(choice: &Choice, notice: &(dyn Fn(String) + Send + Sync)) -> Result<Arc<dyn Host>, HostError> {
    Ok(Arc::new(match &choice.target {
        Target::Address(address) => Docker::connect(&choice.name(), address.clone()).await?,
        Target::Lab(lab) => {
            notice(format!("starting {}: {}", lab.name, lab.title));
            let options = PrivateOptions::default();
            match &lab.place {
                Place::Vm(spec) => vm::open(lab, spec, &options, notice).await?,
                Place::Machine | Place::Root(_) => private::open(lab, &options, notice).await?,
            }
        }
    }))
}

#[cfg(test)]
mod tests;
