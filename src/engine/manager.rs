use std::{collections::HashMap, fmt, sync::Arc, time::SystemTime};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::{runtime::Handle, time::Instant};

use super::{
    CancelReason, Error, Json, Owner, TaskContext, TaskFilter, TaskHandle, TaskId, TaskSnapshot, TaskWatch,
    kind::{Attempt, Kind, erase},
    record::{Hub, Record},
    registry::{Registry, Spent},
    supervisor::{supervise, watch_grace},
    watcher::Watcher,
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
    runtime: Handle,
    kinds: HashMap<Arc<str>, Arc<Kind>>,
    registry: Mutex<Registry>,
    hub: Arc<Hub>,
}

/// A start with everything said that a page can say.
pub(crate) struct Start<'a> {
    pub(crate) id: TaskId,
    pub(crate) task: &'a str,
    pub(crate) input: Json,
    pub(crate) owner: Owner,
}

impl TaskManager {
    /// A manager with no registered kinds, that runs its tasks on `runtime`.
    pub fn new(runtime: Handle) -> Self {
        Self::with_kinds(runtime, HashMap::new(), unix_millis)
    }

    pub(crate) fn with_kinds(
        runtime: Handle,
        kinds: HashMap<Arc<str>, Arc<Kind>>,
        clock: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        let shared = Shared { runtime, kinds, registry: Mutex::default(), hub: Arc::new(Hub::new(clock)) };
        Self { shared: Arc::new(shared) }
    }

    /// Starts a task of the kind registered as `task`, for the app itself.
    ///
    /// Returns at once; the task runs on. Fails when there is no such kind or `input` doesn't fit it.
    pub fn start(&self, task: &str, input: impl Serialize) -> Result<TaskHandle, Error> {
        let input = Json::new(&input).map_err(|problem| Error::unserializable("the input", &problem))?;
        let start = Start { id: TaskId::new(), task, input, owner: Owner::App };
        let mut handle = None;
        // Before it can run, or it could fail unwatched.
        let record = self.start_for(&start, |record| handle = Some(TaskHandle::new(self, record)))?;
        Ok(handle.unwrap_or_else(|| TaskHandle::new(self, &record)))
    }

