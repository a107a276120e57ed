//! What a container's flags ask of a host: a flag that the engine does not have makes a case not applicable, a fact of the
//! machine that forbids it makes it skipped.

use super::model::ContainerSpec;
use crate::facts::{EngineKind, Facts, at_least};
use crate::images::SetupMode;

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
    None
}

/// The flag that this engine, of whatever machine, does not have.
pub(crate) fn lacking(spec: &ContainerSpec, facts: &Facts) -> Option<String> {
    if spec.cgroupns.is_some() && !at_least(&facts.api_version, &[1, 41]) {
        return Some(format!("the engine's API {} is older than 1.41, which cgroupns needs", facts.api_version));
    }
    let writable = spec.security_opt.iter().any(|option| option.starts_with("writable-cgroups"));
    match facts.engine {
        EngineKind::Podman if writable => Some("writable-cgroups is docker's; podman has none".into()),
        EngineKind::Podman => None,
        EngineKind::Docker => {
            let of_podman = [
                (spec.systemd.as_deref().is_some_and(|mode| mode != "false"), "systemd mode"),
                (!spec.unmask.is_empty(), "unmask"),
                (spec.cgroups.as_deref().is_some_and(|mode| mode != "enabled"), "cgroups (--cgroups)"),
                (spec.userns.as_deref().is_some_and(|mode| mode != "host"), "a user namespace of its own (--userns)"),
            ];
            let found = of_podman.into_iter().find(|(asked, _)| *asked);
            if let Some((_, flag)) = found {
                return Some(format!("{flag} is podman's; docker has none"));
            }
            (writable && !at_least(&facts.engine_version, &[28]))
                .then(|| format!("writable-cgroups came with docker 28; this is {}", facts.engine_version))
        }
    }
}

/// Why this engine puts no setup script into such a container: docker copies no files into one whose root is read-only
/// ("container rootfs is marked read-only"), podman does.
pub(super) fn takes_no_script(spec: &ContainerSpec, mode: &SetupMode, facts: &Facts) -> Option<String> {
    (spec.read_only && mode.script.is_some() && facts.engine == EngineKind::Docker)
        .then(|| format!("docker puts no setup script ({}) into a container with a read-only root", mode.name))
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
        assert!(lacking(&spec, &facts).is_some());
        facts.engine = EngineKind::Podman;
        assert_eq!(lacking(&spec, &facts), None);
    }

    #[test]
    fn docker_puts_no_script_into_a_read_only_root() {
        let docker = Facts::assumed();
        let podman = Facts { engine: EngineKind::Podman, ..Facts::assumed() };
        let spec = ContainerSpec { read_only: true, ..ContainerSpec::default() };
        let mode = |script: Option<&str>| SetupMode {
            name: "unmount".into(),
            title: "a title".into(),
            description: String::new(),
            script: script.map(Into::into),
            capabilities: Vec::new(),
            not_applicable: Vec::new(),
        };
        let scripted = mode(Some("exec \"$@\""));
        assert!(takes_no_script(&spec, &scripted, &docker).is_some_and(|why| why.contains("(unmount)")));
        assert_eq!(takes_no_script(&spec, &scripted, &podman), None);
        assert_eq!(takes_no_script(&spec, &mode(None), &docker), None);
        assert_eq!(takes_no_script(&ContainerSpec::default(), &scripted, &docker), None);
    }

    #[test]
    fn old_apis_know_no_cgroupns() {
        let facts = Facts { api_version: "1.40".into(), ..Facts::assumed() };
        let spec = ContainerSpec { cgroupns: Some("private".into()), ..ContainerSpec::default() };
        assert!(lacking(&spec, &facts).is_some_and(|why| why.contains("1.41")));
    }

    #[test]
    fn flags_are_one_engines_alone() {
        let docker = Facts { engine_version: "28.5.2+dfsg4".into(), ..Facts::assumed() };
        let older = Facts { engine_version: "26.1.5+dfsg1".into(), ..Facts::assumed() };
        let podman = Facts { engine: EngineKind::Podman, ..Facts::assumed() };
        let writable = ContainerSpec { security_opt: vec!["writable-cgroups=true".into()], ..ContainerSpec::default() };
        assert_eq!(lacking(&writable, &docker), None);
        assert!(lacking(&writable, &older).is_some_and(|why| why.contains("26.1.5")));
        assert!(lacking(&writable, &podman).is_some());
        for spec in [
            ContainerSpec { unmask: vec!["ALL".into()], ..ContainerSpec::default() },
            ContainerSpec { cgroups: Some("split".into()), ..ContainerSpec::default() },
            ContainerSpec { userns: Some("keep-id".into()), ..ContainerSpec::default() },
        ] {
            assert!(lacking(&spec, &docker).is_some_and(|why| why.contains("podman's")), "{spec:?}");
            assert_eq!(lacking(&spec, &podman), None);
        }
    }
}
