//! What one page is still to be told, as plain data with the time handed in.
//!
//! Invariants:
//! - at most one message is unacknowledged, and at most one is sent a [`FRAME`];
//! - a message is shorter than [`PUSH_LIMIT`], so that it goes the fast way and can't get lost alone;
//! - it holds one entry for each followed task and each listed task that changed, whatever else happens;
//! - each status change of a followed task is told once and in order, its newest progress before its end;
//! - a failure counts as told when the page has acknowledged the message it was in.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use indexmap::{IndexMap, IndexSet};
use tokio::time::Instant;

use super::message::{Encoded, ListChange, SessionMessage};
use crate::{
    TaskChange, TaskEvent, TaskFilter, TaskId, TaskSnapshot,
    caller::View,
    engine::{Cursor, Follower, Record},
};

/// One frame of a page at 60 a second.
const FRAME: Duration = Duration::from_millis(16);
/// How long a page may leave a message unacknowledged before it counts as gone.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// How often a rate is told again while nothing else happens, so that it falls.
const REFRESH: Duration = Duration::from_secs(1);
/// From this length on, Tauri takes the slow way for a message (`MAX_JSON_DIRECT_EXECUTE_THRESHOLD` in
/// tauri's `ipc/channel.rs`).
const PUSH_LIMIT: usize = 8 * 1024;
/// The same for what is answered to an acknowledgement, which is not pushed.
const ANSWER_LIMIT: usize = 512 * 1024;
/// More than what a message and a list change take beside their contents.
const ENVELOPE: usize = 128;
/// A task id in quotes.
const ID_SIZE: usize = 38;

pub(super) struct Outbox {
    follows: HashMap<TaskId, Follow>,
    /// Followed tasks with something to tell, the longest waiting first.
    due: IndexSet<TaskId>,
    /// Who followed the tasks whose end is in the message that is not acknowledged yet.
    told_ends: Vec<Follower>,
    lists: BTreeMap<u32, List>,
    /// The tasks whose last told progress had a rate.
    rated: HashMap<TaskId, Arc<Record>>,
    refresh_at: Instant,
    last_message: u64,
    /// When the page last showed that it is there, if it has to show it again: it has a message to
    /// acknowledge, or it has opened its session and done nothing with it yet.
    unanswered_since: Option<Instant>,
    unacknowledged: bool,
    may_send_at: Instant,
    /// The last message did not take all.
    more: bool,
}

struct Follow {
    cursor: Cursor,
    follower: Follower,
}

struct List {
    filter: TaskFilter,
    view: View,
    listed: HashSet<TaskId>,
    changed: IndexMap<TaskId, Arc<Record>>,
}

