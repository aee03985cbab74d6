use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use tauri::{AppHandle, Runtime};

use crate::{Handler, OnExit, OnOwnerClosed, Restart, Retry, Unread};
use tauri_plugin_tasks_engine::delivery::{Bounds, Errors, Kind, Policy};

/// A registered kind of work: a name, a handler, and how its tasks are treated.
///
/// Hand it to [`Builder::task`](crate::Builder::task).
///
/// ```
/// use std::time::Duration;
/// use tauri_plugin_tasks::{Builder, Failure, Retry, Task, TaskContext};
///
/// async fn export(_ctx: TaskContext, path: String) -> Result<(), Failure> {
///     tokio::fs::write(path, "…").await?;
///     Ok(())
/// }
///
/// fn tasks<R: tauri::Runtime>() -> Builder<R> {
///     Builder::new().task(
///         Task::new("export", export)
///             .concurrency(2)
///             .timeout(Duration::from_secs(10 * 60))
///             .retry(Retry::exponential(3)),
///     )
/// }
/// ```
///
/// # What holds if nothing is said
///
/// No limit on how many run or wait, no time limit, one attempt, 5 seconds of grace after a cancel, and a buffer of 65,536
/// items or 8 MiB, whose oldest items make room when nobody reads.
#[must_use = "a task is registered with `Builder::task`"]
pub struct Task<H, R, Form>
where
    R: Runtime,
    Form: 'static,
    H: Handler<R, Form>,
{
    pub(crate) name: String,
    handler: H,
    policy: Policy,
    errors: Errors<H::Error>,
    types: PhantomData<fn(R) -> Form>,
}

