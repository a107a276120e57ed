//! What an engine made of the flags: every flag of a [`ContainerSpec`] compared with its description of the container.
//! An engine may drop a flag without a word (an old API, a kernel without a controller, podman's names for things); a
//! verdict on such a container would be one on other flags. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::observe::NotApplied;
use crate::plan::ContainerSpec;

/// Compares a spec with the answer of inspect, docker's or podman's. Flags that were not asked for are not looked at.
#[must_use]
pub fn not_applied(spec: &ContainerSpec, inspect: &Value) -> Vec<NotApplied> {
    let mut check = Check { inspect, found: Vec::new() };
    switches(&mut check, spec);
    capabilities(&mut check, spec);
    texts(&mut check, spec);
    numbers(&mut check, spec);
    mounts(&mut check, spec);
    maps(&mut check, spec);
    limits(&mut check, spec);
    podmans(&mut check, spec);
    check.found
}

struct Check<'a> {
    inspect: &'a Value,
    found: Vec<NotApplied>,
}

impl Check<'_> {
    /// Whether podman describes the container: [`super::docker`] adds what only its own API has.
    fn podman(&self) -> bool {
        self.inspect.get("EffectiveCaps").is_some()
    }

    fn at(&self, pointer: &str) -> &Value {
        self.inspect.pointer(pointer).unwrap_or(&Value::Null)
    }

    fn text(&self, pointer: &str) -> String {
        match self.at(pointer) {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }

    fn list(&self, pointer: &str) -> Vec<String> {
        let texts = self.at(pointer).as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.map(ToOwned::to_owned).collect()
    }

    /// `flag` is as on a command line: `--cap-add SYS_ADMIN`.
    fn must(&mut self, holds: bool, flag: impl Into<String>, seen: impl std::fmt::Display) {
        if !holds {
            let flag: String = flag.into();
            let (flag, requested) = flag.split_once(' ').unwrap_or((&flag, "true"));
            let seen = seen.to_string();
            let seen = if matches!(seen.as_str(), "" | "null" | "[]" | "{}") { "nothing".to_owned() } else { seen };
            self.found.push(NotApplied { flag: flag.into(), requested: requested.into(), effective: seen });
        }
    }
}

fn shown(values: &[String]) -> String {
    if values.is_empty() { String::new() } else { format!("`{}`", values.join("`, `")) }
}

fn switches(check: &mut Check<'_>, spec: &ContainerSpec) {
    for (asked, flag, pointer) in [
        (spec.privileged, "--privileged", "/HostConfig/Privileged"),
        (spec.read_only, "--read-only", "/HostConfig/ReadonlyRootfs"),
        (spec.tty, "--tty", "/Config/Tty"),
    ] {
        let seen = check.at(pointer).clone();
        check.must(!asked || seen == Value::Bool(true), flag, &seen);
    }
}

fn capabilities(check: &mut Check<'_>, spec: &ContainerSpec) {
    let plain = |name: &str| {
        let name = name.to_uppercase();
        name.strip_prefix("CAP_").map_or(name.clone(), ToOwned::to_owned)
    };
    for (asked, flag, pointer) in
        [(&spec.cap_add, "--cap-add", "/HostConfig/CapAdd"), (&spec.cap_drop, "--cap-drop", "/HostConfig/CapDrop")]
    {
        let seen = check.list(pointer);
        for name in asked {
            let holds = seen.iter().any(|s| plain(s) == plain(name) || plain(s) == "ALL")
                // podman lists only what differs from its defaults, and says what holds in the end.
                || check.podman()
                    && (flag == "--cap-add")
                        == check.list("/EffectiveCaps").iter().any(|s| plain(s) == plain(name))
                // A privileged container has them all; dropping from it is docker's to ignore, and must show.
                || flag == "--cap-add" && spec.privileged;
            check.must(holds, format!("{flag} {name}"), shown(&seen));
        }
    }
}

