//! All tasks of one engine, their keys, and the ids that are spent.
//!
//! Invariants:
//! - an id that a caller chose is the id of a task here, that of a call with a share in a task that it has joined, an
//!   alias of such a task, or spent. Aliases and spent ids are forgotten after
//!   [`REMEMBERED`](super::used_ids::REMEMBERED), or when there are too many of them;
//! - tasks are numbered in the order in which they were accepted. The queues, which are entered under the same lock, rank
//!   tasks of one priority in the same order;
//! - only ended tasks leave. Whenever a task starts, ends, is removed or is listed, the ended tasks that exceed the
//!   [`Retention`] leave;
//! - an ended task whose outcome or items are about to be fetched stays for [`ASKED_FOR`], unless all such tasks
//!   together are larger than the [`Retention`] allows. The members of a batch stay until it has ended.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    gate::Gate,
    joins::{Join, Joins},
    kept::{Ended, Kept},
    used_ids::{Alias, Spent, UsedIds},
};
use crate::{
    Error, Json, Retention, TaskId,
    queue::keys::Keys,
    quota::accounts::{Accounts, Bill},
    record::{Record, shares::Joiner, sharing::Joined},
    task::{id::IdMap, owner::Owner},
};

/// How long a task stays for followers to fetch the remaining items, or an outcome too large to be sent with the end.
const ASKED_FOR: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(crate) struct Registry {
    tasks: IdMap<Arc<Record>>,
    /// How many tasks were accepted so far.
    arrivals: u64,
    /// Whether new tasks are accepted.
    pub(crate) gate: Gate,
    keys: Keys,
    /// Who has used how much of their quotas.
    pub(crate) accounts: Accounts,
    /// Ended tasks whose outcome or items are about to be fetched.
    asked_for: Kept,
    ended: Kept,
    /// Since when the newest of all these is kept, or of those that have left meanwhile.
    newest: Duration,
    used: UsedIds,
    joins: Joins,
    retention: Retention,
}

impl Registry {
    pub(crate) fn new(retention: Retention) -> Self {
        Self { retention, ..Self::default() }
    }

    pub(crate) fn get(&self, id: TaskId) -> Option<&Arc<Record>> {
        self.tasks.get(&id)
    }

    /// Returns the tasks with these ids. Skips the ids that no task has.
    pub(crate) fn find_all(&self, ids: &[TaskId]) -> Vec<Arc<Record>> {
        ids.iter().filter_map(|id| self.tasks.get(id).cloned()).collect()
    }

