//! What one page is still to be told, as plain data with the time handed in: the [`News`], and the [`Protocol`] that says when
//! they may be told.
//!
//! A pushed message is shorter than [`PUSH_LIMIT`], so that it goes the fast way and can't get lost alone. An answer is as large
//! as the page is quick ([`AnswerSize`](super::protocol::answer_size::AnswerSize)), or holds no more than one thing of each sort
//! that is larger.

use std::sync::Arc;

use tauri_plugin_tasks_engine::delivery::{ChangeSet, Follower, Record};
use tokio::time::Instant;

use super::{
    message::SessionMessage,
    news::{News, Told, room::Room},
    protocol::{Pause, Protocol, Rest},
};
use crate::{TaskFilter, TaskId, TaskSnapshot, access::view::View};

/// From this length on, Tauri takes the slow way for a message (`MAX_JSON_DIRECT_EXECUTE_THRESHOLD` in
/// tauri's `ipc/channel.rs`).
const PUSH_LIMIT: usize = 8 * 1024;
/// So many changes may pile up for a page that does not answer before they are looked through.
const LEAST_PILE: usize = 1024;

pub(super) struct Outbox {
    news: News,
    protocol: Protocol,
}

impl Outbox {
    pub(super) fn new(now: Instant) -> Self {
        Self { news: News::new(now), protocol: Protocol::new(now) }
    }

    // What the page wants to hear.

    pub(super) fn follows(&self, id: TaskId) -> bool {
        self.news.follows(id)
    }

    /// See [`News::follow`].
    pub(super) fn follow(&mut self, record: &Arc<Record>, now: Instant) -> TaskSnapshot {
        self.is_used(now);
        self.news.follow(record, now)
    }

    /// See [`News::unfollow`].
    pub(super) fn unfollow(&mut self, id: TaskId) -> Option<Follower> {
        self.news.unfollow(id)
    }

    /// See [`News::list`].
    pub(super) fn list(
        &mut self,
        watch: u32,
        filter: TaskFilter,
        view: View,
        records: Vec<Arc<Record>>,
        now: Instant,
    ) -> Vec<TaskSnapshot> {
        self.is_used(now);
        self.news.list(watch, filter, view, records, now)
    }

    /// See [`News::unlist`].
    pub(super) fn unlist(&mut self, watch: u32) -> bool {
        self.news.unlist(watch)
    }

    /// The page does something with its session, so it is there.
    pub(super) fn is_used(&mut self, now: Instant) {
        self.protocol.is_used(now);
    }

    /// The page has taken message number `message`. Returns when the next one comes if that one left something out.
    pub(super) fn acknowledge(&mut self, message: u64, now: Instant) -> Option<Rest> {
        let acknowledged = self.protocol.acknowledge(message, now);
        if acknowledged.is_news {
            self.news.taken();
        }
        acknowledged.rest
    }

    /// The answer to this acknowledgement, if it is still to be answered and there is something to tell.
    pub(super) fn answer(
        &mut self,
        acknowledgement: u64,
        watcher: &ChangeSet<Record>,
        now: Instant,
    ) -> Option<SessionMessage> {
        if !self.give_up(acknowledgement) {
            return None;
        }
        self.news.absorb(watcher.take());
        self.compose(Room::for_answer(self.protocol.answer_limit()), true, now)
    }

    /// See [`Protocol::give_up`].
    pub(super) fn give_up(&mut self, acknowledgement: u64) -> bool {
        self.protocol.give_up(acknowledgement)
    }

    // When to act.

    /// Whether the page has left a message lying for too long.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.protocol.is_expired(now)
    }

    /// When to look for the next push, if there is none now.
    pub(super) fn pause(&self, now: Instant) -> Pause {
        self.protocol.pause(self.news.refresh_at(), self.pile(), now)
    }

    /// The next message to push, if it may be told now and there is something to tell.
    pub(super) fn next_push(&mut self, watcher: &ChangeSet<Record>, now: Instant) -> Option<SessionMessage> {
        if !self.protocol.may_push(now) {
            if watcher.len() >= self.pile() {
                self.news.absorb(watcher.take());
            }
            return None;
        }
        let changed = watcher.take();
        if !changed.is_empty() {
            // Changes that the page doesn't see are not looked through more often than others are told.
            self.protocol.wait_a_frame(now);
        }
        self.news.absorb(changed);
        self.compose(Room::for_push(PUSH_LIMIT), false, now)
    }

    /// With how many changes the watcher is looked through although it isn't time: those of tasks that are gone again would
    /// pile up there.
    fn pile(&self) -> usize {
        LEAST_PILE + 2 * self.len()
    }

    /// How many tasks something is kept of.
    pub(super) fn len(&self) -> usize {
        self.news.len()
    }

    /// As much as there is room for; `None` if there is nothing, unless the page is to show that it is there.
    fn compose(&mut self, room: Room, answered: bool, now: Instant) -> Option<SessionMessage> {
        let Told { events, lists, more } = self.news.tell(room, now);
        let probes = !answered && self.protocol.probes(now);
        if events.is_empty() && lists.is_empty() && !more && !probes {
            return None;
        }
        Some(SessionMessage { message: self.protocol.sent(more, answered, now), events, lists, more })
    }
}
