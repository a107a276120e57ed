//! Ctrl-C, SIGTERM and SIGHUP: the first ends the run and cleans up, the second ends the process at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::exit::{Exit, Failure};

/// Cancels the token at the first signal.
///
/// # Errors
/// Where the process can't listen to signals.
pub(super) fn cancel_at_signal(cancel: CancellationToken) -> Result<(), Failure> {
    let listen = |kind| signal(kind).map_err(Failure::environment);
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    tokio::spawn(async move {
        let mut first = true;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
            if !first {
                // A private engine goes with this process; what is left on others is swept by the next run.
                std::process::exit(Exit::Interrupted.code().into());
            }
            first = false;
            cancel.cancel();
        }
    });
    Ok(())
}
