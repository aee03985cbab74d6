//! Passes a task's items from its handler to its reader. The handler waits while the [`buffer`](super::buffer) is full,
//! and the reader waits while it is empty. All decisions are the buffer's; this module adds the waiting.

mod emit;
mod scratch;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use super::{
    buffer::{Ask, Chunk, ItemBuffer, ReadRefusal},
    patience::{self, Patience},
    signs_of_life::SignsOfLife,
};
use crate::{
    clock::{awake_clock::AwakeClock, awake_time::AwakeTime},
    lock::{ITEMS, Lock},
    policy::{item_buffer::Bounds, unread::Unread},
    quota::charge::Charge,
    task::id::TaskId,
};

/// How long a handler waits for a reader that does not ask before the log says so.
const SILENCE: Duration = Duration::from_secs(60);
/// How often a handler that waits for a reader counts the time in which it does not ask.
const STEP: Duration = Duration::from_millis(7_500);
/// By how many bytes the items of a running task may differ from what it is charged for them. So an emit of a small item
/// costs nothing more.
const UNCHARGED: usize = 4 * 1024;

/// The items of one task.
#[derive(Debug)]
pub struct ItemStream {
    state: Lock<StreamState, ITEMS>,
    bounds: Bounds,
    unread: Unread,
    /// The name and the id of the task, for the log.
    task: (Arc<str>, TaskId),
    /// Wakes waiting reads.
    readable: Notify,
    /// Wakes waiting emits.
    writable: Notify,
    /// Wakes tasks that wait for readers to come or go.
    readers: Notify,
    /// Whether there is a delayed reader in the state.
    is_reader_delayed: AtomicBool,
    /// Counts how long the task waits for a reader.
    clock: Arc<AwakeClock>,
    /// Where a test keeps all bytes that were emitted.
    #[cfg(any(test, feature = "test"))]
    recorded_bytes: std::sync::OnceLock<RecordedBytes>,
    /// `None` if the task counts on no account.
    charge: Option<Arc<Charge>>,
}

#[cfg(any(test, feature = "test"))]
pub(crate) type RecordedBytes = Arc<parking_lot::Mutex<Vec<u8>>>;

#[derive(Debug)]
struct StreamState {
    buffer: ItemBuffer,
    /// How much longer the task waits for a reader, if it has none.
    patience: Patience,
    delayed_reader: Option<DelayedReader>,
    signs_of_life: SignsOfLife,
    /// The time in which an emit waits for the reader and the reader does not ask.
    silence: Option<AwakeTime>,
    /// How many bytes the task is charged for its items.
    charged: usize,
}

/// A reader that has items, but waits for its own slots.
#[derive(Clone)]
struct DelayedReader {
    id: TaskId,
    /// Whether it waits because this task has a slot.
    is_blocked: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl fmt::Debug for DelayedReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelayedReader").field("id", &self.id).finish_non_exhaustive()
    }
}

impl StreamState {
    /// Whether an emit that has no room has to wait.
    fn has_to_wait(&self, unread: Unread) -> bool {
        self.waits_for_good(unread) || self.patience.left().is_some()
    }

    /// Whether an emit that has no room waits until something changes, however long that takes.
    fn waits_for_good(&self, unread: Unread) -> bool {
        self.buffer.has_reader() || unread != Unread::DropOldest
    }

    /// Counts the time in which an emit waits for the reader. Returns whom the reader belongs to, if it has not asked for so
    /// long that the log has to say so.
    fn count_silence(&mut self) -> Option<Box<str>> {
        if self.buffer.is_told() {
            return None;
        }
        let now = Instant::now();
        let silence = self.silence.get_or_insert_with(|| AwakeTime::new(now, STEP));
        if silence.read(now) < SILENCE { None } else { self.buffer.tell() }
    }

    /// Returns after how long at the latest an emit without room has to look again, if nothing changes until then.
    fn look_again(&self, unread: Unread) -> Option<Duration> {
        // Any other task may make a delayed reader blocked, as by taking the last slot.
        if !self.buffer.is_told() || self.delayed_reader.is_some() {
            return Some(STEP);
        }
        // If the patience has just run out, at once.
        (!self.waits_for_good(unread)).then(|| self.patience.left().unwrap_or_default())
    }

    /// Notes that the reader has asked.
    fn reader_asks(&mut self) {
        if let Some(silence) = &mut self.silence {
            *silence = AwakeTime::new(Instant::now(), STEP);
        }
    }

    /// Notes that the reader has gone.
    fn reader_goes(&mut self) {
        self.silence = None;
        self.signs_of_life.wake();
    }
}

