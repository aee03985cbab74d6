use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use super::{Session, gone};
use crate::{Error, TaskId};
use tauri_plugin_tasks_engine::delivery::{Ask, Batch, Record, Refusal};

type Tasks = HashMap<(TaskId, String), Entry>;

/// Who reads items in one session. Whoever is the reader of a task is in here, and who has a read on its way.
pub(super) struct Readers {
    /// By task and name; `None` when the session is closed.
    tasks: Mutex<Option<Tasks>>,
    /// Has the reads that wait make room for others.
    turn: Notify,
}

struct Entry {
    record: Arc<Record>,
    /// How many of its reads are on their way.
    reads: usize,
}

impl Readers {
    pub(super) fn new() -> Self {
        Self { tasks: Mutex::new(Some(HashMap::new())), turn: Notify::new() }
    }

    fn begin(&self, name: &str, record: &Arc<Record>) -> Result<Reading<'_>, Error> {
        let mut tasks = self.tasks.lock();
        let tasks = tasks.as_mut().ok_or_else(|| gone("it was closed"))?;
        let key = (record.id, name.to_owned());
        tasks.entry(key.clone()).or_insert_with(|| Entry { record: Arc::clone(record), reads: 0 }).reads += 1;
        Ok(Reading { readers: self, key })
    }

    fn get(&self, id: TaskId, name: &str) -> Option<Arc<Record>> {
        let tasks = self.tasks.lock();
        tasks.as_ref()?.get(&(id, name.to_owned())).map(|entry| Arc::clone(&entry.record))
    }

    /// Forgets one that has no read on its way and is not its task's reader: it was refused, or has stopped.
    fn forget(&self, key: &(TaskId, String)) {
        let mut tasks = self.tasks.lock();
        let is_over = |entry: &Entry| entry.reads == 0 && !entry.record.items().is_read_by(&key.1);
        let gone =
            tasks.as_mut().filter(|tasks| tasks.get(key).is_some_and(is_over)).and_then(|tasks| tasks.remove(key));
        drop(tasks);
        drop(gone);
    }

    fn is_closed(&self) -> bool {
        self.tasks.lock().is_none()
    }

    /// The session is closed: whoever reads in it is gone, and comes again if its page is `reloading`.
    pub(super) fn close(&self, reloading: bool) {
        let tasks = self.tasks.lock().take();
        for ((_, name), entry) in tasks.into_iter().flatten() {
            entry.record.items().lose(&name, reloading);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.lock().as_ref().map_or(0, HashMap::len)
    }
}

/// A read on its way.
struct Reading<'a> {
    readers: &'a Readers,
    key: (TaskId, String),
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        // It is there until its last read is back, or the session is closed.
        if let Some(entry) = self.readers.tasks.lock().as_mut().and_then(|tasks| tasks.get_mut(&self.key)) {
            entry.reads -= 1;
        }
        self.readers.forget(&self.key);
    }
}

impl Session {
    /// The task that this reader reads. It may have been evicted or removed meanwhile, and is still to be read to its end.
    pub(crate) fn read_by(&self, id: TaskId, reader: &str) -> Option<Arc<Record>> {
        self.readers.get(id, reader)
    }

    /// The batch that is asked for, or `None` if there is nothing yet after `wait`. Not to wait at all makes those that wait
    /// in this session answer at once: a page has few places for calls that wait, and needs one.
    pub(crate) async fn read(
        &self,
        record: &Arc<Record>,
        ask: Ask<'_>,
        wait: Duration,
    ) -> Result<Option<Batch>, Error> {
        // First in the list: a session that closes from here on finds the reader there.
        let _reading = self.readers.begin(ask.reader, record)?;
        self.outbox.lock().is_used(Instant::now());
        let told = |read: Result<Batch, Refusal>| {
            read.map(Some).map_err(|refusal| {
                // The readers of a closed session have gone, and that is why.
                if self.readers.is_closed() { gone("it was closed") } else { Error::refused(record.id, refusal) }
            })
        };
        if wait.is_zero() {
            // What is there needs nobody's place.
            if let Some(read) = record.items().read(ask).now_or_never() {
                return told(read);
            }
            self.readers.turn.notify_waiters();
        }
        tokio::select! {
            biased;
            () = self.closed.cancelled() => Err(gone("it was closed")),
            read = record.items().read(ask) => told(read),
            () = self.readers.turn.notified() => Ok(None),
            () = sleep(wait) => Ok(None),
        }
    }

    /// The reader stops; all before number `position` counts as read. `record` is the task, if the page may read it: one that
    /// is not there any more is known here as long as it has a reader.
    pub(crate) fn cancel_read(
        &self,
        id: TaskId,
        record: Result<Arc<Record>, Error>,
        reader: &str,
        position: u64,
    ) -> Result<(), Error> {
        let record = self.readers.get(id, reader).map_or(record, Ok)?;
        record.items().stop(reader, position);
        self.readers.forget(&(id, reader.to_owned()));
        Ok(())
    }
}
