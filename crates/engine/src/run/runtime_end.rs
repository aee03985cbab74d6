//! Ends the tasks that nothing supervises any more. These are the ones left when the work runtime ends: tokio then
//! drops what runs there, and drops at once what is spawned there later.

use std::{
    any::Any,
    sync::{Arc, atomic::Ordering::SeqCst},
};

use super::transitions::Transitions;
use crate::{
    logged::logged,
    record::Record,
    task::{id::TaskId, outcome::TaskFailure},
};

/// Supervises a task. If this is dropped before [`finish`](Self::finish), the work runtime has ended.
pub(super) struct Supervision {
    pub(super) transitions: Arc<Transitions>,
    pub(super) id: TaskId,
    is_done: bool,
}

/// Why nothing supervises a task any more.
enum Why {
    RuntimeEnded,
    /// Something outside the handler has panicked with this payload, such as a waker or a subscriber of the app.
    Panic(Box<dyn Any + Send>),
}

impl Supervision {
    pub(super) fn new(transitions: &Arc<Transitions>, id: TaskId) -> Self {
        Self { transitions: Arc::clone(transitions), id, is_done: false }
    }

    /// Notes that there is nothing left to supervise until the task is launched again, or that the supervision has
    /// panicked.
    pub(super) fn finish(mut self, supervised: Result<(), Box<dyn Any + Send>>) {
        self.is_done = true;
        if let Err(panic) = supervised {
            self.end(Why::Panic(panic));
        }
    }

    /// Ends the task, but not here: each end launches the next task, whose supervision may be dropped at once, too.
    fn end(&self, why: Why) {
        let control = &self.transitions.runtimes.control;
        control.spawn(end(Arc::clone(&self.transitions), self.id, why));
    }
}

impl Drop for Supervision {
    fn drop(&mut self) {
        if !self.is_done {
            self.end(Why::RuntimeEnded);
        }
    }
}

/// Ends a task that nothing supervises. If it has not begun, it begins here, only to fail.
async fn end(transitions: Arc<Transitions>, id: TaskId, why: Why) {
    let Some(record) = transitions.find(id) else { return };
    let Some(attempt) = record.attempt().or_else(|| record.begin().map(|(attempt, _)| attempt)) else { return };
    let why = match why {
        Why::RuntimeEnded => {
            log_end_of_runtime(&transitions, &record);
            TaskFailure::runtime_ended(record.name())
        }
        Why::Panic(panic) => TaskFailure::panic(record.name(), panic),
    };
    let failure = record.handler_is_over(&attempt);
    // Its blocking work has threads of its own, and may go on for a while.
    attempt.over().await;
    record.end_attempt(Err(failure.unwrap_or(why).into()), true, || false);
    attempt.forget_cleanups();
    transitions.over(&record);
}

/// Logs that the work runtime has ended before this task, unless the app exits: it is meant to end then.
fn log_end_of_runtime(transitions: &Transitions, record: &Record) {
    if !transitions.may_go_on() {
        record.failure_is_told();
        tracing::debug!(task = logged(record.name()), id = %record.id, "the app exits, and this task ends with its runtime");
    } else if !transitions.work_has_ended.swap(true, SeqCst) {
        tracing::error!(
            "the runtime that tasks run on has ended before them: those that are left fail, and so does each that is \
             started from now on. Keep that runtime until the app ends"
        );
    }
}
