//! How callers follow and control one task and read its items.

pub(crate) mod batch;
pub(crate) mod items;
pub(crate) mod watch;

use std::{fmt, marker::PhantomData, sync::Arc};

use serde::de::DeserializeOwned;

use crate::{
    error::{Error, refusal::Refusal},
    items::item_type::Bytes,
    json::Json,
    record::follower::Follower,
    run::engine::Engine,
    schedule::schedules::Schedules,
    task::{
        cancel_reason::CancelReason, event::TaskSnapshot, id::TaskId, outcome::Outcome, owner::Owner,
        status::TaskStatus, task_error::TaskError,
    },
    task_name::TaskName,
};
use items::{TaskBytes, TaskItems};
use watch::TaskWatch;

/// A handle to one task. `O`, `E`, `D` and `I` are the types of its output, its error, its progress detail and its
/// items: they come from the [`TaskKey`](crate::TaskKey) that it was made with. A plain `TaskHandle` knows no types and
/// reads everything as [`Json`].
///
/// Dropping it does not affect the task. A handle is also a claim to report the task's failure. If it is dropped before
/// [`outcome`](Self::outcome) has returned the failure, and nobody else follows the task, the engine logs the failure.
/// Clones are handles to the same task.
pub struct TaskHandle<O = Json, E = Json, D = Json, I = Json> {
    engine: Arc<Engine>,
    /// Keeps the schedules running for as long as a handle exists.
    schedules: Arc<Schedules>,
    follower: Follower,
    types: Types<O, E, D, I>,
}

type Types<O, E, D, I> = PhantomData<fn() -> (O, E, D, I)>;

/// The [`TaskHandle`] with the types of the key `K`; if `K` is the type of a name, the one without types.
pub type HandleOf<K> =
    TaskHandle<<K as TaskName>::Output, <K as TaskName>::Error, <K as TaskName>::Detail, <K as TaskName>::Item>;

impl<O, E, D, I> TaskHandle<O, E, D, I> {
    pub(crate) fn new(engine: &Arc<Engine>, schedules: &Arc<Schedules>, follower: Follower) -> Self {
        Self { engine: Arc::clone(engine), schedules: Arc::clone(schedules), follower, types: PhantomData }
    }

    /// Returns this handle with the types of `task`, for a handle that was found by its id.
    ///
    /// Fails with [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the task is of another kind, or is a batch:
    /// [`TaskManager::attach_batch`](crate::TaskManager::attach_batch) returns the handle of a batch.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskKey, TaskManager};
    ///
    /// const SYNC: TaskKey<(), u32, Failure> = TaskKey::new("sync");
    ///
    /// async fn sync_now(tasks: &TaskManager) -> Result<u32, Failure> {
    ///     let run = tasks.trigger("every-night")?.typed(SYNC)?;
    ///     Ok(run.result().await?)
    /// }
    /// ```
    pub fn typed<K: TaskName>(self, task: K) -> Result<HandleOf<K>, Error> {
        self.check_kind(task.task_name())?;
        self.check_batch(false)?;
        Ok(self.cast())
    }

    /// Returns this handle without its types, to keep handles of several kinds together.
    pub fn untyped(self) -> TaskHandle {
        self.cast()
    }

    pub(crate) fn cast<O2, E2, D2, I2>(self) -> TaskHandle<O2, E2, D2, I2> {
        let Self { engine, schedules, follower, .. } = self;
        TaskHandle { engine, schedules, follower, types: PhantomData }
    }

    /// Fails unless the task is of the kind `name`.
    pub(crate) fn check_kind(&self, name: &str) -> Result<(), Error> {
        let record = self.follower.record();
        if record.name() == name {
            return Ok(());
        }
        let (id, kind) = (record.id.to_string(), record.name().to_owned());
        Err(Refusal::OtherKind { id, kind, wanted: name.to_owned() }.into())
    }

