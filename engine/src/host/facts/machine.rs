//! What `/proc` and `/sys` of an engine's machine say: read here for an engine of this machine, and delivered as a text by
//! a virtual machine or over ssh, which run `look.sh` there.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::address::Address;
use super::super::container;
use super::capabilities::capabilities;
use super::cgroup;
use super::process::{Behind, behind};
use crate::facts::{CgroupVersion, EngineKind, Facts};

/// A shell function that prints what [`Machine::parse`] reads.
pub(in crate::host) const LOOK: &str = include_str!("look.sh");

/// Texts of `/proc` and `/sys` as the engine's process has them; empty where they can't be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::host) struct Machine {
    /// `/proc/<pid>/status`.
    pub(super) status: String,
    /// `/proc/<pid>/limits`.
    pub(super) limits: String,
    /// `/proc/<pid>/uid_map`.
    pub(super) uid_map: String,
    /// The words that the engine was started with, a line each.
    pub(super) command: String,
    /// `/etc/docker/daemon.json`.
    pub(super) daemon: String,
    /// `/proc/<pid>/cgroup`.
    pub(super) cgroup: String,
    /// `/proc/<pid>/mountinfo`.
    pub(super) mountinfo: String,
    /// `/sys/fs/cgroup/cgroup.controllers` as the engine sees it.
    pub(super) controllers: String,
    /// The `cgroup.subtree_control` of cgroups, a line each; see [`cgroup::enabled`].
    pub(super) enabled: String,
    /// The cgroup below which containers go, where who started the engine knows it.
    pub(super) parent: String,
    /// `/proc/sys/kernel/cap_last_cap`.
    pub(super) last_capability: String,
    /// `/sys/kernel/security/lsm`.
    pub(super) lsm: String,
    /// `/etc/os-release`.
    pub(super) os_release: String,
    /// The path of `apparmor_parser`, which loads profiles; empty where there is none, `None` where nobody looked.
    pub(super) apparmor_parser: Option<String>,
    /// The first line of `systemctl --version`, where systemd is PID 1.
    pub(super) systemd: String,
}

impl Machine {
    /// Reads sections, each headed by `==> NAME <==`; unknown ones are passed over.
    pub(in crate::host) fn parse(text: &str) -> Self {
        let mut machine = Self::default();
        let mut unknown = String::new();
        let mut section = "";
        for line in text.lines() {
            if let Some(name) = line.trim_end().strip_prefix("==> ").and_then(|rest| rest.strip_suffix(" <==")) {
                section = name;
                if section == "apparmor_parser" {
                    machine.apparmor_parser = Some(String::new());
                }
                continue;
            }
            let into = match section {
                "status" => &mut machine.status,
                "limits" => &mut machine.limits,
                "uid_map" => &mut machine.uid_map,
                "command" => &mut machine.command,
                "daemon" => &mut machine.daemon,
                "cgroup" => &mut machine.cgroup,
                "mountinfo" => &mut machine.mountinfo,
                "cgroup.controllers" => &mut machine.controllers,
                "enabled" => &mut machine.enabled,
                "parent" => &mut machine.parent,
                "cap_last_cap" => &mut machine.last_capability,
                "lsm" => &mut machine.lsm,
                "os-release" => &mut machine.os_release,
                "apparmor_parser" => machine.apparmor_parser.get_or_insert_default(),
                "systemd" => &mut machine.systemd,
                _ => &mut unknown,
            };
            into.push_str(line.trim_end_matches('\r'));
            into.push('\n');
        }
        machine
    }

    /// Finds the process behind a socket and reads. `None` for an engine elsewhere, or behind a proxy that can't be
    /// seen. `facts` are the engine's own words.
    pub(super) async fn behind(address: &Address, facts: &Facts) -> Option<Self> {
        let Address::Unix(socket) = address else { return None };
        match behind(socket).await? {
            Behind::Engine(pid) => Some(Self::of(Some(pid), facts).await),
            Behind::Unknown => Some(Self::of(None, facts).await),
            Behind::Other => None,
        }
    }

