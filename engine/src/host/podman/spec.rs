//! The body of podman's create call: a `SpecGenerator` (containers/podman, `pkg/specgen/specgen.go`), the same that
//! `podman --url … create` sends. Pure.

use serde_json::{Map, Value, json};

use crate::host::CreateRequest;
use crate::host::applied::signal;
use crate::plan::ContainerSpec;

/// The body, or words on what in the request can't be expressed.
pub(in crate::host) fn body(request: &CreateRequest) -> Result<Value, String> {
    let spec = &request.spec;
    let labels: Map<String, Value> = request.labels.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
    let mut body = Body(Map::new());
    body.set("name", &request.name);
    body.set("image", &request.image);
    body.set("entrypoint", &request.argv);
    body.set("labels", labels);
    body.set("env", &spec.env);
    body.set("terminal", spec.tty);
    body.set("stdin", true);
    body.some("hostname", spec.hostname.as_ref());
    body.some("user", spec.user.as_ref());
    body.some("systemd", spec.systemd.as_ref());
    if let Some(text) = &spec.stop_signal {
        body.set("stop_signal", signal(text).ok_or_else(|| format!("`{text}` is no signal"))?);
    }
    rights(&mut body, spec)?;
    namespaces(&mut body, spec)?;
    mounts(&mut body, spec);
    limits(&mut body, spec)?;
    Ok(Value::Object(body.0))
}

struct Body(Map<String, Value>);

impl Body {
    fn set(&mut self, key: &str, value: impl serde::Serialize) {
        self.0.insert(key.to_owned(), json!(value));
    }

    /// Lists with something in them alone: podman 4.3 looks at the first of an empty one, and panics.
    fn list<T: serde::Serialize>(&mut self, key: &str, list: &[T]) {
        if !list.is_empty() {
            self.set(key, list);
        }
    }

    fn some(&mut self, key: &str, value: Option<impl serde::Serialize>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }
}

fn rights(body: &mut Body, spec: &ContainerSpec) -> Result<(), String> {
    body.set("privileged", spec.privileged);
    body.set("read_only_filesystem", spec.read_only);
    body.list("cap_add", &spec.cap_add);
    body.list("cap_drop", &spec.cap_drop);
    let (mut mask, mut unmask, mut labels) = (Vec::new(), spec.unmask.clone(), Vec::new());
    // podman's command line leaves these for inspect, which shows the options by nothing else.
    let mut annotations = Map::new();
    for option in &spec.security_opt {
        let (key, value) = option.split_once(['=', ':']).unwrap_or((option, "true"));
        if matches!(key, "seccomp" | "apparmor" | "label") {
            annotations.insert(format!("io.podman.annotations.{key}"), json!(value));
        }
        match key {
            "seccomp" => body.set("seccomp_profile_path", value),
            "apparmor" => body.set("apparmor_profile", value),
            "no-new-privileges" => body.set("no_new_privileges", value != "false"),
            "label" => labels.push(value.to_owned()),
            "mask" => mask.push(value.to_owned()),
            "unmask" => unmask.push(value.to_owned()),
            "systempaths" if value == "unconfined" => unmask.push("ALL".to_owned()),
            "proc-opts" => body.set("procfs_opts", value.split(',').collect::<Vec<_>>()),
            _ => return Err(format!("podman knows no `--security-opt {option}`")),
        }
    }
    if !annotations.is_empty() {
        body.set("annotations", annotations);
    }
    body.list("mask", &mask);
    body.list("unmask", &unmask);
    body.list("selinux_opts", &labels);
    Ok(())
}

/// A namespace as podman's API has it: `keep-id:uid=5` is a mode and its value.
fn namespace(text: &str) -> Value {
    let (mode, value) = text.split_once(':').unwrap_or((text, ""));
    let mode = match mode {
        "nomap" => "no-map",
        "ns" => "path",
        other => other,
    };
    json!({ "nsmode": mode, "value": value })
}

fn namespaces(body: &mut Body, spec: &ContainerSpec) -> Result<(), String> {
    body.some("cgroupns", spec.cgroupns.as_deref().map(namespace));
    body.some("cgroups_mode", spec.cgroups.as_ref());
    body.some("cgroup_parent", spec.cgroup_parent.as_ref());
    network(body, spec.network.as_deref());
    let Some(userns) = &spec.userns else { return Ok(()) };
    body.set("userns", namespace(userns));
    let (mode, options) = userns.split_once(':').unwrap_or((userns, ""));
    match mode {
        "auto" => body.set("idmappings", json!({ "AutoUserNs": true, "AutoUserNsOpts": automatic(options)? })),
        // podman makes the mappings itself, and wants to hear that they are not the host's.
        "keep-id" | "nomap" => body.set("idmappings", json!({ "HostUIDMapping": false, "HostGIDMapping": false })),
        _ => {}
    }
    Ok(())
}

