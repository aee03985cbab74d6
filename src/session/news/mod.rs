//! What there is to tell a page: of the tasks that it follows by itself, and of the lists that it watches.
//!
//! Invariants:
//! - it holds one entry for each followed task, and in each list one for each task that the page has in it or that the engine
//!   has, whatever else happens and however long the page is away;
//! - each status change of a followed task is told once and in order, its newest progress before its end;
//! - what the page was told of a list is how that stood, but for the tasks that still wait for their turn there; who has waited
//!   longest comes first, and neither followed tasks nor lists take more than half of a message from the others;
//! - a failure counts as told when the page has acknowledged the message it was in.

pub(super) mod follow;
pub(super) mod list;
pub(super) mod room;
mod turns;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use foldhash::fast::RandomState;
use tauri_plugin_tasks_engine::delivery::{Follower, IdMap, Record};
use tokio::time::Instant;

use super::message::{Encoded, ListChange};
use crate::{TaskEvent, TaskFilter, TaskId, TaskSnapshot, access::view::View};
use follow::{Follow, Left};
use list::List;
use room::{ENVELOPE, Room};
use turns::Turns;

/// How long after it was told a rate is told again if nothing else happens, so that it falls.
const REFRESH: Duration = Duration::from_secs(1);

pub(super) struct News {
    follows: IdMap<Follow>,
    /// Followed tasks with something to tell.
    due_follows: Turns<TaskId>,
    /// Who followed the tasks whose end is in the message that is not acknowledged yet.
    told_ends: Vec<Follower>,
    lists: BTreeMap<u32, List>,
    /// Listed tasks with something to tell, in which list.
    due_listed: Turns<(u32, TaskId)>,
    /// Where the progress of which tasks was last told with a rate, and when.
    rated: HashMap<(Where, TaskId), (Arc<Record>, Instant), RandomState>,
    /// No rate has to be told again before this.
    refresh_at: Instant,
}

/// What a task is told in: each list may be as far behind as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Where {
    Follow,
    List(u32),
}

/// As much as there was room for.
pub(super) struct Told {
    pub events: Vec<Encoded<TaskEvent>>,
    pub lists: Vec<ListChange>,
    /// Something was left out.
    pub more: bool,
}

