//! Collects what has not been sent to a page yet, about the tasks that it follows and the lists that it watches.
//!
//! Invariants:
//! - There is one entry for each followed task. A list has at most one entry for each task, and only for tasks that the
//!   page has in it or that the engine still keeps. This holds however long the page is away.
//! - Each status change of a followed task is reported once and in order. The newest progress is reported before the
//!   end.
//! - The page's copy of a list is up to date, except for tasks that still wait for their turn. The task that has waited
//!   longest comes first.
//! - A watcher with a pace is told of changes at that pace, in a round, and of ends at once.
//! - Followed tasks and lists can each use at least half of a message.
//! - A failure counts as reported once the page has acknowledged the message that contains it.

pub(super) mod follow;
pub(super) mod list;
mod pace;
pub(super) mod room;
pub(super) mod selection;
mod turns;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use foldhash::fast::RandomState;
use tauri_plugin_tasks_engine::delivery::{Follower, IdMap, Owner, Record};
use tokio::time::Instant;

use super::{
    bounds::Place,
    message::{Encoded, ListChange},
};
use crate::{Error, TaskEvent, TaskId, TaskSnapshot};
use follow::{Follow, Left};
use list::{ID_SIZE, List};
use pace::Pace;
use room::{ENVELOPE, Room};
use selection::{Found, Selection};
use turns::Turns;

/// If nothing else happens, a rate is reported again this long after its last report, so that the page sees it fall.
const REFRESH: Duration = Duration::from_secs(1);

pub(super) struct News {
    follows: IdMap<Follow>,
    /// The tasks that are no longer followed since the page may not be told of them, until it is told that.
    removed: BTreeSet<TaskId>,
    /// Followed tasks with news.
    due_follows: Turns<TaskId>,
    /// Followed tasks whose progress waits for its time.
    held_follows: BTreeSet<(Instant, TaskId)>,
    /// The followers of the tasks whose end is in the unacknowledged message.
    told_ends: Vec<Follower>,
    lists: BTreeMap<u32, List>,
    /// Listed tasks with news, each with the number of its list.
    due_listed: Turns<(u32, TaskId)>,
    /// The tasks whose progress was last reported with a rate: where, and when.
    rated: HashMap<(Where, TaskId), (Arc<Record>, Instant), RandomState>,
    /// The earliest time at which a rate may have to be reported again.
    refresh_at: Instant,
}

/// Where a task is reported. Each list may lag behind independently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Where {
    Follow,
    List(u32),
}

/// The contents of one message.
pub(super) struct Told {
    pub events: Vec<Encoded<TaskEvent>>,
    pub lists: Vec<ListChange>,
    pub removed: Vec<TaskId>,
    /// Whether something was left out for lack of room.
    pub more: bool,
}

