//! The context through which a handler reports progress, emits items, and learns that it should stop.

mod blocking;
#[cfg_attr(not(any(test, feature = "test")), path = "not_kept.rs")]
pub(crate) mod kept;
pub(crate) mod progress_reporter;
pub(crate) mod stopped;

use std::{fmt, marker::PhantomData, sync::Arc};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{
    error::Error,
    items::item_type::{Bytes, Never},
    record::Record,
    task::{
        attempt::{Attempt, Cleanup},
        current::{Current, Entry},
        id::TaskId,
    },
};
#[cfg(any(test, feature = "test"))]
use crate::{items::stream::RecordedBytes, progress::recording::Recording};
use kept::Kept;
use progress_reporter::ProgressReporter;
use stopped::Stopped;

/// The context through which a handler reports progress, emits items, and learns that it should stop.
///
/// `D` is the type of the progress detail, and `I` that of the items. A handler that needs neither takes a plain
/// `TaskContext`. A context depends on no app, so a handler can be tested on its own. Clones are cheap and refer to the
/// same task.
///
/// # Cancellation
///
/// By default a cancelled handler is dropped at its current `.await`, with everything that it holds: put clean-up into
/// a `Drop` implementation. A handler that has asked for its [`token`](Self::token), [`cancelled`](Self::cancelled) or
/// [`is_cancelled`](Self::is_cancelled) gets the grace period of its kind (5 seconds by default) to end by itself.
/// After that it is dropped in the same way. Register clean-up that has to await something with
/// [`on_cancel`](Self::on_cancel). A time limit stops a handler as a cancel does.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use tauri_plugin_tasks::{Failure, TaskContext, Unit};
///
/// async fn copy(ctx: TaskContext, files: Vec<std::path::PathBuf>) -> Result<u64, Failure> {
///     ctx.progress().unit(Unit::Files).total(files.len() as u64);
///     let mut bytes = 0;
///     for file in files {
///         bytes += tokio::fs::copy(&file, file.with_extension("bak")).await?;
///         ctx.progress().inc(1);
///     }
///     Ok(bytes)
/// }
/// ```
pub struct TaskContext<D = (), I = Never> {
    record: Arc<Record>,
    attempt: Arc<Attempt>,
    kept: Kept<D, I>,
    types: PhantomData<fn(D) -> I>,
}

impl<D, I> TaskContext<D, I> {
    pub(crate) fn new(record: &Arc<Record>, attempt: &Arc<Attempt>) -> Self {
        Self { record: Arc::clone(record), attempt: Arc::clone(attempt), kept: Kept::none(), types: PhantomData }
    }

    /// Returns this context, which keeps what the handler reports and records its progress.
    #[cfg(any(test, feature = "test"))]
    pub(crate) fn for_test(self, kept: Kept<D, I>, recording: &Arc<Recording>) -> Self {
        self.attempt.progress.record(recording);
        Self { kept, ..self }
    }

    /// Adds all bytes that the task emits from now on to `bytes`.
    #[cfg(any(test, feature = "test"))]
    pub(crate) fn record_bytes(&self, bytes: &RecordedBytes) {
        self.record.items().record_bytes(bytes);
    }

    /// Returns the task's id.
    pub fn id(&self) -> TaskId {
        self.record.id
    }

    /// Returns the name of the task's kind, or the one that it was spawned with.
    pub fn name(&self) -> &str {
        self.record.name()
    }