    /// Reads what there is of a process of this machine, or of the machine alone.
    pub(super) async fn of(pid: Option<i32>, facts: &Facts) -> Self {
        let of = |file: &str| pid.map_or_else(String::new, |pid| format!("/proc/{pid}/{file}"));
        let root = root_of(&of("root"));
        // Only root may see another user's files and mounts; those of this process are the machine's as a rule, but not where
        // it is in a container that shares no more than the machine's PID namespace.
        let at = |path: &str| root.as_deref().map_or_else(String::new, |root| format!("{root}{path}"));
        let mountinfo = match read(&of("mountinfo")).await {
            text if text.is_empty() && root.is_some() => read("/proc/self/mountinfo").await,
            text => text,
        };
        let parser = ["/sbin/apparmor_parser", "/usr/sbin/apparmor_parser"]
            .into_iter()
            .find(|path| Path::new(&at(path)).exists());
        let mut machine = Self {
            status: read(&of("status")).await,
            limits: read(&of("limits")).await,
            uid_map: read(&of("uid_map")).await,
            command: read(&of("cmdline")).await.replace('\0', "\n"),
            daemon: read(&at("/etc/docker/daemon.json")).await,
            cgroup: read(&of("cgroup")).await,
            mountinfo,
            controllers: read(&at("/sys/fs/cgroup/cgroup.controllers")).await,
            enabled: String::new(),
            parent: String::new(),
            last_capability: read("/proc/sys/kernel/cap_last_cap").await,
            lsm: read("/sys/kernel/security/lsm").await,
            os_release: read(&at("/etc/os-release")).await,
            apparmor_parser: root.is_some().then(|| parser.unwrap_or_default().to_owned()),
            systemd: systemd().await,
        };
        if let Some(parent) = machine.containers(facts) {
            machine.enabled = match &root {
                Some(root) => enabled(root, &parent).await,
                None => String::new(),
            };
        }
        machine
    }

    /// The cgroup below which containers go.
    fn containers(&self, facts: &Facts) -> Option<String> {
        let parent = self.parent.trim();
        if !parent.is_empty() {
            return Some(parent.to_owned());
        }
        let own = self.cgroup.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
        cgroup::parent(facts, own, &self.command.lines().collect::<Vec<_>>(), &self.daemon)
    }
}

/// What stands before a path of the engine's machine: its process's root folder, nothing where this process sees the same, and
/// `None` where it can't be seen.
fn root_of(root: &str) -> Option<String> {
    if !root.is_empty() && Path::new(root).join("sys").exists() {
        return Some(root.to_owned());
    }
    (!container::inside()).then(String::new)
}

/// Whether the engine behind an address runs on the machine that this process sees: not in a container, but for one that
/// shows all of the machine, and not where something else hands on to the engine.
pub(in crate::host) async fn is_here(address: &Address) -> bool {
    let Address::Unix(socket) = address else { return false };
    match behind(socket).await {
        Some(Behind::Engine(pid)) => root_of(&format!("/proc/{pid}/root")).is_some(),
        Some(Behind::Unknown) => !container::inside(),
        Some(Behind::Other) | None => false,
    }
}