    /// Fails unless the task is a batch, if `batch` is true, or is none, if it is false.
    pub(crate) fn check_batch(&self, batch: bool) -> Result<(), Error> {
        let record = self.follower.record();
        let id = record.id.to_string();
        match (record.members.is_some(), batch) {
            (true, false) => Err(Refusal::IsBatch { id }.into()),
            (false, true) => Err(Refusal::IsNoBatch { id }.into()),
            _ => Ok(()),
        }
    }

    /// Returns the task's id.
    pub fn id(&self) -> TaskId {
        self.follower.record().id
    }

    /// Returns the task's current status.
    pub fn status(&self) -> TaskStatus {
        self.follower.record().status()
    }

    /// Returns everything that is known about the task now.
    pub fn snapshot(&self) -> TaskSnapshot {
        self.follower.record().snapshot()
    }

    /// Tells the task to stop, with [`CancelReason::User`], and returns without waiting for its end.
    ///
    /// Cancelling it again changes nothing. Fails when the task has ended.
    pub fn cancel(&self) -> Result<(), Error> {
        self.engine.cancel(self.follower.record(), CancelReason::User)
    }

    /// Like [`cancel`](Self::cancel), with the app's own words for why: see
    /// [`TaskManager::cancel_with`](crate::TaskManager::cancel_with).
    pub fn cancel_with(&self, words: impl AsRef<str>) -> Result<(), Error> {
        self.engine.cancel(self.follower.record(), CancelReason::of_caller(words.as_ref())?)
    }

    /// Keeps a queued task from running until it is [resumed](Self::resume). Pausing it again changes nothing.
    ///
    /// A task that runs, or whose turn has just come, can't be paused: that fails with
    /// [`ErrorKind::NotPausable`](crate::ErrorKind::NotPausable), as does a batch: pause its members. Also
    /// fails when the task has ended, or the app is about to exit.
    pub fn pause(&self) -> Result<(), Error> {
        self.engine.pause(self.follower.record())
    }

    /// Lets a [paused](Self::pause) task, or one that was started as held, run when its turn comes. Does nothing to
    /// another queued task. Fails as [`pause`](Self::pause) does, but not at an exit.
    pub fn resume(&self) -> Result<(), Error> {
        self.engine.resume(self.follower.record())
    }

    /// Sets the task's priority. Tasks with a higher priority run first. Fails when the task is not waiting in its
    /// queue.
    pub fn set_priority(&self, priority: i32) -> Result<(), Error> {
        self.engine.set_priority(self.follower.record(), priority)
    }

    /// Starts the task again if it failed, timed out or was cancelled: as a new task with the same input and options,
    /// whose attempts count from 1. The app owns it.
    ///
    /// Fails when the task has not ended, has completed, was started with [`spawn`](crate::TaskManager::spawn), or is a
    /// batch (rerun its members). Also fails as [`start_with`](crate::TaskManager::start_with) does.
    pub fn rerun(&self) -> Result<Self, Error> {
        let follower = self.engine.rerun(None, self.follower.record(), TaskId::new(), Owner::App, &|_| true)?;
        Ok(Self::new(&self.engine, &self.schedules, follower))
    }

    /// Follows the task from its current state to its end.
    pub fn watch(&self) -> TaskWatch<D> {
        TaskWatch::new(self.follower.clone())
    }

