mod schedules;

use std::{fmt, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::runtime::Handle;

use crate::{
    clock::{WallClock, unix_millis},
    context::TaskContext,
    error::Error,
    handle::{TaskHandle, watch::TaskWatch},
    json::Json,
    leave::{guard::ExitGuard, shut_down::shut_down},
    options::{BatchOptions, StartOptions},
    queue::limit::LimitOf,
    record::{Record, follower::Follower},
    run::{
        engine::{Engine, Kinds, Settings},
        start::{Start, StartBatch},
    },
    schedule::schedules::Schedules,
    task::{counts::TaskCounts, event::TaskSnapshot, id::TaskId, outcome::CancelReason, owner::Owner},
    watch::filter::TaskFilter,
};

/// Starts tasks and knows all of them. In an app, `app.tasks()` is its manager.
///
/// Calls in Rust see and control every task, whoever owns it; pages go through the commands, with their
/// permissions. Clones are cheap and stand for the same manager.
///
/// In a test, or where there is no app, make one with [`TaskManager::new`]:
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
/// assert_eq!(task.outcome().await.output::<u32>(), Some(42));
/// # }
/// ```
#[derive(Clone)]
pub struct TaskManager {
    pub(crate) engine: Arc<Engine>,
    pub(crate) schedules: Arc<Schedules>,
}

impl TaskManager {
    /// A manager with no registered kinds, that runs its tasks on `runtime`.
    pub fn new(runtime: Handle) -> Self {
        Self::with_kinds(runtime, Kinds::new(), Settings::default(), unix_millis)
    }

    pub(crate) fn with_kinds(
        runtime: Handle,
        kinds: Kinds,
        settings: Settings,
        clock: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        let engine = Engine::new(runtime, kinds, settings, WallClock::new(clock));
        Self { engine, schedules: Arc::default() }
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
    /// Fails with [`ErrorKind::KeyTaken`](crate::ErrorKind::KeyTaken) too, if the options say so. With [`OnConflict::Join`](crate::OnConflict::Join)
    /// the handle may be that of a task that was there already.
    pub fn start_with(&self, task: &str, input: impl Serialize, options: StartOptions) -> Result<TaskHandle, Error> {
        let input = Json::new(&input).map_err(|problem| Error::unserializable("the input", &problem))?;
        let start = Start { id: TaskId::new(), task, input, owner: Owner::App, options, sees: &|_| true };
        self.engine.start(start).map(|follower| self.handle_of(follower))
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
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
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
        self.engine.start_batch(start).map(|follower| self.handle_of(follower))
    }

    /// Starts a task that failed, timed out or was cancelled once more: a new task with the same input and options, for
    /// the app itself.
    ///
    /// Fails when there is no such task, when it has not ended or has completed, when it was spawned or is a batch (try its
    /// members), and as [`start_with`](Self::start_with) does.
    pub fn retry(&self, id: TaskId) -> Result<TaskHandle, Error> {
        let record = self.find(id)?;
        let follower = self.engine.retry(&record, TaskId::new(), Owner::App, &|_| true)?;
        Ok(self.handle_of(follower))
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
        let follower = self.engine.spawn(name, work);
        self.handle_of(follower)
    }

    /// A handle for a task that was started earlier or elsewhere.
    pub fn handle(&self, id: TaskId) -> Result<TaskHandle, Error> {
        self.find(id).map(|record| self.handle_of(Follower::new(&record)))
    }

    /// The task as it stands now.
    pub fn get(&self, id: TaskId) -> Result<TaskSnapshot, Error> {
        self.find(id).map(|record| record.snapshot())
    }

    /// The tasks that match, oldest first: those that live, and the ended ones that are still kept.
    pub fn list(&self, filter: &TaskFilter) -> Vec<TaskSnapshot> {
        self.engine.records(filter).iter().map(|record| record.snapshot()).collect()
    }

    /// Follows a task from where it stands now to its end.
    pub fn watch(&self, id: TaskId) -> Result<TaskWatch, Error> {
        self.find(id).map(|record| TaskWatch::new(&record))
    }

    /// Tells a task to stop, and returns without waiting until it has.
    ///
    /// To tell a task again changes nothing. Fails when there is no such task or it has ended.
    pub fn cancel(&self, id: TaskId, reason: CancelReason) -> Result<(), Error> {
        let record = self.find(id)?;
        self.engine.cancel(&record, reason)
    }

    /// Tells all tasks that match to stop, and answers how many had not ended.
    pub fn cancel_all(&self, filter: &TaskFilter, reason: CancelReason) -> usize {
        self.engine.cancel_all(self.engine.records(filter), reason)
    }

    /// Keeps a waiting task from running until it is [released](Self::release). To hold it again changes nothing.
    ///
    /// Fails when there is no such task, it does not wait in its queue, or the app is about to exit.
    pub fn hold(&self, id: TaskId) -> Result<(), Error> {
        let record = self.find(id)?;
        self.engine.hold(&record)
    }

    /// Lets a task that was [held](Self::hold) have its turn again. Fails when there is no such task, or it does not wait in its
    /// queue.
    pub fn release(&self, id: TaskId) -> Result<(), Error> {
        let record = self.find(id)?;
        self.engine.release(&record)
    }

    /// Gives a waiting task another priority; higher runs earlier. Fails as [`release`](Self::release) does.
    pub fn set_priority(&self, id: TaskId, priority: i32) -> Result<(), Error> {
        let record = self.find(id)?;
        self.engine.set_priority(&record, priority)
    }

    /// Changes how many tasks may run at once; `None` for no limit.
    ///
    /// A lower limit stops nobody: nothing more begins until enough have ended. Fails when no kind or group of this name is
    /// registered.
    pub fn set_limit(&self, of: LimitOf, limit: impl Into<Option<usize>>) -> Result<(), Error> {
        self.engine.set_limit(of, limit.into())
    }

    /// How many tasks of each kind stand where, by name; the last entry counts all that were spawned without a kind.
    pub fn counts(&self) -> Vec<TaskCounts> {
        self.engine.counts()
    }

    /// Forgets an ended task and its outcome. Its id can't be used again.
    ///
    /// Fails when there is no such task or it has not ended.
    pub fn remove(&self, id: TaskId) -> Result<(), Error> {
        let record = self.find(id)?;
        self.engine.remove(&record)
    }

    // The way out.

    /// Ends all tasks as their kinds say (`Task::on_exit`), within `grace`, and refuses new ones with
    /// [`ErrorKind::ShuttingDown`](crate::ErrorKind::ShuttingDown) from now on. Answers what was waited for and had not ended when the time was over.
    ///
    /// In an app the plugin does this when the app is about to exit. With nothing to wait for it answers at once.
    ///
    /// Cancel safe: what was told to stop stops, but nobody waits for it.
    pub async fn shut_down(&self, grace: Duration) -> Vec<TaskSnapshot> {
        let left = shut_down(Arc::clone(&self.engine.transitions), grace).await;
        left.iter().map(|record| record.snapshot()).collect()
    }

    /// Holds off new starts, and tells what runs and what would be lost if the process ended now: see [`ExitGuard`].
    pub fn guard(&self) -> ExitGuard {
        ExitGuard::new(&self.engine, &self.schedules)
    }

    /// The names of the registered kinds, sorted.
    pub fn task_names(&self) -> Vec<&str> {
        self.engine.task_names()
    }

    fn find(&self, id: TaskId) -> Result<Arc<Record>, Error> {
        self.engine.find(id).ok_or_else(|| Error::not_found(id))
    }

    fn handle_of(&self, follower: Follower) -> TaskHandle {
        TaskHandle::new(&self.engine, follower)
    }
}

impl fmt::Debug for TaskManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskManager").field("registered", &self.task_names()).finish_non_exhaustive()
    }
}
