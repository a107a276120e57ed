//! Whether the engine still answers. It is asked beside everything else, so that one that hangs ends a run soon, whatever
//! the limits of the calls under way are.

use std::time::Duration;

use tokio::time::sleep;

use super::labels::RUN_LABEL;
use crate::host::{Host, HostErrorKind};

/// How often an engine is asked.
const EVERY: Duration = Duration::from_secs(10);

/// Comes to an end, with the reason, when the engine can't be used any more.
pub async fn lost(host: &dyn Host) -> String {
    loop {
        sleep(EVERY).await;
        if let Some(why) = why_lost(host).await {
            return why;
        }
    }
}

/// Why the engine can't be used any more; `None` where it answers, whatever it answers.
pub(super) async fn why_lost(host: &dyn Host) -> Option<String> {
    let error = host.list(RUN_LABEL).await.err()?;
    let engine = format!("the engine of {}", host.facts().name);
    match error.kind {
        HostErrorKind::Unreachable(_) => Some(format!("{engine} died in mid-run: {}", error.kind)),
        HostErrorKind::TimedOut(_) => Some(format!("{engine} hangs: {}", error.kind)),
        _ => None,
    }
}
