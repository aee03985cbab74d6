//! The steps of a task's life. Each one changes the state under its lock, counts the change, and leaves everything else
//! to [`effects`](super::effects).

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::task::{AbortOnDropHandle, task_tracker::TaskTrackerToken};

use super::{
    Live, Membership, Record, RecordState, Work,
    effects::{Effects, LogLine},
    lenders::Lenders,
};
use crate::{
    items::patience,
    task::{
        attempt::Attempt,
        id::TaskId,
        life::{Ending, Problem, Stop},
        outcome::{FailureKind, Outcome, TaskFailure},
        status::TaskStatus,
    },
};

/// The result of telling a task to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// Nothing: it was told before, or the attempt that had to stop is over.
    Already,
    /// It runs, and was told to stop.
    Told,
    /// It did not run, and has ended.
    Ended,
}

/// What follows an attempt.
pub(crate) enum Next {
    Over,
    /// The clean-up has to run before the attempt ends with this result.
    CleanUp(Result<Ending, Problem>),
    RetryAfter(Duration),
}

impl Record {
    /// Sets what its first attempt runs.
    pub(crate) fn set_work(&self, work: Work) {
        self.state.lock().live.work = Some(work);
    }

    /// Keeps `clock` running until the task ends.
    pub(crate) fn keep_clock(&self, clock: AbortOnDropHandle<()>) {
        let mut state = self.state.lock();
        let unused = if state.life.status().is_final() {
            Some(clock)
        } else {
            state.live.clocks.push(clock);
            None
        };
        drop(state);
        drop(unused);
    }

    /// Keeps `grace`, which watches its grace period until it is dropped, until the task ends.
    pub(crate) fn keep_grace(&self, grace: Box<dyn Send + Sync>) {
        let mut state = self.state.lock();
        let unused = if state.life.status().is_final() { Some(grace) } else { state.live.grace.replace(grace) };
        drop(state);
        drop(unused);
    }

    /// Keeps its batch from ending until [`leave_batch`](Self::leave_batch).
    pub(crate) fn keep_batch(&self, batch: &Self, token: TaskTrackerToken) {
        let lenders = Arc::clone(batch.lenders());
        lenders.add_member();
        self.state.lock().batch = Some(Membership { _token: token, lenders });
    }

    /// Returns the tasks whose handlers wait for it.
    pub(super) fn lenders(&self) -> &Arc<Lenders> {
        self.lenders.get_or_init(Arc::default)
    }

    /// Lets its batch end. Call it once the task has ended and given up its slot.
    pub(crate) fn leave_batch(&self) {
        // Dropped after the lock is released: the token of the last member wakes the batch.
        let batch = self.state.lock().batch.take();
        drop(batch);
    }

    /// Counts the task and tells its watchers: others can find it from now on.
    pub(crate) fn announce(self: &Arc<Self>) {
        self.kind.counters.note(None, TaskStatus::Queued);
        self.notify();
    }

