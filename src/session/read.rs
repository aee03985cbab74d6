//! What a page reads of what tasks emit.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tauri_plugin_tasks_engine::delivery::{Ask, Batch, ReadRefusal, Record};
use tokio::time::{Instant, sleep};

use super::{gone::gone, session::Session};
use crate::{Error, TaskId};

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
        let told = |read: Result<Batch, ReadRefusal>| {
            read.map(Some).map_err(|refusal| {
                // The readers of a closed session have gone, and that is why.
                if self.readers.is_closed() { gone("it was closed") } else { refusal.of(record.id) }
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
