//! A scripted host for tests: no engine, no bollard, tokio's clock only (so a paused clock makes it instant).
//!
//! A [`Script`] says what a container does: its console, its exit, its answers to commands, what it refuses and where
//! it hangs. The fake keeps a diary of its calls and knows what was made and not removed.

mod script;
mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

pub use script::{Call, Failure, Reply, Script};

use super::{ContainerId, CreateRequest, ExecOutput, ExecRequest, Host, HostError, HostErrorKind, Listed};
use crate::facts::Facts;
use crate::leak::HostState;
use state::{Container, State};

type Choose = Box<dyn Fn(&CreateRequest) -> Script + Send + Sync>;

/// A host without an engine.
pub struct Fake {
    facts: Facts,
    choose: Choose,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    made: usize,
    containers: BTreeMap<String, Arc<Container>>,
    images: BTreeMap<String, String>,
    diary: Vec<(Call, String)>,
    failures: BTreeMap<Call, (Failure, usize)>,
    pauses: BTreeMap<Call, Duration>,
    closed: bool,
    state: HostState,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fake").field("facts", &self.facts.name).finish_non_exhaustive()
    }
}

impl Fake {
    /// A host where every container does what `choose` says for its request.
    pub fn new(facts: Facts, choose: impl Fn(&CreateRequest) -> Script + Send + Sync + 'static) -> Self {
        Self { facts, choose: Box::new(choose), inner: Mutex::default() }
    }

    /// A host, as [`Facts::assumed`], where every container does the same.
    #[must_use]
    pub fn scripted(script: Script) -> Self {
        Self::new(Facts::assumed(), move |_| script.clone())
    }

    /// Puts an image into the store.
    #[must_use]
    pub fn with_image(self, tag: &str) -> Self {
        self.lock().images.insert(tag.to_owned(), format!("sha256:{tag}"));
        self
    }

    /// Makes a call fail, whatever it is about; for one container's see [`Script`].
    #[must_use]
    pub fn failing(self, call: Call, failure: Failure) -> Self {
        self.failing_first(usize::MAX, call, failure)
    }

    /// Makes the first calls of a kind fail; those that follow succeed.
    #[must_use]
    pub fn failing_first(self, times: usize, call: Call, failure: Failure) -> Self {
        self.lock().failures.insert(call, (failure, times));
        self
    }

    /// Lets a call take its time, and do what it does at its end.
    #[must_use]
    pub fn taking(self, call: Call, time: Duration) -> Self {
        self.lock().pauses.insert(call, time);
        self
    }

    /// The calls so far: what, and of which container's name, image or file.
    #[must_use]
    pub fn diary(&self) -> Vec<(Call, String)> {
        self.lock().diary.clone()
    }

    /// How often a call was made.
    #[must_use]
    pub fn count(&self, call: Call) -> usize {
        self.lock().diary.iter().filter(|(made, _)| *made == call).count()
    }

    /// The names of containers that were made and not removed.
    #[must_use]
    pub fn left(&self) -> Vec<String> {
        self.lock().containers.values().map(|container| container.request.name.clone()).collect()
    }

    /// The requests of containers that are there.
    #[must_use]
    pub fn requests(&self) -> Vec<CreateRequest> {
        self.lock().containers.values().map(|container| container.request.clone()).collect()
    }

    /// Whether it was closed.
    #[must_use]
    pub fn closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes into the diary and fails where the host is told to.
    async fn enter(&self, call: Call, what: &str) -> Result<(), HostError> {
        let (failure, pause) = {
            let mut inner = self.lock();
            inner.diary.push((call, what.to_owned()));
            let failure = inner.failures.get_mut(&call).filter(|(_, times)| *times > 0).map(|(failure, times)| {
                *times -= 1;
                failure.clone()
            });
            (failure, inner.pauses.get(&call).copied())
        };
        // An engine always makes its caller wait a little: others get their turn.
        tokio::task::yield_now().await;
        if let Some(pause) = pause {
            sleep(pause).await;
        }
        fail(failure, call, what).await
    }

    /// The container of a call, unless its script lets the call fail.
    async fn of(&self, call: Call, id: &ContainerId) -> Result<Arc<Container>, HostError> {
        let container = self.lock().containers.get(&id.0).cloned();
        let name = container.as_ref().map_or(id.0.as_str(), |container| &container.request.name);
        self.enter(call, name).await?;
        let missing = || HostErrorKind::NotFound(format!("No such container: {}", id.0));
        let container = container.as_ref().ok_or_else(|| HostError::new(verb(call, name), missing()))?;
        fail(container.script.failures.get(&call).cloned(), call, name).await?;
        Ok(Arc::clone(container))
    }
}

fn verb(call: Call, what: &str) -> String {
    format!("{call} {what}")
}

