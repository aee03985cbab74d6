//! Which tasks may run: limits, queues, holds and positions, as plain data.
//!
//! Invariants:
//! - a task takes a slot in every scope that it is part of, from its admission until it leaves, steps back or yields its
//!   slot. A task that has yielded its slot is admitted again before it goes on, in the place that its rank gives it;
//! - no task is admitted into a full scope. More tasks than the limit have slots only after the limit was lowered;
//! - the queue of a lane has exactly its waiting tasks without a hold, best first, `places` the first of these, and `reclaiming` its tasks that want
//!   their slot back. A lane offers the first of either, unless its batch has no
//!   free slot. A division has what its lanes offer, and `heads` has the first of each division;
//! - only [`Admission::set`] moves a task. It takes the task from its old stage and puts it in the new one at once, so
//!   no slot is lost and no task forgotten;
//! - a lane exists as long as it has tasks. A scope exists as long as it has lanes, or a limit that is not a batch's.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
    iter, mem,
    ops::Bound,
    sync::Arc,
};

use super::{places::Places, table::Table};
use crate::{TaskId, task::id::IdMap};

/// The number of the app's scope, which always exists.
const APP: usize = 0;

/// The tasks that a limit on running tasks applies to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Scope {
    App,
    Kind(Arc<str>),
    Group(Arc<str>),
    Batch(TaskId),
}

/// Why a waiting task may not run yet, even if there is a free slot. A task can have several holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hold {
    /// A caller holds it.
    User = 1,
    /// An earlier task has its key.
    Key = 2,
    /// Its delay is not over.
    Delay = 4,
}

/// Any number of [`Hold`]s.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Holds(u8);

impl Holds {
    pub(crate) fn with(self, why: Hold) -> Self {
        Self(self.0 | why as u8)
    }

    fn without(self, why: Hold) -> Self {
        Self(self.0 & !(why as u8))
    }

    fn has(self, why: Hold) -> bool {
        self.0 & why as u8 != 0
    }

    fn any(self) -> bool {
        self.0 != 0
    }
}

/// Identifies a lane. Tasks that take slots in the same scopes wait in the same lane.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct LaneKey {
    /// `None` for tasks that were spawned without a registered kind.
    pub(crate) kind: Option<Arc<str>>,
    pub(crate) batch: Option<TaskId>,
}

/// A new task.
#[derive(Clone, Debug)]
pub(crate) struct Entrant {
    pub(crate) id: TaskId,
    pub(crate) lane: LaneKey,
    /// Higher comes first.
    pub(crate) priority: i32,
    pub(crate) holds: Holds,
}

/// More tasks would wait than the limit allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct QueueFull {
    /// Whose queue is full: the app's or that of a kind.
    pub(crate) of: Scope,
    pub(crate) limit: usize,
}

/// The place of a waiting task in its queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct QueueState {
    /// Its position in its lane, from 1 to [`PLACES`](super::places::PLACES), which also stands for every position behind it. `None` while it
    /// has any hold.
    pub(crate) position: Option<u32>,
    pub(crate) priority: i32,
    /// Whether a caller holds it. A caller can't release the other holds.
    pub(crate) held: bool,
}

/// A task's rank in a queue: by priority, then by age. No two tasks have the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct QueueRank {
    priority: Reverse<i32>,
    arrival: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It has its slots.
    Running,
    /// It waits for slots. It is in the queue of its lane unless it has a hold.
    Waiting,
    /// It is between two attempts. It has no slots and is in no queue.
    Away,
    /// Its attempt goes on without its slots. It is in no queue.
    Yielded,
    /// It wants the slots back that it has yielded.
    Reclaiming,
}

impl Stage {
    /// Whether an attempt goes on, with or without slots.
    fn has_begun(self) -> bool {
        matches!(self, Self::Running | Self::Yielded | Self::Reclaiming)
    }
}

/// A task. There are many, so it is small: what tasks share is in their lane.
#[derive(Clone, Copy, Debug)]
struct TaskEntry {
    rank: QueueRank,
    lane: usize,
    stage: Stage,
    holds: Holds,
    /// The attempt that has yielded its slots last.
    yielded_by: u32,
}

