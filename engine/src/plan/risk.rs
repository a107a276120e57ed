//! Which containers may change the machine that they run on, by their flags alone.

use super::model::ContainerSpec;

/// The flags by which a container may change the host, in words; none where it can't, as far as flags tell. The engine's own
/// choice of a cgroup namespace, which on cgroup v1 is the host's, counts as none: every container is in it there.
pub(super) fn flags(spec: &ContainerSpec) -> Vec<String> {
    let mut flags = Vec::new();
    if spec.privileged {
        flags.push("it is privileged".to_owned());
    }
    if spec.cgroupns.as_deref() == Some("host") {
        flags.push("it is in the host's cgroup namespace".to_owned());
    }
    flags.extend(writable(spec).map(|source| format!("it has the host's {source} writable")));
    flags.extend(spec.devices.iter().map(|device| format!("it has the host's device {}", first(device))));
    if spec.network.as_deref() == Some("host") {
        flags.push("it is in the host's network".to_owned());
    }
    if spec.unmask.iter().any(|path| path.eq_ignore_ascii_case("all") || path.starts_with("/proc/sys")) {
        flags.push("it has /proc/sys unmasked".to_owned());
    }
    flags
}

/// Whether it can write to cgroups that neighbours use: the host's tree is mounted into it, or all of it is writable to it.
pub(super) fn alone(spec: &ContainerSpec) -> bool {
    let tree = |source: &str| ["/", "/sys", "/sys/fs"].contains(&source) || source.starts_with("/sys/fs/cgroup");
    let whole = spec.privileged && spec.cgroupns.as_deref() == Some("host");
    whole || writable(spec).any(tree)
}

/// Folders and files of the host that it may write to. A name that is no path is a volume of the engine's.
fn writable(spec: &ContainerSpec) -> impl Iterator<Item = &str> {
    let of = |volume: &'_ String| -> bool {
        let options = volume.splitn(3, ':').nth(2).unwrap_or_default();
        volume.starts_with('/') && !options.split(',').any(|option| option == "ro")
    };
    spec.volumes.iter().filter(move |volume| of(volume)).map(|volume| trimmed(first(volume)))
}

fn first(words: &str) -> &str {
    words.split(':').next().unwrap_or_default()
}

fn trimmed(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut ContainerSpec)) -> ContainerSpec {
        let mut spec = ContainerSpec { cgroupns: Some("private".into()), ..ContainerSpec::default() };
        change(&mut spec);
        spec
    }

    #[test]
    fn a_container_of_its_own_changes_nothing() {
        let spec = with(|spec| {
            spec.cap_add = vec!["SYS_ADMIN".into()];
            spec.network = Some("none".into());
            spec.volumes = vec!["/sys/fs/cgroup:/sys/fs/cgroup:ro".into(), "data:/data".into()];
        });
        assert_eq!(flags(&spec), [""; 0]);
        assert!(!alone(&spec));
    }

    #[test]
    fn each_flag_is_told() {
        for (spec, words) in [
            (with(|spec| spec.privileged = true), "it is privileged"),
            (with(|spec| spec.cgroupns = Some("host".into())), "it is in the host's cgroup namespace"),
            (
                with(|spec| spec.volumes = vec!["/sys/fs/cgroup/:/x:rw".into()]),
                "it has the host's /sys/fs/cgroup writable",
            ),
            (with(|spec| spec.volumes = vec!["/:/host".into()]), "it has the host's / writable"),
            (with(|spec| spec.devices = vec!["/dev/kmsg:/dev/kmsg".into()]), "it has the host's device /dev/kmsg"),
            (with(|spec| spec.network = Some("host".into())), "it is in the host's network"),
            (with(|spec| spec.unmask = vec!["ALL".into()]), "it has /proc/sys unmasked"),
        ] {
            assert_eq!(flags(&spec), [words]);
        }
    }

    #[test]
    fn who_can_write_to_others_cgroups_runs_alone() {
        assert!(alone(&with(|spec| spec.volumes = vec!["/sys/fs/cgroup:/sys/fs/cgroup:rw".into()])));
        assert!(alone(&with(|spec| spec.volumes = vec!["/sys:/sys".into()])));
        assert!(!alone(&with(|spec| spec.volumes = vec!["/srv:/srv".into()])));
        assert!(!alone(&with(|spec| spec.cgroupns = Some("host".into()))));
        assert!(alone(&with(|spec| (spec.privileged, spec.cgroupns) = (true, Some("host".into())))));
    }
}
