//! The clocks of a task: its delay, its time limits, the wait for its next attempt, and how long its items may go unread.
//! Each is a tokio task of its own on the control runtime, because a handler that never yields blocks its supervisor, and
//! such handlers together block all timers of their runtime.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::transitions::Transitions;
use crate::{
    policy::unread::Unread,
    record::Record,
    task::{attempt::Attempt, cancel_reason::CancelReason, time_limit::TimeLimit},
};

/// How many times a task is checked within its stall timeout. A stall may be noticed late, but by no more than the time
/// between two checks.
const LOOKS: u32 = 8;

/// Starts the clocks that run from the start of a task: its delay and its deadline.
pub(crate) fn start_of_life(transitions: &Arc<Transitions>, record: &Arc<Record>) {
    if let Some(delay) = record.delay() {
        transitions.keep_clock(record, release_after(Arc::clone(transitions), Arc::clone(record), delay));
    }
    let deadline = shorter(record.kind.policy.deadline, record.deadline());
    limit_life(transitions, record, TimeLimit::Deadline, deadline);
}

/// Starts the clocks of an attempt. Returns the clocks to drop when the attempt is over, or `None` if it started none.
pub(crate) fn start_of_attempt(
    transitions: &Arc<Transitions>,
    record: &Arc<Record>,
    attempt: &Attempt,
) -> Option<Vec<AbortOnDropHandle<()>>> {
    let policy = &record.kind.policy;
    let timeout = shorter(policy.timeout, record.timeout()).filter(|_| attempt.number == 1);
    limit_life(transitions, record, TimeLimit::Timeout, timeout);
    let watch = (policy.attempt_timeout.is_some() || policy.stall_timeout.is_some()).then(|| {
        let watch = watch_attempt(Arc::clone(transitions), Arc::clone(record), attempt.number);
        AbortOnDropHandle::new(transitions.runtimes.control.spawn(watch))
    });
    let readers = (policy.unread == Unread::Cancel).then(|| {
        let readers = watch_readers(Arc::clone(transitions), Arc::clone(record), attempt.number);
        AbortOnDropHandle::new(transitions.runtimes.control.spawn(readers))
    });
    let is_needed = timeout.is_some() || watch.is_some() || readers.is_some();
    is_needed.then(|| watch.into_iter().chain(readers).collect())
}

fn limit_life(transitions: &Arc<Transitions>, record: &Arc<Record>, limit: TimeLimit, length: Option<Duration>) {
    if let Some(length) = length {
        transitions.keep_clock(record, stop_after(Arc::clone(transitions), Arc::clone(record), limit, length));
    }
}

/// Stops the task when a limit on its whole life is reached.
async fn stop_after(transitions: Arc<Transitions>, record: Arc<Record>, limit: TimeLimit, length: Duration) {
    sleep(length).await;
    transitions.time_out(&record, limit, length, None);
}

/// Stops the task when this attempt reaches its timeout or stalls.
async fn watch_attempt(transitions: Arc<Transitions>, record: Arc<Record>, attempt: u32) {
    let policy = &record.kind.policy;
    let reached = tokio::select! {
        limit = attempt_timeout(policy.attempt_timeout) => limit,
        limit = stall(&record, policy.stall_timeout) => limit,
    };
    transitions.time_out(&record, reached.0, reached.1, Some(attempt));
}

async fn attempt_timeout(length: Option<Duration>) -> (TimeLimit, Duration) {
    let Some(length) = length else { return std::future::pending().await };
    sleep(length).await;
    (TimeLimit::AttemptTimeout, length)
}

/// Waits until nothing was reported for `length`. It polls, so that a report need not read the clock.
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
async fn watch_readers(transitions: Arc<Transitions>, record: Arc<Record>, attempt: u32) {
    record.items().abandoned().await;
    transitions.cancel_attempt(&record, CancelReason::Unread, attempt);
}

/// Releases the task when the delay that it was started with is over.
async fn release_after(transitions: Arc<Transitions>, record: Arc<Record>, delay: Duration) {
    sleep(delay).await;
    transitions.is_due(&record);
}

/// Queues the task for its next attempt after `delay`, unless it ends before.
pub(crate) async fn come_back_after(transitions: Arc<Transitions>, record: Arc<Record>, delay: Duration) {
    tokio::select! {
        biased;
        _ = record.ended() => {}
        () = sleep(delay) => transitions.come_back(&record),
    }
}

fn shorter(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    [a, b].into_iter().flatten().min()
}
