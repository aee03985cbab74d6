//! The way out: nothing new begins, and what there is ends as its kind says, within a grace period.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use crate::{
    CancelReason, OnExit, TaskStatus,
    record::{Record, Stopped},
    run::scheduler::Scheduler,
    task::life::Stop,
};

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
    pub(crate) fn is_awaited(&self) -> bool {
        !self.status().is_final() && !self.is_left_alone()
    }

    /// Whether an exit would cut off work that was meant to come to an end.
    pub(crate) fn would_be_lost(&self) -> bool {
        let policy = &self.kind.policy;
        !self.status().is_final() && policy.on_exit != OnExit::Drop && policy.restart.is_none()
    }
}

/// A longer grace period is none: it has to be a time that can be reckoned with.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// When what happens on the way out.
#[derive(Debug, Clone, Copy)]
struct Timetable {
    until: Instant,
    grace: Duration,
}

impl Timetable {
    fn new(grace: Duration) -> Self {
        let grace = grace.min(LONGEST);
        Self { until: Instant::now() + grace, grace }
    }

    /// What may finish is told to stop. It may use all of its grace period, and its clean-up another one.
    fn last_call(&self, own: Duration) -> Instant {
        self.until - own.saturating_mul(2).min(self.grace / 2)
    }

    /// A handler that has not stopped yet leaves the rest to its clean-up.
    fn hurry(&self, own: Duration) -> Instant {
        self.until - own.min(self.grace / 4)
    }
}

/// Refuses new tasks, and sees to those there are. Answers which of those that were waited for have not ended in time. Whoever
/// asks once more waits for the same.
pub(crate) async fn shut_down(scheduler: Arc<Scheduler>, grace: Duration) -> Vec<Arc<Record>> {
    let timetable = Timetable::new(grace);
    scheduler.hub.close();
    let awaited: Vec<_> = scheduler.close().into_iter().filter(|record| record.is_awaited()).collect();
    let (finishing, stopping): (Vec<_>, Vec<_>) = awaited.iter().cloned().partition(|record| record.may_finish());
    scheduler.stop_all(stopping, CancelReason::Shutdown);
    let last_calls = finishing.iter().map(|record| stop_at(&scheduler, record, timetable));
    let ends = awaited.iter().map(|record| ends_in_time(record, timetable));
    let (_, have_ended) = tokio::join!(join_all(last_calls), join_all(ends));
    awaited.into_iter().zip(have_ended).filter(|(_, has_ended)| !has_ended).map(|(record, _)| record).collect()
}

/// Cancels what may finish when its time is over.
async fn stop_at(scheduler: &Arc<Scheduler>, record: &Arc<Record>, timetable: Timetable) {
    let grace = record.kind.policy.grace;
    if timeout_at(timetable.last_call(grace), record.closed()).await.is_ok() {
        return;
    }
    // It may have ended in this moment, or somebody has cancelled it before.
    if scheduler.stop(record, Stop::Cancel(CancelReason::Shutdown)) == Ok(Stopped::Told) {
        tracing::warn!(
            task = record.name(),
            id = %record.id,
            "the task was to finish before the exit, and is cancelled: it took too long for an exit grace of {:?} and its own of \
             {grace:?}: see Builder::exit_grace and Task::grace",
            timetable.grace
        );
    }
}

async fn ends_in_time(record: &Record, timetable: Timetable) -> bool {
    if timeout_at(timetable.hurry(record.kind.policy.grace), record.closed()).await.is_ok() {
        return true;
    }
    record.hurry();
    timeout_at(timetable.until, record.closed()).await.is_ok()
}