/// The options of an automatic user namespace: `size=1000,uidmapping=0:5:1`.
fn automatic(text: &str) -> Result<Value, String> {
    let mut found = Map::new();
    for option in options(text) {
        let wrong = || {
            format!(
                "`{option}` is no option of `userns = \"auto:…\"`: write size=1000, uidmapping=0:5:1 or gidmapping=0:5:1"
            )
        };
        let (key, value) = option.split_once('=').ok_or_else(wrong)?;
        let numbers: Vec<u32> = value.split(':').map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
        let mappings = match (key, numbers.as_slice()) {
            ("size", [size]) => {
                found.insert("Size".to_owned(), json!(size));
                continue;
            }
            ("uidmapping", _) => "AdditionalUIDMappings",
            ("gidmapping", _) => "AdditionalGIDMappings",
            _ => return Err(wrong()),
        };
        let [inside, outside, size] = numbers[..] else { return Err(wrong()) };
        let list = found.entry(mappings).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(json!({ "container_id": inside, "host_id": outside, "size": size }));
        }
    }
    Ok(Value::Object(found))
}

/// `bridge`, `none`, `host`, … are modes; another word is a network of the engine's.
fn network(body: &mut Body, text: Option<&str>) {
    const MODES: [&str; 10] =
        ["none", "host", "private", "default", "bridge", "slirp4netns", "pasta", "ns", "container", "pod"];
    let Some(text) = text else { return };
    let (mode, value) = text.split_once(':').unwrap_or((text, ""));
    match mode {
        "slirp4netns" | "pasta" if !value.is_empty() => {
            body.set("netns", json!({ "nsmode": mode }));
            body.set("network_options", json!({ mode: options(value) }));
        }
        mode if MODES.contains(&mode) => body.set("netns", namespace(text)),
        name => {
            body.set("netns", json!({ "nsmode": "bridge" }));
            body.set("Networks", json!({ name: {} }));
        }
    }
}

fn options(text: &str) -> Vec<&str> {
    text.split(',').filter(|option| !option.is_empty()).collect()
}

fn mounts(body: &mut Body, spec: &ContainerSpec) {
    let mut mounts: Vec<Value> = spec
        .tmpfs
        .iter()
        .map(
            |(path, text)| json!({ "destination": path, "type": "tmpfs", "source": "tmpfs", "options": options(text) }),
        )
        .collect();
    let mut volumes = Vec::new();
    for volume in &spec.volumes {
        let mut parts = volume.splitn(3, ':');
        let (first, target, rest) = (parts.next().unwrap_or_default(), parts.next(), parts.next().unwrap_or_default());
        match target {
            None => volumes.push(json!({ "Dest": first, "Options": [] })),
            Some(target) if first.starts_with('/') => {
                mounts.push(json!({ "destination": target, "type": "bind", "source": first, "options": options(rest) }))
            }
            Some(target) => volumes.push(json!({ "Name": first, "Dest": target, "Options": options(rest) })),
        }
    }
    body.list("mounts", &mounts);
    body.list("volumes", &volumes);
    let devices: Vec<Value> = spec.devices.iter().map(|device| json!({ "path": device })).collect();
    body.list("devices", &devices);
    body.some("shm_size", spec.shm_size);
    body.set("sysctl", &spec.sysctls);
}

