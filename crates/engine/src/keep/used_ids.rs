//! The ids that callers chose and that no task has any more. They are remembered for a while, so that a repeated start is
//! recognized.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use crate::{
    record::Record,
    task::{
        id::{IdMap, TaskId},
        owner::Owner,
    },
};

/// How long ids are remembered. A caller that repeats a start does so within moments.
pub(super) const REMEMBERED: Duration = Duration::from_secs(10 * 60);
/// How many ids are remembered. Beyond that the oldest is forgotten.
const LIMIT: usize = 65_536;

/// How many holders of shares are remembered of one task.
const TOLD_LIMIT: usize = 16;

/// What is remembered of a task that is no longer kept.
#[derive(Debug, Clone)]
pub struct Spent {
    /// The name of its kind.
    pub name: Arc<str>,
    /// Its last owner.
    pub owner: Owner,
    /// Others who had shares in it when it left, the app aside. At most [`TOLD_LIMIT`].
    pub told: Vec<Owner>,
}

impl Spent {
    pub(super) fn of(record: &Record) -> Self {
        let owner = record.owner();
        let mut told = record.all_told();
        told.retain(|who| *who != owner && *who != Owner::App);
        told.truncate(TOLD_LIMIT);
        Self { name: Arc::clone(&record.kind.name), owner, told }
    }

    /// Returns whether `who` could be told of the task until it left, as its owner or with a share in it.
    pub fn tells(&self, who: &Owner) -> bool {
        self.owner == *who || self.told.contains(who)
    }
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
        self.remember(id, now);
    }

    /// Notes that the start with this id joined another task.
    pub(super) fn join(&mut self, id: TaskId, alias: Alias, now: Duration) {
        self.aliases.insert(id, alias);
        self.remember(id, now);
    }

    fn remember(&mut self, id: TaskId, now: Duration) {
        self.order.push_back((now, id));
        if self.order.len() > LIMIT {
            self.forget_oldest();
        }
    }

    /// Forgets the ids that have been remembered for long enough.
    pub(super) fn expire(&mut self, now: Duration) {
        while self.order.front().is_some_and(|(since, _)| now.saturating_sub(*since) >= REMEMBERED) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, id)) = self.order.pop_front() {
            self.spent.remove(&id);
            self.aliases.remove(&id);
        }
    }

    /// Returns when the newest id is forgotten; `None` if there is none.
    pub(super) fn ages_until(&self) -> Option<Duration> {
        self.order.back().map(|(since, _)| since.saturating_add(REMEMBERED))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spent() -> Spent {
        Spent { name: "t".into(), owner: Owner::App, told: Vec::new() }
    }

    fn alias(of: TaskId) -> Alias {
        Alias { of, name: "t".into(), owner: Owner::App }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        /// Each step adds so many ids of one sort, and lets so many seconds pass.
        #[test]
        fn the_newest_ids_are_remembered_for_their_time(
            steps in prop::collection::vec((any::<bool>(), 0..LIMIT / 2, 0..REMEMBERED.as_secs() / 2), 0..8),
        ) {
            let mut used = UsedIds::default();
            let mut model: VecDeque<(Duration, TaskId, bool)> = VecDeque::new();
            let (mut now, of) = (Duration::ZERO, TaskId::new());
            for (joins, many, pass) in steps {
                for _ in 0..many {
                    let id = TaskId::new();
                    if joins { used.join(id, alias(of), now) } else { used.spend(id, spent(), now) }
                    model.push_back((now, id, joins));
                }
                now += Duration::from_secs(pass);
                used.expire(now);
                let mut forgotten = model.split_off(model.len().saturating_sub(LIMIT));
                std::mem::swap(&mut forgotten, &mut model);
                while model.front().is_some_and(|(since, ..)| *since + REMEMBERED <= now) {
                    forgotten.extend(model.pop_front());
                }
                prop_assert_eq!(used.spent.len() + used.aliases.len(), model.len());
                prop_assert_eq!(used.order.len(), model.len());
                prop_assert!(model.len() <= LIMIT);
                for (_, id, joins) in &model {
                    prop_assert_eq!((used.spent(*id).is_some(), used.alias(*id).is_some()), (!joins, *joins));
                }
                for (_, id, _) in &forgotten {
                    prop_assert!(used.spent(*id).is_none() && used.alias(*id).is_none());
                }
            }
        }
    }

    #[test]
    fn spent_ids_and_aliases_share_one_bound_and_the_oldest_goes() {
        let mut used = UsedIds::default();
        let ids: Vec<_> = (0..LIMIT + 2).map(|_| TaskId::new()).collect();
        for (place, id) in ids.iter().enumerate() {
            let now = Duration::from_millis(place as u64);
            if place % 2 == 0 { used.spend(*id, spent(), now) } else { used.join(*id, alias(ids[0]), now) }
        }
        assert!(used.spent(ids[0]).is_none() && used.alias(ids[1]).is_none(), "the oldest are gone");
        assert!(used.spent(ids[2]).is_some() && used.alias(ids[3]).is_some(), "the others stay");
        assert_eq!(used.order.len(), LIMIT);
    }
}
