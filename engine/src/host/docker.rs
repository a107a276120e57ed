//! [`Host`] for a docker-compatible API. What is done goes through bollard; what is read comes as plain JSON or bytes
//! ([`super::wire`]), so that nothing that an engine says is lost in a type. Every call has its own limit.

mod answers;
mod connect;
mod owned;

use std::time::Duration;

use async_trait::async_trait;
use bollard::query_parameters::{
    CreateContainerOptions, DownloadFromContainerOptions, KillContainerOptions, RemoveContainerOptions,
    ResizeContainerTTYOptions, StartContainerOptions, StopContainerOptions, UploadToContainerOptions,
    WaitContainerOptions,
};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::Value;

pub(super) use self::owned::Owned;

use self::answers::{console_bytes, first_file, has_tty, listed, processes};
use super::address::Address;
use super::by_hand::client;
use super::errors::{CALL, WORK, limited};
use super::ssh::{SshTarget, Tunnel};
use super::wire::{attach, get_json, get_stream, quote};
use super::{ContainerId, CreateRequest, ExecOutput, ExecRequest, Host, HostError, HostErrorKind, Listed};
use super::{create, exec, facts, images, podman};
use crate::facts::{EngineKind, Facts};
use crate::leak::HostState;

/// Rows and columns of a console: wide enough for every line that systemd prints.
const CONSOLE_SIZE: (i32, i32) = (50, 250);

/// An engine behind an address.
pub struct Docker {
    client: bollard::Docker,
    address: Address,
    facts: Facts,
    /// Set where we started the engine.
    engine: Option<Box<dyn Owned>>,
    /// Set where the engine is on another machine.
    tunnel: Option<Tunnel>,
    /// Whether the engine's machine is the one that this process sees.
    here: bool,
}

impl std::fmt::Debug for Docker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Docker").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Docker {
    pub(super) fn owning(mut self, engine: Box<dyn Owned>) -> Self {
        self.engine = Some(engine);
        self
    }

    /// With facts that only the engine's own machine can tell: see [`facts::add_guest`].
    pub(super) fn seen_from_inside(mut self, machine: &str) -> Self {
        facts::add_guest(&mut self.facts, machine);
        self
    }

    /// The request with what this engine needs to be told: a cgroup parent, where it has none of its own, and limits.
    fn completed(&self, request: &CreateRequest) -> CreateRequest {
        let mut request = request.clone();
        let spec = &mut request.spec;
        // podman refuses a parent beside these two.
        let none = matches!(spec.cgroups.as_deref(), Some("split" | "disabled"));
        if spec.cgroup_parent.is_none() && !none {
            spec.cgroup_parent = self.engine.as_ref().and_then(|engine| engine.cgroup_parent()).map(ToOwned::to_owned);
        }
        if self.facts.engine == EngineKind::Podman {
            podman::keep_limits(spec, &self.facts);
        }
        request
    }

    /// Every container, whoever made it.
    pub(super) async fn all(&self) -> Result<Vec<ContainerId>, HostError> {
        let answer = self.json("list containers".to_owned(), "/containers/json?all=true").await?;
        Ok(answer.as_array().into_iter().flatten().filter_map(listed).map(|entry| entry.id).collect())
    }

    async fn json(&self, action: String, path: &str) -> Result<Value, HostError> {
        limited(action, CALL, get_json(&self.address, path)).await
    }
}

fn of(id: &ContainerId, verb: &str) -> String {
    format!("{verb} container {}", id.short())
}

#[async_trait]
impl Host for Docker {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn by_hand(&self) -> String {
        let address = match &self.address {
            // The docker program finds the usual socket itself, and old ones take no path.
            Address::Ssh { target, .. } if target.socket.as_deref() == Some("/var/run/docker.sock") => {
                SshTarget { socket: None, ..target.clone() }.to_string()
            }
            other => other.to_string(),
        };
        match self.facts.engine {
            // Its socket goes with the run: the words are for one started again, see `before_by_hand`.
            kind if self.engine.is_some() => kind.to_string(),
            EngineKind::Docker if address == "unix:///var/run/docker.sock" => "docker".to_owned(),
            kind => client(kind, &address),
        }
    }

    fn before_by_hand(&self) -> Option<String> {
        let serve = format!("sdc-engine host --host {} --serve", self.facts.name);
        self.engine.as_ref().map(|_| format!("# first, in another terminal: {serve}; then set what it prints"))
    }

    fn is_lab(&self) -> bool {
        self.engine.is_some()
    }

    async fn state(&self, sysctls: bool) -> Option<HostState> {
        let here = match &self.engine {
            Some(engine) => !engine.own_kernel(),
            None => self.here,
        };
        if !here {
            return None;
        }
        tokio::task::spawn_blocking(move || super::state::here(sysctls)).await.ok()
    }

    fn address(&self) -> String {
        self.address.to_string()
    }

