use std::sync::{Arc, Weak};

use super::change_set::ChangeSet;
use crate::task::id::TaskId;

/// The watchers of one task, or of all tasks.
pub(crate) struct Feed<T>(Vec<Weak<ChangeSet<T>>>);

/// The watchers to wake for a change that has been marked. Wake them when no lock is held.
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
    /// Makes every later [`mark`](Self::mark) reach `watcher`, for as long as it lives.
    pub(crate) fn add(&mut self, watcher: &Arc<ChangeSet<T>>) {
        self.remove(watcher);
        self.0.push(Arc::downgrade(watcher));
    }

    pub(crate) fn remove(&mut self, watcher: &Arc<ChangeSet<T>>) {
        self.0.retain(|other| other.strong_count() > 0 && !std::ptr::eq(other.as_ptr(), Arc::as_ptr(watcher)));
    }

    /// Returns how many watchers there are. Those that were dropped since the last change are still counted.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Marks a task for all watchers, and forgets watchers that were dropped. Adds those that have to be woken to
    /// `wakes`.
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
