//! The ids that callers chose and that no task has any more. They are remembered for a while, so that a repeated start is
//! recognized.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use crate::task::{
    id::{IdMap, TaskId},
    owner::Owner,
};

/// How long ids are remembered. A caller that repeats a start does so within moments.
pub(super) const REMEMBERED: Duration = Duration::from_secs(10 * 60);

/// What is remembered of a task that is no longer kept.
#[derive(Debug, Clone)]
pub struct Spent {
    /// The name of its kind.
    pub name: Arc<str>,
    /// Its last owner.
    pub owner: Owner,
}

/// What is remembered of an id whose start joined another task.
pub(super) struct Alias {
    pub(super) of: TaskId,
    pub(super) name: Arc<str>,
    pub(super) owner: Owner,
}

#[derive(Default)]
pub(super) struct UsedIds {
    spent: IdMap<Spent>,
    aliases: IdMap<Alias>,
    /// The ids in both maps, oldest first.
    order: VecDeque<(Duration, TaskId)>,
}

impl UsedIds {
    pub(super) fn spent(&self, id: TaskId) -> Option<&Spent> {
        self.spent.get(&id)
    }

    pub(super) fn alias(&self, id: TaskId) -> Option<&Alias> {
        self.aliases.get(&id)
    }

    /// Notes that task `id` is gone.
    pub(super) fn spend(&mut self, id: TaskId, spent: Spent, now: Duration) {
        self.spent.insert(id, spent);
        self.order.push_back((now, id));
    }

    /// Notes that the start with this id joined another task.
    pub(super) fn join(&mut self, id: TaskId, alias: Alias, now: Duration) {
        self.aliases.insert(id, alias);
        self.order.push_back((now, id));
    }

    /// Forgets the ids that have been remembered for long enough.
    pub(super) fn expire(&mut self, now: Duration) {
        while let Some(&(since, id)) = self.order.front()
            && now.saturating_sub(since) >= REMEMBERED
        {
            self.order.pop_front();
            self.spent.remove(&id);
            self.aliases.remove(&id);
        }
    }

    /// Returns when the newest id is forgotten; `None` if there is none.
    pub(super) fn ages_until(&self) -> Option<Duration> {
        self.order.back().map(|(since, _)| since.saturating_add(REMEMBERED))
    }
}
