//! The descriptions are real: containers made with the flags of [`spec`] by docker 20.10 and by podman 4.3, where two
//! fields come from its own API ([`crate::host::docker`] merges them so).

use super::*;
use crate::shared::Shared;

fn docker() -> Value {
    serde_json::from_str(include_str!("../testdata/docker-20.10-inspect.json")).expect("json")
}

fn podman() -> Value {
    serde_json::from_str(include_str!("../testdata/podman-4.3-inspect.json")).expect("json")
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Shared<BTreeMap<String, String>> {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn spec() -> ContainerSpec {
    ContainerSpec {
        cgroupns: Some("private".into()),
        read_only: true,
        tty: true,
        cap_add: strings(&["SYS_ADMIN"]),
        cap_drop: strings(&["mknod"]),
        security_opt: strings(&["seccomp=unconfined", "no-new-privileges"]),
        tmpfs: pairs(&[("/run", ""), ("/tmp", "exec,size=1m")]),
        volumes: strings(&["/etc/hostname:/etc/h:ro", "/data"]),
        ulimits: strings(&["nofile=1024:2048"]),
        env: pairs(&[("container", "docker")]),
        stop_signal: Some("SIGRTMIN+3".into()),
        network: Some("none".into()),
        hostname: Some("box".into()),
        memory: Some(256 << 20),
        nano_cpus: Some(500_000_000),
        pids_limit: Some(99),
        shm_size: Some(8 << 20),
        user: Some("root".into()),
        ..ContainerSpec::default()
    }
}

fn flags(spec: &ContainerSpec, inspect: &Value) -> Vec<String> {
    not_applied(spec, inspect)
        .into_iter()
        .map(|found| match found.requested.as_str() {
            "true" => found.flag,
            requested => format!("{} {requested}", found.flag),
        })
        .collect()
}

#[test]
fn what_was_applied_is_not_reported() {
    assert_eq!(not_applied(&spec(), &docker()), []);
    // podman 4.3's docker-compatible API keeps its own default on a v1 host, whatever is asked for.
    assert_eq!(flags(&spec(), &podman()), ["--cgroupns private"]);
    let docker_only = ContainerSpec {
        devices: strings(&["/dev/fuse"]),
        sysctls: pairs(&[("net.ipv4.ip_forward", "1")]),
        security_opt: strings(&["systempaths=unconfined"]),
        userns: Some("host".into()),
        cgroup_parent: Some("/sdc-x".into()),
        ..spec()
    };
    assert_eq!(not_applied(&docker_only, &docker()), []);
    let podman_only = ContainerSpec {
        devices: strings(&["/dev/null:/dev/other"]),
        systemd: Some("false".into()),
        cgroupns: Some("host".into()),
        ..spec()
    };
    assert_eq!(not_applied(&podman_only, &podman()), []);
}

#[test]
fn every_flag_is_missed_where_nothing_is_shown() {
    let spec = ContainerSpec {
        privileged: true,
        cap_add: Vec::new(),
        devices: strings(&["/dev/fuse"]),
        sysctls: pairs(&[("a", "b")]),
        userns: Some("host".into()),
        cgroups: Some("disabled".into()),
        cgroup_parent: Some("/x".into()),
        systemd: Some("always".into()),
        ..spec()
    };
    let missed = flags(&spec, &Value::Null);
    let expected = [
        "--privileged",
        "--read-only",
        "--tty",
        "--cap-drop mknod",
        "--cgroupns private",
        "--network none",
        "--hostname box",
        "--cgroup-parent /x",
        "--user root",
        "--userns host",
        "--stop-signal SIGRTMIN+3",
        "--security-opt seccomp=unconfined",
        "--security-opt no-new-privileges",
        "--memory 268435456",
        "--pids-limit 99",
        "--shm-size 8388608",
        "--cpus 0.5",
        "--tmpfs /run",
        "--tmpfs /tmp:exec,size=1m",
        "--volume /etc/hostname:/etc/h:ro",
        "--volume /data",
        "--device /dev/fuse",
        "--env container=docker",
        "--sysctl a=b",
        "--ulimit nofile=1024:2048",
        "--cgroups disabled",
        "--systemd=always",
    ];
    assert_eq!(missed, expected);
}

#[test]
fn what_differs_is_told_with_what_is_shown() {
    let spec = ContainerSpec {
        cgroupns: Some("host".into()),
        cap_add: strings(&["SYS_PTRACE"]),
        volumes: strings(&["/etc/hostname:/etc/h:ro,z"]),
        env: pairs(&[("container", "podman")]),
        memory: Some(1),
        stop_signal: Some("SIGTERM".into()),
        ..ContainerSpec::default()
    };
    let words: Vec<_> = not_applied(&spec, &docker()).iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "--cap-add SYS_PTRACE was not applied: the engine shows `CAP_NET_ADMIN`, `CAP_SYS_ADMIN`",
            "--cgroupns host was not applied: the engine shows private",
            "--stop-signal SIGTERM was not applied: the engine shows SIGRTMIN+3",
            "--memory 1 was not applied: the engine shows 268435456",
            "--volume /etc/hostname:/etc/h:ro,z was not applied: the engine shows `/etc/hostname:/etc/h:ro`",
            "--env container=podman was not applied: the engine shows `container=docker`",
        ]
    );
}

#[test]
fn dockers_want_of_a_systemd_mode_shows() {
    let asks = |mode: &str| ContainerSpec { systemd: Some(mode.into()), ..ContainerSpec::default() };
    assert_eq!(flags(&asks("always"), &docker()), ["--systemd=always"]);
    assert!(flags(&asks("true"), &docker()).is_empty(), "what it comes to depends on the command");
    assert!(flags(&asks("false"), &docker()).is_empty());
    assert_eq!(flags(&asks("always"), &podman()), ["--systemd=always"]);
}

/// A rootless podman shows neither; what it does show must still hold.
#[test]
fn what_podman_never_shows_is_not_missed() {
    let spec = ContainerSpec {
        devices: strings(&["/dev/fuse"]),
        sysctls: pairs(&[("net.ipv4.ip_forward", "1")]),
        ..ContainerSpec::default()
    };
    assert_eq!(flags(&spec, &podman()), ["--device /dev/fuse"], "this one was made with another device");
    let mut rootless = podman();
    *rootless.pointer_mut("/HostConfig/Devices").expect("devices") = serde_json::json!([]);
    assert!(flags(&spec, &rootless).is_empty());
}

#[test]
fn signals_are_compared_by_number() {
    for (text, number) in [("SIGRTMIN+3", 37), ("rtmin+3", 37), ("37", 37), ("SIGRTMAX-2", 62), ("TERM", 15)] {
        assert_eq!(signal(text), Some(number), "{text}");
    }
    assert_eq!(signal("SIGNONSENSE"), None);
}