impl ItemStream {
    pub(crate) fn new(
        bounds: Bounds,
        unread: Unread,
        task: (Arc<str>, TaskId),
        clock: &Arc<AwakeClock>,
        charge: Option<Arc<Charge>>,
    ) -> Self {
        Self {
            state: Lock::new(StreamState {
                buffer: ItemBuffer::new(bounds),
                patience: Patience::new(Arc::clone(clock)),
                delayed_reader: None,
                signs_of_life: SignsOfLife::default(),
                silence: None,
                charged: 0,
            }),
            bounds,
            unread,
            task,
            readable: Notify::new(),
            writable: Notify::new(),
            readers: Notify::new(),
            is_reader_delayed: AtomicBool::new(false),
            clock: Arc::clone(clock),
            #[cfg(any(test, feature = "test"))]
            recorded_bytes: std::sync::OnceLock::new(),
            charge,
        }
    }

    /// Charges the task for what is in the buffer now. Nothing depends on the charge here: an emit never fails for it.
    fn charge(&self, state: &mut StreamState) {
        let Some(charge) = &self.charge else { return };
        let bytes = state.buffer.bytes();
        let has_settled = bytes == 0 || state.buffer.is_done();
        if bytes != state.charged && (has_settled || bytes.abs_diff(state.charged) >= UNCHARGED) {
            charge.change(state.charged, bytes);
            state.charged = bytes;
        }
    }

    /// Adds all bytes that are emitted from now on to `bytes`.
    #[cfg(any(test, feature = "test"))]
    pub(crate) fn record_bytes(&self, bytes: &RecordedBytes) {
        let _ = self.recorded_bytes.set(Arc::clone(bytes));
    }

    /// Makes the task wait for a reader until its clock shows this, whatever readers came and went before.
    pub(crate) fn begin(&self, until: Duration) {
        self.state.lock().patience.set(until);
        self.writable.notify_waiters();
        self.readers.notify_waiters();
    }

    /// Returns whether the handler has given a sign of life by emitting since the last call, or waits to emit.
    pub(crate) fn take_signs_of_life(&self) -> bool {
        let mut state = self.state.lock();
        let has_to_wait = state.has_to_wait(self.unread);
        state.signs_of_life.look(has_to_wait)
    }

    /// Returns the number of the unit that is emitted next.
    pub(crate) fn next(&self) -> u64 {
        self.state.lock().buffer.next()
    }

    /// Waits until the task has been without a reader for too long. Cancel safe.
    pub(crate) async fn abandoned(&self) {
        let readers = self.readers.notified();
        tokio::pin!(readers);
        loop {
            readers.as_mut().enable();
            let wait = {
                let state = self.state.lock();
                let wait = if state.buffer.has_reader() { None } else { Some(state.patience.left()) };
                match wait {
                    Some(None) => return,
                    wait => wait.flatten(),
                }
            };
            tokio::select! {
                () = readers.as_mut() => readers.set(self.readers.notified()),
                () = wait_for(wait) => {}
            }
        }
    }

    /// Makes waiting emits check again.
    pub(crate) fn wake_emits(&self) {
        self.state.lock().signs_of_life.wake();
        self.writable.notify_waiters();
    }

    /// Notes that the task has ended and emits nothing more. Call [`wake`](Self::wake) afterwards, when no lock is
    /// held.
    pub(crate) fn end(&self) {
        let mut state = self.state.lock();
        state.buffer.end();
        self.charge(&mut state);
    }

    /// Wakes all who wait to read or to emit.
    pub(crate) fn wake(&self) {
        self.readable.notify_waiters();
        self.writable.notify_waiters();
    }

    /// Returns whether it has a reader.
    pub fn is_being_read(&self) -> bool {
        self.state.lock().buffer.has_reader()
    }

    /// Returns whether `reader` is its reader.
    pub fn is_read_by(&self, reader: &str) -> bool {
        self.state.lock().buffer.is_read_by(reader)
    }

    /// How many bytes are kept.
    pub(crate) fn bytes(&self) -> usize {
        self.state.lock().buffer.bytes()
    }

    /// Returns whether an emit waits for room.
    #[cfg(test)]
    pub(crate) fn has_waiting_emit(&self) -> bool {
        self.state.lock().signs_of_life.is_waiting()
    }

    // The reader's side.

    /// Waits for the chunk that is asked for. Cancel safe: the same chunk may be asked for again.
    pub async fn read(&self, ask: Ask<'_>) -> Result<Chunk, ReadRefusal> {
        let readable = self.readable.notified();
        tokio::pin!(readable);
        loop {
            readable.as_mut().enable();
            if let Some(chunk) = self.ask(ask)? {
                return Ok(chunk);
            }
            let _under_way = UnderWay::new(self, ask.reader);
            readable.as_mut().await;
            readable.set(self.readable.notified());
        }
    }

