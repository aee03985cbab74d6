//! The road of a task's items from its handler to its reader. The handler waits while the [`buffer`] is full, the reader
//! while it is empty; what is to be done is decided there.

use std::{cell::Cell, time::Duration};

use serde::Serialize;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    buffer::{Ask, Batch, ItemBuffer, ReadRefusal},
    segment::BATCH_BYTES,
};
use crate::{
    error::{Error, refusal::Refusal},
    lock::{ITEMS, Lock},
    policy::{item_buffer::Bounds, unread::Unread},
    task::attempt::Attempt,
};

/// How long a handler waits for somebody who reads, when nobody does: from the task's begin, and after a reader was lost with
/// its page, which may be about to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// The items of one task.
#[derive(Debug)]
pub struct ItemStream {
    state: Lock<State, ITEMS>,
    bounds: Bounds,
    unread: Unread,
    /// Wakes waiting reads.
    readable: Notify,
    /// Wakes waiting emits.
    writable: Notify,
    /// Tells of readers that come and go.
    readers: Notify,
}

#[derive(Debug)]
struct State {
    buffer: ItemBuffer,
    /// Until when nobody is missed, if nobody reads.
    patience: Instant,
    /// The handler has begun: who came and went before that says nothing of who reads now.
    has_begun: bool,
}

impl State {
    fn begin(&mut self) {
        if !self.has_begun {
            self.has_begun = true;
            self.patience = self.patience.max(Instant::now() + PATIENCE);
        }
    }
}

/// What is to be emitted.
#[derive(Debug, Clone, Copy)]
enum Unit<'a> {
    Item(&'a [u8]),
    Bytes(&'a [u8]),
}

impl Unit<'_> {
    fn len(self) -> usize {
        let (Self::Item(data) | Self::Bytes(data)) = self;
        data.len()
    }

    fn push(self, buffer: &mut ItemBuffer) -> bool {
        match self {
            Self::Item(json) => buffer.push_item(json),
            Self::Bytes(bytes) => buffer.push_bytes(bytes),
        }
    }
}

impl ItemStream {
    pub(crate) fn new(bounds: Bounds, unread: Unread) -> Self {
        Self {
            state: Lock::new(State {
                buffer: ItemBuffer::new(bounds),
                patience: Instant::now() + PATIENCE,
                has_begun: false,
            }),
            bounds,
            unread,
            readable: Notify::new(),
            writable: Notify::new(),
            readers: Notify::new(),
        }
    }

    // The handler's side.

    /// Cancel safe: what was not emitted yet is not emitted.
    pub(crate) async fn emit<I: Serialize>(&self, item: I, attempt: &Attempt) -> Result<(), Error> {
        let json = self.write(&item)?;
        // Or the handler's future would hold it while it waits.
        drop(item);
        self.put(Unit::Item(&json.0), attempt).await
    }

    pub(crate) fn blocking_emit(&self, item: &impl Serialize, attempt: &Attempt) -> Result<(), Error> {
        let json = self.write(item)?;
        self.blocking_put(Unit::Item(&json.0), attempt)
    }

    pub(crate) async fn emit_bytes(&self, bytes: &[u8], attempt: &Attempt) -> Result<(), Error> {
        for piece in self.pieces(bytes) {
            self.put(Unit::Bytes(piece), attempt).await?;
        }
        Ok(())
    }

    pub(crate) fn blocking_emit_bytes(&self, bytes: &[u8], attempt: &Attempt) -> Result<(), Error> {
        self.pieces(bytes).try_for_each(|piece| self.blocking_put(Unit::Bytes(piece), attempt))
    }

    fn write(&self, item: &impl Serialize) -> Result<Scratch, Error> {
        let json = Scratch::write(item)?;
        if json.0.len() > self.bounds.bytes {
            return Err(Refusal::ItemTooLarge { size: json.0.len(), limit: self.bounds.bytes }.into());
        }
        Ok(json)
    }

