//! Who may run: limits, queues, holds and places, as plain data.
//!
//! Invariants:
//! - a task takes a slot in every scope that it is part of, from when it is admitted until it leaves or steps back;
//! - nothing is admitted into a scope that is full, so only a limit that was lowered is ever below what runs;
//! - the queue of a lane holds exactly its waiting tasks that nothing holds, best first, and `heads` the best of each;
//! - [`Admission::set`] is the only thing that moves a task, and it takes it from its old place as it gives it the new
//!   one, so that no slot is lost and no task forgotten;
//! - a lane is here as long as it has tasks; a scope as long as it has lanes, or a limit that is not just a batch's.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    hash::Hash,
    iter, mem,
    ops::{Bound, Index, IndexMut},
    sync::Arc,
};

use crate::{TaskId, task::id::IdMap};

/// How far places are counted. A task further behind is told this one: it is as good as any other number then.
pub(crate) const PLACES: usize = 1_000;
/// The scope of the whole app, which is always here.
const APP: usize = 0;

/// What a limit on running tasks is for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Scope {
    App,
    Kind(Arc<str>),
    Group(Arc<str>),
    Batch(TaskId),
}

/// Why a task that waits may not run yet, whatever room there is. A task can have several.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hold {
    /// Somebody holds it.
    User = 1,
    /// A task with the same key comes first.
    Key = 2,
    /// Its time has not come.
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

/// Tasks that need room in the same scopes wait in one lane.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct LaneKey {
    /// `None` for ad-hoc work, which is of no registered kind.
    pub(crate) kind: Option<Arc<str>>,
    pub(crate) batch: Option<TaskId>,
}

/// A task that comes in.
#[derive(Clone, Debug)]
pub(crate) struct Entrant {
    pub(crate) id: TaskId,
    pub(crate) lane: LaneKey,
    /// Higher comes first.
    pub(crate) priority: i32,
    pub(crate) holds: Holds,
}

/// More would wait than may.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct QueueFull {
    /// The app or a kind.
    pub(crate) of: Scope,
    pub(crate) limit: usize,
}

/// How a task waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct QueueState {
    /// Its place in its lane, from 1 to [`PLACES`], which also stands for every place behind. `None` while it is held.
    pub(crate) position: Option<u32>,
    pub(crate) priority: i32,
    /// Whether somebody holds it: the other holds are not anybody's to release.
    pub(crate) held: bool,
}

/// The order of a queue: priority, then age. No two tasks have the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Rank {
    priority: Reverse<i32>,
    arrival: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// It has its slots.
    Running,
    /// It waits for slots, in the queue of its lane unless it is held.
    Waiting,
    /// Between two attempts: no slots, no queue.
    Away,
}

/// A task. There are many, so it is small: what it shares with others is in its lane.
#[derive(Clone, Copy, Debug)]
struct Entry {
    rank: Rank,
    lane: usize,
    place: Place,
    holds: Holds,
}

impl Entry {
    fn is_queued(&self) -> bool {
        self.place == Place::Waiting && !self.holds.any()
    }
}

#[derive(Default, Debug)]
struct Lane {
    key: LaneKey,
    /// The scopes that its tasks take slots in. They stay the same as long as it has tasks.
    rooms: Vec<(Scope, usize)>,
    queue: BTreeMap<Rank, TaskId>,
    /// All its tasks, wherever they stand.
    tasks: usize,
}

/// What is known of a [`Scope`].
#[derive(Default, Debug)]
struct Room {
    limit: Option<usize>,
    queue_limit: Option<usize>,
    running: usize,
    waiting: usize,
    lanes: usize,
}

impl Room {
    fn is_free(&self) -> bool {
        self.limit.is_none_or(|limit| self.running < limit)
    }
}

#[derive(Debug)]
pub(crate) struct Admission {
    tasks: IdMap<Entry>,
    lanes: Table<LaneKey, Lane>,
    rooms: Table<Scope, Room>,
    /// The first of each queue, and its lane.
    heads: BTreeMap<Rank, usize>,
    /// The group of each kind that was declared.
    groups: HashMap<Arc<str>, Option<Arc<str>>>,
    /// The limit of the batch that comes in next.
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
            heads: BTreeMap::new(),
            groups: HashMap::new(),
            announced: None,
            arrivals: 0,
        }
    }
}

