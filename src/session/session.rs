use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use tauri_plugin_tasks_engine::delivery::{ChangeSet, Follower, Owner, Record, engine};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    bounds::{Bounds, too_many_follows},
    message::Visibility,
    news::selection::Selection,
    outbox::Outbox,
    protocol::page_signs::PageSigns,
    push_channel::PushChannel,
    readers::{Departure, Readers},
};
use crate::{
    Error, TaskFilter, TaskId, TaskManager, TaskSnapshot,
    access::{page::Page, view::View},
    lock::{Lock, OUTBOX, REPEATS},
};

/// How many repeated calls of `open` a session accepts.
const REPEATS_LIMIT: usize = 8;
/// How many tasks a page may ask a session to follow.
const FOLLOWS_LIMIT: usize = 65_536;

/// One load of the client in a page. Its [pump](super::pump) pushes the messages.
pub(crate) struct Session {
    pub(super) page: Page,
    /// Shared by all sessions of the page.
    pub(super) signs: Arc<PageSigns>,
    /// Shared by all sessions of the page.
    pub(super) bounds: Arc<Bounds>,
    pub(super) tasks: TaskManager,
    pub(super) watcher: Arc<ChangeSet<Record>>,
    pub(super) outbox: Lock<Outbox, OUTBOX>,
    /// Wakes the pump.
    pub(super) wake: Notify,
    pub(super) closed: CancellationToken,
    pub(super) readers: Readers,
    /// How the page has left, once the session is closed.
    departure: OnceLock<Departure>,
    repeats: Lock<Vec<PushChannel>, REPEATS>,
}

impl Session {
    pub(super) fn new(page: Page, tasks: TaskManager, signs: Arc<PageSigns>, bounds: Arc<Bounds>) -> Arc<Self> {
        Arc::new(Self {
            page,
            bounds,
            tasks,
            watcher: Arc::default(),
            outbox: Lock::new(Outbox::new(Instant::now(), Arc::clone(&signs))),
            signs,
            wake: Notify::new(),
            closed: CancellationToken::new(),
            readers: Readers::new(),
            departure: OnceLock::new(),
            repeats: Lock::default(),
        })
    }

    /// Records that the page has opened the session once more, and keeps the channel of that call. Returns it if there are
    /// too many, since the caller may hold a lock, under which it must not be dropped.
    pub(super) fn keep(&self, channel: PushChannel) -> Result<(), PushChannel> {
        let mut repeats = self.repeats.lock();
        if repeats.len() == REPEATS_LIMIT {
            return Err(channel);
        }
        repeats.push(channel);
        self.outbox.lock().hears(Instant::now());
        Ok(())
    }

    /// Drops the channels of repeated calls. Call it when no more of them can come.
    pub(super) fn drop_repeats(&self) {
        let repeats = std::mem::take(&mut *self.repeats.lock());
        drop(repeats);
    }

    /// Records whether the page can be seen.
    pub(crate) fn sees(&self, visibility: Visibility) {
        self.outbox.lock().sees(visibility, Instant::now());
    }

    /// Closes the session, since its page has left.
    pub(super) fn close(&self, departure: Departure) {
        let _ = self.departure.set(departure);
        // Close the readers first, since the page may read on in another session once it learns of the close.
        self.readers.close(departure);
        self.closed.cancel();
    }

    /// Returns how the page has left, if the session is closed.
    pub(super) fn departure(&self) -> Option<Departure> {
        self.departure.get().copied()
    }

    /// Returns whether the silence of the page means something: it waits for news, reads items or owns a task that is
    /// cancelled when it is gone.
    pub(super) fn is_needed(&self) -> bool {
        self.outbox.lock().is_needed() || self.readers.len() > 0 || engine(&self.tasks).loses_with(&self.page.owner())
    }

