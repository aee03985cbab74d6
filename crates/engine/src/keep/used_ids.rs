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
    ids: IdMap<Used>,
    /// The ids by age.
    order: BTreeMap<u64, TaskId>,
    /// How often one was added so far.
    made: u64,
    /// The ages of the ids of each holder.
    held: HashMap<Owner, BTreeSet<u64>>,
    /// The holders by how many they have.
    sizes: BTreeSet<(usize, Owner)>,
}

/// What is remembered of one id. That of a call that has triggered a run is the run's own id as well.
#[derive(Default)]
struct Used {
    spent: Option<Spent>,
    alias: Option<Alias>,
    since: Duration,
    age: u64,
}

impl Used {
    /// Returns who made the call with this id, or for want of such a call the owner of the task. So the runs that
    /// somebody triggers push out none of those of others, though the app owns them all.
    fn holder(&self) -> Option<&Owner> {
        let caller = self.alias.as_ref().map(|alias| &alias.owner);
        caller.or_else(|| self.spent.as_ref().map(|spent| &spent.owner))
    }
}

impl UsedIds {
    pub(super) fn spent(&self, id: TaskId) -> Option<&Spent> {
        self.ids.get(&id)?.spent.as_ref()
    }

    pub(super) fn alias(&self, id: TaskId) -> Option<&Alias> {
        self.ids.get(&id)?.alias.as_ref()
    }

    /// Notes that task `id` is gone.
    pub(super) fn spend(&mut self, id: TaskId, spent: Spent, now: Duration) {
        self.remember(id, now, |used| used.spent = Some(spent));
    }

    /// Notes that the call with this id had joined another task, and has its share no more.
    pub(super) fn leave(&mut self, id: TaskId, alias: Alias, now: Duration) {
        self.remember(id, now, |used| used.alias = Some(alias));
    }

    /// Adds to what is remembered of an id, which is the newest from now on.
    fn remember(&mut self, id: TaskId, now: Duration, add: impl FnOnce(&mut Used)) {
        let mut used = self.take(id).unwrap_or_default();
        add(&mut used);
        self.made += 1;
        (used.since, used.age) = (now, self.made);
        let Some(holder) = used.holder().cloned() else { return };
        self.change(&holder, |ages| ages.insert(used.age));
        self.order.insert(used.age, id);
        self.ids.insert(id, used);
        if self.order.len() > LIMIT {
            self.forget_oldest_of_most(&holder);
        }
    }

    fn forget_oldest_of_most(&mut self, adds: &Owner) {
        let Some((most, last)) = self.sizes.last() else { return };
        let is_most = self.held.get(adds).is_some_and(|ages| ages.len() == *most);
        let holder = if is_most { adds } else { last };
        let oldest = self.held.get(holder).and_then(BTreeSet::first).and_then(|age| self.order.get(age));
        if let Some(oldest) = oldest {
            self.take(*oldest);
        }
    }

    /// Forgets the ids that have been remembered for long enough.
    pub(super) fn expire(&mut self, now: Duration) {
        while let Some((_, oldest)) = self.order.first_key_value()
            && self.ids.get(oldest).is_some_and(|used| now.saturating_sub(used.since) >= REMEMBERED)
        {
            self.take(*oldest);
        }
    }

    /// Forgets an id, and returns what was remembered of it.
    fn take(&mut self, id: TaskId) -> Option<Used> {
        let used = self.ids.remove(&id)?;
        self.order.remove(&used.age);
        if let Some(holder) = used.holder() {
            self.change(holder, |ages| ages.remove(&used.age));
        }
        Some(used)
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

    /// How the ids of a step are used: by a task that is gone, by a call that had joined one, or by both, as that of a
    /// run of the app and of the call that has triggered it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Use {
        Spent,
        Joined,
        Both,
    }

    impl Use {
        fn any() -> impl Strategy<Value = Self> {
            prop_oneof![Just(Self::Spent), Just(Self::Joined), Just(Self::Both)]
        }

        fn add(self, used: &mut UsedIds, id: TaskId, of: usize, now: Duration) {
            match self {
                Self::Spent => add(used, id, of, false, now),
                Self::Joined => add(used, id, of, true, now),
                Self::Both => {
                    add(used, id, of, true, now);
                    spend_run(used, id, now);
                }
            }
        }

        fn known(self) -> (bool, bool) {
            (self != Self::Joined, self != Self::Spent)
        }
    }

