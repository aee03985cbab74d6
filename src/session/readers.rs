use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use tauri_plugin_tasks_engine::delivery::Record;
use tokio::sync::Notify;

use super::{
    bounds::{Bounds, Place},
    gone::gone,
};
use crate::{
    Error, TaskId,
    lock::{Lock, READERS},
};

/// How a page has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Departure {
    /// The page reloads or has missed a message, so it is back in a moment.
    Reloads,
    /// The page has stopped responding or its process has ended, so its tasks are treated as those of a closed page. It
    /// may be back all the same.
    Silent,
    /// The webview of the page has closed.
    ForGood,
}

type Tasks = HashMap<(TaskId, String), Reads>;

/// The readers of one session: each is the current reader of its task or has a read in flight.
pub(super) struct Readers {
    /// By task and by the reader's name. `None` once the session is closed.
    tasks: Lock<Option<Tasks>, READERS>,
    /// Makes waiting reads return, to free their calls for others.
    pub(super) turn: Notify,
}

struct Reads {
    record: Arc<Record>,
    /// Its place among the readers that its page may have.
    _place: Place,
    /// How many reads are in flight.
    under_way: usize,
}

impl Readers {
    pub(super) fn new() -> Self {
        Self { tasks: Lock::new(Some(HashMap::new())), turn: Notify::new() }
    }

    /// Fails if the session is closed, or if the reader is a new one and the page has no place for it.
    pub(super) fn begin(&self, name: &str, record: &Arc<Record>, bounds: &Arc<Bounds>) -> Result<Reading<'_>, Error> {
        let mut tasks = self.tasks.lock();
        let tasks = tasks.as_mut().ok_or_else(|| gone("it was closed"))?;
        let key = (record.id, name.to_owned());
        let is_new = !tasks.contains_key(&key);
        match tasks.entry(key.clone()) {
            Entry::Occupied(mut reads) => reads.get_mut().under_way += 1,
            Entry::Vacant(vacant) => {
                let reads = Reads { record: Arc::clone(record), _place: bounds.reader()?, under_way: 1 };
                vacant.insert(reads);
            }
        }
        Ok(Reading { readers: self, key, is_new })
    }

    pub(super) fn get(&self, id: TaskId, name: &str) -> Option<Arc<Record>> {
        let tasks = self.tasks.lock();
        tasks.as_ref()?.get(&(id, name.to_owned())).map(|entry| Arc::clone(&entry.record))
    }

    /// Removes a reader that has no read in flight and is not the task's reader: it was refused or has stopped.
    pub(super) fn forget(&self, key: &(TaskId, String)) {
        let mut tasks = self.tasks.lock();
        let is_over = |entry: &Reads| entry.under_way == 0 && !entry.record.items().is_read_by(&key.1);
        let gone =
            tasks.as_mut().filter(|tasks| tasks.get(key).is_some_and(is_over)).and_then(|tasks| tasks.remove(key));
        drop(tasks);
        drop(gone);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.tasks.lock().is_none()
    }

    /// Removes all readers, since the session is closed and its page has left.
    pub(super) fn close(&self, departure: Departure) {
        let tasks = self.tasks.lock().take();
        for ((_, name), entry) in tasks.into_iter().flatten() {
            entry.record.items().lose(&name, departure != Departure::ForGood);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.lock().as_ref().map_or(0, HashMap::len)
    }
}

/// A read in flight.
pub(super) struct Reading<'a> {
    readers: &'a Readers,
    key: (TaskId, String),
    /// Whether it is the first read of its reader.
    pub(super) is_new: bool,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        // The entry may be missing, since closing the session removes it.
        if let Some(entry) = self.readers.tasks.lock().as_mut().and_then(|tasks| tasks.get_mut(&self.key)) {
            entry.under_way -= 1;
        }
        self.readers.forget(&self.key);
    }
}
