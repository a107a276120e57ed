//! The grants, as data: what each is on a command line, and what it exposes.

use std::collections::BTreeMap;

use serde::Serialize;

use super::search::Step;
use crate::facts::{CgroupVersion, EngineKind, Facts};
use crate::images::SetupMode;

/// How much a grant gives away; the ladder goes in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Nothing of the host's.
    Harmless,
    /// The container's own cgroups.
    OwnCgroups,
    /// A capability.
    Capability,
    /// A script before systemd, with what was given so far.
    SetupMode,
    /// A part of the confinement is off.
    Unconfined,
    /// The host's cgroups.
    HostCgroups,
    /// Everything.
    Privileged,
}

/// Something that is given to a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// What it is called: as on a command line.
    pub name: String,
    /// How much it gives away.
    pub kind: Kind,
    /// What it exposes, in a sentence.
    pub exposes: String,
    /// Where that is said.
    pub source: String,
    /// Keys and values of `[container]`.
    #[serde(skip)]
    pub flags: Vec<(&'static str, String)>,
    /// Whether it is a way to the container's cgroups, of which one at most is taken.
    #[serde(skip)]
    pub way: bool,
}

impl Grant {
    /// What the search is to know of it.
    #[must_use]
    pub const fn step(&self) -> Step {
        if self.way { Step::Way } else { Step::Plain }
    }
}

/// A grant that every machine knows: name, kind, flags, what it exposes, source.
type Row = (&'static str, Kind, &'static [(&'static str, &'static str)], &'static str, &'static str);

const INTERFACE: &str = "https://systemd.io/CONTAINER_INTERFACE/";
const CAPABILITIES: &str = "https://man7.org/linux/man-pages/man7/capabilities.7.html";
const NAMESPACES: &str = "https://man7.org/linux/man-pages/man7/cgroup_namespaces.7.html";
const PODMAN: &str = "https://docs.podman.io/en/latest/markdown/podman-run.1.html#systemd-true-false-always";

const TMPFS: &str = "Nothing of the host's: a file system in memory, which counts to the container's memory.";

const HARMLESS: &[Row] = &[
    ("--tmpfs /tmp", Kind::Harmless, &[("tmpfs", "/tmp")], TMPFS, INTERFACE),
    ("--tmpfs /run/lock", Kind::Harmless, &[("tmpfs", "/run/lock")], TMPFS, INTERFACE),
    ("--tmpfs /run", Kind::Harmless, &[("tmpfs", "/run")], TMPFS, INTERFACE),
];

const WRITABLE_CGROUPS: Row = (
    "--security-opt writable-cgroups=true",
    Kind::OwnCgroups,
    &[("security_opt", "writable-cgroups=true")],
    "The container may make and limit cgroups below its own, and none above.",
    "https://github.com/moby/moby/issues/48828",
);
const SYSTEMD_MODE: Row = (
    "--systemd=always",
    Kind::OwnCgroups,
    &[("systemd", "always")],
    "The container's own cgroups are writable to it, and it gets tmpfs on /run, /run/lock, /tmp and /var/log/journal.",
    PODMAN,
);
const SYS_ADMIN: Row = (
    "--cap-add SYS_ADMIN",
    Kind::Capability,
    &[("cap_add", "SYS_ADMIN")],
    "Mounts, and much else that the kernel lets root alone do (\"the new root\"): a flaw in one of these is a way out.",
    CAPABILITIES,
);
const SECCOMP: Row = (
    "--security-opt seccomp=unconfined",
    Kind::Unconfined,
    &[("security_opt", "seccomp=unconfined")],
    "Every system call reaches the kernel, also those that the default profile keeps back for their flaws.",
    "https://docs.docker.com/engine/security/seccomp/",
);
const APPARMOR: Row = (
    "--security-opt apparmor=unconfined",
    Kind::Unconfined,
    &[("security_opt", "apparmor=unconfined")],
    "The default profile no longer denies mounts and writes to /proc and /sys: with SYS_ADMIN that is a way to the host.",
    "https://docs.docker.com/engine/security/apparmor/",
);
const HOST_CGROUPNS: Row = (
    "--cgroupns host",
    Kind::HostCgroups,
    &[("cgroupns", "host")],
    "The container sees the cgroups of the whole host, and what can write to them reaches every process's limits.",
    NAMESPACES,
);
const HOST_CGROUPS_READ_ONLY: Row = (
    "--cgroupns host --volume /sys/fs/cgroup:/sys/fs/cgroup:ro",
    Kind::HostCgroups,
    &[("cgroupns", "host"), ("volumes", "/sys/fs/cgroup:/sys/fs/cgroup:ro")],
    "The container sees the cgroups of the whole host; with the right to mount it can make them writable.",
    NAMESPACES,
);
const HOST_SYSTEMD_MODE: Row = (
    "--cgroupns host --systemd=always",
    Kind::HostCgroups,
    &[("cgroupns", "host"), ("systemd", "always")],
    "The container sees the cgroups of the whole host, and its part of the hierarchy name=systemd is writable.",
    PODMAN,
);
const HOST_CGROUPS: Row = (
    "--cgroupns host --volume /sys/fs/cgroup:/sys/fs/cgroup:rw",
    Kind::HostCgroups,
    &[("cgroupns", "host"), ("volumes", "/sys/fs/cgroup:/sys/fs/cgroup:rw")],
    "The container can change, freeze and kill everything on the host by its cgroups; on v1 release_agent runs programs as root.",
    "https://man7.org/linux/man-pages/man7/cgroups.7.html",
);
const PRIVILEGED: Row = (
    "--privileged",
    Kind::Privileged,
    &[("privileged", "true")],
    "Every capability and device, and no confinement: root in the container is root on the host.",
    "https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities",
);