impl TaskEntry {
    fn is_queued(&self) -> bool {
        self.stage == Stage::Waiting && !self.holds.any()
    }

    fn wants_slots(&self) -> bool {
        self.is_queued() || self.stage == Stage::Reclaiming
    }
}

#[derive(Default, Debug)]
struct Lane {
    key: LaneKey,
    /// The scopes that its tasks take slots in. They don't change while the lane has tasks.
    rooms: Vec<(Scope, usize)>,
    queue: BTreeMap<QueueRank, TaskId>,
    places: Places<QueueRank>,
    /// The tasks that want their slots back. They are in no queue that anybody sees, but have the same ranks.
    reclaiming: BTreeMap<QueueRank, TaskId>,
    /// How many tasks it has, at whatever stage.
    tasks: usize,
    division: usize,
    /// What its division has of it.
    offered: Option<QueueRank>,
}

impl Lane {
    fn head(&self) -> Option<QueueRank> {
        let first = |of: &BTreeMap<QueueRank, TaskId>| of.keys().next().copied();
        [first(&self.queue), first(&self.reclaiming)].into_iter().flatten().min()
    }
}

/// The lanes whose tasks take slots in the same scopes, except for those of their batches. So if one that offers a task
/// can't run it, none can, however many batches there are.
#[derive(Default, Debug)]
struct Division {
    heads: BTreeMap<QueueRank, usize>,
    lanes: usize,
}

/// The kind and the group of a [`Division`].
type DivisionKey = (Option<Arc<str>>, Option<Arc<str>>);

/// The tasks that were given slots.
#[derive(Default, PartialEq, Eq, Debug)]
#[must_use]
pub(crate) struct Admitted {
    /// These begin an attempt.
    pub(crate) begin: Vec<TaskId>,
    /// These have back the slots that this attempt had yielded, and go on.
    pub(crate) go_on: Vec<(TaskId, u32)>,
}

/// The limits and counts of a [`Scope`].
#[derive(Default, Debug)]
struct Room {
    limit: Option<usize>,
    queue_limit: Option<usize>,
    running: usize,
    waiting: usize,
    lanes: BTreeSet<usize>,
}

impl Room {
    fn is_free(&self) -> bool {
        self.limit.is_none_or(|limit| self.running < limit)
    }
}

#[derive(Debug)]
pub(crate) struct Admission {
    tasks: IdMap<TaskEntry>,
    lanes: Table<LaneKey, Lane>,
    rooms: Table<Scope, Room>,
    divisions: Table<DivisionKey, Division>,
    /// The first task of each division that could run as far as its batch goes, and the division.
    heads: BTreeMap<QueueRank, usize>,
    /// The lanes whose queues have changed since somebody asked.
    moved: BTreeSet<usize>,
    /// How many tasks want slots.
    wanting: usize,
    /// The group of each declared kind.
    groups: HashMap<Arc<str>, Option<Arc<str>>>,
    /// The limit of the batch that is about to enter.
    announced: Option<(TaskId, Option<usize>)>,
    arrivals: u64,
}

impl Default for Admission {
    fn default() -> Self {
        let mut rooms = Table::default();
        let app = rooms.number(Scope::App);
        debug_assert_eq!(app, APP);
        Self {
            tasks: IdMap::default(),
            lanes: Table::default(),
            rooms,
            divisions: Table::default(),
            heads: BTreeMap::new(),
            moved: BTreeSet::new(),
            wanting: 0,
            groups: HashMap::new(),
            announced: None,
            arrivals: 0,
        }
    }
}

impl Admission {
    /// Declares a kind: its group, how many of its tasks may run at once, and how many may wait. A kind that is not
    /// declared has no limits. A lane that has tasks keeps its group.
    pub(crate) fn declare(
        &mut self,
        kind: Arc<str>,
        group: Option<Arc<str>>,
        concurrency: Option<usize>,
        queue: Option<usize>,
    ) {
        self.groups.insert(Arc::clone(&kind), group);
        self.edit(Scope::Kind(kind), |room| (room.limit, room.queue_limit) = (concurrency, queue));
    }

