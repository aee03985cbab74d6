//! How Rust code awaits a task: a handler lends its slots meanwhile. A wait that can't be seen to be a handler's own, and
//! that a slot of the task keeps from ending, is told in the log.

use std::{future::poll_fn, pin::pin, sync::Arc};

use tokio_util::task::AbortOnDropHandle;

use super::{
    Record,
    blocked::{tell_if_blocked, tell_if_stuck},
    follower::Follower,
    starter::Starter,
};
use crate::task::{current::Current, id::TaskId, waiting::lend_while};

impl Follower {
    /// Awaits `wait`, for something of the task. If the code of a handler awaits a task that it has started, it lends its
    /// slots meanwhile. As cancel safe as `wait`, if what `wait` returns may be dropped.
    pub(crate) async fn awaits<T>(&self, wait: impl Future<Output = T>) -> T {
        self.awaits_with(wait, |_| {}).await
    }

    /// Like [`awaits`](Self::awaits), for a reader of the task's items. While it waits for its own slots with items in
    /// its hands, the task lends it the slots that it needs, at its next emit.
    pub(crate) async fn awaits_items<T>(&self, read: impl Future<Output = T>) -> T {
        let mut delayed = None;
        self.awaits_with(read, |current| delayed = Some(DelayedReader::new(self.record(), current.id))).await
    }

    async fn awaits_with<T>(&self, wait: impl Future<Output = T>, delayed: impl FnOnce(&Current)) -> T {
        let record = self.record();
        let lends = |current: &Current| self.is_started_by(current.id);
        let mut wait = pin!(lend_while(record.id, lends, delayed, wait));
        let (mut watched, mut lender) = (None, None);
        poll_fn(|context| {
            let polled = wait.as_mut().poll(context);
            if polled.is_pending() && watched.is_none() {
                watched = Some(self.watch_the_limits());
                lender = Current::here().filter(lends).map(|current| record.lenders().add(current.id));
            }
            polled
        })
        .await
    }

    /// Watches a wait that has just begun. Drop what it returns when the wait is over.
    fn watch_the_limits(&self) -> Option<AbortOnDropHandle<()>> {
        let record = self.record();
        let current = Current::here();
        let lends = |current: &Current| current.polled.is_some() && self.is_started_by(current.id);
        // A handler that lends its slots keeps the task from running only if it blocks its thread.
        if current.as_ref().is_some_and(lends) && !record.may_be_in_a_queue() {
            return None;
        }
        let here = current.map(|Current { id, name, .. }| Starter { id, name });
        let mut holders: Vec<_> = here.into_iter().chain(self.starters().cloned()).collect();
        holders.dedup_by_key(|holder| holder.id);
        holders.retain(|holder| holder.id != record.id);
        let (awaited, control) = (Arc::clone(record), &record.common.control);
        if !holders.is_empty() {
            let own = self.starters().map(|starter| starter.id).collect();
            return Some(AbortOnDropHandle::new(control.spawn(tell_if_blocked(awaited, holders, own))));
        }
        let waits = record.may_be_in_a_queue() && record.waits_for_a_slot();
        waits.then(|| AbortOnDropHandle::new(control.spawn(tell_if_stuck(awaited))))
    }
}

/// The reader of a task, while it waits for its own slots with items in its hands.
struct DelayedReader {
    of: Arc<Record>,
}

impl DelayedReader {
    fn new(of: &Arc<Record>, reader: TaskId) -> Self {
        let (common, id) = (Arc::clone(&of.common), of.id);
        let is_blocked = move || common.admission.lock().is_blocked_by(reader, id).is_some();
        of.items().reader_is_delayed(reader, Arc::new(is_blocked));
        Self { of: Arc::clone(of) }
    }
}

impl Drop for DelayedReader {
    fn drop(&mut self) {
        // The task has lent its slots for this, and gets them back in its old place.
        self.of.common.admission.lock().reclaim_slot(self.of.id);
        self.of.items().reader_goes_on();
    }
}