    /// Reports each change of this task to the page from now on, but new progress at most `every` so often. With `None`,
    /// that remains as it is if the page follows the task already. Returns the task's snapshot.
    ///
    /// `share_of` is who needs a share in the task, now and as long as it is followed; `None` if the page sees the task in any
    /// case. Returns `None` if it has no share.
    pub(crate) fn follow_told(
        &self,
        record: &Arc<Record>,
        share_of: Option<&Owner>,
        every: Option<Duration>,
    ) -> Option<TaskSnapshot> {
        // Hold the lock until the follow exists, or the pump could take a change that no follow reports.
        let mut outbox = self.outbox.lock();
        // Asked under the lock, which whoever gives a share back takes after that.
        if share_of.is_some_and(|owner| !record.tells(owner)) {
            return None;
        }
        if !outbox.follows(record.id) {
            record.add_watcher(&self.watcher);
        }
        let snapshot = outbox.follow(record, share_of, every, Instant::now());
        if !outbox.follows(record.id) {
            record.remove_watcher(&self.watcher);
        }
        drop(outbox);
        // The progress may have a rate, which must be reported again later.
        self.wake.notify_one();
        Some(snapshot)
    }

    /// Fails if the page may not ask to follow this task too. Those that it has started are always followed.
    pub(crate) fn may_follow(&self, id: TaskId) -> Result<(), Error> {
        let outbox = self.outbox.lock();
        let fits = outbox.follows(id) || outbox.follow_count() < FOLLOWS_LIMIT;
        if fits { Ok(()) } else { Err(too_many_follows(FOLLOWS_LIMIT)) }
    }

    pub(crate) fn unfollow(&self, id: TaskId) {
        self.unfollow_by(|outbox| outbox.unfollow(id));
    }

    /// Follows this task no longer if the page may not be told of it any more, and tells the page so. Nothing that happens to
    /// the task after this is told.
    pub(super) fn unfollow_untold(&self, id: TaskId) {
        self.unfollow_by(|outbox| outbox.unfollow_untold(id));
        self.wake.notify_one();
    }

    fn unfollow_by(&self, unfollow: impl FnOnce(&mut Outbox) -> Option<Follower>) {
        // Hold the lock until the watcher is removed, or this could remove the watcher of a new follow.
        let mut outbox = self.outbox.lock();
        let follower = unfollow(&mut outbox);
        if let Some(follower) = &follower {
            follower.record().remove_watcher(&self.watcher);
        }
        drop(outbox);
        // Drop it outside the lock, since this may log the task's failure.
        drop(follower);
    }

    /// Reports to the page, from now on, the changes of the tasks that match `filter` and are visible in `view`: ends at
    /// once, and all others at most `every` so often. With `None`, that remains as it is if the page watches a list of
    /// this number already. Returns their snapshots. Fails if the page watches too many lists.
    pub(crate) fn list(
        &self,
        watch: u32,
        filter: &TaskFilter,
        view: View,
        every: Option<Duration>,
    ) -> Result<Vec<TaskSnapshot>, Error> {
        let selection = Selection::new(view, filter);
        {
            // Hold the lock until all is watched, or the pump could take a change that the list doesn't collect.
            let mut outbox = self.outbox.lock();
            let place = || self.bounds.list();
            outbox.begin_list(watch, Arc::clone(&selection), every, place, Instant::now())?;
            engine(&self.tasks).watch_all(&self.watcher);
        }
        // Without a lock: there may be many tasks. What changes meanwhile is looked at once more.
        let found = selection.find(engine(&self.tasks).records(&TaskFilter::default()));
        let snapshots = self.outbox.lock().fill_list(watch, &selection, found, Instant::now());
        self.wake.notify_one();
        Ok(snapshots)
    }

    pub(crate) fn unlist(&self, watch: u32) {
        // Hold the lock until the watcher is removed, or this could remove the watcher of a new list.
        let mut outbox = self.outbox.lock();
        if outbox.unlist(watch) {
            engine(&self.tasks).unwatch_all(&self.watcher);
        }
    }
}
