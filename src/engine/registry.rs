//! Which tasks there are, and which ids are spent.
//!
//! Invariants:
//! - an id that was ever used is either a task here or remembered as spent for [`REMEMBERED`];
//! - only ended tasks leave, and no more than the [`Retention`] says stay when anything is started, ends, is removed
//!   or listed.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{Owner, TaskId, record::Record};

/// What is kept of ended tasks; the oldest make room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retention {
    pub count: usize,
    pub age: Duration,
    /// Inputs and outcomes together, in bytes of JSON. The newest ended task is kept whatever its size.
    pub bytes: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Self { count: 1_000, age: Duration::from_secs(60 * 60), bytes: 64 * 1024 * 1024 }
    }
}

/// How long the ids of removed tasks are remembered. A reloading page repeats its calls within moments.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

/// What is left of a removed task.
#[derive(Debug, Clone)]
pub(crate) struct Spent {
    pub(crate) name: Arc<str>,
    pub(crate) owner: Owner,
}

struct Ended {
    id: TaskId,
    since: Instant,
    bytes: usize,
}

#[derive(Default)]
pub(super) struct Registry {
    tasks: HashMap<TaskId, Arc<Record>>,
    ended: VecDeque<Ended>,
    ended_bytes: usize,
    spent: HashMap<TaskId, Spent>,
    spent_order: VecDeque<(Instant, TaskId)>,
    retention: Retention,
}

impl Registry {
    pub(super) fn get(&self, id: TaskId) -> Option<&Arc<Record>> {
        self.tasks.get(&id)
    }

    pub(super) fn spent(&self, id: TaskId) -> Option<&Spent> {
        self.spent.get(&id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.tasks.values()
    }

    pub(super) fn insert(&mut self, record: &Arc<Record>) {
        self.tasks.insert(record.id, Arc::clone(record));
    }

    /// A task has ended: it stays for a while, unless it was removed in the same moment.
    pub(super) fn note_end(&mut self, record: &Record, now: Instant) {
        if self.tasks.contains_key(&record.id) {
            let bytes = record.kept_bytes();
            self.ended.push_back(Ended { id: record.id, since: now, bytes });
            self.ended_bytes += bytes;
        }
    }

    pub(super) fn remove(&mut self, id: TaskId, now: Instant) -> Option<Arc<Record>> {
        if let Some(index) = self.ended.iter().position(|ended| ended.id == id) {
            self.forget_end(index);
        }
        self.spend(id, now)
    }

    fn forget_end(&mut self, index: usize) -> Option<TaskId> {
        let ended = self.ended.remove(index)?;
        self.ended_bytes -= ended.bytes;
        Some(ended.id)
    }

    fn spend(&mut self, id: TaskId, now: Instant) -> Option<Arc<Record>> {
        let record = self.tasks.remove(&id)?;
        self.spent.insert(id, Spent { name: Arc::clone(&record.kind.name), owner: record.owner() });
        self.spent_order.push_back((now, id));
        Some(record)
    }

    /// Takes out the ended tasks that are too many, too old or too large, and forgets ids that are spent for long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Arc<Record>> {
        while let Some(&(since, id)) = self.spent_order.front()
            && now.duration_since(since) >= REMEMBERED
        {
            self.spent_order.pop_front();
            self.spent.remove(&id);
        }
        let mut expired = Vec::new();
        while let Some(oldest) = self.ended.front()
            && self.is_too_much(oldest, now)
        {
            let id = self.forget_end(0);
            expired.extend(id.and_then(|id| self.spend(id, now)));
        }
        expired
    }

    fn is_too_much(&self, oldest: &Ended, now: Instant) -> bool {
        let Retention { count, age, bytes } = self.retention;
        self.ended.len() > count
            || now.duration_since(oldest.since) >= age
            || (self.ended_bytes > bytes && self.ended.len() > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        CancelReason, Json, Kind,
        record::{Hub, Record},
    };

    fn registry(retention: Retention) -> Registry {
        Registry { retention, ..Registry::default() }
    }

    fn roomy() -> Retention {
        Retention { count: 100, age: Duration::from_secs(1_000), bytes: 1_000 }
    }

    /// An ended task with an input of this many bytes.
    fn add(registry: &mut Registry, bytes: usize, now: Instant) -> TaskId {
        let input = Json::new(&"x".repeat(bytes - 2)).unwrap();
        let hub = Arc::new(Hub::new(|| 0));
        let record = Record::new(TaskId::new(), Arc::new(Kind::ad_hoc("t")), input, Owner::App, hub);
        registry.insert(&record);
        record.cancel(CancelReason::User).unwrap();
        registry.note_end(&record, now);
        record.id
    }

    fn ids(expired: &[Arc<Record>]) -> Vec<TaskId> {
        expired.iter().map(|record| record.id).collect()
    }

    #[test]
    fn the_oldest_make_room_when_there_are_too_many() {
        let now = Instant::now();
        let mut registry = registry(Retention { count: 2, ..roomy() });
        let first = add(&mut registry, 10, now);
        let (second, third) = (add(&mut registry, 10, now), add(&mut registry, 10, now));
        assert_eq!(ids(&registry.expire(now)), [first]);
        assert!(registry.get(second).is_some() && registry.get(third).is_some());
    }

    #[test]
    fn the_oldest_make_room_when_they_are_too_large_and_the_newest_stays() {
        let now = Instant::now();
        let mut registry = registry(roomy());
        let small = add(&mut registry, 400, now);
        let middle = add(&mut registry, 400, now);
        assert!(registry.expire(now).is_empty());
        let huge = add(&mut registry, 5_000, now);
        assert_eq!(ids(&registry.expire(now)), [small, middle]);
        assert!(registry.get(huge).is_some());
        registry.remove(huge, now);
        add(&mut registry, 900, now);
        assert!(registry.expire(now).is_empty(), "what was removed takes no room");
    }

    #[test]
    fn the_old_go_with_time() {
        let now = Instant::now();
        let mut registry = registry(roomy());
        let old = add(&mut registry, 10, now);
        let later = now + Duration::from_secs(999);
        add(&mut registry, 10, later);
        assert!(registry.expire(later).is_empty());
        assert_eq!(ids(&registry.expire(now + Duration::from_secs(1_000))), [old]);
    }

    #[test]
    fn an_id_that_went_is_spent_for_a_while_however_it_went() {
        let now = Instant::now();
        let mut registry = registry(Retention { count: 1, ..roomy() });
        let (evicted, removed) = (add(&mut registry, 10, now), add(&mut registry, 10, now));
        registry.expire(now);
        registry.remove(removed, now);
        for id in [evicted, removed] {
            assert!(registry.get(id).is_none() && registry.spent(id).is_some());
        }
        registry.expire(now + REMEMBERED - Duration::from_secs(1));
        assert!(registry.spent(evicted).is_some());
        registry.expire(now + REMEMBERED);
        assert!(registry.spent(evicted).is_none() && registry.spent(removed).is_none());
    }

    #[test]
    fn a_task_removed_before_its_end_was_noted_leaves_nothing() {
        let now = Instant::now();
        let mut registry = registry(Retention { count: 1, ..roomy() });
        let kept = add(&mut registry, 10, now);
        let hub = Arc::new(Hub::new(|| 0));
        let record = Record::new(TaskId::new(), Arc::new(Kind::ad_hoc("t")), Json::null(), Owner::App, hub);
        registry.insert(&record);
        record.cancel(CancelReason::User).unwrap();
        registry.remove(record.id, now);
        registry.note_end(&record, now);
        assert!(registry.expire(now).is_empty());
        assert!(registry.get(kept).is_some());
    }
}
