//! `[container]`: its keys by the kind of value that they hold, and the layers that say them.

use indexmap::IndexMap;

use super::{Condition, Template};

/// One layer of `[container]`: what is absent leaves the layer below as it is.
///
/// In a plain layer a list replaces the list below it; in a conditional layer (`[[container.when]]`) it is appended.
/// Maps are merged by key in both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layer {
    /// The condition of a `[[container.when]]` layer (its key is `if`).
    pub when: Option<Condition>,
    /// Scalars by key; booleans and numbers are templates too (`"${{ setup_mode == 'default' }}"`).
    pub scalars: IndexMap<Scalar, Template>,
    /// Lists by [`List`].
    pub lists: IndexMap<List, Vec<Template>>,
    /// Maps by [`Map`].
    pub maps: IndexMap<Map, IndexMap<String, Template>>,
    /// Secrets of `env`: name to the variable of sdc-engine's own environment that holds the value.
    pub secrets: IndexMap<String, String>,
}

/// Keys of `[container]` that hold one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scalar {
    /// `image`: a folder of `images/`.
    Image,
    /// `setup_mode`: a folder of `images/setup/`.
    SetupMode,
    /// `cgroupns`: `host` or `private`.
    Cgroupns,
    /// `systemd`: podman's systemd mode, `always`, `true` or `false`.
    Systemd,
    /// `privileged`: a boolean.
    Privileged,
    /// `read_only`: a boolean.
    ReadOnly,
    /// `tty`: a boolean, true unless said otherwise (without one there is no console log).
    Tty,
    /// `stop_signal`, such as `SIGRTMIN+3`.
    StopSignal,
    /// `network`, such as `none`.
    Network,
    /// `hostname`.
    Hostname,
    /// `userns`, such as `host`.
    Userns,
    /// `cgroups`: podman's, `enabled`, `disabled`, `no-conmon` or `split`.
    Cgroups,
    /// `cgroup_parent`.
    CgroupParent,
    /// `memory`, with a unit as in docker (`256m`).
    Memory,
    /// `cpus`, such as `0.5`.
    Cpus,
    /// `pids_limit`.
    PidsLimit,
    /// `shm_size`, with a unit as in docker.
    ShmSize,
    /// `user`: whom PID 1 runs as.
    User,
}

impl Scalar {
    /// Every scalar with its key in a file.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Image, "image"),
        (Self::SetupMode, "setup_mode"),
        (Self::Cgroupns, "cgroupns"),
        (Self::Systemd, "systemd"),
        (Self::Privileged, "privileged"),
        (Self::ReadOnly, "read_only"),
        (Self::Tty, "tty"),
        (Self::StopSignal, "stop_signal"),
        (Self::Network, "network"),
        (Self::Hostname, "hostname"),
        (Self::Userns, "userns"),
        (Self::Cgroups, "cgroups"),
        (Self::CgroupParent, "cgroup_parent"),
        (Self::Memory, "memory"),
        (Self::Cpus, "cpus"),
        (Self::PidsLimit, "pids_limit"),
        (Self::ShmSize, "shm_size"),
        (Self::User, "user"),
    ];
}

/// Keys of `[container]` that hold a list of texts. A text that renders to nothing is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum List {
    /// `cap_add`, names without `CAP_`.
    CapAdd,
    /// `cap_drop`.
    CapDrop,
    /// `security_opt`, such as `apparmor=unconfined`.
    SecurityOpt,
    /// `unmask`: podman's, paths that are not hidden in the container, or `ALL`.
    Unmask,
    /// `tmpfs`: `path` or `path:options`.
    Tmpfs,
    /// `volumes`: `host:container[:options]`.
    Volumes,
    /// `devices`: `host[:container[:rwm]]`.
    Devices,
    /// `ulimits`: `name=soft[:hard]`.
    Ulimits,
    /// `command`: what PID 1 runs in place of the image's init.
    Command,
}

impl List {
    /// Every list with its key in a file.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::CapAdd, "cap_add"),
        (Self::CapDrop, "cap_drop"),
        (Self::SecurityOpt, "security_opt"),
        (Self::Unmask, "unmask"),
        (Self::Tmpfs, "tmpfs"),
        (Self::Volumes, "volumes"),
        (Self::Devices, "devices"),
        (Self::Ulimits, "ulimits"),
        (Self::Command, "command"),
    ];
}

/// Keys of `[container]` that hold a table of texts. A value that renders to nothing is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Map {
    /// `env`.
    Env,
    /// `sysctls`.
    Sysctls,
}

impl Map {
    /// Every map with its key in a file.
    pub const ALL: &'static [(Self, &'static str)] = &[(Self::Env, "env"), (Self::Sysctls, "sysctls")];
}
