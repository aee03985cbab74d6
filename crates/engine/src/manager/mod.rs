//! [`TaskManager`], which starts, finds and controls tasks.

mod schedules;

use std::{fmt, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::runtime::Handle;

use crate::{
    changes::filter::TaskFilter,
    clock::Clocks,
    context::TaskContext,
    error::Error,
    exit::{guard::ExitGuard, shut_down::shut_down},
    handle::{
        HandleOf, TaskHandle,
        batch::{BatchHandle, BatchOf},
        watch::TaskWatch,
    },
    json::Json,
    kind::counts::TaskCounts,
    queue::limit_of::LimitOf,
    record::{Record, follower::Follower, snapshot::snapshots},
    run::{
        engine::{Engine, Kinds, Settings},
        runtimes::Runtimes,
        start::{Start, StartBatch},
    },
    schedule::schedules::Schedules,
    start_options::{BatchOptions, StartOptions},
    task::{cancel_reason::CancelReason, event::TaskSnapshot, id::TaskId, owner::Owner},
    task_name::{TakesInput, TaskName},
};

/// Starts, finds and controls tasks. In an app, `app.tasks()` returns its manager.
///
/// Its methods reach every task, whoever owns it. Clones are cheap and refer to the same manager.
///
/// In a test, or where there is no app, create one with [`TaskManager::new`]:
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use tauri_plugin_tasks::{Failure, TaskContext, TaskManager};
///
/// async fn double(_ctx: TaskContext, number: u32) -> Result<u32, Failure> {
///     Ok(number * 2)
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let tasks = TaskManager::new(tokio::runtime::Handle::current());
/// let task = tasks.spawn("double", |ctx| double(ctx, 21));
/// assert_eq!(task.result().await, Ok(42));
/// # }
/// ```
#[derive(Clone)]
pub struct TaskManager {
    pub(crate) engine: Arc<Engine>,
    pub(crate) schedules: Arc<Schedules>,
}

impl TaskManager {
    /// Creates a manager that has no registered kinds. It can only [`spawn`](Self::spawn).
    ///
    /// Everything runs on `runtime`: its tasks and their timers. Its driver for time must be on, or whatever has to wait
    /// there panics. A single task that never waits can stop all timers of
    /// that runtime, and with them the time limits and the log lines about it. In an app, handlers have a runtime of
    /// their own.
    pub fn new(runtime: Handle) -> Self {
        Self::with_kinds(Runtimes::one(runtime), Kinds::new(), Settings::default(), Clocks::of_system())
    }

    pub(crate) fn with_kinds(runtimes: Runtimes, kinds: Kinds, settings: Settings, clocks: Clocks) -> Self {
        let engine = Engine::new(runtimes, kinds, settings, clocks);
        Self { engine, schedules: Arc::default() }
    }

    /// Starts a task of the kind `task`, a [`TaskKey`](crate::TaskKey) or a name. The app owns it.
    ///
    /// Returns at once; the task runs when the limits allow it. With a key, `input` has the key's input type, and the
    /// handle has its other types. With a name, `input` is anything that serializes to what the handler reads.
    ///
    /// Fails when no such kind is registered, `input` doesn't fit it, or its queue is full.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Error, Failure, TaskKey, TaskManager};
    ///
    /// const RESIZE: TaskKey<u32, Vec<String>, Failure> = TaskKey::new("resize");
    ///
    /// async fn resize(tasks: &TaskManager, width: u32) -> Result<Vec<String>, Failure> {
    ///     Ok(tasks.start(RESIZE, width)?.result().await?)
    /// }
    ///
    /// // The handle of a name has no types.
    /// async fn run(tasks: &TaskManager, task: &str, input: serde_json::Value) -> Result<String, Error> {
    ///     let outcome = tasks.start(task, input)?.outcome().await;
    ///     Ok(format!("{outcome:?}"))
    /// }
    /// ```
    pub fn start<K: TakesInput<In>, In: Serialize>(&self, task: K, input: In) -> Result<HandleOf<K>, Error> {
        self.start_with(task, input, StartOptions::new())
    }

    /// Like [`start`](Self::start), with options such as a priority, a key or a delay.
    ///
    /// Also fails with [`ErrorKind::InvalidOptions`](crate::ErrorKind::InvalidOptions) when a text or the list of tags
    /// is too long. With [`OnConflict::Refuse`](crate::OnConflict::Refuse) it fails with
    /// [`ErrorKind::KeyTaken`](crate::ErrorKind::KeyTaken) when a live task has the key. With
    /// [`OnConflict::Join`](crate::OnConflict::Join) it may return the handle of an existing task.
    pub fn start_with<K: TakesInput<In>, In: Serialize>(
        &self,
        task: K,
        input: In,
        options: StartOptions,
    ) -> Result<HandleOf<K>, Error> {
        let input = self.json_of(task.task_name(), "the input", &input)?;
        let start =
            Start { id: TaskId::new(), task: task.task_name(), input, owner: Owner::App, options, sees: &|_| true };
        self.engine.start(start).map(|follower| self.handle_of(follower))
    }

    /// Starts a batch: one task for each of `inputs` (the members), and one task that represents them all. The
    /// progress of the batch is the sum of its members' progress. Its output is the list of the members' outcomes in
    /// the order of the inputs, whether they completed or not, as in `Promise.allSettled`. Cancelling the batch cancels
    /// all members.
    ///
    /// The members are ordinary tasks with the batch as their parent. They wait and run within all limits, and
    /// [`BatchHandle::members`] returns their handles. The batch itself takes no slot.
    ///
    /// Fails, and starts nothing, when no such kind is registered, an input doesn't fit it, the queue has no room for
    /// all members, or there are more than 10,000.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{BatchOptions, Failure, TaskKey, TaskManager};
    ///
    /// const DOWNLOAD: TaskKey<String, u64, Failure> = TaskKey::new("download");
    ///
    /// async fn download_all(tasks: &TaskManager, urls: Vec<String>) -> Result<(), Failure> {
    ///     let batch = tasks.batch(DOWNLOAD, urls, BatchOptions::new().concurrency(4))?;
    ///     for result in batch.result().await? {
    ///         match result {
    ///             Ok(bytes) => println!("{bytes} bytes"),
    ///             Err(error) => println!("{error}"),
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn batch<K: TakesInput<In>, In: Serialize>(
        &self,
        task: K,
        inputs: impl IntoIterator<Item = In>,
        options: BatchOptions,
    ) -> Result<BatchOf<K>, Error> {
        let json_of = |input| self.json_of(task.task_name(), "an input", &input);
        let inputs = inputs.into_iter().map(json_of).collect::<Result<_, _>>()?;
        let start = StartBatch { id: TaskId::new(), task: task.task_name(), inputs, owner: Owner::App, options };
        self.engine.start_batch(start).map(|follower| BatchHandle::new(self.handle_of(follower)))
    }

    /// Starts a task of the kind `task` again that failed, timed out or was cancelled: as a new task with the same input
    /// and options, whose attempts count from 1. The app owns it. [`TaskHandle::rerun`] does the same for a task whose
    /// kind is not known.
    ///
    /// Fails when there is no such task, it is of another kind, it has not ended, it has completed, or it is a batch
    /// (rerun its members). Also fails as [`start_with`](Self::start_with) does.
    pub fn rerun<K: TaskName>(&self, task: K, id: TaskId) -> Result<HandleOf<K>, Error> {
        let handle = self.handle(id)?;
        handle.check_kind(task.task_name())?;
        handle.rerun().map(TaskHandle::cast)
    }

    /// Runs `work` once as a task named `name`. The name need not be that of a registered kind.
    ///
    /// Returns at once. The task continues if the handle is dropped. It counts towards the app's limit on running
    /// tasks. The start is never refused; after [`shut_down`](Self::shut_down) the task is cancelled right away.
    pub fn spawn<D, I, O, E, F, Fut>(&self, name: &str, work: F) -> TaskHandle<O, E, D, I>
    where
        D: 'static,
        I: 'static,
        O: Serialize,
        E: Serialize + 'static,
        F: FnOnce(TaskContext<D, I>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
    {
        let follower = self.engine.spawn(name, work);
        self.handle_of(follower)
    }

    /// Returns a handle to a task of the kind `task`, a [`TaskKey`](crate::TaskKey) or a name, that was started earlier
    /// or elsewhere.
    ///
    /// Fails with [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such task, it is of another kind,
    /// or it is a batch.
    pub fn attach<K: TaskName>(&self, task: K, id: TaskId) -> Result<HandleOf<K>, Error> {
        self.handle(id)?.typed(task)
    }

    /// Returns a handle to a batch of the kind `task` that was started earlier or elsewhere.
    ///
    /// Fails with [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such task, it is of another kind,
    /// or it is no batch.
    pub fn attach_batch<K: TaskName>(&self, task: K, id: TaskId) -> Result<BatchOf<K>, Error> {
        let handle = self.handle(id)?;
        handle.check_kind(task.task_name())?;
        handle.check_batch(true)?;
        Ok(BatchHandle::new(handle))
    }

    /// Returns a handle to any task that was started earlier or elsewhere, whatever its kind. The handle has no types.
    /// Fails when there is no such task.
    pub fn handle(&self, id: TaskId) -> Result<TaskHandle, Error> {
        self.find(id).map(|record| self.handle_of(Follower::new(&record)))
    }

    /// Returns the task as it is now. Fails when there is no such task.
    pub fn get(&self, id: TaskId) -> Result<TaskSnapshot, Error> {
        self.find(id).map(|record| record.snapshot())
    }

    /// Returns the tasks that match `filter`, oldest first: live ones, and ended ones that are still kept.
    pub fn list(&self, filter: &TaskFilter) -> Vec<TaskSnapshot> {
        snapshots(&self.engine.records(filter))
    }

    /// Follows a task from its current state to its end. Fails when there is no such task.
    pub fn watch(&self, id: TaskId) -> Result<TaskWatch, Error> {
        self.find(id).map(|record| TaskWatch::new(Follower::new(&record)))
    }

    /// Tells a task to stop, with the reason [`User`](CancelReason::User), and returns without waiting for its end.
    ///
    /// Cancelling it again changes nothing. Fails when there is no such task or it has ended.
    pub fn cancel(&self, id: TaskId) -> Result<(), Error> {
        let record = self.find(id)?;
        self.engine.cancel(&record, CancelReason::User)
    }

    /// Like [`cancel`](Self::cancel), with the app's own words for why. They are in the task's snapshots and its
    /// outcome: see [`CancelReason::Other`]. Words of more than 1 KiB are clipped.
    ///
    /// Also fails with [`ErrorKind::InvalidOptions`](crate::ErrorKind::InvalidOptions) when the words are those of a
    /// reason that only the engine gives, such as `shutdown`.
    ///
    /// A later version may have reasons that this one doesn't know, and then words that equal one of them are refused or
    /// mean that reason. Give a sentence rather than a single word such as `diskFull`.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{CancelReason, Failure, TaskContext, TaskError, TaskManager};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let tasks = TaskManager::new(tokio::runtime::Handle::current());
    /// let task = tasks.spawn("copy", async |_: TaskContext| std::future::pending::<Result<(), Failure>>().await);
    /// tasks.cancel_with(task.id(), "the disk is full").unwrap();
    /// let Err(TaskError::Cancelled { reason, .. }) = task.result().await else { panic!() };
    /// assert_eq!(reason.as_str(), "the disk is full");
    /// # }
    /// ```
    pub fn cancel_with(&self, id: TaskId, words: impl AsRef<str>) -> Result<(), Error> {
        let record = self.find(id)?;
        self.engine.cancel(&record, CancelReason::of_caller(words.as_ref())?)
    }

    /// Tells all tasks that match `filter` to stop, with the reason [`User`](CancelReason::User). Returns how many had
    /// not ended.
    pub fn cancel_all(&self, filter: &TaskFilter) -> usize {
        self.engine.cancel_all(self.engine.records(filter), CancelReason::User)
    }

    /// Like [`cancel_all`](Self::cancel_all), with the app's own words for why, as in
    /// [`cancel_with`](Self::cancel_with). Fails, and cancels nothing, when the words are those of a reason that only
    /// the engine gives.
    pub fn cancel_all_with(&self, filter: &TaskFilter, words: impl AsRef<str>) -> Result<usize, Error> {
        let reason = CancelReason::of_caller(words.as_ref())?;
        Ok(self.engine.cancel_all(self.engine.records(filter), reason))
    }

    /// Keeps a queued task from running until it is [resumed](Self::resume). Pausing it again changes nothing.
    ///
    /// A task that runs, or whose turn has just come, can't be paused: that fails with
    /// [`ErrorKind::NotPausable`](crate::ErrorKind::NotPausable), as does a batch: pause its members. Also
    /// fails when there is no such task, it has ended, or the app is about to exit.
    pub fn pause(&self, id: TaskId) -> Result<(), Error> {
        let record = self.find(id)?;
        self.engine.pause(&record)
    }

    /// Lets a [paused](Self::pause) task, or one that was started as held, run when its turn comes. Does nothing to
    /// another queued task. Fails as [`pause`](Self::pause) does, but not at an exit.
    pub fn resume(&self, id: TaskId) -> Result<(), Error> {
        let record = self.find(id)?;
        self.engine.resume(&record)
    }

    /// Sets the priority of a waiting task. Tasks with a higher priority run first. Fails when there is no such task, or
    /// it is not waiting in its queue.
    pub fn set_priority(&self, id: TaskId, priority: i32) -> Result<(), Error> {
        let record = self.find(id)?;
        self.engine.set_priority(&record, priority)
    }

    /// Changes how many tasks may run at once; `None` means no limit.
    ///
    /// Lowering a limit stops no running task: no further task begins until enough of them have ended. Fails when no
    /// kind or group of this name is registered.
    pub fn set_limit(&self, of: LimitOf, limit: impl Into<Option<usize>>) -> Result<(), Error> {
        self.engine.set_limit(of, limit.into())
    }

    /// Returns how many tasks of each kind are in each status. The kinds are sorted by name. The last entry counts the
    /// tasks that were spawned without a kind.
    pub fn counts(&self) -> Vec<TaskCounts> {
        self.engine.counts()
    }

    /// Forgets an ended task and its outcome. For 10 minutes, an id that a caller chose can't be used for another task.
    ///
    /// Fails when there is no such task or it has not ended.
    pub fn remove(&self, id: TaskId) -> Result<(), Error> {
        let record = self.find(id)?;
        self.engine.remove(&record)
    }

    // The exit.

    /// Ends all tasks within `grace`, each as its kind says (`Task::on_exit`). From now on every valid start is refused
    /// with [`ErrorKind::ShuttingDown`](crate::ErrorKind::ShuttingDown), and schedules start nothing, including those
    /// that are added later. Returns the tasks that it waited for and that have not ended in time, oldest first. If there
    /// is no task to wait for, it returns at once.
    ///
    /// In an app the plugin calls this when the app is about to exit.
    ///
    /// Cancel safe: tasks that were already told to stop still do, but nobody waits for them.
    pub async fn shut_down(&self, grace: Duration) -> Vec<TaskSnapshot> {
        let left = shut_down(Arc::clone(&self.engine.transitions), grace).await;
        snapshots(&left)
    }

    /// Returns a guard that refuses new starts while it exists. The guard lists the tasks that have not ended, and
    /// those that would be lost if the process ended now: see [`ExitGuard`].
    pub fn guard(&self) -> ExitGuard {
        ExitGuard::new(&self.engine, &self.schedules)
    }

    /// Returns the names of the registered kinds, sorted.
    pub fn task_names(&self) -> Vec<&str> {
        self.engine.task_names()
    }

    /// Serializes an input of the kind `task`.
    fn json_of(&self, task: &str, what: &'static str, input: &impl Serialize) -> Result<Json, Error> {
        Json::new(input).map_err(|problem| self.engine.of_input(task, Error::unserializable(what, &problem)))
    }

    fn find(&self, id: TaskId) -> Result<Arc<Record>, Error> {
        self.engine.find(id).ok_or_else(|| Error::not_found(id))
    }

    fn handle_of<O, E, D, I>(&self, follower: Follower) -> TaskHandle<O, E, D, I> {
        TaskHandle::new(&self.engine, &self.schedules, follower)
    }
}

impl fmt::Debug for TaskManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskManager").field("registered", &self.task_names()).finish_non_exhaustive()
    }
}
