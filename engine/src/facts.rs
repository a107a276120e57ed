//! What is known of a host: the facts that templates, conditions, goldens and reports may read.
//! A plain value: `host` finds it out, everything else reads it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The facts that are coordinates of goldens besides a case's axes; no axis may have one of these names. `engine_major` is
/// the first number of the engine's version, `delegation` is [`Facts::delegation`], `hierarchies` [`Facts::hierarchies`].
pub const HOST_KEYS: [&str; 6] = ["cgroups", "delegation", "engine", "engine_major", "hierarchies", "rootless"];

/// The facts that a host must share with a recorded one to be compared with it. The engine's version is none of
/// them: a newer engine is held against what older ones did, and gets files of its own where it is accepted to differ.
pub const KIND_KEYS: [&str; 5] = ["cgroups", "delegation", "engine", "hierarchies", "rootless"];

/// The numbers at the start of a version (`20.10.24+dfsg1` is 20, 10, 24); none where it starts with none.
pub(crate) fn numbers(version: &str) -> Vec<u64> {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version[..end].split('.').map_while(|number| number.parse().ok()).collect()
}

/// Whether a version is that one or a later one. One that is not known, which is an empty text, is at least nothing.
pub(crate) fn at_least(version: &str, least: &[u64]) -> bool {
    let zeros = least.iter().rev().take_while(|number| **number == 0).count();
    let numbers = numbers(version);
    !numbers.is_empty() && numbers.as_slice() >= &least[..least.len() - zeros]
}

/// Which container engine answers on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// Docker, or something that says it is.
    Docker,
    /// Podman, through its docker-compatible or own API.
    Podman,
}

impl std::fmt::Display for EngineKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        })
    }
}

/// The cgroup version that the engine uses for containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CgroupVersion {
    /// One hierarchy a controller; a hybrid layout counts as v1.
    V1,
    /// One unified hierarchy.
    V2,
}

impl std::fmt::Display for CgroupVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        })
    }
}

/// The layout below `/sys/fs/cgroup` where the engine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CgroupLayout {
    /// Version 1 hierarchies only.
    V1,
    /// Version 1 hierarchies and a cgroup2 mount on `unified`.
    Hybrid,
    /// cgroup2 on `/sys/fs/cgroup` itself.
    V2,
}

/// The facts of one host, probed once a run. Readable as `host.<field>` in templates and conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// What the run calls this host: a lab host's name (`docker-v1`) or an address.
    pub name: String,
    /// The name that the engine's machine has for itself; empty where unknown. It is there to be taken out of what others
    /// read, and so never written, and no template reads it.
    #[serde(skip)]
    pub machine: String,
    /// The engine.
    pub engine: EngineKind,
    /// The engine's own version, such as `20.10.24+dfsg1`.
    pub engine_version: String,
    /// The API version that it speaks, such as `1.41`.
    pub api_version: String,
    /// The OCI runtime that starts containers by default, such as `runc`.
    pub runtime: String,
    /// The runtime's version, where the engine tells it; else empty.
    pub runtime_version: String,
    /// Whether the engine runs without root.
    pub rootless: bool,
    /// Whether the engine remaps user namespaces for all containers.
    pub userns_remap: bool,
    /// The cgroup version of containers.
    pub cgroups: CgroupVersion,
    /// The layout; the same as `cgroups` where the host's file system can't be read.
    pub cgroup_layout: CgroupLayout,
    /// `cgroupfs`, `systemd` or `none`.
    pub cgroup_driver: String,
    /// Controllers that are there where the engine is, such as `memory` and `pids`: those of the mounted hierarchies on v1,
    /// those of the root that the engine sees on v2 (`cgroup.controllers`); empty where unknown.
    pub controllers: BTreeSet<String>,
    /// Whether the version 1 hierarchy `name=systemd` is mounted (true where unknown; false on v2).
    pub systemd_hierarchy: bool,
    /// The kernel's release.
    pub kernel: String,
    /// The operating system, as the engine names it.
    pub os: String,
    /// The machine's architecture, such as `x86_64`.
    pub arch: String,
    /// Security modules and filters that are on: `apparmor`, `selinux`, `seccomp`.
    pub security: BTreeSet<String>,
    /// Capabilities of the engine's bounding set, without `CAP_`.
    pub capabilities: BTreeSet<String>,
    /// Capabilities that the kernel knows and the engine lacks, without `CAP_`; empty where unknown. Where it is not
    /// empty the runtime can't start a `--privileged` container ("unable to apply caps").
    pub missing_capabilities: BTreeSet<String>,
    /// Capabilities that a container has which asks for none, without `CAP_`; empty where unknown.
    #[serde(default)]
    pub default_capabilities: BTreeSet<String>,
    /// The ids of users in the engine's user namespace, the first there, the first outside and how many (`0 1000 1, 1
    /// 100000 65536`); empty where each is itself, or unknown.
    #[serde(default)]
    pub id_map: String,
    /// The default seccomp profile, as the engine names it (`default`, `builtin`, a path); empty where unknown.
    #[serde(default)]
    pub seccomp_profile: String,
    /// Whether the engine's default AppArmor profile can be loaded: the kernel has AppArmor, the engine has root's right to
    /// load it, and the program that does so is there; `None` where unknown.
    #[serde(default)]
    pub apparmor_profile: Option<bool>,
    /// The kernel's security modules that are on (`/sys/kernel/security/lsm`); empty where unknown.
    #[serde(default)]
    pub lsms: BTreeSet<String>,
    /// Controllers that are turned on for the engine's containers; where its machine can't be seen, those that docker says it
    /// can limit. On v2: the `cgroup.subtree_control` of the cgroup below
    /// which they go, or, before the engine has made it, of the nearest one above it. On v1, where nothing needs to be
    /// turned on: those of the hierarchies in which the engine can make cgroups. Empty where unknown.
    #[serde(default)]
    pub delegated: BTreeSet<String>,
    /// Limits of the engine's process (`core`, `memlock`, `nofile`, `nproc`), soft and hard (`1024:524288`); empty where
    /// unknown.
    #[serde(default)]
    pub rlimits: BTreeMap<String, String>,
    /// The version of the systemd that is the machine's PID 1; empty where none is, or unknown.
    #[serde(default)]
    pub host_systemd: String,
}