    /// Sets how many tasks may run at once; `None` for no limit. A lowered limit stops no task, but none is admitted
    /// until enough have left. The limit of a batch that has no tasks yet takes effect when the batch enters with the
    /// next call of [`enter`](Self::enter), and is forgotten with the last task of the batch. If the batch does not
    /// enter with that call, the limit is forgotten then.
    pub(crate) fn set_limit(&mut self, of: Scope, limit: Option<usize>) {
        match of {
            Scope::Batch(batch) if self.rooms.get(&of).is_none() => self.announced = Some((batch, limit)),
            _ => self.edit(of, |room| room.limit = limit),
        }
    }

    pub(crate) fn limit(&self, of: &Scope) -> Option<usize> {
        match (self.rooms.get(of), of, self.announced) {
            (Some(room), ..) => room.limit,
            (None, Scope::Batch(batch), Some((announced, limit))) if *batch == announced => limit,
            _ => None,
        }
    }

    /// Sets how many tasks may wait in the whole app; `None` for no limit.
    pub(crate) fn set_queue_limit(&mut self, limit: Option<usize>) {
        self.rooms[APP].queue_limit = limit;
    }

    /// Lets in all entrants as waiting tasks, or none of them. Fails if that would leave more tasks waiting, of a kind
    /// or in the app, than the queue limit. Tasks that could run at once don't count. A queue that is too long already
    /// (a limit was lowered, or tasks came back) may not grow, but entrants that would not wait in it are not refused.
    ///
    /// `leaving` is how many waiting tasks are about to leave the same queues. They don't count.
    pub(crate) fn enter(&mut self, entrants: Vec<Entrant>, leaving: usize) -> Result<(), QueueFull> {
        let bounds = self.bounds(&entrants);
        let before = self.left_waiting(&bounds);
        let ids: Vec<TaskId> = entrants.iter().map(|entrant| entrant.id).collect();
        for Entrant { id, lane, priority, holds } in entrants {
            debug_assert!(!self.tasks.contains_key(&id), "{id:?} is here already");
            let rank = QueueRank { priority: Reverse(priority), arrival: self.arrivals };
            self.arrivals += 1;
            let lane = self.lane(lane);
            self.set(id, Some(TaskEntry { rank, lane, stage: Stage::Waiting, holds, yielded_by: 0 }));
        }
        self.announced = None;
        let after = self.left_waiting(&bounds);
        let full = iter::zip(bounds, iter::zip(before, after))
            .map(|(bound, (before, after))| (bound, before, after.saturating_sub(leaving)))
            .find(|((full, _), before, after)| after > before && *after > full.limit);
        if let Some(((full, _), ..)) = full {
            for id in ids {
                self.leave(id);
            }
            return Err(full);
        }
        Ok(())
    }

    /// Returns the queue limits that the entrants could exceed, each with the number of its scope.
    fn bounds(&self, entrants: &[Entrant]) -> Vec<(QueueFull, usize)> {
        let mut kinds: Vec<&Arc<str>> = Vec::new();
        for kind in entrants.iter().filter_map(|entrant| entrant.lane.kind.as_ref()) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        // Tasks without a kind are never refused.
        let app = (!kinds.is_empty()).then_some(Scope::App);
        let scopes = kinds.into_iter().map(|kind| Scope::Kind(Arc::clone(kind))).chain(app);
        scopes
            .filter_map(|of| {
                let room = self.rooms.find(&of)?;
                Some((QueueFull { of, limit: self.rooms[room].queue_limit? }, room))
            })
            .collect()
    }

    /// Returns how many tasks would still wait if every task that may run did. To find out, it admits those tasks and
    /// then undoes that.
    fn left_waiting(&mut self, bounds: &[(QueueFull, usize)]) -> Vec<usize> {
        if bounds.is_empty() {
            return Vec::new();
        }
        let Admitted { begin, go_on } = self.admit();
        let waiting = bounds.iter().map(|(_, room)| self.rooms[*room].waiting).collect();
        let begin = begin.into_iter().map(|id| (id, Stage::Waiting));
        let go_on = go_on.into_iter().map(|(id, _)| (id, Stage::Reclaiming));
        for (id, stage) in begin.chain(go_on) {
            self.alter(id, |entry| Some(TaskEntry { stage, ..entry }));
        }
        waiting
    }