impl News {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            follows: IdMap::default(),
            due_follows: Turns::new(),
            told_ends: Vec::new(),
            lists: BTreeMap::new(),
            due_listed: Turns::new(),
            rated: HashMap::default(),
            refresh_at: now,
        }
    }

    // What the page wants to hear.

    pub(super) fn follows(&self, id: TaskId) -> bool {
        self.follows.contains_key(&id)
    }

    /// From now on each change of the task is told; returns how it stands. What is still to be told of a task that was
    /// followed before is told nevertheless: the answer may get lost, or come to somebody else on the page.
    pub(super) fn follow(&mut self, record: &Arc<Record>, now: Instant) -> TaskSnapshot {
        let snapshot = if self.follows(record.id) {
            record.snapshot()
        } else {
            let (snapshot, follow) = Follow::new(record);
            let Some(follow) = follow else { return snapshot };
            self.follows.insert(record.id, follow);
            snapshot
        };
        self.note_rate(Where::Follow, record, snapshot.progress.rate.is_some(), now);
        snapshot
    }

    /// Returns who followed, to be dropped where no lock is held: that may log the task's failure.
    pub(super) fn unfollow(&mut self, id: TaskId) -> Option<Follower> {
        let follow = self.follows.remove(&id)?;
        if let Some(turn) = follow.turn {
            self.due_follows.leave(turn);
        }
        Some(follow.follower)
    }

    /// From now on changes in this list are told; returns what is in it.
    pub(super) fn list(
        &mut self,
        watch: u32,
        filter: TaskFilter,
        view: View,
        records: Vec<Arc<Record>>,
        now: Instant,
    ) -> Vec<TaskSnapshot> {
        // It may be a repeat.
        self.unlist(watch);
        let (list, all) = List::new(filter, view, records);
        self.lists.insert(watch, list);
        all.into_iter()
            .map(|(record, snapshot)| {
                self.note_rate(Where::List(watch), &record, snapshot.progress.rate.is_some(), now);
                snapshot
            })
            .collect()
    }

    /// Returns whether there is no list left.
    pub(super) fn unlist(&mut self, watch: u32) -> bool {
        if let Some(list) = self.lists.remove(&watch) {
            list.turns().for_each(|turn| self.due_listed.leave(turn));
        }
        self.lists.is_empty()
    }

    // What happens.

    /// These tasks have changed.
    pub(super) fn absorb(&mut self, changed: Vec<Arc<Record>>) {
        for record in &changed {
            let gone = record.is_removed();
            if gone {
                self.rated.remove(&(Where::Follow, record.id));
                self.lists.keys().for_each(|watch| drop(self.rated.remove(&(Where::List(*watch), record.id))));
            }
            self.note_change(record, gone);
        }
    }

    fn note_change(&mut self, record: &Arc<Record>, gone: bool) {
        self.note_follow(record.id);
        for (&watch, list) in &mut self.lists {
            list.note(watch, record, gone, &mut self.due_listed);
        }
    }

    fn note_follow(&mut self, id: TaskId) {
        if let Some(follow) = self.follows.get_mut(&id) {
            follow.turn.get_or_insert_with(|| self.due_follows.join(id));
        }
    }

    /// The page has taken the last message.
    pub(super) fn taken(&mut self) {
        self.told_ends.drain(..).for_each(|follower| follower.knows_the_end());
    }

    /// How many tasks something is kept of.
    pub(super) fn len(&self) -> usize {
        self.follows.len() + self.lists.values().map(List::len).sum::<usize>()
    }

    /// When a rate is to be told again, if any is.
    pub(super) fn refresh_at(&self) -> Option<Instant> {
        (!self.rated.is_empty()).then_some(self.refresh_at)
    }

    /// The progress of this task was told there, `rated` or without a rate.
    fn note_rate(&mut self, told_in: Where, record: &Arc<Record>, rated: bool, now: Instant) {
        let key = (told_in, record.id);
        if !rated {
            self.rated.remove(&key);
            return;
        }
        if self.rated.is_empty() {
            self.refresh_at = now + REFRESH;
        }
        self.rated.entry(key).or_insert_with(|| (Arc::clone(record), now)).1 = now;
    }

    fn refresh(&mut self, now: Instant) {
        if self.rated.is_empty() || now < self.refresh_at {
            return;
        }
        let stale: Vec<_> = self.rated.extract_if(|_, (_, told)| *told + REFRESH <= now).collect();
        let oldest = self.rated.values().map(|(_, told)| *told).min();
        self.refresh_at = oldest.unwrap_or(now) + REFRESH;
        for ((told_in, id), (record, _)) in stale {
            match told_in {
                Where::Follow => {
                    if let Some(follow) = self.follows.get_mut(&id) {
                        follow.cursor.refresh();
                    }
                    self.note_follow(id);
                }
                Where::List(watch) => {
                    if let Some(list) = self.lists.get_mut(&watch) {
                        list.refresh(id);
                        list.note(watch, &record, record.is_removed(), &mut self.due_listed);
                    }
                }
            }
        }
    }

    // The message.

    /// Tells as much as there is room for.
    pub(super) fn tell(&mut self, mut room: Room, now: Instant) -> Told {
        self.refresh(now);
        // What comes up again while this is composed has its turn with the next frame.
        let (end_of_follows, end_of_listed) = (self.due_follows.end(), self.due_listed.end());
        let mut events = Vec::new();
        let reserved = if self.due_listed.is_empty() { 0 } else { room.left() / 2 };
        self.compose_events(&mut events, &mut room, reserved, end_of_follows, now);
        room.next_part();
        let lists = self.compose_lists(&mut room, end_of_listed, now);
        if self.due_listed.first(end_of_listed).is_none() {
            self.compose_events(&mut events, &mut room, 0, end_of_follows, now);
        }
        let more = self.due_follows.first(end_of_follows).is_some() || self.due_listed.first(end_of_listed).is_some();
        Told { events, lists, more }
    }

    fn compose_events(
        &mut self,
        events: &mut Vec<Encoded<TaskEvent>>,
        room: &mut Room,
        reserved: usize,
        end: u64,
        now: Instant,
    ) {
        while let Some((turn, id)) = self.due_follows.first(end) {
            let Some(follow) = self.follows.get_mut(&id) else {
                self.due_follows.leave(turn);
                continue;
            };
            let (left, rated) = follow.tell(events, room, reserved);
            let has_ended = follow.cursor.has_ended();
            if let Some(rated) = rated {
                let record = Arc::clone(follow.follower.record());
                self.note_rate(Where::Follow, &record, rated, now);
            }
            if left == Left::NoRoom {
                return;
            }
            self.due_follows.leave(turn);
            if let Some(follow) = self.follows.get_mut(&id) {
                follow.turn = (left == Left::MoreToCome).then(|| self.due_follows.join(id));
            }
            if has_ended {
                let follower = self.unfollow(id);
                self.told_ends.extend(follower);
            }
        }
    }

    fn compose_lists(&mut self, room: &mut Room, end: u64, now: Instant) -> Vec<ListChange> {
        let mut changes = BTreeMap::new();
        while let Some((number, (watch, id))) = self.due_listed.first(end) {
            if let Some(list) = self.lists.get_mut(&watch) {
                let turn = list.turn_of(id);
                if let Some(news) = turn.news {
                    let envelope = if changes.contains_key(&watch) { 0 } else { ENVELOPE };
                    if !room.takes(news.len() + envelope, 0) {
                        break;
                    }
                    changes.entry(watch).or_insert_with(|| ListChange::new(watch)).add(news);
                }
                list.taken(id, turn.told);
                if let Some((record, rated)) = turn.progress {
                    self.note_rate(Where::List(watch), &record, rated, now);
                }
            }
            self.due_listed.leave(number);
        }
        changes.into_values().collect()
    }
}
