//! A candidate as a scenario: it is parsed, planned and run like any other.

use serde_json::{Map, Value, json};

use super::grant::{Grant, Kind};
use super::search::Candidate;
use crate::facts::{EngineKind, Facts};

/// The name under which the image stands in a catalogue; the user's may be no name of a folder.
pub const IMAGE: &str = "advised";
/// The scenario's name.
pub const NAME: &str = "advise";

/// Keys of `[container]` that hold lists.
const LISTS: [&str; 4] = ["tmpfs", "cap_add", "security_opt", "volumes"];

/// The scenario that boots an image with some grants.
///
/// Without any grant the container is in a cgroup namespace of its own and without a network, and podman's systemd mode is off.
#[must_use]
pub fn text(candidate: &Candidate, ladder: &[Grant], facts: &Facts, timeout: &str) -> String {
    let granted = || candidate.all().into_iter().filter_map(|place| ladder.get(place));
    let mut container = Map::new();
    let base = [("image", IMAGE), ("cgroupns", "private"), ("stop_signal", "SIGRTMIN+3"), ("network", "none")];
    container.extend(base.map(|(key, value)| (key.to_owned(), Value::from(value))));
    if facts.engine == EngineKind::Podman {
        container.insert("systemd".into(), "false".into());
    }
    let privileged = granted().any(|grant| grant.kind == Kind::Privileged);
    // A privileged container has them anyway.
    let implied = |grant: &&Grant| privileged && matches!(grant.kind, Kind::Capability | Kind::Unconfined);
    for (key, value) in granted().filter(|grant| !implied(grant)).flat_map(|grant| &grant.flags) {
        match *key {
            "env" => drop(container.insert("env".into(), json!({ "container": value }))),
            key if LISTS.contains(&key) => {
                let list = container.entry(key).or_insert_with(|| json!([]));
                list.as_array_mut().into_iter().for_each(|list| list.push(value.as_str().into()));
            }
            key => drop(container.insert(key.to_owned(), value.as_str().into())),
        }
    }
    let scenario = json!({
        "title": "Does systemd boot with these grants?",
        "inherit": false,
        "host_risk": "sdc-engine advise tries what a container must be given",
        "container": container,
        "boot": { "timeout": timeout, "unknown_lines": "ignore", "expect": { "state": ["running", "degraded"] } },
    });
    // Strings, lists and tables have a form in TOML, whatever is in them.
    toml::to_string(&scenario).unwrap_or_default()
}