impl News {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            follows: IdMap::default(),
            removed: BTreeSet::new(),
            due_follows: Turns::new(),
            held_follows: BTreeSet::new(),
            told_ends: Vec::new(),
            lists: BTreeMap::new(),
            due_listed: Turns::new(),
            rated: HashMap::default(),
            refresh_at: now,
        }
    }

    // Follows and lists.

    pub(super) fn follows(&self, id: TaskId) -> bool {
        self.follows.contains_key(&id)
    }

    /// Returns how many tasks are followed, or were and the page has to be told that they are not.
    pub(super) fn follow_count(&self) -> usize {
        self.follows.len() + self.removed.len()
    }

    /// Follows the task: reports each of its changes from now on. Returns its snapshot. If the task was already
    /// followed, its pending changes are still reported, since the snapshot may get lost or reach other code in the
    /// page.
    ///
    /// `share_of` is who needs a share in the task to be told of it. `None` if the page sees the task in any case, as it then
    /// does for the follow that there is. `every` is how often its progress is reported at most. `None` leaves that as it is,
    /// or reports it in each frame.
    pub(super) fn follow(
        &mut self,
        record: &Arc<Record>,
        share_of: Option<&Owner>,
        every: Option<Duration>,
        now: Instant,
    ) -> TaskSnapshot {
        self.removed.remove(&record.id);
        let snapshot = if let Some(follow) = self.follows.get_mut(&record.id) {
            if share_of.is_none() {
                follow.share_of = None;
            }
            if let Some(every) = every {
                follow.pace.set(every);
                self.note_follow(record.id);
            }
            record.snapshot()
        } else {
            let (snapshot, follow) = Follow::new(record, share_of, every.unwrap_or_default(), now);
            let Some(follow) = follow else { return snapshot };
            self.follows.insert(record.id, follow);
            snapshot
        };
        self.note_rate(Where::Follow, record, snapshot.progress.rate.is_some(), now);
        snapshot
    }

    /// Stops following the task. Returns the follower. Drop it outside the lock, since that may log the task's failure.
    pub(super) fn unfollow(&mut self, id: TaskId) -> Option<Follower> {
        let follow = self.follows.remove(&id)?;
        self.rated.remove(&(Where::Follow, id));
        if let Some(turn) = follow.turn {
            self.due_follows.leave(turn);
        }
        if let Some(until) = follow.held_until {
            self.held_follows.remove(&(until, id));
        }
        Some(follow.follower)
    }

    /// Stops following the task if the page may not be told of it any more, and tells the page so. Returns the follower, as
    /// [`unfollow`](Self::unfollow) does.
    pub(super) fn unfollow_untold(&mut self, id: TaskId) -> Option<Follower> {
        if self.follows.get(&id)?.is_told() {
            return None;
        }
        self.removed.insert(id);
        self.unfollow(id)
    }

    /// Begins to watch a list: collects its changes from now on. Look for its tasks, and then [fill](Self::fill_list) it.
    /// From then on it reports its changes in rounds that are at least `every` apart, and ends at once.
    ///
    /// With `None`, a list that is already watched keeps its pace, and any other is reported in each frame. Fails if
    /// `place` does, which is called unless this number has a list already.
    pub(super) fn begin_list(
        &mut self,
        watch: u32,
        selection: Arc<Selection>,
        every: Option<Duration>,
        place: impl FnOnce() -> Result<Place, Error>,
        now: Instant,
    ) -> Result<(), Error> {
        let every = every.or_else(|| self.lists.get(&watch).map(List::every)).unwrap_or_default();
        // The call may be a repeat.
        let place = self.take_list(watch).map_or_else(place, |list| Ok(list.into_place()))?;
        self.lists.insert(watch, List::new(selection, place, Pace::new(every, now)));
        Ok(())
    }

    /// Adds the tasks that were found for the list with this selection, if it is still watched. Returns their snapshots.
    pub(super) fn fill_list(
        &mut self,
        watch: u32,
        selection: &Arc<Selection>,
        found: Vec<Found>,
        now: Instant,
    ) -> Vec<TaskSnapshot> {
        if let Some(list) = self.lists.get_mut(&watch).filter(|list| list.is_of(selection)) {
            let changed = list.fill(&found);
            for Found { record, snapshot, .. } in &found {
                self.note_rate(Where::List(watch), record, snapshot.progress.rate.is_some(), now);
            }
            self.absorb(changed, now);
        }
        found.into_iter().map(|found| found.snapshot).collect()
    }

    /// Stops watching a list. Returns whether no list is left.
    pub(super) fn unlist(&mut self, watch: u32) -> bool {
        drop(self.take_list(watch));
        self.lists.is_empty()
    }

    fn take_list(&mut self, watch: u32) -> Option<List> {
        let list = self.lists.remove(&watch)?;
        list.turns().for_each(|turn| self.due_listed.leave(turn));
        list.ids().for_each(|id| drop(self.rated.remove(&(Where::List(watch), id))));
        Some(list)
    }

    // Changes.

    /// Records that these tasks have changed.
    pub(super) fn absorb(&mut self, changed: Vec<Arc<Record>>, now: Instant) {
        for record in &changed {
            let gone = record.is_removed();
            if gone {
                self.rated.remove(&(Where::Follow, record.id));
                self.lists.keys().for_each(|watch| drop(self.rated.remove(&(Where::List(*watch), record.id))));
            }
            self.note_change(record, gone, now);
        }
    }

    fn note_change(&mut self, record: &Arc<Record>, gone: bool, now: Instant) {
        self.note_follow(record.id);
        for (&watch, list) in &mut self.lists {
            list.note(watch, record, gone, &mut self.due_listed, now);
        }
    }

    fn note_follow(&mut self, id: TaskId) {
        if let Some(follow) = self.follows.get_mut(&id) {
            if let Some(until) = follow.held_until.take() {
                self.held_follows.remove(&(until, id));
            }
            follow.turn.get_or_insert_with(|| self.due_follows.join(id));
        }
    }

    /// Lets what was held back have its turn if its time has come.
    fn open(&mut self, now: Instant) {
        while let Some(&(until, id)) = self.held_follows.first()
            && until <= now
        {
            self.held_follows.pop_first();
            self.note_follow(id);
        }
        for (&watch, list) in &mut self.lists {
            list.open(watch, &mut self.due_listed, now);
        }
    }

    /// Records that the page has acknowledged the last message.
    pub(super) fn taken(&mut self) {
        self.told_ends.drain(..).for_each(|follower| follower.knows_the_end());
    }

    /// Returns whether the page follows a task, watches a list or has to be told that it follows a task no longer.
    pub(super) fn is_wanted(&self) -> bool {
        self.follow_count() > 0 || !self.lists.is_empty()
    }

    /// Returns how many entries are held.
    pub(super) fn len(&self) -> usize {
        self.follow_count() + self.lists.values().map(List::len).sum::<usize>()
    }

    /// Returns how many rates may have to be reported again.
    #[cfg(test)]
    pub(super) fn rated(&self) -> usize {
        self.rated.len()
    }

    /// Returns when there may be news without a change: a rate may have to be reported again, or what was held back is
    /// due. `None` if nothing waits for a time.
    pub(super) fn next_at(&self) -> Option<Instant> {
        let refresh = (!self.rated.is_empty()).then_some(self.refresh_at);
        let held = self.held_follows.first().map(|(until, _)| *until);
        let listed = self.lists.values().filter_map(List::held_until);
        refresh.into_iter().chain(held).chain(listed).min()
    }

    /// Records that the progress of this task was reported in `told_in`. `rated` is whether it has a rate.
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
                        list.note(watch, &record, record.is_removed(), &mut self.due_listed, now);
                    }
                }
            }
        }
    }

    // The message.

    /// Composes a message with as much as there is room for.
    pub(super) fn tell(&mut self, mut room: Room, now: Instant) -> Told {
        self.refresh(now);
        self.open(now);
        // A task that changes again while the message is composed has its turn in the next frame.
        let (end_of_follows, end_of_listed) = (self.due_follows.end(), self.due_listed.end());
        let removed = self.compose_removed(&mut room);
        let mut events = Vec::new();
        let reserved = if self.due_listed.is_empty() { 0 } else { room.left() / 2 };
        self.compose_events(&mut events, &mut room, reserved, end_of_follows, now);
        room.next_part();
        let lists = self.compose_lists(&mut room, end_of_listed, now);
        if self.due_listed.first(end_of_listed).is_none() {
            self.compose_events(&mut events, &mut room, 0, end_of_follows, now);
        }
        let more = !self.removed.is_empty()
            || self.due_follows.first(end_of_follows).is_some()
            || self.due_listed.first(end_of_listed).is_some();
        Told { events, lists, removed, more }
    }

    fn compose_removed(&mut self, room: &mut Room) -> Vec<TaskId> {
        let mut removed = Vec::new();
        while !self.removed.is_empty() && room.takes(ID_SIZE, 0) {
            removed.extend(self.removed.pop_first());
        }
        removed
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
            let (left, rated) = follow.tell(events, room, reserved, now);
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
                if left == Left::Held {
                    let until = follow.pace.next();
                    follow.held_until = Some(until);
                    self.held_follows.insert((until, id));
                }
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
                    list.tell(now);
                }
                if turn.told.is_none() {
                    self.rated.remove(&(Where::List(watch), id));
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
