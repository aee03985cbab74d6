pub(crate) mod progress_reporter;

use std::{fmt, marker::PhantomData, panic::resume_unwind, sync::Arc};

use serde::Serialize;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    error::Error,
    items::item_type::{Bytes, Never},
    record::Record,
    task::{
        attempt::{Attempt, Cleanup},
        id::TaskId,
    },
};
use progress_reporter::ProgressReporter;

/// What a handler gets to report its progress and to learn that it should stop.
///
/// `D` is the type of the progress detail, `I` that of the items. Both have defaults, so a handler that
/// needs neither takes a plain `TaskContext`. It knows no runtime and no app, so a handler can be tested
/// on its own. Clones are cheap and speak for the same task.
///
/// # Cancellation
///
/// A handler that does nothing about it is dropped at the `.await` where it stands, so whatever it holds
/// is dropped too: put clean-up into a `Drop`. A handler that has asked for its [`token`](Self::token),
/// [`cancelled`](Self::cancelled) or [`is_cancelled`](Self::is_cancelled) gets the kind's grace period
/// (5 seconds if nothing else is said) to come to its end; then it is dropped in the same way. Clean-up that has to
/// await something goes to [`on_cancel`](Self::on_cancel). A time limit stops a handler just as a cancel does.
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
    types: PhantomData<fn(D) -> I>,
}

impl<D, I> TaskContext<D, I> {
    pub(crate) fn new(record: &Arc<Record>, attempt: &Arc<Attempt>) -> Self {
        Self { record: Arc::clone(record), attempt: Arc::clone(attempt), types: PhantomData }
    }

    /// The task's id.
    pub fn id(&self) -> TaskId {
        self.record.id
    }

    /// The name the task was started under.
    pub fn name(&self) -> &str {
        self.record.name()
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt.number
    }

    /// Where to report progress.
    pub fn progress(&self) -> ProgressReporter<'_, D> {
        ProgressReporter::new(&self.record)
    }

    /// The task's cancellation token: await it, poll it, or hand it on to code that takes one.
    ///
    /// Asking for it gives the handler a grace period after a cancel; see [Cancellation](Self#cancellation).
    /// The token is cancelled by the engine alone: cancel a [child](CancellationToken::child_token) of it
    /// to stop a part of your own work.
    pub fn token(&self) -> CancellationToken {
        self.attempt.handler_token()
    }

    /// Whether the task was told to stop. For loops that poll; counts as asking for the
    /// [`token`](Self::token).
    pub fn is_cancelled(&self) -> bool {
        self.attempt.is_cancelled()
    }

    /// Waits until the task is told to stop. Cancel safe; counts as asking for the [`token`](Self::token).
    pub async fn cancelled(&self) {
        self.attempt.cancelled().await;
    }

    /// Has `cleanup` run if this attempt is stopped, by a cancel or a time limit: after the handler is over (returned an
    /// error or dropped), before the task ends, within the grace period.
    ///
    /// It is not run when the handler comes to its own end, with an output or an error, and not when it completes
    /// in spite of a cancel; after a time limit it is, since then the output doesn't count. Several are run one
    /// after the other, the last one first. What takes longer than is left of the grace period is dropped, with a
    /// warning; a handler that has used all of it, because it has asked for its token, leaves its clean-up as much
    /// time again. A panic is logged.
    ///
    /// Work that it begins with [`spawn_blocking`](Self::spawn_blocking) is waited for, with a token that is cancelled already.
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
        self.attempt.on_cancel(Cleanup::new(&self.record.kind.name, self.record.id, cleanup));
    }

    /// Runs `work` on a thread where it may block, and waits for what it returns.
    ///
    /// A thread can't be stopped from outside. So `work` gets a token to look at now and then: it is
    /// cancelled when the task is, and also when the handler is over, however that came. The task ends only
    /// when all such work has returned; if that takes longer than the grace period after a cancel, the task
    /// is shown as `overdue`. A panic in `work` goes on in the handler.
    ///
    /// # Cancellation safety
    ///
    /// If the returned future is dropped, work that has not begun is never run; work that has begun goes on
    /// until it returns.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskContext};
    ///
    /// async fn sum(ctx: TaskContext, numbers: Vec<u64>) -> Result<u64, Failure> {
    ///     Ok(ctx.spawn_blocking(move |token| {
    ///         numbers.into_iter().take_while(|_| !token.is_cancelled()).sum()
    ///     }).await)
    /// }
    /// ```
    pub fn spawn_blocking<T, F>(&self, work: F) -> impl Future<Output = T> + Send + use<T, F, D, I>
    where
        T: Send + 'static,
        F: FnOnce(CancellationToken) -> T + Send + 'static,
    {
        let (token, counted) = self.attempt.beside();
        let thread = AbortOnDropHandle::new(tokio::task::spawn_blocking(move || {
            let _counted = counted;
            work(token)
        }));
        async move {
            match thread.await {
                Ok(value) => value,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    // The runtime is going down and takes this future with it.
                    Err(_) => std::future::pending().await,
                },
            }
        }
    }
}

