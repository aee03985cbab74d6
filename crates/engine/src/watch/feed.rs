use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use parking_lot::{Mutex, RwLock};

use crate::{queue::admission::Admission, record::Record, task::counts::Counters, watch::change_set::Watcher};

/// What all tasks of one engine share: the wall clock, the queues, and the watchers of whole lists.
pub struct Hub {
    clock: Box<dyn Fn() -> u64 + Send + Sync>,
    watchers: RwLock<Vec<Weak<Watcher>>>,
    /// A leaf among the locks: nothing else is locked while it is.
    pub(crate) admission: Mutex<Admission>,
    /// The tasks that were spawned without a registered kind, by status.
    pub(crate) spawned: Arc<Counters>,
    /// The app is about to exit: no attempt is made again.
    is_closing: AtomicBool,
}

impl Hub {
    pub(crate) fn new(clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self {
            clock: Box::new(clock),
            watchers: RwLock::default(),
            admission: Mutex::default(),
            spawned: Arc::default(),
            is_closing: AtomicBool::new(false),
        }
    }

    /// From now on no attempt is made again.
    pub(crate) fn close(&self) {
        self.is_closing.store(true, SeqCst);
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(SeqCst)
    }

    /// The wall clock, in milliseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        (self.clock)()
    }

    /// From now on every change of every task is marked in `watcher`, for as long as it lives.
    pub fn add_watcher(&self, watcher: &Arc<Watcher>) {
        let mut watchers = self.watchers.write();
        watchers.retain(|other| is_another(other, watcher));
        watchers.push(Arc::downgrade(watcher));
    }

    pub fn remove_watcher(&self, watcher: &Arc<Watcher>) {
        self.watchers.write().retain(|other| is_another(other, watcher));
    }

    pub fn watchers(&self) -> usize {
        self.watchers.read().len()
    }

    /// Tells whoever watches whole lists that this task has changed.
    pub(crate) fn mark(&self, record: &Arc<Record>) {
        for watcher in &*self.watchers.read() {
            mark(watcher, record);
        }
    }
}

/// Marks the task in a watcher; `false` if that is gone.
pub(crate) fn mark(watcher: &Weak<Watcher>, record: &Arc<Record>) -> bool {
    watcher.upgrade().map(|watcher| watcher.mark(record)).is_some()
}

/// Whether `other` is still there and not `watcher`.
pub(crate) fn is_another(other: &Weak<Watcher>, watcher: &Arc<Watcher>) -> bool {
    other.strong_count() > 0 && !std::ptr::eq(other.as_ptr(), Arc::as_ptr(watcher))
}