fn limits(body: &mut Body, spec: &ContainerSpec) -> Result<(), String> {
    let limit = |text: &String| {
        let wrong = || format!("`{text}` is no ulimit: write `nofile=1024` or `nofile=1024:2048`");
        let (name, values) = text.split_once('=').ok_or_else(wrong)?;
        let (soft, hard) = values.split_once(':').unwrap_or((values, values));
        let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
        Ok(json!({ "type": name, "soft": number(soft)?, "hard": number(hard)? }))
    };
    let ulimits: Vec<Value> = spec.ulimits.iter().map(limit).collect::<Result<_, String>>()?;
    body.list("r_limits", &ulimits);
    let mut resources = Map::new();
    if let Some(memory) = spec.memory {
        resources.insert("memory".to_owned(), json!({ "limit": memory }));
    }
    if let Some(pids) = spec.pids_limit {
        resources.insert("pids".to_owned(), json!({ "limit": pids }));
    }
    if let Some(cpus) = spec.nano_cpus {
        // The period of podman's command line, in microseconds.
        const PERIOD: i64 = 100_000;
        resources.insert("cpu".to_owned(), json!({ "quota": cpus / (1_000_000_000 / PERIOD), "period": PERIOD }));
    }
    if !resources.is_empty() {
        body.set("resource_limits", resources);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(spec: ContainerSpec) -> Result<Value, String> {
        body(&CreateRequest {
            spec,
            image: "image:tag".into(),
            name: "name".into(),
            argv: vec!["/sbin/init".into()],
            labels: vec![("sdc-engine".into(), "1".into())],
        })
    }

    #[test]
    fn every_flag_reaches_the_body() {
        let spec = ContainerSpec {
            systemd: Some("always".into()),
            cgroupns: Some("private".into()),
            network: Some("none".into()),
            userns: Some("keep-id:uid=5".into()),
            cgroups: Some("split".into()),
            unmask: vec!["/sys/fs/cgroup".into()],
            stop_signal: Some("SIGRTMIN+3".into()),
            tmpfs: [("/run".to_owned(), "exec,size=1m".to_owned())].into(),
            volumes: vec!["/a:/b:ro".into(), "named:/c".into(), "/anonymous".into()],
            security_opt: vec!["seccomp=unconfined".into(), "no-new-privileges".into(), "label=disable".into()],
            ulimits: vec!["nofile=1:2".into()],
            nano_cpus: Some(500_000_000),
            memory: Some(9),
            ..ContainerSpec::default()
        };
        let body = made(spec).expect("a body");
        for (pointer, value) in [
            ("/systemd", json!("always")),
            ("/cgroupns/nsmode", json!("private")),
            ("/netns/nsmode", json!("none")),
            ("/userns", json!({"nsmode": "keep-id", "value": "uid=5"})),
            ("/cgroups_mode", json!("split")),
            ("/unmask", json!(["/sys/fs/cgroup"])),
            ("/stop_signal", json!(37)),
            ("/mounts/0/options", json!(["exec", "size=1m"])),
            ("/mounts/1", json!({"destination": "/b", "type": "bind", "source": "/a", "options": ["ro"]})),
            (
                "/volumes",
                json!([{"Name": "named", "Dest": "/c", "Options": []}, {"Dest": "/anonymous", "Options": []}]),
            ),
            ("/seccomp_profile_path", json!("unconfined")),
            ("/annotations/io.podman.annotations.seccomp", json!("unconfined")),
            ("/no_new_privileges", json!(true)),
            ("/selinux_opts", json!(["disable"])),
            ("/r_limits", json!([{"type": "nofile", "soft": 1, "hard": 2}])),
            ("/resource_limits", json!({"cpu": {"quota": 50_000, "period": 100_000}, "memory": {"limit": 9}})),
        ] {
            assert_eq!(body.pointer(pointer), Some(&value), "{pointer}");
        }
    }

    #[test]
    fn user_namespaces_come_with_their_mappings() {
        let asks = |text: &str| made(ContainerSpec { userns: Some(text.into()), ..ContainerSpec::default() });
        let at = |text: &str, pointer: &str| asks(text).expect("a body").pointer(pointer).cloned();
        assert_eq!(at("auto", "/userns/nsmode"), Some(json!("auto")));
        assert_eq!(at("auto", "/idmappings"), Some(json!({"AutoUserNs": true, "AutoUserNsOpts": {}})));
        let map = json!({"container_id": 0, "host_id": 5, "size": 1});
        let options = json!({"Size": 99, "AdditionalUIDMappings": [map], "AdditionalGIDMappings": [map]});
        let text = "auto:size=99,uidmapping=0:5:1,gidmapping=0:5:1";
        assert_eq!(at(text, "/idmappings/AutoUserNsOpts"), Some(options));
        assert_eq!(at("nomap", "/userns/nsmode"), Some(json!("no-map")));
        assert_eq!(at("keep-id", "/idmappings/HostUIDMapping"), Some(json!(false)));
        assert_eq!(at("ns:/proc/1/ns/user", "/userns"), Some(json!({"nsmode": "path", "value": "/proc/1/ns/user"})));
        assert_eq!(at("host", "/idmappings"), None);
        for text in ["auto:size", "auto:size=x", "auto:size=1:2", "auto:other=1", "auto:uidmapping=1:2"] {
            assert!(asks(text).is_err_and(|words| words.contains("size=1000")), "{text}");
        }
    }

    #[test]
    fn networks_are_modes_or_names() {
        let asks = |text: &str| made(ContainerSpec { network: Some(text.into()), ..ContainerSpec::default() });
        let at = |text: &str, pointer: &str| asks(text).expect("a body").pointer(pointer).cloned();
        assert_eq!(at("none", "/netns/nsmode"), Some(json!("none")));
        assert_eq!(at("container:x", "/netns"), Some(json!({"nsmode": "container", "value": "x"})));
        assert_eq!(at("slirp4netns:mtu=1", "/network_options"), Some(json!({"slirp4netns": ["mtu=1"]})));
        assert_eq!(at("mine", "/Networks"), Some(json!({"mine": {}})));
    }

    #[test]
    fn what_podman_lacks_is_told() {
        let spec = |option: &str| ContainerSpec { security_opt: vec![option.into()], ..ContainerSpec::default() };
        assert!(made(spec("writable-cgroups=true")).is_err_and(|words| words.contains("writable-cgroups")));
        let spec = ContainerSpec { stop_signal: Some("SIGNONE".into()), ..ContainerSpec::default() };
        assert!(made(spec).is_err());
    }
}