fn texts(check: &mut Check<'_>, spec: &ContainerSpec) {
    for (asked, flag, pointer) in [
        (&spec.cgroupns, "--cgroupns", "/HostConfig/CgroupnsMode"),
        (&spec.network, "--network", "/HostConfig/NetworkMode"),
        (&spec.hostname, "--hostname", "/Config/Hostname"),
        (&spec.cgroup_parent, "--cgroup-parent", "/HostConfig/CgroupParent"),
        (&spec.user, "--user", "/Config/User"),
    ] {
        if let Some(asked) = asked {
            let seen = check.text(pointer);
            check.must(seen == *asked, format!("{flag} {asked}"), &seen);
        }
    }
    if let Some(asked) = &spec.userns {
        let seen = check.text("/HostConfig/UsernsMode");
        // podman shows that there is one, not which, and nothing for the host's.
        let holds = seen == *asked || check.podman() && seen == if asked == "host" { "" } else { "private" };
        check.must(holds, format!("--userns {asked}"), &seen);
    }
    if let Some(asked) = &spec.stop_signal {
        let seen = check.text("/Config/StopSignal");
        check.must(signal(&seen) == signal(asked), format!("--stop-signal {asked}"), &seen);
    }
    for asked in &spec.security_opt {
        if asked == "systempaths=unconfined" {
            let seen = check.list("/HostConfig/MaskedPaths");
            check.must(seen.is_empty(), format!("--security-opt {asked}"), shown(&seen));
            continue;
        }
        let plain = |text: &str| text.replacen(':', "=", 1).trim_end_matches("=true").to_owned();
        let seen = check.list("/HostConfig/SecurityOpt");
        let holds = seen.iter().any(|s| plain(s) == plain(asked));
        check.must(holds, format!("--security-opt {asked}"), shown(&seen));
    }
}

/// A signal's number by its name or number; podman shows numbers.
pub(super) fn signal(text: &str) -> Option<i64> {
    const NAMES: [(&str, i64); 10] = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("KILL", 9),
        ("USR1", 10),
        ("USR2", 12),
        ("TERM", 15),
        ("PWR", 30),
        ("RTMIN", 34),
        ("RTMAX", 64),
    ];
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    let (base, offset) = match name.find(['+', '-']) {
        Some(at) => (&name[..at], name[at..].parse().ok()?),
        None => (name, 0),
    };
    NAMES.iter().find(|(known, _)| *known == base).map(|(_, number)| number + offset)
}

fn numbers(check: &mut Check<'_>, spec: &ContainerSpec) {
    for (asked, flag, pointer) in [
        (spec.memory, "--memory", "/HostConfig/Memory"),
        (spec.pids_limit, "--pids-limit", "/HostConfig/PidsLimit"),
        (spec.shm_size, "--shm-size", "/HostConfig/ShmSize"),
    ] {
        if let Some(asked) = asked {
            let seen = check.at(pointer).clone();
            check.must(seen.as_i64() == Some(asked), format!("{flag} {asked}"), &seen);
        }
    }
    if let Some(asked) = spec.nano_cpus {
        let number = |pointer: &str| check.at(pointer).as_i64().unwrap_or_default();
        // podman shows a quota for a period.
        let (quota, period) = (number("/HostConfig/CpuQuota"), number("/HostConfig/CpuPeriod"));
        let by_quota = i128::from(quota) * 1_000_000_000 == i128::from(asked) * i128::from(period) && period > 0;
        let seen = check.at("/HostConfig/NanoCpus").clone();
        check.must(
            seen.as_i64() == Some(asked) || by_quota,
            format!("--cpus {}", super::by_hand::billionths(asked)),
            &seen,
        );
    }
}

/// Whether every option of a comma list is in another.
fn within(asked: &str, seen: &str) -> bool {
    asked.split(',').filter(|option| !option.is_empty()).all(|option| seen.split(',').any(|s| s == option))
}