    /// Begins an attempt. Returns it with the work that it runs, if that need not be made from the input. Returns
    /// `None` if the task was stopped before.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<(Arc<Attempt>, Option<Work>)> {
        let begun = self.begin_unseen()?;
        self.notify();
        Some(begun)
    }

    /// Like [`begin`](Self::begin), for a task that nobody can find yet.
    pub(crate) fn begin_unseen(self: &Arc<Self>) -> Option<(Arc<Attempt>, Option<Work>)> {
        let waits_until = self.kind.needs_readers().then(|| self.common.patience.count_for(patience::LENGTH));
        let begun = self.step(|state, effects| {
            let before = state.life.status();
            let is_first = state.life.started_at().is_none();
            if !state.life.begin(self.common.clock.now()) {
                return None;
            }
            // That nothing is reported yet is a new revision.
            let revision = state.last_progress.take().map_or(0, |last| last.revision + 1);
            let attempt =
                Attempt::new(state.life.attempt(), is_first, &self.common.timers, &self.kind.policy, revision);
            let attempt = Arc::new(attempt);
            if attempt.is_first {
                state.waits_for_readers_until = waits_until;
            }
            state.live.attempt = Some(Arc::clone(&attempt));
            self.kind.counters.note(Some(before), TaskStatus::Running);
            effects.show(state);
            Some((attempt, state.live.work.take()))
        })?;
        if begun.0.is_first
            && let Some((items, until)) = self.items.get().zip(waits_until)
        {
            items.begin(until);
        }
        Some(begun)
    }

    /// Tells the task to stop. If `attempt` is given, only while that attempt runs. Returns its final status as an
    /// error if it has ended.
    pub(crate) fn stop(self: &Arc<Self>, why: Stop, attempt: Option<u32>) -> Result<Stopped, TaskStatus> {
        self.step(|state, effects| {
            let is_at = |attempt| state.life.status() == TaskStatus::Running && state.life.attempt() == attempt;
            if attempt.is_some_and(|attempt| !is_at(attempt)) {
                return Ok(Stopped::Already);
            }
            self.stop_in(state, effects, why)
        })
    }

    /// Tells the task to stop, as a part of a step.
    pub(super) fn stop_in(
        self: &Arc<Self>,
        state: &mut RecordState,
        effects: &mut Effects,
        why: Stop,
    ) -> Result<Stopped, TaskStatus> {
        let before = state.life.status();
        state.life.stop(why, self.common.clock.now())?;
        if before == TaskStatus::Cancelling {
            return Ok(Stopped::Already);
        }
        let now = state.life.status();
        self.kind.counters.note(Some(before), now);
        effects.stop(state.live.attempt.clone());
        if now.is_final() {
            self.close(state, effects);
            return Ok(Stopped::Ended);
        }
        effects.show(state);
        self.mark(state, effects);
        Ok(Stopped::Told)
    }

    /// If the task was told to stop, ends its handler's grace period. What is left of it is for the clean-up.
    pub(crate) fn hurry(self: &Arc<Self>) {
        self.step(|state, effects| {
            if state.life.status() == TaskStatus::Cancelling {
                effects.hurry(state.live.attempt.clone());
            }
        });
    }

    /// Marks the task as overdue: its grace period is over. Returns whether that is a change.
    pub(crate) fn outstay(self: &Arc<Self>) -> bool {
        self.step(|state, effects| {
            let is_overdue = state.life.outstay(self.common.clock.now());
            if is_overdue {
                self.mark(state, effects);
            }
            is_overdue
        })
    }

    /// Notes that the delay that it was started with is over.
    pub(crate) fn is_due(self: &Arc<Self>) {
        self.step(|state, effects| {
            state.life.is_due();
            self.mark(state, effects);
        });
    }

    /// Ends an attempt of which nothing still runs, and returns what comes next. For a task that was told to stop and
    /// does not complete, the clean-up comes next, unless `is_clean` says that it has run. Another attempt follows only
    /// if `may_go_on`.
    pub(crate) fn end_attempt(
        self: &Arc<Self>,
        ended: Result<Ending, Problem>,
        is_clean: bool,
        may_go_on: impl Fn() -> bool,
    ) -> Next {
        self.step(|state, effects| {
            let before = state.life.status();
            let completes = matches!(ended, Ok(Ending::Output(_))) && state.life.time_limit().is_none();
            if before == TaskStatus::Cancelling && !completes && !is_clean {
                return Next::CleanUp(ended);
            }
            if may_go_on()
                && let Some(delay) = self.delay_after(state, &ended)
            {
                let failure = ended.as_ref().err().map(|problem| &problem.failure);
                let due = self.common.timers.elapsed().saturating_add(delay);
                if state.life.retry(failure, due, self.common.clock.now()) {
                    state.end_progress();
                    state.live.attempt = None;
                    state.set_waits_for(Vec::new());
                    self.kind.counters.note(Some(before), TaskStatus::Retrying);
                    self.mark(state, effects);
                    self.common.admission.lock().step_back(self.id);
                    effects.show(state);
                    effects
                        .log(Some(LogLine::Again { delay, failure: failure.map(|failure| failure.message.clone()) }));
                    return Next::RetryAfter(delay);
                }
            }
            let ending = ended.unwrap_or_else(|problem| Ending::Failure(problem.failure));
            let untold = state.life.end(ending, self.common.clock.now());
            self.kind.counters.note(Some(before), state.life.status());
            if let Some(TaskFailure { kind: FailureKind::Panic, message, .. }) = untold {
                effects.log(Some(LogLine::AfterStop(message)));
            }
            effects.log(state.take_unwatched_failure());
            self.close(state, effects);
            Next::Over
        })
    }

    /// Returns how long to wait for the next attempt; `None` if there is none. Counts short attempts.
    fn delay_after(&self, state: &mut RecordState, ended: &Result<Ending, Problem>) -> Option<Duration> {
        let policy = &self.kind.policy;
        if let Some(restart) = &policy.restart {
            let lasted = state.live.attempt.as_ref().map_or(Duration::ZERO, |attempt| attempt.lasted(Instant::now()));
            state.short_runs = restart.count(state.short_runs, lasted);
            return restart.delay(state.short_runs, ended.is_err());
        }
        let may_retry = ended.as_ref().is_err_and(|problem| problem.may_retry);
        let retry = policy.retry.as_ref().filter(|_| may_retry)?;
        retry.delay_after(state.life.attempt())
    }

    /// Queues the task again: the time of its next attempt has come. Returns `false` if it was stopped before.
    pub(crate) fn requeue(self: &Arc<Self>) -> bool {
        self.step(|state, effects| {
            if !state.life.requeue(self.common.clock.now()) {
                return false;
            }
            self.kind.counters.note(Some(TaskStatus::Retrying), TaskStatus::Queued);
            effects.show(state);
            self.mark(state, effects);
            true
        })
    }

    /// Takes the task out of its slots, while the handler of this attempt waits for these tasks.
    pub(crate) fn lend_slots(self: &Arc<Self>, attempt: u32, waits_for: Vec<TaskId>) {
        self.step(|state, effects| {
            state.set_waits_for(waits_for);
            self.mark(state, effects);
            self.common.admission.lock().yield_slot(self.id, attempt);
        });
    }

    /// Sets which tasks its handler waits for, while it has lent its slots.
    pub(crate) fn awaits(self: &Arc<Self>, waits_for: Vec<TaskId>) {
        self.step(|state, effects| {
            if state.set_waits_for(waits_for) {
                self.mark(state, effects);
            }
        });
    }

    /// Whether it has lent its slots.
    pub(crate) fn has_lent_slots(&self) -> bool {
        self.state.lock().lent.as_ref().is_some_and(|lent| !lent.waits_for.is_empty())
    }

    /// Lets the handler of this attempt go on with the slots that it had lent. The attempt may have ended meanwhile, and
    /// the next one may have lent the slots again.
    pub(crate) fn go_on(self: &Arc<Self>, attempt: u32) {
        let attempt = self.step(|state, effects| {
            let attempt = state.live.attempt.clone().filter(|current| current.number == attempt)?;
            if state.set_waits_for(Vec::new()) {
                self.mark(state, effects);
            }
            Some(attempt)
        });
        if let Some(attempt) = attempt {
            attempt.slots_are_back();
        }
    }

    pub(crate) fn mark_removed(self: &Arc<Self>) {
        self.step(|state, effects| {
            state.removed = true;
            self.mark(state, effects);
        });
    }

    /// Closes a task that has ended: later reports don't count, and what it held is dropped. It leaves its slot here,
    /// under the lock, so everyone who learns of the end finds the slot free.
    fn close(self: &Arc<Self>, state: &mut RecordState, effects: &mut Effects) {
        effects.show(state);
        state.end_progress();
        state.set_waits_for(Vec::new());
        if let Some(items) = self.items.get() {
            items.end();
        }
        if let Some(charge) = self.charge.get() {
            charge.end(state.life.outcome().map_or(0, Outcome::size));
        }
        self.mark(state, effects);
        // Before others can get the slot: those that wait for this end come first, in their old places.
        let mut lenders = self.lenders.get().map(|lenders| lenders.all()).unwrap_or_default();
        lenders.extend(state.batch.iter().flat_map(|batch| batch.lenders.member_closes()));
        let mut admission = self.common.admission.lock();
        admission.leave(self.id);
        for lender in lenders {
            admission.reclaim_slot(lender);
        }
        drop(admission);
        effects.end(std::mem::replace(&mut state.live, Live::none()));
    }
}

