//! What podman says of itself in its own API, where the docker-compatible one says less, or something else: the profile of
//! seccomp, security modules, controllers, the default capabilities, the ids of a rootless engine. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use super::machine_name;
use crate::facts::{CgroupLayout, CgroupVersion, Facts};

/// Where podman tells of itself.
pub(super) const INFO: &str = "/v4.0.0/libpod/info";

/// Adds podman's own words; what it does not say stays.
pub(super) fn complete(facts: &mut Facts, own: &Value) {
    let text = |pointer: &str| own.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let flag = |pointer: &str| own.pointer(pointer).and_then(Value::as_bool);
    for (fact, pointer) in [
        (&mut facts.engine_version, "/version/Version"),
        (&mut facts.runtime, "/host/ociRuntime/name"),
        (&mut facts.cgroup_driver, "/host/cgroupManager"),
        (&mut facts.kernel, "/host/kernel"),
        (&mut facts.machine, "/host/hostname"),
    ] {
        if let Some(value) = text(pointer) {
            value.clone_into(fact);
        }
    }
    if let Some(version) = text("/host/ociRuntime/version") {
        facts.runtime_version = super::last_word_of_first_line(version);
    }
    if let Some(arch) = text("/host/arch") {
        facts.arch = machine_name(arch.to_owned());
    }
    if let (Some(name), Some(version)) = (text("/host/distribution/distribution"), text("/host/distribution/version")) {
        facts.os = format!("{name} {version}");
    }
    if let Some(version) = text("/host/cgroupVersion") {
        (facts.cgroups, facts.cgroup_layout) = match version {
            "v2" => (CgroupVersion::V2, CgroupLayout::V2),
            _ => (CgroupVersion::V1, CgroupLayout::V1),
        };
    }
    facts.rootless = flag("/host/security/rootless").unwrap_or(facts.rootless);
    controllers(facts, own);
    security(facts, own);
    facts.id_map = id_map(own);
}

fn controllers(facts: &mut Facts, own: &Value) {
    // A rootless podman tells those of its own cgroup here, which are no more than what its user was given.
    if let Some(list) = own.pointer("/host/cgroupControllers").and_then(Value::as_array)
        && !facts.rootless
    {
        facts.controllers = list.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
    }
}

fn security(facts: &mut Facts, own: &Value) {
    let Some(security) = own.pointer("/host/security") else { return };
    for (name, key) in [("apparmor", "apparmorEnabled"), ("seccomp", "seccompEnabled"), ("selinux", "selinuxEnabled")] {
        match security.get(key).and_then(Value::as_bool) {
            Some(true) => drop(facts.security.insert(name.to_owned())),
            Some(false) => drop(facts.security.remove(name)),
            None => {}
        }
    }
    let text = |key: &str| security.get(key).and_then(Value::as_str).unwrap_or_default();
    if !text("seccompProfilePath").is_empty() {
        text("seccompProfilePath").clone_into(&mut facts.seccomp_profile);
    }
    if !facts.security.contains("seccomp") {
        facts.seccomp_profile.clear();
    }
    let bare = |name: &str| name.trim().trim_start_matches("CAP_").to_owned();
    let capabilities: BTreeSet<String> = text("capabilities").split(',').map(bare).filter(|c| !c.is_empty()).collect();
    facts.default_capabilities = capabilities;
}

/// As `/proc/<pid>/uid_map` has it, on one line.
fn id_map(own: &Value) -> String {
    let maps = own.pointer("/host/idMappings/uidmap").and_then(Value::as_array).into_iter().flatten();
    let number = |map: &Value, key: &str| map.get(key).and_then(Value::as_u64).map(|number| number.to_string());
    let line =
        |map: &Value| Some([number(map, "container_id")?, number(map, "host_id")?, number(map, "size")?].join(" "));
    maps.filter_map(line).collect::<Vec<_>>().join(", ")
}
