//! Passes a task's items from its handler to its reader. The handler waits while the [`buffer`](super::buffer) is full,
//! and the reader waits while it is empty. All decisions are the buffer's; this module adds the waiting.
//!
//! Invariants:
//! - an emit waits only while the handler lives and was not told to stop;
//! - an emit that *gives up* has emitted nothing of what was left. In the handler's own future it waits from then on,
//!   and the supervisor drops the handler. Everywhere else it returns at once, so that no leftover of a handler waits
//!   for something that never comes. So it does if the handler blocks its thread on it;
//! - if the reader is the task that has started this one, and can't go on because this one holds a slot that it needs, an
//!   emit in the handler's own future lends the slots until the reader has gone on;
//! - an item that can't be delivered at all fails the attempt, except where the caller is told of it (`try_…`).

use std::{
    cell::Cell,
    fmt,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};

use serde::Serialize;
use tokio::{
    sync::Notify,
    task::coop,
    time::{Instant, sleep},
};

use super::{
    buffer::{Ask, Chunk, ItemBuffer, ReadRefusal},
    patience::{self, Patience},
    segment::CHUNK_BYTES,
    signs_of_life::{SignsOfLife, Wait},
};
use crate::{
    clock::{awake_clock::AwakeClock, awake_time::AwakeTime},
    error::{Error, error_kind::ErrorKind, refusal::Refusal},
    lock::{ITEMS, Lock},
    policy::{item_buffer::Bounds, unread::Unread},
    task::{attempt::Attempt, current::Current, id::TaskId, outcome::TaskFailure, waiting::lend_while},
};

/// How long a handler waits for a reader that does not ask before the log says so.
const SILENCE: Duration = Duration::from_secs(60);
/// How often a handler that waits for a reader counts the time in which it does not ask.
const STEP: Duration = Duration::from_millis(7_500);

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
}

#[derive(Debug)]
struct StreamState {
    buffer: ItemBuffer,
    /// How much longer the task waits for a reader, if it has none.
    patience: Patience,
    delayed_reader: Option<DelayedReader>,
    signs_of_life: SignsOfLife,
    /// The time in which an emit waits for the reader and the reader does not ask.
    silence: Option<AwakeTime>,
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
    /// Emits if there is room, or if room has to be made. Returns whether it has emitted.
    fn put(&mut self, unit: Emission<'_>, attempt: u32, unread: Unread) -> bool {
        if unit.push(&mut self.buffer, attempt) {
            return true;
        }
        let has_to_wait = self.has_to_wait(unread);
        if !has_to_wait {
            self.buffer.make_room(unit.len());
            // There is room now, so this succeeds.
            let _ = unit.push(&mut self.buffer, attempt);
        }
        !has_to_wait
    }

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
        if !self.buffer.is_told() {
            return Some(STEP);
        }
        if self.waits_for_good(unread) { None } else { self.patience.left() }
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

/// Data to emit.
#[derive(Debug, Clone, Copy)]
enum Emission<'a> {
    Item(&'a [u8]),
    Bytes(&'a [u8]),
}

impl Emission<'_> {
    fn len(self) -> usize {
        let (Self::Item(data) | Self::Bytes(data)) = self;
        data.len()
    }

    fn push(self, buffer: &mut ItemBuffer, attempt: u32) -> bool {
        match self {
            Self::Item(json) => buffer.push_item(json, attempt),
            Self::Bytes(bytes) => buffer.push_bytes(bytes, attempt),
        }
    }
}

impl ItemStream {
    pub(crate) fn new(bounds: Bounds, unread: Unread, task: (Arc<str>, TaskId), clock: &Arc<AwakeClock>) -> Self {
        Self {
            state: Lock::new(StreamState {
                buffer: ItemBuffer::new(bounds),
                patience: Patience::new(Arc::clone(clock)),
                delayed_reader: None,
                signs_of_life: SignsOfLife::default(),
                silence: None,
            }),
            bounds,
            unread,
            task,
            readable: Notify::new(),
            writable: Notify::new(),
            readers: Notify::new(),
            is_reader_delayed: AtomicBool::new(false),
            clock: Arc::clone(clock),
        }
    }

    /// Makes the task wait for a reader until its clock shows this, whatever readers came and went before.
    pub(crate) fn begin(&self, until: Duration) {
        self.state.lock().patience.set(until);
        self.writable.notify_waiters();
        self.readers.notify_waiters();
    }

    // The handler's side.

    /// Waits for room and emits the item, or gives up. Returns whether the item was emitted. Cancel safe: the item is
    /// either emitted or not.
    pub(crate) async fn emit<I: Serialize>(&self, item: I, attempt: &Attempt) -> bool {
        let Err(why) = self.try_emit(item, attempt).await else { return true };
        fail_with(&why, attempt);
        self.give_up(attempt).await;
        false
    }

    pub(crate) async fn try_emit<I: Serialize>(&self, item: I, attempt: &Attempt) -> Result<(), Error> {
        let json = self.write(&item).inspect_err(|_| self.note_refused(attempt))?;
        // Otherwise the handler's future would hold the item while it waits.
        drop(item);
        self.put(Emission::Item(&json.0), attempt).await
    }