async fn fail(failure: Option<Failure>, call: Call, what: &str) -> Result<(), HostError> {
    match failure {
        None => Ok(()),
        Some(Failure { after, kind }) => {
            sleep(after).await;
            Err(HostError::new(verb(call, what), kind))
        }
    }
}

fn refused(call: Call, what: &str, status: u16, message: &str) -> HostError {
    HostError::new(verb(call, what), HostErrorKind::Refused { status, message: message.to_owned() })
}

fn kept(bytes: &[u8], limit: usize, cut: &mut bool) -> Vec<u8> {
    *cut |= bytes.len() > limit;
    bytes[..limit.min(bytes.len())].to_vec()
}

#[async_trait]
impl Host for Fake {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn by_hand(&self) -> String {
        "docker -H unix:///fake.sock".to_owned()
    }

    async fn state(&self, _sysctls: bool) -> Option<HostState> {
        Some(self.lock().state.clone())
    }

    async fn create(&self, request: &CreateRequest) -> Result<ContainerId, HostError> {
        self.enter(Call::Create, &request.name).await?;
        let script = (self.choose)(request);
        fail(script.failures.get(&Call::Create).cloned(), Call::Create, &request.name).await?;
        let mut inner = self.lock();
        if !inner.images.contains_key(&request.image) && !inner.images.values().any(|id| *id == request.image) {
            let kind = HostErrorKind::NotFound(format!("No such image: {}", request.image));
            return Err(HostError::new(verb(Call::Create, &request.name), kind));
        }
        if inner.containers.values().any(|container| container.request.name == request.name) {
            let message = format!("Conflict. The container name \"/{}\" is already in use", request.name);
            return Err(refused(Call::Create, &request.name, 409, &message));
        }
        inner.made += 1;
        let id = format!("{:064x}", inner.made);
        inner.containers.insert(id.clone(), Arc::new(Container::new(request.clone(), script)));
        Ok(ContainerId(id))
    }

    async fn put(&self, id: &ContainerId, folder: &str, tar: Bytes) -> Result<(), HostError> {
        let container = self.of(Call::Put, id).await?;
        container.unpack(folder, &tar).map_err(|error| HostError::local(verb(Call::Put, folder), error))
    }

    async fn get(&self, id: &ContainerId, file: &str, limit: usize) -> Result<Option<Vec<u8>>, HostError> {
        let container = self.of(Call::Get, id).await?;
        Ok(container.file(file).map(|bytes| kept(&bytes, limit, &mut false)))
    }

