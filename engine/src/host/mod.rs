//! Where containers run: the trait that the runner sees, and the engines behind it. bollard is named in this folder only.
//!
//! A host is found by [`discover`], which asks nothing of the environment but what it is given, and opened by
//! [`open`]; [`private`] starts engines of its own, [`docker`] speaks to any of them. Nothing here judges a subject.

mod address;
pub mod applied;
pub mod by_hand;
mod compose;
mod container;
mod create;
pub mod discover;
pub mod docker;
mod errors;
mod exec;
mod facts;
pub mod fake;
mod frames;
mod images;
pub mod lab;
mod masked;
mod podman;
pub mod private;
mod ssh;
mod state;
mod vm;
mod wire;

pub use address::Address;
pub use applied::not_applied;
pub use by_hand::command_line;
pub use compose::compose;
pub use container::own_container;
pub use discover::{Ask, Choice, Environment, Target, discover, open};
pub use docker::Docker;
pub use lab::{Lab, Labs};
pub use masked::Masked;
pub use private::PrivateOptions;
pub use ssh::SshTarget;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde::Serialize;

use crate::facts::Facts;
use crate::leak::HostState;
use crate::plan::ContainerSpec;

/// Why a host could not do what it was asked to. Never an opinion on the subject: a boot that fails is an observation.
#[derive(Debug, Clone, thiserror::Error)]
#[error("failed to {action}: {kind}")]
pub struct HostError {
    /// What was tried, as a verb phrase (`start container abc`).
    pub action: String,
    /// The cause.
    pub kind: HostErrorKind,
}

/// The causes of a [`HostError`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum HostErrorKind {
    /// The engine answered, and said no: its HTTP status and words.
    #[error("{message} (status {status})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The engine's words.
        message: String,
    },
    /// The engine answered that it could not: its disk is full, its own parts do not answer. No opinion on what was asked.
    #[error("the engine failed: {message} (status {status})")]
    Failed {
        /// The HTTP status.
        status: u16,
        /// The engine's words.
        message: String,
    },
    /// There is no such container or image.
    #[error("not found: {0}")]
    NotFound(String),
    /// The engine does not answer, or not in its protocol.
    #[error("the engine does not answer: {0}")]
    Unreachable(String),
    /// It did not answer in time.
    #[error("no answer within {}", humantime::format_duration(*.0))]
    TimedOut(Duration),
    /// The command line asks for a host that there is not.
    #[error("{0}")]
    NoSuchHost(String),
    /// Something of this machine: a file, a program.
    #[error("{0}")]
    Local(String),
}

/// A container's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct ContainerId(pub String);

impl ContainerId {
    /// The first characters, as engines show it.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

/// What a container is created from.
#[derive(Debug, Clone)]
pub struct CreateRequest {
    /// The flags.
    pub spec: ContainerSpec,
    /// The image's tag or id in this host's store (the spec's `image` is our own name for it).
    pub image: String,
    /// The container's name.
    pub name: String,
    /// The whole argument vector of PID 1 (set as the entrypoint, with an empty command).
    pub argv: Vec<String>,
    /// Labels.
    pub labels: Vec<(String, String)>,
}

/// A command inside a container.
#[derive(Debug, Clone, Default)]
pub struct ExecRequest {
    /// The argument vector.
    pub argv: Vec<String>,
    /// Whom it runs as.
    pub user: Option<String>,
    /// Started and left running.
    pub detach: bool,
    /// The limit; past it the stream is dropped (the process may live on until the container ends).
    pub timeout: Duration,
    /// How many bytes of each stream are kept; the rest is read and dropped.
    pub output_limit: usize,
}

/// What came of an exec.
#[derive(Debug, Clone, Default)]
pub struct ExecOutput {
    /// The exit code; `None` where it was left running or timed out.
    pub code: Option<i64>,
    /// Whether the limit passed.
    pub timed_out: bool,
    /// Standard output, up to the limit.
    pub stdout: Vec<u8>,
    /// Standard error, up to the limit.
    pub stderr: Vec<u8>,
    /// Whether standard output was cut.
    pub stdout_cut: bool,
    /// Whether standard error was cut.
    pub stderr_cut: bool,
}

/// One container in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: ContainerId,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Vec<(String, String)>,
}

/// A container engine. Every call has a limit of its own; every error is a [`HostError`].
#[async_trait]
pub trait Host: Send + Sync {
    /// The facts, probed when the host was connected.
    fn facts(&self) -> &Facts;

    /// The `docker`/`podman` words that reach this host by hand, such as `docker -H unix:///run/x.sock`.
    fn by_hand(&self) -> String;

