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
/// the words say that the object itself is missing it is [`HostErrorKind::NotFound`].
pub(super) fn answered(status: u16, message: &str) -> HostErrorKind {
    let message = message.trim().to_owned();
    let lower = message.to_lowercase();
    let missing = ["no such container", "no such image", "no such exec", "no container with name"];
    if status == 404 && missing.iter().any(|words| lower.contains(words)) {
        HostErrorKind::NotFound(message)
    } else {
        HostErrorKind::Refused { status, message }
    }
}

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
    let mut text = error.to_string();
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
    }
}
