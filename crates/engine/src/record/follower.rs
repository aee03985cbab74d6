use std::sync::Arc;

use super::Record;

/// A claim to report a task's failure. While there is one, the engine does not log the failure.
pub struct Follower(Arc<Record>);

impl Follower {
    /// Adds a follower to the task.
    pub fn new(record: &Arc<Record>) -> Self {
        record.state.lock().followers += 1;
        Self(Arc::clone(record))
    }

    /// Returns the task.
    pub fn record(&self) -> &Arc<Record> {
        &self.0
    }

    /// Notes that the follower has learned how the task ended.
    pub fn knows_the_end(&self) {
        self.0.state.lock().failure_told = true;
    }
}

impl Clone for Follower {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.step(|state, effects| {
            state.followers -= 1;
            effects.log(state.take_unwatched_failure());
        });
    }
}
