//! `sdc-engine host`, and opening the host that other commands use.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::args::HostCommand;
use super::exit::{Exit, Failure};
use super::{json, print, signals};
use crate::facts::{EngineKind, Facts};
use crate::host::{Ask, Environment, Host, HostError, HostErrorKind, Lab, discover, lab, open as connect};

/// A host, and why it is this one.
pub(super) struct Opened {
    pub(super) host: Arc<dyn Host>,
    pub(super) why: String,
}

/// Finds and opens a host.
///
/// # Errors
/// The environment's: no engine, or one that does not answer.
pub(super) async fn open(ask: Option<&str>, images: &Path) -> Result<Opened, Failure> {
    let labs = lab::load(images).map_err(Failure::input)?;
    let ask = Ask { host: ask, engine: None };
    let choice = discover(&Environment::read(labs).await, ask).await.map_err(failure)?;
    tracing::info!(why = choice.why, "chose a host");
    let notice = |text: String| tracing::info!("{text}");
    let host = connect(&choice, &notice).await.map_err(Failure::environment)?;
    Ok(Opened { host, why: choice.why })
}

/// A host that there is not is the command line's fault.
fn failure(error: HostError) -> Failure {
    match error.kind {
        HostErrorKind::NoSuchHost(_) => Failure::input(miette::miette!("{error}")),
        _ => Failure::environment(error),
    }
}

/// Prints the facts.
pub(super) async fn host(args: HostCommand, images: &Path) -> Result<Exit, Failure> {
    if args.list {
        return list(args.json, images).await;
    }
    let opened = open(args.host.host.as_deref(), images).await?;
    let text = if args.json {
        json(&serde_json::json!({ "why": opened.why, "facts": opened.host.facts() }))
    } else {
        Ok(text(opened.host.facts(), &opened.why))
    };
    let shown = text.and_then(|text| print(&text));
    let served = if args.serve { serve(opened.host.as_ref()).await } else { Ok(()) };
    let left = opened.host.close().await;
    shown.and(served)?;
    if left.is_empty() { Ok(Exit::Held) } else { Err(Failure::environment(left.join("; "))) }
}

/// Prints the lab hosts.
async fn list(as_json: bool, images: &Path) -> Result<Exit, Failure> {
    let labs = lab::load(images).map_err(Failure::input)?;
    let mut rows = Vec::new();
    for lab in labs.0.values() {
        rows.push((lab, lab::obstacle(lab).await));
    }
    if as_json {
        let row = |(lab, obstacle): &(&Lab, Option<String>)| serde_json::json!({ "lab": lab, "obstacle": obstacle });
        print(&json(&rows.iter().map(row).collect::<Vec<_>>())?)?;
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

fn text(facts: &Facts, why: &str) -> String {
    let list = |set: &std::collections::BTreeSet<String>| {
        if set.is_empty() { "none known".to_string() } else { set.iter().cloned().collect::<Vec<_>>().join(" ") }
    };
    let or_unknown = |text: &str| if text.is_empty() { "unknown".to_string() } else { text.to_string() };
    let flag = |yes: bool| if yes { "yes" } else { "no" }.to_string();
    let rows = [
        ("name", facts.name.clone()),
        ("chosen because", why.to_string()),
        ("engine", format!("{} {} (API {})", facts.engine, facts.engine_version, facts.api_version)),
        ("runtime", format!("{} {}", facts.runtime, facts.runtime_version).trim().to_string()),
        ("rootless", flag(facts.rootless)),
        ("userns-remap", flag(facts.userns_remap)),
        ("cgroups", format!("{} (layout {}, driver {})", facts.cgroups, layout(facts), facts.cgroup_driver)),
        ("controllers", list(&facts.controllers)),
        ("name=systemd", flag(facts.systemd_hierarchy)),
        ("kernel", or_unknown(&facts.kernel)),
        ("system", format!("{} ({})", or_unknown(&facts.os), or_unknown(&facts.arch))),
        ("security", list(&facts.security)),
        ("capabilities", list(&facts.capabilities)),
        ("missing", list(&facts.missing_capabilities)),
    ];
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect()
}

const fn layout(facts: &Facts) -> &'static str {
    use crate::facts::CgroupLayout;
    match facts.cgroup_layout {
        CgroupLayout::V1 => "v1",
        CgroupLayout::Hybrid => "hybrid",
        CgroupLayout::V2 => "v2",
    }
}
