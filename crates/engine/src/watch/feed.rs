use std::sync::{Arc, Weak};

use super::change_set::ChangeSet;
use crate::task::id::TaskId;

/// Who watches: the changes of one task, or those of all.
pub(crate) struct Feed<T>(Vec<Weak<ChangeSet<T>>>);

/// Whom a change wakes. It is marked for them already; they are woken when no lock is held.
#[must_use]
pub(crate) struct Wakes<T>(Vec<Arc<ChangeSet<T>>>);

impl<T> Default for Feed<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Default for Wakes<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Feed<T> {
    /// From now on every change is marked in `watcher`, for as long as it lives.
    pub(crate) fn add(&mut self, watcher: &Arc<ChangeSet<T>>) {
        self.remove(watcher);
        self.0.push(Arc::downgrade(watcher));
    }

    pub(crate) fn remove(&mut self, watcher: &Arc<ChangeSet<T>>) {
        self.0.retain(|other| other.strong_count() > 0 && !std::ptr::eq(other.as_ptr(), Arc::as_ptr(watcher)));
    }

    /// How many watch, with those that have gone and that nobody has missed yet.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Marks a task for all who watch, and forgets those that have gone.
    pub(crate) fn mark(&mut self, id: TaskId, task: &Arc<T>, wakes: &mut Wakes<T>) {
        self.0.retain(|watcher| {
            let Some(watcher) = watcher.upgrade() else { return false };
            if watcher.mark(id, task) {
                wakes.0.push(watcher);
            }
            true
        });
    }
}

impl<T> Wakes<T> {
    pub(crate) fn wake(self) {
        self.0.iter().for_each(|watcher| watcher.wake());
    }
}