    fn ask(&self, ask: Ask<'_>) -> Result<Option<Chunk>, ReadRefusal> {
        let mut state = self.state.lock();
        let (before, had_reader) = (state.buffer.bytes(), state.buffer.has_reader());
        let chunk = state.buffer.ask(ask)?;
        state.reader_asks();
        self.charge(&mut state);
        // If all kept units are frozen now, the buffer takes another one even if it is full.
        let made_room = state.buffer.bytes() < before || chunk.is_some();
        if made_room {
            state.signs_of_life.wake();
        }
        drop(state);
        if made_room {
            self.writable.notify_waiters();
        }
        if !had_reader {
            self.readers.notify_waiters();
        }
        if chunk.is_some() {
            // Wake the request for the next chunk, which may have arrived earlier.
            self.readable.notify_waiters();
        }
        Ok(chunk)
    }

    /// Notes that the reader, the task `reader`, has items but waits for its own slots. `is_blocked` says whether it
    /// waits because this task has a slot.
    pub(crate) fn reader_is_delayed(&self, reader: TaskId, is_blocked: Arc<dyn Fn() -> bool + Send + Sync>) {
        self.set_delayed_reader(Some(DelayedReader { id: reader, is_blocked }));
    }

    /// Makes waiting emits see whether the delayed reader is blocked. It isn't before it has begun to wait for its slots,
    /// which it does only after it is known as delayed.
    pub(crate) fn reader_wants_slots(&self) {
        if self.is_reader_delayed.load(Relaxed) {
            self.writable.notify_waiters();
        }
    }

    /// Undoes [`reader_is_delayed`](Self::reader_is_delayed).
    pub(crate) fn reader_goes_on(&self) {
        self.set_delayed_reader(None);
        self.writable.notify_waiters();
    }

    fn set_delayed_reader(&self, reader: Option<DelayedReader>) {
        self.is_reader_delayed.store(reader.is_some(), Relaxed);
        let before = std::mem::replace(&mut self.state.lock().delayed_reader, reader);
        drop(before);
    }

    /// Removes the reader, which has stopped. All units before number `position` count as read, and the handler doesn't
    /// wait for another reader.
    pub fn stop(&self, reader: &str, position: u64) {
        let mut state = self.state.lock();
        if state.buffer.stop(reader, position) {
            state.patience.end();
        }
        state.reader_goes();
        self.charge(&mut state);
        drop(state);
        self.reader_went();
    }

    /// If the reader has something to ask for and does not, returns a number that remains the same until it asks.
    pub(crate) fn idles(&self) -> Option<u64> {
        self.state.lock().buffer.idles()
    }

    /// Takes the reader for gone if it has not asked since [`idles`](Self::idles) returned this number. The handler doesn't
    /// wait for another reader.
    pub(crate) fn lose_idle(&self, asks: u64) {
        let mut state = self.state.lock();
        if !state.buffer.lose_idle(asks) {
            return;
        }
        state.patience.end();
        state.reader_goes();
        drop(state);
        self.reader_went();
    }

    /// Removes the reader, which was lost with its owner. The handler waits for another one only if the owner is
    /// `reloading`.
    pub fn lose(&self, reader: &str, reloading: bool) {
        let until = reloading.then(|| self.clock.count_for(patience::LENGTH));
        let mut state = self.state.lock();
        if state.buffer.lose(reader) {
            match until {
                Some(until) => state.patience.set(until),
                None => state.patience.end(),
            }
        }
        state.reader_goes();
        drop(state);
        self.reader_went();
    }

    fn reader_went(&self) {
        self.writable.notify_waiters();
        self.readable.notify_waiters();
        self.readers.notify_waiters();
    }
}

/// A request of a reader that waits for an answer, until this is dropped.
struct UnderWay<'a> {
    stream: &'a ItemStream,
    /// The number of the reader; `None` if it has gone.
    reader: Option<u64>,
}

impl<'a> UnderWay<'a> {
    fn new(stream: &'a ItemStream, reader: &str) -> Self {
        let reader = stream.state.lock().buffer.begin_wait(reader);
        Self { stream, reader }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut state = self.stream.state.lock();
        if state.buffer.end_wait(self.reader) {
            state.reader_asks();
        }
    }
}

async fn wait_for(length: Option<Duration>) {
    match length {
        Some(length) => sleep(length).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_emit_whose_patience_runs_out_between_two_looks_at_it_looks_again_at_once() {
        let clock = patience::clock(Handle::current());
        let task = (Arc::from("kind"), TaskId::new());
        let stream = ItemStream::new(Bounds::default(), Unread::DropOldest, task, &clock, None);
        stream.begin(clock.count_for(Duration::from_secs(10)));
        let look_again = |unread| stream.state.lock().look_again(unread);
        assert_eq!(look_again(Unread::DropOldest), Some(Duration::from_secs(10)));
        sleep(Duration::from_secs(10)).await;
        assert!(!stream.state.lock().has_to_wait(Unread::DropOldest));
        assert_eq!(look_again(Unread::DropOldest), Some(Duration::ZERO));
        assert_eq!(look_again(Unread::Wait), None, "it waits for a reader, however long that takes");
    }
}
