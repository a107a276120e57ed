//! A machine's state as far as a container could change it, and what differs between two.
//!
//! A machine lives while it is watched: engines mount for their containers, services come and go. So only what nobody
//! alive explains counts: a cgroup that is new and empty, a mount outside of an engine's and users' own folders, a setting
//! of the kernel's that does not change by itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The state. A part that could not be read is empty in both, so that it shows no difference.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostState {
    /// File system and options by mount point; what is stacked is joined.
    pub mounts: BTreeMap<String, String>,
    /// The cgroup hierarchies, as `/proc/self/cgroup` names them.
    pub hierarchies: BTreeSet<String>,
    /// Cgroups of no container.
    pub cgroups: CgroupDirs,
    /// Loaded modules.
    pub modules: BTreeSet<String>,
    /// Writable sysctls; `None` where they were not read this time.
    pub sysctls: Option<BTreeMap<String, String>>,
}

/// Cgroups by path, hierarchy first (`unified:/system.slice`): whether a process is in it or below it.
pub type CgroupDirs = BTreeMap<String, bool>;

/// Mount points of engines, and of users that log in and out.
const OTHERS_MOUNTS: [&str; 9] = [
    "/overlay2/",
    "/overlay-containers/",
    "/overlay/",
    "/vfs-containers/",
    "/docker/netns/",
    "/run/netns/",
    "/run/user/",
    "/run/sdc-engine/",
    "/var/lib/sdc-engine/",
];

/// Sysctls that change by themselves.
const RESTLESS: [&str; 15] = [
    "fs.dentry-state",
    "fs.file-nr",
    "fs.inode-nr",
    "fs.inode-state",
    "fs.aio-nr",
    "fs.quota.",
    "fs.epoll.",
    "kernel.random.",
    "kernel.ns_last_pid",
    "kernel.pty.nr",
    "kernel.perf_event_max_sample_rate",
    "kernel.sched_domain.",
    "kernel.hung_task_detect_count",
    "net.netfilter.nf_conntrack_count",
    "net.netfilter.nf_conntrack_buckets",
];

impl HostState {
    /// Takes in `/proc/<pid>/mountinfo`.
    #[must_use]
    pub fn with_mounts(mut self, mountinfo: &str) -> Self {
        for line in mountinfo.lines() {
            let Some((point, mount)) = mount(line) else { continue };
            if OTHERS_MOUNTS.iter().any(|part| format!("{point}/").contains(part)) {
                continue;
            }
            let known = self.mounts.entry(point).or_default();
            if !known.is_empty() {
                known.push_str("; below ");
            }
            known.push_str(&mount);
        }
        self
    }

    /// Takes in `/proc/<pid>/cgroup`.
    #[must_use]
    pub fn with_hierarchies(mut self, cgroup: &str) -> Self {
        let name =
            |line: &str| line.split(':').nth(1).map(|name| if name.is_empty() { "unified" } else { name }.to_owned());
        self.hierarchies.extend(cgroup.lines().filter_map(name));
        self
    }

    /// Takes in `/proc/modules`.
    #[must_use]
    pub fn with_modules(mut self, modules: &str) -> Self {
        self.modules.extend(modules.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned));
        self
    }
}

/// The mount point, and what is there: `cgroup2 rw,nsdelegate` with the options of the mount and of its file system.
fn mount(line: &str) -> Option<(String, String)> {
    let (own, rest) = line.split_once(" - ")?;
    let own: Vec<&str> = own.split(' ').collect();
    let (root, point, options) = (*own.get(3)?, *own.get(4)?, *own.get(5)?);
    let mut rest = rest.splitn(3, ' ');
    let (kind, _source, of_all) = (rest.next()?, rest.next()?, rest.next()?);
    let root = if root == "/" { String::new() } else { format!(" [{root}]") };
    Some((point.to_owned(), format!("{kind}{root} {options} ({of_all})")))
}

/// Whether a sysctl changes by itself.
fn restless(name: &str) -> bool {
    RESTLESS.iter().any(|known| match known.strip_suffix('.') {
        Some(_) => name.starts_with(known),
        None => name == *known,
    })
}

/// Whether a folder of a hierarchy is an engine's or a container's own, so that it and what is below it says nothing.
#[must_use]
pub fn of_an_engine(name: &str, at_top: bool) -> bool {
    const TOP: [&str; 4] = ["docker", "libpod_parent", "buildkit", "machine.slice"];
    let id = name.split(|c: char| !c.is_ascii_hexdigit()).any(|part| part.len() == 64);
    id || name.starts_with("sdc-engine-") || (at_top && TOP.contains(&name))
}

/// One thing that became different.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What: `the mount /sys/fs/cgroup`.
    pub of: String,
    /// What became of it: `appeared: …`.
    pub how: String,
}

impl Change {
    /// Whether the same thing is changed by one of these.
    #[must_use]
    pub fn is_among(&self, others: &[Self]) -> bool {
        others.iter().any(|other| other.of == self.of)
    }
}

/// Reports have it in words.
impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Of a report's words nobody knows where the thing ends: any space will do, for they read the same.
impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = String::deserialize(deserializer)?;
        let (of, how) = words.split_once(' ').unwrap_or((&words, ""));
        Ok(Self { of: of.to_owned(), how: how.to_owned() })
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.of, self.how)
    }
}

