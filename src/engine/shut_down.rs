//! The way out: nothing new begins, and what there is ends as its kind says, within a grace period.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use super::{CancelReason, OnExit, TaskStatus, life::Stop, record::Record, scheduler::Scheduler};

impl Record {
    /// Nothing is done for it at an exit.
    fn is_left_alone(&self) -> bool {
        self.kind.policy.on_exit == OnExit::Drop && self.is_at_work()
    }

    fn may_finish(&self) -> bool {
        self.kind.policy.on_exit == OnExit::Finish && self.is_at_work()
    }

    fn is_at_work(&self) -> bool {
        matches!(self.status(), TaskStatus::Running | TaskStatus::Cancelling)
    }

    /// Whether an exit waits for it.
    pub(super) fn is_awaited(&self) -> bool {
        !self.status().is_final() && !self.is_left_alone()
    }

    /// Whether an exit would cut off work that was meant to come to an end.
    pub(super) fn would_be_lost(&self) -> bool {
        let policy = &self.kind.policy;
        !self.status().is_final() && policy.on_exit != OnExit::Drop && policy.restart.is_none()
    }
}

/// Refuses new tasks, and sees to those there are. Answers which of those that were waited for have not ended in time. Whoever
/// asks once more waits for the same.
pub(super) async fn shut_down(scheduler: Arc<Scheduler>, grace: Duration) -> Vec<Arc<Record>> {
    let until = Instant::now() + grace;
    let awaited: Vec<_> = scheduler.close().into_iter().filter(|record| record.is_awaited()).collect();
    let (finishing, stopping): (Vec<_>, Vec<_>) = awaited.iter().cloned().partition(|record| record.may_finish());
    scheduler.stop_all(stopping, CancelReason::Shutdown);
    let last_calls = finishing.into_iter().map(|record| {
        let last_call = until - record.kind.policy.grace.min(grace / 2);
        stop_at(Arc::clone(&scheduler), record, last_call)
    });
    let ends = awaited.iter().map(|record| async move { timeout_at(until, record.closed()).await.is_ok() });
    let (_, have_ended) = tokio::join!(join_all(last_calls), join_all(ends));
    awaited.into_iter().zip(have_ended).filter(|(_, has_ended)| !has_ended).map(|(record, _)| record).collect()
}

/// Cancels the task at this time, if it has not ended by then.
async fn stop_at(scheduler: Arc<Scheduler>, record: Arc<Record>, last_call: Instant) {
    if timeout_at(last_call, record.closed()).await.is_err() {
        // It may have ended in this moment, and then there is nothing to stop.
        let _ = scheduler.stop(&record, Stop::Cancel(CancelReason::Shutdown));
    }
}
