//! `sdc-engine host`, and opening the host that other commands use.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::args::{HostArgs, HostCommand, HostsArgs};
use super::exit::{Exit, Failure};
use super::{columns, json, print, signals};
use crate::facts::EngineKind;
pub(super) use crate::host::Ask;
use crate::host::{Address, Environment, Host, Lab, Labs, Target, discover, lab, open as connect};
use crate::redact::Redaction;
use crate::report::host::table;

/// A host, and why it is this one.
pub(super) struct Opened {
    pub(super) host: Arc<dyn Host>,
    pub(super) why: String,
}

/// The one host that a command line asks for; none leaves the choice to the environment.
pub(super) fn one(args: &HostArgs) -> Ask<'_> {
    Ask { name: args.host.as_deref().filter(|name| !name.is_empty()), engine: args.container_exe }
}

/// The hosts that a command line asks for, at least one; each can be a host.
///
/// # Errors
/// A name that is neither a lab host's nor an address, or one that was given twice: a wrong command line.
pub(super) fn each<'a>(args: &'a HostsArgs, images: &Path) -> Result<Vec<Ask<'a>>, Failure> {
    let labs = labs(images)?;
    let mut asks: Vec<Ask<'a>> = Vec::new();
    for name in args.hosts.iter().map(String::as_str).filter(|name| !name.is_empty()) {
        known(name, &labs)?;
        if asks.iter().any(|ask| ask.name == Some(name)) {
            return Err(Failure::input(miette::miette!(
                help = "name each host once; --repeat N runs each case N times",
                "--host names {name} twice"
            )));
        }
        asks.push(Ask { name: Some(name), engine: args.container_exe });
    }
    if asks.is_empty() {
        asks.push(Ask { name: None, engine: args.container_exe });
    }
    Ok(asks)
}

/// The lab hosts that there are.
pub(super) fn labs(images: &Path) -> Result<Labs, Failure> {
    lab::load(images).map_err(Failure::input)
}

/// Whether a name can be a host; nothing is opened.
///
/// # Errors
/// A wrong command line.
pub(super) fn known(name: &str, labs: &Labs) -> Result<(), Failure> {
    if labs.named(name).is_some() {
        return Ok(());
    }
    let help = format!("the names are {}, and an address starts with unix://, tcp:// or ssh://", labs.names());
    if !name.contains("://") {
        return Err(Failure::input(miette::miette!(help = help, "there is no host of the name `{name}`")));
    }
    Address::parse(name).map(drop).map_err(|words| Failure::input(miette::miette!(help = help, "{words}")))
}

/// Finds and opens a host.
///
/// # Errors
/// A wrong command line: no host can have that name. Else the environment's: no engine, or one that does not answer.
pub(super) async fn open(ask: Ask<'_>, images: &Path) -> Result<Opened, Failure> {
    let labs = labs(images)?;
    if let Some(name) = ask.name {
        known(name, &labs)?;
    }
    let choice = discover(&Environment::read(labs).await, ask).await.map_err(Failure::environment)?;
    tracing::info!(why = choice.why, "chose a host");
    let verify = std::env::var_os("DOCKER_TLS_VERIFY").is_some_and(|value| !value.is_empty());
    if verify && matches!(choice.target, Target::Address(Address::Tcp(_))) {
        return Err(Failure::environment(format!(
            "DOCKER_TLS_VERIFY asks for TLS to {}, which is not supported; use ssh://user@host, or unset it for plain TCP",
            choice.name()
        )));
    }
    let notice = |text: String| tracing::info!("{text}");
    let host = connect(&choice, &notice).await.map_err(Failure::environment)?;
    let engine = host.facts().engine;
    if ask.engine.is_some_and(|asked| asked != engine) {
        let left = host.close().await;
        tracing::debug!(?left, "closed, as it has another engine");
        return Err(Failure::environment(format!(
            "the engine of {} is {engine}, and --container-exe asks for another; name a host that has it by --host",
            choice.name()
        )));
    }
    Ok(Opened { host, why: choice.why })
}

/// Opens the host of a command that uses one.
///
/// # Errors
/// See [`open`].
pub(super) async fn open_one(args: &HostArgs, images: &Path) -> Result<Opened, Failure> {
    open(one(args), images).await
}

/// Prints the facts.
pub(super) async fn host(args: HostCommand, images: &Path, redaction: &Redaction) -> Result<Exit, Failure> {
    if args.list {
        return list(args.json, images, redaction).await;
    }
    let opened = open_one(&args.host, images).await?;
    let facts = opened.host.facts();
    let text = if args.json {
        let mut value = serde_json::json!({ "why": opened.why, "facts": facts });
        redaction.value(&[(&facts.name, &facts.machine)], &mut value);
        json(&value)
    } else {
        Ok(table(facts, &opened.why, columns()))
    };
    let shown = text.and_then(|text| print(&text));
    let served = if args.serve { serve(opened.host.as_ref()).await } else { Ok(()) };
    let left = opened.host.close().await;
    shown.and(served)?;
    if left.is_empty() { Ok(Exit::Held) } else { Err(Failure::environment(left.join("; "))) }
}

/// Prints the lab hosts.
async fn list(as_json: bool, images: &Path, redaction: &Redaction) -> Result<Exit, Failure> {
    let labs = lab::load(images).map_err(Failure::input)?;
    let mut rows = Vec::new();
    for lab in labs.0.values() {
        rows.push((lab, lab::obstacle(lab).await));
    }
    if as_json {
        let row = |(lab, obstacle): &(&Lab, Option<String>)| serde_json::json!({ "lab": lab, "obstacle": obstacle });
        let mut value = rows.iter().map(row).collect();
        redaction.value(&[], &mut value);
        print(&json(&value)?)?;
        return Ok(Exit::Held);
    }
    let width = rows.iter().map(|(lab, _)| lab.name.len()).max().unwrap_or(0);
    for (lab, obstacle) in &rows {
        let not = obstacle.as_ref().map_or_else(String::new, |why| format!("\n{:width$}  not here: {why}", ""));
        print(&format!("{:width$}  {}{not}\n", lab.name, lab.title))?;
    }
    Ok(Exit::Held)
}

/// Keeps the host up until a signal.
async fn serve(host: &dyn Host) -> Result<(), Failure> {
    let until = CancellationToken::new();
    signals::cancel_at_signal(until.clone())?;
    let variable = match host.facts().engine {
        EngineKind::Docker => "DOCKER_HOST",
        EngineKind::Podman => "CONTAINER_HOST",
    };
    print(&format!("\nexport {variable}={}\nup until Ctrl-C; its images: sdc-engine images list\n", host.address()))?;
    until.cancelled().await;
    Ok(())
}
