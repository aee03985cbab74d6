//! The handler's side of its items: it emits them, and waits for room.
//!
//! Invariants:
//! - an emit waits only while the handler lives and was not told to stop;
//! - an emit that *gives up* has emitted nothing of what was left. In the handler's own future it waits from then on,
//!   and the supervisor drops the handler. Everywhere else it returns at once, so that no leftover of a handler waits
//!   for something that never comes. So it does if the handler blocks its thread on it;
//! - if the reader is the task that has started this one, and can't go on because this one holds a slot that it needs, an
//!   emit in the handler's own future lends the slots until the reader has gone on;
//! - an item that can't be delivered at all fails the attempt, except where the caller is told of it (`try_…`).

use std::{future::poll_fn, pin::pin, sync::atomic::Ordering::Relaxed, task::Poll, time::Duration};

use serde::Serialize;
use tokio::task::coop;

use super::{ItemStream, StreamState, scratch::Scratch, wait_for};
use crate::{
    error::{Error, error_kind::ErrorKind, refusal::Refusal},
    items::{buffer::ItemBuffer, segment::CHUNK_BYTES, signs_of_life::Wait},
    logged::logged,
    policy::unread::Unread,
    task::{attempt::Attempt, current::Current, outcome::TaskFailure, waiting::lend_while},
};

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
}

impl ItemStream {
    /// Waits for room and emits the item, or gives up. Returns the item's number if it was emitted. Cancel safe: the item
    /// is either emitted or not.
    pub(crate) async fn emit<I: Serialize>(&self, item: I, attempt: &Attempt) -> Option<u64> {
        let why = match self.try_emit(item, attempt).await {
            Ok(number) => return Some(number),
            Err(why) => why,
        };
        fail_with(&why, attempt);
        self.give_up(attempt).await;
        None
    }

    pub(crate) async fn try_emit<I: Serialize>(&self, item: I, attempt: &Attempt) -> Result<u64, Error> {
        let scratch = self.write(&item).inspect_err(|_| self.note_refused(attempt))?;
        // Otherwise the handler's future would hold the item while it waits.
        drop(item);
        self.put(Emission::Item(scratch.json()), attempt).await
    }

    /// Returns the item's number. Fails if nothing more can be emitted.
    pub(crate) fn blocking_emit(&self, item: &impl Serialize, attempt: &Attempt) -> Result<u64, Error> {
        let emitted = self.write(item).and_then(|scratch| self.blocking_put(Emission::Item(scratch.json()), attempt));
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
        self.pieces(bytes).try_for_each(|piece| self.blocking_put(Emission::Bytes(piece), attempt).map(drop))
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
        let scratch = Scratch::write(item)?;
        let size = scratch.json().len();
        if size > self.bounds.bytes {
            return Err(Refusal::ItemTooLarge { size, limit: self.bounds.bytes }.into());
        }
        Ok(scratch)
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

    fn blocking_put(&self, unit: Emission<'_>, attempt: &Attempt) -> Result<u64, Error> {
        match self.try_put(unit, attempt, None)? {
            Ok(number) => Ok(number),
            Err(_) => tokio::runtime::Handle::current().block_on(self.put(unit, attempt)),
        }
    }

    async fn put(&self, unit: Emission<'_>, attempt: &Attempt) -> Result<u64, Error> {
        // A handler that emits all the time must not keep other work from running.
        take_turns().await;
        self.let_the_reader_go_on(attempt).await;
        if let Ok(number) = self.try_put(unit, attempt, None)? {
            return Ok(number);
        }
        coop::unconstrained(self.wait_to_put(unit, attempt)).await
    }

    async fn wait_to_put(&self, unit: Emission<'_>, attempt: &Attempt) -> Result<u64, Error> {
        let writable = self.writable.notified();
        tokio::pin!(writable);
        let mut waiting = Waiting { stream: self, wait: Wait::default() };
        loop {
            // Register before the check, so that room that is made in between is not missed.
            writable.as_mut().enable();
            let look_again = match self.try_put(unit, attempt, Some(&mut waiting.wait))? {
                Ok(number) => return Ok(number),
                Err(look_again) => look_again,
            };
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

    /// Emits if there is room, and returns the number of the first unit. If the caller has to wait, returns `Ok(Err(wait))`:
    /// how long at the longest before it tries again, or `None` if there is no such time. If it waits already, `wait` notes
    /// so.
    fn try_put(
        &self,
        unit: Emission<'_>,
        attempt: &Attempt,
        wait: Option<&mut Wait>,
    ) -> Result<Result<u64, Option<Duration>>, Error> {
        let mut state = self.state.lock();
        if attempt.is_over() || state.buffer.is_done() {
            return Err(stopped());
        }
        let number = state.buffer.next();
        if state.put(unit, attempt.number, self.unread) {
            state.signs_of_life.emits();
            state.silence = None;
            #[cfg(any(test, feature = "test"))]
            self.record(unit);
            self.charge(&mut state);
            drop(state);
            self.readable.notify_waiters();
            return Ok(Ok(number));
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

    /// Call it under the lock, so that the bytes are recorded in their order.
    #[cfg(any(test, feature = "test"))]
    fn record(&self, unit: Emission<'_>) {
        if let (Emission::Bytes(bytes), Some(recorded)) = (unit, self.recorded_bytes.get()) {
            recorded.lock().extend_from_slice(bytes);
        }
    }

    fn warn_of_silence(&self, label: &str) {
        tracing::warn!(
            task = logged(&self.task.0),
            id = %self.task.1,
            reader = logged(label),
            "a task waits for its reader, which has not asked for anything in the last minute; it goes on waiting until \
             the reading goes on or ends, or for as long as Task::idle_reader allows, if that is set: break out of its \
             loop or cancel its stream"
        );
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

/// Fails the attempt if the item itself is `why` it was not emitted.
fn fail_with(why: &Error, attempt: &Attempt) {
    if why.kind != ErrorKind::Stopped {
        attempt.fail(|| TaskFailure::of_value(why));
    }
}

fn stopped() -> Error {
    Refusal::Stopped.into()
}
