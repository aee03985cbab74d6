//! The ids that callers chose and that no task has any more. They are remembered for a while, so that a repeated start is
//! recognized.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use crate::{
    record::Record,
    task::{
        id::{IdMap, TaskId},
        owner::Owner,
    },
};

/// How long ids are remembered. A caller that repeats a start does so within moments.
pub(super) const REMEMBERED: Duration = Duration::from_secs(10 * 60);
/// How many ids are remembered. Beyond that, the oldest id is forgotten of the holder that has the most, which is the one
/// that adds another if several have as many. So nobody makes the ids of those forgotten who have fewer.
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
    /// Others who had shares in it when it left, the app aside. At most 16.
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
    ids: IdMap<UsedId>,
    /// The ids by age.
    order: BTreeMap<u64, TaskId>,
    /// How many there were so far.
    made: u64,
    /// The ages of the ids of each holder.
    held: HashMap<Owner, BTreeSet<u64>>,
    /// The holders by how many they have.
    sizes: BTreeSet<(usize, Owner)>,
}

struct UsedId {
    age: u64,
    since: Duration,
    holder: Owner,
    /// Why it can't be used again.
    by: By,
}

enum By {
    Task(Spent),
    Call(Alias),
}

impl UsedIds {
    pub(super) fn spent(&self, id: TaskId) -> Option<&Spent> {
        match &self.ids.get(&id)?.by {
            By::Task(spent) => Some(spent),
            By::Call(_) => None,
        }
    }

    pub(super) fn alias(&self, id: TaskId) -> Option<&Alias> {
        match &self.ids.get(&id)?.by {
            By::Task(_) => None,
            By::Call(alias) => Some(alias),
        }
    }

    /// Notes that task `id` is gone. It counts for its last owner, but that of the app for whose call has triggered it.
    pub(super) fn spend(&mut self, id: TaskId, spent: Spent, now: Duration) {
        let caller = self.alias(id).map(|call| &call.owner).filter(|_| spent.owner == Owner::App);
        let holder = caller.unwrap_or(&spent.owner).clone();
        self.forget(id);
        self.remember(id, By::Task(spent), holder, now);
    }

    /// Notes that the call with this id had joined another task, or has triggered the task of this id, and has its share no more.
    pub(super) fn leave(&mut self, id: TaskId, alias: Alias, now: Duration) {
        if !self.ids.contains_key(&id) {
            let holder = alias.owner.clone();
            self.remember(id, By::Call(alias), holder, now);
        }
    }

    fn remember(&mut self, id: TaskId, by: By, holder: Owner, since: Duration) {
        self.made += 1;
        let age = self.made;
        self.change(&holder, |ages| ages.insert(age));
        self.order.insert(age, id);
        self.ids.insert(id, UsedId { age, since, holder: holder.clone(), by });
        if self.ids.len() > LIMIT {
            self.forget_oldest_of_most(&holder);
        }
    }

    fn forget_oldest_of_most(&mut self, adds: &Owner) {
        let Some((most, last)) = self.sizes.last() else { return };
        let is_most = self.held.get(adds).is_some_and(|ages| ages.len() == *most);
        let holder = if is_most { adds } else { last };
        let oldest = self.held.get(holder).and_then(BTreeSet::first).and_then(|age| self.order.get(age));
        if let Some(oldest) = oldest {
            self.forget(*oldest);
        }
    }

    /// Forgets the ids that have been remembered for long enough.
    pub(super) fn expire(&mut self, now: Duration) {
        while let Some((_, id)) = self.order.first_key_value()
            && self.ids.get(id).is_some_and(|oldest| now.saturating_sub(oldest.since) >= REMEMBERED)
        {
            self.forget(*id);
        }
    }

    fn forget(&mut self, id: TaskId) {
        let Some(UsedId { age, holder, .. }) = self.ids.remove(&id) else { return };
        self.order.remove(&age);
        self.change(&holder, |ages| ages.remove(&age));
    }

    /// Changes what a holder has.
    fn change(&mut self, holder: &Owner, change: impl FnOnce(&mut BTreeSet<u64>) -> bool) {
        let ages = self.held.entry(holder.clone()).or_default();
        let before = ages.len();
        change(ages);
        let after = ages.len();
        self.sizes.remove(&(before, holder.clone()));
        if after == 0 {
            self.held.remove(holder);
        } else {
            self.sizes.insert((after, holder.clone()));
        }
    }

