use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{TaskId, record::Record};

/// Collects which tasks changed, for one reader that comes to look when it likes.
///
/// It costs one entry for each changed task, however often the task changes and however late the reader is. Only a reader
/// that waits is woken: to mark a task for one that is busy is one look into a table.
#[derive(Default)]
pub struct Watcher {
    marks: Mutex<Marks>,
    wake: Notify,
}

#[derive(Default)]
struct Marks {
    changed: IndexMap<TaskId, Arc<Record>, RandomState>,
    /// With how many the reader is to be woken, if it waits.
    wanted: Option<usize>,
}

impl Watcher {
    pub(crate) fn mark(&self, record: &Arc<Record>) {
        let mut marks = self.marks.lock();
        marks.changed.entry(record.id).or_insert_with(|| Arc::clone(record));
        if marks.wanted.is_some_and(|wanted| marks.changed.len() >= wanted) {
            marks.wanted = None;
            drop(marks);
            self.wake.notify_one();
        }
    }

    /// How many have changed since the last look.
    pub fn len(&self) -> usize {
        self.marks.lock().changed.len()
    }

    /// What changed since the last look, oldest change first.
    pub fn take(&self) -> Vec<Arc<Record>> {
        let mut marks = self.marks.lock();
        // About as many will come again.
        let next = IndexMap::with_capacity_and_hasher(marks.changed.len(), RandomState::default());
        let taken = std::mem::replace(&mut marks.changed, next);
        drop(marks);
        taken.into_values().collect()
    }

    /// Waits until something has changed since the last look. Cancel safe; one reader at a time.
    pub async fn changed(&self) {
        self.holds(1).await;
    }

    /// Waits until `count` tasks have changed since the last look. Cancel safe; one reader at a time.
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
