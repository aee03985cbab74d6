//! Composes the messages of one session from its [`News`] when its [`Protocol`] allows it. Plain data: the caller
//! passes the time in.
//!
//! All sizes are those of the [text](super::message::MessageText) that travels: as a JSON string, with its escapes.
//!
//! A push is shorter than [`PUSH_LIMIT`], so that Tauri sends it directly: the page would fetch a longer one with a
//! request of its own, which could get lost. The limit of an answer depends on the speed of the page
//! ([`AnswerSize`](super::protocol::answer_size::AnswerSize)). An answer exceeds it only for a single event or list
//! entry that is larger than the limit, at most one of each.

use std::{sync::Arc, time::Duration};

use tauri_plugin_tasks_engine::delivery::{ChangeSet, Follower, Owner, Record};
use tokio::time::Instant;

use super::{
    bounds::Place,
    message::{SessionMessage, Visibility},
    news::{
        News, Told,
        room::Room,
        selection::{Found, Selection},
    },
    protocol::{Loss, Pause, Protocol, Rest, main_thread::Question, page_signs::PageSigns},
};
use crate::{Error, TaskId, TaskSnapshot};

/// The length of the payload, in bytes, from which on Tauri makes the page fetch a message (`MAX_JSON_DIRECT_EXECUTE_THRESHOLD` in
/// tauri's `ipc/channel.rs`).
const PUSH_LIMIT: usize = 8 * 1024;
/// The smallest value of [`Outbox::pile`].
const LEAST_PILE: usize = 1024;

pub(super) struct Outbox {
    news: News,
    protocol: Protocol,
}

impl Outbox {
    pub(super) fn new(now: Instant, page: Arc<PageSigns>) -> Self {
        Self { news: News::new(now), protocol: Protocol::new(now, page) }
    }

    // Follows and lists.

    pub(super) fn follows(&self, id: TaskId) -> bool {
        self.news.follows(id)
    }

    /// See [`News::follow`].
    pub(super) fn follow(
        &mut self,
        record: &Arc<Record>,
        share_of: Option<&Owner>,
        every: Option<Duration>,
        now: Instant,
    ) -> TaskSnapshot {
        self.is_used(now);
        self.news.follow(record, share_of, every, now)
    }

    /// See [`News::unfollow`].
    pub(super) fn unfollow(&mut self, id: TaskId) -> Option<Follower> {
        self.news.unfollow(id)
    }

    /// See [`News::unfollow_untold`].
    pub(super) fn unfollow_untold(&mut self, id: TaskId) -> Option<Follower> {
        self.news.unfollow_untold(id)
    }

    /// See [`News::follow_count`].
    pub(super) fn follow_count(&self) -> usize {
        self.news.follow_count()
    }

    /// See [`News::begin_list`].
    pub(super) fn begin_list(
        &mut self,
        watch: u32,
        selection: Arc<Selection>,
        every: Option<Duration>,
        place: impl FnOnce() -> Result<Place, Error>,
        now: Instant,
    ) -> Result<(), Error> {
        self.is_used(now);
        self.news.begin_list(watch, selection, every, place, now)
    }

    /// See [`News::fill_list`].
    pub(super) fn fill_list(
        &mut self,
        watch: u32,
        selection: &Arc<Selection>,
        found: Vec<Found>,
        now: Instant,
    ) -> Vec<TaskSnapshot> {
        self.news.fill_list(watch, selection, found, now)
    }

    /// See [`News::unlist`].
    pub(super) fn unlist(&mut self, watch: u32) -> bool {
        self.news.unlist(watch)
    }

    /// See [`Protocol::is_used`].
    pub(super) fn is_used(&mut self, now: Instant) -> bool {
        self.protocol.is_used(now)
    }

    /// See [`Protocol::sees`].
    pub(super) fn sees(&mut self, visibility: Visibility, now: Instant) {
        self.protocol.sees(visibility, now);
    }

    /// See [`Protocol::hears`].
    pub(super) fn hears(&mut self, now: Instant) {
        self.protocol.hears(now);
    }

