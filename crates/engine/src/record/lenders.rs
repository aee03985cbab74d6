use std::sync::Arc;

use crate::{
    lock::{ATTEMPT, Lock},
    task::id::TaskId,
};

/// The tasks whose handlers wait for a task, and so may have lent their slots.
#[derive(Default)]
pub(crate) struct Lenders(Lock<State, ATTEMPT>);

#[derive(Default)]
struct State {
    lenders: Vec<TaskId>,
    /// How many members have not closed, if the task is a batch.
    open_members: usize,
}

impl Lenders {
    /// Adds a lender until what this returns is dropped.
    pub(super) fn add(self: &Arc<Self>, id: TaskId) -> Lender {
        self.0.lock().lenders.push(id);
        Lender { of: Arc::clone(self), id }
    }

    pub(super) fn all(&self) -> Vec<TaskId> {
        self.0.lock().lenders.clone()
    }

    /// Counts another member of the batch.
    pub(super) fn add_member(&self) {
        self.0.lock().open_members += 1;
    }

    /// Notes that a member closes. If it is the last one, returns the lenders: the end of the batch is near.
    pub(super) fn member_closes(&self) -> Vec<TaskId> {
        let mut state = self.0.lock();
        state.open_members -= 1;
        if state.open_members == 0 { state.lenders.clone() } else { Vec::new() }
    }
}

pub(super) struct Lender {
    of: Arc<Lenders>,
    id: TaskId,
}

impl Drop for Lender {
    fn drop(&mut self) {
        let lenders = &mut self.of.0.lock().lenders;
        if let Some(at) = lenders.iter().position(|id| *id == self.id) {
            lenders.swap_remove(at);
        }
    }
}