    async fn console(&self, id: &ContainerId) -> Result<BoxStream<'static, Result<Bytes, HostError>>, HostError> {
        let container = self.of(Call::Console, id).await?;
        let view = container.view.subscribe();
        let (seen, run) = {
            let now = view.borrow();
            (if now.state == State::Running { now.from } else { now.log.len() }, now.runs)
        };
        let run = run.max(1) + usize::from(run > 0 && !container.runs());
        Ok(stream::unfold((view, seen), move |(mut view, seen)| async move {
            loop {
                {
                    let now = view.borrow_and_update();
                    if now.log.len() > seen {
                        let chunk = Bytes::copy_from_slice(&now.log[seen..]);
                        let seen = now.log.len();
                        drop(now);
                        return Some((Ok(chunk), (view, seen)));
                    }
                    if now.runs >= run && now.state != State::Running {
                        return None;
                    }
                }
                view.changed().await.ok()?;
            }
        })
        .boxed())
    }

    async fn start(&self, id: &ContainerId) -> Result<(), HostError> {
        let container = self.of(Call::Start, id).await?;
        if !container.runs() {
            container.start();
        }
        Ok(())
    }

    async fn wait(&self, id: &ContainerId) -> Result<i64, HostError> {
        let container = self.of(Call::Wait, id).await?;
        let mut view = container.view.subscribe();
        let gone = || HostError::new(verb(Call::Wait, &id.0), HostErrorKind::NotFound("it was removed".into()));
        let ended = view.wait_for(|view| view.state != State::Running).await.map_err(|_| gone())?;
        match ended.state {
            State::Ended(code) => Ok(code),
            State::Created | State::Running => Ok(0),
        }
    }

    async fn exec(&self, id: &ContainerId, request: &ExecRequest) -> Result<ExecOutput, HostError> {
        let container = self.of(Call::Exec, id).await?;
        let words = shell_words::join(&request.argv);
        if !container.runs() {
            return Err(refused(Call::Exec, &words, 409, "the container is not running"));
        }
        let reply = container.script.reply(request);
        if request.detach {
            return Ok(ExecOutput::default());
        }
        let in_time = timeout(request.timeout, sleep(reply.after)).await.is_ok();
        if let Some(kind) = reply.refused {
            return Err(HostError::new(verb(Call::Exec, &words), kind));
        }
        if let (true, Some(code)) = (in_time, reply.ends) {
            container.end(code);
        }
        let (mut stdout_cut, mut stderr_cut) = (false, false);
        let stdout = kept(&reply.stdout, request.output_limit, &mut stdout_cut);
        let stderr = kept(&reply.stderr, request.output_limit, &mut stderr_cut);
        let code = in_time.then_some(reply.code);
        Ok(ExecOutput { code, timed_out: !in_time, stdout, stderr, stdout_cut, stderr_cut })
    }

    async fn inspect(&self, id: &ContainerId) -> Result<Value, HostError> {
        Ok(self.of(Call::Inspect, id).await?.inspect(id))
    }

    async fn logs(&self, id: &ContainerId, limit: usize) -> Result<Vec<u8>, HostError> {
        let container = self.of(Call::Logs, id).await?;
        let log = container.view.borrow().log.clone();
        Ok(log[log.len().saturating_sub(limit)..].to_vec())
    }

    async fn top(&self, id: &ContainerId) -> Result<String, HostError> {
        let container = self.of(Call::Top, id).await?;
        if !container.runs() {
            return Err(refused(Call::Top, &container.request.name, 409, "the container is not running"));
        }
        Ok(format!("UID PID CMD\nroot 1 {}\n", container.request.argv.join(" ")))
    }

    async fn stats(&self, id: &ContainerId) -> Result<Value, HostError> {
        self.of(Call::Stats, id).await?;
        Ok(json!({ "pids_stats": { "current": 1 }, "memory_stats": { "usage": 4096 } }))
    }

    async fn stop(&self, id: &ContainerId, grace: Duration) -> Result<(), HostError> {
        let container = self.of(Call::Stop, id).await?;
        if container.runs() {
            let in_time = container.script.stop_takes <= grace;
            sleep(container.script.stop_takes.min(grace)).await;
            container.end(if in_time { container.script.stop_code } else { 137 });
        }
        Ok(())
    }

    async fn kill(&self, id: &ContainerId, signal: &str) -> Result<(), HostError> {
        let container = self.of(Call::Kill, id).await?;
        if !container.runs() {
            return Err(refused(Call::Kill, &container.request.name, 409, "the container is not running"));
        }
        container.end(if signal.ends_with("KILL") { 137 } else { container.script.stop_code });
        Ok(())
    }

    async fn remove(&self, id: &ContainerId) -> Result<(), HostError> {
        let container = match self.of(Call::Remove, id).await {
            Err(HostError { kind: HostErrorKind::NotFound(_), .. }) => return Ok(()),
            other => other?,
        };
        if container.runs() {
            container.end(137);
        }
        let mut inner = self.lock();
        inner.state.cgroups.extend(container.script.leaves.iter().map(|path| (path.clone(), false)));
        inner.containers.remove(&id.0);
        Ok(())
    }

    async fn list(&self, label: &str) -> Result<Vec<Listed>, HostError> {
        self.enter(Call::List, label).await?;
        let inner = self.lock();
        let labelled = inner.containers.iter().filter(|(_, c)| c.request.labels.iter().any(|(key, _)| key == label));
        let listed = labelled.map(|(id, container)| Listed {
            id: ContainerId(id.clone()),
            name: container.request.name.clone(),
            labels: container.request.labels.clone(),
        });
        Ok(listed.collect())
    }

    async fn image(&self, tag: &str) -> Result<Option<String>, HostError> {
        self.enter(Call::Image, tag).await?;
        Ok(self.lock().images.get(tag).cloned())
    }

    async fn import(&self, tag: &str, tar: &std::path::Path) -> Result<String, HostError> {
        self.enter(Call::Import, tag).await?;
        if !tar.exists() {
            return Err(HostError::local(verb(Call::Import, tag), format!("{} does not exist", tar.display())));
        }
        Ok(self.lock().images.entry(tag.to_owned()).or_insert_with(|| format!("sha256:{tag}")).clone())
    }

    async fn build(&self, tag: &str, dockerfile: &str) -> Result<String, HostError> {
        self.enter(Call::Build, tag).await?;
        let mut inner = self.lock();
        let base = dockerfile.lines().find_map(|line| line.strip_prefix("FROM ")).unwrap_or_default().trim();
        if !inner.images.contains_key(base) {
            return Err(refused(Call::Build, tag, 404, &format!("pull access denied for {base}")));
        }
        Ok(inner.images.entry(tag.to_owned()).or_insert_with(|| format!("sha256:{tag}")).clone())
    }

    async fn images(&self, prefix: &str) -> Result<Vec<String>, HostError> {
        self.enter(Call::Images, prefix).await?;
        Ok(self.lock().images.keys().filter(|tag| tag.starts_with(prefix)).cloned().collect())
    }

    async fn remove_image(&self, tag: &str) -> Result<(), HostError> {
        self.enter(Call::RemoveImage, tag).await?;
        self.lock().images.remove(tag);
        Ok(())
    }

    async fn close(&self) -> Vec<String> {
        self.lock().closed = true;
        Vec::new()
    }
}
