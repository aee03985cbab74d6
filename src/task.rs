use std::{any::TypeId, fmt, marker::PhantomData, sync::Arc, time::Duration};

use tauri::{AppHandle, Runtime};

use crate::{BatchProgress, Bytes, FitsHandler, Handler, Never, OnExit, OnOwnerClosed, Restart, Retry, Unread};
use tauri_plugin_tasks_engine::delivery::{Bounds, Emits, Errors, HandlerTraits, Kind, Policy};

/// A kind of task: a name, a handler, and rules for its tasks.
///
/// Register it with [`Builder::task`](crate::Builder::task).
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
///             .retry(Retry::attempts(3)),
///     )
/// }
/// ```
///
/// # Defaults
///
/// Any number of tasks may run and wait. A task has no time limit and one attempt. The grace period after a cancel is 5
/// seconds. The item buffer holds 65,536 items or 8 MiB, and drops its oldest items when nobody reads.
///
/// # Mistakes
///
/// The app does not start if a kind has settings that can't be meant, and the error says which: a time limit of zero or one
/// that another always reaches first, a delay that outlasts the deadline, [`retry_if`](Self::retry_if) without
/// [`retry`](Self::retry), either of them with [`restart`](Self::restart), no attempts, a backoff that shrinks, an item
/// buffer without room, and settings for items of a handler that emits none.
#[must_use = "register the kind with `Builder::task`"]
pub struct Task<H, R, Form>
where
    R: Runtime,
    Form: 'static,
    H: Handler<R, Form>,
{
    pub(crate) name: String,
    pub(crate) handler: H,
    pub(crate) policy: Policy,
    pub(crate) errors: Errors<H::Error>,
    types: PhantomData<fn(R) -> Form>,
}

