use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use tokio::time::{Instant, timeout};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use super::{TaskFailure, TaskId};

/// One attempt at a task: how it is told to stop, and what of it still runs.
///
/// Each attempt has its own, so nothing that is left of an earlier one can be taken for a part of the next.
pub(super) struct Attempt {
    pub(super) number: u32,
    /// Tells the handler to stop.
    token: CancellationToken,
    /// Work on blocking threads: when the task has to stop, and when its handler is over, it is told to.
    blocking_token: CancellationToken,
    blocking: TaskTracker,
    /// Whether the handler looks at its token, and so gets a grace period.
    cooperative: AtomicBool,
    stopped_at: OnceLock<Instant>,
    cleanups: Mutex<Vec<BoxFuture<'static, ()>>>,
}

impl Attempt {
    pub(super) fn new(number: u32) -> Self {
        let token = CancellationToken::new();
        Self {
            number,
            blocking_token: token.child_token(),
            token,
            blocking: TaskTracker::new(),
            cooperative: AtomicBool::new(false),
            stopped_at: OnceLock::new(),
            cleanups: Mutex::default(),
        }
    }

    // As the handler sees it.

    /// A child, so that nobody can cancel the task without its status knowing.
    pub(super) fn handler_token(&self) -> CancellationToken {
        self.cooperative.store(true, Relaxed);
        self.token.child_token()
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cooperative.store(true, Relaxed);
        self.token.is_cancelled()
    }

    pub(super) async fn cancelled(&self) {
        self.cooperative.store(true, Relaxed);
        self.token.cancelled().await;
    }

    pub(super) fn blocking_token(&self) -> CancellationToken {
        self.blocking_token.clone()
    }

    /// As long as this is held, the attempt is not over.
    pub(super) fn hold(&self) -> TaskTrackerToken {
        self.blocking.token()
    }

    pub(super) fn on_cancel(&self, cleanup: BoxFuture<'static, ()>) {
        self.cleanups.lock().push(cleanup);
    }

    // As the engine sees it.

    pub(super) fn stop(&self) {
        let _ = self.stopped_at.set(Instant::now());
        self.token.cancel();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until the handler has to be dropped.
    pub(super) async fn time_to_drop(&self, grace: Duration) {
        self.token.cancelled().await;
        if self.cooperative.load(Relaxed) {
            tokio::time::sleep(grace).await;
        }
    }

    /// Waits until nothing of the attempt runs any more, once its handler is over.
    pub(super) async fn over(&self) {
        self.blocking_token.cancel();
        self.blocking.close();
        self.blocking.wait().await;
    }

    /// Forgets what was registered with `on_cancel`: nothing had to be stopped.
    pub(super) fn forget_cleanups(&self) {
        let cleanups = std::mem::take(&mut *self.cleanups.lock());
        if catch_unwind(AssertUnwindSafe(|| drop(cleanups))).is_err() {
            tracing::error!("a clean-up registered with on_cancel panicked while it was dropped");
        }
    }

    /// Runs what was registered with `on_cancel`, the last first, in what is left of the grace period. A handler that has
    /// used all of it leaves its clean-up a grace period of its own.
    pub(super) async fn clean_up(&self, grace: Duration, name: &str, id: TaskId) {
        let cleanups = std::mem::take(&mut *self.cleanups.lock());
        if cleanups.is_empty() {
            return;
        }
        let used = self.stopped_at.get().map_or(Duration::ZERO, Instant::elapsed);
        let left = grace.checked_sub(used).filter(|left| !left.is_zero()).unwrap_or(grace);
        let log = |panic| {
            let failure = TaskFailure::panic(name, panic);
            tracing::error!(task = name, %id, "{} (in on_cancel)", failure.message);
        };
        let mut all = Box::pin(async {
            for cleanup in cleanups.into_iter().rev() {
                if let Err(panic) = AssertUnwindSafe(cleanup).catch_unwind().await {
                    log(panic);
                }
            }
        });
        let done = timeout(left, &mut all).await.is_ok();
        // What is not done is dropped here, and may panic once more.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(all))) {
            log(panic);
        }
        if !done {
            tracing::warn!(
                task = name,
                %id,
                "the clean-up of a cancelled task took longer than its grace period and was dropped: see Task::grace"
            );
        }
    }
}
