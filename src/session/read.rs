//! Reads the items of tasks for a page.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tauri_plugin_tasks_engine::delivery::{Ask, Chunk, ReadRefusal, Record, WINDOW};
use tokio::time::{Instant, sleep};

use super::{gone::gone, session::Session};
use crate::{Error, TaskId};

impl Session {
    /// Returns the task that this reader reads. Its items can still be read if the task was evicted or removed
    /// meanwhile.
    pub(crate) fn read_by(&self, id: TaskId, reader: &str) -> Option<Arc<Record>> {
        self.readers.get(id, reader)
    }

    /// Returns the request of the page's reader `reader` for this chunk.
    pub(crate) fn ask<'a>(&'a self, reader: &'a str, chunk: u64, from: Option<u64>) -> Ask<'a> {
        Ask { reader, label: &self.page.label, chunk, from, holds: WINDOW }
    }

    /// Returns the requested chunk, or `None` if there is nothing after `wait`. If `wait` is zero and there is nothing,
    /// all waiting reads of this session return at once. That frees their calls for other readers, since a page can
    /// have only a few calls in flight.
    pub(crate) async fn read(
        &self,
        record: &Arc<Record>,
        ask: Ask<'_>,
        wait: Duration,
    ) -> Result<Option<Chunk>, Error> {
        // Register first, so that a session that closes from here on finds the reader.
        let reading = self.readers.begin(ask.reader, record, &self.bounds)?;
        let _waits = self.bounds.wait()?;
        // The pump may be about to rest, since nothing hung on the page a moment ago.
        if self.outbox.lock().is_used(Instant::now()) || reading.is_new {
            self.wake.notify_one();
        }
        let told = |read: Result<Chunk, ReadRefusal>| {
            read.map(Some).map_err(|refusal| {
                // Closing the session removes its readers, so that is the real reason.
                if self.readers.is_closed() { gone("it was closed") } else { refusal.of(record.id) }
            })
        };
        if wait.is_zero() {
            // If the chunk is there, the waiting reads need not return.
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

    /// Stops the reader. The items before number `position` count as read. `record` is the task, if the page may read
    /// it; a removed task is found here as long as it has a reader.
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
