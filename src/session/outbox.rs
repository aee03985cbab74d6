//! What one page is still to be told, as plain data with the time handed in.
//!
//! Invariants:
//! - at most one message is unacknowledged, and at most one is handed out a [`FRAME`], pushed or answered;
//! - a pushed message is shorter than [`PUSH_LIMIT`], so that it goes the fast way and can't get lost alone; an answer is as
//!   large as the page is quick ([`AnswerSize`]), or holds no more than one thing of each sort that is larger;
//! - it holds one entry for each followed task, and in each list one for each task that the page has in it or that the
//!   engine has, whatever else happens and however long the page is away;
//! - each status change of a followed task is told once and in order, its newest progress before its end;
//! - what the page was told of a list is how that stood, but for the tasks that still wait for their turn there; who has
//!   waited longest comes first, and neither followed tasks nor lists take more than half of a message from the others;
//! - a page that is silent for [`PROBE`] is sent a message all the same: it leaves none unacknowledged for a [`LEASE`];
//! - a failure counts as told when the page has acknowledged the message it was in.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use foldhash::fast::RandomState;
use tokio::time::Instant;

use super::{
    answer_size::AnswerSize,
    follow::{Follow, Left},
    list::List,
    message::{Encoded, ListChange, SessionMessage},
    room::{ENVELOPE, Room},
    turns::Turns,
};
use crate::{TaskEvent, TaskFilter, TaskId, TaskSnapshot, ipc::caller::View};
use tauri_plugin_tasks_engine::delivery::{Follower, IdMap, Record, Watcher};

/// One frame of a page at 60 a second, and a bit: timers count whole milliseconds, and a page that gets no more than 58.8
/// messages a second never gets two in one frame for long.
pub(super) const FRAME: Duration = Duration::from_millis(17);
/// How long a page may leave a message unacknowledged before it counts as gone.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// How long a page may be silent before it is sent a message to acknowledge, though there is nothing to tell. Longer than the
/// interval in which a page that waits for something says that it is there.
pub(super) const PROBE: Duration = Duration::from_secs(12);
/// How long after it was told a rate is told again if nothing else happens, so that it falls.
const REFRESH: Duration = Duration::from_secs(1);
/// From this length on, Tauri takes the slow way for a message (`MAX_JSON_DIRECT_EXECUTE_THRESHOLD` in
/// tauri's `ipc/channel.rs`).
const PUSH_LIMIT: usize = 8 * 1024;
/// As many changes may pile up for a page that does not answer before they are looked through.
const LEAST_PILE: usize = 1024;

pub(super) struct Outbox {
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
    /// Not before this has any of them to be told again.
    refresh_at: Instant,
    last_message: u64,
    phase: Phase,
    acknowledgements: u64,
    /// When the page last showed that it is there, if it has to show it again: it has a message to
    /// acknowledge, or it has opened its session and done nothing with it yet.
    unanswered_since: Option<Instant>,
    /// When it last did.
    heard_at: Instant,
    may_send_at: Instant,
    answer_size: AnswerSize,
}

/// What a task is told in: each list may be as far behind as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Where {
    Follow,
    List(u32),
}

/// Whose move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// What there is to tell is pushed.
    Idle,
    /// The page is to acknowledge the last message.
    Unacknowledged(Sent),
    /// The page has, and this acknowledgement of it is to be answered.
    Answering { acknowledgement: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sent {
    at: Instant,
    /// It did not take all.
    more: bool,
    answered: bool,
}

/// What comes with the answer to an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rest {
    /// Which acknowledgement is to be answered. A repeat has another number, and takes over.
    pub acknowledgement: u64,
    pub due: Instant,
}

/// When to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pause {
    /// At the latest. There is nothing to wait for if this is `None`.
    pub until: Option<Instant>,
    /// Or when so many tasks have changed.
    pub changes: usize,
}

