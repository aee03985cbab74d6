//! One task's life as plain data: its status, how it got there, and how it ended.
//!
//! Invariants:
//! - the status only changes along [`TaskStatus::may_become`];
//! - each change has the next sequence number and goes into the log, which keeps the newest [`LOG_LENGTH`];
//! - there is an outcome exactly when the status is final, and nothing changes after that.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use crate::{CancelReason, ErrorSummary, Json, Outcome, StatusChange, TaskFailure, TaskStatus, TimeLimit};

/// How many status changes are kept for late watchers.
const LOG_LENGTH: usize = 32;
/// The largest outcome, in bytes, that is sent with the end. A larger one has to be fetched.
pub(crate) const INLINE_OUTCOME_LIMIT: usize = 4 * 1024;

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The handler returned its output.
    Output(Json),
    /// The handler failed.
    Failure(TaskFailure),
    /// The handler was dropped after it was told to stop.
    Dropped,
}

/// Why an attempt failed.
pub(crate) struct Problem {
    pub(crate) failure: TaskFailure,
    /// Whether another attempt may help.
    pub(crate) may_retry: bool,
}

impl From<TaskFailure> for Problem {
    fn from(failure: TaskFailure) -> Self {
        Self { failure, may_retry: false }
    }
}

/// Why a task has to stop.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    Cancel(CancelReason),
    /// It has reached this limit. The text is the message for people.
    TimeLimit(TimeLimit, String),
}

impl Stop {
    fn status(&self) -> TaskStatus {
        match self {
            Self::Cancel(_) => TaskStatus::Cancelled,
            Self::TimeLimit(..) => TaskStatus::TimedOut,
        }
    }

    fn outcome(self) -> Outcome {
        match self {
            Self::Cancel(reason) => Outcome::Cancelled { reason },
            Self::TimeLimit(limit, message) => Outcome::TimedOut { limit, message },
        }
    }

    fn reason(&self) -> Option<CancelReason> {
        match self {
            Self::Cancel(reason) => Some(reason.clone()),
            Self::TimeLimit(..) => None,
        }
    }

