use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::sleep};

use super::{Session, gone};
use crate::{
    Error, TaskId,
    engine::{Ask, Batch, Record},
};

/// Who reads items in one session.
pub(super) struct Readers {
    /// By task and name; `None` when the session is closed.
    tasks: Mutex<Option<HashMap<(TaskId, String), Arc<Record>>>>,
    /// Has the reads that wait make room for others.
    turn: Notify,
}

impl Readers {
    pub(super) fn new() -> Self {
        Self { tasks: Mutex::new(Some(HashMap::new())), turn: Notify::new() }
    }

    fn add(&self, name: &str, record: &Arc<Record>) -> Result<(), Error> {
        let mut tasks = self.tasks.lock();
        let tasks = tasks.as_mut().ok_or_else(|| gone("it was closed"))?;
        tasks.entry((record.id, name.to_owned())).or_insert_with(|| Arc::clone(record));
        Ok(())
    }

    fn remove(&self, id: TaskId, name: &str) -> Option<Arc<Record>> {
        self.tasks.lock().as_mut().and_then(|tasks| tasks.remove(&(id, name.to_owned())))
    }

    /// The session is closed: whoever reads in it is gone, and comes again if its page is `reloading`.
    pub(super) fn close(&self, reloading: bool) {
        let tasks = self.tasks.lock().take();
        for ((_, name), record) in tasks.into_iter().flatten() {
            record.items().lose(&name, reloading);
        }
    }
}

impl Session {
    /// The batch that is asked for, or `None` if there is nothing yet after `wait`. Not to wait at all makes those that wait
    /// in this session answer at once: a page has few places for calls that wait, and needs one.
    pub(crate) async fn read(
        &self,
        record: &Arc<Record>,
        ask: Ask<'_>,
        wait: Duration,
    ) -> Result<Option<Batch>, Error> {
        // First in the list: a session that closes from here on finds the reader there.
        self.readers.add(ask.reader, record)?;
        if wait.is_zero() {
            self.readers.turn.notify_waiters();
        }
        tokio::select! {
            biased;
            () = self.closed.cancelled() => Err(gone("it was closed")),
            read = record.items().read(ask) => read.map(Some).map_err(|refusal| {
                if !record.items().is_read_by(ask.reader) {
                    self.forget_reader(record.id, ask.reader);
                }
                Error::refused(record.id, refusal)
            }),
            () = self.readers.turn.notified() => Ok(None),
            () = sleep(wait) => Ok(None),
        }
    }

    /// The task is not there any more for whom reads it.
    pub(crate) fn forget_reader(&self, id: TaskId, reader: &str) {
        drop(self.readers.remove(id, reader));
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
        let record = self.readers.remove(id, reader).map_or(record, Ok)?;
        record.items().stop(reader, position);
        Ok(())
    }
}