    pub(crate) fn spent(&self, id: TaskId) -> Option<&Spent> {
        self.used.spent(id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.tasks.values()
    }

    /// Returns the task that an earlier call with this id has started or joined, or `None` if the id is new. Fails if
    /// the id is used for anything else, or if the caller may no longer be told of the task. The error doesn't reveal
    /// whether the task has another owner, has other arguments or was removed.
    pub(crate) fn repeated(
        &self,
        id: TaskId,
        task: &str,
        owner: &Owner,
        input: &Json,
    ) -> Result<Option<Arc<Record>>, Error> {
        let found = if let Some(record) = self.tasks.get(&id) {
            Some(record).filter(|record| {
                record.name() == task && record.owner() == *owner && record.input.text() == input.text()
            })
        } else {
            return self.joined(id, task, owner);
        };
        found.map(|record| Some(Arc::clone(record))).ok_or_else(|| Error::invalid_id(id))
    }

    /// Returns the task that an earlier call with this id has joined, or `None` if the id is new. Fails as
    /// [`repeated`](Self::repeated) does.
    pub(crate) fn joined(&self, id: TaskId, task: &str, owner: &Owner) -> Result<Option<Arc<Record>>, Error> {
        let found = if let Some(join) = self.joins.get(id) {
            self.tasks.get(&join.of).filter(|_| &*join.name == task && join.holder == *owner)
        } else if let Some(alias) = self.used.alias(id) {
            let is_same = &*alias.name == task && alias.owner == *owner;
            // It has given its share back. It gets no other.
            self.tasks.get(&alias.of).filter(|record| is_same && record.tells(owner))
        } else if self.tasks.contains_key(&id) || self.used.spent(id).is_some() {
            None
        } else {
            return Ok(None);
        };
        found.map(|record| Some(Arc::clone(record))).ok_or_else(|| Error::invalid_id(id))
    }

    /// Returns the tasks of a kind with this key that have arrived after number `after`, oldest first. Some of them may
    /// have ended just now.
    pub(crate) fn keyed(&self, kind: &str, key: &str, after: u64) -> impl Iterator<Item = &Arc<Record>> {
        self.keys.live(kind, key, after).filter_map(|id| self.tasks.get(&id))
    }

    /// Returns the live tasks of a kind with this key, oldest first.
    pub(crate) fn with_key(&self, kind: &str, key: &str) -> impl Iterator<Item = &Arc<Record>> {
        self.keyed(kind, key, 0).filter(|record| !record.status().is_final())
    }

    /// Accepts a task as the next one in the order of arrival.
    pub(crate) fn insert(&mut self, record: &Arc<Record>) {
        self.arrivals += 1;
        record.accept(self.arrivals);
        self.tasks.insert(record.id, Arc::clone(record));
        if let Some(key) = record.key() {
            self.keys.add(Arc::clone(&record.kind.name), key.into(), self.arrivals, record.id);
        }
    }

    /// Gives the call a share in a task, and remembers its id with it. Returns `None` if the task is about to stop or has
    /// ended. Fails if the caller has too many shares.
    pub(crate) fn join(&mut self, joiner: Joiner<'_>, record: &Record, now: Duration) -> Result<Option<Joined>, Error> {
        self.joins.check(joiner.holder)?;
        let Some(done) = record.join(joiner)? else { return Ok(None) };
        self.note_join(joiner, record, now);
        Ok(Some(done))
    }

    /// Gives the call a share in a task, whatever the task's status is, unless the call has given that share back. It
    /// pays for the share. Fails if it can't, if the caller has too many shares, or if the id is that of a call of
    /// somebody else.
    pub(crate) fn add_share(
        &mut self,
        joiner: Joiner<'_>,
        bill: Bill,
        record: &Record,
        now: Duration,
    ) -> Result<Joined, Error> {
        self.check_share(joiner.call, joiner.holder)?;
        if self.holder_of(joiner.call).is_some() {
            return Ok(Joined { is_change: false });
        }
        let at = Instant::now();
        self.accounts.check(bill, at)?;
        let done = record.add_share(joiner)?;
        self.accounts.pay(bill, at);
        self.note_join(joiner, record, now);
        Ok(done)
    }

    /// Fails if a call of `holder` can't get a share in any task. A repeated call may be too many.
    pub(crate) fn check_share(&self, call: TaskId, holder: &Owner) -> Result<(), Error> {
        match self.holder_of(call) {
            Some(known) if known == holder => Ok(()),
            Some(_) => Err(Error::invalid_id(call)),
            None => Ok(self.joins.check(holder)?),
        }
    }

    /// Returns whose call it is that has joined a task, even if it has given its share back.
    fn holder_of(&self, call: TaskId) -> Option<&Owner> {
        let join = self.joins.get(call).map(|join| &join.holder);
        join.or_else(|| self.used.alias(call).map(|alias| &alias.owner))
    }

    /// Remembers a call that has joined a task. The app repeats no call and gives nothing back.
    pub(crate) fn note_join(&mut self, Joiner { holder, call, .. }: Joiner<'_>, joined: &Record, now: Duration) {
        if *holder == Owner::App {
            return;
        }
        let (of, name, holder) = (joined.id, Arc::clone(&joined.kind.name), holder.clone());
        if self.tasks.contains_key(&of) {
            self.joins.add(call, Join { of, name, holder });
        } else {
            // A task that was removed meanwhile can't be left.
            self.used.leave(call, Alias { of, name, owner: holder }, now);
        }
    }

    /// Returns whether a call with this id has a share in a task that it has joined.
    #[cfg(test)]
    pub(crate) fn has_joined(&self, call: TaskId) -> bool {
        self.joins.get(call).is_some()
    }

    /// Returns the task in which this call of `holder` may have a share; with the id of the call if it has joined the task.
    /// From now on the call counts as one that has given its share back.
    pub(crate) fn leave(
        &mut self,
        call: TaskId,
        holder: &Owner,
        now: Duration,
    ) -> Option<(Arc<Record>, Option<TaskId>)> {
        if let Some(join) = self.joins.get(call).filter(|join| join.holder == *holder) {
            let record = self.tasks.get(&join.of).cloned();
            self.forget_joins(&[call], now);
            return Some((record?, Some(call)));
        }
        // No call has started a member of its own.
        let record = self.tasks.get(&call).filter(|record| record.parent.is_none())?;
        Some((Arc::clone(record), None))
    }

    /// Notes that the shares of these calls are gone. The calls are remembered for a while, so that a repeat gets no other.
    pub(crate) fn forget_joins(&mut self, calls: &[TaskId], now: Duration) {
        for call in calls {
            if let Some(Join { of, name, holder }) = self.joins.remove(*call) {
                self.used.leave(*call, Alias { of, name, owner: holder }, now);
            }
        }
    }

    /// Notes the end of a task. Returns the next task with its key, which may run now.
    pub(crate) fn note_end(&mut self, record: &Record, now: Duration) -> Option<TaskId> {
        if let Some(members) = &record.members {
            for id in members {
                if let Some(member) = self.tasks.get(id).cloned() {
                    self.keep(&member, now);
                }
            }
        }
        // The retention of a member begins when its batch ends, if the batch is still here.
        if record.parent.is_none_or(|batch| !self.tasks.contains_key(&batch)) {
            self.keep(record, now);
        }
        record.key().and_then(|key| self.keys.end(&record.kind.name, key, record.order()))
    }

    /// Lets the retention of an ended task begin, unless the task was removed meanwhile.
    fn keep(&mut self, record: &Record, now: Duration) {
        if self.tasks.contains_key(&record.id) {
            let queue = if record.is_asked_for() { &mut self.asked_for } else { &mut self.ended };
            queue.push(Ended { id: record.id, since: now, bytes: record.kept_bytes() });
            self.newest = now;
        }
    }

    pub(crate) fn remove(&mut self, id: TaskId, now: Duration) -> Option<Arc<Record>> {
        self.ended.remove(id);
        self.asked_for.remove(id);
        self.spend(id, now)
    }

    fn spend(&mut self, id: TaskId, now: Duration) -> Option<Arc<Record>> {
        let record = self.tasks.remove(&id)?;
        self.forget_joins(&record.calls(), now);
        record.leave_account();
        let spent = Spent::of(&record);
        if record.may_be_repeated || !spent.told.is_empty() {
            self.used.spend(id, spent, now);
        }
        Some(record)
    }

    /// Removes and returns the ended tasks that are too many, too old or too large. Forgets old spent ids.
    pub(crate) fn expire(&mut self, now: Duration) -> Vec<Arc<Record>> {
        self.used.expire(now);
        while let Some(oldest) = self.asked_for.oldest()
            && (now.saturating_sub(oldest.since) >= ASKED_FOR
                || (self.asked_for.bytes() > self.retention.bytes && self.asked_for.len() > 1))
            && let Some(oldest) = self.asked_for.pop()
        {
            self.ended.push(oldest);
        }
        let mut expired = Vec::new();
        while let Some(oldest) = self.ended.oldest()
            && self.is_too_much(oldest, now)
            && let Some(oldest) = self.ended.pop()
        {
            expired.extend(self.spend(oldest.id, now));
        }
        expired
    }

    /// Returns until when the age of something that is kept matters.
    pub(crate) fn ages_until(&self) -> Duration {
        let age = if self.asked_for.is_empty() { self.retention.age } else { self.retention.age.max(ASKED_FOR) };
        let keeps = !self.ended.is_empty() || !self.asked_for.is_empty();
        let kept = if keeps { self.newest.checked_add(age) } else { None };
        kept.max(self.used.ages_until()).unwrap_or_default()
    }

    fn is_too_much(&self, oldest: &Ended, now: Duration) -> bool {
        self.ended.len() > self.retention.count
            || now.saturating_sub(oldest.since) >= self.retention.age
            || (self.ended.bytes() > self.retention.bytes && self.ended.len() > 1)
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::{super::used_ids::REMEMBERED, *};
    use crate::{
        CancelReason, Json, Never, StartOptions,
        clock::Clocks,
        progress::sampler::Sampler,
        record::{Common, Kind, Record, birth::Birth},
        task::life::Stop,
    };

    fn registry(retention: Retention) -> Registry {
        Registry::new(retention)
    }

    fn roomy() -> Retention {
        Retention { count: 100, age: Duration::from_secs(1_000), bytes: 1_000 }
    }

    fn caller() -> Owner {
        Owner::Other { label: "main".into(), token: 0 }
    }

    fn ended(input: Json, owner: Owner) -> Arc<Record> {
        let kind = Arc::new(Kind::ad_hoc::<Never>("t", &Arc::default()));
        let birth =
            Birth { id: TaskId::new(), kind, input, owner, options: StartOptions::new(), parent: None, members: None };
        let sampler = Sampler::new(Handle::current(), Record::sample);
        let record =
            birth.record(&Arc::new(Common::new(Clocks::of_system(), sampler, Handle::current(), &Handle::current())));
        record.stop(Stop::Cancel(CancelReason::User), None).unwrap();
        record
    }

    /// Adds an ended task with an input of this many bytes.
    fn add(registry: &mut Registry, bytes: usize, now: Duration) -> TaskId {
        let input = Json::new(&"x".repeat(bytes - 2)).unwrap();
        let record = ended(input, caller());
        registry.insert(&record);
        registry.note_end(&record, now);
        record.id
    }

    fn ids(expired: &[Arc<Record>]) -> Vec<TaskId> {
        expired.iter().map(|record| record.id).collect()
    }

    #[tokio::test]
    async fn the_oldest_tasks_leave_if_there_are_too_many() {
        let now = Duration::from_secs(5);
        let mut registry = registry(Retention { count: 2, ..roomy() });
        let first = add(&mut registry, 10, now);
        let (second, third) = (add(&mut registry, 10, now), add(&mut registry, 10, now));
        assert_eq!(ids(&registry.expire(now)), [first]);
        assert!(registry.get(second).is_some() && registry.get(third).is_some());
    }

    #[tokio::test]
    async fn the_oldest_tasks_leave_if_all_together_are_too_large_and_the_newest_stays() {
        let now = Duration::from_secs(5);
        let mut registry = registry(roomy());
        let small = add(&mut registry, 400, now);
        let middle = add(&mut registry, 400, now);
        assert!(registry.expire(now).is_empty());
        let huge = add(&mut registry, 5_000, now);
        assert_eq!(ids(&registry.expire(now)), [small, middle]);
        assert!(registry.get(huge).is_some());
        registry.remove(huge, now);
        add(&mut registry, 900, now);
        assert!(registry.expire(now).is_empty(), "a removed task does not count");
    }

    #[tokio::test]
    async fn tasks_leave_when_they_are_too_old() {
        let now = Duration::from_secs(5);
        let mut registry = registry(roomy());
        let old = add(&mut registry, 10, now);
        let later = now + Duration::from_secs(999);
        add(&mut registry, 10, later);
        assert!(registry.expire(later).is_empty());
        assert_eq!(ids(&registry.expire(now + Duration::from_secs(1_000))), [old]);
    }

    #[tokio::test]
    async fn the_id_of_a_task_that_left_stays_spent_for_a_while() {
        let now = Duration::from_secs(5);
        let mut registry = registry(Retention { count: 1, ..roomy() });
        let (evicted, removed) = (add(&mut registry, 10, now), add(&mut registry, 10, now));
        registry.expire(now);
        registry.remove(removed, now);
        for id in [evicted, removed] {
            assert!(registry.get(id).is_none() && registry.spent(id).is_some());
        }
        registry.expire((now + REMEMBERED).saturating_sub(Duration::from_secs(1)));
        assert!(registry.spent(evicted).is_some());
        registry.expire(now + REMEMBERED);
        assert!(registry.spent(evicted).is_none() && registry.spent(removed).is_none());
    }

    #[tokio::test]
    async fn an_id_that_no_caller_has_chosen_is_not_remembered() {
        let now = Duration::from_secs(5);
        let mut registry = registry(roomy());
        let record = ended(Json::null(), Owner::App);
        registry.insert(&record);
        registry.note_end(&record, now);
        registry.remove(record.id, now);
        assert!(registry.spent(record.id).is_none());
    }

    #[tokio::test]
    async fn a_task_removed_before_its_end_was_noted_leaves_nothing_behind() {
        let now = Duration::from_secs(5);
        let mut registry = registry(Retention { count: 1, ..roomy() });
        let kept = add(&mut registry, 10, now);
        let record = ended(Json::null(), caller());
        registry.insert(&record);
        registry.remove(record.id, now);
        registry.note_end(&record, now);
        assert!(registry.expire(now).is_empty());
        assert!(registry.get(kept).is_some());
    }
}
