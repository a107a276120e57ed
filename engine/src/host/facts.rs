//! The facts of a host: what the engine says of itself and, where it runs on this machine, what `/proc` says of its
//! process. Reading is in [`probe`]; everything else here is pure.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::HostError;
use super::address::Address;
use super::errors::{CALL, limited};
use super::wire::get_json;
use crate::facts::{CgroupLayout, CgroupVersion, EngineKind, Facts};

/// Capabilities by number, without `CAP_`.
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// Asks the engine, and the machine where the engine runs on this one.
pub(super) async fn probe(name: &str, address: &Address) -> Result<Facts, HostError> {
    let action = || format!("ask the engine at {address} what it is");
    let version = limited(action(), CALL, get_json(address, "/version")).await?;
    let info = limited(action(), CALL, get_json(address, "/info")).await?;
    let mut facts = from_answers(name, &version, &info);
    if let Some(machine) = machine(address).await {
        add_machine(&mut facts, &machine);
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
    let cgroups = if text(info, "CgroupVersion") == "2" { CgroupVersion::V2 } else { CgroupVersion::V1 };
    let runtime = text(info, "DefaultRuntime");
    let controllers = [
        ("cpu", flag("CpuCfsQuota") || flag("CPUShares")),
        ("cpuset", flag("CPUSet")),
        ("memory", flag("MemoryLimit")),
        ("pids", flag("PidsLimit")),
    ];
    Facts {
        name: name.to_owned(),
        engine: engine(version),
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
        controllers: controllers.into_iter().filter(|(_, on)| *on).map(|(name, _)| name.to_owned()).collect(),
        systemd_hierarchy: cgroups == CgroupVersion::V1,
        kernel: text(info, "KernelVersion"),
        os: text(info, "OperatingSystem"),
        arch: machine_name(text(info, "Architecture")),
        security: ["apparmor", "seccomp", "selinux"]
            .into_iter()
            .filter(|module| options.contains(*module))
            .map(ToOwned::to_owned)
            .collect(),
        capabilities: BTreeSet::new(),
        missing_capabilities: BTreeSet::new(),
    }
}

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
        .map(|(_, version)| version.lines().next().unwrap_or_default().rsplit(' ').next().unwrap_or_default())
        .unwrap_or_default()
        .to_owned()
}

/// Texts of `/proc` and `/sys` as the engine's process has them; empty where they can't be read.
#[derive(Debug, Default)]
struct Machine {
    /// `/proc/<pid>/status`.
    status: String,
    /// `/proc/sys/kernel/cap_last_cap`.
    last_capability: String,
    /// `/proc/<pid>/mountinfo`.
    mountinfo: String,
    /// `/sys/fs/cgroup/cgroup.controllers` as the engine sees it.
    controllers: String,
}

/// Finds the process behind a socket and reads. `None` for an engine elsewhere, or behind a proxy that can't be seen.
async fn machine(address: &Address) -> Option<Machine> {
    let Address::Unix(socket) = address else { return None };
    let stream = tokio::net::UnixStream::connect(socket).await.ok()?;
    let pid = stream.peer_cred().ok()?.pid().filter(|pid| *pid > 0)?;
    let read = |path: String| async move { tokio::fs::read_to_string(Path::new(&path)).await.unwrap_or_default() };
    Some(Machine {
        status: read(format!("/proc/{pid}/status")).await,
        last_capability: read("/proc/sys/kernel/cap_last_cap".to_owned()).await,
        mountinfo: read(format!("/proc/{pid}/mountinfo")).await,
        controllers: read(format!("/proc/{pid}/root/sys/fs/cgroup/cgroup.controllers")).await,
    })
}

/// Adds what an engine's machine says of itself where it can't be looked at from here: sections that each start with a
/// line `==> NAME <==`.
pub(super) fn add_guest(facts: &mut Facts, text: &str) {
    let mut sections: std::collections::BTreeMap<&str, String> = std::collections::BTreeMap::new();
    let mut name = "";
    for line in text.lines() {
        match line.strip_prefix("==> ").and_then(|line| line.strip_suffix(" <==")) {
            Some(next) => name = next,
            None => *sections.entry(name).or_default() += &format!("{line}\n"),
        }
    }
    let mut take = |name| sections.remove(name).unwrap_or_default();
    let machine = Machine {
        status: take("status"),
        last_capability: take("cap_last_cap"),
        mountinfo: take("mountinfo"),
        controllers: take("cgroup.controllers"),
    };
    add_machine(facts, &machine);
}