impl Outbox {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            follows: HashMap::new(),
            due: IndexSet::new(),
            told_ends: Vec::new(),
            lists: BTreeMap::new(),
            rated: HashMap::new(),
            refresh_at: now,
            last_message: 0,
            unanswered_since: Some(now),
            unacknowledged: false,
            may_send_at: now,
            more: false,
        }
    }

    // What the page wants to hear.

    pub(super) fn follows(&self, id: TaskId) -> bool {
        self.follows.contains_key(&id)
    }

    /// From now on each change of the task is told; answers how it stands. What is still to be told of a task that was
    /// followed before is told nevertheless: the answer may get lost, or come to somebody else on the page.
    pub(super) fn follow(&mut self, record: &Arc<Record>) -> TaskSnapshot {
        self.is_used();
        if self.follows(record.id) {
            return record.snapshot();
        }
        // The follower first: from the look on, the task may fail.
        let follower = Follower::new(record);
        let (snapshot, cursor) = Cursor::new(record);
        if cursor.has_ended() {
            follower.knows_the_end();
        } else {
            if snapshot.progress.rate.is_some() {
                self.rated.insert(record.id, Arc::clone(record));
            }
            self.follows.insert(record.id, Follow { cursor, follower });
        }
        snapshot
    }

    /// Answers who followed, to be dropped where no lock is held: that may log the task's failure.
    pub(super) fn unfollow(&mut self, id: TaskId) -> Option<Follower> {
        self.follows.remove(&id).map(|follow| follow.follower)
    }

    /// The page does something with its session, so it is there.
    fn is_used(&mut self) {
        if !self.unacknowledged {
            self.unanswered_since = None;
        }
    }

    /// From now on changes in this list are told; answers what is in it.
    pub(super) fn list(
        &mut self,
        watch: u32,
        filter: TaskFilter,
        view: View,
        records: Vec<Arc<Record>>,
    ) -> Vec<TaskSnapshot> {
        self.is_used();
        let records: Vec<_> = records.into_iter().filter(|record| view.sees(record)).collect();
        let listed = records.iter().map(|record| record.id).collect();
        let snapshots: Vec<_> = records.iter().map(|record| record.snapshot()).collect();
        for (record, snapshot) in records.iter().zip(&snapshots) {
            if snapshot.progress.rate.is_some() {
                self.rated.insert(record.id, Arc::clone(record));
            }
        }
        self.lists.insert(watch, List { filter, view, listed, changed: IndexMap::new() });
        snapshots
    }

    /// Answers whether there is no list left.
    pub(super) fn unlist(&mut self, watch: u32) -> bool {
        self.lists.remove(&watch);
        self.lists.is_empty()
    }

    // What happens.

    /// These tasks have changed.
    pub(super) fn absorb(&mut self, changed: Vec<Arc<Record>>) {
        for record in changed {
            if self.follows.contains_key(&record.id) {
                self.due.insert(record.id);
            }
            for list in self.lists.values_mut() {
                list.changed.insert(record.id, Arc::clone(&record));
            }
        }
    }

    /// The page has taken message number `message`. Answers the next one if that one left something out.
    pub(super) fn acknowledge(&mut self, message: u64, now: Instant) -> Option<SessionMessage> {
        if message != self.last_message {
            // A repeat, or a page that asks whether its session is still there.
            return None;
        }
        self.unanswered_since = None;
        self.unacknowledged = false;
        self.told_ends.drain(..).for_each(|follower| follower.knows_the_end());
        if !std::mem::take(&mut self.more) {
            return None;
        }
        self.compose(ANSWER_LIMIT, now)
    }

    // When to act.

    /// Whether the page has left a message lying for too long.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.lease_end().is_some_and(|end| now >= end)
    }

    /// When to look again if nothing happens before.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        if self.unacknowledged {
            // Until the page answers there is nothing else to do.
            return self.lease_end();
        }
        let send = self.has_something().then_some(self.may_send_at);
        let refresh = (!self.rated.is_empty()).then(|| self.refresh_at.max(self.may_send_at));
        [send, refresh, self.lease_end()].into_iter().flatten().min()
    }

    /// The next message to push, if there is something to tell and it may be told now.
    pub(super) fn next_push(&mut self, now: Instant) -> Option<SessionMessage> {
        if self.unacknowledged || now < self.may_send_at {
            return None;
        }
        self.refresh(now);
        self.compose(PUSH_LIMIT, now)
    }

    fn has_something(&self) -> bool {
        !self.due.is_empty() || self.lists.values().any(|list| !list.changed.is_empty())
    }

    fn lease_end(&self) -> Option<Instant> {
        self.unanswered_since.map(|since| since + LEASE)
    }

    fn refresh(&mut self, now: Instant) {
        if self.rated.is_empty() || now < self.refresh_at {
            return;
        }
        self.refresh_at = now + REFRESH;
        for (id, record) in std::mem::take(&mut self.rated) {
            if let Some(follow) = self.follows.get_mut(&id) {
                follow.cursor.refresh();
            }
            self.absorb(vec![record]);
        }
    }

    // The message.

    /// As much as fits in `limit`; `None` if there is nothing. The time runs from `now` for this message.
    fn compose(&mut self, limit: usize, now: Instant) -> Option<SessionMessage> {
        let mut room = Room::new(limit);
        let events = self.compose_events(&mut room);
        let lists = self.compose_lists(&mut room);
        // Not what came up again while this was composed: that has its turn with the next frame.
        let more = room.is_full;
        if events.is_empty() && lists.is_empty() && !more {
            return None;
        }
        self.last_message += 1;
        self.unanswered_since = Some(now);
        self.unacknowledged = true;
        self.may_send_at = now + FRAME;
        self.more = more;
        Some(SessionMessage { message: self.last_message, events, lists, more })
    }

    fn compose_events(&mut self, room: &mut Room) -> Vec<Encoded<TaskEvent>> {
        let mut events = Vec::new();
        let mut due = std::mem::take(&mut self.due).into_iter();
        while let Some(id) = due.next() {
            let Some(follow) = self.follows.get_mut(&id) else { continue };
            match follow.tell(&mut events, room) {
                Told::All { rated } => {
                    if rated {
                        self.rated.insert(id, Arc::clone(follow.follower.record()));
                    }
                    if follow.cursor.has_ended() {
                        let follower = self.unfollow(id);
                        self.told_ends.extend(follower);
                    }
                }
                Told::MoreToCome => drop(self.due.insert(id)),
                Told::Full => {
                    self.due = std::iter::once(id).chain(due).chain(std::mem::take(&mut self.due)).collect();
                    break;
                }
            }
        }
        events
    }

    fn compose_lists(&mut self, room: &mut Room) -> Vec<ListChange> {
        let mut changes = Vec::new();
        for (&watch, list) in &mut self.lists {
            if list.changed.is_empty() || room.is_full {
                continue;
            }
            let mut change = ListChange { watch, changed: Vec::new(), removed: Vec::new() };
            room.reserve(ENVELOPE);
            let mut told = 0;
            for (&id, record) in &list.changed {
                let entry = list.entry(record);
                let size = entry.as_ref().map_or(ID_SIZE, |(snapshot, _)| snapshot.len());
                let was_listed = list.listed.contains(&id);
                if (entry.is_some() || was_listed) && !room.takes(size) {
                    break;
                }
                told += 1;
                match entry {
                    Some((snapshot, rated)) => {
                        if rated {
                            self.rated.insert(id, Arc::clone(record));
                        }
                        list.listed.insert(id);
                        change.changed.push(snapshot);
                    }
                    None if was_listed => {
                        list.listed.remove(&id);
                        change.removed.push(id);
                    }
                    None => {}
                }
            }
            list.changed.drain(..told);
            if !change.changed.is_empty() || !change.removed.is_empty() {
                changes.push(change);
            }
        }
        changes
    }
}

