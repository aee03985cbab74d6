//! A handler's wait for another task, during which it lends its slots.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Waker};

use super::{attempt::Attempt, current::Current, id::TaskId};

/// A wait of a handler. Dropping it ends the wait.
struct Waiting {
    attempt: Arc<Attempt>,
    wait: u64,
}

impl Waiting {
    fn new(attempt: &Arc<Attempt>, of: TaskId) -> Self {
        let wait = attempt.lending().lock().begin(of);
        Self { attempt: Arc::clone(attempt), wait }
    }

    fn polled(&self, waker: &Waker) {
        let waker = waker.clone();
        // Dropped after the lock is released.
        let _unused = self.attempt.lending().lock().polled(self.wait, waker);
    }

    /// Waits until the wait may return.
    async fn may_return(&self) {
        self.attempt.once_lending(|lending, is_stopped| lending.may_return(self.wait, is_stopped)).await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // Dropped after the lock is released.
        let _unused = self.attempt.lending().lock().end(self.wait);
    }
}

/// Awaits `wait`, for something of the task `of`. If that takes time in the future of a handler that `lends` for it, the
/// handler lends its slots meanwhile, and this returns when it has them back. `delayed` is called if it has to wait for
/// them. If this is dropped then, what `wait` has returned is dropped, too.
pub(crate) async fn lend_while<T>(
    of: TaskId,
    lends: impl Fn(&Current) -> bool,
    delayed: impl FnOnce(&Current),
    wait: impl Future<Output = T>,
) -> T {
    let mut wait = pin!(wait);
    let mut waiting: Option<Waiting> = None;
    let came = poll_fn(|context| {
        let polled = wait.as_mut().poll(context);
        if polled.is_pending() {
            // It may be polled in the handler now and elsewhere the next time.
            let lender = Current::here().filter(&lends).and_then(|current| current.polled);
            let is_same = |waiting: &Waiting| lender.as_ref().is_some_and(|it| Arc::ptr_eq(it, &waiting.attempt));
            if !waiting.as_ref().is_some_and(is_same) {
                waiting = lender.map(|attempt| Waiting::new(&attempt, of));
            }
            if let Some(waiting) = &waiting {
                waiting.polled(context.waker());
            }
        }
        polled
    })
    .await;
    // A handler without its slots, which has given up another wait, gets them back even if this took no time.
    let current =
        Current::here().filter(lends).filter(|current| current.polled.as_ref().is_some_and(|it| it.has_lending()));
    if let Some(current) = current
        && let Some(attempt) = &current.polled
    {
        let waiting = waiting.filter(|it| current.polls(&it.attempt)).unwrap_or_else(|| Waiting::new(attempt, of));
        let mut may_return = pin!(waiting.may_return());
        if futures_util::poll!(may_return.as_mut()).is_pending() {
            delayed(&current);
            may_return.await;
        }
    }
    came
}