    fn pieces<'a>(&self, bytes: &'a [u8]) -> std::slice::Chunks<'a, u8> {
        bytes.chunks(self.bounds.bytes.clamp(1, BATCH_BYTES))
    }

    fn blocking_put(&self, unit: Unit<'_>, attempt: &Attempt) -> Result<(), Error> {
        match self.try_put(unit, attempt)? {
            Ok(()) => Ok(()),
            Err(_) => tokio::runtime::Handle::current().block_on(self.put(unit, attempt)),
        }
    }

    async fn put(&self, unit: Unit<'_>, attempt: &Attempt) -> Result<(), Error> {
        // A handler that emits without pause must not keep the others from running.
        tokio::task::consume_budget().await;
        if self.try_put(unit, attempt)?.is_ok() {
            return Ok(());
        }
        let writable = self.writable.notified();
        tokio::pin!(writable);
        loop {
            // Queue up before looking, or room that is made between the two would be missed.
            writable.as_mut().enable();
            let Err(patience) = self.try_put(unit, attempt)? else { return Ok(()) };
            tokio::select! {
                () = writable.as_mut() => writable.set(self.writable.notified()),
                () = wait_until(patience) => {}
                () = attempt.stopped() => return Err(stopped()),
            }
        }
    }

    /// `Ok(Err(_))`: it has to wait, and how long at most if nothing happens.
    fn try_put(&self, unit: Unit<'_>, attempt: &Attempt) -> Result<Result<(), Option<Instant>>, Error> {
        {
            let mut state = self.state.lock();
            state.begin();
            let State { buffer, patience, .. } = &mut *state;
            if attempt.is_over() || buffer.is_done() {
                return Err(stopped());
            }
            if !unit.push(buffer) {
                let waits = buffer.has_reader() || self.unread != Unread::DropOldest;
                if waits || Instant::now() < *patience {
                    return Ok(Err(Some(*patience).filter(|_| !waits)));
                }
                buffer.make_room(unit.len());
                // There is room now.
                let _ = unit.push(buffer);
            }
        }
        self.readable.notify_waiters();
        Ok(Ok(()))
    }

    /// Waits until nobody has read for too long. Cancel safe.
    pub(crate) async fn abandoned(&self) {
        self.state.lock().begin();
        let readers = self.readers.notified();
        tokio::pin!(readers);
        loop {
            readers.as_mut().enable();
            let patience = {
                let state = self.state.lock();
                Some(state.patience).filter(|_| !state.buffer.has_reader())
            };
            if patience.is_some_and(|patience| patience <= Instant::now()) {
                return;
            }
            tokio::select! {
                () = readers.as_mut() => readers.set(self.readers.notified()),
                () = wait_until(patience) => {}
            }
        }
    }

    /// Has the emits that wait look whether they may.
    pub(crate) fn wake_emits(&self) {
        self.writable.notify_waiters();
    }

    /// Nothing more comes: the task has ended. Those who wait are still to be [woken](Self::wake).
    pub(crate) fn end(&self) {
        self.state.lock().buffer.end();
    }

    /// Wakes everybody who waits to read or to emit.
    pub(crate) fn wake(&self) {
        self.readable.notify_waiters();
        self.writable.notify_waiters();
    }

    /// Whether it has a reader.
    pub fn is_being_read(&self) -> bool {
        self.state.lock().buffer.has_reader()
    }

    /// Whether this is its reader.
    pub fn is_read_by(&self, reader: &str) -> bool {
        self.state.lock().buffer.is_read_by(reader)
    }

    /// How many bytes are kept.
    pub(crate) fn bytes(&self) -> usize {
        self.state.lock().buffer.bytes()
    }

    // The reader's side.

    /// Waits until there is a batch. Cancel safe.
    pub async fn read(&self, ask: Ask<'_>) -> Result<Batch, ReadRefusal> {
        let readable = self.readable.notified();
        tokio::pin!(readable);
        loop {
            readable.as_mut().enable();
            if let Some(batch) = self.ask(ask)? {
                return Ok(batch);
            }
            readable.as_mut().await;
            readable.set(self.readable.notified());
        }
    }

    fn ask(&self, ask: Ask<'_>) -> Result<Option<Batch>, ReadRefusal> {
        let mut state = self.state.lock();
        let (before, had_reader) = (state.buffer.bytes(), state.buffer.has_reader());
        let batch = state.buffer.ask(ask)?;
        let made_room = state.buffer.bytes() < before;
        drop(state);
        // Or it may have got all that there was: then there is room for what comes next.
        if made_room || batch.is_some() {
            self.writable.notify_waiters();
        }
        if !had_reader {
            self.readers.notify_waiters();
        }
        if batch.is_some() {
            // The read for the batch after it, if it came first.
            self.readable.notify_waiters();
        }
        Ok(batch)
    }

    /// The reader stops: all before number `position` counts as read, and nobody waits for another reader.
    pub fn stop(&self, reader: &str, position: u64) {
        let mut state = self.state.lock();
        if state.buffer.stop(reader, position) {
            state.patience = Instant::now();
        }
        drop(state);
        self.reader_went();
    }

    /// The reader has gone with its page, which may come again if it is `reloading`.
    pub fn lose(&self, reader: &str, reloading: bool) {
        let mut state = self.state.lock();
        if state.buffer.lose(reader) {
            let patience = if reloading { PATIENCE } else { Duration::ZERO };
            state.patience = Instant::now() + patience;
        }
        drop(state);
        self.reader_went();
    }

    fn reader_went(&self) {
        self.writable.notify_waiters();
        self.readable.notify_waiters();
        self.readers.notify_waiters();
    }
}

async fn wait_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn stopped() -> Error {
    Refusal::Stopped.into()
}

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// An item as JSON, in memory that the next one on this thread takes over.
struct Scratch(Vec<u8>);

impl Scratch {
    /// Writes before anything is locked: an item's `Serialize` is the app's own.
    fn write(item: &impl Serialize) -> Result<Self, Error> {
        let mut scratch = Self(SCRATCH.take());
        scratch.0.clear();
        match serde_json::to_writer(&mut scratch.0, item) {
            Ok(()) => Ok(scratch),
            Err(problem) => Err(Error::unserializable("the item", &problem)),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.0.capacity() <= BATCH_BYTES {
            SCRATCH.set(std::mem::take(&mut self.0));
        }
    }
}
