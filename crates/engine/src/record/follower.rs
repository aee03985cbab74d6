use std::sync::Arc;

use super::Record;

/// Somebody follows a task by itself and will tell of its failure. While there is one, the engine needn't.
pub struct Follower(Arc<Record>);

impl Follower {
    /// From now on the task has one more who will tell of its failure.
    pub fn new(record: &Arc<Record>) -> Self {
        record.state.lock().followers += 1;
        Self(Arc::clone(record))
    }

    /// The task.
    pub fn record(&self) -> &Arc<Record> {
        &self.0
    }

    /// The follower knows how the task ended.
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