    fn limit(&self) -> Option<TimeLimit> {
        match self {
            Self::Cancel(_) => None,
            Self::TimeLimit(limit, _) => Some(*limit),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Life {
    status: TaskStatus,
    sequence: u64,
    log: VecDeque<Logged>,
    attempt: u32,
    stop: Option<Box<Stop>>,
    overdue: bool,
    created_at: u64,
    started_at: Option<u64>,
    ended_at: Option<u64>,
    /// When the next attempt may begin, by the clock that counts sleep and can't be set.
    due: Option<Duration>,
    /// Why the last attempt failed.
    error: Option<Arc<ErrorSummary>>,
    outcome: Option<Box<Outcome>>,
}

/// A status change in the log. The outcome of the last one is in the [`Life`].
#[derive(Debug, Clone)]
struct Logged {
    status: TaskStatus,
    overdue: bool,
    attempt: u32,
    cancel_reason: Option<CancelReason>,
    time_limit: Option<TimeLimit>,
    at: u64,
    due: Option<Duration>,
    error: Option<Arc<ErrorSummary>>,
}

impl Life {
    /// Returns the life of a new, queued task. Here and below, `at` is the time in milliseconds since 1970, and `due` is
    /// when the next attempt may begin, by the clock that counts sleep and can't be set.
    pub(crate) fn new(at: u64, due: Option<Duration>) -> Self {
        let mut life = Self {
            status: TaskStatus::Queued,
            sequence: 0,
            // Saves memory: many tasks may wait at the same time, and a waiting task has only this change to log.
            log: VecDeque::with_capacity(1),
            attempt: 0,
            stop: None,
            overdue: false,
            created_at: at,
            started_at: None,
            ended_at: None,
            due,
            error: None,
            outcome: None,
        };
        life.record(at);
        life
    }

    pub(crate) fn status(&self) -> TaskStatus {
        self.status
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    pub(crate) fn cancel_reason(&self) -> Option<CancelReason> {
        self.stop.as_ref().and_then(|stop| stop.reason())
    }

    pub(crate) fn time_limit(&self) -> Option<TimeLimit> {
        self.stop.as_ref().and_then(|stop| stop.limit())
    }

    pub(crate) fn overdue(&self) -> bool {
        self.overdue
    }

    pub(crate) fn created_at(&self) -> u64 {
        self.created_at
    }

    pub(crate) fn started_at(&self) -> Option<u64> {
        self.started_at
    }

    pub(crate) fn ended_at(&self) -> Option<u64> {
        self.ended_at
    }

    pub(crate) fn due(&self) -> Option<Duration> {
        self.due
    }

    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_deref()
    }

    /// Returns why the task failed, or why its last attempt did while it waits for the next one.
    pub(crate) fn error(&self) -> Option<ErrorSummary> {
        self.error.as_deref().cloned()
    }

    /// Makes the next attempt number `number`, from 1, for a test.
    #[cfg(any(test, feature = "test"))]
    pub(crate) fn skip_to_attempt(&mut self, number: u32) {
        self.attempt = number.saturating_sub(1);
    }

    /// Begins an attempt. Returns `false` if the task was stopped in the queue.
    pub(crate) fn begin(&mut self, at: u64) -> bool {
        if !self.status.may_become(TaskStatus::Running) {
            return false;
        }
        self.attempt += 1;
        self.started_at.get_or_insert(at);
        self.due = None;
        self.error = None;
        self.become_(TaskStatus::Running, at);
        true
    }

    /// Tells the task to stop. It ends at once if it does not run. If it is told more than once, the first reason
    /// counts. Returns its final status as an error if it has ended already.
    pub(crate) fn stop(&mut self, why: Stop, at: u64) -> Result<(), TaskStatus> {
        if self.status.is_final() {
            return Err(self.status);
        }
        if self.status == TaskStatus::Cancelling {
            return Ok(());
        }
        if self.status.may_become(TaskStatus::Cancelling) {
            self.stop = Some(Box::new(why));
            self.become_(TaskStatus::Cancelling, at);
        } else {
            self.finish_stopped(why, at);
        }
        Ok(())
    }

    /// Marks the task as overdue: its grace period is over. Returns whether that is a change.
    pub(crate) fn outstay(&mut self, at: u64) -> bool {
        if self.status != TaskStatus::Cancelling || self.overdue {
            return false;
        }
        self.overdue = true;
        self.record(at);
        true
    }

    /// Makes the task wait for its next attempt. Call it when nothing of the last attempt
    /// still runs; `failure` is why that failed, if it did. Returns `false` if there is no next attempt because the
    /// task has to stop.
    pub(crate) fn retry(&mut self, failure: Option<&TaskFailure>, due: Duration, at: u64) -> bool {
        if !self.status.may_become(TaskStatus::Retrying) {
            return false;
        }
        self.error = failure.map(|failure| Arc::new(summary(failure)));
        self.due = Some(due);
        self.become_(TaskStatus::Retrying, at);
        true
    }

    /// Queues the task again: the time of its next attempt has come. Returns `false` if it was stopped before.
    pub(crate) fn requeue(&mut self, at: u64) -> bool {
        if !self.status.may_become(TaskStatus::Queued) {
            return false;
        }
        self.due = None;
        self.become_(TaskStatus::Queued, at);
        true
    }

    /// Notes that the delay that the task was started with is over.
    pub(crate) fn is_due(&mut self) {
        if self.status == TaskStatus::Queued && self.attempt == 0 {
            self.due = None;
        }
    }

    /// Ends the task. Call it when nothing of the last attempt still runs. Returns the failure, if any, that the
    /// outcome does not show because the task had been told to stop.
    pub(crate) fn end(&mut self, ending: Ending, at: u64) -> Option<TaskFailure> {
        debug_assert!(matches!(self.status, TaskStatus::Running | TaskStatus::Cancelling), "{:?}", self.status);
        match (ending, self.stop.take()) {
            (ending, Some(stop)) if matches!(*stop, Stop::TimeLimit(..)) => {
                self.finish_stopped(*stop, at);
                return ending.into_failure();
            }
            (Ending::Output(output), stop) => {
                self.stop = stop;
                self.finish(TaskStatus::Completed, Outcome::Completed { output }, at);
            }
            (Ending::Failure(failure), None) => {
                self.error = Some(Arc::new(summary(&failure)));
                self.finish(TaskStatus::Failed, Outcome::Failed(failure), at);
            }
            (ending, stop) => {
                // A handler is dropped only if the task has to stop, so there is a reason.
                let stop = stop.map_or(Stop::Cancel(CancelReason::User), |stop| *stop);
                self.finish_stopped(stop, at);
                return ending.into_failure();
            }
        }
        None
    }

    fn finish_stopped(&mut self, why: Stop, at: u64) {
        self.stop = Some(Box::new(why.clone()));
        self.error = None;
        self.finish(why.status(), why.outcome(), at);
    }

    fn finish(&mut self, status: TaskStatus, outcome: Outcome, at: u64) {
        self.outcome = Some(Box::new(outcome));
        self.ended_at = Some(at);
        self.due = None;
        self.overdue = false;
        self.become_(status, at);
    }

    fn become_(&mut self, status: TaskStatus, at: u64) {
        debug_assert!(self.status.may_become(status), "{:?} to {status:?}", self.status);
        self.status = status;
        self.record(at);
    }

    fn record(&mut self, at: u64) {
        self.sequence += 1;
        if self.log.len() == LOG_LENGTH {
            self.log.pop_front();
        }
        self.log.push_back(Logged {
            status: self.status,
            overdue: self.overdue,
            attempt: self.attempt,
            cancel_reason: self.cancel_reason(),
            time_limit: self.time_limit(),
            at,
            due: self.due,
            error: self.error.clone(),
        });
    }

    /// Returns the number and the status of the oldest change after number `sequence` that is still in the log.
    pub(crate) fn status_after(&self, sequence: u64) -> Option<(u64, TaskStatus)> {
        self.logged_after(sequence).map(|(number, logged)| (number, logged.status))
    }

    /// Returns the number of the oldest change after number `sequence` that is still in the log, and the change. `shows`
    /// says which time of day it is when something is due.
    pub(crate) fn change_after(&self, sequence: u64, shows: impl Fn(Duration) -> u64) -> Option<(u64, StatusChange)> {
        self.logged_after(sequence).map(|(number, logged)| (number, self.change(logged, shows)))
    }

    fn logged_after(&self, sequence: u64) -> Option<(u64, &Logged)> {
        let oldest = self.sequence + 1 - self.log.len() as u64;
        let wanted = (sequence + 1).max(oldest);
        let index = usize::try_from(wanted - oldest).ok()?;
        self.log.get(index).map(|logged| (wanted, logged))
    }

    fn change(&self, logged: &Logged, shows: impl Fn(Duration) -> u64) -> StatusChange {
        let Logged { status, overdue, attempt, ref cancel_reason, time_limit, at, due, ref error } = *logged;
        let outcome = || self.outcome().filter(|outcome| outcome.size() <= INLINE_OUTCOME_LIMIT).cloned();
        StatusChange {
            status,
            at,
            attempt,
            cancel_reason: cancel_reason.clone(),
            time_limit,
            overdue,
            next_attempt_at: due.map(shows),
            ended_at: status.is_final().then_some(at),
            outcome: status.is_final().then(outcome).flatten(),
            error: error.as_deref().cloned(),
        }
    }
}

impl Ending {
    fn into_failure(self) -> Option<TaskFailure> {
        match self {
            Self::Failure(failure) => Some(failure),
            Self::Output(_) | Self::Dropped => None,
        }
    }
}

fn summary(failure: &TaskFailure) -> ErrorSummary {
    ErrorSummary { kind: failure.kind, message: failure.message.clone() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{FailureKind, clock::wall_clock::millis};

    const DUE: Duration = Duration::from_millis(50);

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Begin,
        Cancel,
        TimeOut,
        Outstay,
        Retry,
        Requeue,
        End(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => Just(Step::Begin),
            1 => Just(Step::Cancel),
            1 => Just(Step::TimeOut),
            1 => Just(Step::Outstay),
            1 => Just(Step::Retry),
            2 => Just(Step::Requeue),
            1 => (0_u8..3).prop_map(Step::End),
        ];
        prop::collection::vec(step, 0..16)
    }

    fn failure() -> TaskFailure {
        TaskFailure { kind: FailureKind::Error, message: "no".into(), error: None }
    }

    fn ending(which: u8) -> Ending {
        match which {
            0 => Ending::Output(Json::new(&7).unwrap()),
            1 => Ending::Failure(failure()),
            _ => Ending::Dropped,
        }
    }

    fn timed_out() -> Stop {
        Stop::TimeLimit(TimeLimit::Stalled, "stalled".into())
    }

    proptest! {
        #[test]
        fn a_life_follows_the_table_of_statuses_and_ends_once(steps in steps()) {
            let mut life = Life::new(0, None);
            let mut seen = vec![(TaskStatus::Queued, false)];
            for (at, step) in (1..).zip(steps) {
                let before = life.status();
                match step {
                    Step::Begin => { life.begin(at); }
                    Step::Cancel => { let _ = life.stop(Stop::Cancel(CancelReason::User), at); }
                    Step::TimeOut => { let _ = life.stop(timed_out(), at); }
                    Step::Outstay => { life.outstay(at); }
                    Step::Retry => { life.retry(Some(&failure()), Duration::from_millis(at + 10), at); }
                    Step::Requeue => { life.requeue(at); }
                    // The supervisor ends only what it began, and drops only what has to stop.
                    Step::End(which) => {
                        let runs = matches!(before, TaskStatus::Running | TaskStatus::Cancelling);
                        if runs && (which != 2 || before == TaskStatus::Cancelling) {
                            life.end(ending(which), at);
                        }
                    }
                }
                let now = (life.status(), life.overdue());
                if *seen.last().unwrap() != now {
                    prop_assert!(!before.is_final(), "changed after the end");
                    prop_assert!(now.0 == before || before.may_become(now.0), "{before:?} to {now:?}");
                    seen.push(now);
                }
                prop_assert_eq!(life.status().is_final(), life.outcome().is_some());
                prop_assert_eq!(life.status() == TaskStatus::Retrying, life.due().is_some());
            }
            // A watcher from the start is told each change once, in order.
            let mut told = vec![];
            let mut cursor = 0;
            while let Some((number, change)) = life.change_after(cursor, millis) {
                prop_assert_eq!(number, cursor + 1);
                cursor = number;
                told.push((change.status, change.overdue));
            }
            prop_assert_eq!(cursor, life.sequence());
            prop_assert_eq!(told, seen);
        }
    }

    #[test]
    fn a_late_watcher_learns_how_many_changes_it_missed() {
        let mut life = Life::new(0, None);
        for at in 0..100 {
            life.record(at);
        }
        let (number, _) = life.change_after(1, millis).unwrap();
        assert_eq!(number, 101 - LOG_LENGTH as u64 + 1);
        assert!(life.change_after(life.sequence(), millis).is_none());
    }

    fn running() -> Life {
        let mut life = Life::new(0, None);
        life.begin(1);
        life
    }

    #[test]
    fn output_after_a_cancel_completes_the_task() {
        let mut life = running();
        life.stop(Stop::Cancel(CancelReason::User), 2).unwrap();
        life.end(ending(0), 3);
        assert_eq!(life.status(), TaskStatus::Completed);
    }

    #[test]
    fn output_after_a_time_limit_does_not_complete_the_task() {
        let mut life = running();
        life.stop(timed_out(), 2).unwrap();
        life.stop(Stop::Cancel(CancelReason::User), 3).unwrap();
        life.end(ending(0), 4);
        assert_eq!(life.status(), TaskStatus::TimedOut);
        assert_eq!((life.time_limit(), life.cancel_reason()), (Some(TimeLimit::Stalled), None), "the first counts");
    }

    #[test]
    fn an_error_after_a_cancel_leaves_the_task_cancelled() {
        let mut life = running();
        life.stop(Stop::Cancel(CancelReason::Signal), 2).unwrap();
        assert!(life.end(ending(1), 3).is_some(), "the failure is returned, to be logged");
        assert_eq!(life.outcome(), Some(&Outcome::Cancelled { reason: CancelReason::Signal }));
        assert_eq!(life.stop(Stop::Cancel(CancelReason::User), 4).unwrap_err(), TaskStatus::Cancelled);
    }

    #[test]
    fn a_failed_attempt_shows_its_error_until_the_next_begins() {
        let mut life = running();
        assert!(life.retry(Some(&failure()), DUE, 2));
        assert_eq!((life.due(), life.error().unwrap().message), (Some(DUE), "no".into()));
        assert!(life.requeue(50) && life.begin(51));
        assert_eq!((life.attempt(), life.error(), life.due()), (2, None, None));
        let (_, change) = life.change_after(2, millis).unwrap();
        assert_eq!((change.status, change.error.unwrap().message), (TaskStatus::Retrying, "no".into()));
    }
}
