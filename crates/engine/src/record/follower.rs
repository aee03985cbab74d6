use std::sync::Arc;

use super::{Record, starter::Starter};
use crate::task::id::TaskId;

/// A claim to report a task's failure. While there is one, the engine does not log the failure.
pub struct Follower {
    record: Arc<Record>,
    /// The task whose handler has joined it instead of starting another one.
    joined_by: Option<Box<Starter>>,
}

impl Follower {
    /// Adds a follower to the task.
    pub fn new(record: &Arc<Record>) -> Self {
        Self::with(record, None)
    }

    /// Adds a follower for a caller that gets this task instead of a new one.
    pub(crate) fn joining(record: &Arc<Record>) -> Self {
        Self::with(record, Starter::here().map(Box::new))
    }

    /// Adds a follower to a member of this task. Who has joined a batch has joined its members.
    pub(crate) fn of_member(&self, member: &Arc<Record>) -> Self {
        Self::with(member, self.joined_by.clone())
    }

    fn with(record: &Arc<Record>, joined_by: Option<Box<Starter>>) -> Self {
        record.state.lock().followers += 1;
        Self { record: Arc::clone(record), joined_by }
    }

    /// Returns the task.
    pub fn record(&self) -> &Arc<Record> {
        &self.record
    }

    /// Returns the tasks that have started or joined it, as far as it is known here.
    pub(crate) fn starters(&self) -> impl Iterator<Item = &Starter> {
        self.record.started_by.iter().chain(&self.joined_by).map(|starter| &**starter)
    }

    /// Whether the task `id` has started or joined it.
    pub(crate) fn is_started_by(&self, id: TaskId) -> bool {
        self.starters().any(|starter| starter.id == id)
    }

    /// Notes that the follower has learned how the task ended.
    pub fn knows_the_end(&self) {
        self.record.state.lock().failure_told = true;
    }
}

impl Clone for Follower {
    fn clone(&self) -> Self {
        Self::with(&self.record, self.joined_by.clone())
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