impl RecordState {
    /// Keeps the progress of the attempt, which is over. What is left of it can report no more.
    fn end_progress(&mut self) {
        if let Some(attempt) = &self.live.attempt {
            self.last_progress = Some(Box::new(attempt.progress.end(Instant::now())));
        }
    }

    /// Sets which tasks the handler waits for. Returns whether that is a change.
    fn set_waits_for(&mut self, waits_for: Vec<TaskId>) -> bool {
        if self.lent.as_ref().map_or(&[][..], |lent| &lent.waits_for) == waits_for {
            return false;
        }
        let lent = self.lent.get_or_insert_default();
        lent.waits_for = waits_for;
        lent.revision = lent.revision.wrapping_add(1);
        true
    }

    /// Changes whenever the tasks change that the handler waits for.
    pub(super) fn waits_revision(&self) -> u32 {
        self.lent.as_ref().map_or(0, |lent| lent.revision)
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use std::{
        cell::Cell,
        future::pending,
        panic::{AssertUnwindSafe, catch_unwind},
    };

    use super::*;
    use crate::{
        Failure, Json, TaskContext,
        delivery::{Settings, engine},
        test::manager,
    };

    #[tokio::test]
    async fn a_step_asks_under_the_lock_whether_another_attempt_may_follow() {
        let tasks = manager([], Settings::default());
        let task = tasks.spawn("hangs", |_: TaskContext| pending::<Result<(), Failure>>());
        let record = engine(&tasks).find(task.id()).unwrap();
        while record.status() != TaskStatus::Running {
            tokio::task::yield_now().await;
        }
        let is_locked = Cell::new(false);
        // The lock can't be taken twice: a debug build panics.
        let may_go_on = || {
            is_locked.set(catch_unwind(AssertUnwindSafe(|| record.status())).is_err());
            false
        };
        record.end_attempt(Ok(Ending::Output(Json::null())), false, may_go_on);
        assert!(is_locked.get(), "a shut-down could begin between the question and the step");
    }
}
