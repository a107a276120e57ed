//! What an engine's process sees of cgroups, and what of it containers get. Pure but for [`layout_here`].

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{CgroupLayout, CgroupVersion, EngineKind, Facts};

/// The layout of this process's `/sys/fs/cgroup`; `None` where there is none.
pub(in crate::host) async fn layout_here() -> Option<CgroupLayout> {
    let mounts = mounts(&tokio::fs::read_to_string("/proc/self/mountinfo").await.ok()?);
    (!mounts.is_empty()).then(|| layout(&mounts))
}

/// A cgroup mount of a process.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::host) struct Mount {
    pub(in crate::host) point: String,
    pub(in crate::host) unified: bool,
    writable: bool,
    options: Vec<String>,
}

impl Mount {
    fn controllers(&self) -> impl Iterator<Item = String> {
        const OPTIONS: [&str; 6] = ["rw", "ro", "xattr", "noprefix", "clone_children", "none"];
        self.options
            .iter()
            .filter(|option| !self.unified && !option.contains('=') && !OPTIONS.contains(&option.as_str()))
            .cloned()
    }

    /// Whether this is the v1 hierarchy that systemd keeps its units in.
    pub(super) fn is_systemds(&self) -> bool {
        self.options.iter().any(|option| option == "name=systemd")
    }
}

/// The mounts of type cgroup and cgroup2 below `/sys/fs/cgroup`, and others that lie on that very path.
pub(in crate::host) fn mounts(mountinfo: &str) -> Vec<Mount> {
    let mut mounts = Vec::new();
    for line in mountinfo.lines() {
        let Some((mount, kind)) = line.split_once(" - ") else { continue };
        let mut mount = mount.split(' ').skip(4);
        let (Some(point), Some(how)) = (mount.next(), mount.next()) else { continue };
        let mut kind = kind.split(' ');
        let (fs, options) = (kind.next().unwrap_or_default(), kind.nth(1).unwrap_or_default());
        if point == "/sys/fs/cgroup" {
            // What is mounted on top hides what was there.
            mounts.clear();
        }
        let below = point == "/sys/fs/cgroup" || point.starts_with("/sys/fs/cgroup/");
        if below && (fs == "cgroup" || fs == "cgroup2") {
            let options: Vec<String> = options.split(',').map(ToOwned::to_owned).collect();
            let writable = how.split(',').chain(options.iter().map(String::as_str)).all(|option| option != "ro");
            mounts.push(Mount { point: point.to_owned(), unified: fs == "cgroup2", writable, options });
        }
    }
    mounts
}

pub(super) fn layout(mounts: &[Mount]) -> CgroupLayout {
    if mounts.iter().any(|mount| mount.unified && mount.point == "/sys/fs/cgroup") {
        CgroupLayout::V2
    } else if mounts.iter().any(|mount| mount.unified) {
        CgroupLayout::Hybrid
    } else {
        CgroupLayout::V1
    }
}

/// The controllers of the v1 hierarchies.
pub(super) fn controllers(mounts: &[Mount]) -> BTreeSet<String> {
    mounts.iter().flat_map(Mount::controllers).collect()
}

/// The controllers of the v1 hierarchies in which cgroups can be made: there nothing needs to be turned on.
pub(super) fn writable(mounts: &[Mount]) -> BTreeSet<String> {
    mounts.iter().filter(|mount| mount.writable).flat_map(Mount::controllers).collect()
}

/// `cgroup.subtree_control` by cgroup, a line each: `/docker cpu memory`. Cgroups that do not exist are missing.
pub(super) fn enabled(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let line = |line: &str| {
        let mut words = line.split_whitespace().map(ToOwned::to_owned);
        words.next().filter(|path| path.starts_with('/')).map(|path| (path, words.collect()))
    };
    text.lines().filter_map(line).collect()
}

/// What is turned on for the children of a cgroup, or, while the engine has not made it, of the nearest one above it;
/// empty where none of them is known.
pub(super) fn delegated(parent: &str, enabled: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    ancestors(parent).iter().find_map(|cgroup| enabled.get(cgroup)).cloned().unwrap_or_default()
}

/// A cgroup and those above it, up to the root.
pub(super) fn ancestors(cgroup: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = cgroup.trim_end_matches('/');
    while !rest.is_empty() {
        all.push(rest.to_owned());
        rest = rest.rfind('/').map_or("", |at| &rest[..at]);
    }
    all.push("/".to_owned());
    all
}

/// The cgroup below which an engine's containers go on v2; `None` where that can't be known. `own` is the cgroup of the
/// engine's process, `command` its words and `daemon` the text of dockerd's configuration.
pub(super) fn parent(facts: &Facts, own: &str, command: &[&str], daemon: &str) -> Option<String> {
    let systemd = facts.cgroup_driver == "systemd";
    if facts.cgroups != CgroupVersion::V2 {
        return None;
    }
    let asked = (facts.engine == EngineKind::Docker).then(|| asked(command, daemon)).flatten();
    let slice = asked.as_deref().filter(|_| systemd).map(slice_path);
    if facts.rootless {
        // Without systemd, a rootless engine's containers share the cgroups of whatever started it.
        let manager = own.split_inclusive('/').scan(String::new(), |path, part| {
            path.push_str(part);
            Some(path.clone())
        });
        let manager = manager.into_iter().find(|path| is_user_manager(path)).filter(|_| systemd)?;
        return Some(format!("{}{}", manager.trim_end_matches('/'), slice.unwrap_or_else(|| "/user.slice".to_owned())));
    }
    match (facts.engine, asked) {
        (_, Some(_)) if systemd => slice,
        // One without a slash is looked for below the cgroup of the runtime.
        (_, Some(asked)) => asked.starts_with('/').then_some(asked),
        (EngineKind::Docker, None) => Some(if systemd { "/system.slice" } else { "/docker" }.to_owned()),
        (EngineKind::Podman, None) => Some(if systemd { "/machine.slice" } else { "/libpod_parent" }.to_owned()),
    }
}

