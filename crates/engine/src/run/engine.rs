//! The engine of one app: its kinds and its tasks.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;
use tokio::runtime::Handle;

use super::{runtimes::Runtimes, supervisor, transitions::Transitions};
use crate::{
    changes::{change_set::ChangeSet, filter::TaskFilter},
    clock::Clocks,
    error::{Error, refusal::Refusal},
    json::Json,
    keep::{retention::Retention, used_ids::Spent},
    kind::counts::{Counters, TaskCounts},
    policy::on_owner_closed::OnOwnerClosed,
    queue::{admission::Scope, limit_of::LimitOf},
    quota::{
        accounts::{Account, Accounts, Bill},
        quotas::Quotas,
    },
    record::{
        Kind, Record,
        shares::{Gone, Joiner},
        sharing::Joined,
    },
    task::{cancel_reason::CancelReason, id::TaskId, life::Stop, owner::Owner},
};

/// The kinds of an app. Each has its own name as its key, which is not checked.
pub type Kinds = HashMap<Arc<str>, Arc<Kind>>;

/// The settings for all tasks of an app.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How many tasks may run at once; `None` for no limit.
    pub concurrency: Option<usize>,
    /// How many tasks may wait; `None` for no limit.
    pub queue_limit: Option<usize>,
    /// The groups: the name of each, and how many of its tasks may run at once.
    pub groups: Vec<(String, usize)>,
    /// How long ended tasks are kept.
    pub retention: Retention,
    /// What each account may have.
    pub quotas: Quotas,
}

/// Starts, finds and stops tasks. It does not check the caller's rights.
pub struct Engine {
    kinds: Kinds,
    pub(super) quotas: Quotas,
    pub(crate) transitions: Arc<Transitions>,
    /// Counts the tasks that were spawned without a registered kind.
    pub(crate) spawned: Arc<Counters>,
    /// Makes the digests of the inputs of batches.
    pub(super) digests: RandomState,
}

impl Engine {
    pub(crate) fn new(runtimes: Runtimes, kinds: Kinds, settings: Settings, clocks: Clocks) -> Arc<Self> {
        let transitions = Transitions::new(runtimes, clocks, settings.retention, supervisor::launch);
        transitions.registry.lock().accounts = Accounts::new(settings.quotas);
        {
            let mut admission = transitions.common.admission.lock();
            admission.set_limit(Scope::App, settings.concurrency);
            admission.set_queue_limit(settings.queue_limit);
            for (group, limit) in settings.groups {
                admission.set_limit(Scope::Group(group.into()), Some(limit));
            }
            for (name, kind) in &kinds {
                let policy = &kind.policy;
                admission.declare(Arc::clone(name), policy.group.clone(), policy.concurrency, policy.queue_limit);
            }
        }
        Arc::new(Self {
            kinds,
            quotas: settings.quotas,
            transitions,
            spawned: Arc::default(),
            digests: RandomState::default(),
        })
    }

    /// Returns the runtime that the engine itself runs on.
    pub fn control(&self) -> &Handle {
        &self.transitions.runtimes.control
    }

    /// Returns the runtime that the handlers run on.
    pub fn work(&self) -> &Handle {
        &self.transitions.runtimes.work
    }

    // Kinds and limits.

    pub(crate) fn kind(&self, task: &str) -> Result<&Arc<Kind>, Error> {
        self.kinds.get(task).ok_or_else(|| Error::unknown_task(task))
    }

    /// Checks `input` for a kind. Fails if there is no kind `task`, or if `input` doesn't fit it.
    pub(crate) fn check_input(&self, task: &str, input: &Json) -> Result<(), Error> {
        self.kind(task)?.check(input)
    }

    /// Returns an error about an input of the kind `task`. If the kind has secret inputs, the error says nothing of it.
    pub fn of_input(&self, task: &str, error: Error) -> Error {
        match self.kinds.get(task) {
            Some(kind) => kind.of_input(error),
            None => error,
        }
    }

    /// Checks a service and its input. Fails if there is no kind `task`, if the kind has no
    /// [`Restart`](crate::Restart), or if `input` doesn't fit it.
    pub fn check_service(&self, task: &str, input: &Json) -> Result<(), Error> {
        let kind = self.kind(task)?;
        if kind.policy.restart.is_none() {
            return Err(Refusal::NotRestarted { task: task.to_owned() }.into());
        }
        kind.check(input)
    }