    /// Takes slots for the tasks that may run now, best first across all lanes. Returns those tasks.
    pub(crate) fn admit(&mut self) -> Admitted {
        let mut admitted = Admitted::default();
        // One pass is enough: slots are only taken here, so a division without a free slot has none later, and the next
        // head of a division ranks behind the last one. The app's slots are checked first only to stop early.
        let mut seen = Bound::Unbounded;
        while self.rooms[APP].is_free()
            && let Some((&rank, &division)) = self.heads.range((seen, Bound::Unbounded)).next()
        {
            seen = Bound::Excluded(rank);
            let Some(&lane) = self.divisions[division].heads.get(&rank) else { continue };
            let Lane { rooms, queue, reclaiming, .. } = &self.lanes[lane];
            if !rooms.iter().all(|(_, room)| self.rooms[*room].is_free()) {
                continue;
            }
            let id = match (queue.get(&rank), reclaiming.get(&rank)) {
                (Some(&id), _) => {
                    admitted.begin.push(id);
                    id
                }
                (None, Some(&id)) => {
                    admitted.go_on.extend(self.tasks.get(&id).map(|entry| (id, entry.yielded_by)));
                    id
                }
                (None, None) => continue,
            };
            self.alter(id, |entry| Some(TaskEntry { stage: Stage::Running, ..entry }));
        }
        admitted
    }

    /// Removes a task, at whatever stage. Returns `false` if it is not known.
    pub(crate) fn leave(&mut self, id: TaskId) -> bool {
        self.set(id, None)
    }

    /// Takes a task whose attempt is over out of its slots until its next attempt. Until then it is in no queue, but
    /// keeps its rank.
    pub(crate) fn step_back(&mut self, id: TaskId) {
        self.alter(id, |entry| entry.stage.has_begun().then_some(TaskEntry { stage: Stage::Away, ..entry }));
    }

    /// Takes a running task out of its slots although its `attempt` goes on. It is in no queue, but keeps its rank.
    pub(crate) fn yield_slot(&mut self, id: TaskId, attempt: u32) {
        self.alter(id, |entry| {
            let yielded = TaskEntry { stage: Stage::Yielded, yielded_by: attempt, ..entry };
            (entry.stage == Stage::Running).then_some(yielded)
        });
    }

    /// Lets a task that has yielded its slots wait for them, with its old rank. It doesn't count as a waiting task.
    pub(crate) fn reclaim_slot(&mut self, id: TaskId) {
        self.alter(id, |entry| {
            (entry.stage == Stage::Yielded).then_some(TaskEntry { stage: Stage::Reclaiming, ..entry })
        });
    }

    /// If the task `id` waits for a slot in a full scope in which `holder` has one, returns that scope and its limit. If
    /// there are several, the one with the lowest limit is returned.
    pub(crate) fn is_blocked_by(&self, id: TaskId, holder: TaskId) -> Option<(Scope, usize)> {
        let [waiting, holder] = [id, holder].map(|id| self.tasks.get(&id));
        let waiting = waiting.filter(|entry| entry.wants_slots())?;
        let holder = holder.filter(|entry| entry.stage == Stage::Running)?;
        let held = &self.lanes[holder.lane].rooms;
        let shared = self.lanes[waiting.lane].rooms.iter().filter(|room| held.contains(room));
        shared
            .filter_map(|(scope, room)| Some((scope, &self.rooms[*room])).filter(|(_, room)| !room.is_free()))
            .filter_map(|(scope, room)| Some((scope.clone(), room.limit?)))
            .min_by_key(|(_, limit)| *limit)
    }

    /// Whether the task waits for slots, also for those that it has lent, and nothing else holds it.
    pub(crate) fn wants_slots(&self, id: TaskId) -> bool {
        self.tasks.get(&id).is_some_and(TaskEntry::wants_slots)
    }

    /// Lets a task that stepped back wait again, with its old rank. It was let in before, so it is never refused.
    pub(crate) fn come_back(&mut self, id: TaskId) {
        self.alter(id, |entry| (entry.stage == Stage::Away).then_some(TaskEntry { stage: Stage::Waiting, ..entry }));
    }