    /// Returns when the newest id is forgotten; `None` if there is none.
    pub(super) fn ages_until(&self) -> Option<Duration> {
        let (_, newest) = self.order.last_key_value()?;
        Some(self.ids.get(newest)?.since.saturating_add(REMEMBERED))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holder(number: usize) -> Owner {
        Owner::Other { label: "main".into(), token: number as u64 }
    }

    fn add(used: &mut UsedIds, id: TaskId, of: usize, joined: bool, now: Duration) {
        let (name, owner) = ("t".into(), holder(of));
        if joined {
            used.leave(id, Alias { of: id, name, owner }, now);
        } else {
            used.spend(id, Spent { name, owner, told: Vec::new() }, now);
        }
    }

    fn knows(used: &UsedIds, id: TaskId) -> (bool, bool) {
        (used.spent(id).is_some(), used.alias(id).is_some())
    }

    /// An id as the model sees it, in a plain list with the oldest first.
    #[derive(Clone, Copy)]
    struct Known {
        since: Duration,
        id: TaskId,
        of: usize,
        joined: bool,
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        /// Each step adds so many ids of one holder and one sort, and lets so many seconds pass.
        #[test]
        fn the_newest_ids_of_each_holder_are_remembered_for_their_time(
            steps in prop::collection::vec((0..3usize, any::<bool>(), 0..LIMIT / 2, 0..REMEMBERED.as_secs() / 3), 0..8),
        ) {
            let mut used = UsedIds::default();
            let mut model: Vec<Known> = Vec::new();
            let mut now = Duration::ZERO;
            for (of, joined, many, pass) in steps {
                let mut forgotten = Vec::new();
                let mut had = [0; 3];
                for known in &model {
                    had[known.of] += 1;
                }
                for _ in 0..many {
                    let id = TaskId::new();
                    add(&mut used, id, of, joined, now);
                    model.push(Known { since: now, id, of, joined });
                    had[of] += 1;
                    if model.len() - forgotten.len() > LIMIT {
                        let most = *had.iter().max().unwrap();
                        let last_with_most = had.iter().rposition(|has| *has == most).unwrap();
                        let gives_way = if had[of] == most { of } else { last_with_most };
                        had[gives_way] -= 1;
                        forgotten.push(gives_way);
                    }
                }
                // Of each holder, the oldest go.
                let mut gone = Vec::new();
                for gives_way in 0..3 {
                    let mut excess = forgotten.iter().filter(|of| **of == gives_way).count();
                    gone.extend(model.extract_if(.., |known| {
                        let goes = known.of == gives_way && excess > 0;
                        excess -= usize::from(goes);
                        goes
                    }));
                }
                now += Duration::from_secs(pass);
                used.expire(now);
                gone.extend(model.extract_if(.., |known| known.since + REMEMBERED <= now));
                prop_assert!(model.len() <= LIMIT);
                prop_assert_eq!((used.order.len(), used.ids.len()), (model.len(), model.len()));
                for known in &model {
                    prop_assert_eq!(knows(&used, known.id), (!known.joined, known.joined));
                }
                for known in &gone {
                    prop_assert_eq!(knows(&used, known.id), (false, false));
                }
            }
            used.expire(now + REMEMBERED);
            prop_assert!(used.order.is_empty() && used.held.is_empty() && used.sizes.is_empty());
        }
    }

    #[test]
    fn spent_ids_and_aliases_share_one_bound_and_the_oldest_goes() {
        let mut used = UsedIds::default();
        let ids: Vec<_> = (0..LIMIT + 2).map(|_| TaskId::new()).collect();
        for (place, id) in ids.iter().enumerate() {
            add(&mut used, *id, 0, place % 2 == 1, Duration::from_millis(place as u64));
        }
        assert!([ids[0], ids[1]].iter().all(|id| knows(&used, *id) == (false, false)), "the oldest are gone");
        assert_eq!((knows(&used, ids[2]), knows(&used, ids[3])), ((true, false), (false, true)), "the others stay");
        assert_eq!(used.order.len(), LIMIT);
    }

    #[test]
    fn a_run_counts_for_who_has_triggered_it_and_is_remembered_from_when_it_is_gone() {
        let mut used = UsedIds::default();
        let gone = |of| Spent { name: "t".into(), owner: Owner::App, told: vec![holder(of)] };
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let run = TaskId::new();
        used.leave(run, Alias { of: run, name: "t".into(), owner: holder(1) }, Duration::ZERO);
        used.spend(run, gone(2), minutes(9));
        for _ in 0..LIMIT {
            let other = TaskId::new();
            used.leave(other, Alias { of: other, name: "t".into(), owner: holder(2) }, minutes(9));
            used.spend(other, gone(2), minutes(9));
        }
        used.expire(minutes(18));
        assert!(used.spent(run).is_some_and(|spent| spent.tells(&holder(2))));
        used.expire(minutes(19));
        assert!(used.spent(run).is_none() && used.ids.is_empty() && used.order.is_empty());
    }

    #[test]
    fn who_has_many_ids_pushes_out_none_of_those_who_have_fewer() {
        let mut used = UsedIds::default();
        let others: Vec<_> = (1..4).map(|of| (of, TaskId::new())).collect();
        for (of, id) in &others {
            add(&mut used, *id, *of, false, Duration::ZERO);
        }
        for count in 0..3 * LIMIT {
            add(&mut used, TaskId::new(), 0, count % 2 == 0, Duration::ZERO);
        }
        assert!(others.iter().all(|(_, id)| knows(&used, *id) == (true, false)));
        assert_eq!(used.order.len(), LIMIT);
    }
}