/// The layout of this process's `/sys/fs/cgroup`; `None` where there is none.
pub(super) async fn layout_here() -> Option<CgroupLayout> {
    let mounts = cgroup_mounts(&tokio::fs::read_to_string("/proc/self/mountinfo").await.ok()?);
    (!mounts.is_empty()).then(|| layout(&mounts))
}

fn add_machine(facts: &mut Facts, machine: &Machine) {
    if let Some((has, lacks)) = capabilities(&machine.status, &machine.last_capability) {
        facts.capabilities = has;
        facts.missing_capabilities = lacks;
    }
    let mounts = cgroup_mounts(&machine.mountinfo);
    if mounts.is_empty() {
        return;
    }
    facts.cgroup_layout = layout(&mounts);
    match facts.cgroups {
        CgroupVersion::V1 => {
            facts.controllers = mounts.iter().flat_map(CgroupMount::controllers).collect();
            facts.systemd_hierarchy = mounts.iter().any(|m| m.options.iter().any(|o| o == "name=systemd"));
        }
        CgroupVersion::V2 => {
            facts.controllers = machine.controllers.split_whitespace().map(ToOwned::to_owned).collect();
            facts.systemd_hierarchy = false;
        }
    }
}

/// The bounding set, and what of the kernel's capabilities it lacks.
fn capabilities(status: &str, last: &str) -> Option<(BTreeSet<String>, BTreeSet<String>)> {
    let bits = status.lines().find_map(|line| line.strip_prefix("CapBnd:"))?;
    let bits = u64::from_str_radix(bits.trim(), 16).ok()?;
    let last: u32 = last.trim().parse().ok().filter(|last| *last < 64)?;
    let name = |number: u32| CAPABILITIES.get(number as usize).map_or_else(|| number.to_string(), |n| (*n).to_owned());
    let (has, lacks): (Vec<u32>, Vec<u32>) = (0..=last).partition(|number| bits & (1 << number) != 0);
    Some((has.into_iter().map(name).collect(), lacks.into_iter().map(name).collect()))
}

/// A cgroup mount of a process.
#[derive(Debug, PartialEq, Eq)]
struct CgroupMount {
    point: String,
    unified: bool,
    options: Vec<String>,
}

impl CgroupMount {
    fn controllers(&self) -> impl Iterator<Item = String> {
        const OPTIONS: [&str; 6] = ["rw", "ro", "xattr", "noprefix", "clone_children", "none"];
        self.options
            .iter()
            .filter(|option| !self.unified && !option.contains('=') && !OPTIONS.contains(&option.as_str()))
            .cloned()
    }
}

/// The mounts of type cgroup and cgroup2 below `/sys/fs/cgroup`, and others that lie on that very path.
fn cgroup_mounts(mountinfo: &str) -> Vec<CgroupMount> {
    let mut mounts = Vec::new();
    for line in mountinfo.lines() {
        let Some((mount, kind)) = line.split_once(" - ") else { continue };
        let Some(point) = mount.split(' ').nth(4) else { continue };
        let mut kind = kind.split(' ');
        let (fs, options) = (kind.next().unwrap_or_default(), kind.nth(1).unwrap_or_default());
        if point == "/sys/fs/cgroup" {
            // What is mounted on top hides what was there.
            mounts.clear();
        }
        let below = point == "/sys/fs/cgroup" || point.starts_with("/sys/fs/cgroup/");
        if below && (fs == "cgroup" || fs == "cgroup2") {
            let options = options.split(',').map(ToOwned::to_owned).collect();
            mounts.push(CgroupMount { point: point.to_owned(), unified: fs == "cgroup2", options });
        }
    }
    mounts
}

fn layout(mounts: &[CgroupMount]) -> CgroupLayout {
    if mounts.iter().any(|mount| mount.unified && mount.point == "/sys/fs/cgroup") {
        CgroupLayout::V2
    } else if mounts.iter().any(|mount| mount.unified) {
        CgroupLayout::Hybrid
    } else {
        CgroupLayout::V1
    }
}

#[cfg(test)]
mod tests;
