//! What a handler reports: its progress and its items.

use std::{
    mem, ptr,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use tokio::time::Instant;

use super::{Counting, Record};
use crate::{
    error::Error,
    items::stream::ItemStream,
    logged::logged,
    policy::Policy,
    progress::{cell::Sampled, conflation::Due},
    task::{attempt::Attempt, outcome::TaskFailure},
};

impl Record {
    /// Warns of the first detail that is left out.
    pub(crate) fn warn_of_detail(&self, why: &Error) {
        if !self.warned_of_detail.swap(true, Relaxed) {
            tracing::warn!(
                task = logged(self.name()),
                id = %self.id,
                "a progress detail is left out: {}; ProgressReporter::try_detail returns this error",
                logged(why),
            );
        }
    }

    /// Warns of the first emit of an attempt that was discarded in code which may not notice: a leftover of the handler, or
    /// a handler that blocks its thread.
    pub(crate) fn warn_of_discard(&self, attempt: &Attempt) {
        let why = if attempt.is_over() {
            "its handler has ended, but something that it left behind still emits; end that as well, for example when \
             TaskContext::try_emit fails"
        } else if attempt.is_polled_here() {
            "its handler blocks its thread on TaskContext::emit; await it, or call TaskContext::blocking_emit"
        } else {
            return;
        };
        if attempt.warns_of_discard() {
            tracing::warn!(task = logged(self.name()), id = %self.id, "an emit of a task is discarded: {why}");
        }
    }

    /// Tells of a report of an attempt. If it is the first count of the attempt, that began with `start`.
    #[inline]
    pub(crate) fn tell_if(self: &Arc<Self>, attempt: &Attempt, due: Due, start: u64) {
        if due.is_due() {
            self.tell(attempt, due, start);
        }
    }

    #[cold]
    fn tell(self: &Arc<Self>, attempt: &Attempt, due: Due, start: u64) {
        let Some(attempt) = self.attempt().filter(|current| ptr::eq(&raw const **current, attempt)) else {
            // A leftover, whose reports nobody reads.
            return;
        };
        // The sampler first: the watchers, such as a batch, find what the attempt began with.
        if due.sampler && attempt.progress.enlist(Instant::now(), start) {
            self.common.sampler.add((Arc::downgrade(self), Arc::downgrade(&attempt)));
        }
        if due.watchers {
            self.tell_watchers(&attempt);
        }
    }

    /// Tells the watchers of new progress of an attempt, unless it is over.
    fn tell_watchers(self: &Arc<Self>, attempt: &Arc<Attempt>) {
        self.step(|state, effects| {
            if state.live.attempt.as_ref().is_some_and(|current| Arc::ptr_eq(current, attempt)) {
                self.mark(state, effects);
            }
        });
    }

    /// Takes a sample of the progress of an attempt. Returns whether to sample it again.
    pub(crate) fn sample((record, attempt): &Counting) -> bool {
        let Some((record, attempt)) = record.upgrade().zip(attempt.upgrade()) else { return false };
        match attempt.progress.sample(Instant::now()) {
            Sampled::LetGo => false,
            Sampled::GoOn(due) => {
                if due.is_some_and(|due| due.watchers) {
                    record.tell_watchers(&attempt);
                }
                true
            }
        }
    }

    /// Returns whether the handler has given a sign of life since the last call: a report of progress, an item, or the time
    /// that it spends waiting to emit one. `reports` keeps what the attempt had reported at that call.
    pub(crate) fn take_signs_of_life(&self, reports: &mut u64) -> bool {
        let emits = self.items.get().is_some_and(|items| items.take_signs_of_life());
        let now = self.attempt().map_or(*reports, |attempt| attempt.progress.reports());
        mem::replace(reports, now) != now || emits
    }

    /// Returns its items, which the first call creates.
    pub fn items(&self) -> &ItemStream {
        let mut is_new = false;
        let items = self.items.get_or_init(|| {
            is_new = true;
            let Policy { item_buffer, unread, .. } = self.kind.policy;
            let task = (Arc::clone(&self.kind.name), self.id);
            let charge = self.charge.get().cloned();
            Box::new(ItemStream::new(item_buffer, unread, task, &self.common.patience, charge))
        });
        if !is_new {
            return items;
        }
        // If the task begins or ends at the same time, either this sees that, or that sees the new stream.
        let (waits_until, is_over) = {
            let state = self.state.lock();
            (state.waits_for_readers_until, state.life.status().is_final())
        };
        if let Some(until) = waits_until {
            items.begin(until);
        }
        if is_over {
            items.end();
            // Another caller may have got the stream before it was ended, and may be waiting for items.
            items.wake();
        }
        items
    }

    /// Notes that the handler has returned `Pending`.
    pub(crate) fn attempt_waits(&self, attempt: &Attempt) {
        attempt.waits();
        self.ended.notify_waiters();
    }

    /// Notes that the handler is over. Its leftovers must no longer wait to emit, since the attempt waits for them.
    /// Returns why the attempt fails, whatever the handler has returned.
    pub(crate) fn handler_is_over(&self, attempt: &Attempt) -> Option<TaskFailure> {
        let failure = attempt.end();
        if let Some(items) = self.items.get() {
            items.wake_emits();
        }
        failure
    }

    /// Tells its emits that tasks which await it want slots back. One of these may be its reader.
    pub(crate) fn reader_wants_slots(&self) {
        if let Some(items) = self.items.get() {
            items.reader_wants_slots();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread, time::Duration};

    use futures_util::poll;
    use tokio::time::timeout;

    use crate::{
        Failure, TaskContext,
        delivery::{Ask, Settings, WINDOW, engine},
        test::manager,
    };

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_finds_the_new_stream_of_an_ended_task_before_it_ends_is_woken() {
        let tasks = manager([], Settings::default());
        let task = tasks.spawn("ends", |_: TaskContext| async { Ok::<_, Failure>(()) });
        task.outcome().await;
        let record = engine(&tasks).find(task.id()).unwrap();
        // While this lock is held, the thread that makes the stream can't end it.
        let state = record.state.lock();
        let maker = thread::spawn({
            let record = Arc::clone(&record);
            move || {
                record.items();
            }
        });
        while record.items.get().is_none() {
            thread::yield_now();
        }
        let items = record.items.get().unwrap();
        let mut read = Box::pin(items.read(Ask { reader: "r", label: "r", chunk: 1, from: None, holds: WINDOW }));
        assert!(poll!(&mut read).is_pending());
        drop(state);
        maker.join().unwrap();
        let chunk = timeout(Duration::from_secs(60), read).await.expect("it was woken").unwrap();
        assert!(chunk.done);
    }
}
