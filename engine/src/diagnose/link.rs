//! The short names of issues, as the scenarios' descriptions have them.

/// Projects by their short name, and where their issues are.
const PROJECTS: [(&str, &str); 12] = [
    ("containerd", "containerd/containerd"),
    ("cri-o", "cri-o/cri-o"),
    ("crun", "containers/crun"),
    ("kind", "kubernetes-sigs/kind"),
    ("kubernetes", "kubernetes/kubernetes"),
    ("lxc", "lxc/lxc"),
    ("lxd", "canonical/lxd"),
    ("moby", "moby/moby"),
    ("podman", "containers/podman"),
    ("rootlesskit", "rootless-containers/rootlesskit"),
    ("runc", "opencontainers/runc"),
    ("systemd", "systemd/systemd"),
];

/// The address of a link: of `moby#42275`, or of what is one already. `None` where it is neither.
#[must_use]
pub fn url(link: &str) -> Option<String> {
    if link.starts_with("https://") {
        return Some(link.to_owned());
    }
    let (project, number) = link.split_once('#')?;
    let (_, repository) = PROJECTS.iter().find(|(name, _)| *name == project)?;
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| format!("https://github.com/{repository}/issues/{number}"))
}

/// The short names, in order.
pub(super) fn projects() -> Vec<&'static str> {
    PROJECTS.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn short_names_have_addresses() {
        assert_eq!(url("moby#42275").as_deref(), Some("https://github.com/moby/moby/issues/42275"));
        assert_eq!(url("https://systemd.io/x").as_deref(), Some("https://systemd.io/x"));
        for none in ["moby", "moby#", "moby#1a", "nope#1", "http://x"] {
            assert_eq!(url(none), None, "{none}");
        }
    }
}
