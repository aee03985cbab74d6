use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{
            AtomicBool,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use crate::{
    TaskFailure, TaskId,
    lock::{ATTEMPT, Lock},
};

/// One attempt at a task: how it is told to stop, and what of it still runs.
///
/// Each attempt has its own, so nothing that is left of an earlier one can be taken for a part of the next.
pub(crate) struct Attempt {
    pub(crate) number: u32,
    /// Tells the handler to stop.
    token: CancellationToken,
    beside: Lock<Beside, ATTEMPT>,
    /// Whether the handler looks at its token, and so gets a grace period.
    cooperative: AtomicBool,
    /// The handler has waited for something, so it is no matter of moments.
    has_waited: AtomicBool,
    /// The handler is over, and nothing that is left of it emits anything.
    is_over: AtomicBool,
    stopped_at: OnceLock<Instant>,
    /// What is left of the grace period is its clean-up's.
    hurry: CancellationToken,
    /// `None` once they were run or forgotten.
    cleanups: Lock<Option<Vec<Cleanup>>, ATTEMPT>,
}

/// What runs beside the handler: work on blocking threads, and the members of a batch. Most handlers have nothing.
#[derive(Default)]
struct Beside {
    running: Option<Running>,
    /// The handler is over. What somebody begins on its behalf even now is told to stop at once, and nobody waits for it.
    over: bool,
}

#[derive(Clone)]
struct Running {
    /// When the task has to stop, and when its handler is over, the work is told to.
    token: CancellationToken,
    tracker: TaskTracker,
}

impl Attempt {
    pub(crate) fn new(number: u32) -> Self {
        Self {
            number,
            token: CancellationToken::new(),
            beside: Lock::default(),
            cooperative: AtomicBool::new(false),
            has_waited: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            stopped_at: OnceLock::new(),
            hurry: CancellationToken::new(),
            cleanups: Lock::new(Some(Vec::new())),
        }
    }

    // As the handler sees it.

    /// A child, so that nobody can cancel the task without its status knowing.
    pub(crate) fn handler_token(&self) -> CancellationToken {
        self.cooperative.store(true, Relaxed);
        self.token.child_token()
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cooperative.store(true, Relaxed);
        self.token.is_cancelled()
    }

    pub(crate) async fn cancelled(&self) {
        self.cooperative.store(true, Relaxed);
        self.token.cancelled().await;
    }

    /// For work on another thread: what tells it to stop, and what keeps the attempt from being over while it is held.
    pub(crate) fn beside(&self) -> (CancellationToken, TaskTrackerToken) {
        let mut beside = self.beside.lock();
        let over = beside.over;
        let running = beside.running.get_or_insert_with(|| {
            let token = self.token.child_token();
            if over {
                token.cancel();
            }
            Running { token, tracker: TaskTracker::new() }
        });
        (running.token.clone(), running.tracker.token())
    }

    pub(crate) fn on_cancel(&self, cleanup: Cleanup) {
        let mut cleanups = self.cleanups.lock();
        let too_late = match &mut *cleanups {
            Some(cleanups) => {
                cleanups.push(cleanup);
                None
            }
            None => Some(cleanup),
        };
        drop(cleanups);
        drop(too_late);
    }

    // As the engine sees it.

    pub(crate) fn stop(&self) {
        let _ = self.stopped_at.set(Instant::now());
        self.token.cancel();
    }

    /// Ends the handler's grace period, so that there is time for its clean-up. Only for one that was told to stop.
    pub(crate) fn hurry(&self) {
        self.hurry.cancel();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until it is told to stop, for the engine's own sake: this asks for no grace period.
    pub(crate) async fn stopped(&self) {
        self.token.cancelled().await;
    }

    /// The handler has come to where it waits for something.
    pub(crate) fn waits(&self) {
        self.has_waited.store(true, Release);
    }

    pub(crate) fn has_waited(&self) -> bool {
        self.has_waited.load(Acquire)
    }

    /// The handler is over.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Release);
    }

    /// Whether the handler is over.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Acquire)
    }

    /// Waits until the handler has to be dropped.
    pub(crate) async fn time_to_drop(&self, grace: Duration) {
        self.token.cancelled().await;
        if self.cooperative.load(Relaxed) {
            let _ = timeout(grace, self.hurry.cancelled()).await;
        }
    }

    /// Waits until nothing of the attempt runs any more, once its handler is over.
    pub(crate) async fn over(&self) {
        let running = {
            let mut beside = self.beside.lock();
            beside.over = true;
            beside.running.clone()
        };
        if let Some(Running { token, tracker }) = running {
            token.cancel();
            tracker.close();
            tracker.wait().await;
        }
    }

    /// Forgets what was registered with `on_cancel`: nothing had to be stopped.
    pub(crate) fn forget_cleanups(&self) {
        let cleanups = self.cleanups.lock().take();
        drop(cleanups);
    }

    /// Runs what was registered with `on_cancel`, the last first, in what is left of the grace period. A handler that has
    /// used all of it leaves its clean-up a grace period of its own.
    pub(crate) async fn clean_up(&self, grace: Duration) {
        let cleanups = self.cleanups.lock().take().unwrap_or_default();
        let Some(of) = cleanups.first().map(|cleanup| (Arc::clone(&cleanup.name), cleanup.id)) else { return };
        let used = self.stopped_at.get().map_or(Duration::ZERO, Instant::elapsed);
        let left = grace.checked_sub(used).filter(|left| !left.is_zero()).unwrap_or(grace);
        let all = async {
            for cleanup in cleanups.into_iter().rev() {
                cleanup.await;
            }
        };
        if timeout(left, all).await.is_err() {
            tracing::warn!(
                task = &*of.0,
                id = %of.1,
                "the clean-up of a cancelled task took longer than its grace period and was dropped: see Task::grace"
            );
        }
    }
}

/// Something that was registered with `on_cancel`. It is the app's own code: a panic in it, when it runs or when it is
/// dropped, is logged and goes no further.
pub(crate) struct Cleanup {
    future: Option<BoxFuture<'static, ()>>,
    name: Arc<str>,
    id: TaskId,
}

impl Cleanup {
    pub(crate) fn new(name: &Arc<str>, id: TaskId, future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { future: Some(Box::pin(future)), name: Arc::clone(name), id }
    }

    fn guard<T>(&self, act: impl FnOnce() -> T) -> Option<T> {
        let done = catch_unwind(AssertUnwindSafe(act));
        let log = |panic| {
            let failure = TaskFailure::panic(&self.name, panic);
            tracing::error!(task = &*self.name, id = %self.id, "{} (in on_cancel)", failure.message);
        };
        done.map_err(log).ok()
    }

    fn drop_future(&mut self) {
        if let Some(future) = self.future.take() {
            self.guard(|| drop(future));
        }
    }
}

impl Future for Cleanup {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(mut future) = self.future.take() else { return Poll::Ready(()) };
        let polled = self.guard(|| future.as_mut().poll(context));
        let pending = matches!(polled, Some(Poll::Pending));
        self.future = Some(future);
        if pending {
            return Poll::Pending;
        }
        self.drop_future();
        Poll::Ready(())
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        self.drop_future();
    }
}