    /// Spends the id of a run, which the app owns.
    fn spend_run(used: &mut UsedIds, id: TaskId, now: Duration) {
        used.spend(id, Spent { name: "t".into(), owner: Owner::App, told: Vec::new() }, now);
    }

    /// An id as the model sees it, in a plain list with the oldest first.
    #[derive(Clone, Copy)]
    struct Known {
        since: Duration,
        id: TaskId,
        of: usize,
        how: Use,
    }

    /// Lets the oldest ids of each holder go, as many as it has lost. Returns them.
    fn drop_oldest(model: &mut Vec<Known>, lost: &[usize; 3]) -> Vec<Known> {
        let mut lost = *lost;
        let goes = |known: &mut Known| {
            let goes = lost[known.of] > 0;
            lost[known.of] -= usize::from(goes);
            goes
        };
        model.extract_if(.., goes).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        /// Each step adds so many ids of one holder and one use, and lets so many seconds pass.
        #[test]
        fn the_newest_ids_of_each_holder_are_remembered_for_their_time(
            steps in prop::collection::vec((0..3usize, Use::any(), 0..LIMIT / 2, 0..REMEMBERED.as_secs() / 3), 0..8),
        ) {
            let mut used = UsedIds::default();
            let mut model: Vec<Known> = Vec::new();
            let mut now = Duration::ZERO;
            for (of, how, many, pass) in steps {
                let (mut had, mut lost) = ([0_usize; 3], [0_usize; 3]);
                for known in &model {
                    had[known.of] += 1;
                }
                for _ in 0..many {
                    let id = TaskId::new();
                    how.add(&mut used, id, of, now);
                    model.push(Known { since: now, id, of, how });
                    had[of] += 1;
                    if had.iter().sum::<usize>() > LIMIT {
                        let most = *had.iter().max().unwrap();
                        let last_with_most = had.iter().rposition(|has| *has == most).unwrap();
                        let gives_way = if had[of] == most { of } else { last_with_most };
                        had[gives_way] -= 1;
                        lost[gives_way] += 1;
                    }
                }
                let mut gone = drop_oldest(&mut model, &lost);
                now += Duration::from_secs(pass);
                used.expire(now);
                gone.extend(model.extract_if(.., |known| known.since + REMEMBERED <= now));
                prop_assert!(model.len() <= LIMIT);
                prop_assert_eq!(used.order.len(), model.len());
                prop_assert_eq!(used.ids.len(), model.len());
                for known in &model {
                    prop_assert_eq!(knows(&used, known.id), known.how.known());
                }
                for known in &gone {
                    prop_assert_eq!(knows(&used, known.id), (false, false));
                }
            }
            used.expire(now + REMEMBERED);
            prop_assert!(used.ids.is_empty() && used.order.is_empty() && used.held.is_empty() && used.sizes.is_empty());
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

    #[test]
    fn an_id_of_a_call_and_of_its_run_is_one_id_of_the_caller_for_the_time_of_the_newer_use() {
        let half = REMEMBERED / 2;
        for spent_first in [false, true] {
            let mut used = UsedIds::default();
            let id = TaskId::new();
            for (place, spends) in [spent_first, !spent_first].into_iter().enumerate() {
                let now = half * u32::try_from(place).unwrap();
                if spends { spend_run(&mut used, id, now) } else { add(&mut used, id, 0, true, now) }
            }
            assert_eq!((used.order.len(), used.held[&holder(0)].len(), used.held.len()), (1, 1, 1));
            used.expire(REMEMBERED);
            assert_eq!(knows(&used, id), (true, true));
            used.expire(half + REMEMBERED);
            assert_eq!(knows(&used, id), (false, false));
            assert!(used.ids.is_empty() && used.held.is_empty() && used.sizes.is_empty());
        }
    }

    #[test]
    fn who_triggers_many_runs_of_the_app_pushes_out_none_of_those_of_others() {
        let mut used = UsedIds::default();
        let other = TaskId::new();
        add(&mut used, other, 1, true, Duration::ZERO);
        spend_run(&mut used, other, Duration::ZERO);
        for _ in 0..2 * LIMIT {
            let id = TaskId::new();
            add(&mut used, id, 0, true, Duration::ZERO);
            spend_run(&mut used, id, Duration::ZERO);
        }
        assert_eq!((knows(&used, other), used.order.len()), ((true, true), LIMIT));
    }
}