impl Admission {
    /// What holds for the tasks of a kind: its group, how many run at once, and how many may wait. Without this a kind
    /// has no limits. A lane that has tasks keeps the group it has.
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

    /// How many may run at once: as many as like with `None`. A lowered limit stops nobody; nothing new runs until
    /// there is room. The limit of a batch that has no tasks yet is for the next call of [`enter`](Self::enter), and
    /// forgotten after it if the batch did not come in; otherwise it is forgotten with the last task of the batch.
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

    /// How many may wait in the whole app.
    pub(crate) fn set_queue_limit(&mut self, limit: Option<usize>) {
        self.rooms[APP].queue_limit = limit;
    }

    /// Lets them all in, to wait, or none of them: when more would be left waiting than may, in a kind or in the app.
    /// What could run at once doesn't count. A queue that is too long already (a limit was lowered, or tasks came back)
    /// may not grow, but is no reason to refuse what would not wait.
    ///
    /// So many of those that wait already are about to leave the same queues, and don't count.
    pub(crate) fn enter(&mut self, entrants: Vec<Entrant>, leaving: usize) -> Result<(), QueueFull> {
        let bounds = self.bounds(&entrants);
        let before = self.left_waiting(&bounds);
        let ids: Vec<TaskId> = entrants.iter().map(|entrant| entrant.id).collect();
        for Entrant { id, lane, priority, holds } in entrants {
            debug_assert!(!self.tasks.contains_key(&id), "{id:?} is here already");
            let rank = Rank { priority: Reverse(priority), arrival: self.arrivals };
            self.arrivals += 1;
            let lane = self.lane(lane);
            self.set(id, Some(Entry { rank, lane, place: Place::Waiting, holds }));
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

    /// The queue limits that they could exceed, each with its room.
    fn bounds(&self, entrants: &[Entrant]) -> Vec<(QueueFull, usize)> {
        let mut kinds: Vec<&Arc<str>> = Vec::new();
        for kind in entrants.iter().filter_map(|entrant| entrant.lane.kind.as_ref()) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        // What is of no kind is never refused.
        let app = (!kinds.is_empty()).then_some(Scope::App);
        let scopes = kinds.into_iter().map(|kind| Scope::Kind(Arc::clone(kind))).chain(app);
        scopes
            .filter_map(|of| {
                let room = self.rooms.find(&of)?;
                Some((QueueFull { of, limit: self.rooms[room].queue_limit? }, room))
            })
            .collect()
    }

    /// How many would still wait if all ran that may: found out by letting them, and taking it back.
    fn left_waiting(&mut self, bounds: &[(QueueFull, usize)]) -> Vec<usize> {
        if bounds.is_empty() {
            return Vec::new();
        }
        let admitted = self.admit();
        let waiting = bounds.iter().map(|(_, room)| self.rooms[*room].waiting).collect();
        for id in admitted {
            self.alter(id, |entry| Some(Entry { place: Place::Waiting, ..entry }));
        }
        waiting
    }

    /// Takes slots for the tasks that may run now, best first over all lanes, and answers them.
    pub(crate) fn admit(&mut self) -> Vec<TaskId> {
        let mut admitted = Vec::new();
        // Room only shrinks here, so one walk does: a lane that had none has none later, and the next head of a lane
        // ranks behind the one before it. The app's own room is looked at first only to stop as soon as it is full.
        let mut seen = Bound::Unbounded;
        while self.rooms[APP].is_free()
            && let Some((&rank, &lane)) = self.heads.range((seen, Bound::Unbounded)).next()
        {
            seen = Bound::Excluded(rank);
            let Lane { rooms, queue, .. } = &self.lanes[lane];
            if rooms.iter().all(|(_, room)| self.rooms[*room].is_free())
                && let Some(&id) = queue.get(&rank)
            {
                self.alter(id, |entry| Some(Entry { place: Place::Running, ..entry }));
                admitted.push(id);
            }
        }
        admitted
    }

    /// A task is over or withdrawn, wherever it stands. `false` when it is not known.
    pub(crate) fn leave(&mut self, id: TaskId) -> bool {
        self.set(id, None)
    }

    /// A running task gives up its slots until it is time for its next attempt. It is in no queue, and keeps its rank.
    pub(crate) fn step_back(&mut self, id: TaskId) {
        self.alter(id, |entry| (entry.place == Place::Running).then_some(Entry { place: Place::Away, ..entry }));
    }

    /// A task that stepped back waits again, in its old rank. It was let in before, so it is never refused.
    pub(crate) fn come_back(&mut self, id: TaskId) {
        self.alter(id, |entry| (entry.place == Place::Away).then_some(Entry { place: Place::Waiting, ..entry }));
    }

    /// `false` when it can't be held, because it runs or is not known, or was held so already.
    pub(crate) fn hold(&mut self, id: TaskId, why: Hold) -> bool {
        self.alter(id, |entry| {
            (entry.place != Place::Running && !entry.holds.has(why))
                .then_some(Entry { holds: entry.holds.with(why), ..entry })
        })
    }

    /// `false` when it was not held so.
    pub(crate) fn release(&mut self, id: TaskId, why: Hold) -> bool {
        self.alter(id, |entry| entry.holds.has(why).then_some(Entry { holds: entry.holds.without(why), ..entry }))
    }

    /// `false` when it runs or is not known.
    pub(crate) fn set_priority(&mut self, id: TaskId, priority: i32) -> bool {
        self.alter(id, |entry| {
            let rank = Rank { priority: Reverse(priority), ..entry.rank };
            (entry.place != Place::Running).then_some(Entry { rank, ..entry })
        })
    }

    /// `None` unless it waits.
    pub(crate) fn queue_state(&self, id: TaskId) -> Option<QueueState> {
        let entry = self.tasks.get(&id).filter(|entry| entry.place == Place::Waiting)?;
        let position = entry.is_queued().then(|| {
            let before = self.lanes[entry.lane].queue.range(..entry.rank).take(PLACES - 1);
            before.fold(1, |position, _| position + 1)
        });
        Some(QueueState { position, priority: entry.rank.priority.0, held: entry.holds.has(Hold::User) })
    }

    /// The first so many queued tasks of each lane: those whose places are worth telling when they moved.
    pub(crate) fn first_waiting(&self, most: usize) -> Vec<TaskId> {
        self.heads.values().flat_map(|lane| self.lanes[*lane].queue.values().take(most)).copied().collect()
    }

    /// Whether it waits, for its turn or between two attempts.
    pub(crate) fn waits(&self, id: TaskId) -> bool {
        self.tasks.get(&id).is_some_and(|entry| entry.place != Place::Running)
    }

    /// Whether it waits, now or after its next attempt's delay, for more than room and those before it.
    pub(crate) fn is_put_off(&self, id: TaskId) -> bool {
        self.tasks.get(&id).is_some_and(|entry| {
            entry.place != Place::Running && (entry.holds.has(Hold::User) || entry.holds.has(Hold::Delay))
        })
    }

    /// Whether any task waits for its turn.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.heads.is_empty()
    }

    pub(crate) fn is_running(&self, id: TaskId) -> bool {
        self.tasks.get(&id).is_some_and(|entry| entry.place == Place::Running)
    }

    #[cfg(test)]
    pub(crate) fn running(&self, of: &Scope) -> usize {
        self.rooms.get(of).map_or(0, |room| room.running)
    }

    /// All tasks, wherever they stand.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    fn alter(&mut self, id: TaskId, change: impl FnOnce(Entry) -> Option<Entry>) -> bool {
        let entry = self.tasks.get(&id).and_then(|entry| change(*entry));
        entry.is_some_and(|entry| self.set(id, Some(entry)))
    }

