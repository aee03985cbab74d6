//! One task's life as plain data: its status, how it got there, and how it ended.
//!
//! Invariants:
//! - the status only changes along [`TaskStatus::may_become`];
//! - each change has the next sequence number and goes into the log, which keeps the newest [`LOG_LENGTH`];
//! - there is an outcome exactly when the status is final, and then nothing changes any more.

use std::collections::VecDeque;

use super::{CancelReason, ErrorSummary, Json, Outcome, StatusChange, TaskFailure, TaskStatus};

/// How many status changes are kept for watchers that come late.
const LOG_LENGTH: usize = 32;
/// The largest outcome that is pushed with the end; a larger one is fetched.
pub(super) const INLINE_OUTCOME_LIMIT: usize = 4 * 1024;

/// How an attempt came to its end.
#[derive(Debug)]
pub(super) enum Ending {
    /// The handler returned its output.
    Output(Json),
    /// The handler failed.
    Failure(TaskFailure),
    /// The handler was dropped after a cancel.
    Dropped,
}

#[derive(Debug)]
pub(super) struct Life {
    status: TaskStatus,
    sequence: u64,
    log: VecDeque<StatusChange>,
    attempt: u32,
    cancel_reason: Option<CancelReason>,
    overdue: bool,
    created_at: u64,
    started_at: Option<u64>,
    ended_at: Option<u64>,
    outcome: Option<Outcome>,
}

impl Life {
    /// A life that begins, queued, at `at` (milliseconds since 1970, as everywhere here).
    pub(super) fn new(at: u64) -> Self {
        let mut life = Self {
            status: TaskStatus::Queued,
            sequence: 0,
            log: VecDeque::new(),
            attempt: 0,
            cancel_reason: None,
            overdue: false,
            created_at: at,
            started_at: None,
            ended_at: None,
            outcome: None,
        };
        life.record(at);
        life
    }

    pub(super) fn status(&self) -> TaskStatus {
        self.status
    }

    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(super) fn attempt(&self) -> u32 {
        self.attempt
    }

    pub(super) fn cancel_reason(&self) -> Option<CancelReason> {
        self.cancel_reason
    }

    pub(super) fn overdue(&self) -> bool {
        self.overdue
    }

    pub(super) fn created_at(&self) -> u64 {
        self.created_at
    }

    pub(super) fn started_at(&self) -> Option<u64> {
        self.started_at
    }

    pub(super) fn ended_at(&self) -> Option<u64> {
        self.ended_at
    }

    pub(super) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// An attempt begins. `false` when there is nothing to begin any more: it was cancelled in the queue.
    pub(super) fn begin(&mut self, at: u64) -> bool {
        if !self.status.may_become(TaskStatus::Running) {
            return false;
        }
        self.attempt += 1;
        self.started_at.get_or_insert(at);
        self.become_(TaskStatus::Running, at);
        true
    }

    /// Somebody wants it to stop. What does not run ends at once; what runs is told once.
    /// `Err` with the final status when it has ended already.
    pub(super) fn cancel(&mut self, reason: CancelReason, at: u64) -> Result<(), TaskStatus> {
        if self.status.is_final() {
            return Err(self.status);
        }
        if self.status == TaskStatus::Cancelling {
            return Ok(());
        }
        self.cancel_reason = Some(reason);
        if self.status.may_become(TaskStatus::Cancelling) {
            self.become_(TaskStatus::Cancelling, at);
        } else {
            self.finish(TaskStatus::Cancelled, Outcome::Cancelled { reason }, at);
        }
        Ok(())
    }

    /// Its grace period is over. `false` when that says nothing new.
    pub(super) fn outstay(&mut self, at: u64) -> bool {
        if self.status != TaskStatus::Cancelling || self.overdue {
            return false;
        }
        self.overdue = true;
        self.record(at);
        true
    }

