use std::sync::Arc;

use super::Record;
use crate::task::id::TaskId;

/// What a task has done so far.
#[derive(PartialEq)]
pub(super) struct Activity {
    pub(super) id: TaskId,
    attempt: u32,
    polls: u64,
    completed: u64,
    message: Option<Arc<str>>,
}

impl Record {
    /// Returns `None` if its handler has not begun, or has work on other threads.
    pub(super) fn activity(&self) -> Option<Activity> {
        let (attempt, progress) = {
            let state = self.state.lock();
            (state.live.attempt.clone()?, state.progress())
        };
        if attempt.has_work_beside() {
            return None;
        }
        Some(Activity {
            id: self.id,
            attempt: attempt.number,
            polls: attempt.polls(),
            completed: progress.completed,
            message: progress.message,
        })
    }
}