async fn read(path: &str) -> String {
    tokio::fs::read(path).await.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// What is turned on in a cgroup and in those above it, as [`cgroup::enabled`] reads it.
async fn enabled(root: &str, parent: &str) -> String {
    let mut lines = String::new();
    for cgroup in cgroup::ancestors(parent) {
        let file = format!("{root}/sys/fs/cgroup{cgroup}/cgroup.subtree_control");
        if let Ok(text) = tokio::fs::read_to_string(&file).await {
            lines.push_str(&format!("{cgroup} {}\n", text.trim()));
        }
    }
    lines
}

/// The sections on the cgroup of an engine's containers, for who started the engine and knows that cgroup.
pub(in crate::host) async fn containers_below(address: &Address, parent: &str) -> String {
    let Address::Unix(socket) = address else { return String::new() };
    match behind(socket).await {
        Some(Behind::Engine(pid)) => {
            let enabled = enabled(&format!("/proc/{pid}/root"), parent).await;
            format!("==> parent <==\n{parent}\n==> enabled <==\n{enabled}")
        }
        _ => String::new(),
    }
}

/// The version of the systemd that runs this machine; empty where none does.
async fn systemd() -> String {
    if read("/proc/1/comm").await.trim() != "systemd" {
        return String::new();
    }
    let output = tokio::process::Command::new("systemctl").arg("--version").output().await;
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// Adds to an engine's own words what its machine says; of what it does not speak, nothing changes.
pub(super) fn add_machine(facts: &mut Facts, machine: &Machine) {
    if let Some((has, lacks)) = capabilities(&machine.status, &machine.last_capability) {
        facts.capabilities = has;
        facts.missing_capabilities = lacks;
    }
    let lsms = machine.lsm.trim().split(',').filter(|name| !name.is_empty());
    replace(&mut facts.lsms, lsms.map(ToOwned::to_owned).collect());
    replace(&mut facts.rlimits, rlimits(&machine.limits));
    replace(&mut facts.id_map, id_map(&machine.uid_map));
    replace(&mut facts.host_systemd, machine.systemd.split_whitespace().nth(1).unwrap_or_default().to_owned());
    // podman tells the distribution in one word.
    if facts.engine == EngineKind::Podman {
        replace(&mut facts.os, pretty_name(&machine.os_release));
    }
    if let Some(parser) = &machine.apparmor_parser {
        // The engine loads it at a container's start, by that program, as root with the right to.
        let on = facts.security.contains("apparmor") || facts.lsms.contains("apparmor");
        let may = !facts.rootless && !facts.missing_capabilities.contains("MAC_ADMIN");
        facts.apparmor_profile = Some(on && may && !parser.trim().is_empty());
    }
    let mounts = cgroup::mounts(&machine.mountinfo);
    if !mounts.is_empty() {
        facts.cgroup_layout = cgroup::layout(&mounts);
        facts.systemd_hierarchy = facts.cgroups == CgroupVersion::V1 && mounts.iter().any(cgroup::Mount::is_systemds);
        facts.controllers = match facts.cgroups {
            CgroupVersion::V1 => cgroup::controllers(&mounts),
            CgroupVersion::V2 => machine.controllers.split_whitespace().map(ToOwned::to_owned).collect(),
        };
        if facts.cgroups == CgroupVersion::V1 && !facts.rootless {
            facts.delegated = cgroup::writable(&mounts);
        }
    }
    if facts.cgroups == CgroupVersion::V2
        && !machine.enabled.trim().is_empty()
        && let Some(parent) = machine.containers(facts)
    {
        facts.delegated = cgroup::delegated(&parent, &cgroup::enabled(&machine.enabled));
    }
}

/// What is empty is not known, and replaces nothing.
fn replace<T: PartialEq + Default>(fact: &mut T, found: T) {
    if found != T::default() {
        *fact = found;
    }
}

/// `0 64999 1, 1 524288 65536`; empty where each id is itself.
fn id_map(uid_map: &str) -> String {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = uid_map.lines().map(words).filter(|line| !line.is_empty()).collect();
    if lines == ["0 0 4294967295"] { String::new() } else { lines.join(", ") }
}

/// The name in `/etc/os-release`.
fn pretty_name(os_release: &str) -> String {
    let value = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    value.map(|value| value.trim_matches(['"', '\'']).to_owned()).unwrap_or_default()
}

/// Soft and hard limits of `/proc/<pid>/limits` that bear on containers, as `1024:524288`.
fn rlimits(limits: &str) -> BTreeMap<String, String> {
    const NAMES: [(&str, &str); 4] = [
        ("Max open files", "nofile"),
        ("Max processes", "nproc"),
        ("Max locked memory", "memlock"),
        ("Max core file size", "core"),
    ];
    let mut found = BTreeMap::new();
    for line in limits.lines() {
        for (title, name) in NAMES {
            let mut values = line.strip_prefix(title).unwrap_or_default().split_whitespace();
            if let (Some(soft), Some(hard)) = (values.next(), values.next()) {
                found.insert(name.to_owned(), format!("{soft}:{hard}"));
            }
        }
    }
    found
}