    /// Fails if nothing more can be emitted.
    pub(crate) fn blocking_emit(&self, item: &impl Serialize, attempt: &Attempt) -> Result<(), Error> {
        let emitted = self.write(item).and_then(|json| self.blocking_put(Emission::Item(&json.0), attempt));
        emitted.inspect_err(|why| fail_with(why, attempt))
    }

    pub(crate) async fn emit_bytes(&self, bytes: &[u8], attempt: &Attempt) -> bool {
        let emitted = self.try_emit_bytes(bytes, attempt).await.is_ok();
        if !emitted {
            self.give_up(attempt).await;
        }
        emitted
    }

    pub(crate) async fn try_emit_bytes(&self, bytes: &[u8], attempt: &Attempt) -> Result<(), Error> {
        for piece in self.pieces(bytes) {
            self.put(Emission::Bytes(piece), attempt).await?;
        }
        Ok(())
    }

    pub(crate) fn blocking_emit_bytes(&self, bytes: &[u8], attempt: &Attempt) -> Result<(), Error> {
        self.pieces(bytes).try_for_each(|piece| self.blocking_put(Emission::Bytes(piece), attempt))
    }

    /// In the handler's own future, waits to be dropped with the handler. Elsewhere, and if the handler blocks its thread
    /// on this, lets others run and returns.
    async fn give_up(&self, attempt: &Attempt) {
        let Some(mut given_up) = attempt.give_up() else {
            // A leftover that emits in a loop must not keep a worker to itself.
            yield_once().await;
            return;
        };
        // If the emit was moved out of the handler meanwhile, it returns when the handler is over.
        let mut over = pin!(self.over(attempt));
        poll_fn(|context| if given_up.is_blocked_on(context) { Poll::Ready(()) } else { over.as_mut().poll(context) })
            .await;
    }

    /// Waits until the handler is over.
    async fn over(&self, attempt: &Attempt) {
        let writable = self.writable.notified();
        tokio::pin!(writable);
        loop {
            writable.as_mut().enable();
            if attempt.is_over() {
                return;
            }
            writable.as_mut().await;
            writable.set(self.writable.notified());
        }
    }

    fn write(&self, item: &impl Serialize) -> Result<Scratch, Error> {
        let json = Scratch::write(item)?;
        if json.0.len() > self.bounds.bytes {
            return Err(Refusal::ItemTooLarge { size: json.0.len(), limit: self.bounds.bytes }.into());
        }
        Ok(json)
    }

    /// Notes that the handler has tried to emit something that can't be emitted, and may go on.
    fn note_refused(&self, attempt: &Attempt) {
        let mut state = self.state.lock();
        if !attempt.is_over() {
            state.signs_of_life.emits();
        }
    }

    /// No bytes are one piece, so that emitting them is like emitting any others.
    fn pieces<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let none = bytes.is_empty().then_some(bytes);
        none.into_iter().chain(bytes.chunks(self.bounds.bytes.clamp(1, CHUNK_BYTES)))
    }

    fn blocking_put(&self, unit: Emission<'_>, attempt: &Attempt) -> Result<(), Error> {
        match self.try_put(unit, attempt, None)? {
            Ok(()) => Ok(()),
            Err(_) => tokio::runtime::Handle::current().block_on(self.put(unit, attempt)),
        }
    }

    async fn put(&self, unit: Emission<'_>, attempt: &Attempt) -> Result<(), Error> {
        // A handler that emits all the time must not keep other work from running.
        take_turns().await;
        self.let_the_reader_go_on(attempt).await;
        if self.try_put(unit, attempt, None)?.is_ok() {
            return Ok(());
        }
        coop::unconstrained(self.wait_to_put(unit, attempt)).await
    }

    async fn wait_to_put(&self, unit: Emission<'_>, attempt: &Attempt) -> Result<(), Error> {
        let writable = self.writable.notified();
        tokio::pin!(writable);
        let mut waiting = Waiting { stream: self, wait: Wait::default() };
        loop {
            // Register before the check, so that room that is made in between is not missed.
            writable.as_mut().enable();
            let Err(look_again) = self.try_put(unit, attempt, Some(&mut waiting.wait))? else { return Ok(()) };
            if self.let_the_reader_go_on(attempt).await {
                writable.set(self.writable.notified());
                continue;
            }
            tokio::select! {
                () = writable.as_mut() => writable.set(self.writable.notified()),
                () = wait_for(look_again) => {}
                () = attempt.stopped() => return Err(stopped()),
            }
        }
    }