/// What is left of a message.
struct Room {
    left: usize,
    /// What fits into no message would hold up everything behind it: in an answer the first always fits.
    takes_any: bool,
    is_full: bool,
}

impl Room {
    fn new(limit: usize) -> Self {
        Self { left: limit - ENVELOPE, takes_any: limit == ANSWER_LIMIT, is_full: false }
    }

    fn takes(&mut self, size: usize) -> bool {
        let takes = size < self.left || self.takes_any;
        if takes {
            self.takes_any = false;
            self.reserve(size + 1);
        } else {
            self.is_full = true;
        }
        takes
    }

    fn reserve(&mut self, size: usize) {
        self.left = self.left.saturating_sub(size);
    }
}

/// How much of a followed task was told.
enum Told {
    /// All there was, and whether its progress has a rate.
    All { rated: bool },
    /// It goes on faster than it can be told: the rest waits for its next turn.
    MoreToCome,
    /// The message is full.
    Full,
}

impl Follow {
    /// Adds what there is to tell, with the newest progress once.
    fn tell(&mut self, events: &mut Vec<Encoded<TaskEvent>>, room: &mut Room) -> Told {
        let mut rated = None;
        loop {
            let mut cursor = self.cursor;
            let Some(event) = cursor.next(self.follower.record()) else {
                return Told::All { rated: rated.unwrap_or(false) };
            };
            if let TaskChange::Progress(progress) = &event.change {
                if rated.is_some() {
                    return Told::MoreToCome;
                }
                rated = Some(progress.rate.is_some());
            }
            if let Ok(event) = Encoded::new(&event) {
                if !room.takes(event.len()) {
                    return Told::Full;
                }
                events.push(event);
            }
            self.cursor = cursor;
        }
    }
}

impl List {
    /// The task as the list shows it, and whether it has a rate; `None` if it is not in the list (any more).
    fn entry(&self, record: &Record) -> Option<(Encoded<TaskSnapshot>, bool)> {
        if record.is_removed() || !self.view.sees(record) || !record.matches(&self.filter) {
            return None;
        }
        let snapshot = record.snapshot();
        Encoded::new(&snapshot).ok().map(|encoded| (encoded, snapshot.progress.rate.is_some()))
    }
}
