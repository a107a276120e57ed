//! The facts of a host: what the engine says of itself, what podman says in its own API besides, and what `/proc` of the
//! engine's machine says of its process. Reading is in [`probe`] and in the functions of the modules that are `async`;
//! everything else here is pure.

mod capabilities;
mod cgroup;
mod machine;
mod podman;
mod process;

pub(super) use cgroup::{Mount, layout_here, mounts};
pub(super) use machine::{LOOK, Machine, containers_below, is_here};

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::HostError;
use super::address::Address;
use super::errors::{CALL, limited};
use super::wire::get_json;
use crate::facts::{CgroupLayout, CgroupVersion, EngineKind, Facts};

/// Asks the engine, and the machine where the engine runs on this one.
/// `machine` is what an engine that runs elsewhere delivered.
pub(super) async fn probe(name: &str, address: &Address, machine: Option<Machine>) -> Result<Facts, HostError> {
    let action = || format!("ask the engine at {address} what it is");
    let version = limited(action(), CALL, get_json(address, "/version")).await?;
    let info = limited(action(), CALL, get_json(address, "/info")).await?;
    let mut facts = from_answers(name, &version, &info);
    if facts.engine == EngineKind::Podman {
        match limited(action(), CALL, get_json(address, podman::INFO)).await {
            Ok(own) => podman::complete(&mut facts, &own),
            Err(error) => tracing::debug!(%error, "podman's own API says nothing"),
        }
    }
    let machine = match machine {
        Some(machine) => Some(machine),
        None => Machine::behind(address, &facts).await,
    };
    if let Some(machine) = machine {
        machine::add_machine(&mut facts, &machine);
    }
    Ok(facts)
}

/// Which engine gave that answer to `/version`.
pub(super) fn engine(version: &Value) -> EngineKind {
    let components = version.get("Components").and_then(Value::as_array).into_iter().flatten();
    let podman = components
        .filter_map(|component| component.get("Name").and_then(Value::as_str))
        .any(|name| name.contains("Podman"));
    if podman { EngineKind::Podman } else { EngineKind::Docker }
}

/// What the engine says, as [`Facts`].
fn from_answers(name: &str, version: &Value, info: &Value) -> Facts {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let flag = |key: &str| info.get(key).and_then(Value::as_bool).unwrap_or_default();
    let components: Vec<(String, String)> = version
        .get("Components")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|component| (text(component, "Name"), text(component, "Version")))
        .collect();
    let options: BTreeSet<String> = info
        .get("SecurityOptions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(|option| option.split(',').find_map(|part| part.strip_prefix("name=")))
        .map(ToOwned::to_owned)
        .collect();
    let engine = engine(version);
    let cgroups = if text(info, "CgroupVersion") == "2" { CgroupVersion::V2 } else { CgroupVersion::V1 };
    let runtime = text(info, "DefaultRuntime");
    let controllers = [
        ("cpu", flag("CpuCfsQuota") || flag("CPUShares")),
        ("cpuset", flag("CPUSet")),
        ("memory", flag("MemoryLimit")),
        ("pids", flag("PidsLimit")),
    ];
    let controllers: BTreeSet<String> =
        controllers.into_iter().filter(|(_, on)| *on).map(|(name, _)| name.to_owned()).collect();
    Facts {
        name: name.to_owned(),
        machine: text(info, "Name"),
        engine,
        engine_version: text(version, "Version"),
        api_version: text(version, "ApiVersion"),
        runtime_version: runtime_version(&components, &runtime),
        runtime,
        rootless: options.contains("rootless") || flag("Rootless"),
        userns_remap: options.contains("userns"),
        cgroups,
        cgroup_layout: match cgroups {
            CgroupVersion::V1 => CgroupLayout::V1,
            CgroupVersion::V2 => CgroupLayout::V2,
        },
        cgroup_driver: text(info, "CgroupDriver"),
        // What docker says it can limit it turns on for its containers. podman says the same of limits that it lacks.
        delegated: if engine == EngineKind::Docker { controllers.clone() } else { BTreeSet::new() },
        controllers,
        systemd_hierarchy: cgroups == CgroupVersion::V1,
        kernel: text(info, "KernelVersion"),
        // What dockerd thinks of its own surroundings is no name of a system.
        os: text(info, "OperatingSystem").trim_end_matches(" (containerized)").to_owned(),
        arch: machine_name(text(info, "Architecture")),
        security: ["apparmor", "seccomp", "selinux"]
            .into_iter()
            .filter(|module| options.contains(*module))
            .map(ToOwned::to_owned)
            .collect(),
        id_map: String::new(),
        capabilities: BTreeSet::new(),
        missing_capabilities: BTreeSet::new(),
        default_capabilities: match engine {
            EngineKind::Docker => DOCKERS_DEFAULT.split(' ').map(ToOwned::to_owned).collect(),
            EngineKind::Podman => BTreeSet::new(),
        },
        seccomp_profile: seccomp(info),
        apparmor_profile: None,
        lsms: BTreeSet::new(),
        rlimits: BTreeMap::new(),
        host_systemd: String::new(),
    }
}

/// What every docker gives to a container that asks for nothing. It can't be configured, and so is not told (moby,
/// `oci/caps/defaults.go`).
const DOCKERS_DEFAULT: &str = "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP \
    SETGID SETPCAP SETUID SYS_CHROOT";

/// podman has Go's names for machines, docker the kernel's.
fn machine_name(name: String) -> String {
    match name.as_str() {
        "amd64" => "x86_64".to_owned(),
        "arm64" => "aarch64".to_owned(),
        _ => name,
    }
}

/// docker: a component of the runtime's name. podman: `OCI Runtime (crun)` with all of `crun --version`.
fn runtime_version(components: &[(String, String)], runtime: &str) -> String {
    components
        .iter()
        .find(|(name, _)| name == runtime || name.contains(&format!("({runtime})")))
        .map(|(_, version)| last_word_of_first_line(version))
        .unwrap_or_default()
}

/// `1.8.1` of all that `crun --version` prints.
fn last_word_of_first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().rsplit(' ').next().unwrap_or_default().to_owned()
}

/// The default seccomp profile by docker's name for it: `default` up to 20.10, `builtin` since; empty where unknown.
fn seccomp(info: &Value) -> String {
    let options = info.get("SecurityOptions").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let found = options
        .filter(|option| option.starts_with("name=seccomp"))
        .find_map(|option| option.split(',').find_map(|part| part.strip_prefix("profile=")).map(ToOwned::to_owned));
    found.unwrap_or_default()
}

/// Adds what an engine's machine says of itself where it can't be looked at from here: see [`Machine::parse`].
pub(super) fn add_guest(facts: &mut Facts, text: &str) {
    machine::add_machine(facts, &Machine::parse(text));
}

#[cfg(test)]
mod tests;
