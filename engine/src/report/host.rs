//! One line on a host. Pure.

use crate::facts::{CgroupLayout, CgroupVersion, EngineKind, Facts};

/// `docker 20.10.24 (runc 1.1.5), rootful, cgroup v1 (hybrid, cgroupfs), kernel 6.1.0, Debian GNU/Linux 12, x86_64`.
#[must_use]
pub fn describe(facts: &Facts) -> String {
    let engine = match facts.engine {
        EngineKind::Docker => "docker",
        EngineKind::Podman => "podman",
    };
    let runtime = format!("{} {}", facts.runtime, facts.runtime_version);
    let rights = match (facts.rootless, facts.userns_remap) {
        (true, _) => "rootless",
        (false, true) => "rootful with remapped users",
        (false, false) => "rootful",
    };
    let layout = match (facts.cgroups, facts.cgroup_layout) {
        (CgroupVersion::V1, CgroupLayout::Hybrid) => "hybrid, ",
        (CgroupVersion::V2, CgroupLayout::Hybrid) => "on a hybrid machine, ",
        (CgroupVersion::V2, CgroupLayout::V1) => "on a v1 machine, ",
        _ => "",
    };
    let mut parts = vec![
        format!("{engine} {} ({})", facts.engine_version, runtime.trim()),
        rights.to_owned(),
        format!("cgroup {} ({layout}{})", facts.cgroups, facts.cgroup_driver),
        format!("kernel {}", facts.kernel),
        facts.os.clone(),
        facts.arch.clone(),
    ];
    parts.extend(facts.security.iter().cloned());
    if !facts.missing_capabilities.is_empty() {
        let missing: Vec<_> = facts.missing_capabilities.iter().map(|name| format!("CAP_{name}")).collect();
        parts.push(format!("without {}", missing.join(" ")));
    }
    super::clean(&parts.join(", ")).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_says_what_matters() {
        insta::assert_snapshot!(describe(&Facts::assumed()), @"docker 28.0.0 (runc), rootful, cgroup v2 (systemd), kernel 6.12.0, Linux, x86_64, seccomp");
        let facts = Facts {
            cgroups: CgroupVersion::V1,
            cgroup_layout: CgroupLayout::Hybrid,
            runtime_version: "1.1.5".into(),
            missing_capabilities: ["SYS_RESOURCE".to_owned()].into(),
            ..Facts::assumed()
        };
        insta::assert_snapshot!(describe(&facts), @"docker 28.0.0 (runc 1.1.5), rootful, cgroup v1 (hybrid, systemd), kernel 6.12.0, Linux, x86_64, seccomp, without CAP_SYS_RESOURCE");
    }
}