/// What became different.
#[must_use]
pub fn changes(before: &HostState, after: &HostState) -> Vec<Change> {
    let new = |of: String, how: String| Change { of, how };
    let mut lines = Vec::new();
    for (point, mount) in &after.mounts {
        match before.mounts.get(point) {
            None => lines.push(new(format!("the mount {point}"), format!("appeared: {mount}"))),
            Some(old) if old != mount => {
                lines.push(new(format!("the mount {point}"), format!("was {old}, and is {mount}")));
            }
            Some(_) => {}
        }
    }
    let gone = before.mounts.iter().filter(|(point, _)| !after.mounts.contains_key(*point));
    lines.extend(gone.map(|(point, mount)| new(format!("the mount {point}"), format!("is gone: {mount}"))));
    let of_set = |what: &str, before: &BTreeSet<String>, after: &BTreeSet<String>| -> Vec<Change> {
        let of = |name: &String, how: &str| new(format!("the {what} {name}"), how.to_owned());
        let came = after.difference(before).map(|name| of(name, "appeared"));
        came.chain(before.difference(after).map(|name| of(name, "is gone"))).collect()
    };
    lines.extend(of_set("cgroup hierarchy", &before.hierarchies, &after.hierarchies));
    lines.extend(left_cgroups(&before.cgroups, &after.cgroups));
    lines.extend(of_set("kernel module", &before.modules, &after.modules));
    if let (Some(before), Some(after)) = (&before.sysctls, &after.sysctls) {
        // A network interface brings its own, and takes them along.
        for (name, value) in after {
            let old = before.get(name).filter(|old| *old != value && !restless(name));
            lines.extend(old.map(|old| new(format!("the sysctl {name}"), format!("was {old}, and is {value}"))));
        }
    }
    lines
}

/// New cgroups in which nothing lives, the topmost of a tree alone.
fn left_cgroups(before: &CgroupDirs, after: &CgroupDirs) -> Vec<Change> {
    let new: Vec<&str> = after
        .iter()
        .filter(|(path, used)| !**used && !before.contains_key(*path))
        .map(|(path, _)| path.as_str())
        .collect();
    let above = |path: &str| path.rsplit_once('/').is_some_and(|(above, _)| new.contains(&above));
    let top = new.iter().filter(|path| !above(path));
    top.map(|path| {
        let (hierarchy, path) = path.split_once(':').unwrap_or(("", path));
        let of = format!("the cgroup {path} of the hierarchy {hierarchy}");
        Change { of, how: "was left, and nothing is in it".to_owned() }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs ro,mode=755\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n\
        50 23 0:50 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n";

    fn state() -> HostState {
        HostState::default()
            .with_mounts(MOUNTS)
            .with_hierarchies("4:memory:/\n1:name=systemd:/\n0::/x\n")
            .with_modules("overlay 151552 0 - Live 0x0\n")
    }

    fn told(before: &HostState, after: &HostState) -> Vec<String> {
        changes(before, after).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_same_is_no_change() {
        assert_eq!(changes(&state(), &state()), []);
        assert_eq!(state().mounts.len(), 2, "an engine's own mounts say nothing");
        assert_eq!(state().hierarchies, ["memory", "name=systemd", "unified"].map(str::to_owned).into());
    }

    #[test]
    fn each_kind_of_change_is_told() {
        let mut after = HostState::default()
            .with_mounts(
                &MOUNTS.replace("cgroup2 rw\n", "cgroup2 rw,nsdelegate\n").replace("/ /sys/fs/cgroup rw", "/ /x rw"),
            )
            .with_hierarchies("4:memory:/\n2:perf_event:/\n1:name=systemd:/\n0::/x\n")
            .with_modules("overlay 1\nbridge 1\n");
        after.cgroups = [("unified:/left", false), ("unified:/left/below", false), ("unified:/used", true)]
            .map(|(path, used)| (path.to_owned(), used))
            .into();
        let told = told(&state(), &after);
        assert_eq!(
            told,
            [
                "the mount /sys/fs/cgroup/unified was cgroup2 rw,relatime (rw), and is cgroup2 rw,relatime (rw,nsdelegate)",
                "the mount /x appeared: tmpfs rw,relatime (ro,mode=755)",
                "the mount /sys/fs/cgroup is gone: tmpfs rw,relatime (ro,mode=755)",
                "the cgroup hierarchy perf_event appeared",
                "the cgroup /left of the hierarchy unified was left, and nothing is in it",
                "the kernel module bridge appeared",
            ]
        );
    }

    #[test]
    fn sysctls_that_rest_are_compared_where_both_were_read() {
        let with = |pairs: &[(&str, &str)]| HostState {
            sysctls: Some(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()),
            ..HostState::default()
        };
        let before = with(&[("kernel.core_pattern", "core"), ("fs.file-nr", "1")]);
        let after =
            with(&[("kernel.core_pattern", "|/x"), ("fs.file-nr", "2"), ("net.ipv4.conf.veth0.forwarding", "1")]);
        assert_eq!(told(&before, &after), ["the sysctl kernel.core_pattern was core, and is |/x"]);
        assert_eq!(changes(&HostState::default(), &after), []);
    }

    #[test]
    fn cgroups_of_containers_are_an_engines() {
        let id = "0123456789abcdef".repeat(4);
        assert!(of_an_engine(&id, false) && of_an_engine(&format!("docker-{id}.scope"), false));
        assert!(of_an_engine("docker", true) && !of_an_engine("docker", false));
        assert!(of_an_engine("sdc-engine-docker-v1-7", true));
        assert!(!of_an_engine("init.scope", true));
    }
}
