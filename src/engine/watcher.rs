use std::sync::Arc;

use indexmap::IndexMap;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{TaskId, record::Record};

/// Collects which tasks changed, for one reader that comes to look when it likes.
///
/// It costs one entry for each changed task, however often the task changes and however late the reader is.
#[derive(Default)]
pub(crate) struct Watcher {
    changed: Mutex<IndexMap<TaskId, Arc<Record>>>,
    wake: Notify,
}

impl Watcher {
    pub(super) fn mark(&self, record: &Arc<Record>) {
        self.changed.lock().insert(record.id, Arc::clone(record));
        self.wake.notify_one();
    }

    /// What changed since the last look, oldest change first.
    pub(crate) fn take(&self) -> Vec<Arc<Record>> {
        std::mem::take(&mut *self.changed.lock()).into_values().collect()
    }

    /// Has the reader look again although nothing changed.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until something changed, or [`wake`](Self::wake). Cancel safe; one reader at a time.
    pub(crate) async fn changed(&self) {
        self.wake.notified().await;
    }
}
