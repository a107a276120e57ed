//! From the client libraries' errors to [`HostError`], and the limit that every call has. Nothing of a subject is
//! judged here: an engine that refuses a container is told as it said so.

use std::future::Future;
use std::time::Duration;

use super::{HostError, HostErrorKind};

/// The limit of a call that only asks or flips something.
pub(super) const CALL: Duration = Duration::from_secs(30);
/// The limit of a call behind which the engine works: create, start, remove.
pub(super) const WORK: Duration = Duration::from_secs(120);
/// The limit of a call that moves an image.
pub(super) const IMAGE: Duration = Duration::from_secs(900);

impl HostError {
    /// An error of an action (a verb phrase).
    #[must_use]
    pub fn new(action: impl Into<String>, kind: HostErrorKind) -> Self {
        Self { action: action.into(), kind }
    }

    /// An error of this machine.
    #[must_use]
    pub fn local(action: impl Into<String>, words: impl std::fmt::Display) -> Self {
        Self::new(action, HostErrorKind::Local(words.to_string()))
    }
}

/// What the engine's answer means. 404 is also the answer to a start whose program or device is missing: only where
/// the words say that the object itself is missing it is [`HostErrorKind::NotFound`]. podman's own API answers 500 to a
/// missing image and to a name that is taken or a container in another state, which docker's has numbers of their own for.
pub(super) fn answered(status: u16, message: &str) -> HostErrorKind {
    let message = message.trim().to_owned();
    let lower = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| lower.contains(words));
    let missing = match status {
        404 => {
            says(&["no such container", "no such image", "no such exec", "no container with name", "image not known"])
        }
        500 => lower.ends_with("image not known"),
        _ => false,
    };
    // What a runtime could not do with a container is a finding, be it for want of space in a cgroup.
    let runtimes = says(&["oci runtime", "runc", "crun"]);
    let failed = status > 500 || status == 500 && !runtimes && says(&OF_THE_ENGINE);
    let conflict =
        status == 500 && says(&["name is already in use", "container already exists", "container state improper"]);
    match status {
        _ if missing => HostErrorKind::NotFound(message),
        _ if conflict => HostErrorKind::Refused { status: 409, message },
        _ if failed => HostErrorKind::Failed { status, message },
        status => HostErrorKind::Refused { status, message },
    }
}

/// What engines say in an answer of status 500 where they themselves are in trouble. The same status is their answer to
/// flags that a runtime does not take, which is a finding.
const OF_THE_ENGINE: [&str; 13] = [
    "no space left on device",
    "disk quota exceeded",
    "too many open files",
    "input/output error",
    "cannot allocate memory",
    "context deadline exceeded",
    "context canceled",
    "transport is closing",
    "connection error",
    "connection refused",
    "connection reset",
    "database is locked",
    "shutting down",
];

impl From<bollard::errors::Error> for HostErrorKind {
    fn from(error: bollard::errors::Error) -> Self {
        use bollard::errors::Error;
        match error {
            Error::DockerResponseServerError { status_code, message } => answered(status_code, &message),
            Error::DockerStreamError { error } => Self::Refused { status: 200, message: error },
            other => Self::Unreachable(chain(&other)),
        }
    }
}

/// An error with its causes: hyper's own words alone are `client error (Connect)`.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    // bollard's own words say nothing that the cause does not.
    let mut text = error.to_string().trim_start_matches("Error in the hyper legacy client: ").to_owned();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}

/// Runs a call with a limit and names what was tried in its error.
pub(super) async fn limited<T, E: Into<HostErrorKind>>(
    action: impl Into<String>,
    limit: Duration,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, HostError> {
    match tokio::time::timeout(limit, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(HostError::new(action, error.into())),
        Err(_) => Err(HostError::new(action, HostErrorKind::TimedOut(limit))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_object_is_told_from_a_missing_program() {
        assert!(matches!(answered(404, "No such container: x"), HostErrorKind::NotFound(_)));
        assert!(matches!(answered(404, "no container with name or ID \"x\" found"), HostErrorKind::NotFound(_)));
        let start = "OCI runtime create failed: exec: \"/sbin/init\": stat /sbin/init: no such file or directory";
        assert!(matches!(answered(404, start), HostErrorKind::Refused { status: 404, .. }));
        // podman 4.3: to a removal, to its own create, and to a network of a container that there is not.
        let image = "failed to find image x:1: docker.io/library/x:1: image not known";
        assert!(matches!(answered(404, image), HostErrorKind::NotFound(_)));
        assert!(matches!(answered(500, "docker.io/library/x:1: image not known"), HostErrorKind::NotFound(_)));
        let network = "looking up container to share net namespace with: no container with name or ID \"x\" found: no such container";
        assert!(matches!(answered(500, network), HostErrorKind::Refused { status: 500, .. }));
    }

    #[test]
    fn an_engine_in_trouble_is_told_from_one_that_says_no() {
        let failed = |status, words| matches!(answered(status, words), HostErrorKind::Failed { .. });
        assert!(failed(500, "write /var/lib/docker/x: no space left on device"));
        assert!(failed(503, "starting"));
        let cgroup = "OCI runtime create failed: write cpuset.cpus: no space left on device";
        assert!(!failed(500, cgroup) && !failed(400, "invalid") && !failed(500, "unknown flag"));
    }

    #[test]
    fn a_name_that_is_taken_is_a_conflict_on_every_engine() {
        let podman = "creating container storage: the container name \"x\" is already in use by 0123. You have to remove that container to be able to reuse that name: that name is already in use";
        assert!(matches!(answered(500, podman), HostErrorKind::Refused { status: 409, .. }));
        assert!(matches!(answered(500, "no such flag"), HostErrorKind::Refused { status: 500, .. }));
    }
}