    /// Returns the number of this attempt, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt.number
    }

    /// Returns the reporter of the task's progress. It reports nothing once this attempt is over: see
    /// [`ProgressReporter`].
    pub fn progress(&self) -> ProgressReporter<'_, D> {
        ProgressReporter::new(&self.record, &self.attempt, self.kept.details())
    }

    /// Returns the task's cancellation token: await it, poll it, or pass it to code that takes one.
    ///
    /// Asking for it gives the handler a grace period after a cancel: see [Cancellation](Self#cancellation). Only the
    /// engine cancels this token. To stop a part of your own work, cancel a [child](CancellationToken::child_token) of
    /// it.
    pub fn token(&self) -> CancellationToken {
        self.attempt.handler_token()
    }

    /// Returns whether the task was told to stop, for loops that poll. Counts as asking for the [`token`](Self::token).
    pub fn is_cancelled(&self) -> bool {
        self.attempt.is_cancelled()
    }

    /// Waits until the task is told to stop. Counts as asking for the [`token`](Self::token). Cancel safe.
    pub async fn cancelled(&self) {
        self.attempt.cancelled().await;
    }

    /// Registers `cleanup`, which runs if a cancel or a time limit stops this attempt. It runs after the handler has
    /// returned an error or was dropped, before the task ends, and within the grace period.
    ///
    /// It does not run when the handler ends before it is told to stop, or completes in spite of a cancel. After a time
    /// limit it runs even if the handler completes, because the output no longer counts. Several clean-ups run one
    /// after the other, the last registered first. A clean-up that takes longer than the rest of the grace period is
    /// dropped, with a warning. If the handler has asked for its token and used the whole grace period, its clean-ups
    /// get another one. A panic in a clean-up is logged.
    ///
    /// The task also waits for work that a clean-up begins with [`spawn_blocking`](Self::spawn_blocking). The token of
    /// that work is already cancelled.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskContext};
    ///
    /// async fn download(ctx: TaskContext, url: String) -> Result<(), Failure> {
    ///     let part = std::env::temp_dir().join("download.part");
    ///     let path = part.clone();
    ///     ctx.on_cancel(async move {
    ///         let _ = tokio::fs::remove_file(path).await;
    ///     });
    ///     tokio::fs::write(part, url).await?;
    ///     Ok(())
    /// }
    /// ```
    pub fn on_cancel(&self, cleanup: impl Future<Output = ()> + Send + 'static) {
        let cleanup = self.kept.cleanups().note(cleanup);
        self.attempt.on_cancel(Cleanup::new(&self.record.kind.name, self.record.id, cleanup));
    }

    /// Runs `work` on a thread where it may block, and returns its result.
    ///
    /// A thread can't be stopped from outside, so `work` gets a token to check now and then. The token is cancelled
    /// with the task, and when the handler ends for any other reason. A cancelled handler is dropped at this `.await`, and
    /// the result of `work` with it, unless it has asked for its own [`token`](Self::token): then it goes on with the result
    /// if that comes within the grace period. The task ends only when all such work has
    /// returned. If that takes longer than the grace period after a cancel, the task is shown as `overdue`.
    ///
    /// # Before it has a thread
    ///
    /// A runtime has up to 512 such threads, and further work waits for one of them. If the task is told to stop
    /// meanwhile, the work never runs, and the handler is dropped at this `.await` as in [`emit`](TaskContext::emit),
    /// even within the grace period. Work that the handler begins after it was told to stop still runs.
    ///
    /// Work that still waits for a thread when the handler ends never runs, either. Code that the handler has spawned,
    /// and that awaits such work, ends with a silent panic there.
    ///
    /// # Cancellation safety
    ///
    /// If the returned future is dropped, work that has not begun never runs. Work that has begun continues until it
    /// returns.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime, such as on a thread that the handler has started itself. A panic in `work` is resumed
    /// where the future is awaited.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskContext};
    ///
    /// async fn sum(ctx: TaskContext, numbers: Vec<u64>) -> Result<u64, Failure> {
    ///     let sum = ctx.spawn_blocking(move |token| {
    ///         // Once it is cancelled, nobody gets the sum: it only has to end soon.
    ///         numbers.into_iter().take_while(|_| !token.is_cancelled()).sum()
    ///     });
    ///     Ok(sum.await)
    /// }
    /// ```
    pub fn spawn_blocking<T, F>(&self, work: F) -> impl Future<Output = T> + Send + use<T, F, D, I>
    where
        T: Send + 'static,
        F: FnOnce(CancellationToken) -> T + Send + 'static,
    {
        let mut current = Entry::new(Current { id: self.record.id, polled: None });
        blocking::spawn(&self.record.kind.name, &self.attempt, move |token| current.enter(|| work(token)))
    }
}

