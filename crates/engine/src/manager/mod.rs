mod schedules;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use serde::Serialize;
use tokio::{runtime::Handle, time::Instant};

use crate::{
    BatchOptions, CancelReason, Error, ErrorKind, ExitGuard, Json, LimitOf, OnOwnerClosed, Retention, StartOptions,
    TaskContext, TaskCounts, TaskFilter, TaskHandle, TaskId, TaskSnapshot, TaskStatus, TaskWatch,
    keep::registry::Spent,
    leave::shut_down::shut_down,
    queue::admission::Scope,
    record::{Birth, Follower, Record},
    run::scheduler::{Arrival, Scheduler},
    schedule::schedules::Schedules,
    task::{
        kind::{Errors, Kind, erase},
        life::Stop,
        owner::{Owner, Page},
    },
    watch::{change_set::Watcher, feed::Hub},
};

/// Starts tasks and knows all of them. In an app, `app.tasks()` is its manager.
///
/// Calls in Rust see and control every task, whoever owns it; pages go through the commands, with their
/// permissions. Clones are cheap and stand for the same manager.
///
/// In a test, or where there is no app, make one with [`TaskManager::new`]:
///
/// ```
/// use tauri_plugin_tasks::{Failure, TaskContext, TaskManager};
///
/// async fn double(_ctx: TaskContext, number: u32) -> Result<u32, Failure> {
///     Ok(number * 2)
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let tasks = TaskManager::new(tokio::runtime::Handle::current());
/// let task = tasks.spawn("double", |ctx| double(ctx, 21));
/// assert_eq!(task.outcome().await.output::<u32>(), Some(42));
/// # }
/// ```
#[derive(Clone)]
pub struct TaskManager {
    shared: Arc<Shared>,
}

struct Shared {
    kinds: HashMap<Arc<str>, Arc<Kind>>,
    scheduler: Arc<Scheduler>,
    schedules: Schedules,
}

/// A manager that may be gone: what runs by itself must not keep it.
pub(crate) struct WeakManager(Weak<Shared>);

impl WeakManager {
    pub(crate) fn upgrade(&self) -> Option<TaskManager> {
        self.0.upgrade().map(|shared| TaskManager { shared })
    }
}

/// The most members that a batch can have.
const BATCH_LIMIT: usize = 10_000;

/// What holds for all tasks of an app.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How many tasks may run at once.
    pub concurrency: Option<usize>,
    /// How many may wait.
    pub queue_limit: Option<usize>,
    /// How many tasks of each group may run at once.
    pub groups: Vec<(String, usize)>,
    pub retention: Retention,
}

/// A start with everything said that a page can say.
pub struct Start<'a> {
    pub id: TaskId,
    pub task: &'a str,
    pub input: Json,
    pub owner: Owner,
    pub options: StartOptions,
    /// Whether the caller may join or replace this task.
    pub sees: &'a dyn Fn(&Record) -> bool,
}

/// A start of a batch with everything said that a page can say.
pub struct StartBatch<'a> {
    pub id: TaskId,
    pub task: &'a str,
    pub inputs: Vec<Json>,
    pub owner: Owner,
    pub options: BatchOptions,
}

impl TaskManager {
    /// A manager with no registered kinds, that runs its tasks on `runtime`.
    pub fn new(runtime: Handle) -> Self {
        Self::with_kinds(runtime, HashMap::new(), Settings::default(), unix_millis)
    }

