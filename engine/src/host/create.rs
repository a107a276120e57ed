//! From a [`CreateRequest`] to the body of the API's create call. Pure.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, DeviceMapping, HostConfig, HostConfigCgroupnsModeEnum, ResourcesUlimits};

use super::CreateRequest;
use crate::plan::ContainerSpec;

fn list(values: &[String]) -> Option<Vec<String>> {
    (!values.is_empty()).then(|| values.to_vec())
}

fn map<'a>(values: impl IntoIterator<Item = (&'a String, &'a String)>) -> Option<HashMap<String, String>> {
    let map: HashMap<_, _> = values.into_iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    (!map.is_empty()).then_some(map)
}

/// The body, or words on what in the request can't be expressed.
pub(super) fn body(request: &CreateRequest) -> Result<ContainerCreateBody, String> {
    let spec = &request.spec;
    let (anonymous, binds): (Vec<_>, Vec<_>) = spec.volumes.iter().cloned().partition(|v| !v.contains(':'));
    Ok(ContainerCreateBody {
        image: Some(request.image.clone()),
        hostname: spec.hostname.clone(),
        user: spec.user.clone(),
        tty: Some(spec.tty),
        open_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        env: (!spec.env.is_empty()).then(|| spec.env.iter().map(|(k, v)| format!("{k}={v}")).collect()),
        entrypoint: Some(request.argv.clone()),
        cmd: Some(Vec::new()),
        labels: map(request.labels.iter().map(|(k, v)| (k, v))),
        stop_signal: spec.stop_signal.clone(),
        volumes: (!anonymous.is_empty()).then_some(anonymous),
        host_config: Some(host_config(spec, binds)?),
        ..ContainerCreateBody::default()
    })
}

fn host_config(spec: &ContainerSpec, binds: Vec<String>) -> Result<HostConfig, String> {
    // `systempaths=unconfined` is docker's command line only: the API has two lists for it.
    let unmasked = spec.security_opt.iter().any(|o| o == "systempaths=unconfined");
    let security: Vec<_> = spec.security_opt.iter().filter(|o| *o != "systempaths=unconfined").cloned().collect();
    Ok(HostConfig {
        privileged: Some(spec.privileged),
        readonly_rootfs: Some(spec.read_only),
        cap_add: list(&spec.cap_add),
        cap_drop: list(&spec.cap_drop),
        cgroupns_mode: spec.cgroupns.as_deref().map(cgroupns).transpose()?,
        tmpfs: map(&spec.tmpfs),
        binds: (!binds.is_empty()).then_some(binds),
        devices: devices(&spec.devices),
        ulimits: ulimits(&spec.ulimits)?,
        sysctls: map(&spec.sysctls),
        network_mode: spec.network.clone(),
        userns_mode: spec.userns.clone(),
        cgroup_parent: spec.cgroup_parent.clone(),
        memory: spec.memory,
        nano_cpus: spec.nano_cpus,
        pids_limit: spec.pids_limit,
        shm_size: spec.shm_size,
        security_opt: list(&security),
        masked_paths: unmasked.then(Vec::new),
        readonly_paths: unmasked.then(Vec::new),
        ..HostConfig::default()
    })
}

fn cgroupns(mode: &str) -> Result<HostConfigCgroupnsModeEnum, String> {
    match mode {
        "host" => Ok(HostConfigCgroupnsModeEnum::HOST),
        "private" => Ok(HostConfigCgroupnsModeEnum::PRIVATE),
        other => Err(format!("`{other}` is no cgroup namespace mode; `host` and `private` are")),
    }
}

fn devices(texts: &[String]) -> Option<Vec<DeviceMapping>> {
    let mapping = |text: &String| {
        let mut parts = text.split(':');
        let on_host = parts.next().unwrap_or_default().to_owned();
        let (inside, permissions) = match (parts.next(), parts.next()) {
            // `/dev/x:rwm` has no path inside.
            (Some(second), None) if !second.starts_with('/') => (None, Some(second)),
            (second, third) => (second, third),
        };
        DeviceMapping {
            path_in_container: Some(inside.map_or_else(|| on_host.clone(), ToOwned::to_owned)),
            path_on_host: Some(on_host),
            cgroup_permissions: Some(permissions.unwrap_or("rwm").to_owned()),
        }
    };
    (!texts.is_empty()).then(|| texts.iter().map(mapping).collect())
}