    /// If the task is the first in its queue and waits for a slot in a full scope, returns that scope, its limit and the
    /// tasks that have its slots.
    pub(crate) fn blocked_in(&self, id: TaskId) -> Option<(Scope, usize, Vec<TaskId>)> {
        let entry = self.tasks.get(&id).filter(|entry| entry.is_queued())?;
        let Lane { rooms, queue, .. } = &self.lanes[entry.lane];
        if queue.first_key_value()?.1 != &id {
            return None;
        }
        let (scope, number) = rooms.iter().find(|(_, room)| !self.rooms[*room].is_free())?;
        Some((scope.clone(), self.rooms[*number].limit?, self.holders(scope)))
    }

    /// Returns the tasks that have a slot in this scope. Takes time in proportion to the number of all tasks.
    pub(crate) fn holders(&self, of: &Scope) -> Vec<TaskId> {
        let has_slot = |entry: &TaskEntry| {
            entry.stage == Stage::Running && self.lanes[entry.lane].rooms.iter().any(|(scope, _)| scope == of)
        };
        self.tasks.iter().filter(|(_, entry)| has_slot(entry)).map(|(id, _)| *id).collect()
    }

    /// Adds a hold. Returns `false` if the task has begun, is not known or has the hold already.
    pub(crate) fn hold(&mut self, id: TaskId, why: Hold) -> bool {
        self.alter(id, |entry| {
            (!entry.stage.has_begun() && !entry.holds.has(why))
                .then_some(TaskEntry { holds: entry.holds.with(why), ..entry })
        })
    }

    /// Removes a hold. Returns `false` if the task did not have it.
    pub(crate) fn release(&mut self, id: TaskId, why: Hold) -> bool {
        self.alter(id, |entry| entry.holds.has(why).then_some(TaskEntry { holds: entry.holds.without(why), ..entry }))
    }

    /// Sets the priority. Returns `false` if the task has begun or is not known.
    pub(crate) fn set_priority(&mut self, id: TaskId, priority: i32) -> bool {
        self.alter(id, |entry| {
            let rank = QueueRank { priority: Reverse(priority), ..entry.rank };
            (!entry.stage.has_begun()).then_some(TaskEntry { rank, ..entry })
        })
    }

    /// Returns the task's place in its queue; `None` unless it waits.
    pub(crate) fn queue_state(&self, id: TaskId) -> Option<QueueState> {
        let entry = self.tasks.get(&id).filter(|entry| entry.stage == Stage::Waiting)?;
        let position = entry.is_queued().then(|| self.lanes[entry.lane].places.of(&entry.rank));
        Some(QueueState { position, priority: entry.rank.priority.0, held: entry.holds.has(Hold::User) })
    }

    /// Returns the first `most` queued tasks of each lane whose queue has changed since the last call.
    pub(crate) fn take_moved(&mut self, most: usize) -> Vec<TaskId> {
        let moved = mem::take(&mut self.moved);
        moved.into_iter().flat_map(|lane| self.lanes[lane].queue.values().take(most)).copied().collect()
    }

    /// Whether the task waits, for its turn or between two attempts.
    pub(crate) fn waits(&self, id: TaskId) -> bool {
        self.tasks.get(&id).is_some_and(|entry| !entry.stage.has_begun())
    }

    /// Returns those of `waiting` that the end of no other task lets run: a caller or a delay holds them, or a limit of
    /// theirs is 0. Tasks of `lasting` that run never leave their slots, so they count as if the limit were lower.
    pub(crate) fn stuck(&self, waiting: &[TaskId], lasting: &[TaskId]) -> Vec<TaskId> {
        let mut taken: HashMap<usize, usize> = HashMap::new();
        for entry in lasting.iter().filter_map(|id| self.tasks.get(id)).filter(|entry| entry.stage == Stage::Running) {
            for (_, room) in &self.lanes[entry.lane].rooms {
                *taken.entry(*room).or_default() += 1;
            }
        }
        let is_closed = |room: &usize| {
            let taken = taken.get(room).copied().unwrap_or(0);
            self.rooms[*room].limit.is_some_and(|limit| limit <= taken)
        };
        let is_stuck = |entry: &TaskEntry| {
            let is_put_off = entry.holds.has(Hold::User) || entry.holds.has(Hold::Delay);
            let mut rooms = self.lanes[entry.lane].rooms.iter();
            let needs_slots = !entry.stage.has_begun() || entry.stage == Stage::Reclaiming;
            (!entry.stage.has_begun() && is_put_off) || (needs_slots && rooms.any(|(_, room)| is_closed(room)))
        };
        waiting.iter().copied().filter(|id| self.tasks.get(id).is_some_and(is_stuck)).collect()
    }

