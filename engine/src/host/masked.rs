//! A host whose containers are given secrets, and which tells none of them: the one place where a value is known.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde_json::Value;

use super::{ContainerId, CreateRequest, ExecOutput, ExecRequest, Host, HostError, HostErrorKind, Listed};
use crate::facts::Facts;
use crate::leak::HostState;
use crate::secrets::Mask;

/// A host, with the values of its containers' secrets.
pub struct Masked {
    host: Arc<dyn Host>,
    /// Values by the variable that a scenario names.
    values: BTreeMap<String, String>,
    mask: Mask,
}

impl std::fmt::Debug for Masked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masked").field("mask", &self.mask).finish_non_exhaustive()
    }
}

impl Masked {
    /// The host itself where there is nothing to hide.
    #[must_use]
    pub fn over(host: Arc<dyn Host>, values: BTreeMap<String, String>) -> Arc<dyn Host> {
        if values.is_empty() {
            return host;
        }
        let mask = Mask::new(values.values().map(String::as_str));
        Arc::new(Self { host, values, mask })
    }

    fn error(&self, error: HostError) -> HostError {
        masked_error(&self.mask, error)
    }
}

fn masked_error(mask: &Mask, HostError { action, kind }: HostError) -> HostError {
    let text = |words: String| mask.text(&words).into_owned();
    let kind = match kind {
        HostErrorKind::Refused { status, message } => HostErrorKind::Refused { status, message: text(message) },
        HostErrorKind::Failed { status, message } => HostErrorKind::Failed { status, message: text(message) },
        HostErrorKind::NotFound(words) => HostErrorKind::NotFound(text(words)),
        HostErrorKind::Unreachable(words) => HostErrorKind::Unreachable(text(words)),
        HostErrorKind::NoSuchHost(words) => HostErrorKind::NoSuchHost(text(words)),
        HostErrorKind::Local(words) => HostErrorKind::Local(text(words)),
        HostErrorKind::TimedOut(limit) => HostErrorKind::TimedOut(limit),
    };
    HostError { action: text(action), kind }
}

#[async_trait]
impl Host for Masked {
    fn facts(&self) -> &Facts {
        self.host.facts()
    }

    fn by_hand(&self) -> String {
        self.host.by_hand()
    }

    fn before_by_hand(&self) -> Option<String> {
        self.host.before_by_hand()
    }

    fn is_lab(&self) -> bool {
        self.host.is_lab()
    }

    async fn state(&self, sysctls: bool) -> Option<HostState> {
        self.host.state(sysctls).await
    }

    fn address(&self) -> String {
        self.host.address()
    }

    async fn create(&self, request: &CreateRequest) -> Result<ContainerId, HostError> {
        let mut request = request.clone();
        for (name, variable) in std::mem::take(&mut *request.spec.secrets) {
            let Some(value) = self.values.get(&variable) else {
                let words = format!("the secret `{name}` has no value: {variable} is not set");
                return Err(HostError::local(format!("create container {}", request.name), words));
            };
            request.spec.env.insert(name, value.clone());
        }
        self.host.create(&request).await.map_err(|error| self.error(error))
    }

    async fn put(&self, id: &ContainerId, folder: &str, tar: Bytes) -> Result<(), HostError> {
        self.host.put(id, folder, tar).await.map_err(|error| self.error(error))
    }

    async fn get(&self, id: &ContainerId, file: &str, limit: usize) -> Result<Option<Vec<u8>>, HostError> {
        let found = self.host.get(id, file, limit).await.map_err(|error| self.error(error))?;
        Ok(found.map(|bytes| self.mask.bytes(&bytes)))
    }

    async fn console(&self, id: &ContainerId) -> Result<BoxStream<'static, Result<Bytes, HostError>>, HostError> {
        let chunks = self.host.console(id).await.map_err(|error| self.error(error))?;
        let (mask, masked) = (self.mask.clone(), self.mask.stream());
        let shown = stream::unfold((chunks, Some(masked)), move |(mut chunks, masked)| {
            let mask = mask.clone();
            async move {
                let mut masked = masked?;
                match chunks.next().await {
                    Some(Ok(chunk)) => {
                        let shown = Bytes::from(masked.feed(&chunk));
                        Some((Ok(shown), (chunks, Some(masked))))
                    }
                    Some(Err(error)) => Some((Err(masked_error(&mask, error)), (chunks, Some(masked)))),
                    None => Some((Ok(Bytes::from(masked.finish())), (chunks, None))),
                }
            }
        });
        Ok(shown.boxed())
    }

    async fn start(&self, id: &ContainerId) -> Result<(), HostError> {
        self.host.start(id).await.map_err(|error| self.error(error))
    }

    async fn wait(&self, id: &ContainerId) -> Result<i64, HostError> {
        self.host.wait(id).await.map_err(|error| self.error(error))
    }

    async fn exec(&self, id: &ContainerId, request: &ExecRequest) -> Result<ExecOutput, HostError> {
        let output = self.host.exec(id, request).await.map_err(|error| self.error(error))?;
        let (stdout, stderr) = (self.mask.bytes(&output.stdout), self.mask.bytes(&output.stderr));
        Ok(ExecOutput { stdout, stderr, ..output })
    }

    async fn inspect(&self, id: &ContainerId) -> Result<Value, HostError> {
        let mut shown = self.host.inspect(id).await.map_err(|error| self.error(error))?;
        self.mask.value(&mut shown);
        Ok(shown)
    }

    async fn logs(&self, id: &ContainerId, limit: usize) -> Result<Vec<u8>, HostError> {
        self.host.logs(id, limit).await.map(|log| self.mask.bytes(&log)).map_err(|error| self.error(error))
    }

    async fn top(&self, id: &ContainerId) -> Result<String, HostError> {
        let top = self.host.top(id).await.map_err(|error| self.error(error))?;
        Ok(self.mask.text(&top).into_owned())
    }

    async fn stats(&self, id: &ContainerId) -> Result<Value, HostError> {
        let mut shown = self.host.stats(id).await.map_err(|error| self.error(error))?;
        self.mask.value(&mut shown);
        Ok(shown)
    }

    async fn stop(&self, id: &ContainerId, grace: Duration) -> Result<(), HostError> {
        self.host.stop(id, grace).await.map_err(|error| self.error(error))
    }

    async fn kill(&self, id: &ContainerId, signal: &str) -> Result<(), HostError> {
        self.host.kill(id, signal).await.map_err(|error| self.error(error))
    }

    async fn remove(&self, id: &ContainerId) -> Result<(), HostError> {
        self.host.remove(id).await.map_err(|error| self.error(error))
    }

    async fn list(&self, label: &str) -> Result<Vec<Listed>, HostError> {
        self.host.list(label).await
    }

    async fn image(&self, tag: &str) -> Result<Option<String>, HostError> {
        self.host.image(tag).await
    }

    async fn import(&self, tag: &str, tar: &Path) -> Result<String, HostError> {
        self.host.import(tag, tar).await
    }

    async fn build(&self, tag: &str, dockerfile: &str) -> Result<String, HostError> {
        self.host.build(tag, dockerfile).await
    }

    async fn images(&self, prefix: &str) -> Result<Vec<String>, HostError> {
        self.host.images(prefix).await
    }

    async fn remove_image(&self, tag: &str) -> Result<(), HostError> {
        self.host.remove_image(tag).await
    }

    fn slowness(&self) -> u32 {
        self.host.slowness()
    }

    async fn keep(&self) {
        self.host.keep().await;
    }

    async fn close(&self) -> Vec<String> {
        self.host.close().await
    }
}