    /// What to do first so that these words reach it, where it is gone when the run is over.
    fn before_by_hand(&self) -> Option<String> {
        None
    }

    /// Where the engine listens, as `DOCKER_HOST` has it.
    fn address(&self) -> String {
        String::new()
    }

    /// Makes a container.
    async fn create(&self, request: &CreateRequest) -> Result<ContainerId, HostError>;

    /// Unpacks a tar archive below a folder of a container that need not run.
    async fn put(&self, id: &ContainerId, folder: &str, tar: Bytes) -> Result<(), HostError>;

    /// One file of a container (it need not run), as bytes; `None` where there is none.
    async fn get(&self, id: &ContainerId, file: &str, limit: usize) -> Result<Option<Vec<u8>>, HostError>;

    /// Attaches to the console before the start, so that no line is lost: raw bytes until the container ends.
    /// With `tty` off, stdout and stderr come in one stream in the order of arrival. [`HostErrorKind::Refused`] where the
    /// engine or its runtime would not start it: podman tries as much of that as it can before it attaches.
    async fn console(&self, id: &ContainerId) -> Result<BoxStream<'static, Result<Bytes, HostError>>, HostError>;

    /// Starts a container. [`HostErrorKind::Refused`] where the engine or its runtime would not.
    async fn start(&self, id: &ContainerId) -> Result<(), HostError>;

    /// Waits until a container has ended and gives PID 1's exit code. No limit of its own: drop it to stop waiting.
    async fn wait(&self, id: &ContainerId) -> Result<i64, HostError>;

    /// Runs a command inside. An `Err` with [`HostErrorKind::Refused`] or `NotFound` where it could not be started.
    async fn exec(&self, id: &ContainerId, request: &ExecRequest) -> Result<ExecOutput, HostError>;

    /// The engine's description of a container.
    async fn inspect(&self, id: &ContainerId) -> Result<serde_json::Value, HostError>;

    /// The whole console log that the engine kept, up to a limit of bytes from its end.
    async fn logs(&self, id: &ContainerId, limit: usize) -> Result<Vec<u8>, HostError>;

    /// The processes, a line each.
    async fn top(&self, id: &ContainerId) -> Result<String, HostError>;

    /// One sample of statistics.
    async fn stats(&self, id: &ContainerId) -> Result<serde_json::Value, HostError>;

    /// Sends the stop signal and, after `grace`, kills.
    async fn stop(&self, id: &ContainerId, grace: Duration) -> Result<(), HostError>;

    /// Sends a signal to PID 1.
    async fn kill(&self, id: &ContainerId, signal: &str) -> Result<(), HostError>;

    /// Kills and removes a container and its anonymous volumes. No error where it is gone.
    async fn remove(&self, id: &ContainerId) -> Result<(), HostError>;

    /// Containers with a label of that name (any value), ended ones too.
    async fn list(&self, label: &str) -> Result<Vec<Listed>, HostError>;

    /// The id of an image by tag; `None` where there is none.
    async fn image(&self, tag: &str) -> Result<Option<String>, HostError>;

    /// Makes an image from a root file system's tar file, with `tag` and labels.
    async fn import(&self, tag: &str, tar: &std::path::Path) -> Result<String, HostError>;

    /// Builds an image from a Dockerfile's text (no other context), with `tag`. `Refused` where its base can't be had.
    async fn build(&self, tag: &str, dockerfile: &str) -> Result<String, HostError>;

    /// Tags of images whose name starts with a prefix.
    async fn images(&self, prefix: &str) -> Result<Vec<String>, HostError>;

    /// Removes an image. No error where it is gone.
    async fn remove_image(&self, tag: &str) -> Result<(), HostError>;

    /// By how much this host is slower than a machine of today, so that limits of time can be wider.
    fn slowness(&self) -> u32 {
        1
    }

    /// Whether this host was made by us to be used up: what may change it may run there.
    fn is_lab(&self) -> bool {
        false
    }

    /// The state of the machine that containers run on, with its sysctls where they are asked for; `None` where it can't
    /// be seen, or is gone with the host anyway.
    async fn state(&self, sysctls: bool) -> Option<HostState> {
        let _not_seen = sysctls;
        None
    }

    /// Makes later starts of this host begin with the images that it has now; no container may be there.
    async fn keep(&self) {}

    /// Ends what was started for this host (a private engine) and removes what it leaves. Others: nothing.
    /// Gives the names of what could not be removed.
    async fn close(&self) -> Vec<String>;
}
