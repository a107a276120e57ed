//! What `/proc` and `/sys` of an engine's machine say: read here for an engine of this machine, and delivered as a text by
//! a virtual machine or over ssh.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::address::Address;
use crate::facts::{CgroupLayout, CgroupVersion, Facts};

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

/// Texts of `/proc` and `/sys` as the engine's process has them; empty where they can't be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::host) struct Machine {
    /// `/proc/<pid>/status`.
    pub(super) status: String,
    /// `/proc/sys/kernel/cap_last_cap`.
    pub(super) last_capability: String,
    /// `/proc/<pid>/mountinfo`.
    pub(super) mountinfo: String,
    /// `/sys/fs/cgroup/cgroup.controllers` as the engine sees it.
    pub(super) controllers: String,
    /// The same of the engine's own cgroup, where the engine is rootless: what was delegated to it.
    pub(super) delegated: String,
    /// `/sys/kernel/security/lsm`.
    pub(super) lsm: String,
    /// `/proc/<pid>/limits`.
    pub(super) limits: String,
    /// The first line of `systemctl --version`, where systemd is PID 1.
    pub(super) systemd: String,
    /// The path of `apparmor_parser`, which loads profiles.
    pub(super) apparmor_parser: String,
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
                continue;
            }
            let into = match section {
                "status" => &mut machine.status,
                "cap_last_cap" => &mut machine.last_capability,
                "mountinfo" => &mut machine.mountinfo,
                "cgroup.controllers" => &mut machine.controllers,
                "delegated" => &mut machine.delegated,
                "lsm" => &mut machine.lsm,
                "limits" => &mut machine.limits,
                "systemd" => &mut machine.systemd,
                "apparmor_parser" => &mut machine.apparmor_parser,
                _ => &mut unknown,
            };
            into.push_str(line.trim_end_matches('\r'));
            into.push('\n');
        }
        machine
    }

    /// Finds the process behind a socket and reads. `None` for an engine elsewhere, or behind a proxy that can't be
    /// seen.
    pub(super) async fn behind(address: &Address) -> Option<Self> {
        let Address::Unix(socket) = address else { return None };
        let stream = tokio::net::UnixStream::connect(socket).await.ok()?;
        let pid = stream.peer_cred().ok()?.pid().filter(|pid| *pid > 0)?;
        let read = |path: String| async move { tokio::fs::read_to_string(Path::new(&path)).await.unwrap_or_default() };
        let root = format!("/proc/{pid}/root");
        let own = read(format!("/proc/{pid}/cgroup")).await;
        let own = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/").to_owned();
        let parser = ["/sbin/apparmor_parser", "/usr/sbin/apparmor_parser"]
            .into_iter()
            .find(|path| Path::new(&format!("{root}{path}")).exists());
        Some(Self {
            status: read(format!("/proc/{pid}/status")).await,
            last_capability: read("/proc/sys/kernel/cap_last_cap".to_owned()).await,
            mountinfo: read(format!("/proc/{pid}/mountinfo")).await,
            controllers: read(format!("{root}/sys/fs/cgroup/cgroup.controllers")).await,
            delegated: read(format!("{root}/sys/fs/cgroup{own}/cgroup.controllers")).await,
            lsm: read("/sys/kernel/security/lsm".to_owned()).await,
            limits: read(format!("/proc/{pid}/limits")).await,
            systemd: systemd().await,
            apparmor_parser: parser.unwrap_or_default().to_owned(),
        })
    }
}

/// The version of the systemd that runs this machine; empty where none does.
async fn systemd() -> String {
    let first = tokio::fs::read_to_string("/proc/1/comm").await.unwrap_or_default();
    if first.trim() != "systemd" {
        return String::new();
    }
    let output = tokio::process::Command::new("systemctl").arg("--version").output().await;
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// The layout of this process's `/sys/fs/cgroup`; `None` where there is none.
pub(in crate::host) async fn layout_here() -> Option<CgroupLayout> {
    let mounts = cgroup_mounts(&tokio::fs::read_to_string("/proc/self/mountinfo").await.ok()?);
    (!mounts.is_empty()).then(|| layout(&mounts))
}

/// Adds to an engine's own words what its machine says.
pub(super) fn add_machine(facts: &mut Facts, machine: &Machine) {
    if let Some((has, lacks)) = capabilities(&machine.status, &machine.last_capability) {
        facts.capabilities = has;
        facts.missing_capabilities = lacks;
    }
    facts.lsms = machine.lsm.trim().split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect();
    facts.rlimits = rlimits(&machine.limits);
    facts.host_systemd = machine.systemd.split_whitespace().nth(1).unwrap_or_default().to_owned();
    facts.apparmor_profile = Some(facts.security.contains("apparmor") && !machine.apparmor_parser.trim().is_empty());
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
    let words = |text: &str| text.split_whitespace().map(ToOwned::to_owned).collect();
    facts.delegated = if facts.rootless { words(&machine.delegated) } else { facts.controllers.clone() };
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

/// The bounding set, and what of the kernel's capabilities it lacks.
pub(super) fn capabilities(status: &str, last: &str) -> Option<(BTreeSet<String>, BTreeSet<String>)> {
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