    /// Runs `work` once as a task that shows up under `name`, which need not be registered.
    ///
    /// Returns at once; the task runs on, also when the handle is dropped.
    pub fn spawn<D, I, O, E, F, Fut>(&self, name: &str, work: F) -> TaskHandle
    where
        D: 'static,
        I: 'static,
        O: Serialize,
        E: Serialize + 'static,
        F: FnOnce(TaskContext<D, I>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
    {
        let kind = Arc::new(Kind::ad_hoc(name));
        let record = self.record(TaskId::new(), kind, Json::null(), Owner::App);
        self.shared.registry.lock().insert(&record);
        let handle = TaskHandle::new(self, &record);
        self.run(&record, Box::new(move |record| erase(record, None, work)));
        handle
    }

    /// A handle for a task that was started earlier or elsewhere.
    pub fn handle(&self, id: TaskId) -> Result<TaskHandle, Error> {
        self.find(id).map(|record| TaskHandle::new(self, &record)).ok_or_else(|| Error::not_found(id))
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

    /// Forgets an ended task and its outcome. Its id can't be used again.
    ///
    /// Fails when there is no such task or it has not ended.
    pub fn remove(&self, id: TaskId) -> Result<(), Error> {
        let record = self.find(id).ok_or_else(|| Error::not_found(id))?;
        if !record.status().is_final() {
            return Err(Error::not_ended(record.name()));
        }
        let removed = self.shared.registry.lock().remove(id, Instant::now());
        if let Some(record) = removed {
            record.mark_removed();
        }
        self.expire();
        Ok(())
    }

    /// Starts a task, or finds the one that an earlier call with the same words has started.
    ///
    /// `before` is called on the task before it can run, so that whoever wants to watch it misses nothing.
    pub(crate) fn start_for(&self, start: &Start<'_>, before: impl FnOnce(&Arc<Record>)) -> Result<Arc<Record>, Error> {
        // A statement of its own: `before` must not be called under the lock, see `Session`.
        let known = repeated(&self.shared.registry.lock(), start)?;
        if let Some(record) = known {
            before(&record);
            return Ok(record);
        }
        let kind = self.shared.kinds.get(start.task).ok_or_else(|| Error::unknown_task(start.task))?;
        let attempt = kind.prepare(&start.input)?;
        let record = self.record(start.id, Arc::clone(kind), start.input.clone(), start.owner.clone());
        // Looked at again, since a twin of this call may have come in between.
        let twin = {
            let mut registry = self.shared.registry.lock();
            let twin = repeated(&registry, start)?;
            if twin.is_none() {
                registry.insert(&record);
            }
            twin
        };
        if let Some(twin) = twin {
            before(&twin);
            return Ok(twin);
        }
        before(&record);
        self.run(&record, attempt);
        self.expire();
        Ok(record)
    }

    fn record(&self, id: TaskId, kind: Arc<Kind>, input: Json, owner: Owner) -> Arc<Record> {
        Record::new(id, kind, input, owner, Arc::clone(&self.shared.hub))
    }

    fn run(&self, record: &Arc<Record>, attempt: Attempt) {
        record.announce();
        let (manager, record) = (self.clone(), Arc::clone(record));
        self.shared.runtime.spawn(async move {
            supervise(Arc::clone(&record), attempt).await;
            manager.retire(&record);
        });
    }

    fn retire(&self, record: &Record) {
        self.shared.registry.lock().note_end(record, Instant::now());
        self.expire();
    }

    fn expire(&self) {
        let expired = self.shared.registry.lock().expire(Instant::now());
        expired.iter().for_each(Record::mark_removed);
    }

    pub(crate) fn cancel_record(&self, record: &Arc<Record>, reason: CancelReason) -> Result<(), Error> {
        let newly = record.cancel(reason).map_err(|status| Error::already_ended(record.name(), status))?;
        if newly {
            self.shared.runtime.spawn(watch_grace(Arc::clone(record)));
        }
        Ok(())
    }

    pub(crate) fn find(&self, id: TaskId) -> Option<Arc<Record>> {
        self.shared.registry.lock().get(id).cloned()
    }

    pub(crate) fn spent(&self, id: TaskId) -> Option<Spent> {
        self.shared.registry.lock().spent(id).cloned()
    }

    pub(crate) fn records(&self, filter: &TaskFilter) -> Vec<Arc<Record>> {
        self.expire();
        let mut records: Vec<_> = {
            let registry = self.shared.registry.lock();
            registry.all().filter(|record| record.matches(filter)).cloned().collect()
        };
        records.sort_by_cached_key(|record| (record.created_at(), record.id));
        records
    }

    /// Leaves what a closed page owned to the app.
    pub(crate) fn disown(&self, label: &str) {
        for record in self.records(&TaskFilter::default()) {
            record.disown(label);
        }
    }

    pub(crate) fn watch_all(&self, watcher: &Arc<Watcher>) {
        self.shared.hub.add_watcher(watcher);
    }

    pub(crate) fn unwatch_all(&self, watcher: &Arc<Watcher>) {
        self.shared.hub.remove_watcher(watcher);
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.shared.runtime
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
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The task that an earlier call with the same words has started. `Err` when the id is used otherwise.
fn repeated(registry: &Registry, start: &Start<'_>) -> Result<Option<Arc<Record>>, Error> {
    if registry.spent(start.id).is_some() {
        return Err(Error::invalid_id(start.id));
    }
    match registry.get(start.id) {
        None => Ok(None),
        Some(record) if record.name() == start.task && record.input == start.input && record.owner() == start.owner => {
            Ok(Some(Arc::clone(record)))
        }
        Some(_) => Err(Error::invalid_id(start.id)),
    }
}
