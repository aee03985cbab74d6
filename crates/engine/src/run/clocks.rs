//! The clocks of a task: its delay, its time limits, the wait for its next attempt, and how long its items may go unread.
//! Each is a tokio task of its own on the control runtime, because a handler that never yields blocks its supervisor, and
//! such handlers together block all timers of their runtime.

use std::{sync::Arc, time::Duration};

use tokio_util::task::AbortOnDropHandle;

use super::transitions::Transitions;
use crate::{
    clock::timers::Timers,
    policy::unread::Unread,
    record::Record,
    task::{attempt::Attempt, cancel_reason::CancelReason, time_limit::TimeLimit},
};

/// How many times a task is checked within its stall timeout, and its reader within the time that it may idle. Either may
/// be noticed late, but by no more than the time between two checks.
const LOOKS: u32 = 8;

/// The shortest time after which a reader is taken for gone. A reader that is well takes a moment to ask again.
const SHORTEST_IDLE: Duration = Duration::from_secs(1);

/// Starts the clocks that run from the start of a task: its delay and its deadline.
pub(crate) fn start_of_life(transitions: &Arc<Transitions>, record: &Arc<Record>) {
    let now = transitions.timers().elapsed();
    if let Some(delay) = record.delay() {
        let due = now.saturating_add(delay);
        transitions.keep_clock(record, release_at(Arc::clone(transitions), Arc::clone(record), due));
    }
    if let Some(deadline) = shorter(record.kind.policy.deadline, record.deadline()) {
        let until = now.saturating_add(deadline);
        transitions.keep_clock(record, stop_at(Arc::clone(transitions), Arc::clone(record), deadline, until));
    }
}

/// Starts the clocks of an attempt. Returns the clocks to drop when the attempt is over, or `None` if it started none.
pub(crate) fn start_of_attempt(
    transitions: &Arc<Transitions>,
    record: &Arc<Record>,
    attempt: &Arc<Attempt>,
) -> Option<Vec<AbortOnDropHandle<()>>> {
    let policy = &record.kind.policy;
    let timeout = shorter(policy.timeout, record.timeout()).filter(|_| attempt.is_first);
    if let Some(timeout) = timeout {
        transitions.keep_clock(record, stop_after(Arc::clone(transitions), Arc::clone(record), timeout));
    }
    let watch = (policy.attempt_timeout.is_some() || policy.stall_timeout.is_some()).then(|| {
        let watch = watch_attempt(Arc::clone(transitions), Arc::clone(record), attempt.number);
        AbortOnDropHandle::new(transitions.runtimes.control.spawn(watch))
    });
    let readers = (policy.unread == Unread::Cancel).then(|| {
        let readers = watch_readers(Arc::clone(transitions), Arc::clone(record), attempt.number);
        AbortOnDropHandle::new(transitions.runtimes.control.spawn(readers))
    });
    // An attempt that is shorter than that time says nothing about the reader, so the clock runs until the task ends.
    let idle = policy.idle_reader.filter(|_| attempt.is_first);
    if let Some(length) = idle {
        transitions.keep_clock(record, watch_idle_readers(Arc::clone(transitions), Arc::clone(record), length));
    }
    let health = policy.restart.as_ref().filter(|_| transitions.timers().counts_in_steps()).map(|restart| {
        let health = count_health(Arc::clone(attempt), restart.healthy_time());
        AbortOnDropHandle::new(transitions.runtimes.control.spawn(health))
    });
    let is_needed = timeout.is_some() || watch.is_some() || readers.is_some() || idle.is_some() || health.is_some();
    is_needed.then(|| watch.into_iter().chain(readers).chain(health).collect())
}

/// Stops the task at its deadline, which is `length` long and ends when the clock that counts sleep shows `until`.
async fn stop_at(transitions: Arc<Transitions>, record: Arc<Record>, length: Duration, until: Duration) {
    transitions.timers().until_elapsed(until).await;
    transitions.time_out(&record, TimeLimit::Deadline, length, None);
}