impl<R: Runtime, Form: 'static, H: Handler<R, Form>> Task<H, R, Form> {
    /// Creates a kind named `task` whose tasks run `handler`. See [`Handler`] for what `handler` can be.
    ///
    /// `task` is a [`TaskKey`](crate::TaskKey) or a name. A key whose types are not the handler's doesn't compile. Pages
    /// start tasks by the name, and scope entries match it. It must not be empty or registered already.
    ///
    /// ```
    /// use tauri_plugin_tasks::{Failure, Task, TaskContext, TaskKey};
    ///
    /// const EXPORT: TaskKey<String, (), Failure> = TaskKey::new("export");
    ///
    /// async fn export(_ctx: TaskContext, path: String) -> Result<(), Failure> {
    ///     tokio::fs::write(path, "…").await?;
    ///     Ok(())
    /// }
    ///
    /// fn tasks<R: tauri::Runtime>() -> tauri_plugin_tasks::Builder<R> {
    ///     tauri_plugin_tasks::Builder::new().task(Task::new(EXPORT, export))
    /// }
    /// ```
    ///
    /// This handler takes a `u32`, so the key doesn't fit it:
    ///
    /// ```compile_fail,E0631
    /// use tauri_plugin_tasks::{Failure, Task, TaskContext, TaskKey};
    ///
    /// const EXPORT: TaskKey<String, (), Failure> = TaskKey::new("export");
    ///
    /// async fn export(_ctx: TaskContext, width: u32) -> Result<(), Failure> {
    ///     Ok(())
    /// }
    ///
    /// fn tasks<R: tauri::Runtime>() -> tauri_plugin_tasks::Builder<R> {
    ///     tauri_plugin_tasks::Builder::new().task(Task::new(EXPORT, export))
    /// }
    /// ```
    pub fn new(task: impl FitsHandler<H::Input, H::Output, H::Error, H::Detail, H::Item>, handler: H) -> Self {
        let name = task.task_name().to_owned();
        Self { name, handler, policy: Policy::default(), errors: Errors::default(), types: PhantomData }
    }

    // Queue.

    /// Limits how many tasks of this kind may run at once. The others wait in its queue. With 0, none runs. A task
    /// whose handler awaits another task that it has started doesn't count: see
    /// [`TaskHandle::outcome`](crate::TaskHandle::outcome).
    /// [`TaskManager::set_limit`](crate::TaskManager::set_limit) changes it while the app runs.
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.policy.concurrency = Some(limit);
        self
    }

    /// Limits how many tasks of this kind may wait: for a slot, to be resumed, for the end of their delay, or for
    /// another task with the same key. A start over the limit fails with
    /// [`ErrorKind::QueueFull`](crate::ErrorKind::QueueFull). With 0, a task runs at once or is refused. The limit
    /// never refuses a further attempt of a task.
    pub fn queue_limit(mut self, limit: usize) -> Self {
        self.policy.queue_limit = Some(limit);
        self
    }

    /// Puts the kind into a group, whose limit its kinds share: see [`Builder::group`](crate::Builder::group). Without one,
    /// the group has no limit until [`TaskManager::set_limit`](crate::TaskManager::set_limit) sets it.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.policy.group = Some(group.into().into());
        self
    }

    /// Sets how long a task waits before it may run, unless its start sets a delay. It is `queued` meanwhile. The time
    /// in which the machine sleeps counts.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.policy.delay = Some(delay);
        self
    }

    // Time limits. Each ends the task as `timedOut` and says which limit it was.

    /// Limits how long a task may take from the start of its first attempt, including the waits between attempts. The
    /// time in which the machine sleeps doesn't count. It must not be zero, nor longer than the [`deadline`](Self::deadline).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = Some(timeout);
        self
    }

    /// Limits how long one attempt may take. A task that reaches the limit is not attempted again. The time in which the
    /// machine sleeps doesn't count. It must not be zero, nor longer than the [`timeout`](Self::timeout) or the
    /// [`deadline`](Self::deadline).
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.policy.attempt_timeout = Some(timeout);
        self
    }

    /// Limits how long an attempt may go without a sign of life: a report of progress, or an item. The time that it spends
    /// waiting in [`emit`](crate::TaskContext::emit), or in another method that emits, doesn't count, so a slow page ends no
    /// task. After the wait the time begins anew. The time in which the machine sleeps doesn't count either.
    ///
    /// A stall is detected up to an eighth of this time late. An emit that waits counts until it is dropped, or until it
    /// could go on and is not polled. So a future of `emit` that is leaked, as with [`std::mem::forget`], keeps the attempt
    /// from stalling until the reader asks for more.
    ///
    /// It must not be zero, nor longer than another time limit of the kind.
    pub fn stall_timeout(mut self, timeout: Duration) -> Self {
        self.policy.stall_timeout = Some(timeout);
        self
    }

    /// Limits how long a task may take from the moment its start is accepted, including its time in the queue and the
    /// time in which the machine sleeps. A deadline that passes during a sleep is noticed within 30 seconds after it. A task
    /// whose delay is longer than this always times out, so the [`delay`](Self::delay) of the kind must be shorter. It must
    /// not be zero.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.policy.deadline = Some(deadline);
        self
    }

    // After a failure, a cancel or an exit.

    /// Sets how failed attempts are retried. An attempt that panicked, that returned or emitted something that can't be
    /// sent, or that a cancel or a time limit stopped, is not retried.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.policy.retry = Some(retry);
        self
    }

    /// Retries an attempt only if `test` returns `true` for its error. [`retry`](Self::retry) must be set too: it says
    /// how often.
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
    ///     .retry(Retry::attempts(5))
    ///     .retry_if(|error| matches!(error, SyncError::Offline))
    /// # ) }
    /// ```
    pub fn retry_if(mut self, test: impl Fn(&H::Error) -> bool + Send + Sync + 'static) -> Self {
        self.errors.retry_if = Some(Arc::new(test));
        self
    }

    /// Attempts the task again each time its handler returns: see [`Restart`]. Use it for work that runs as long as the
    /// app, such as what [`Builder::service`](crate::Builder::service) starts. It takes the
    /// place of [`retry`](Self::retry) and [`retry_if`](Self::retry_if), which must not be set. An attempt that a cancel or a time limit stops is the last
    /// one.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.policy.restart = Some(restart);
        self
    }

    /// Sets what happens to tasks of this kind when the app exits. The default is [`OnExit::Cancel`].
    pub fn on_exit(mut self, on_exit: OnExit) -> Self {
        self.policy.on_exit = on_exit;
        self
    }

    /// Sets what happens to tasks of this kind when the page that started them closes, and nobody else has joined them. The
    /// default is [`OnOwnerClosed::GoOn`].
    pub fn on_owner_closed(mut self, on_owner_closed: OnOwnerClosed) -> Self {
        self.policy.on_owner_closed = on_owner_closed;
        self
    }

    /// Sets the grace period after a cancel. A handler that uses its cancellation token is dropped if it has not
    /// returned by then. Clean-up gets the rest of the period, or another one if the handler has used it up: see
    /// [`TaskContext::on_cancel`](crate::TaskContext::on_cancel). The default is 5 seconds. The time in which the machine
    /// sleeps doesn't count.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.policy.grace = grace;
        self
    }

    /// Sets how the progress of a [batch](crate::TaskManager::batch) of these tasks is added up. The default is
    /// [`BatchProgress::ByUnit`].
    ///
    /// ```
    /// use tauri_plugin_tasks::{BatchProgress, Builder, Failure, Task, TaskContext};
    ///
    /// async fn convert(_ctx: TaskContext, _file: String) -> Result<(), Failure> {
    ///     // …
    ///     Ok(())
    /// }
    ///
    /// fn tasks<R: tauri::Runtime>() -> Builder<R> {
    ///     // Each file takes about the same time, whatever its size.
    ///     Builder::new().task(Task::new("convert", convert).batch_progress(BatchProgress::ByMember))
    /// }
    /// ```
    pub fn batch_progress(mut self, batch_progress: BatchProgress) -> Self {
        self.policy.batch_progress = batch_progress;
        self
    }

    // Items.

    /// Limits how many `items` a task keeps until they are read, and how many `bytes` they take (for an item, the size
    /// of its JSON). A handler that emits into a full buffer waits: see
    /// [`TaskContext::emit`](crate::TaskContext::emit). The default is 65,536 items and 8 MiB. Neither may be 0, but `items`
    /// is ignored for bytes. The handler must emit something.
    pub fn item_buffer(mut self, items: usize, bytes: usize) -> Self {
        self.policy.item_buffer = Bounds { items, bytes };
        self
    }

    /// Sets what happens when nobody reads the items of a task. The default is [`Unread::DropOldest`]. Any other needs a
    /// handler that emits something.
    pub fn unread(mut self, unread: Unread) -> Self {
        self.policy.unread = unread;
        self
    }

    /// Gives up a reader that hasn't asked for `limit` although items were waiting. By default a reader may take any time: a
    /// handler that waits for it goes on waiting, and the log says so once after a minute.
    ///
    /// When the reader is given up, it is as if it had stopped by itself: [`unread`](Self::unread) says what happens,
    /// and another reader may come. If it asks after all, it is refused with
    /// [`ErrorKind::ReaderGone`](crate::ErrorKind::ReaderGone), in a page with `TaskReaderGoneError`, which says how much it
    /// has `missed` since then. A new reader goes on from there, and what it has `missed` includes the same items.
    ///
    /// A reader asks once per chunk (up to 4,096 items or 1 MiB), so choose well longer than your code needs for a chunk. A
    /// page that is hidden, stands at a breakpoint or shows an `alert` may not ask for minutes. The time is noticed up to an
    /// eighth of it late. It counts from the first attempt to the end of the task, also between attempts, and without the
    /// time in which the machine sleeps. A limit of less than a second counts as a second, but zero is
    /// refused. The handler must emit something.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext, Unread};
    ///
    /// async fn tail(ctx: TaskContext<(), String>, path: String) -> Result<(), Failure> {
    ///     for line in tokio::fs::read_to_string(path).await?.lines() {
    ///         ctx.emit(line.to_owned()).await;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// fn tasks<R: tauri::Runtime>() -> Builder<R> {
    ///     Builder::new().task(
    ///         Task::new("tail", tail).unread(Unread::Cancel).idle_reader(Duration::from_secs(10 * 60)),
    ///     )
    /// }
    /// ```
    pub fn idle_reader(mut self, limit: Duration) -> Self {
        self.policy.idle_reader = Some(limit);
        self
    }

    // Snapshots.

    /// Shows the input in snapshots. It is hidden by default. It stays hidden with [`secret_input`](Self::secret_input).
    pub fn show_input(mut self) -> Self {
        self.policy.show_input = true;
        self
    }

    /// Keeps the input to the handler, for one that holds a password or a token: it is in no snapshot, even with
    /// [`show_input`](Self::show_input), and in no span or line of the log. An input that doesn't fit its type, or can't be
    /// written as JSON, is refused as any other, but the error doesn't say which part of it doesn't fit, or why:
    /// serde puts values into its errors.
    ///
    /// What the handler itself does with the input is its own affair: what it reports, emits, logs and returns, errors and
    /// panics included, is shown. Whoever may start the kind knows the input. Tauri's feature `tracing` records whole calls
    /// at the level `TRACE`.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext};
    ///
    /// #[derive(Deserialize)]
    /// struct Login {
    ///     user: String,
    ///     password: String,
    /// }
    ///
    /// async fn login(_ctx: TaskContext, Login { user, password }: Login) -> Result<(), Failure> {
    ///     // …
    /// #   let _ = (user, password);
    ///     Ok(())
    /// }
    ///
    /// fn tasks<R: tauri::Runtime>() -> Builder<R> {
    ///     Builder::new().task(Task::new("login", login).secret_input())
    /// }
    /// ```
    pub fn secret_input(mut self) -> Self {
        self.policy.secret_input = true;
        self
    }

    /// Uses the error's [`Display`](fmt::Display) as the message of a failure.
    ///
    /// By default, the message comes from the error's JSON: the string if it is one, otherwise its field `message` if
    /// it has one, otherwise the JSON itself.
    pub fn display_errors(mut self) -> Self
    where
        H::Error: fmt::Display,
    {
        self.errors.describe = Some(Arc::new(ToString::to_string));
        self
    }

    /// Fails if the kind's settings can't be meant.
    pub(crate) fn check(&self) -> Result<(), String> {
        let traits = HandlerTraits { emits: emits::<H::Item>(), retry_if: self.errors.retry_if.is_some() };
        let mistake = self.policy.mistake(traits);
        mistake.map_or(Ok(()), |mistake| Err(format!("task \"{}\" can't be registered: {mistake}", self.name)))
    }

    /// Erases the types of the handler. Fails if the kind's settings can't be meant.
    pub(crate) fn into_kind(self, app: &AppHandle<R>) -> Result<Kind, String> {
        self.check()?;
        let Self { name, handler, policy, errors, .. } = self;
        let app = app.clone();
        Ok(Kind::new(&name, policy, errors, move |context, input| handler.call(&app, context, input)))
    }
}

/// Returns what a handler with this item type can emit.
fn emits<Item: 'static>() -> Emits {
    match TypeId::of::<Item>() {
        item if item == TypeId::of::<Never>() => Emits::Nothing,
        item if item == TypeId::of::<Bytes>() => Emits::Bytes,
        _ => Emits::Items,
    }
}

impl<R: Runtime, Form: 'static, H: Handler<R, Form>> fmt::Debug for Task<H, R, Form> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("name", &self.name).field("policy", &self.policy).finish_non_exhaustive()
    }
}
