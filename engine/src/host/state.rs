//! Reads this machine's state, for [`crate::leak`]: files of `/proc` and `/sys`, and nothing else.

use std::collections::BTreeMap;
use std::fs::{self, File, read_to_string};
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, openat};

use super::facts::{Mount, mounts};
use crate::leak::{CgroupDirs, HostState, of_an_engine};

/// The state; sysctls, of which there are more than a thousand, only where they are asked for. What can't be read is left
/// out.
pub(super) fn here(sysctls: bool) -> HostState {
    let read = |path: &str| read_to_string(path).unwrap_or_default();
    let mountinfo = read("/proc/self/mountinfo");
    let mut state = HostState::default()
        .with_mounts(&mountinfo)
        .with_hierarchies(&read("/proc/self/cgroup"))
        .with_modules(&read("/proc/modules"));
    state.cgroups = cgroups(&mountinfo);
    state.sysctls = sysctls.then(|| self::sysctls(Path::new("/proc/sys")));
    state
}

/// The cgroups of every hierarchy that is mounted below `/sys/fs/cgroup` here, but for those of containers.
fn cgroups(mountinfo: &str) -> CgroupDirs {
    let mut dirs = CgroupDirs::new();
    for Mount { point, unified, .. } in mounts(mountinfo) {
        let name = if unified { "unified" } else { point.rsplit('/').next().unwrap_or_default() };
        below(Path::new(&point), &format!("{name}:"), true, &mut dirs);
    }
    dirs
}

/// Notes the folders below a cgroup; whether a process is in any of them. Containers' own are passed over, and in use.
fn below(folder: &Path, name: &str, top: bool, dirs: &mut CgroupDirs) -> bool {
    let mut any = false;
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let child = entry.file_name().to_string_lossy().into_owned();
        if of_an_engine(&child, top) {
            any = true;
            continue;
        }
        let path = format!("{name}/{child}");
        let used = below(&entry.path(), &path, false, dirs) | has_process(&entry.path());
        dirs.insert(path, used);
        any |= used;
    }
    any
}

/// A threaded cgroup can't be read so: it counts as used.
fn has_process(cgroup: &Path) -> bool {
    fs::read(cgroup.join("cgroup.procs"))
        .map_or_else(|error| error.kind() != std::io::ErrorKind::NotFound, |bytes| !bytes.is_empty())
}

/// Every sysctl that can be written, and read.
fn sysctls(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    if let Ok(top) = openat(CWD, folder, FOLDER, Mode::empty()) {
        sysctls_in(&top, "", &mut found);
    }
    found
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Those of a folder. Each is opened from its folder on: that there are more than a thousand, each some folders deep, and that
/// the kernel is slow at names of sysctls is most of what a look at the machine costs.
fn sysctls_in(folder: &OwnedFd, above: &str, found: &mut BTreeMap<String, String>) {
    let entries = Dir::read_from(folder).into_iter().flatten().filter_map(Result::ok);
    for entry in entries {
        let (file_name, kind) = (entry.file_name(), entry.file_type());
        let name = file_name.to_string_lossy();
        if kind == FileType::Directory && name != "." && name != ".." {
            if let Ok(inner) = openat(folder, file_name, FOLDER | OFlags::NOFOLLOW, Mode::empty()) {
                sysctls_in(&inner, &format!("{above}{name}."), found);
            }
        } else if kind == FileType::RegularFile
            && let Some(value) = sysctl(folder, file_name)
        {
            found.insert(format!("{above}{name}"), value);
        }
    }
}

/// The value of one that can be written, and read. The kernel opens none for reading that can't be read.
fn sysctl(folder: &OwnedFd, name: &std::ffi::CStr) -> Option<String> {
    let file = openat(folder, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut file = File::from(file);
    let settable = |mode: u32| mode & 0o200 != 0 && mode & 0o400 != 0;
    if !settable(file.metadata().ok()?.permissions().mode()) {
        return None;
    }
    let mut value = String::with_capacity(128);
    file.read_to_string(&mut value).ok()?;
    Some(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_state_and_it_rests() {
        let (first, second) = (here(true), here(true));
        assert!(first.mounts.contains_key("/proc") && !first.hierarchies.is_empty());
        let sysctls = first.sysctls.as_ref().map_or(0, BTreeMap::len);
        assert!(sysctls > 100, "{sysctls}");
        assert!(first.sysctls.as_ref().is_some_and(|all| all.contains_key("kernel.core_pattern")));
        let (top, mut names) = (Path::new("/proc/sys"), Vec::new());
        for entry in walkdir::WalkDir::new(top).into_iter().filter_map(Result::ok) {
            let mode = entry.metadata().expect("metadata").permissions().mode();
            if entry.file_type().is_file() && mode & 0o600 == 0o600 && fs::read_to_string(entry.path()).is_ok() {
                names.push(entry.path().strip_prefix(top).expect("below").to_string_lossy().replace('/', "."));
            }
        }
        names.sort();
        assert_eq!(
            second.sysctls.iter().flat_map(BTreeMap::keys).collect::<Vec<_>>(),
            names.iter().collect::<Vec<_>>()
        );
        let restless = crate::leak::changes(
            &HostState { sysctls: first.sysctls, ..HostState::default() },
            &HostState { sysctls: second.sysctls, ..HostState::default() },
        );
        assert_eq!(restless, []);
    }

    #[test]
    fn folders_are_cgroups_where_processes_may_be() {
        let folder = tempfile::tempdir().expect("a folder");
        let make = |path: &str, procs: &str| {
            fs::create_dir_all(folder.path().join(path)).expect("made");
            fs::write(folder.path().join(path).join("cgroup.procs"), procs).expect("written");
        };
        for (path, procs) in [("a", ""), ("a/b", "1\n"), ("c", ""), ("docker", ""), ("docker/x", "")] {
            make(path, procs);
        }
        let mut dirs = CgroupDirs::new();
        below(folder.path(), "u:", true, &mut dirs);
        let expected = [("u:/a", true), ("u:/a/b", true), ("u:/c", false)];
        assert_eq!(dirs, expected.map(|(path, used)| (path.to_owned(), used)).into());
    }
}