impl Outbox {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            follows: IdMap::default(),
            due_follows: Turns::new(),
            told_ends: Vec::new(),
            lists: BTreeMap::new(),
            due_listed: Turns::new(),
            rated: HashMap::default(),
            refresh_at: now,
            last_message: 0,
            phase: Phase::Idle,
            acknowledgements: 0,
            unanswered_since: Some(now),
            heard_at: now,
            may_send_at: now,
            answer_size: AnswerSize::new(),
        }
    }

    // What the page wants to hear.

    pub(super) fn follows(&self, id: TaskId) -> bool {
        self.follows.contains_key(&id)
    }

    /// From now on each change of the task is told; answers how it stands. What is still to be told of a task that was
    /// followed before is told nevertheless: the answer may get lost, or come to somebody else on the page.
    pub(super) fn follow(&mut self, record: &Arc<Record>, now: Instant) -> TaskSnapshot {
        self.is_used(now);
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

    /// Answers who followed, to be dropped where no lock is held: that may log the task's failure.
    pub(super) fn unfollow(&mut self, id: TaskId) -> Option<Follower> {
        let follow = self.follows.remove(&id)?;
        if let Some(turn) = follow.turn {
            self.due_follows.leave(turn);
        }
        Some(follow.follower)
    }

    /// The page does something with its session, so it is there.
    pub(super) fn is_used(&mut self, now: Instant) {
        self.heard_at = now;
        if !matches!(self.phase, Phase::Unacknowledged(_)) {
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
        now: Instant,
    ) -> Vec<TaskSnapshot> {
        self.is_used(now);
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

    /// Answers whether there is no list left.
    pub(super) fn unlist(&mut self, watch: u32) -> bool {
        if let Some(list) = self.lists.remove(&watch) {
            list.turns().for_each(|turn| self.due_listed.leave(turn));
        }
        self.lists.is_empty()
    }

    // What happens.

    /// These tasks have changed.
    fn absorb(&mut self, changed: Vec<Arc<Record>>) {
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

    /// The page has taken message number `message`. Answers when the next one comes if that one left something out.
    pub(super) fn acknowledge(&mut self, message: u64, now: Instant) -> Option<Rest> {
        if message != self.last_message {
            // A late repeat, or a page that asks whether its session is still there.
            return None;
        }
        self.unanswered_since = None;
        self.heard_at = now;
        match self.phase {
            Phase::Idle => return None,
            // Repeated while the first one waits, which may have got lost on its way: this one is answered instead.
            Phase::Answering { .. } => {}
            Phase::Unacknowledged(sent) => {
                self.answer_size.learn(now - sent.at, sent.more && sent.answered);
                self.told_ends.drain(..).for_each(|follower| follower.knows_the_end());
                if !sent.more {
                    self.phase = Phase::Idle;
                    return None;
                }
            }
        }
        self.acknowledgements += 1;
        self.phase = Phase::Answering { acknowledgement: self.acknowledgements };
        Some(Rest { acknowledgement: self.acknowledgements, due: self.may_send_at })
    }

    /// The answer to this acknowledgement, if it is still to be answered and there is something to tell.
    pub(super) fn answer(&mut self, acknowledgement: u64, watcher: &Watcher, now: Instant) -> Option<SessionMessage> {
        if !self.give_up(acknowledgement) {
            return None;
        }
        self.absorb(watcher.take());
        self.compose(Room::for_answer(self.answer_size.limit()), true, now)
    }

    /// Nobody waits for the answer to this acknowledgement any more: the rest is pushed. Answers whether there was one to give.
    pub(super) fn give_up(&mut self, acknowledgement: u64) -> bool {
        let answers = self.phase == Phase::Answering { acknowledgement };
        if answers {
            self.phase = Phase::Idle;
        }
        answers
    }

    // When to act.

    /// Whether the page has left a message lying for too long.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.lease_end().is_some_and(|end| now >= end)
    }

    /// When to look for the next push, if there is none now.
    pub(super) fn pause(&self, now: Instant) -> Pause {
        let pile = self.pile();
        match self.phase {
            Phase::Unacknowledged(_) => Pause { until: self.lease_end(), changes: pile },
            // An answer doesn't wake who pushes, and its lease is no shorter.
            Phase::Answering { .. } => Pause { until: Some(now + LEASE), changes: pile },
            Phase::Idle if now < self.may_send_at => Pause { until: Some(self.may_send_at), changes: pile },
            Phase::Idle => {
                let refresh = (!self.rated.is_empty()).then_some(self.refresh_at);
                Pause { until: refresh.into_iter().chain(self.lease_end()).chain(self.probe_at()).min(), changes: 1 }
            }
        }
    }

    /// The next message to push, if it may be told now and there is something to tell.
    pub(super) fn next_push(&mut self, watcher: &Watcher, now: Instant) -> Option<SessionMessage> {
        if self.phase != Phase::Idle || now < self.may_send_at {
            if watcher.len() >= self.pile() {
                self.absorb(watcher.take());
            }
            return None;
        }
        let changed = watcher.take();
        if !changed.is_empty() {
            // Changes that the page doesn't see are not looked through more often than others are told.
            self.may_send_at = now + FRAME;
        }
        self.absorb(changed);
        self.compose(Room::for_push(PUSH_LIMIT), false, now)
    }

    /// With how many changes the watcher is looked through although it isn't time: those of tasks that are gone again would
    /// pile up there.
    fn pile(&self) -> usize {
        LEAST_PILE + 2 * self.len()
    }

    /// How many tasks something is kept of.
    pub(super) fn len(&self) -> usize {
        self.follows.len() + self.lists.values().map(List::len).sum::<usize>()
    }

    fn lease_end(&self) -> Option<Instant> {
        self.unanswered_since.map(|since| since + LEASE)
    }

    /// When the page is to show that it is there, if it does not have to already.
    fn probe_at(&self) -> Option<Instant> {
        self.unanswered_since.is_none().then(|| self.heard_at + PROBE)
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

    /// As much as there is room for; `None` if there is nothing, unless the page is to show that it is there. The time runs from `now` for this message.
    fn compose(&mut self, mut room: Room, answered: bool, now: Instant) -> Option<SessionMessage> {
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
        let probes = !answered && self.probe_at().is_some_and(|at| now >= at);
        if events.is_empty() && lists.is_empty() && !more && !probes {
            return None;
        }
        self.last_message += 1;
        self.unanswered_since = Some(now);
        self.phase = Phase::Unacknowledged(Sent { at: now, more, answered });
        self.may_send_at = now + FRAME;
        Some(SessionMessage { message: self.last_message, events, lists, more })
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
