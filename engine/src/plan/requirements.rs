//! What a container's flags ask of a host, and the fact that forbids them.

use super::model::ContainerSpec;
use crate::facts::{EngineKind, Facts};

/// Why this host can't run such a container, or `None` where nothing known forbids it.
pub(super) fn forbidden(spec: &ContainerSpec, facts: &Facts) -> Option<String> {
    let missing = &facts.missing_capabilities;
    let caps = |names: Vec<&str>| names.iter().map(|n| format!("CAP_{n}")).collect::<Vec<_>>().join(", ");
    if spec.privileged && !missing.is_empty() {
        let names = caps(missing.iter().map(String::as_str).collect());
        return Some(format!("the engine's bounding set lacks {names}, so no --privileged container can start here"));
    }
    let asked: Vec<&str> = spec.cap_add.iter().map(String::as_str).filter(|cap| missing.contains(*cap)).collect();
    if !asked.is_empty() {
        return Some(format!("the engine's bounding set lacks {}", caps(asked)));
    }
    if facts.engine == EngineKind::Docker && spec.systemd.as_deref().is_some_and(|mode| mode != "false") {
        return Some("systemd mode is podman's; docker has none".into());
    }
    if spec.cgroupns.is_some() && older(&facts.api_version, (1, 41)) {
        return Some(format!("the engine's API {} is older than 1.41, which cgroupns needs", facts.api_version));
    }
    None
}

fn older(version: &str, than: (u32, u32)) -> bool {
    let mut parts = version.split('.').map(|p| p.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < than
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn privileged_needs_the_whole_bounding_set() {
        let mut facts = Facts::assumed();
        let spec = ContainerSpec { privileged: true, ..ContainerSpec::default() };
        assert_eq!(forbidden(&spec, &facts), None);
        facts.missing_capabilities.insert("SYS_RESOURCE".into());
        assert!(forbidden(&spec, &facts).is_some_and(|why| why.contains("CAP_SYS_RESOURCE")));
        let plain = ContainerSpec { cap_add: vec!["SYS_ADMIN".into()], ..ContainerSpec::default() };
        assert_eq!(forbidden(&plain, &facts), None);
    }

    #[test]
    fn systemd_mode_is_podmans() {
        let mut facts = Facts::assumed();
        let spec = ContainerSpec { systemd: Some("always".into()), ..ContainerSpec::default() };
        assert!(forbidden(&spec, &facts).is_some());
        facts.engine = EngineKind::Podman;
        assert_eq!(forbidden(&spec, &facts), None);
    }

    #[test]
    fn old_apis_know_no_cgroupns() {
        let facts = Facts { api_version: "1.40".into(), ..Facts::assumed() };
        let spec = ContainerSpec { cgroupns: Some("private".into()), ..ContainerSpec::default() };
        assert!(forbidden(&spec, &facts).is_some_and(|why| why.contains("1.41")));
    }
}