    /// Waits until the task has ended, and returns its outcome. You can call it more than once. Cancel safe.
    ///
    /// # In a handler
    ///
    /// A handler may await a task that it has started, even in a limit that both share. While it awaits the end, the items,
    /// the members or the changes of such a task, it lends its slots, and its snapshots show
    /// [for which tasks](TaskSnapshot::waits_for). What it awaits returns when it has its slots back. It gets them in its
    /// old place: before tasks of the same priority that were started later.
    ///
    /// If a `select!` or a `timeout` gives up the wait, the handler runs on to its next `.await`, and isn't polled any
    /// further before it has its slots back. Until then it can cancel the task: if that holds the slot and never ends
    /// by itself, the handler would wait for it for ever, which the log says after 10 seconds. A handler that was told to
    /// stop goes on without its slots. Its time limits go on as well, except `stall_timeout`.
    ///
    /// A handler has started a task if its own future, or its work in
    /// [`spawn_blocking`](crate::TaskContext::spawn_blocking), has called [`start`](crate::TaskManager::start),
    /// [`spawn`](crate::TaskManager::spawn), [`batch`](crate::TaskManager::batch),
    /// [`trigger`](crate::TaskManager::trigger) or [`rerun`](Self::rerun), in whatever attempt. An existing task that such
    /// a call has returned counts as well, if it is awaited with that handle: one that was
    /// [joined](crate::OnConflict::Join), or the earlier run of a schedule. Only what is awaited in the handler's own
    /// future lends slots. A wait elsewhere, as in a tokio task or on a thread, or for a task that others have started,
    /// keeps them. If that keeps the awaited task from running, the log says so after 10 seconds, with the limit and once
    /// for each handler. Where it can't be seen who awaits the task, it says so if the handler that has started it has done
    /// nothing meanwhile.
    ///
    /// Tasks that wait for each other never end. If their handlers await each other and have done nothing else for 10
    /// seconds, the log names them. A handler that awaits the end of its own task is named at once.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskContext, TaskManager};
    ///
    /// // Completes even if only one task of the app may run at once.
    /// async fn build(tasks: TaskManager, _: TaskContext) -> Result<u32, Failure> {
    ///     let part = tasks.spawn("part", async |_: TaskContext| Ok::<_, Failure>(7));
    ///     Ok(part.result().await?)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let tasks = TaskManager::new(tokio::runtime::Handle::current());
    /// tasks.set_limit(tauri_plugin_tasks::LimitOf::App, 1).unwrap();
    /// let inner = tasks.clone();
    /// let task = tasks.spawn("build", |ctx: TaskContext| build(inner, ctx));
    /// assert_eq!(task.result().await, Ok(7));
    /// # }
    /// ```
    pub async fn outcome(&self) -> Outcome {
        let outcome = self.follower.awaits_the_end(self.follower.record().ended()).await;
        self.follower.knows_the_end();
        outcome
    }
}

impl<O: DeserializeOwned, E: DeserializeOwned, D, I> TaskHandle<O, E, D, I> {
    /// Waits until the task has ended, and returns its output, or how it ended otherwise. You can call it more than
    /// once. Cancel safe. A handler that awaits it may [lend its slots](Self::outcome).
    pub async fn result(&self) -> Result<O, TaskError<E>> {
        self.outcome().await.into_result()
    }
}

impl<O, E, D, I: DeserializeOwned> TaskHandle<O, E, D, I> {
    /// Reads the items that the task emits with [`TaskContext::emit`](crate::TaskContext::emit), from the oldest unread
    /// one. Without types, each item is a [`Json`], which [`Json::read`] reads.
    pub fn items(&self) -> TaskItems<I> {
        TaskItems::new(&self.follower)
    }
}

impl<O, E, D> TaskHandle<O, E, D, Bytes> {
    /// Reads the bytes that the task emits with [`TaskContext::emit_bytes`](crate::TaskContext::emit_bytes), from the
    /// oldest unread one.
    pub fn bytes(&self) -> TaskBytes {
        TaskBytes::new(&self.follower)
    }
}

impl<O, E, D> TaskHandle<O, E, D, Json> {
    /// Reads the bytes that the task emits with [`TaskContext::emit_bytes`](crate::TaskContext::emit_bytes), from the
    /// oldest unread one. Use it only for a kind that emits bytes.
    pub fn bytes(&self) -> TaskBytes {
        TaskBytes::new(&self.follower)
    }
}

impl<O, E, D, I> Clone for TaskHandle<O, E, D, I> {
    fn clone(&self) -> Self {
        Self::new(&self.engine, &self.schedules, self.follower.clone())
    }
}

impl<O, E, D, I> fmt::Debug for TaskHandle<O, E, D, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle").field("id", &self.id()).field("status", &self.status()).finish_non_exhaustive()
    }
}
