use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use tokio::sync::Notify;

use crate::{
    lock::{CHANGES, Lock},
    task::id::TaskId,
};

/// Collects the tasks that have changed, for one watcher that reads them at its own pace. `T` is the type of a task.
///
/// It holds one entry for each changed task, however often the task changes and however late the watcher reads it. A
/// watcher is woken only if it waits: while it is busy, a mark costs one table look-up.
pub struct ChangeSet<T> {
    marks: Lock<Marks<T>, CHANGES>,
    wake: Notify,
}

struct Marks<T> {
    changed: IndexMap<TaskId, Arc<T>, RandomState>,
    /// How many changes wake the watcher; `None` if it does not wait.
    wanted: Option<usize>,
}

impl<T> Default for ChangeSet<T> {
    fn default() -> Self {
        let marks = Marks { changed: IndexMap::default(), wanted: None };
        Self { marks: Lock::new(marks), wake: Notify::new() }
    }
}

impl<T> ChangeSet<T> {
    /// Adds a task. Returns whether the caller has to [wake](Self::wake) the watcher.
    #[must_use]
    pub(crate) fn mark(&self, id: TaskId, task: &Arc<T>) -> bool {
        let mut marks = self.marks.lock();
        marks.changed.entry(id).or_insert_with(|| Arc::clone(task));
        let is_enough = marks.wanted.is_some_and(|wanted| marks.changed.len() >= wanted);
        if is_enough {
            marks.wanted = None;
        }
        is_enough
    }

    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Returns how many tasks have changed since the last [`take`](Self::take).
    #[allow(clippy::len_without_is_empty)] // Nothing needs `is_empty`.
    pub fn len(&self) -> usize {
        self.marks.lock().changed.len()
    }

    /// Takes the tasks that have changed since the last call, oldest change first.
    pub fn take(&self) -> Vec<Arc<T>> {
        let mut marks = self.marks.lock();
        // About as many are likely to change again.
        let next = IndexMap::with_capacity_and_hasher(marks.changed.len(), RandomState::default());
        let taken = std::mem::replace(&mut marks.changed, next);
        drop(marks);
        taken.into_values().collect()
    }

    /// Waits until a task has changed since the last [`take`](Self::take). Cancel safe; for one caller at a time.
    pub async fn changed(&self) {
        self.holds(1).await;
    }

    /// Waits until `count` tasks have changed since the last [`take`](Self::take). Cancel safe; for one caller at a
    /// time.
    pub async fn holds(&self, count: usize) {
        loop {
            {
                let mut marks = self.marks.lock();
                if marks.changed.len() >= count {
                    return;
                }
                marks.wanted = Some(count);
            }
            self.wake.notified().await;
        }
    }
}
