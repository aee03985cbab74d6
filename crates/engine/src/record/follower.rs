use std::sync::Arc;

use super::Record;
use crate::task::{current::Current, id::TaskId};

/// A claim to report a task's failure. While there is one, the engine does not log the failure.
pub struct Follower {
    record: Arc<Record>,
    /// The task whose handler has joined it instead of starting another one.
    joined_by: Option<TaskId>,
}

impl Follower {
    /// Adds a follower to the task.
    pub fn new(record: &Arc<Record>) -> Self {
        Self::with(record, None)
    }

    /// Adds a follower for a caller that gets this task instead of a new one.
    pub(crate) fn joining(record: &Arc<Record>) -> Self {
        Self::with(record, Current::here().map(|current| current.id))
    }

    /// Adds a follower to a member of this task. Who has joined a batch has joined its members.
    pub(crate) fn of_member(&self, member: &Arc<Record>) -> Self {
        Self::with(member, self.joined_by)
    }

    fn with(record: &Arc<Record>, joined_by: Option<TaskId>) -> Self {
        record.state.lock().followers += 1;
        Self { record: Arc::clone(record), joined_by }
    }

    /// Returns the task.
    pub fn record(&self) -> &Arc<Record> {
        &self.record
    }

    /// Returns the tasks that have started or joined it, as far as it is known here.
    pub(crate) fn starters(&self) -> impl Iterator<Item = TaskId> {
        self.record.started_by.into_iter().chain(self.joined_by)
    }

    /// Whether the task `id` has started or joined it.
    pub(crate) fn is_started_by(&self, id: TaskId) -> bool {
        self.starters().any(|starter| starter == id)
    }

    /// Notes that the follower has learned how the task ended.
    pub fn knows_the_end(&self) {
        self.record.failure_is_told();
    }
}

impl Clone for Follower {
    fn clone(&self) -> Self {
        Self::with(&self.record, self.joined_by)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.record.step(|state, effects| {
            state.followers -= 1;
            effects.log(state.take_unwatched_failure());
        });
    }
}
