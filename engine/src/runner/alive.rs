//! Whether the engine still answers. It is asked beside everything else, so that one that hangs ends a run soon, whatever
//! the limits of the calls under way are.

use std::time::Duration;

use tokio::time::sleep;

use super::labels::RUN_LABEL;
use crate::host::{Host, HostErrorKind};

/// How often an engine is asked.
const EVERY: Duration = Duration::from_secs(10);
/// How long an engine that does not answer is waited for, in between: it may be starting again.
pub(super) const RESTART: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(6)];

/// How an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    /// It answers, whatever it answers.
    Answers,
    /// It did not answer for a while. What it did meanwhile, and to what it ran, nobody knows.
    CameBack(String),
    /// It can't be used any more.
    Lost(String),
}

/// Comes to an end, with the reason, when the engine can't be used any more.
pub async fn lost(host: &dyn Host) -> String {
    loop {
        sleep(EVERY).await;
        if let Health::Lost(why) = health(host).await {
            return why;
        }
    }
}

/// Asks an engine how it is, and waits for one that may come back: a private engine that died does not.
pub(super) async fn health(host: &dyn Host) -> Health {
    let Err(error) = host.list(RUN_LABEL).await else { return Health::Answers };
    let engine = format!("the engine of {}", host.facts().name);
    match error.kind {
        HostErrorKind::Unreachable(_) => {
            for pause in RESTART.into_iter().filter(|_| !host.is_lab()) {
                sleep(pause).await;
                if host.list(RUN_LABEL).await.is_ok() {
                    return Health::CameBack(format!("{engine} went away in mid-run, and came back: {}", error.kind));
                }
            }
            Health::Lost(format!("{engine} died in mid-run: {}", error.kind))
        }
        HostErrorKind::TimedOut(_) => match host.list(RUN_LABEL).await {
            // podman was seen to hold its locks for longer than the limit of a call, once, and was well a minute later.
            Err(again) if matches!(again.kind, HostErrorKind::TimedOut(_)) => {
                Health::Lost(format!("{engine} hangs: {}, twice", again.kind))
            }
            _ => Health::Answers,
        },
        _ => Health::Answers,
    }
}