impl<D, I: Serialize> TaskContext<D, I> {
    /// Emits an item for the task's reader: [`TaskHandle::items`](crate::TaskHandle::items) in Rust, `task.items()` in
    /// TypeScript.
    ///
    /// Every item arrives once and in order, however slow the reader is. Items are written as JSON and kept in a buffer
    /// until they are read. The buffer holds 65,536 items or 8 MiB, unless `Task::item_buffer` says otherwise. After
    /// the task's end, unread items are kept as long as its outcome.
    ///
    /// While the buffer is full and there is a reader, this waits, and the wait doesn't count for `Task::stall_timeout`. An
    /// emitted item is a sign of life, as a report of progress is. If the reader doesn't ask for a minute meanwhile, the
    /// log says whose it is, once, and this goes on waiting, unless `Task::idle_reader` says otherwise. Without a reader it
    /// waits only during the first 10 seconds of the task, and for 10 seconds after it lost a reader, which may come back.
    /// After that, `Task::unread` says what happens. By default the oldest items are dropped and counted.
    ///
    /// If the reader is the handler that has started this task, and it needs a slot of this task to go on, this lends the
    /// slots to it, and takes them back before it emits the item: see
    /// [`TaskHandle::outcome`](crate::TaskHandle::outcome).
    ///
    /// The items of a later attempt follow those of the earlier ones.
    ///
    /// # When an item can't be emitted
    ///
    /// There is no error to handle, because the handler ends here:
    ///
    /// - If the item can't be written as JSON, or is larger than the whole buffer, the attempt fails with
    ///   [`FailureKind::Unserializable`](crate::FailureKind::Unserializable) and is not retried. The handler is dropped.
    /// - If this would have to wait and the task was told to stop, the handler is dropped at this `.await` with
    ///   everything that it holds, even within the grace period. Its [`on_cancel`](Self::on_cancel) clean-ups run.
    ///
    /// In code that doesn't run in the handler's own future, such as a tokio task that the handler has spawned, this
    /// drops the item and returns. The same holds in a clean-up, and everywhere once the handler has ended, with one
    /// warning an attempt. A loop that only calls `emit` never ends there: if such code has to know when to end, or if a
    /// part of the handler has to go on, use [`try_emit`](Self::try_emit). On a thread, use
    /// [`blocking_emit`](Self::blocking_emit).
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use std::time::Duration;
    /// use tauri_plugin_tasks::{Failure, TaskContext};
    ///
    /// async fn work(ctx: TaskContext<(), String>) -> Result<(), Failure> {
    ///     let heart = ctx.clone();
    ///     tokio::spawn(async move {
    ///         // Ends with the handler.
    ///         while heart.try_emit("still at work".to_owned()).await.is_ok() {
    ///             tokio::time::sleep(Duration::from_secs(1)).await;
    ///         }
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// Await this and don't block on it, as with `Handle::block_on`: a blocked thread can't be dropped, so this drops the
    /// item there and returns, and the handler goes on. Use [`blocking_emit`](Self::blocking_emit), which returns an
    /// error.
    ///
    /// # Cancellation safety
    ///
    /// If the future is dropped before it is ready, the item is not emitted. If a `select!` drops it because another
    /// branch is ready, the handler goes on, even if the task was told to stop.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskContext};
    ///
    /// async fn find_primes(ctx: TaskContext<(), u64>, up_to: u64) -> Result<(), Failure> {
    ///     for number in 2..up_to {
    ///         if (2..number).all(|divisor| number % divisor != 0) {
    ///             ctx.emit(number).await;
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub async fn emit(&self, item: I) {
        let slot = self.kept.slot();
        let emitted = self.record.items().emit(slot.lend(item), &self.attempt).await;
        slot.settle(emitted);
        if emitted.is_none() {
            self.record.warn_of_discard(&self.attempt);
        }
    }

    /// Like [`emit`](Self::emit), for code that has to know whether the item was emitted. It waits as `emit` does, but
    /// always returns, and fails nothing.
    ///
    /// Fails with [`ErrorKind::Unserializable`](crate::ErrorKind::Unserializable) when the item can't be written as
    /// JSON, and with [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) when it is larger than the whole buffer. Fails
    /// with [`ErrorKind::Stopped`](crate::ErrorKind::Stopped) when it would have to wait and the task was told to stop,
    /// and when the handler has ended.
    ///
    /// # Cancellation safety
    ///
    /// If the future is dropped before it is ready, the item is not emitted.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{ErrorKind, Failure, TaskContext};
    ///
    /// async fn show(ctx: TaskContext<(), String>, texts: Vec<String>) -> Result<u32, Failure> {
    ///     let mut skipped = 0;
    ///     for text in texts {
    ///         match ctx.try_emit(text).await {
    ///             Err(error) if error.kind == ErrorKind::TooLarge => skipped += 1,
    ///             emitted => emitted?,
    ///         }
    ///     }
    ///     Ok(skipped)
    /// }
    /// ```
    pub async fn try_emit(&self, item: I) -> Result<(), Error> {
        let slot = self.kept.slot();
        let emitted = self.record.items().try_emit(slot.lend(item), &self.attempt).await;
        slot.settle(emitted.as_ref().ok().copied());
        emitted.map(drop)
    }