    /// Whether any task waits for its turn, or for the slots that it has yielded.
    pub(crate) fn is_waiting(&self) -> bool {
        self.wanting > 0
    }

    /// Whether it has its slots.
    pub(crate) fn is_running(&self, id: TaskId) -> bool {
        self.tasks.get(&id).is_some_and(|entry| entry.stage == Stage::Running)
    }

    #[cfg(test)]
    pub(crate) fn running(&self, of: &Scope) -> usize {
        self.rooms.get(of).map_or(0, |room| room.running)
    }

    /// How many tasks there are, at whatever stage.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    fn alter(&mut self, id: TaskId, change: impl FnOnce(TaskEntry) -> Option<TaskEntry>) -> bool {
        let entry = self.tasks.get(&id).and_then(|entry| change(*entry));
        entry.is_some_and(|entry| self.set(id, Some(entry)))
    }

    /// Adds, replaces or removes a task, and updates all counts. Returns `false` if the task was not here before.
    fn set(&mut self, id: TaskId, to: Option<TaskEntry>) -> bool {
        let from = match to {
            Some(entry) => self.tasks.insert(id, entry),
            None => self.tasks.remove(&id),
        };
        if let Some(entry) = from {
            self.count(id, entry, false);
        }
        if let Some(entry) = to {
            self.count(id, entry, true);
        }
        // Only now, because the lane stays if the task is still in it.
        if let Some(TaskEntry { lane, .. }) = from
            && self.lanes[lane].tasks == 0
        {
            self.remove_lane(lane);
        }
        from.is_some()
    }

    /// Adds a task to the counts and the queue of its stage if it is `here`; otherwise removes it from them.
    fn count(&mut self, id: TaskId, entry: TaskEntry, here: bool) {
        let step = |count: &mut usize| if here { *count += 1 } else { *count -= 1 };
        let lane = &mut self.lanes[entry.lane];
        step(&mut lane.tasks);
        for (_, room) in &lane.rooms {
            let room = &mut self.rooms[*room];
            match entry.stage {
                Stage::Running => step(&mut room.running),
                Stage::Waiting => step(&mut room.waiting),
                Stage::Away | Stage::Yielded | Stage::Reclaiming => {}
            }
        }
        if entry.wants_slots() {
            step(&mut self.wanting);
            self.line_up(id, entry, here);
        }
        self.offer(entry.lane);
        if entry.stage == Stage::Running
            && let Some(batch) = batch_room(&self.lanes[entry.lane])
        {
            self.offer_all_in(batch);
        }
    }

    /// Adds a task to the queue of its lane if it is `here`; otherwise removes it from there.
    fn line_up(&mut self, id: TaskId, entry: TaskEntry, here: bool) {
        let lane = &mut self.lanes[entry.lane];
        let queue = if entry.is_queued() { &mut lane.queue } else { &mut lane.reclaiming };
        let stood = if here { queue.insert(entry.rank, id) } else { queue.remove(&entry.rank) };
        debug_assert_eq!(stood, (!here).then_some(id));
        if entry.is_queued() {
            if here {
                lane.places.add(entry.rank);
            } else {
                lane.places.remove(&entry.rank, &lane.queue);
            }
            self.moved.insert(entry.lane);
        }
    }

    /// Lets the division of a lane have its first task, unless the batch of the lane has no free slot.
    fn offer(&mut self, number: usize) {
        let lane = &self.lanes[number];
        let is_open = batch_room(lane).is_none_or(|room| self.rooms[room].is_free());
        let (now, before, division) = (lane.head().filter(|_| is_open), lane.offered, lane.division);
        if now == before {
            return;
        }
        self.lanes[number].offered = now;
        let heads = &mut self.divisions[division].heads;
        let first = |heads: &BTreeMap<QueueRank, usize>| heads.keys().next().copied();
        let first_before = first(heads);
        if let Some(rank) = before {
            heads.remove(&rank);
        }
        if let Some(rank) = now {
            heads.insert(rank, number);
        }
        let first_now = first(heads);
        if first_now != first_before {
            if let Some(rank) = first_before {
                self.heads.remove(&rank);
            }
            if let Some(rank) = first_now {
                self.heads.insert(rank, division);
            }
        }
    }

    /// Offers all lanes of a batch again, since its slots or their number have changed.
    fn offer_all_in(&mut self, room: usize) {
        for lane in self.rooms[room].lanes.clone() {
            self.offer(lane);
        }
    }

    /// Returns the number of a lane, which it makes if there is none.
    fn lane(&mut self, key: LaneKey) -> usize {
        if let Some(lane) = self.lanes.find(&key) {
            return lane;
        }
        let group = key.kind.as_ref().and_then(|kind| self.groups.get(kind).cloned().flatten());
        let division = self.divisions.number((key.kind.clone(), group.clone()));
        self.divisions[division].lanes += 1;
        let scopes =
            [Some(Scope::App), key.kind.clone().map(Scope::Kind), group.map(Scope::Group), key.batch.map(Scope::Batch)];
        let mut rooms = Vec::new();
        for scope in scopes.into_iter().flatten() {
            let room = self.rooms.number(scope.clone());
            if let Some((batch, limit)) = self.announced
                && scope == Scope::Batch(batch)
            {
                self.rooms[room].limit = limit;
            }
            rooms.push((scope, room));
        }
        let lane = self.lanes.number(key.clone());
        for (_, room) in &rooms {
            self.rooms[*room].lanes.insert(lane);
        }
        self.lanes[lane] = Lane { key, rooms, division, ..Lane::default() };
        lane
    }

    fn remove_lane(&mut self, lane: usize) {
        let Lane { key, rooms, queue, reclaiming, division, offered, .. } = mem::take(&mut self.lanes[lane]);
        debug_assert!(queue.is_empty() && reclaiming.is_empty() && offered.is_none(), "{queue:?} {reclaiming:?}");
        self.lanes.remove(&key);
        self.moved.remove(&lane);
        self.leave_division(division, key.kind, &rooms);
        for (scope, room) in rooms {
            self.rooms[room].lanes.remove(&lane);
            self.tidy(&scope);
        }
    }

    /// Forgets a division whose last lane is removed, which had these scopes.
    fn leave_division(&mut self, division: usize, kind: Option<Arc<str>>, rooms: &[(Scope, usize)]) {
        self.divisions[division].lanes -= 1;
        if self.divisions[division].lanes == 0 {
            let group = rooms.iter().find_map(|(scope, _)| match scope {
                Scope::Group(group) => Some(Arc::clone(group)),
                _ => None,
            });
            self.divisions.remove(&(kind, group));
        }
    }

    fn edit(&mut self, of: Scope, edit: impl FnOnce(&mut Room)) {
        let room = self.rooms.number(of.clone());
        edit(&mut self.rooms[room]);
        if let Scope::Batch(_) = of {
            self.offer_all_in(room);
        }
        self.tidy(&of);
    }

    /// Forgets a scope that has neither lanes nor a limit.
    fn tidy(&mut self, of: &Scope) {
        let Some(room) = self.rooms.get(of) else { return };
        let forget = match of {
            Scope::App => false,
            Scope::Batch(_) => room.lanes.is_empty(),
            _ => room.lanes.is_empty() && room.limit.is_none() && room.queue_limit.is_none(),
        };
        if forget {
            debug_assert_eq!((room.running, room.waiting), (0, 0));
            self.rooms.remove(of);
        }
    }
}

/// Returns the number of the room of the batch whose tasks are in this lane.
fn batch_room(lane: &Lane) -> Option<usize> {
    lane.rooms.iter().find_map(|(scope, room)| matches!(scope, Scope::Batch(_)).then_some(*room))
}

#[cfg(test)]
mod tests;
