//! Ctrl-C, SIGTERM and SIGHUP: the first ends the run and cleans up, the second gives that ten seconds, the third ends the
//! process at once.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::exit::{Exit, Failure};

/// How long cleaning may take after a second signal.
const HURRY: Duration = Duration::from_secs(10);

/// Ends the process. A private engine goes with it; what is left on others is swept by the next run.
fn end() -> ! {
    std::process::exit(Exit::Interrupted.code().into())
}

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
        let mut heard = 0;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
            heard += 1;
            match heard {
                1 => cancel.cancel(),
                // A thread of its own: what hangs may be the runtime.
                2 => drop(std::thread::spawn(|| {
                    std::thread::sleep(HURRY);
                    end()
                })),
                _ => end(),
            }
        }
    });
    Ok(())
}
