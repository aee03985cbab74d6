//! What stops a task in time. Each runs beside the supervisor, since a handler that never yields holds that one up.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{CancelReason, TimeLimit, record::Record, run::scheduler::Scheduler};

/// A handler that is dropped just when its grace period ends is not called overdue.
const OVERDUE_SLACK: Duration = Duration::from_millis(100);
/// A stall is noticed with a delay of up to one in this many of its length.
const LOOKS: u32 = 8;

/// Stops the task when a limit on its whole life is reached.
pub(crate) async fn stop_after(scheduler: Arc<Scheduler>, record: Arc<Record>, limit: TimeLimit, length: Duration) {
    sleep(length).await;
    scheduler.time_out(&record, limit, length, None);
}

/// Stops the task when this attempt takes too long or stalls.
pub(crate) async fn watch_attempt(scheduler: Arc<Scheduler>, record: Arc<Record>, attempt: u32) {
    let policy = &record.kind.policy;
    let reached = tokio::select! {
        limit = attempt_timeout(policy.attempt_timeout) => limit,
        limit = stall(&record, policy.stall_timeout) => limit,
    };
    scheduler.time_out(&record, reached.0, reached.1, Some(attempt));
}

async fn attempt_timeout(length: Option<Duration>) -> (TimeLimit, Duration) {
    let Some(length) = length else { return std::future::pending().await };
    sleep(length).await;
    (TimeLimit::AttemptTimeout, length)
}

/// Looks now and then whether anything was reported. A report need not look at a clock for that.
async fn stall(record: &Record, length: Option<Duration>) -> (TimeLimit, Duration) {
    let Some(length) = length else { return std::future::pending().await };
    let step = (length / LOOKS).max(Duration::from_millis(1));
    let mut silent = Duration::ZERO;
    record.take_touched();
    while silent < length {
        let step = step.min(length.saturating_sub(silent));
        sleep(step).await;
        silent = if record.take_touched() { Duration::ZERO } else { silent + step };
    }
    (TimeLimit::Stalled, length)
}

/// Cancels the task when nobody has read its items for too long.
pub(crate) async fn watch_readers(scheduler: Arc<Scheduler>, record: Arc<Record>, attempt: u32) {
    record.items().abandoned().await;
    scheduler.cancel_attempt(&record, CancelReason::Unread, attempt);
}

/// Marks the task as overdue if it outstays its grace period.
pub(crate) async fn watch_grace(record: Arc<Record>) {
    sleep(record.kind.policy.grace.saturating_add(OVERDUE_SLACK)).await;
    record.outstay();
}

/// Lets the task queue when the delay that it was started with is over.
pub(crate) async fn release_after(scheduler: Arc<Scheduler>, record: Arc<Record>, delay: Duration) {
    sleep(delay).await;
    scheduler.is_due(&record);
}
