//! A host told to people: one line of it, and a table of all its facts. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::style::PLAIN;
use super::text::wrap_words;
use crate::facts::{CgroupLayout, CgroupVersion, Facts};

/// `docker 20.10.24 (runc 1.1.5), rootful, cgroup v1 (hybrid, cgroupfs), kernel 6.1.0, Debian GNU/Linux 12, x86_64`.
#[must_use]
pub fn describe(facts: &Facts) -> String {
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
        format!("{} {} ({})", facts.engine, facts.engine_version, runtime.trim()),
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

/// Every fact of a host, and why it is this one: a line each, with what belongs together in one, and long ones broken to
/// fit so many columns.
#[must_use]
pub fn table(facts: &Facts, why: &str, columns: Option<usize>) -> String {
    let rows = rows(facts, why);
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 2;
    let mut text = String::new();
    for (name, value) in &rows {
        let value = super::clean(value).replace('\n', " ");
        let lines = wrap_words(&[(PLAIN, &value)], columns.map(|columns| columns.saturating_sub(width).max(20)));
        for (number, line) in lines.iter().enumerate() {
            text.push_str(&format!("{:width$}{line}\n", if number == 0 { name } else { "" }));
        }
    }
    text
}

/// Taken apart by name, so that a fact which is not told is an error of the compiler.
fn rows(facts: &Facts, why: &str) -> Vec<(&'static str, String)> {
    let Facts {
        name,
        machine: _,
        engine,
        engine_version,
        api_version,
        runtime,
        runtime_version,
        rootless,
        userns_remap,
        cgroups,
        cgroup_layout,
        cgroup_driver,
        controllers,
        systemd_hierarchy,
        kernel,
        os,
        arch,
        security,
        capabilities,
        missing_capabilities,
        default_capabilities,
        id_map,
        seccomp_profile,
        apparmor_profile,
        lsms,
        delegated,
        rlimits,
        host_systemd,
    } = facts;
    let layout = match cgroup_layout {
        CgroupLayout::V1 => "v1",
        CgroupLayout::Hybrid => "hybrid",
        CgroupLayout::V2 => "v2",
    };
    let apparmor = match apparmor_profile {
        Some(true) => "can be loaded",
        Some(false) => "can't be loaded",
        None => "unknown",
    };
    let missing = match (capabilities.is_empty(), missing_capabilities.is_empty()) {
        (true, true) => "unknown".to_owned(),
        (false, true) => "none".to_owned(),
        (_, false) => list(missing_capabilities),
    };
    vec![
        ("name", name.clone()),
        ("chosen because", why.to_owned()),
        ("engine", format!("{engine} {engine_version} (API {api_version})")),
        ("runtime", or_unknown(format!("{runtime} {runtime_version}").trim())),
        ("rootless", yes(*rootless)),
        ("userns-remap", yes(*userns_remap)),
        ("user ids", if id_map.is_empty() { "as outside, or unknown".to_owned() } else { id_map.clone() }),
        ("cgroups", cgroups.to_string()),
        ("cgroup layout", layout.to_owned()),
        ("cgroup driver", or_unknown(cgroup_driver)),
        ("controllers", list(controllers)),
        ("delegated", if delegated.is_empty() { "none, or unknown".to_owned() } else { list(delegated) }),
        ("name=systemd", if *systemd_hierarchy { "mounted" } else { "not mounted" }.to_owned()),
        ("kernel", or_unknown(kernel)),
        ("system", or_unknown(os)),
        ("architecture", or_unknown(arch)),
        (
            "machine's systemd",
            if host_systemd.is_empty() { "none, or unknown".to_owned() } else { host_systemd.clone() },
        ),
        ("LSMs", list(lsms)),
        ("security", if security.is_empty() { "none".to_owned() } else { list(security) }),
        ("seccomp profile", or_unknown(seccomp_profile)),
        ("AppArmor profile", apparmor.to_owned()),
        ("capabilities", list(capabilities)),
        ("missing", missing),
        ("given by default", list(default_capabilities)),
        ("rlimits", limits(rlimits)),
    ]
}

fn list(set: &BTreeSet<String>) -> String {
    or_unknown(&set.iter().map(String::as_str).collect::<Vec<_>>().join(" "))
}

fn limits(limits: &BTreeMap<String, String>) -> String {
    or_unknown(&limits.iter().map(|(name, values)| format!("{name} {values}")).collect::<Vec<_>>().join(", "))
}

fn or_unknown(text: &str) -> String {
    if text.is_empty() { "unknown".to_owned() } else { text.to_owned() }
}

fn yes(flag: bool) -> String {
    if flag { "yes" } else { "no" }.to_owned()
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

    #[test]
    fn the_table_tells_every_fact() {
        let set = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let facts = Facts {
            runtime_version: "1.1.5".into(),
            capabilities: set(&["CHOWN", "FOWNER", "KILL", "MKNOD", "NET_RAW", "SETGID", "SETUID"]),
            missing_capabilities: set(&["SYS_RESOURCE"]),
            default_capabilities: set(&["CHOWN", "KILL"]),
            id_map: "0 1000 1, 1 100000 65536".into(),
            apparmor_profile: Some(true),
            lsms: set(&["apparmor", "lockdown"]),
            rlimits: [("nofile".to_owned(), "1024:524288".to_owned())].into(),
            host_systemd: "252".into(),
            ..Facts::assumed()
        };
        insta::assert_snapshot!(table(&facts, "--host asks for it", Some(60)));
        insta::assert_snapshot!(table(
            &Facts { capabilities: set(&[]), missing_capabilities: set(&[]), ..Facts::assumed() },
            "a test",
            None
        ));
    }
}
