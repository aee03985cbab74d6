//! The effects of a step of a task's life. They are collected under the task's lock and carried out after it is
//! released.
//!
//! Tracing subscribers, destructors of values that a handler held, and woken watchers may all ask for tasks, so none of
//! them runs under a lock. But changes are marked under the lock, because a watcher of several tasks has to see the
//! task that leaves a slot before the one that takes it.

use std::{sync::Arc, time::Duration};

use tracing::Span;

use super::{Live, Record, RecordState};
use crate::{
    changes::feed::Wakes,
    logged::logged,
    task::{attempt::Attempt, outcome::Outcome, quiet::drop_quietly, status::TaskStatus},
};

/// What to tell, stop, log and drop after a step.
#[derive(Default)]
pub(super) struct Effects {
    /// The task's span and the status to record in it.
    shown: Option<(Arc<Span>, TaskStatus)>,
    /// The attempt to stop.
    stop: Option<Arc<Attempt>>,
    /// The attempt whose handler's grace period ends early, to leave time for its clean-up.
    hurry: Option<Arc<Attempt>>,
    /// The watchers to wake.
    notify: Wakes<Record>,
    log: Vec<LogLine>,
    /// Whether the task has ended, so that those who wait for the end are woken.
    ended: bool,
    dropped: Option<Live>,
}

/// A line of the log.
pub(super) enum LogLine {
    /// The task failed with this message, and nobody else will report it.
    Unwatched(String),
    /// A panic that the outcome doesn't show, because the task had been told to stop.
    AfterStop(String),
    /// Another attempt follows. `failure` is the message of the last one, if it failed.
    Again { delay: Duration, failure: Option<String> },
}

impl Effects {
    pub(super) fn show(&mut self, state: &RecordState) {
        self.shown = state.live.span.clone().map(|span| (span, state.life.status()));
    }

    pub(super) fn stop(&mut self, attempt: Option<Arc<Attempt>>) {
        self.stop = attempt;
    }

    pub(super) fn hurry(&mut self, attempt: Option<Arc<Attempt>>) {
        self.hurry = attempt;
    }

    pub(super) fn log(&mut self, log: Option<LogLine>) {
        self.log.extend(log);
    }

    /// Notes that the task has ended, and what to drop with it.
    pub(super) fn end(&mut self, dropped: Live) {
        self.ended = true;
        self.dropped = Some(dropped);
    }

    fn carry_out(self, record: &Record) {
        if let Some((span, status)) = self.shown {
            span.record("status", status.name());
        }
        if let Some(attempt) = self.stop {
            attempt.stop();
        }
        if let Some(attempt) = self.hurry {
            attempt.hurry();
        }
        self.notify.wake();
        self.log.into_iter().for_each(|log| log.write(record));
        if self.ended {
            if let Some(items) = record.items.get() {
                items.wake();
            }
            record.ended.notify_waiters();
        }
        if let Some(mut live) = self.dropped {
            if let Some(work) = live.work.take() {
                work.drop_quietly(record.id);
            }
            drop_quietly(live, record.name(), Some(record.id));
        }
    }
}

impl Record {
    /// Takes a step under the lock, and carries out its effects after the lock is released.
    pub(super) fn step<T>(self: &Arc<Self>, step: impl FnOnce(&mut RecordState, &mut Effects) -> T) -> T {
        let mut effects = Effects::default();
        let result = step(&mut self.state.lock(), &mut effects);
        effects.carry_out(self);
        result
    }

    /// Marks the task as changed for all its watchers.
    pub(super) fn mark(self: &Arc<Self>, state: &mut RecordState, effects: &mut Effects) {
        state.feed.mark(self.id, self, &mut effects.notify);
        self.common.feed.lock().mark(self.id, self, &mut effects.notify);
    }

    /// Tells all watchers that the task has changed.
    pub(crate) fn notify(self: &Arc<Self>) {
        self.step(|state, effects| self.mark(state, effects));
    }

    /// Notes that nobody has to be told if the task has failed or fails.
    pub(crate) fn failure_is_told(&self) {
        self.state.lock().failure_told = true;
    }
}

impl RecordState {
    /// Returns the log line for a failure that nobody else will report, but only once.
    pub(super) fn take_unwatched_failure(&mut self) -> Option<LogLine> {
        if self.followers > 0 || self.failure_told {
            return None;
        }
        let Some(Outcome::Failed(failure)) = self.life.outcome() else { return None };
        self.failure_told = true;
        Some(LogLine::Unwatched(failure.message.clone()))
    }
}

impl LogLine {
    fn write(self, record: &Record) {
        let (task, id) = (logged(record.name()), record.id);
        match self {
            Self::Unwatched(message) => {
                tracing::error!(task, %id, "a task failed and nobody was watching: {}", logged(message));
            }
            Self::AfterStop(message) => tracing::error!(task, %id, "{} (after it was told to stop)", logged(message)),
            // A service goes on after a failure, so no outcome ever shows it.
            Self::Again { delay, failure: Some(message) } if record.kind.policy.restart.is_some() => {
                tracing::warn!(task, %id, "run again in {delay:?}: {}", logged(message));
            }
            Self::Again { delay, failure: Some(message) } => {
                tracing::debug!(task, %id, "tried again in {delay:?}: {}", logged(message));
            }
            Self::Again { delay, failure: None } => tracing::debug!(task, %id, "run again in {delay:?}"),
        }
    }
}