fn mounts(check: &mut Check<'_>, spec: &ContainerSpec) {
    for (path, options) in &spec.tmpfs {
        let seen = check.at(&format!("/HostConfig/Tmpfs/{}", path.replace('~', "~0").replace('/', "~1"))).clone();
        let holds = seen.as_str().is_some_and(|seen| within(options, seen));
        let flag = if options.is_empty() { path.clone() } else { format!("{path}:{options}") };
        check.must(holds, format!("--tmpfs {flag}"), &seen);
    }
    let binds = check.list("/HostConfig/Binds");
    let targets: Vec<String> = check
        .at("/Mounts")
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|mount| mount.get("Destination")?.as_str().map(ToOwned::to_owned))
        .collect();
    for volume in &spec.volumes {
        let mut parts = volume.splitn(3, ':');
        let (first, target, options) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
        let holds = match target {
            None => targets.iter().any(|seen| Some(seen.as_str()) == first) || !check.at(&volume_key(volume)).is_null(),
            Some(target) => binds.iter().any(|bind| {
                let mut seen = bind.splitn(3, ':');
                (seen.next(), seen.next()) == (first, Some(target)) && within(options, seen.next().unwrap_or_default())
            }),
        };
        check.must(holds, format!("--volume {volume}"), shown(&binds));
    }
    for device in &spec.devices {
        let mut parts = device.split(':');
        let outside = parts.next().unwrap_or_default();
        let inside = parts.next().filter(|part| part.starts_with('/')).unwrap_or(outside);
        let seen = check.at("/HostConfig/Devices").clone();
        // A rootless podman binds a device as it does a file, and shows it nowhere.
        if check.podman() && seen.as_array().is_some_and(Vec::is_empty) {
            break;
        }
        let holds = seen.as_array().into_iter().flatten().any(|d| {
            // podman does not show the path outside.
            d.get("PathOnHost").and_then(Value::as_str).is_none_or(|seen| seen.is_empty() || seen == outside)
                && d.get("PathInContainer").and_then(Value::as_str) == Some(inside)
        });
        check.must(holds, format!("--device {device}"), &seen);
    }
}

fn volume_key(path: &str) -> String {
    format!("/Config/Volumes/{}", path.replace('~', "~0").replace('/', "~1"))
}

fn maps(check: &mut Check<'_>, spec: &ContainerSpec) {
    let env = check.list("/Config/Env");
    for (key, value) in &spec.env {
        let seen: Vec<_> = env.iter().filter(|line| line.starts_with(&format!("{key}="))).cloned().collect();
        check.must(seen.contains(&format!("{key}={value}")), format!("--env {key}={value}"), shown(&seen));
    }
    for name in spec.secrets.keys() {
        let seen = env.iter().any(|line| line.starts_with(&format!("{name}=")));
        check.must(seen, format!("--env {name}"), "");
    }
    // podman shows these nowhere; one that it can't set it refuses.
    if check.podman() {
        return;
    }
    let sysctls: BTreeMap<String, Value> =
        serde_json::from_value(check.at("/HostConfig/Sysctls").clone()).unwrap_or_default();
    for (key, value) in &spec.sysctls {
        let seen = sysctls.get(key).and_then(Value::as_str).unwrap_or_default();
        check.must(seen == value, format!("--sysctl {key}={value}"), seen);
    }
}

fn limits(check: &mut Check<'_>, spec: &ContainerSpec) {
    for limit in &spec.ulimits {
        let (name, values) = limit.split_once('=').unwrap_or((limit, ""));
        let (soft, hard) = values.split_once(':').unwrap_or((values, values));
        let seen = check.at("/HostConfig/Ulimits").clone();
        let holds = seen.as_array().into_iter().flatten().any(|l| {
            let same = l.get("Name").and_then(Value::as_str).is_some_and(|seen| {
                seen.eq_ignore_ascii_case(name) || seen.eq_ignore_ascii_case(&format!("RLIMIT_{name}"))
            });
            let number = |key: &str| l.get(key).map(Value::to_string);
            same && number("Soft").as_deref() == Some(soft) && number("Hard").as_deref() == Some(hard)
        });
        check.must(holds, format!("--ulimit {limit}"), &seen);
    }
}

/// podman's own. What `true` comes to depends on the command, so only the two other systemd modes can be told; of cgroups,
/// whether there is one.
fn podmans(check: &mut Check<'_>, spec: &ContainerSpec) {
    if spec.cgroups.as_deref() == Some("disabled") {
        let seen = check.text("/HostConfig/Cgroups");
        check.must(seen == "disabled", "--cgroups disabled", &seen);
    }
    let Some(asked) = spec.systemd.as_deref() else { return };
    let seen = check.at("/Config/SystemdMode").clone();
    let holds = match asked {
        "always" => seen == Value::Bool(true),
        "true" => true,
        _ => seen != Value::Bool(true),
    };
    check.must(holds, format!("--systemd={asked}"), &seen);
}

#[cfg(test)]
mod tests;