    /// Lends the task's slots to the reader, if that can't go on without them. Returns whether it did. Does nothing if it
    /// doesn't run in the handler's own future, or if the handler blocks its thread on it.
    async fn let_the_reader_go_on(&self, attempt: &Attempt) -> bool {
        if !self.is_reader_delayed.load(Relaxed) || attempt.is_stopped() {
            return false;
        }
        let is_own = |current: &Current| current.polls(attempt);
        let reader = self.state.lock().delayed_reader.clone();
        let Some(reader) =
            reader.filter(|reader| Current::here().is_some_and(|it| is_own(&it)) && (reader.is_blocked)())
        else {
            return false;
        };
        // What blocks on this polls it again without a new poll of the handler. Then no slot could be lent.
        let polls = attempt.polls();
        yield_once().await;
        if attempt.polls() == polls {
            return false;
        }
        coop::unconstrained(lend_while(reader.id, is_own, |_| {}, self.has_gone_on(attempt))).await;
        true
    }

    /// Waits until no reader is delayed, or the task has to stop.
    async fn has_gone_on(&self, attempt: &Attempt) {
        let writable = self.writable.notified();
        tokio::pin!(writable);
        loop {
            writable.as_mut().enable();
            if !self.is_reader_delayed.load(Relaxed) {
                return;
            }
            tokio::select! {
                () = writable.as_mut() => writable.set(self.writable.notified()),
                () = attempt.stopped() => return,
            }
        }
    }

    /// Emits if there is room. If the caller has to wait, returns `Ok(Err(wait))`: how long at the longest before it
    /// tries again, or `None` if there is no such time. If it waits already, `wait` notes so.
    fn try_put(
        &self,
        unit: Emission<'_>,
        attempt: &Attempt,
        wait: Option<&mut Wait>,
    ) -> Result<Result<(), Option<Duration>>, Error> {
        let mut state = self.state.lock();
        if attempt.is_over() || state.buffer.is_done() {
            return Err(stopped());
        }
        if state.put(unit, attempt.number, self.unread) {
            state.signs_of_life.emits();
            state.silence = None;
            drop(state);
            self.readable.notify_waiters();
            return Ok(Ok(()));
        }
        if let Some(wait) = wait {
            state.signs_of_life.waits(wait);
        }
        let silent = state.count_silence();
        let look_again = state.look_again(self.unread);
        drop(state);
        if let Some(label) = silent {
            self.warn_of_silence(&label);
        }
        Ok(Err(look_again))
    }

    fn warn_of_silence(&self, label: &str) {
        tracing::warn!(
            task = &*self.task.0,
            id = %self.task.1,
            reader = label,
            "a task waits for its reader, which has not asked for anything in the last minute; it goes on waiting until \
             the reading goes on or ends: break out of its loop or cancel its stream, or set Task::idle_reader to have \
             such a reader taken for gone"
        );
    }

    /// Returns whether the handler has given a sign of life by emitting since the last call, or waits to emit.
    pub(crate) fn take_signs_of_life(&self) -> bool {
        let mut state = self.state.lock();
        let has_to_wait = state.has_to_wait(self.unread);
        state.signs_of_life.look(has_to_wait)
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
        self.state.lock().buffer.end();
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

    /// Undoes [`reader_is_delayed`](Self::reader_is_delayed).
    pub(crate) fn reader_goes_on(&self) {
        self.set_delayed_reader(None);
    }

    fn set_delayed_reader(&self, reader: Option<DelayedReader>) {
        self.is_reader_delayed.store(reader.is_some(), Relaxed);
        let before = std::mem::replace(&mut self.state.lock().delayed_reader, reader);
        drop(before);
        self.writable.notify_waiters();
    }

    /// Removes the reader, which has stopped. All units before number `position` count as read, and the handler doesn't
    /// wait for another reader.
    pub fn stop(&self, reader: &str, position: u64) {
        let mut state = self.state.lock();
        if state.buffer.stop(reader, position) {
            state.patience.end();
        }
        state.reader_goes();
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

/// An emit that waits, until this is dropped.
struct Waiting<'a> {
    stream: &'a ItemStream,
    wait: Wait,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.stream.state.lock().signs_of_life.ends(&self.wait);
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

/// Lets other tasks run if this one has used its share of its worker's time.
///
/// Where a thread is blocked inside of a tokio task, tokio's own way to wait for the next share never ends, because that
/// share comes only when the task returns.
async fn take_turns() {
    if coop::has_budget_remaining() {
        coop::consume_budget().await;
    } else {
        yield_once().await;
    }
}

/// Returns `Pending` once, and is ready to be polled again at once.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn wait_for(length: Option<Duration>) {
    match length {
        Some(length) => sleep(length).await,
        None => std::future::pending().await,
    }
}

/// Fails the attempt if the item itself is `why` it was not emitted.
fn fail_with(why: &Error, attempt: &Attempt) {
    if why.kind != ErrorKind::Stopped {
        attempt.fail(|| TaskFailure::of_value(why));
    }
}

fn stopped() -> Error {
    Refusal::Stopped.into()
}

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// An item as JSON, in a buffer that the next item on this thread reuses.
struct Scratch(Vec<u8>);

impl Scratch {
    /// Writes an item as JSON. Don't call it under a lock: the item's `Serialize` is the app's code.
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
        if self.0.capacity() <= CHUNK_BYTES {
            SCRATCH.set(std::mem::take(&mut self.0));
        }
    }
}