/// Stops the task when its timeout is over.
async fn stop_after(transitions: Arc<Transitions>, record: Arc<Record>, timeout: Duration) {
    transitions.timers().sleep_awake(timeout).await;
    transitions.time_out(&record, TimeLimit::Timeout, timeout, None);
}

/// Stops the task when this attempt reaches its timeout or stalls.
async fn watch_attempt(transitions: Arc<Transitions>, record: Arc<Record>, attempt: u32) {
    let policy = &record.kind.policy;
    let reached = tokio::select! {
        limit = attempt_timeout(transitions.timers(), policy.attempt_timeout) => limit,
        limit = stall(transitions.timers(), &record, policy.stall_timeout) => limit,
    };
    transitions.time_out(&record, reached.0, reached.1, Some(attempt));
}

async fn attempt_timeout(timers: &Timers, length: Option<Duration>) -> (TimeLimit, Duration) {
    let Some(length) = length else { return std::future::pending().await };
    timers.sleep_awake(length).await;
    (TimeLimit::AttemptTimeout, length)
}

/// Waits until the handler has given no sign of life for `length`.
async fn stall(timers: &Timers, record: &Record, length: Option<Duration>) -> (TimeLimit, Duration) {
    let Some(length) = length else { return std::future::pending().await };
    let mut reports = 0;
    record.take_signs_of_life(&mut reports);
    silence(timers, length, || record.take_signs_of_life(&mut reports) || record.has_lent_slots()).await;
    (TimeLimit::Stalled, length)
}

/// Waits until `is_heard`, which tells of the time since it was asked last, has returned `false` for `length`. It polls, so
/// that a sign of life need not read the clock.
async fn silence(timers: &Timers, length: Duration, mut is_heard: impl FnMut() -> bool) {
    let step = (length / LOOKS).max(Duration::from_millis(1));
    let mut silent = Duration::ZERO;
    while silent < length {
        let step = step.min(length.saturating_sub(silent));
        timers.sleep_awake(step).await;
        silent = if is_heard() { Duration::ZERO } else { silent + step };
    }
}

/// Counts how long the attempt lasts until it is healthy.
async fn count_health(attempt: Arc<Attempt>, healthy_time: Duration) {
    attempt.lasts(healthy_time).await;
}

/// Cancels the task when nobody has read its items for too long.
async fn watch_readers(transitions: Arc<Transitions>, record: Arc<Record>, attempt: u32) {
    record.items().abandoned().await;
    transitions.cancel_attempt(&record, CancelReason::Unread, attempt);
}

/// Takes each reader for gone that leaves items unread and does not ask for `length`.
async fn watch_idle_readers(transitions: Arc<Transitions>, record: Arc<Record>, length: Duration) {
    let items = record.items();
    loop {
        let mut idle = None;
        let asks = || {
            let before = std::mem::replace(&mut idle, items.idles());
            idle.is_none() || idle != before
        };
        silence(transitions.timers(), length.max(SHORTEST_IDLE), asks).await;
        if let Some(asks) = idle {
            items.lose_idle(asks);
        }
    }
}

/// Releases the task when the delay that it was started with is over: when the clock that counts sleep shows `due`.
async fn release_at(transitions: Arc<Transitions>, record: Arc<Record>, due: Duration) {
    transitions.timers().until_elapsed(due).await;
    transitions.is_due(&record);
}

/// Queues the task for its next attempt when the clock that counts sleep shows `due`, unless it ends before.
pub(crate) async fn come_back_at(transitions: Arc<Transitions>, record: Arc<Record>, due: Duration) {
    tokio::select! {
        biased;
        _ = record.ended() => {}
        () = transitions.timers().until_elapsed(due) => transitions.come_back(&record),
    }
}

fn shorter(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    [a, b].into_iter().flatten().min()
}
