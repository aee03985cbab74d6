//! The steps of a task's life. Each changes the state under its lock, counts the change, and leaves the rest to
//! [`effects`](super::effects).

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::task::{AbortOnDropHandle, task_tracker::TaskTrackerToken};

use super::{
    Live, Record, State, Work,
    effects::{Effects, Log},
    millis,
};
use crate::task::{
    attempt::Attempt,
    life::{Ending, Problem, Stop},
    outcome::{FailureKind, TaskFailure},
    owner::Owner,
    status::TaskStatus,
};

/// What became of a task that has to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// There is nothing to tell: it was told before, or is past the attempt that had to stop.
    Already,
    /// It runs and was told.
    Told,
    /// It did not run, and is over.
    Ended,
}

/// What follows an attempt.
pub(crate) enum Next {
    Over,
    /// What was registered with `on_cancel` has to run first.
    CleanUp(Result<Ending, Problem>),
    RetryAfter(Duration),
}

impl Record {
    /// Gives it what its first attempt runs.
    pub(crate) fn set_work(&self, work: Work) {
        self.state.lock().live.work = Some(work);
    }

    /// Has `clock` stopped when the task ends.
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

    /// Its batch does not end before it has ended and given up its slot.
    pub(crate) fn keep_batch(&self, batch: TaskTrackerToken) {
        self.state.lock().batch = Some(batch);
    }

    pub(crate) fn leave_batch(&self) {
        // The last member's token wakes the batch, and that not under the lock.
        let batch = self.state.lock().batch.take();
        drop(batch);
    }

    /// It is known now, and counts.
    pub(crate) fn announce(self: &Arc<Self>) {
        self.kind.counters.note(None, TaskStatus::Queued);
        self.notify();
    }

    /// An attempt is about to run: with what, if that is known already. `None` if the task was stopped before.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<(Arc<Attempt>, Option<Work>)> {
        let begun = self.begin_unseen()?;
        self.notify();
        Some(begun)
    }

    /// The same for a task that nobody knows of yet.
    pub(crate) fn begin_unseen(self: &Arc<Self>) -> Option<(Arc<Attempt>, Option<Work>)> {
        let begun = self.step(|state, effects| {
            let before = state.life.status();
            if !state.life.begin(self.common.clock.now()) {
                return None;
            }
            let attempt = Arc::new(Attempt::new(state.life.attempt()));
            state.runs_since = Instant::now();
            state.live.attempt = Some(Arc::clone(&attempt));
            self.kind.counters.note(Some(before), TaskStatus::Running);
            effects.show(state);
            Some((attempt, state.live.work.take()))
        })?;
        if begun.0.number == 1 {
            self.progress.begin(Instant::now());
        } else {
            // They are told anyway.
            let _ = self.progress.restart(Instant::now());
        }
        Some(begun)
    }

    /// Tells the task to stop: at this attempt only, or whatever it is at. `Err` with its final status if it has ended.
    pub(crate) fn stop(self: &Arc<Self>, why: Stop, attempt: Option<u32>) -> Result<Stopped, TaskStatus> {
        self.step(|state, effects| {
            let before = state.life.status();
            let is_at = |attempt| before == TaskStatus::Running && state.life.attempt() == attempt;
            if attempt.is_some_and(|attempt| !is_at(attempt)) {
                return Ok(Stopped::Already);
            }
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
        })
    }

    /// If it was told to stop, its handler has no more time, and its clean-up has.
    pub(crate) fn hurry(self: &Arc<Self>) {
        self.step(|state, effects| {
            if state.life.status() == TaskStatus::Cancelling {
                effects.hurry(state.live.attempt.clone());
            }
        });
    }

    /// Its grace period is over.
    pub(crate) fn outstay(self: &Arc<Self>) {
        self.step(|state, effects| {
            if state.life.outstay(self.common.clock.now()) {
                self.mark(state, effects);
            }
        });
    }

    /// The delay that it was started with is over.
    pub(crate) fn is_due(self: &Arc<Self>) {
        self.step(|state, effects| {
            state.life.is_due();
            self.mark(state, effects);
        });
    }

    /// An attempt is over, and nothing of it runs any more. If the task had to stop, its clean-up comes before its end.
    /// `may_go_on`: another attempt may follow.
    pub(crate) fn end_attempt(
        self: &Arc<Self>,
        ended: Result<Ending, Problem>,
        is_clean: bool,
        may_go_on: bool,
    ) -> Next {
        self.step(|state, effects| {
            let before = state.life.status();
            let completes = matches!(ended, Ok(Ending::Output(_))) && state.life.time_limit().is_none();
            if before == TaskStatus::Cancelling && !completes && !is_clean {
                return Next::CleanUp(ended);
            }
            if may_go_on && let Some(delay) = self.delay_after(state, &ended) {
                let failure = ended.as_ref().err().map(|problem| &problem.failure);
                let now = self.common.clock.now();
                if state.life.retry(failure, now.saturating_add(millis(delay)), now) {
                    state.live.attempt = None;
                    self.kind.counters.note(Some(before), TaskStatus::Retrying);
                    self.mark(state, effects);
                    self.common.admission.lock().step_back(self.id);
                    effects.show(state);
                    effects.log(Some(Log::Again { delay, failure: failure.map(|failure| failure.message.clone()) }));
                    return Next::RetryAfter(delay);
                }
            }
            let ending = ended.unwrap_or_else(|problem| Ending::Failure(problem.failure));
            let untold = state.life.end(ending, self.common.clock.now());
            self.kind.counters.note(Some(before), state.life.status());
            if let Some(TaskFailure { kind: FailureKind::Panic, message, .. }) = untold {
                effects.log(Some(Log::AfterStop(message)));
            }
            effects.log(state.take_unwatched_failure());
            self.close(state, effects);
            Next::Over
        })
    }

    /// How long to wait for the attempt after this one, if there is one.
    fn delay_after(&self, state: &mut State, ended: &Result<Ending, Problem>) -> Option<Duration> {
        let policy = &self.kind.policy;
        if let Some(restart) = &policy.restart {
            state.short_runs = restart.count(state.short_runs, state.runs_since.elapsed());
            return restart.delay(state.short_runs, ended.is_err());
        }
        let may_retry = ended.as_ref().is_err_and(|problem| problem.may_retry);
        let retry = policy.retry.as_ref().filter(|_| may_retry)?;
        retry.delay_after(state.life.attempt())
    }

    /// The time of the next attempt has come. `false` if the task was stopped before.
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

    /// If its owner has gone, it is the app's from now on. Returns whether that is so.
    pub(crate) fn disown(self: &Arc<Self>, is_gone: impl Fn(&Owner) -> bool) -> bool {
        self.step(|state, effects| {
            let theirs = state.owner != Owner::App && is_gone(&state.owner);
            if theirs {
                state.owner = Owner::App;
                self.mark(state, effects);
            }
            theirs
        })
    }

    pub(crate) fn mark_removed(self: &Arc<Self>) {
        self.step(|state, effects| {
            state.removed = true;
            self.mark(state, effects);
        });
    }

    /// It has ended: nothing that it reports counts any more, and what it held goes. Its slot goes with its status: who learns
    /// of the end finds the room that it leaves.
    fn close(self: &Arc<Self>, state: &mut State, effects: &mut Effects) {
        effects.show(state);
        state.last_progress = Some(Box::new(self.progress.last(Instant::now())));
        if let Some(items) = self.items.get() {
            items.end();
        }
        self.mark(state, effects);
        self.common.admission.lock().leave(self.id);
        effects.end(std::mem::replace(&mut state.live, Live::none()));
    }
}