/// `…/user@1000.service`, where a user's own systemd is.
fn is_user_manager(cgroup: &str) -> bool {
    let unit = cgroup.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    unit.starts_with("user@") && unit.ends_with(".service")
}

/// What dockerd was told by `--cgroup-parent`, else by its configuration.
fn asked(command: &[&str], daemon: &str) -> Option<String> {
    let mut words = command.iter();
    while let Some(word) = words.next() {
        if let Some(rest) = word.strip_prefix("--cgroup-parent") {
            let value = rest.strip_prefix('=').or_else(|| words.next().copied())?;
            return (!value.is_empty()).then(|| value.to_owned());
        }
    }
    let daemon: serde_json::Value = serde_json::from_str(daemon).ok()?;
    daemon.get("cgroup-parent")?.as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// Where systemd puts a slice: `a-b.slice` is below `a.slice`.
fn slice_path(slice: &str) -> String {
    let name = slice.trim_start_matches('/').trim_end_matches(".slice");
    let ends = name.match_indices('-').map(|(at, _)| at).chain([name.len()]);
    ends.map(|end| format!("/{}.slice", &name[..end])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn facts(engine: EngineKind, driver: &str, rootless: bool) -> Facts {
        Facts { engine, rootless, cgroup_driver: driver.into(), cgroups: CgroupVersion::V2, ..Facts::assumed() }
    }

    #[test]
    fn engines_have_their_places() {
        let manager = "/user.slice/user-7.slice/user@7.service/app.slice/docker.service";
        for (engine, driver, rootless, own, expected) in [
            (EngineKind::Docker, "cgroupfs", false, "/", Some("/docker")),
            (EngineKind::Docker, "systemd", false, "/system.slice/docker.service", Some("/system.slice")),
            (EngineKind::Podman, "cgroupfs", false, "/", Some("/libpod_parent")),
            (EngineKind::Podman, "systemd", false, "/", Some("/machine.slice")),
            (EngineKind::Docker, "systemd", true, manager, Some("/user.slice/user-7.slice/user@7.service/user.slice")),
            (EngineKind::Podman, "systemd", true, "/user.slice/user-7.slice/session-1.scope", None),
            (EngineKind::Podman, "cgroupfs", true, manager, None),
        ] {
            let found = parent(&facts(engine, driver, rootless), own, &["dockerd"], "");
            assert_eq!(found.as_deref(), expected, "{engine} {driver} {rootless} {own}");
        }
        let v1 = Facts { cgroups: CgroupVersion::V1, ..facts(EngineKind::Docker, "cgroupfs", false) };
        assert_eq!(parent(&v1, "/", &[], ""), None);
    }

    #[test]
    fn dockers_place_can_be_asked_for() {
        let place = |driver: &str, command: &[&str], daemon: &str| {
            parent(&facts(EngineKind::Docker, driver, false), "/", command, daemon)
        };
        let daemon = r#"{"cgroup-parent": "/by-file"}"#;
        assert_eq!(place("cgroupfs", &["dockerd", "--cgroup-parent", "/a/b"], daemon).as_deref(), Some("/a/b"));
        assert_eq!(place("cgroupfs", &["dockerd", "--cgroup-parent=/c", "-D"], daemon).as_deref(), Some("/c"));
        assert_eq!(place("cgroupfs", &["dockerd"], daemon).as_deref(), Some("/by-file"));
        assert_eq!(place("cgroupfs", &["dockerd", "--cgroup-parent", "low"], daemon), None);
        let slices = Some("/a.slice/a-b.slice/a-b-c.slice");
        assert_eq!(place("systemd", &["dockerd", "--cgroup-parent=a-b-c.slice"], "").as_deref(), slices);
    }

    #[test]
    fn what_is_turned_on_is_read_where_containers_go() {
        let enabled = enabled("/ cpu memory pids\n/docker memory\n\n/empty\nnonsense\n");
        assert_eq!(delegated("/docker", &enabled), set(&["memory"]));
        assert_eq!(delegated("/empty", &enabled), set(&[]));
        assert_eq!(delegated("/not/made/yet", &enabled), set(&["cpu", "memory", "pids"]));
        assert_eq!(delegated("/docker", &BTreeMap::new()), set(&[]));
        assert_eq!(ancestors("/a/b/"), ["/a/b", "/a", "/"]);
        assert_eq!(ancestors("/"), ["/"]);
    }

    #[test]
    fn a_read_only_hierarchy_gives_containers_nothing() {
        let mountinfo = "1 0 0:1 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
            2 0 0:2 / /sys/fs/cgroup/pids ro,relatime - cgroup cgroup rw,pids\n";
        let mounts = mounts(mountinfo);
        assert_eq!(controllers(&mounts), set(&["memory", "pids"]));
        assert_eq!(writable(&mounts), set(&["memory"]));
    }
}