fn ulimits(texts: &[String]) -> Result<Option<Vec<ResourcesUlimits>>, String> {
    let parse = |text: &String| {
        let wrong = || format!("`{text}` is no ulimit: write `nofile=1024` or `nofile=1024:2048`");
        let (name, values) = text.split_once('=').ok_or_else(wrong)?;
        let (soft, hard) = values.split_once(':').unwrap_or((values, values));
        Ok(ResourcesUlimits {
            name: Some(name.to_owned()),
            soft: Some(soft.parse().map_err(|_| wrong())?),
            hard: Some(hard.parse().map_err(|_| wrong())?),
        })
    };
    let limits: Vec<_> = texts.iter().map(parse).collect::<Result<_, String>>()?;
    Ok((!limits.is_empty()).then_some(limits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(spec: ContainerSpec) -> CreateRequest {
        CreateRequest {
            spec,
            image: "image:tag".into(),
            name: "name".into(),
            argv: vec!["/sbin/init".into()],
            labels: vec![("sdc-engine".into(), "1".into())],
        }
    }

    #[test]
    fn every_flag_reaches_the_body() {
        let spec = ContainerSpec {
            cgroupns: Some("private".into()),
            tty: true,
            cap_add: vec!["SYS_ADMIN".into()],
            security_opt: vec!["seccomp=unconfined".into(), "systempaths=unconfined".into()],
            tmpfs: [("/run".to_owned(), "exec".to_owned())].into(),
            volumes: vec!["/a:/b:ro".into(), "/anonymous".into()],
            devices: vec!["/dev/fuse".into(), "/dev/kmsg:/dev/log:r".into(), "/dev/null:rw".into()],
            ulimits: vec!["nofile=10:20".into()],
            env: [("container".to_owned(), "docker".to_owned())].into(),
            memory: Some(1 << 28),
            stop_signal: Some("SIGRTMIN+3".into()),
            ..ContainerSpec::default()
        };
        let body = body(&request(spec)).expect("a body");
        let json = serde_json::to_value(body).expect("json");
        let expected = serde_json::json!({
            "Image": "image:tag", "Tty": true, "OpenStdin": true, "AttachStdout": true, "AttachStderr": true,
            "Env": ["container=docker"], "Entrypoint": ["/sbin/init"], "Cmd": [], "Labels": {"sdc-engine": "1"},
            "StopSignal": "SIGRTMIN+3", "Volumes": {"/anonymous": {}},
            "HostConfig": {
                "Privileged": false, "ReadonlyRootfs": false, "CapAdd": ["SYS_ADMIN"], "CgroupnsMode": "private",
                "Tmpfs": {"/run": "exec"}, "Binds": ["/a:/b:ro"], "Memory": 268_435_456,
                "SecurityOpt": ["seccomp=unconfined"], "MaskedPaths": [], "ReadonlyPaths": [],
                "Ulimits": [{"Name": "nofile", "Soft": 10, "Hard": 20}],
                "Devices": [
                    {"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"},
                    {"PathOnHost": "/dev/kmsg", "PathInContainer": "/dev/log", "CgroupPermissions": "r"},
                    {"PathOnHost": "/dev/null", "PathInContainer": "/dev/null", "CgroupPermissions": "rw"},
                ],
            },
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn what_can_not_be_said_is_an_error() {
        let spec = ContainerSpec { ulimits: vec!["nofile".into()], ..ContainerSpec::default() };
        assert!(body(&request(spec)).is_err_and(|e| e.contains("no ulimit")));
        let spec = ContainerSpec { cgroupns: Some("other".into()), ..ContainerSpec::default() };
        assert!(body(&request(spec)).is_err_and(|e| e.contains("no cgroup namespace mode")));
    }
}
