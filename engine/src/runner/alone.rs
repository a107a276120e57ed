//! One case, booted as a run would boot it, and held for somebody who looks into it. Its steps do not run, and nothing is
//! judged; it carries the labels of a run, so that it goes as those of a run go.

use tokio::time::Instant;

use super::boot::{self, Made};
use super::{Run, labels};
use crate::host::{ExecOutput, ExecRequest, HostError, HostErrorKind};
use crate::observe::{BootObservation, BootOutcome};
use crate::plan::CasePlan;

/// A container whose boot has come to something.
pub struct Held {
    /// The container's name.
    pub name: String,
    /// What was seen of its boot.
    pub boot: BootObservation,
    made: Option<Made>,
}

impl Held {
    /// Whether systemd came up.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        matches!(self.boot.outcome, BootOutcome::Running | BootOutcome::Degraded { .. })
    }

    /// Whether there is a container that has not ended, as far as its boot tells.
    #[must_use]
    pub const fn is_alive(&self) -> bool {
        !matches!(self.boot.outcome, BootOutcome::Exited { .. } | BootOutcome::Refused { .. })
    }

    /// Runs a command in it.
    ///
    /// # Errors
    /// Where the engine fails, or the command could not be started.
    pub async fn exec(&self, run: &Run, request: &ExecRequest) -> Result<ExecOutput, HostError> {
        match &self.made {
            Some(made) => run.host.exec(&made.id, request).await,
            None => Ok(ExecOutput::default()),
        }
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// Where the engine fails.
    pub async fn ended(&self, run: &Run) -> Result<(), HostError> {
        match &self.made {
            Some(made) => run.host.wait(&made.id).await.map(drop),
            None => Ok(()),
        }
    }
}

/// Boots a case. Whatever comes of it, also where it is dropped in the middle: [`release`] removes it.
///
/// # Errors
/// Where the engine fails; a boot that fails is an observation.
pub async fn boot_alone(run: &Run, case: &CasePlan) -> Result<Held, HostError> {
    let name = format!("sdc-{}-alone", run.options.owner.run);
    let since = Instant::now();
    let refused = |message: String, made| {
        let boot = boot::refused(run, case, message, since.elapsed());
        Ok(Held { name: name.clone(), boot, made })
    };
    let made = match boot::make(run, case, name.clone()).await {
        Ok(made) => made,
        Err(HostError { kind: HostErrorKind::Refused { message, .. }, .. }) => return refused(message, None),
        Err(error) => return Err(error),
    };
    let host = run.host.as_ref();
    let started = Instant::now();
    match host.start(&made.id).await {
        Ok(()) => {}
        Err(HostError { kind: HostErrorKind::Refused { message, .. }, .. }) => return refused(message, Some(made)),
        Err(error) => return Err(error),
    }
    let outcome = boot::watch(host, &made.id, &made.console, &case.boot, started).await?;
    let boot = boot::observe(run, case, &made, outcome, started.elapsed()).await?;
    Ok(Held { name, boot, made: Some(made) })
}

/// Removes what [`boot_alone`] has made, and gives the names of what could not be removed.
pub async fn release(run: &Run) -> Vec<String> {
    labels::remove_own(run.host.as_ref(), &run.options.owner, &[], false).await
}