    /// Like [`emit`](Self::emit), for code that may block, such as work in [`spawn_blocking`](Self::spawn_blocking).
    ///
    /// A thread can't be dropped, so it has to end by itself. This fails when it would have to wait and the task was told
    /// to stop, and when the handler has ended. An item that can't be written as JSON, or that is larger than the whole
    /// buffer, fails the task as in `emit`, and this call.
    ///
    /// # Panics
    ///
    /// Panics when it has to wait on a thread that must not block, or outside a tokio runtime.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, Stopped, TaskContext};
    ///
    /// async fn lines(ctx: TaskContext<(), String>, text: String) -> Result<(), Failure> {
    ///     let on_thread = ctx.clone();
    ///     let emitted: Result<(), Stopped> = ctx.spawn_blocking(move |_| {
    ///         text.lines().try_for_each(|line| on_thread.blocking_emit(line.to_owned()))
    ///     }).await;
    ///     Ok(emitted?)
    /// }
    /// ```
    pub fn blocking_emit(&self, item: I) -> Result<(), Stopped> {
        let number = self.record.items().blocking_emit(&item, &self.attempt).map_err(|_| Stopped)?;
        self.kept.item(number, item);
        Ok(())
    }
}

impl<D> TaskContext<D, Bytes> {
    /// Emits bytes for the task's reader: [`TaskHandle::bytes`](crate::TaskHandle::bytes) in Rust, `task.bytes()` in
    /// TypeScript.
    ///
    /// It works like [`emit`](TaskContext::emit), but bytes are a stream: the bytes of one call may arrive in pieces,
    /// or together with those of the next. Of the buffer's limits, only the one in bytes applies, and no call is too
    /// large for it.
    ///
    /// Await this and don't block on it: see [`emit`](TaskContext::emit). On a thread that may block, use
    /// [`blocking_emit_bytes`](Self::blocking_emit_bytes).
    ///
    /// # Cancellation safety
    ///
    /// If the future is dropped before it is ready, a first part of `bytes` may have been emitted. If `bytes` are no
    /// more than 1 MiB and no more than the buffer holds, all of them are emitted or none.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Bytes, Failure, TaskContext};
    ///
    /// async fn record(ctx: TaskContext<(), Bytes>, seconds: u32) -> Result<(), Failure> {
    ///     for _ in 0..seconds {
    ///         ctx.emit_bytes(&[0; 48_000]).await; // a second of silence
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub async fn emit_bytes(&self, bytes: impl AsRef<[u8]> + Send) {
        if !self.record.items().emit_bytes(bytes.as_ref(), &self.attempt).await {
            self.record.warn_of_discard(&self.attempt);
        }
    }

    /// Like [`emit_bytes`](Self::emit_bytes), for code that has to know whether all of the bytes were emitted.
    ///
    /// Fails with [`ErrorKind::Stopped`](crate::ErrorKind::Stopped) as [`try_emit`](TaskContext::try_emit) does, when a
    /// first part of `bytes` may have been emitted. Cancellation is safe to the same degree as that of `emit_bytes`.
    pub async fn try_emit_bytes(&self, bytes: impl AsRef<[u8]> + Send) -> Result<(), Error> {
        self.record.items().try_emit_bytes(bytes.as_ref(), &self.attempt).await
    }

    /// Like [`emit_bytes`](Self::emit_bytes), for code that may block: see
    /// [`blocking_emit`](TaskContext::blocking_emit).
    ///
    /// # Panics
    ///
    /// Panics when it has to wait on a thread that must not block, or outside a tokio runtime.
    pub fn blocking_emit_bytes(&self, bytes: impl AsRef<[u8]>) -> Result<(), Stopped> {
        self.record.items().blocking_emit_bytes(bytes.as_ref(), &self.attempt).map_err(|_| Stopped)
    }
}

impl<D, I> Clone for TaskContext<D, I> {
    fn clone(&self) -> Self {
        Self { kept: self.kept.clone(), ..Self::new(&self.record, &self.attempt) }
    }
}

impl<D, I> fmt::Debug for TaskContext<D, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskContext").field("id", &self.id()).field("name", &self.name()).finish_non_exhaustive()
    }
}