impl<D, I: Serialize> TaskContext<D, I> {
    /// Sends an item to whoever reads the task's items: `task.items()` in a page,
    /// [`TaskHandle::items`](crate::TaskHandle::items) in Rust.
    ///
    /// Items are data: they arrive once, in order and complete, however slow their reader is. They are written as JSON and kept
    /// in a buffer until they are read. While that is full (65,536 items or 8 MiB, if
    /// `Task::item_buffer` doesn't say otherwise), this waits as long as somebody reads, and for 10
    /// seconds after the task's begin and after a reader was lost with its page, which may reload. If then nobody reads,
    /// `Task::unread` says what happens; as it is, the oldest item is dropped, and counted. After a
    /// task's end its items stay as long as its outcome does.
    ///
    /// An attempt that is made again goes on behind the items of the one before it.
    ///
    /// Fails when the item can't be written as JSON or alone is larger than the buffer, and with
    /// [`ErrorKind::Stopped`](crate::ErrorKind::Stopped) when it would have to wait and the task was told to stop, or when the
    /// handler is over.
    ///
    /// # Cancellation safety
    ///
    /// If the future is dropped before it is ready, the item is not emitted.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskContext};
    ///
    /// async fn find_primes(ctx: TaskContext<(), u64>, up_to: u64) -> Result<(), Failure> {
    ///     for number in 2..up_to {
    ///         if (2..number).all(|divisor| number % divisor != 0) {
    ///             ctx.emit(number).await?;
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub async fn emit(&self, item: I) -> Result<(), Error> {
        self.record.items().emit(item, &self.attempt).await
    }

    /// [`emit`](Self::emit) for code that may block, such as that in [`spawn_blocking`](Self::spawn_blocking).
    ///
    /// # Panics
    ///
    /// When it has to wait on a thread that must not block, or that is not one of tokio's.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskContext};
    ///
    /// async fn lines(ctx: TaskContext<(), String>, text: String) -> Result<(), Failure> {
    ///     let reader = ctx.clone();
    ///     let emitted = ctx.spawn_blocking(move |_| {
    ///         text.lines().try_for_each(|line| reader.blocking_emit(line.to_owned()))
    ///     });
    ///     Ok(emitted.await?)
    /// }
    /// ```
    pub fn blocking_emit(&self, item: I) -> Result<(), Error> {
        self.record.items().blocking_emit(&item, &self.attempt)
    }
}

impl<D> TaskContext<D, Bytes> {
    /// Sends bytes to whoever reads them: `task.bytes()` in a page, [`TaskHandle::bytes`](crate::TaskHandle::bytes) in Rust.
    ///
    /// What holds for items, see [`emit`](TaskContext::emit), holds for bytes. They are a stream: what is emitted at once may
    /// arrive in pieces, or together with what comes next, and only the limit in bytes counts for the buffer.
    ///
    /// # Cancellation safety
    ///
    /// If the future is dropped before it is ready, a part of `bytes` from its beginning may have been emitted: up to 1 MiB,
    /// or what the buffer holds if that is less, is emitted whole or not at all.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Bytes, Failure, TaskContext};
    ///
    /// async fn record(ctx: TaskContext<(), Bytes>, seconds: u32) -> Result<(), Failure> {
    ///     for _ in 0..seconds {
    ///         ctx.emit_bytes(&[0; 48_000]).await?; // a second of silence
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub async fn emit_bytes(&self, bytes: impl AsRef<[u8]> + Send) -> Result<(), Error> {
        self.record.items().emit_bytes(bytes.as_ref(), &self.attempt).await
    }

    /// [`emit_bytes`](Self::emit_bytes) for code that may block; see [`blocking_emit`](TaskContext::blocking_emit).
    pub fn blocking_emit_bytes(&self, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
        self.record.items().blocking_emit_bytes(bytes.as_ref(), &self.attempt)
    }
}

impl<D, I> Clone for TaskContext<D, I> {
    fn clone(&self) -> Self {
        Self::new(&self.record, &self.attempt)
    }
}

impl<D, I> fmt::Debug for TaskContext<D, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskContext").field("id", &self.id()).field("name", &self.name()).finish_non_exhaustive()
    }
}