    /// Takes a task from where it stands, and gives it its new place or none. `false` when it was not here.
    fn set(&mut self, id: TaskId, to: Option<Entry>) -> bool {
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
        // Only now: it may have been the only one, and still be.
        if let Some(Entry { lane, .. }) = from
            && self.lanes[lane].tasks == 0
        {
            self.remove_lane(lane);
        }
        from.is_some()
    }

    /// Counts a task in where it stands, or out.
    fn count(&mut self, id: TaskId, entry: Entry, here: bool) {
        let step = |count: &mut usize| if here { *count += 1 } else { *count -= 1 };
        let lane = &mut self.lanes[entry.lane];
        step(&mut lane.tasks);
        for (_, room) in &lane.rooms {
            let room = &mut self.rooms[*room];
            match entry.place {
                Place::Running => step(&mut room.running),
                Place::Waiting => step(&mut room.waiting),
                Place::Away => {}
            }
        }
        if !entry.is_queued() {
            return;
        }
        let head = lane.queue.keys().next().copied();
        let stood = if here { lane.queue.insert(entry.rank, id) } else { lane.queue.remove(&entry.rank) };
        debug_assert_eq!(stood, (!here).then_some(id));
        let new_head = lane.queue.keys().next().copied();
        if head != new_head {
            if let Some(rank) = head {
                self.heads.remove(&rank);
            }
            if let Some(rank) = new_head {
                self.heads.insert(rank, entry.lane);
            }
        }
    }

