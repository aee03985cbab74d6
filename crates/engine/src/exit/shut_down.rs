//! Ends all tasks when the app exits. No new task begins, and each task ends as its kind says, within a grace period.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;

use super::lost::{is_awaited, may_finish};
use crate::{
    logged::logged,
    record::{Record, steps::Stopped},
    run::transitions::Transitions,
    task::{cancel_reason::CancelReason, life::Stop},
};

/// The longest grace period of an exit. A longer one is cut to it, so that its end fits into an `Instant`.
pub const LONGEST_GRACE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The latest times for the steps of an exit, from its beginning on. The time in which the machine sleeps doesn't count.
#[derive(Debug, Clone, Copy)]
struct LastTimes {
    grace: Duration,
}

impl LastTimes {
    fn new(grace: Duration) -> Self {
        Self { grace: grace.min(LONGEST_GRACE) }
    }

    /// Returns when to cancel a task that may finish. After that, its handler and its clean-up have one grace period
    /// each, but no more than half of the exit's grace period together.
    fn last_call(&self, own: Duration) -> Duration {
        self.grace.saturating_sub(own.saturating_mul(2).min(self.grace / 2))
    }

    /// Returns when to drop a handler that has not stopped.
    fn hurry(&self, own: Duration) -> Duration {
        self.grace.saturating_sub(self.clean_up(own))
    }

    /// Returns how much of the time is left to the clean-up of such a handler.
    fn clean_up(&self, own: Duration) -> Duration {
        own.min(self.grace / 4)
    }
}

/// Refuses new tasks from now on, and lets no attempt be followed by another. Returns the tasks that have not ended,
/// oldest first.
pub(crate) fn close(transitions: &Transitions) -> Vec<Arc<Record>> {
    transitions.begin_to_close();
    transitions.close()
}

/// Refuses new tasks and ends the existing ones. Returns the tasks that it waited for and that have not ended in time.
/// A second call waits for the same tasks.
pub(crate) async fn shut_down(transitions: Arc<Transitions>, grace: Duration) -> Vec<Arc<Record>> {
    let times = LastTimes::new(grace);
    let awaited: Vec<_> = close(&transitions).into_iter().filter(|record| is_awaited(record)).collect();
    let (finishing, stopping): (Vec<_>, Vec<_>) = awaited.iter().cloned().partition(|record| may_finish(record));
    transitions.stop_all(stopping, CancelReason::Shutdown);
    let last_calls = finishing.iter().map(|record| stop_at(&transitions, record, times));
    let ends = awaited.iter().map(|record| ends_in_time(&transitions, record, times));
    let (_, have_ended) = tokio::join!(join_all(last_calls), join_all(ends));
    awaited.into_iter().zip(have_ended).filter(|(_, has_ended)| !has_ended).map(|(record, _)| record).collect()
}

/// Waits for a task that may finish, and cancels it if it has not ended by its last call.
async fn stop_at(transitions: &Arc<Transitions>, record: &Arc<Record>, times: LastTimes) {
    let grace = record.kind.policy.grace;
    if transitions.timers().timeout_awake(times.last_call(grace), record.closed()).await.is_some() {
        return;
    }
    // No warning if it has just ended or was cancelled before.
    if transitions.stop(record, Stop::Cancel(CancelReason::Shutdown)) == Ok(Stopped::Told) {
        tracing::warn!(
            task = logged(record.name()),
            id = %record.id,
            "the task was cancelled before it could finish: it takes too long for an exit grace of {:?} and its own of \
             {grace:?}; see Builder::exit_grace and Task::grace",
            times.grace
        );
    }
}

async fn ends_in_time(transitions: &Transitions, record: &Arc<Record>, last: LastTimes) -> bool {
    let (timers, grace) = (transitions.timers(), record.kind.policy.grace);
    if timers.timeout_awake(last.hurry(grace), record.closed()).await.is_some() {
        return true;
    }
    record.hurry();
    timers.timeout_awake(last.clean_up(grace), record.closed()).await.is_some()
}