impl Facts {
    /// Whether containers get the controllers that systemd asks for by default, memory and pids: `full`, else `partial`. On
    /// v2 it decides where exec puts a process, for a cgroup that gives controllers to others can't hold one itself.
    #[must_use]
    pub fn delegation(&self) -> &'static str {
        let given = if self.delegated.is_empty() { &self.controllers } else { &self.delegated };
        if ["memory", "pids"].iter().all(|name| given.contains(*name)) { "full" } else { "partial" }
    }

    /// Who laid out the machine's v1 hierarchies: `systemd`, which joins cpu with cpuacct and mounts all that the kernel has, or
    /// `other`, as on v2, where there are none. A container sees them so, and its systemd can use cpu only where they are joined.
    #[must_use]
    pub fn hierarchies(&self) -> &'static str {
        if self.cgroups == CgroupVersion::V1 && !self.host_systemd.is_empty() { "systemd" } else { "other" }
    }

    /// An ordinary host to start from when facts are assumed instead of probed: docker on cgroup v2, rootful, with
    /// every controller and no security module.
    #[must_use]
    pub fn assumed() -> Self {
        let set = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Self {
            name: "assumed".into(),
            machine: String::new(),
            engine: EngineKind::Docker,
            engine_version: "28.0.0".into(),
            api_version: "1.48".into(),
            runtime: "runc".into(),
            runtime_version: String::new(),
            rootless: false,
            userns_remap: false,
            cgroups: CgroupVersion::V2,
            cgroup_layout: CgroupLayout::V2,
            cgroup_driver: "systemd".into(),
            controllers: set(&["cpu", "cpuset", "io", "memory", "pids"]),
            systemd_hierarchy: true,
            kernel: "6.12.0".into(),
            os: "Linux".into(),
            arch: "x86_64".into(),
            security: set(&["seccomp"]),
            capabilities: BTreeSet::new(),
            missing_capabilities: BTreeSet::new(),
            default_capabilities: BTreeSet::new(),
            id_map: String::new(),
            seccomp_profile: "builtin".into(),
            apparmor_profile: None,
            lsms: BTreeSet::new(),
            delegated: set(&["cpu", "cpuset", "io", "memory", "pids"]),
            rlimits: BTreeMap::new(),
            host_systemd: String::new(),
        }
    }
}
