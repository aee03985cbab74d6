//! Which tasks there are, and which ids are spent.
//!
//! Invariants:
//! - an id that was ever used is either a task here or remembered as spent for [`REMEMBERED`];
//! - only ended tasks leave, and no more than the [`Retention`] says stay.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{Owner, TaskId, record::Record};

/// How long ended tasks are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retention {
    pub count: usize,
    pub age: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self { count: 1_000, age: Duration::from_secs(60 * 60) }
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

#[derive(Default)]
pub(super) struct Registry {
    tasks: HashMap<TaskId, Arc<Record>>,
    ended: VecDeque<(Instant, TaskId)>,
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

    /// A task has ended: it stays for a while.
    pub(super) fn note_end(&mut self, id: TaskId, now: Instant) {
        self.ended.push_back((now, id));
    }

    pub(super) fn remove(&mut self, id: TaskId, now: Instant) -> Option<Arc<Record>> {
        self.ended.retain(|(_, other)| *other != id);
        self.spend(id, now)
    }

    fn spend(&mut self, id: TaskId, now: Instant) -> Option<Arc<Record>> {
        let record = self.tasks.remove(&id)?;
        self.spent.insert(id, Spent { name: Arc::clone(&record.kind.name), owner: record.owner() });
        self.spent_order.push_back((now, id));
        Some(record)
    }

    /// Takes out the ended tasks that are too many or too old, and forgets ids that are spent for long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Arc<Record>> {
        while let Some(&(since, id)) = self.spent_order.front()
            && now.duration_since(since) >= REMEMBERED
        {
            self.spent_order.pop_front();
            self.spent.remove(&id);
        }
        let mut expired = Vec::new();
        while let Some(&(since, id)) = self.ended.front()
            && (self.ended.len() > self.retention.count || now.duration_since(since) >= self.retention.age)
        {
            self.ended.pop_front();
            expired.extend(self.spend(id, now));
        }
        expired
    }
}