    /// Acknowledges message number `message`. If that message left something out, returns when the next one is due.
    pub(super) fn acknowledge(&mut self, message: u64, now: Instant) -> Option<Rest> {
        let acknowledged = self.protocol.acknowledge(message, now);
        if acknowledged.is_news {
            self.news.taken();
        }
        acknowledged.rest
    }

    /// Returns the answer to this acknowledgement, if it still waits for one and there is news.
    pub(super) fn answer(
        &mut self,
        acknowledgement: u64,
        watcher: &ChangeSet<Record>,
        now: Instant,
    ) -> Option<SessionMessage> {
        if !self.give_up(acknowledgement) {
            return None;
        }
        self.news.absorb(watcher.take(), now);
        self.compose(Room::for_answer(self.protocol.answer_limit()), Occasion::Answer, now)
    }

    /// See [`Protocol::give_up`].
    pub(super) fn give_up(&mut self, acknowledgement: u64) -> bool {
        self.protocol.give_up(acknowledgement)
    }

    // Pushes.

    /// Returns whether something depends on the page: it waits for news, or the protocol needs it.
    pub(super) fn is_needed(&self) -> bool {
        self.news.is_wanted() || self.protocol.is_needed()
    }

    /// See [`Protocol::loss`].
    pub(super) fn loss(&mut self, now: Instant) -> Option<Loss> {
        self.protocol.loss(now)
    }

    /// See [`Protocol::ask_main_thread`].
    pub(super) fn ask_main_thread(&mut self, now: Instant) -> Option<Question> {
        self.protocol.ask_main_thread(now)
    }

    /// See [`Protocol::is_quiet`].
    pub(super) fn is_quiet(&self) -> bool {
        self.protocol.is_quiet()
    }

    /// Returns when to look for the next push if there is none now.
    pub(super) fn pause(&mut self, is_needed: bool, now: Instant) -> Pause {
        self.protocol.pause(self.news.next_at(), self.pile(), is_needed || self.is_needed(), now)
    }

    /// Returns the next message to push, if one may be pushed now and there is news or, while something depends on the
    /// page (`is_needed`), a probe is due.
    pub(super) fn next_push(
        &mut self,
        watcher: &ChangeSet<Record>,
        is_needed: bool,
        now: Instant,
    ) -> Option<SessionMessage> {
        if !self.protocol.may_push(now) {
            if watcher.len() >= self.pile() {
                self.news.absorb(watcher.take(), now);
            }
            return None;
        }
        let changed = watcher.take();
        if !changed.is_empty() {
            // Absorb changes only once a frame, even if the page sees none of them.
            self.protocol.wait_a_frame(now);
        }
        self.news.absorb(changed, now);
        let probes = is_needed && self.protocol.probes();
        self.compose(Room::for_push(PUSH_LIMIT), Occasion::Push { probes }, now)
    }

    /// Returns how many changes may pile up before they are absorbed while nothing may be pushed. Without a limit, the
    /// changes of tasks that were removed in the meantime would pile up forever.
    fn pile(&self) -> usize {
        LEAST_PILE + 2 * self.len()
    }

    /// Returns how many entries are held.
    pub(super) fn len(&self) -> usize {
        self.news.len()
    }

    /// See [`News::rated`].
    #[cfg(test)]
    pub(super) fn rated(&self) -> usize {
        self.news.rated()
    }

    /// Composes a message with as much as there is room for. Returns `None` if there is no news and no probe is due.
    fn compose(&mut self, room: Room, occasion: Occasion, now: Instant) -> Option<SessionMessage> {
        let Told { events, lists, removed, more } = self.news.tell(room, now);
        let probes = occasion == Occasion::Push { probes: true };
        if events.is_empty() && lists.is_empty() && removed.is_empty() && !more && !probes {
            return None;
        }
        let message = self.protocol.sent(more, occasion == Occasion::Answer, now);
        Some(SessionMessage { message, events, lists, removed, more })
    }
}

/// What a message is composed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// A push. `probes` is whether it is sent even without news.
    Push { probes: bool },
    /// The answer to an acknowledgement.
    Answer,
}
