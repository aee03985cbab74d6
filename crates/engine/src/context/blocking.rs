//! Work on threads where it may block.
//!
//! Work waits in its [`Attempt`] for a thread. Whoever takes it from there first decides: a thread runs it, or it is
//! dropped and never runs. So nobody waits for a thread only to find that the work is not wanted any more.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
    task::Poll,
};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::task::attempt::Attempt;

/// Queues `work` for a thread. `name` is the task's name, for the log. Returns a future of its result.
pub(super) fn spawn<T, F>(
    name: &Arc<str>,
    attempt: &Arc<Attempt>,
    work: F,
) -> impl Future<Output = T> + Send + use<T, F>
where
    T: Send + 'static,
    F: FnOnce(CancellationToken) -> T + Send + 'static,
{
    let (tell, mut told) = oneshot::channel();
    let is_late = attempt.is_stopped();
    let number = attempt.queue_work(name, |token, counted| {
        Box::new(move || {
            let result = catch_unwind(AssertUnwindSafe(|| work(token)));
            // If nobody waits for the result any more, it is dropped before the work counts as over.
            drop(tell.send(result));
            drop(counted);
        })
    });
    let queued = Queued { attempt: Arc::clone(attempt), number };
    let attempt = Arc::clone(attempt);
    tokio::task::spawn_blocking(move || {
        if let Some(work) = attempt.take_work(number) {
            work();
        }
    });
    async move {
        let result = tokio::select! {
            biased;
            result = &mut told => result,
            // Work that was queued after the stop belongs to how the handler ends.
            () = queued.attempt.stopped(), if !is_late => {
                if queued.attempt.is_polled_here() {
                    queued.discard();
                }
                told.await
            }
        };
        match result {
            Ok(Ok(value)) => value,
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => {
                is_dropped(&queued.attempt).await;
                resume_unwind(Box::new("the task was told to stop before this blocking work had a thread"))
            }
        }
    }
}

/// Work that waits for a thread. It is discarded when this is dropped.
struct Queued {
    attempt: Arc<Attempt>,
    number: u64,
}

impl Queued {
    fn discard(&self) {
        self.attempt.discard_work(self.number);
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.discard();
    }
}

/// In the handler's own future, waits to be dropped with the handler. Returns elsewhere, and if the handler blocks its
/// thread on this.
async fn is_dropped(attempt: &Attempt) {
    let Some(mut given_up) = attempt.give_up() else { return };
    poll_fn(|context| {
        let never = given_up.is_blocked_on(context) || !attempt.is_polled_here();
        if never { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