    pub fn with_kinds(
        runtime: Handle,
        kinds: HashMap<Arc<str>, Arc<Kind>>,
        settings: Settings,
        clock: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        let hub = Hub::new(clock);
        {
            let mut admission = hub.admission.lock();
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
        let scheduler = Scheduler::new(runtime, hub, settings.retention);
        Self { shared: Arc::new(Shared { kinds, scheduler, schedules: Schedules::default() }) }
    }

    /// Starts a task of the kind registered as `task`, for the app itself.
    ///
    /// Returns at once; the task runs when there is room for it. Fails when there is no such kind, `input` doesn't fit it,
    /// or its queue is full.
    pub fn start(&self, task: &str, input: impl Serialize) -> Result<TaskHandle, Error> {
        self.start_with(task, input, StartOptions::new())
    }

    /// Like [`start`](Self::start), with a priority, a key, a delay and more.
    ///
    /// Fails with [`ErrorKind::KeyTaken`] too, if the options say so. With [`OnConflict::Join`](crate::OnConflict::Join)
    /// the handle may be that of a task that was there already.
    pub fn start_with(&self, task: &str, input: impl Serialize, options: StartOptions) -> Result<TaskHandle, Error> {
        let input = Json::new(&input).map_err(|problem| Error::unserializable("the input", &problem))?;
        let start = Start { id: TaskId::new(), task, input, owner: Owner::App, options, sees: &|_| true };
        self.start_for(start).map(|follower| TaskHandle::new(self, follower))
    }

    /// Starts one task for each of `inputs` and one that stands for all of them, the batch: its bar is the sum of theirs,
    /// its output the list of their outcomes in the order of the inputs, whether they completed or not, as in
    /// `Promise.allSettled`. To cancel it cancels all of them.
    ///
    /// The members are ordinary tasks, with the batch as their parent: they wait and run within all limits, and
    /// [`TaskHandle::members`] has their handles. The batch itself takes no slot.
    ///
    /// Fails, and starts nothing, when there is no such kind, one of the inputs doesn't fit it, the queue doesn't hold all of
    /// them, or they are more than 10,000.
    ///
    /// ```no_run
    /// use tauri_plugin_tasks::{BatchOptions, Error, Outcome, TaskManager};
    ///
    /// async fn download_all(tasks: &TaskManager, urls: Vec<String>) -> Result<(), Error> {
    ///     let batch = tasks.batch("download", urls, BatchOptions::new().concurrency(4))?;
    ///     let outcomes: Vec<Outcome> = batch.outcome().await.output().unwrap_or_default();
    ///     println!("{} downloads have ended", outcomes.len());
    ///     Ok(())
    /// }
    /// ```
    pub fn batch(
        &self,
        task: &str,
        inputs: impl IntoIterator<Item = impl Serialize>,
        options: BatchOptions,
    ) -> Result<TaskHandle, Error> {
        let inputs: Result<Vec<_>, _> = inputs.into_iter().map(|input| Json::new(&input)).collect();
        let inputs = inputs.map_err(|problem| Error::unserializable("an input", &problem))?;
        let start = StartBatch { id: TaskId::new(), task, inputs, owner: Owner::App, options };
        self.start_batch_for(start).map(|follower| TaskHandle::new(self, follower))
    }

    /// Starts a task that failed, timed out or was cancelled once more: a new task with the same input and options, for
    /// the app itself.
    ///
    /// Fails when there is no such task, when it has not ended or has completed, when it was spawned or is a batch (try its
    /// members), and as [`start_with`](Self::start_with) does.
    pub fn retry(&self, id: TaskId) -> Result<TaskHandle, Error> {
        let record = self.find(id).ok_or_else(|| Error::not_found(id))?;
        let start = self.retry_for(&record, TaskId::new(), Owner::App, &|_| true)?;
        Ok(TaskHandle::new(self, start))
    }

    /// Runs `work` once as a task that shows up under `name`, which need not be registered.
    ///
    /// Returns at once; the task runs on, also when the handle is dropped. It counts for the app's limit on running
    /// tasks, and is never refused.
    pub fn spawn<D, I, O, E, F, Fut>(&self, name: &str, work: F) -> TaskHandle
    where
        D: 'static,
        I: 'static,
        O: Serialize,
        E: Serialize + 'static,
        F: FnOnce(TaskContext<D, I>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
    {
        let birth = Birth {
            id: TaskId::new(),
            kind: Arc::new(Kind::ad_hoc(name, &self.shared.scheduler.hub.spawned)),
            input: Json::null(),
            owner: Owner::App,
            options: StartOptions::new(),
            parent: None,
            members: None,
        };
        let work = Box::new(move |record: &_, attempt: &_| erase(record, attempt, Errors::default(), work));
        match self.shared.scheduler.start(Arrival { birth, work, sees: &|_| true }) {
            Ok(follower) => TaskHandle::new(self, follower),
            Err(error) => unreachable!("a new id, no key and no queue to be full: {error}"),
        }
    }

    /// A handle for a task that was started earlier or elsewhere.
    pub fn handle(&self, id: TaskId) -> Result<TaskHandle, Error> {
        self.find(id).map(|record| TaskHandle::new(self, Follower::new(&record))).ok_or_else(|| Error::not_found(id))
    }

    /// The task as it stands now.
    pub fn get(&self, id: TaskId) -> Result<TaskSnapshot, Error> {
        self.find(id).map(|record| record.snapshot()).ok_or_else(|| Error::not_found(id))
    }

    /// The tasks that match, oldest first: those that live, and the ended ones that are still kept.
    pub fn list(&self, filter: &TaskFilter) -> Vec<TaskSnapshot> {
        self.records(filter).iter().map(|record| record.snapshot()).collect()
    }

    /// Follows a task from where it stands now to its end.
    pub fn watch(&self, id: TaskId) -> Result<TaskWatch, Error> {
        self.find(id).map(|record| TaskWatch::new(&record)).ok_or_else(|| Error::not_found(id))
    }

    /// Tells a task to stop, and returns without waiting until it has.
    ///
    /// To tell a task again changes nothing. Fails when there is no such task or it has ended.
    pub fn cancel(&self, id: TaskId, reason: CancelReason) -> Result<(), Error> {
        let record = self.find(id).ok_or_else(|| Error::not_found(id))?;
        self.cancel_record(&record, reason)
    }

    /// Tells all tasks that match to stop, and answers how many had not ended.
    pub fn cancel_all(&self, filter: &TaskFilter, reason: CancelReason) -> usize {
        self.cancel_records(self.records(filter), reason)
    }

    /// Keeps a waiting task from running until it is [released](Self::release). To hold it again changes nothing.
    ///
    /// Fails when there is no such task, it does not wait in its queue, or the app is about to exit.
    pub fn hold(&self, id: TaskId) -> Result<(), Error> {
        let record = self.find(id).ok_or_else(|| Error::not_found(id))?;
        self.hold_record(&record)
    }

    /// Lets a task that was [held](Self::hold) have its turn again. Fails when there is no such task, or it does not wait in its
    /// queue.
    pub fn release(&self, id: TaskId) -> Result<(), Error> {
        let record = self.find(id).ok_or_else(|| Error::not_found(id))?;
        self.release_record(&record)
    }

    /// Gives a waiting task another priority; higher runs earlier. Fails as [`release`](Self::release) does.
    pub fn set_priority(&self, id: TaskId, priority: i32) -> Result<(), Error> {
        let record = self.find(id).ok_or_else(|| Error::not_found(id))?;
        self.set_priority_of(&record, priority)
    }

    /// Changes how many tasks may run at once; `None` for no limit.
    ///
    /// A lower limit stops nobody: nothing more begins until enough have ended. Fails when no kind or group of this name is
    /// registered.
    pub fn set_limit(&self, of: LimitOf, limit: impl Into<Option<usize>>) -> Result<(), Error> {
        let scope = match of {
            LimitOf::App => Scope::App,
            LimitOf::Task(name) => match self.shared.kinds.get_key_value(&*name) {
                Some((name, _)) => Scope::Kind(Arc::clone(name)),
                None => return Err(Error::unknown_task(&name)),
            },
            LimitOf::Group(group) => match self.tasks_in(&group).first() {
                Some(_) => Scope::Group(group.into()),
                None => {
                    return Err(Error::new(
                        ErrorKind::UnknownTask,
                        format!("no task is in a group \"{group}\": put it there with Task::group(\"{group}\")"),
                    ));
                }
            },
        };
        self.shared.scheduler.set_limit(scope, limit.into());
        Ok(())
    }

    /// The names of the kinds in a group.
    pub fn tasks_in(&self, group: &str) -> Vec<&str> {
        let is_in = |kind: &&Arc<Kind>| kind.policy.group.as_deref() == Some(group);
        self.shared.kinds.values().filter(is_in).map(|kind| &*kind.name).collect()
    }

    /// How many tasks of each kind stand where, by name; the last entry counts all that were spawned without a kind.
    pub fn counts(&self) -> Vec<TaskCounts> {
        let hub = &self.shared.scheduler.hub;
        let kinds = self.task_names().into_iter().filter_map(|name| self.shared.kinds.get(name));
        let mut counts: Vec<_> = kinds
            .map(|kind| {
                let limit = hub.admission.lock().limit(&Scope::Kind(Arc::clone(&kind.name)));
                kind.counters.read(Some(&kind.name), limit, kind.policy.group.as_deref())
            })
            .collect();
        counts.push(hub.spawned.read(None, None, None));
        counts
    }

    /// Forgets an ended task and its outcome. Its id can't be used again.
    ///
    /// Fails when there is no such task or it has not ended.
    pub fn remove(&self, id: TaskId) -> Result<(), Error> {
        let record = self.find(id).ok_or_else(|| Error::not_found(id))?;
        if !record.status().is_final() {
            return Err(Error::not_ended(record.name(), "removed"));
        }
        let removed = self.shared.scheduler.registry.lock().remove(id, Instant::now());
        if let Some(record) = removed {
            record.mark_removed();
        }
        self.shared.scheduler.expire();
        Ok(())
    }

    // The way out.

    /// Ends all tasks as their kinds say ([`Task::on_exit`](crate::Task::on_exit)), within `grace`, and refuses new ones with
    /// [`ErrorKind::ShuttingDown`] from now on. Answers what was waited for and had not ended when the time was over.
    ///
    /// In an app the plugin does this when the app is about to exit. With nothing to wait for it answers at once.
    ///
    /// Cancel safe: what was told to stop stops, but nobody waits for it.
    pub async fn shut_down(&self, grace: Duration) -> Vec<TaskSnapshot> {
        let left = shut_down(Arc::clone(&self.shared.scheduler), grace).await;
        left.iter().map(|record| record.snapshot()).collect()
    }

    /// Holds off new starts, and tells what runs and what would be lost if the process ended now: see [`ExitGuard`].
    pub fn guard(&self) -> ExitGuard {
        ExitGuard::new(self)
    }

    /// Holds off new starts until [`let_in`](Self::let_in) was called as often.
    pub(crate) fn hold_off(&self) {
        self.shared.scheduler.registry.lock().gate.guard();
    }

    pub(crate) fn let_in(&self) {
        self.shared.scheduler.registry.lock().gate.unguard();
        self.timetables().look();
    }

    /// Whether nothing new comes in any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared.scheduler.registry.lock().gate.is_closed()
    }

    /// Whether somebody holds off new starts.
    pub(crate) fn is_guarded(&self) -> bool {
        self.shared.scheduler.registry.lock().gate.is_guarded()
    }

    /// The tasks that have not ended, oldest first.
    pub(crate) fn live(&self) -> Vec<Arc<Record>> {
        let mut live = self.records(&TaskFilter::default());
        live.retain(|record| !record.status().is_final());
        live
    }

    /// The tasks that an exit now would cut short, oldest first.
    pub fn would_be_lost(&self) -> Vec<TaskSnapshot> {
        self.live().iter().filter(|record| record.would_be_lost()).map(|record| record.snapshot()).collect()
    }

    /// Whether an exit has anything to wait for.
    pub fn is_idle(&self) -> bool {
        let registry = self.shared.scheduler.registry.lock();
        !registry.all().any(|record| record.is_awaited())
    }

    /// Waits until everything has ended that an exit would cut short, however long that takes. Nothing new comes in from now on,
    /// and what waits for more than its turn is cancelled.
    pub async fn finish(&self) {
        let scheduler = &self.shared.scheduler;
        let (put_off, awaited): (Vec<_>, Vec<_>) =
            scheduler.close().into_iter().partition(|record| scheduler.is_put_off(record));
        self.cancel_records(put_off, CancelReason::Shutdown);
        for record in awaited.iter().filter(|record| record.would_be_lost()) {
            record.closed().await;
        }
    }

    /// Whether this kind can go on as a service with this input.
    pub fn check_service(&self, task: &str, input: &Json) -> Result<(), Error> {
        let kind = self.kind(task)?;
        if kind.policy.restart.is_none() {
            return Err(Error::new(
                ErrorKind::InvalidOptions,
                format!(
                    "nothing says when it is run again: add .restart(Restart::on_failure()) to Task::new(\"{task}\", …)"
                ),
            ));
        }
        kind.check(input)
    }

    // The same for callers whose permissions are checked, on the task that they may see.

    /// Starts a task, or finds the one that an earlier call with the same words has started, or that has its key.
    ///
    /// Until the follower is dropped, a failure of the task is not logged: so whoever wants to watch it misses nothing.
    pub fn start_for(&self, start: Start<'_>) -> Result<Follower, Error> {
        let Start { id, task, input, owner, options, sees } = start;
        let scheduler = &self.shared.scheduler;
        let known = scheduler.registry.lock().repeated(id, task, &owner, &input)?;
        if let Some(known) = known {
            return Ok(Follower::new(&known));
        }
        options.check()?;
        let kind = self.kind(task)?;
        let work = kind.prepare(&input)?;
        let kind = Arc::clone(kind);
        let birth = Birth { id, kind, input, owner, options, parent: None, members: None };
        scheduler.start(Arrival { birth, work, sees })
    }

    pub fn start_batch_for(&self, start: StartBatch<'_>) -> Result<Follower, Error> {
        let StartBatch { id, task, inputs, owner, options } = start;
        if inputs.len() > BATCH_LIMIT {
            return Err(Error::batch_too_large(task, inputs.len(), BATCH_LIMIT));
        }
        let scheduler = &self.shared.scheduler;
        let input = Json::new(&inputs).map_err(|problem| Error::unserializable("the inputs", &problem))?;
        let known = scheduler.registry.lock().repeated(id, task, &owner, &input)?;
        if let Some(known) = known {
            return Ok(Follower::new(&known));
        }
        let concurrency = options.concurrency;
        let (batch_options, member_options) = options.split();
        batch_options.check()?;
        let kind = self.kind(task)?;
        for (place, input) in inputs.iter().enumerate() {
            kind.check(input).map_err(|error| error.of_member(task, place))?;
        }
        let member = |input| Birth {
            id: TaskId::new(),
            kind: Arc::clone(kind),
            input,
            owner: owner.clone(),
            options: member_options.clone(),
            parent: Some(id),
            members: None,
        };
        let members: Vec<_> = inputs.into_iter().map(member).collect();
        let batch = Birth {
            id,
            kind: Arc::new(kind.batch()),
            input,
            owner: owner.clone(),
            options: batch_options,
            parent: None,
            members: Some(members.iter().map(|member| member.id).collect()),
        };
        scheduler.start_batch(batch, members, concurrency)
    }

    /// Starts what `record` was started for once more, as the task `id` of `owner`.
    pub fn retry_for(
        &self,
        record: &Record,
        id: TaskId,
        owner: Owner,
        sees: &dyn Fn(&Record) -> bool,
    ) -> Result<Follower, Error> {
        let (name, status) = (record.name(), record.status());
        if id == record.id {
            return Err(Error::invalid_id(id));
        }
        if !status.is_final() {
            return Err(Error::not_ended(name, "tried again"));
        }
        if record.members.is_some() {
            return Err(Error::not_retriable(name, "it is a batch; try those of its members again that ended badly"));
        }
        if status == TaskStatus::Completed {
            return Err(Error::not_retriable(name, "it has completed; start it anew"));
        }
        if !record.kind.is_registered() {
            return Err(Error::not_retriable(name, "it was spawned in Rust and is no registered kind; spawn it anew"));
        }
        let options = StartOptions { held: false, ..record.options() };
        self.start_for(Start { id, task: name, input: record.input.clone(), owner, options, sees })
    }

    // For the schedules.

    pub(crate) fn timetables(&self) -> &Schedules {
        &self.shared.schedules
    }

    pub(crate) fn downgrade(&self) -> WeakManager {
        WeakManager(Arc::downgrade(&self.shared))
    }

    pub(crate) fn now(&self) -> u64 {
        self.shared.scheduler.hub.now()
    }

    pub(crate) fn check_input(&self, task: &str, input: &Json) -> Result<(), Error> {
        self.kind(task)?.check(input)
    }

    fn kind(&self, task: &str) -> Result<&Arc<Kind>, Error> {
        self.shared.kinds.get(task).ok_or_else(|| Error::unknown_task(task))
    }

    pub fn cancel_record(&self, record: &Arc<Record>, reason: CancelReason) -> Result<(), Error> {
        let stopped = self.shared.scheduler.stop(record, Stop::Cancel(reason));
        stopped.map(drop).map_err(|status| Error::already_ended(record.name(), status))
    }

    /// Answers how many had not ended.
    pub fn cancel_records(&self, records: Vec<Arc<Record>>, reason: CancelReason) -> usize {
        self.shared.scheduler.stop_all(records, reason)
    }

    pub fn hold_record(&self, record: &Arc<Record>) -> Result<(), Error> {
        self.shared.scheduler.hold(record)
    }

    pub fn release_record(&self, record: &Arc<Record>) -> Result<(), Error> {
        self.shared.scheduler.release(record)
    }

    pub fn set_priority_of(&self, record: &Arc<Record>, priority: i32) -> Result<(), Error> {
        self.shared.scheduler.set_priority(record, priority)
    }

    pub fn find(&self, id: TaskId) -> Option<Arc<Record>> {
        self.shared.scheduler.find(id)
    }

    pub fn spent(&self, id: TaskId) -> Option<Spent> {
        self.shared.scheduler.registry.lock().spent(id).cloned()
    }

    pub fn records(&self, filter: &TaskFilter) -> Vec<Arc<Record>> {
        self.shared.scheduler.expire();
        let mut records: Vec<_> = {
            let registry = self.shared.scheduler.registry.lock();
            registry.all().filter(|record| record.matches(filter)).cloned().collect()
        };
        records.sort_by_cached_key(|record| (record.created_at(), record.id));
        records
    }

    /// Pages have gone: what they have started is the app's, or is cancelled, as its kind says.
    pub fn disown(&self, is_gone: impl Fn(&Page) -> bool) {
        let mut left: Vec<_> = self.records(&TaskFilter::default());
        left.retain(|record| record.disown(&is_gone) && record.kind.policy.on_owner_closed == OnOwnerClosed::Cancel);
        self.cancel_records(left, CancelReason::OwnerClosed);
    }

    /// A page has stopped answering. It may be back, so what goes on stays its own; the rest is cancelled, as its kind says.
    pub fn owner_is_silent(&self, page: &Page) {
        let owner = Owner::Page(page.clone());
        let mut left = self.records(&TaskFilter::default());
        left.retain(|record| record.kind.policy.on_owner_closed == OnOwnerClosed::Cancel && record.owner() == owner);
        self.cancel_records(left, CancelReason::OwnerClosed);
    }

    pub fn watch_all(&self, watcher: &Arc<Watcher>) {
        self.shared.scheduler.hub.add_watcher(watcher);
    }

    pub fn unwatch_all(&self, watcher: &Arc<Watcher>) {
        self.shared.scheduler.hub.remove_watcher(watcher);
    }

    /// How many watch all tasks.
    pub fn watchers_of_all(&self) -> usize {
        self.shared.scheduler.hub.watchers()
    }

    pub fn runtime(&self) -> &Handle {
        &self.shared.scheduler.runtime
    }

    /// The names of the registered kinds, sorted.
    pub fn task_names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.shared.kinds.keys().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }
}

impl fmt::Debug for TaskManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskManager").field("registered", &self.task_names()).finish_non_exhaustive()
    }
}

/// The wall clock in milliseconds since 1970.
pub fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