    async fn create(&self, request: &CreateRequest) -> Result<ContainerId, HostError> {
        let action = || format!("create container {}", request.name);
        let request = &self.completed(request);
        if self.facts.engine == EngineKind::Podman {
            let body = podman::body(request).map_err(|words| HostError::local(action(), words))?;
            return limited(action(), WORK, podman::create(&self.address, &body)).await.map(ContainerId);
        }
        let body = create::body(request).map_err(|words| HostError::local(action(), words))?;
        let options = CreateContainerOptions { name: Some(request.name.clone()), ..CreateContainerOptions::default() };
        let made = limited(action(), WORK, self.client.create_container(Some(options), body)).await?;
        Ok(ContainerId(made.id))
    }

    async fn put(&self, id: &ContainerId, folder: &str, tar: Bytes) -> Result<(), HostError> {
        let options = UploadToContainerOptions { path: folder.to_owned(), ..UploadToContainerOptions::default() };
        let call = self.client.upload_to_container(&id.0, Some(options), bollard::body_full(tar));
        limited(format!("put files into {folder} of container {}", id.short()), WORK, call).await
    }

    async fn get(&self, id: &ContainerId, file: &str, limit: usize) -> Result<Option<Vec<u8>>, HostError> {
        let action = || format!("read {file} of container {}", id.short());
        let options = DownloadFromContainerOptions { path: file.to_owned() };
        let mut chunks = self.client.download_from_container(&id.0, Some(options));
        let archive = limited(action(), WORK, async {
            let mut archive = Vec::new();
            // A tar header and the file's first bytes are all that is wanted.
            while archive.len() < limit.saturating_add(4096)
                && let Some(chunk) = chunks.next().await
            {
                archive.extend_from_slice(&chunk?);
            }
            Ok::<_, bollard::errors::Error>(archive)
        })
        .await;
        match archive {
            Ok(archive) => first_file(&archive, limit).map(Some).map_err(|error| HostError::local(action(), error)),
            Err(HostError { kind: HostErrorKind::Refused { status: 404, .. }, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn console(&self, id: &ContainerId) -> Result<BoxStream<'static, Result<Bytes, HostError>>, HostError> {
        let action = of(id, "attach to the console of");
        let inspect = self.inspect(id).await?;
        // Of an ended container that is about to start again the old lines are not wanted.
        let running = inspect.pointer("/State/Running").and_then(Value::as_bool).unwrap_or_default();
        let before = podman::started(&inspect).filter(|_| !running && self.facts.engine == EngineKind::Podman);
        if let Some(before) = before {
            let (address, framed) = (self.address.clone(), !has_tty(&inspect));
            let again = podman::console_again(address, id.0.clone(), framed, before.to_owned());
            return Ok(console_bytes(limited(action, CALL, again).await?, of(id, "read the console of")));
        }
        let path = format!("/containers/{}/attach?stream=1&stdout=1&stderr=1&logs={}", id.0, u8::from(running));
        let chunks = limited(action, CALL, attach(&self.address, &path, None, !has_tty(&inspect))).await;
        let chunks = chunks.map_err(podman::refused_early)?;
        Ok(console_bytes(chunks, of(id, "read the console of")))
    }

    async fn start(&self, id: &ContainerId) -> Result<(), HostError> {
        limited(of(id, "start"), WORK, self.client.start_container(&id.0, None::<StartContainerOptions>)).await?;
        // systemd cuts its lines to the terminal's width, sometimes inside an escape sequence. Without a terminal, or
        // when it has ended already, there is nothing to make wider.
        let size = ResizeContainerTTYOptions { h: CONSOLE_SIZE.0, w: CONSOLE_SIZE.1 };
        let widened =
            limited(of(id, "widen the console of"), WORK, self.client.resize_container_tty(&id.0, size)).await;
        if let Err(error) = widened {
            tracing::debug!(%error, "the console keeps its width");
        }
        Ok(())
    }

    async fn wait(&self, id: &ContainerId) -> Result<i64, HostError> {
        use bollard::errors::Error;
        let error = |kind| HostError::new(of(id, "wait for"), kind);
        if self.facts.engine == EngineKind::Podman {
            return podman::wait(&self.address, &id.0).await.map_err(error);
        }
        match self.client.wait_container(&id.0, None::<WaitContainerOptions>).next().await {
            Some(Ok(answer)) => Ok(answer.status_code),
            Some(Err(Error::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(other)) => Err(error(other.into())),
            None => Err(error(HostErrorKind::Unreachable("the answer ended early".into()))),
        }
    }

    async fn exec(&self, id: &ContainerId, request: &ExecRequest) -> Result<ExecOutput, HostError> {
        exec::run(&self.client, &self.address, id, request).await
    }

    async fn inspect(&self, id: &ContainerId) -> Result<Value, HostError> {
        let mut shown = self.json(of(id, "inspect"), &format!("/containers/{}/json", id.0)).await?;
        if self.facts.engine == EngineKind::Podman {
            let own = self.json(of(id, "inspect"), &format!("{}/containers/{}/json", podman::API, id.0)).await?;
            podman::add_own(&mut shown, &own);
        }
        Ok(shown)
    }

    async fn logs(&self, id: &ContainerId, limit: usize) -> Result<Vec<u8>, HostError> {
        let framed = !has_tty(&self.inspect(id).await?);
        let path = format!("/containers/{}/logs?stdout=1&stderr=1", id.0);
        limited(of(id, "read the log of"), WORK, async {
            let mut chunks = get_stream(&self.address, &path, framed).await?;
            let mut log = Vec::new();
            while let Some(chunk) = chunks.next().await {
                log.extend_from_slice(&chunk?.1);
                if log.len() > limit.saturating_mul(2).saturating_add(1 << 20) {
                    log.drain(..log.len() - limit);
                }
            }
            log.drain(..log.len().saturating_sub(limit));
            Ok::<_, HostErrorKind>(log)
        })
        .await
    }

    async fn top(&self, id: &ContainerId) -> Result<String, HostError> {
        // podman's docker-compatible call runs the image's own `ps`, which may not be there.
        let own = if self.facts.engine == EngineKind::Podman { podman::API } else { "" };
        let top = self.json(of(id, "list the processes of"), &format!("{own}/containers/{}/top", id.0)).await?;
        Ok(processes(&top))
    }

    async fn stats(&self, id: &ContainerId) -> Result<Value, HostError> {
        let path = format!("/containers/{}/stats?stream=false&one-shot=true", id.0);
        self.json(of(id, "read the statistics of"), &path).await
    }

    async fn stop(&self, id: &ContainerId, grace: Duration) -> Result<(), HostError> {
        let seconds = i32::try_from(grace.as_millis().div_ceil(1000)).unwrap_or(i32::MAX);
        let options = StopContainerOptions { t: Some(seconds), ..StopContainerOptions::default() };
        limited(of(id, "stop"), grace + WORK, self.client.stop_container(&id.0, Some(options))).await
    }

    async fn kill(&self, id: &ContainerId, signal: &str) -> Result<(), HostError> {
        let options = KillContainerOptions { signal: signal.to_owned() };
        let call = self.client.kill_container(&id.0, Some(options));
        limited(format!("send {signal} to container {}", id.short()), CALL, call).await
    }

    async fn remove(&self, id: &ContainerId) -> Result<(), HostError> {
        let removed = if self.facts.engine == EngineKind::Podman {
            limited(of(id, "remove"), WORK, podman::remove(&self.address, &id.0)).await
        } else {
            let options = RemoveContainerOptions { force: true, v: true, ..RemoveContainerOptions::default() };
            limited(of(id, "remove"), WORK, self.client.remove_container(&id.0, Some(options))).await
        };
        match removed {
            Err(HostError { kind: HostErrorKind::NotFound(_), .. }) => Ok(()),
            Err(HostError { kind: HostErrorKind::Refused { status: 409, message }, .. })
                if message.contains("already in progress") =>
            {
                Ok(())
            }
            other => other,
        }
    }

    async fn list(&self, label: &str) -> Result<Vec<Listed>, HostError> {
        let filters = quote(&serde_json::json!({ "label": [label] }).to_string());
        let path = format!("/containers/json?all=true&filters={filters}");
        let answer = self.json("list containers".to_owned(), &path).await?;
        Ok(answer.as_array().into_iter().flatten().filter_map(listed).collect())
    }

    async fn image(&self, tag: &str) -> Result<Option<String>, HostError> {
        images::id(&self.address, tag).await
    }

    async fn import(&self, tag: &str, tar: &std::path::Path) -> Result<String, HostError> {
        images::import(&self.client, &self.address, tag, tar).await
    }

    async fn build(&self, tag: &str, dockerfile: &str) -> Result<String, HostError> {
        images::build(&self.client, &self.address, tag, dockerfile).await
    }

    async fn images(&self, prefix: &str) -> Result<Vec<String>, HostError> {
        images::tags(&self.address, prefix).await
    }

    async fn remove_image(&self, tag: &str) -> Result<(), HostError> {
        images::remove(&self.client, tag).await
    }

    fn slowness(&self) -> u32 {
        self.engine.as_ref().map_or(1, |engine| engine.slowness())
    }

    async fn keep(&self) {
        let Some(engine) = &self.engine else { return };
        if let Err(words) = engine.keep().await {
            tracing::warn!(
                "{} can't be kept as it is now, so its next start makes images again: {words}",
                self.facts.name
            );
        }
    }

    async fn close(&self) -> Vec<String> {
        match (&self.engine, &self.tunnel) {
            (Some(engine), _) => engine.close(self).await,
            (None, Some(tunnel)) => tunnel.close().await,
            (None, None) => Vec::new(),
        }
    }
}