    /// Returns the names of the registered kinds, sorted.
    pub(crate) fn task_names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.kinds.keys().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }

    /// Returns the names of the kinds in a group.
    pub fn tasks_in(&self, group: &str) -> Vec<&str> {
        let is_in = |kind: &&Arc<Kind>| kind.policy.group.as_deref() == Some(group);
        self.kinds.values().filter(is_in).map(|kind| &*kind.name).collect()
    }

    pub(crate) fn set_limit(&self, of: LimitOf, limit: Option<usize>) -> Result<(), Error> {
        let scope = match of {
            LimitOf::App => Scope::App,
            LimitOf::Task(name) => Scope::Kind(Arc::clone(&self.kind(&name)?.name)),
            LimitOf::Group(group) if self.tasks_in(&group).is_empty() => {
                return Err(Refusal::UnknownGroup { group }.into());
            }
            LimitOf::Group(group) => Scope::Group(group.into()),
        };
        self.transitions.set_limit(scope, limit);
        Ok(())
    }

    /// Counts the tasks of each kind by status. The kinds are sorted by name. The last entry counts the tasks that were
    /// spawned without a kind.
    pub(crate) fn counts(&self) -> Vec<TaskCounts> {
        let kinds = self.task_names().into_iter().filter_map(|name| self.kinds.get(name));
        let mut counts: Vec<_> = kinds
            .map(|kind| {
                let limit = self.transitions.common.admission.lock().limit(&Scope::Kind(Arc::clone(&kind.name)));
                kind.counters.read(Some(&kind.name), limit, kind.policy.group.as_deref())
            })
            .collect();
        counts.push(self.spawned.read(None, None, None));
        counts
    }

    // Finding.

    /// Returns the task with this id.
    pub fn find(&self, id: TaskId) -> Option<Arc<Record>> {
        self.transitions.find(id)
    }

    /// Returns what is remembered of a task that is no longer kept, if its id is still remembered.
    pub fn spent(&self, id: TaskId) -> Option<Spent> {
        self.transitions.registry.lock().spent(id).cloned()
    }

    /// Returns the task that an earlier call of `owner` with this id has joined, or `None` if the id is new. Fails if the id is
    /// used for anything else.
    pub(crate) fn joined(&self, id: TaskId, task: &str, owner: &Owner) -> Result<Option<Arc<Record>>, Error> {
        self.transitions.registry.lock().joined(id, task, owner)
    }

    /// Returns the tasks that match `filter`, oldest first.
    pub fn records(&self, filter: &TaskFilter) -> Vec<Arc<Record>> {
        self.records_that(filter, |_| true)
    }

    /// Returns the tasks that match `filter` and that the caller `sees`, oldest first.
    pub fn records_that(&self, filter: &TaskFilter, sees: impl Fn(&Record) -> bool) -> Vec<Arc<Record>> {
        self.page(filter, None, usize::MAX, sees).0
    }

    /// Returns one page of the tasks that match `filter` and that the caller `sees`, oldest first: at most `limit` of
    /// those after number `after` in the order of arrival. Also returns what to pass as `after` for the next page, or
    /// `None` if nothing follows.
    ///
    /// A walk through the pages returns each task that is there all the time once, whatever happens to the others.
    pub fn page(
        &self,
        filter: &TaskFilter,
        after: Option<u64>,
        limit: usize,
        sees: impl Fn(&Record) -> bool,
    ) -> (Vec<Arc<Record>>, Option<u64>) {
        let filter = filter.matcher();
        let is_selected = |record: &Arc<Record>| record.is_selected(&filter, || sees(record), || record.status());
        let mut selected = self.all_after(after.unwrap_or(0)).into_iter().filter(is_selected);
        let page: Vec<_> = selected.by_ref().take(limit).collect();
        let more = selected.next().is_some();
        let next = page.last().filter(|_| more).map(|last| last.order());
        (page, next)
    }

    /// Returns all tasks after number `after` in the order of arrival, oldest first. Nothing else is done with them under
    /// the registry's lock, which every call needs.
    fn all_after(&self, after: u64) -> Vec<Arc<Record>> {
        self.transitions.expire();
        let mut records: Vec<_> =
            self.transitions.registry.lock().all().filter(|record| record.order() > after).cloned().collect();
        records.sort_unstable_by_key(|record| record.order());
        records
    }

    /// Adds a watcher of all tasks: every later change of a task is marked in it until it is dropped.
    pub fn watch_all(&self, watcher: &Arc<ChangeSet<Record>>) {
        self.transitions.common.feed.lock().add(watcher);
    }

    /// Undoes [`watch_all`](Self::watch_all).
    pub fn unwatch_all(&self, watcher: &Arc<ChangeSet<Record>>) {
        self.transitions.common.feed.lock().remove(watcher);
    }

    /// Returns how many watchers of all tasks there are.
    pub fn watchers_of_all(&self) -> usize {
        self.transitions.common.feed.lock().len()
    }

    // Controlling.

    /// Tells a task to stop. Fails if it has ended.
    pub fn cancel(&self, record: &Arc<Record>, reason: CancelReason) -> Result<(), Error> {
        let stopped = self.transitions.stop(record, Stop::Cancel(reason));
        stopped.map(drop).map_err(|status| {
            Refusal::AlreadyEnded { task: record.name().to_owned(), status: status.name(), what: "cancel" }.into()
        })
    }

    /// Tells tasks to stop. Returns how many of them had not ended.
    pub fn cancel_all(&self, records: Vec<Arc<Record>>, reason: CancelReason) -> usize {
        self.transitions.stop_all(records, reason)
    }

    /// Keeps a waiting task from running. Fails if it is not waiting in its queue, or if the app is about to exit.
    pub fn pause(&self, record: &Arc<Record>) -> Result<(), Error> {
        self.transitions.pause(record)
    }

    /// Undoes [`pause`](Self::pause). Fails if the task is not waiting in its queue.
    pub fn resume(&self, record: &Arc<Record>) -> Result<(), Error> {
        self.transitions.resume(record)
    }

    /// Sets the priority of a waiting task; a higher one runs first. Fails if it is not waiting in its queue.
    pub fn set_priority(&self, record: &Arc<Record>, priority: i32) -> Result<(), Error> {
        self.transitions.set_priority(record, priority)
    }

    /// Forgets an ended task and its outcome. Fails if it has not ended.
    pub fn remove(&self, record: &Record) -> Result<(), Error> {
        if !record.status().is_final() {
            return Err(Error::not_ended(record.name(), "removed"));
        }
        let now = self.transitions.timers().awake_now();
        let removed = self.transitions.registry.lock().remove(record.id, now);
        if let Some(record) = removed {
            record.mark_removed();
        }
        self.transitions.expire();
        Ok(())
    }

    // Owners.

    /// Gives a call of `holder` a share in a task: its holder may be told of the task, as of one that it has joined. A call
    /// that had a share in it gets no other. Counts as a start of the account. Fails if that may start nothing more, if the
    /// holder has too many shares, or if the id is that of another call.
    pub(crate) fn add_share(
        &self,
        record: &Arc<Record>,
        holder: &Owner,
        account: Account,
        call: TaskId,
    ) -> Result<(), Error> {
        let now = self.transitions.timers().awake_now();
        let (joiner, bill) = (Joiner::of_trigger(holder, call), Bill::of_join(account));
        let Joined { is_change } = self.transitions.registry.lock().add_share(joiner, bill, record, now)?;
        if is_change {
            record.notify();
        }
        Ok(())
    }

    /// Fails if a call of `holder` can't get a share in any task: see [`add_share`](Self::add_share).
    pub(crate) fn check_share(&self, call: TaskId, holder: &Owner) -> Result<(), Error> {
        self.transitions.registry.lock().check_share(call, holder)
    }

    /// Gives back the share that a call of `holder` has in a task. If it is the last one, cancels the task. Returns the task,
    /// if that is known; does nothing for any other id.
    pub fn leave(&self, call: TaskId, holder: &Owner) -> Option<Arc<Record>> {
        let now = self.transitions.timers().awake_now();
        let (record, call) = self.transitions.registry.lock().leave(call, holder, now)?;
        self.transitions.leave(&record, holder, call);
        Some(record)
    }

    /// Gives back all shares of the owners that are gone. Each of their tasks passes to the one whose share is the oldest,
    /// among those who may start the kind by themselves, or to the app. Cancels the tasks of kinds with
    /// [`OnOwnerClosed::Cancel`] in which nobody has a share any more.
    pub fn disown(&self, is_gone: impl Fn(&Owner) -> bool) {
        self.transitions.depart(self.records(&TaskFilter::default()), &is_gone, Gone::Closed);
    }

    /// Treats owners that have stopped responding as gone, but only in tasks of kinds with [`OnOwnerClosed::Cancel`]. They
    /// keep the others, because they may come back.
    pub fn owners_are_silent(&self, is_silent: impl Fn(&Owner) -> bool) {
        self.transitions.depart(self.records(&TaskFilter::default()), &is_silent, Gone::Silent);
    }

    /// Returns whether it makes a difference for a task if this owner is gone, even if it may come back.
    pub fn loses_with(&self, owner: &Owner) -> bool {
        let registry = self.transitions.registry.lock();
        let mut cancelled = registry.all().filter(|record| is_cancelled_without_owner(record));
        cancelled.any(|record| !record.status().is_final() && record.tells(owner))
    }

    // Holding off starts.

    /// Refuses new starts until [`let_in`](Self::let_in) has been called as often as this.
    pub(crate) fn hold_off(&self) {
        self.transitions.registry.lock().gate.guard();
    }

    pub(crate) fn let_in(&self) {
        self.transitions.registry.lock().gate.unguard();
    }

    /// Returns whether the engine is closed to new tasks for good.
    pub(crate) fn is_closed(&self) -> bool {
        self.transitions.registry.lock().gate.is_closed()
    }

    /// Returns whether new starts are refused for now.
    pub(crate) fn is_guarded(&self) -> bool {
        self.transitions.registry.lock().gate.is_guarded()
    }
}

/// Returns whether this task is cancelled when nobody is left who has a share in it.
pub fn is_cancelled_without_owner(record: &Record) -> bool {
    record.kind.policy.on_owner_closed == OnOwnerClosed::Cancel
}
