//! How Rust code awaits a task: a handler lends its slots meanwhile. A wait that may never end is told in the log:
//! because of a slot that its task keeps, or because tasks wait for each other.

use std::{future::poll_fn, pin::pin, sync::Arc};

use tokio_util::task::AbortOnDropHandle;

use super::{
    Record,
    blocked::{Suspect, tell_if_blocked, tell_if_stuck},
    follower::Follower,
    known_waits::{By, Known},
    lenders::Lender,
    ring::{Ring, tell_if_in_a_ring},
};
use crate::task::{current::Current, id::TaskId, waiting::lend_while};

/// What code waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    End,
    Change,
    Items,
}

impl Follower {
    /// Awaits `wait`, for the end of the task. If the code of a handler awaits a task that it has started, it lends its
    /// slots meanwhile. As cancel safe as `wait`, if what `wait` returns may be dropped.
    pub(crate) async fn awaits_the_end<T>(&self, wait: impl Future<Output = T>) -> T {
        self.awaits_with(wait, For::End, |_| {}).await
    }

    /// Like [`awaits_the_end`](Self::awaits_the_end), for a change of the task.
    pub(crate) async fn awaits_a_change<T>(&self, wait: impl Future<Output = T>) -> T {
        self.awaits_with(wait, For::Change, |_| {}).await
    }

    /// Like [`awaits_the_end`](Self::awaits_the_end), for a reader of the task's items. While it waits for its own slots
    /// with items in its hands, the task lends it the slots that it needs, at its next emit.
    pub(crate) async fn awaits_items<T>(&self, read: impl Future<Output = T>) -> T {
        let mut delayed = None;
        let wait = |current: &Current| delayed = Some(DelayedReader::new(self.record(), current.id));
        self.awaits_with(read, For::Items, wait).await
    }

    async fn awaits_with<T>(&self, wait: impl Future<Output = T>, what: For, delayed: impl FnOnce(&Current)) -> T {
        let lends = |current: &Current| self.is_started_by(current.id);
        let mut wait = pin!(lend_while(self.record().id, lends, delayed, wait));
        let mut seen: Option<Seen> = None;
        poll_fn(|context| {
            let polled = wait.as_mut().poll(context);
            if polled.is_pending() {
                // It may be polled in the handler now and elsewhere the next time.
                let here = Current::here();
                match seen.as_ref().filter(|seen| seen.is_of(here.as_ref())) {
                    Some(seen) => seen.polled(),
                    None => seen = Some(self.see(here, what)),
                }
            }
            polled
        })
        .await
    }

    /// Notes a wait that has just begun, and watches it if it may never end.
    fn see(&self, here: Option<Current>, what: For) -> Seen {
        let record = self.record();
        let lends = here.as_ref().is_some_and(|it| it.polled.is_some() && self.is_started_by(it.id));
        let lender = here.as_ref().filter(|_| lends).map(|current| record.lenders().add(current.id));
        let suspect = here.as_ref().and_then(|current| self.suspect(current.id, By::code(current)));
        let ring = suspect.as_ref().and_then(|(waiter, _)| self.watch_the_ring(waiter, what));
        // A handler that lends its slots keeps the task from running only if it blocks its thread.
        let keeps_none = lends && !record.may_be_in_a_queue();
        let mut suspects = Vec::from_iter(suspect);
        let slots = if keeps_none { None } else { self.watch_the_limits(&mut suspects) };
        let suspects = suspects.into_iter().map(|(_, known)| known).collect();
        Seen { here, suspects, _lender: lender, _watches: [slots, ring] }
    }

    /// Notes a wait for the task. Returns `None` if the engine has forgotten the waiter.
    fn suspect(&self, waiter: TaskId, by: By) -> Option<(Arc<Record>, Known)> {
        let of = self.record();
        let waiter = of.common.find(waiter)?;
        let known = Known::new((waiter.id, waiter.known_waits()), (of.id, of.known_waits()), by);
        Some((waiter, known))
    }

    fn watch_the_ring(&self, waiter: &Arc<Record>, what: For) -> Option<AbortOnDropHandle<()>> {
        let record = self.record();
        let ring = Ring::closed_by(waiter, record)?;
        if waiter.id == record.id && what == For::End {
            ring.tell();
            return None;
        }
        let tell = tell_if_in_a_ring(Arc::clone(waiter), Arc::clone(record));
        Some(AbortOnDropHandle::new(record.common.control.spawn(tell)))
    }

    /// Watches whether a slot of the waiter, or of those that have started the task, keeps it from running. `waits` has
    /// the wait of the waiter, if it is known, and gets those that the others may be in.
    fn watch_the_limits(&self, waits: &mut Vec<(Arc<Record>, Known)>) -> Option<AbortOnDropHandle<()>> {
        let record = self.record();
        for starter in self.starters() {
            if waits.iter().all(|(task, _)| task.id != starter) {
                waits.extend(self.suspect(starter, By::Unknown));
            }
        }
        let others = waits.iter().filter(|(task, _)| task.id != record.id);
        let suspects: Vec<_> = others
            .map(|(task, known)| Suspect {
                task: Arc::downgrade(task),
                wait: Arc::clone(known.wait()),
                has_started: self.is_started_by(task.id),
            })
            .collect();
        let control = &record.common.control;
        let watch = if !suspects.is_empty() {
            Some(control.spawn(tell_if_blocked(Arc::clone(record), suspects)))
        } else if record.may_be_in_a_queue() && record.waits_for_a_slot() && record.common.may_be_a_handlers() {
            Some(control.spawn(tell_if_stuck(Arc::clone(record))))
        } else {
            None
        };
        watch.map(AbortOnDropHandle::new)
    }
}

/// What is known of a wait by whom polls it.
struct Seen {
    here: Option<Current>,
    /// Those that may be waiting. The first is that whose code polls the wait, if it is known.
    suspects: Vec<Known>,
    _lender: Option<Lender>,
    _watches: [Option<AbortOnDropHandle<()>>; 2],
}

impl Seen {
    /// Whether the wait is polled in the same place as before.
    fn is_of(&self, here: Option<&Current>) -> bool {
        match (&self.here, here) {
            (None, None) => true,
            (Some(Current { id, polled }), Some(here)) => {
                *id == here.id && polled.as_ref().map(Arc::as_ptr) == here.polled.as_ref().map(Arc::as_ptr)
            }
            _ => false,
        }
    }

    fn polled(&self) {
        if let Some(known) = self.suspects.first() {
            known.wait().polled();
        }
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