/// Setup modes in the order in which they change less.
const MODES: [&str; 7] = ["unmount", "remount", "minimal", "inner_cgroup", "cgroupns_simple", "cgroupns", "rebind"];
/// Those of them that are for the host's cgroup namespace.
const MODES_OF_THE_HOST: [&str; 3] = ["cgroupns_simple", "cgroupns", "rebind"];

/// The grants that can matter on a host, the most exposing last.
#[must_use]
pub fn ladder(facts: &Facts, modes: &BTreeMap<String, SetupMode>) -> Vec<Grant> {
    let (docker, v1) = (facts.engine == EngineKind::Docker, facts.cgroups == CgroupVersion::V1);
    let has = |module: &str| facts.security.contains(module);
    let container = Grant {
        name: format!("--env container={}", facts.engine),
        kind: Kind::Harmless,
        exposes: "Nothing: systemd is told that it is in a container.".into(),
        source: INTERFACE.into(),
        flags: vec![("env", facts.engine.to_string())],
        way: false,
    };
    let order = |mode: &&SetupMode| MODES.iter().position(|name| *name == mode.name).unwrap_or(MODES.len());
    let mut modes: Vec<&SetupMode> = modes.values().filter(|mode| mode.script.is_some()).collect();
    modes.sort_by_key(order);
    let (of_host, own): (Vec<&SetupMode>, Vec<&SetupMode>) =
        modes.into_iter().partition(|mode| MODES_OF_THE_HOST.contains(&mode.name.as_str()));
    let row = |wanted: bool, way: bool, row: Row| wanted.then(|| of_row(way, row));
    let mut ladder = vec![container];
    ladder.extend(HARMLESS.iter().map(|row| of_row(false, *row)));
    // On v1 podman's systemd mode with a namespace works in the host's own root cgroup (podman#17727).
    ladder.extend(row(!docker && !v1, true, SYSTEMD_MODE));
    ladder.extend(row(docker && !v1, true, WRITABLE_CGROUPS));
    ladder.push(of_row(false, SYS_ADMIN));
    ladder.extend(own.into_iter().map(|mode| of_mode(mode, false)));
    ladder.extend(row(has("seccomp"), false, SECCOMP));
    ladder.extend(row(has("apparmor"), false, APPARMOR));
    ladder.extend(row(v1, true, HOST_CGROUPS_READ_ONLY));
    ladder.extend(row(!docker && v1, true, HOST_SYSTEMD_MODE));
    ladder.push(of_row(true, HOST_CGROUPNS));
    ladder.extend(of_host.into_iter().map(|mode| of_mode(mode, true)));
    ladder.extend([of_row(true, HOST_CGROUPS), of_row(false, PRIVILEGED)]);
    ladder
}

fn of_row(way: bool, (name, kind, flags, exposes, source): Row) -> Grant {
    Grant {
        name: name.to_owned(),
        kind,
        exposes: exposes.to_owned(),
        source: source.to_owned(),
        flags: flags.iter().map(|(key, value)| (*key, (*value).to_owned())).collect(),
        way,
    }
}

/// A setup mode; `host`: in the host's cgroup namespace.
fn of_mode(mode: &SetupMode, host: bool) -> Grant {
    let (kind, first, more) = match host {
        true => (Kind::HostCgroups, "--cgroupns host, ", HOST_CGROUPNS.3),
        false => (Kind::SetupMode, "", "Nothing more."),
    };
    let namespace = host.then(|| ("cgroupns", "host".to_owned()));
    Grant {
        name: format!("{first}the setup mode {}", mode.name),
        kind,
        exposes: format!("{more} A script runs before systemd: {}", mode.title),
        source: format!("images/setup/{}/mode.toml", mode.name),
        flags: namespace.into_iter().chain([("setup_mode", mode.name.clone())]).collect(),
        way: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_goes_up_and_has_what_the_host_has() {
        let modes = crate::images::load(std::path::Path::new("../images")).expect("the shipped modes").setup_modes;
        let docker = Facts::assumed();
        let podman = Facts { engine: EngineKind::Podman, security: ["apparmor".to_owned()].into(), ..Facts::assumed() };
        let v1 = Facts { cgroups: CgroupVersion::V1, ..docker.clone() };
        let names = |facts: &Facts| {
            let ladder = ladder(facts, &modes);
            assert!(ladder.is_sorted_by_key(|grant| grant.kind), "{ladder:#?}");
            ladder.into_iter().map(|grant| grant.name).collect::<Vec<_>>().join("\n")
        };
        let has = |facts: &Facts, name: &str| names(facts).contains(name);
        assert!(has(&docker, "writable-cgroups") && has(&docker, "seccomp") && !has(&docker, "apparmor"));
        assert!(!has(&docker, "--systemd") && has(&podman, "--systemd=always") && !has(&podman, "writable-cgroups"));
        assert!(has(&podman, "apparmor") && !has(&podman, "seccomp"));
        assert!(!has(&docker, "cgroup:ro") && has(&v1, "cgroup:ro") && !has(&v1, "writable-cgroups"));
        for mode in MODES {
            let host = has(&docker, &format!("--cgroupns host, the setup mode {mode}"));
            assert_eq!(host, MODES_OF_THE_HOST.contains(&mode), "{mode}");
            assert!(has(&docker, &format!("setup mode {mode}")), "{mode} is not shipped");
        }
    }
}
