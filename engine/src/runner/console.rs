//! Follows a container's console log: keeps the text, and lets the boot wait for its signals.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::CONSOLE_LIMIT;
use crate::host::HostError;
use crate::observe::console::{ConsoleReader, Signal};

/// How long a console may be silent once a getty has it. Now and then a log ends there, in the engine's own copy too,
/// while the journal shows that the boot went on (seen with docker 20.10 and containerd 1.6; probably the shim stops
/// reading at the getty's hang-up). What follows is in no log, so systemd is asked.
const AFTER_GETTY: Duration = Duration::from_secs(3);

/// What a console has shown since it was last attached.
#[derive(Debug, Clone, Default)]
struct Seen {
    multi_user: bool,
    getty: bool,
    frozen: bool,
    ended: bool,
    /// The fault that ended it before the container did.
    broke: Option<HostError>,
}

/// What a boot waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Milestone {
    /// multi-user.target was reached.
    MultiUser,
    /// PID 1 said that it freezes.
    Frozen,
    /// A getty has the console, and nothing came after it: the boot may be complete and the console can't tell.
    Silent,
    /// The log has ended before any of these. Either the container has, too, or nobody knows what it prints.
    Ended,
}

/// One container's console, over all its starts.
pub(super) struct Console {
    reader: Arc<Mutex<ConsoleReader>>,
    attached: Mutex<Attached>,
}

/// The stream of one start.
struct Attached {
    seen: watch::Receiver<Seen>,
    _task: AbortOnDropHandle<()>,
}

type Chunks = BoxStream<'static, Result<Bytes, HostError>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a holder that panicked has left is still every byte that it was fed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Console {
    pub(super) fn follow(chunks: Chunks) -> Self {
        let reader = Arc::new(Mutex::new(ConsoleReader::new(CONSOLE_LIMIT)));
        let attached = Mutex::new(Attached::to(Arc::clone(&reader), chunks));
        Self { reader, attached }
    }

    /// The same log, followed through another start.
    pub(super) fn follow_again(&self, chunks: Chunks) {
        *lock(&self.attached) = Attached::to(Arc::clone(&self.reader), chunks);
    }

    fn seen(&self) -> watch::Receiver<Seen> {
        lock(&self.attached).seen.clone()
    }

    /// Waits for a milestone.
    pub(super) async fn milestone(&self) -> Milestone {
        let mut seen = self.seen();
        loop {
            let now = seen.borrow_and_update().clone();
            if now.frozen {
                return Milestone::Frozen;
            }
            if now.multi_user {
                return Milestone::MultiUser;
            }
            if now.ended {
                return if now.getty { Milestone::Silent } else { Milestone::Ended };
            }
            let changed = if now.getty {
                let Ok(changed) = tokio::time::timeout(AFTER_GETTY, seen.changed()).await else {
                    return Milestone::Silent;
                };
                changed
            } else {
                seen.changed().await
            };
            if changed.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Waits until PID 1 has frozen.
    pub(super) async fn frozen(&self) {
        let mut seen = self.seen();
        if seen.wait_for(|seen| seen.frozen).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits for the end of the log of a container that has ended, within a limit.
    pub(super) async fn drained(&self, limit: Duration) {
        let mut seen = self.seen();
        let _late = tokio::time::timeout(limit, seen.wait_for(|seen| seen.ended)).await;
    }

    /// The log up to now: raw, and whether it was cut.
    pub(super) fn raw(&self) -> (String, bool) {
        let reader = lock(&self.reader);
        (reader.raw(), reader.cut())
    }

    /// The log up to now without ANSI sequences, and whether it was cut.
    pub(super) fn text(&self) -> (String, bool) {
        let reader = lock(&self.reader);
        (reader.text(), reader.cut())
    }

    /// Why the log can't be relied on, where its stream broke off.
    pub(super) fn broken(&self) -> Result<(), HostError> {
        lock(&self.attached).seen.borrow().broke.clone().map_or(Ok(()), Err)
    }
}

impl Attached {
    fn to(reader: Arc<Mutex<ConsoleReader>>, mut chunks: Chunks) -> Self {
        let (tell, seen) = watch::channel(Seen::default());
        let task = tokio::spawn(async move {
            let mut broke = None;
            while let Some(chunk) = chunks.next().await {
                let chunk = match chunk {
                    Ok(chunk) => chunk,
                    Err(error) => {
                        broke = Some(error);
                        break;
                    }
                };
                let signals = lock(&reader).feed(&chunk);
                for signal in signals {
                    tell.send_modify(|seen| match signal {
                        Signal::MultiUser => seen.multi_user = true,
                        Signal::Getty => seen.getty = true,
                        Signal::Frozen => seen.frozen = true,
                        Signal::Banner { .. } | Signal::ExitingPid1 => {}
                    });
                }
            }
            let last = lock(&reader).finish();
            tell.send_modify(|seen| {
                seen.multi_user |= last.contains(&Signal::MultiUser);
                seen.frozen |= last.contains(&Signal::Frozen);
                seen.ended = true;
                seen.broke = broke;
            });
        });
        Self { seen, _task: AbortOnDropHandle::new(task) }
    }
}
