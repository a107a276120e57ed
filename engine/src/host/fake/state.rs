//! A fake container's life: its console is played by a task from start to end; everyone else watches.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep;

use super::script::Script;
use crate::host::{ContainerId, CreateRequest};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Created,
    Running,
    Ended(i64),
}

/// What can be seen of a container.
#[derive(Debug)]
pub(super) struct View {
    pub(super) state: State,
    /// The console of all runs.
    pub(super) log: Vec<u8>,
    /// Where this run's part starts.
    pub(super) from: usize,
    /// How often it was started.
    pub(super) runs: usize,
}

pub(super) struct Container {
    pub(super) request: CreateRequest,
    pub(super) script: Script,
    pub(super) view: watch::Sender<View>,
    files: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Container {
    pub(super) fn new(request: CreateRequest, script: Script) -> Self {
        let view = View { state: State::Created, log: Vec::new(), from: 0, runs: 0 };
        let files = Mutex::new(script.files.clone());
        Self { request, script, view: watch::Sender::new(view), files }
    }

    pub(super) fn runs(&self) -> bool {
        self.view.borrow().state == State::Running
    }

    pub(super) fn start(self: &Arc<Self>) {
        self.view.send_modify(|view| {
            view.state = State::Running;
            view.from = view.log.len();
            view.runs += 1;
        });
        let run = self.view.borrow().runs;
        let container = Arc::clone(self);
        tokio::spawn(async move {
            for (pause, bytes) in &container.script.console {
                sleep(*pause).await;
                if !container.in_run(run, |view| view.log.extend_from_slice(bytes)) {
                    return;
                }
            }
            if let Some(code) = container.script.exits {
                container.in_run(run, |view| view.state = State::Ended(code));
            }
        });
    }

    /// Changes the view unless that run is over.
    fn in_run(&self, run: usize, change: impl FnOnce(&mut View)) -> bool {
        self.view.send_if_modified(|view| {
            let current = view.runs == run && view.state == State::Running;
            if current {
                change(view);
            }
            current
        })
    }

    pub(super) fn end(&self, code: i64) {
        let run = self.view.borrow().runs;
        self.in_run(run, |view| view.state = State::Ended(code));
    }

    pub(super) fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    pub(super) fn unpack(&self, folder: &str, archive: &[u8]) -> std::io::Result<()> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in tar::Archive::new(archive).entries()? {
            let mut entry = entry?;
            if entry.header().entry_type().is_file() {
                let name = entry.path()?.to_string_lossy().into_owned();
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes)?;
                let path = format!("{}/{}", folder.trim_end_matches('/'), name.trim_start_matches("./"));
                files.insert(path, bytes);
            }
        }
        Ok(())
    }

    /// As docker shows it, as far as [`crate::host::not_applied`] and readers of the state look.
    pub(super) fn inspect(&self, id: &ContainerId) -> Value {
        let spec = &self.request.spec;
        let (status, code) = match self.view.borrow().state {
            State::Created => ("created", 0),
            State::Running => ("running", 0),
            State::Ended(code) => ("exited", code),
        };
        let env: Vec<_> = spec.env.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let ulimits: Vec<_> = spec.ulimits.iter().filter_map(|limit| ulimit(limit)).collect();
        let devices: Vec<_> = spec.devices.iter().map(|device| shown_device(device)).collect();
        let (anonymous, binds): (Vec<_>, Vec<_>) = spec.volumes.iter().partition(|volume| !volume.contains(':'));
        let volumes: BTreeMap<_, _> = anonymous.into_iter().map(|path| (path, json!({}))).collect();
        let mut shown = json!({
            "Id": id.0,
            "Name": format!("/{}", self.request.name),
            "Image": self.request.image,
            "State": { "Status": status, "Running": status == "running", "ExitCode": code },
            "Config": {
                "Tty": spec.tty, "Env": env, "StopSignal": spec.stop_signal, "Hostname": spec.hostname,
                "User": spec.user, "Entrypoint": self.request.argv, "Volumes": volumes,
                "Labels": self.request.labels.iter().cloned().collect::<BTreeMap<_, _>>(),
                "SystemdMode": spec.systemd.as_ref().map(|mode| mode != "false"),
            },
            "HostConfig": {
                "Privileged": spec.privileged, "ReadonlyRootfs": spec.read_only, "CapAdd": spec.cap_add,
                "CapDrop": spec.cap_drop, "CgroupnsMode": spec.cgroupns, "Tmpfs": spec.tmpfs, "Binds": binds,
                "SecurityOpt": spec.security_opt, "NetworkMode": spec.network, "UsernsMode": spec.userns,
                "CgroupParent": spec.cgroup_parent, "Memory": spec.memory, "NanoCpus": spec.nano_cpus,
                "PidsLimit": spec.pids_limit, "ShmSize": spec.shm_size, "Sysctls": spec.sysctls, "Ulimits": ulimits,
                "Devices": devices,
            },
        });
        merge(&mut shown, &self.script.inspect);
        shown
    }
}

fn ulimit(text: &str) -> Option<Value> {
    let (name, values) = text.split_once('=')?;
    let (soft, hard) = values.split_once(':').unwrap_or((values, values));
    Some(json!({ "Name": name, "Soft": soft.parse::<i64>().ok()?, "Hard": hard.parse::<i64>().ok()? }))
}

fn shown_device(text: &str) -> Value {
    let mut parts = text.split(':');
    let outside = parts.next().unwrap_or_default();
    let inside = parts.next().filter(|part| part.starts_with('/')).unwrap_or(outside);
    json!({ "PathOnHost": outside, "PathInContainer": inside })
}

/// Puts every leaf of `over` into `value`.
fn merge(value: &mut Value, over: &Value) {
    match (value, over) {
        (Value::Object(value), Value::Object(over)) => {
            for (key, over) in over {
                merge(value.entry(key.clone()).or_insert(Value::Null), over);
            }
        }
        (_, Value::Null) => {}
        (value, over) => *value = over.clone(),
    }
}
