//! What a step of a task's life leads to: collected while the task is locked, done when it no longer is.
//!
//! Whoever listens to spans or to the log, whatever a handler held and whoever is woken may ask for tasks. So nothing of that
//! happens under a lock. What watchers look at is marked under it, since whoever watches several tasks has to see the one that
//! leaves a slot before the one that takes it.

use std::{sync::Arc, time::Duration};

use tracing::Span;

use super::{Live, Record, State};
use crate::{
    task::{attempt::Attempt, outcome::Outcome, quiet::drop_quietly, status::TaskStatus},
    watch::feed::Wakes,
};

/// What is to be told, stopped, logged and dropped.
#[derive(Default)]
pub(super) struct Effects {
    /// The task's span shows this status from now on.
    shown: Option<(Arc<Span>, TaskStatus)>,
    /// This attempt is told to stop.
    stop: Option<Arc<Attempt>>,
    /// The clean-up of this attempt gets what is left of the time.
    hurry: Option<Arc<Attempt>>,
    /// These watchers are woken.
    notify: Wakes<Record>,
    log: Vec<Log>,
    /// Who waits for the end is woken.
    ended: bool,
    dropped: Option<Live>,
}

/// A line of the log.
pub(super) enum Log {
    /// The task failed with this message, and nobody will tell it.
    Unwatched(String),
    /// A panic that the end doesn't tell, since the task had been told to stop.
    AfterStop(String),
    /// Another attempt follows, after a failure with this message or none.
    Again { delay: Duration, failure: Option<String> },
}

impl Effects {
    pub(super) fn show(&mut self, state: &State) {
        self.shown = state.live.span.clone().map(|span| (span, state.life.status()));
    }

    pub(super) fn stop(&mut self, attempt: Option<Arc<Attempt>>) {
        self.stop = attempt;
    }

    pub(super) fn hurry(&mut self, attempt: Option<Arc<Attempt>>) {
        self.hurry = attempt;
    }

    pub(super) fn log(&mut self, log: Option<Log>) {
        self.log.extend(log);
    }

    /// The task has ended, and this goes with it.
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
        drop_quietly(self.dropped, record.name());
    }
}

impl Record {
    /// Takes a step under the lock, and does what follows from it when the lock is free.
    pub(super) fn step<T>(self: &Arc<Self>, step: impl FnOnce(&mut State, &mut Effects) -> T) -> T {
        let mut effects = Effects::default();
        let result = step(&mut self.state.lock(), &mut effects);
        effects.carry_out(self);
        result
    }

    /// Marks the task for all who watch.
    pub(super) fn mark(self: &Arc<Self>, state: &mut State, effects: &mut Effects) {
        state.feed.mark(self.id, self, &mut effects.notify);
        self.common.feed.lock().mark(self.id, self, &mut effects.notify);
    }

    /// Tells whoever watches that there is something new.
    pub(crate) fn notify(self: &Arc<Self>) {
        self.step(|state, effects| self.mark(state, effects));
    }
}

impl State {
    /// The log of a failure that nobody else will tell; once.
    pub(super) fn take_unwatched_failure(&mut self) -> Option<Log> {
        if self.followers > 0 || self.failure_told {
            return None;
        }
        let Some(Outcome::Failed(failure)) = self.life.outcome() else { return None };
        self.failure_told = true;
        Some(Log::Unwatched(failure.message.clone()))
    }
}

impl Log {
    fn write(self, record: &Record) {
        let (task, id) = (record.name(), record.id);
        match self {
            Self::Unwatched(message) => {
                tracing::error!(task, %id, "a task failed and nobody was watching: {message}");
            }
            Self::AfterStop(message) => tracing::error!(task, %id, "{message} (after it was told to stop)"),
            // Nobody hears of a service's failures by its end.
            Self::Again { delay, failure: Some(message) } if record.kind.policy.restart.is_some() => {
                tracing::warn!(task, %id, "run again in {delay:?}: {message}");
            }
            Self::Again { delay, failure: Some(message) } => {
                tracing::debug!(task, %id, "tried again in {delay:?}: {message}");
            }
            Self::Again { delay, failure: None } => tracing::debug!(task, %id, "run again in {delay:?}"),
        }
    }
}