impl<R: Runtime, Form: 'static, H: Handler<R, Form>> Task<H, R, Form> {
    /// A kind of work that is started under `name`. See [`Handler`] for what `handler` can be.
    ///
    /// The name is what pages start and what scope entries match; it must not be empty and not be taken.
    pub fn new(name: impl Into<String>, handler: H) -> Self {
        Self { name: name.into(), handler, policy: Policy::default(), errors: Errors::default(), types: PhantomData }
    }

    // Who runs when.

    /// How many of this kind may run at once; the others wait in its queue.
    /// [`TaskManager::set_limit`](crate::TaskManager::set_limit) changes it while the app runs. 0 holds all of them.
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.policy.concurrency = Some(limit);
        self
    }

    /// How many of this kind may wait, whether in line, held, for their delay or for another task with their key. One more
    /// is refused with [`ErrorKind::QueueFull`](crate::ErrorKind::QueueFull). 0 runs a task at once or refuses it. Attempts
    /// that are made again are never refused.
    pub fn queue_limit(mut self, limit: usize) -> Self {
        self.policy.queue_limit = Some(limit);
        self
    }

    /// Puts the kind into a group, whose limit its kinds share: see [`Builder::group`](crate::Builder::group).
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.policy.group = Some(group.into().into());
        self
    }

    /// How long a task waits before it may have its turn, if its start doesn't say; it is `queued` meanwhile.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.policy.delay = Some(delay);
        self
    }

    // How long it may take. Each ends the task as `timedOut`, and says which limit it was.

    /// How long a task may take from the beginning of its first attempt, with all waits between attempts.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = Some(timeout);
        self
    }

    /// How long one attempt may take. A task that reaches it is not tried again.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.policy.attempt_timeout = Some(timeout);
        self
    }

    /// How long an attempt may go without any report of progress before it counts as stalled. This is noticed with a delay
    /// of up to an eighth of it.
    pub fn stall_timeout(mut self, timeout: Duration) -> Self {
        self.policy.stall_timeout = Some(timeout);
        self
    }

    /// How long a task may take from the moment it was accepted, with the time it waits in its queue.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.policy.deadline = Some(deadline);
        self
    }

    // What follows a failure or a cancel.

    /// Makes a failed attempt again, as `retry` says. An attempt that panicked, or was stopped by a cancel or a time limit,
    /// is not.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.policy.retry = Some(retry);
        self
    }

    /// Makes only those attempts again whose error passes this test. It needs [`retry`](Self::retry) to say how often.
    ///
    /// ```
    /// use serde::Serialize;
    /// use tauri_plugin_tasks::{Retry, Task, TaskContext};
    ///
    /// #[derive(Serialize)]
    /// enum SyncError {
    ///     Offline,
    ///     WrongPassword,
    /// }
    ///
    /// async fn sync(_ctx: TaskContext, (): ()) -> Result<(), SyncError> {
    ///     Err(SyncError::Offline)
    /// }
    ///
    /// # fn tasks<R: tauri::Runtime>() -> tauri_plugin_tasks::Builder<R> { tauri_plugin_tasks::Builder::new()
    /// # .task(
    /// Task::new("sync", sync)
    ///     .retry(Retry::exponential(5))
    ///     .retry_if(|error| matches!(error, SyncError::Offline))
    /// # ) }
    /// # impl specta::Type for SyncError { fn definition(types: &mut specta::Types) -> specta::datatype::DataType { String::definition(types) } }
    /// ```
    pub fn retry_if(mut self, test: impl Fn(&H::Error) -> bool + Send + Sync + 'static) -> Self {
        self.errors.retry_if = Some(Arc::new(test));
        self
    }

    /// Runs it again when a run is over: see [`Restart`]. For work that is meant to go on as long as the app, such as what
    /// [`Builder::service`](crate::Builder::service) starts. [`retry`](Self::retry) and [`retry_if`](Self::retry_if) say nothing
    /// then. A run that is stopped by a cancel or a time limit is the last one.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.policy.restart = Some(restart);
        self
    }

    /// What becomes of its tasks when the app is about to exit. [`OnExit::Cancel`] if nothing is said.
    pub fn on_exit(mut self, on_exit: OnExit) -> Self {
        self.policy.on_exit = on_exit;
        self
    }

    /// What becomes of its tasks when the page that has started them goes. [`OnOwnerClosed::GoOn`] if nothing is said.
    pub fn on_owner_closed(mut self, on_owner_closed: OnOwnerClosed) -> Self {
        self.policy.on_owner_closed = on_owner_closed;
        self
    }

    /// How long a handler that looks at its cancellation token may go on after a cancel before it is dropped, and how long
    /// clean-up may take: see [`TaskContext::on_cancel`](crate::TaskContext::on_cancel). 5 seconds if nothing is said.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.policy.grace = grace;
        self
    }

    // What becomes of what it emits.

    /// How much of what a task emits is kept until it is read: items, and bytes (of items as JSON). A handler that emits into a
    /// full buffer waits: see [`TaskContext::emit`](crate::TaskContext::emit). 65,536 items and 8 MiB if nothing is said.
    pub fn item_buffer(mut self, items: usize, bytes: usize) -> Self {
        self.policy.item_buffer = Bounds { items, bytes };
        self
    }

    /// What happens when a handler emits and nobody reads. [`Unread::DropOldest`] if nothing is said.
    pub fn unread(mut self, unread: Unread) -> Self {
        self.policy.unread = unread;
        self
    }

    // What others see.

    /// Lets snapshots show the input. Without it nobody sees what a task was started with.
    pub fn show_input(mut self) -> Self {
        self.policy.show_input = true;
        self
    }

    /// Says in snapshots and messages what went wrong as the error's [`Display`](fmt::Display) does.
    ///
    /// Without it the words come from the error's JSON: its text if it is a string, its field `message` if it
    /// has one, and else the JSON itself.
    pub fn display_errors(mut self) -> Self
    where
        H::Error: fmt::Display,
    {
        self.errors.describe = Some(ToString::to_string);
        self
    }

    /// Leaves the types behind.
    pub(crate) fn into_kind(self, app: &AppHandle<R>) -> Kind {
        let Self { name, handler, policy, errors, .. } = self;
        let app = app.clone();
        Kind::new(&name, policy, errors, move |context, input| handler.call(&app, context, input))
    }
}

impl<R: Runtime, Form: 'static, H: Handler<R, Form>> fmt::Debug for Task<H, R, Form> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("name", &self.name).field("policy", &self.policy).finish_non_exhaustive()
    }
}