    /// The last attempt is over, and nothing of it runs any more. Answers the failure that the end does not
    /// tell, because the task had been told to stop.
    pub(super) fn end(&mut self, ending: Ending, at: u64) -> Option<TaskFailure> {
        debug_assert!(matches!(self.status, TaskStatus::Running | TaskStatus::Cancelling), "{:?}", self.status);
        match (ending, self.cancel_reason) {
            (Ending::Output(output), _) => self.finish(TaskStatus::Completed, Outcome::Completed { output }, at),
            (Ending::Failure(failure), None) => self.finish(TaskStatus::Failed, Outcome::Failed(failure), at),
            (Ending::Failure(failure), Some(reason)) => {
                self.finish(TaskStatus::Cancelled, Outcome::Cancelled { reason }, at);
                return Some(failure);
            }
            (Ending::Dropped, reason) => {
                // Only a cancel drops a handler, so there is a reason.
                let reason = reason.unwrap_or(CancelReason::User);
                self.finish(TaskStatus::Cancelled, Outcome::Cancelled { reason }, at);
            }
        }
        None
    }

    fn finish(&mut self, status: TaskStatus, outcome: Outcome, at: u64) {
        self.outcome = Some(outcome);
        self.ended_at = Some(at);
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
        self.log.push_back(StatusChange {
            status: self.status,
            at,
            attempt: self.attempt,
            cancel_reason: self.cancel_reason,
            overdue: self.overdue,
            outcome: self.outcome.clone().filter(|outcome| outcome.size() <= INLINE_OUTCOME_LIMIT),
            error: self.error(),
        });
    }

    /// What went wrong, if it failed.
    pub(super) fn error(&self) -> Option<ErrorSummary> {
        match &self.outcome {
            Some(Outcome::Failed(failure)) => {
                Some(ErrorSummary { kind: failure.kind, message: failure.message.clone() })
            }
            _ => None,
        }
    }

    /// The oldest change after number `sequence` that is still known, with its own number.
    pub(super) fn change_after(&self, sequence: u64) -> Option<(u64, &StatusChange)> {
        let oldest = self.sequence + 1 - self.log.len() as u64;
        let wanted = (sequence + 1).max(oldest);
        let index = usize::try_from(wanted - oldest).ok()?;
        self.log.get(index).map(|change| (wanted, change))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::FailureKind;

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Begin,
        Cancel,
        Outstay,
        End(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step =
            prop_oneof![Just(Step::Begin), Just(Step::Cancel), Just(Step::Outstay), (0_u8..3).prop_map(Step::End),];
        prop::collection::vec(step, 0..12)
    }

    fn ending(which: u8) -> Ending {
        match which {
            0 => Ending::Output(Json::new(&7).unwrap()),
            1 => Ending::Failure(TaskFailure { kind: FailureKind::Error, message: "no".into(), error: None }),
            _ => Ending::Dropped,
        }
    }

    proptest! {
        #[test]
        fn a_life_keeps_to_the_table_and_ends_once(steps in steps()) {
            let mut life = Life::new(0);
            let mut seen = vec![(TaskStatus::Queued, false)];
            for (at, step) in (1..).zip(steps) {
                let before = life.status();
                match step {
                    Step::Begin => { life.begin(at); }
                    Step::Cancel => { let _ = life.cancel(CancelReason::User, at); }
                    Step::Outstay => { life.outstay(at); }
                    // The supervisor only ends what it began, and only drops what was cancelled.
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
            }
            // Who watched from the start was told each change, in order, once.
            let mut told = vec![];
            let mut cursor = 0;
            while let Some((number, change)) = life.change_after(cursor) {
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
        let mut life = Life::new(0);
        for at in 0..100 {
            life.record(at);
        }
        let (number, _) = life.change_after(1).unwrap();
        assert_eq!(number, 101 - LOG_LENGTH as u64 + 1);
        assert!(life.change_after(life.sequence()).is_none());
    }

    #[test]
    fn output_after_a_cancel_still_counts() {
        let mut life = Life::new(0);
        life.begin(1);
        life.cancel(CancelReason::User, 2).unwrap();
        life.end(ending(0), 3);
        assert_eq!(life.status(), TaskStatus::Completed);
    }

    #[test]
    fn an_error_after_a_cancel_is_the_cancel() {
        let mut life = Life::new(0);
        life.begin(1);
        life.cancel(CancelReason::Signal, 2).unwrap();
        life.end(ending(1), 3);
        assert_eq!(life.outcome(), Some(&Outcome::Cancelled { reason: CancelReason::Signal }));
        assert_eq!(life.cancel(CancelReason::User, 4), Err(TaskStatus::Cancelled));
    }
}