    /// The number of a lane, which is made if it isn't there.
    fn lane(&mut self, key: LaneKey) -> usize {
        if let Some(lane) = self.lanes.find(&key) {
            return lane;
        }
        let group = key.kind.as_ref().and_then(|kind| self.groups.get(kind).cloned().flatten());
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
            self.rooms[room].lanes += 1;
            rooms.push((scope, room));
        }
        let lane = self.lanes.number(key.clone());
        self.lanes[lane] = Lane { key, rooms, ..Lane::default() };
        lane
    }

    fn remove_lane(&mut self, lane: usize) {
        let Lane { key, rooms, queue, .. } = mem::take(&mut self.lanes[lane]);
        debug_assert!(queue.is_empty(), "{queue:?}");
        self.lanes.remove(&key);
        for (scope, room) in rooms {
            self.rooms[room].lanes -= 1;
            self.tidy(&scope);
        }
    }

    fn edit(&mut self, of: Scope, edit: impl FnOnce(&mut Room)) {
        let room = self.rooms.number(of.clone());
        edit(&mut self.rooms[room]);
        self.tidy(&of);
    }

    /// Forgets a scope that is not in use and has nothing to remember.
    fn tidy(&mut self, of: &Scope) {
        let Some(room) = self.rooms.get(of) else { return };
        let forget = match of {
            Scope::App => false,
            Scope::Batch(_) => room.lanes == 0,
            _ => room.lanes == 0 && room.limit.is_none() && room.queue_limit.is_none(),
        };
        if forget {
            debug_assert_eq!((room.running, room.waiting), (0, 0));
            self.rooms.remove(of);
        }
    }
}

/// Values by a key, each also by a number that it keeps: so that what uses it often need not look the key up.
#[derive(Debug)]
struct Table<K, V> {
    numbers: HashMap<K, usize>,
    values: Vec<V>,
    /// Numbers that are free again.
    free: Vec<usize>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), values: Vec::new(), free: Vec::new() }
    }
}

impl<K: Eq + Hash, V: Default> Table<K, V> {
    fn find(&self, key: &K) -> Option<usize> {
        self.numbers.get(key).copied()
    }

    fn get(&self, key: &K) -> Option<&V> {
        self.find(key).map(|number| &self.values[number])
    }

    /// The number of what has this key, which is made if it isn't there.
    fn number(&mut self, key: K) -> usize {
        *self.numbers.entry(key).or_insert_with(|| {
            self.free.pop().unwrap_or_else(|| {
                self.values.push(V::default());
                self.values.len() - 1
            })
        })
    }

    fn remove(&mut self, key: &K) {
        if let Some(number) = self.numbers.remove(key) {
            self.values[number] = V::default();
            self.free.push(number);
        }
    }
}

impl<K, V> Index<usize> for Table<K, V> {
    type Output = V;

    fn index(&self, number: usize) -> &V {
        &self.values[number]
    }
}

impl<K, V> IndexMut<usize> for Table<K, V> {
    fn index_mut(&mut self, number: usize) -> &mut V {
        &mut self.values[number]
    }
}

#[cfg(test)]
mod tests;
