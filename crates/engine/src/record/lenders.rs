use std::sync::Arc;

use crate::{
    lock::{ATTEMPT, Lock},
    task::id::TaskId,
};

/// The tasks whose handlers wait for a task, and so may have lent their slots.
#[derive(Default)]
pub(crate) struct Lenders(Lock<Vec<TaskId>, ATTEMPT>);

impl Lenders {
    /// Adds a lender until what this returns is dropped.
    pub(super) fn add(self: &Arc<Self>, id: TaskId) -> Lender {
        self.0.lock().push(id);
        Lender { of: Arc::clone(self), id }
    }

    pub(super) fn all(&self) -> Vec<TaskId> {
        self.0.lock().clone()
    }
}

pub(super) struct Lender {
    of: Arc<Lenders>,
    id: TaskId,
}

impl Drop for Lender {
    fn drop(&mut self) {
        let mut lenders = self.of.0.lock();
        if let Some(at) = lenders.iter().position(|id| *id == self.id) {
            lenders.swap_remove(at);
        }
    }
}
