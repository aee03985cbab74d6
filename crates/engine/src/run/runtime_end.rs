//! Ends the tasks that are left when the work runtime ends: tokio then drops what runs there, and drops at once what is
//! spawned there later.

use std::sync::{Arc, atomic::Ordering::SeqCst};

use super::transitions::Transitions;
use crate::task::{id::TaskId, outcome::TaskFailure};

/// Supervises a task. If this is dropped before [`finish`](Self::finish), the work runtime has ended.
pub(super) struct Supervision {
    pub(super) transitions: Arc<Transitions>,
    pub(super) id: TaskId,
    is_done: bool,
}

impl Supervision {
    pub(super) fn new(transitions: &Arc<Transitions>, id: TaskId) -> Self {
        Self { transitions: Arc::clone(transitions), id, is_done: false }
    }

    /// Notes that there is nothing left to supervise until the task is launched again.
    pub(super) fn finish(mut self) {
        self.is_done = true;
    }
}

impl Drop for Supervision {
    fn drop(&mut self) {
        if !self.is_done {
            // Not here: each end launches the next task, whose supervision is dropped at once, too.
            let control = &self.transitions.runtimes.control;
            control.spawn(end(Arc::clone(&self.transitions), self.id));
        }
    }
}

/// Ends a task that the work runtime doesn't run any more. If it has not begun, it begins here, only to fail.
async fn end(transitions: Arc<Transitions>, id: TaskId) {
    let Some(record) = transitions.find(id) else { return };
    let Some(attempt) = record.attempt().or_else(|| record.begin().map(|(attempt, _)| attempt)) else { return };
    if !transitions.work_has_ended.swap(true, SeqCst) {
        tracing::error!(
            "the runtime that tasks run on has ended before them: those that are left fail, and so does each that is \
             started from now on. Keep that runtime until the app ends"
        );
    }
    let failure = record.handler_is_over(&attempt);
    // Its blocking work has threads of its own, and may go on for a while.
    attempt.over().await;
    let failure = failure.unwrap_or_else(|| TaskFailure::runtime_ended(record.name()));
    record.end_attempt(Err(failure.into()), true, || false);
    attempt.forget_cleanups();
    transitions.over(&record);
}
