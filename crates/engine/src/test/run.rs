use std::{
    fmt,
    future::Future,
    mem,
    sync::{Arc, atomic::Ordering::SeqCst},
    task::{Context, Waker},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{
    clocks::TestMachine,
    notes::Notes,
    report::{TestOutcome, TestReport},
};
use crate::{
    Bytes, CancelReason, FailureKind, Json, Never, Outcome, Progress, TaskBytes, TaskChange, TaskHandle, TaskItems,
    TaskManager, TaskSnapshot, TaskWatch, record::follower::Follower, task::owner::Owner,
};

/// A handler that runs in a test. [`TestTask::start`](super::TestTask::start) returns one.
///
/// The handler goes on while the test awaits something, such as a method of this. Nothing happens to it when this is
/// dropped.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use std::time::Duration;
/// use tauri_plugin_tasks::{CancelReason, Failure, TaskContext, test::{TestOutcome, TestTask}};
///
/// async fn sync(ctx: TaskContext, (): ()) -> Result<(), Failure> {
///     ctx.on_cancel(async { /* close the connection */ });
///     for step in 0.. {
///         ctx.progress().set(step);
///         tokio::time::sleep(Duration::from_secs(10)).await;
///     }
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
/// let run = TestTask::new(sync).start(())?;
/// run.advance(Duration::from_secs(35)).await;
/// assert_eq!(run.snapshot().progress.completed, 3);
/// run.cancel(CancelReason::User);
/// let report = run.finish().await;
/// assert_eq!(report.outcome, TestOutcome::Cancelled(CancelReason::User));
/// assert_eq!(report.cleanups, 1);
/// # Ok(()) }
/// ```
pub struct TestRun<O, E, D = (), I = Never> {
    tasks: TaskManager,
    task: TaskHandle,
    follower: Follower,
    owner: Owner,
    machine: TestMachine,
    notes: Arc<Notes<O, E, D, I>>,
    watcher: AbortOnDropHandle<Watched>,
    /// The reader of its items, once the test has asked for one.
    reader: Option<Reader>,
    first_attempt: u32,
}

/// What a run begins with.
pub(super) struct Started<O, E, D, I> {
    pub(super) tasks: TaskManager,
    pub(super) follower: Follower,
    pub(super) owner: Owner,
    pub(super) machine: TestMachine,
    pub(super) notes: Arc<Notes<O, E, D, I>>,
    pub(super) first_attempt: u32,
}

enum Reader {
    Items(TaskItems<Json>),
    Bytes(TaskBytes),
}

/// What somebody who watches the task has seen.
struct Watched {
    progress: Vec<Progress>,
    elapsed: Duration,
}

/// How much time may pass until the task ends or emits. Longer than any handler takes, and in paused time no time at all.
const TOO_LONG: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long to wait for a thread, by the real clock: only a runtime without a free one takes longer.
const LONGEST_WAIT_FOR_THREAD: Duration = Duration::from_secs(10);

/// How many steps a handler may take on its way to blocking work, each a poll of it.
const STEPS: u32 = 1_000;

impl<O, E, D, I> TestRun<O, E, D, I> {
    pub(super) fn new(started: Started<O, E, D, I>) -> Self {
        let Started { tasks, follower, owner, machine, notes, first_attempt } = started;
        let task = TaskHandle::new(&tasks.engine, &tasks.schedules, follower.clone());
        let watcher = AbortOnDropHandle::new(tokio::spawn(watch(task.watch(), Instant::now())));
        Self { tasks, task, follower, owner, machine, notes, watcher, reader: None, first_attempt }
    }

    // What happens to it.

    /// Tells the task to stop. Returns whether it had not ended.
    ///
    /// A task that is cancelled right after its start ends without a call of its handler. To cancel it later, let it come
    /// to the point first: with [`settle`](Self::settle), [`advance`](Self::advance) or [`next_item`](Self::next_item).
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{CancelReason, Failure, TaskContext, test::{TestOutcome, TestTask}};
    ///
    /// async fn wait(ctx: TaskContext, (): ()) -> Result<&'static str, Failure> {
    ///     ctx.cancelled().await;
    ///     Ok("what was done so far")
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
    /// let run = TestTask::new(wait).start(())?;
    /// run.settle().await;
    /// run.cancel(CancelReason::User);
    /// assert_eq!(run.finish().await.outcome, TestOutcome::Completed("what was done so far"));
    /// # Ok(()) }
    /// ```
    pub fn cancel(&self, reason: CancelReason) -> bool {
        self.tasks.engine.cancel(self.follower.record(), reason).is_ok()
    }

    /// Lets the owner of the task go, as when the user closes what has started it. `Task::on_owner_closed` says what
    /// happens: by default the task goes on, and belongs to the app.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskContext, test::{TestOutcome, TestTask}};
    ///
    /// async fn work(_ctx: TaskContext, (): ()) -> Result<(), Failure> {
    ///     tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
    /// let run = TestTask::new(work).start(())?;
    /// run.settle().await;
    /// run.drop_owner();
    /// assert_eq!(run.snapshot().owner, None);
    /// assert_eq!(run.finish().await.outcome, TestOutcome::Completed(()));
    /// # Ok(()) }
    /// ```
    pub fn drop_owner(&self) {
        self.tasks.engine.disown(|owner| *owner == self.owner);
    }

    /// Begins an exit of the app, which gives its tasks this `grace` period. `Task::on_exit` says what happens: by default
    /// the task is cancelled, with the reason [`Shutdown`](CancelReason::Shutdown). Returns at once.
    ///
    /// The test doesn't exit: a task that the exit does not wait for goes on.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use std::time::Duration;
    /// use tauri_plugin_tasks::{CancelReason, Failure, TaskContext, test::{TestOutcome, TestTask}};
    ///
    /// async fn serve(ctx: TaskContext, (): ()) -> Result<(), Failure> {
    ///     ctx.cancelled().await;
    ///     tokio::time::sleep(Duration::from_secs(60)).await; // too long
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
    /// let run = TestTask::new(serve).start(())?;
    /// run.settle().await;
    /// run.shut_down(Duration::from_secs(10));
    /// let report = run.finish().await;
    /// assert_eq!(report.outcome, TestOutcome::Cancelled(CancelReason::Shutdown));
    /// assert!(report.elapsed < Duration::from_secs(10));
    /// # Ok(()) }
    /// ```
    pub fn shut_down(&self, grace: Duration) {
        let tasks = self.tasks.clone();
        let mut exit = Box::pin(async move { tasks.shut_down(grace).await });
        // Polled once, so that it has begun when this returns.
        if exit.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            tokio::spawn(exit);
        }
    }

    // Time.

    /// Lets this much time pass: the task sees it as any other, and all that is due within it happens in its order. In
    /// paused time that takes no time.
    ///
    /// It is `tokio::time::sleep`. Prefer it to [`tokio::time::advance`], which makes the time leap: what would have been
    /// due in between finds itself late then, and a handler that sleeps ten times for a second does so once. You need
    /// neither to get past the sleeps of a handler. Any `.await` of the test that waits for the task lets paused time run
    /// up to the next moment at which something is due.
    pub async fn advance(&self, time: Duration) {
        sleep(time).await;
    }

    /// Lets the task go on until it waits: for a time, for the test, or for anything else. That takes a millisecond of paused
    /// time.
    ///
    /// If it waits for work in [`spawn_blocking`](crate::TaskContext::spawn_blocking), this waits until that work has a
    /// thread, and takes no paused time. How far the work has come is not known: to wait for more, let it report or emit
    /// something, and call [`until`](Self::until) or [`next_item`](Self::next_item).
    ///
    /// Files of `tokio::fs` are read and written to the end by this: tokio waits for them before it lets time pass. To stop
    /// between two of their reads, call [`until`](Self::until).
    pub async fn settle(&self) {
        let attempt = || self.follower.record().attempt();
        let began = std::time::Instant::now();
        // Without time passing, since that would wait for the thread.
        loop {
            for _ in 0..STEPS {
                tokio::task::yield_now().await;
            }
            let waits_for_thread = attempt().is_some_and(|attempt| attempt.has_queued_work());
            if !waits_for_thread || began.elapsed() > LONGEST_WAIT_FOR_THREAD {
                break;
            }
        }
        if !attempt().is_some_and(|attempt| attempt.has_work_beside()) {
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Lets the task go on until `holds` returns true, and returns the snapshot for which it does. It is asked now, after
    /// each single report of progress from now on, and at each change of the status.
    ///
    /// The handler goes on to its next `.await` of anything of tokio's, such as a time, a file or a channel, and is held
    /// there until this has looked at its reports. So a test can cancel it between two of them. What it reports on its way
    /// to that `.await` is asked about too, in order, although [`snapshot`](Self::snapshot) is further by then. A thread is
    /// not held. Cancel safe.
    ///
    /// # Panics
    ///
    /// Panics if the task ends before `holds` returns true, and if that takes 30 days of paused time.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{CancelReason, Failure, TaskContext, test::{TestOutcome, TestTask}};
    ///
    /// async fn read(ctx: TaskContext, (): ()) -> Result<(), Failure> {
    ///     for _ in 0..10 {
    ///         ctx.spawn_blocking(|_| { /* read a part of the file */ }).await;
    ///         ctx.progress().inc(1);
    ///     }
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
    /// let run = TestTask::new(read).start(())?;
    /// run.until(|task| task.progress.completed == 3).await;
    /// run.cancel(CancelReason::User);
    /// let report = run.finish().await;
    /// assert_eq!(report.outcome, TestOutcome::Cancelled(CancelReason::User));
    /// assert_eq!(report.progress.last().unwrap().completed, 3);
    /// # Ok(()) }
    /// ```
    pub async fn until(&self, mut holds: impl FnMut(&TaskSnapshot) -> bool) -> TaskSnapshot {
        let reports = &self.notes.reports;
        let mut looked_at = reports.len();
        let look = self.notes.gate.look(looked_at);
        let mut watch: TaskWatch = self.task.watch();
        let found = async {
            loop {
                let now = self.snapshot();
                let new = reports.progress_from(looked_at);
                looked_at += new.len();
                let reported = new.into_iter().map(|progress| TaskSnapshot { progress, ..now.clone() });
                if let Some(snapshot) = reported.chain([now.clone()]).find(|snapshot| holds(snapshot)) {
                    return snapshot;
                }
                assert!(
                    !now.status.is_final(),
                    "the task has ended before what the test waits for: {}",
                    standing(&now)
                );
                look.has_looked_at(looked_at);
                watch.next().await;
            }
        };
        in_time(&self.task, "come to what the test waits for", found).await
    }

    /// Returns the machine that the task runs on, to let it sleep or to set its clock.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use std::time::Duration;
    /// use tauri_plugin_tasks::{Failure, TaskContext, test::TestTask};
    ///
    /// async fn wait(_ctx: TaskContext, (): ()) -> Result<(), Failure> {
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
    /// let run = TestTask::new(wait).start(())?;
    /// run.settle().await;
    /// run.machine().sleep(Duration::from_secs(3_600)).await;
    /// assert_eq!(run.finish().await.elapsed, Duration::from_secs(60), "the hour doesn't count");
    /// # Ok(()) }
    /// ```
    pub fn machine(&self) -> &TestMachine {
        &self.machine
    }

    // What it does.

    /// Returns everything that others can see of the task now.
    pub fn snapshot(&self) -> TaskSnapshot {
        self.task.snapshot()
    }

    /// Waits until the task has ended, and returns what it did.
    ///
    /// A test that has read [items](Self::next_item) goes on reading meanwhile, so that the handler need not wait for it. One
    /// that has read none is no reader.
    ///
    /// # Panics
    ///
    /// Panics if the task hasn't ended after 30 days of paused time, and says where it stands. It waits for something that
    /// never comes: cancel it first, or give it what it waits for.
    pub async fn finish(mut self) -> TestReport<O, E, D, I>
    where
        D: Clone,
    {
        let outcome = async {
            while let Some(reader) = &mut self.reader {
                let is_over = match reader {
                    Reader::Items(items) => items.next().await.is_none_or(|item| item.is_err()),
                    Reader::Bytes(bytes) => bytes.next().await.is_none_or(|bytes| bytes.is_err()),
                };
                if is_over {
                    break;
                }
            }
            self.task.outcome().await
        };
        let outcome = in_time(&self.task, "end", outcome).await;
        let Ok(watched) = (&mut self.watcher).await else { unreachable!("it neither panics nor is aborted before") };
        let notes = &self.notes;
        // Before any change nothing was reported, as after a new attempt.
        let mut seen = vec![Progress::NONE];
        seen.extend(watched.progress);
        // Of the rate alone, which a report doesn't have.
        seen.dedup_by(|next, before| same_but_for_rate(before, next));
        let snapshot = self.snapshot();
        TestReport {
            outcome: self.typed(outcome),
            errors: mem::take(&mut *notes.errors.lock()),
            progress: notes.progress(),
            seen: seen.iter().skip(1).map(|progress| notes.typed(progress)).collect(),
            items: notes.take_items(),
            bytes: notes.bytes.lock().clone(),
            messages: notes.messages(),
            details: notes.details(),
            cleanups: notes.cleanups.load(SeqCst),
            panicked_cleanups: notes.panicked_cleanups.load(SeqCst),
            attempts: snapshot.attempt - (self.first_attempt - 1),
            elapsed: watched.elapsed,
            snapshot,
        }
    }

    fn typed(&self, outcome: Outcome) -> TestOutcome<O, E> {
        match outcome {
            Outcome::Completed { .. } => match self.notes.output.lock().take() {
                Some(output) => TestOutcome::Completed(output),
                None => unreachable!("the handler has returned an output"),
            },
            Outcome::Failed(failure) => match failure.kind {
                FailureKind::Error => match self.notes.errors.lock().pop() {
                    Some(error) => TestOutcome::Failed(error),
                    None => unreachable!("the handler has returned an error"),
                },
                FailureKind::Panic => TestOutcome::Panicked(panic_message(failure.message, &self.snapshot().task)),
                FailureKind::Unserializable => TestOutcome::Unserializable(failure.message),
                kind => unreachable!("{kind:?}: {}", failure.message),
            },
            Outcome::Cancelled { reason } => TestOutcome::Cancelled(reason),
            Outcome::TimedOut { limit, .. } => TestOutcome::TimedOut(limit),
        }
    }
}

impl<O, E, D, I: Clone> TestRun<O, E, D, I> {
    /// Waits for the next item, and returns it; `None` when the task has ended and all were read.
    ///
    /// From the first call on the test is the reader of the items: a handler whose buffer is full waits for it, as for any
    /// other. The report has all items, those that were read included.
    ///
    /// # Panics
    ///
    /// Panics if the reader was taken for gone (`Task::idle_reader`), and if there is neither an item nor an end after 30 days
    /// of paused time.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskContext, test::TestTask};
    ///
    /// async fn words(ctx: TaskContext<(), String>, text: String) -> Result<(), Failure> {
    ///     for word in text.split_whitespace() {
    ///         ctx.emit(word.to_owned()).await;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
    /// let mut run = TestTask::new(words).start("to and fro")?;
    /// assert_eq!(run.next_item().await.as_deref(), Some("to"));
    /// assert_eq!(run.finish().await.items, ["to", "and", "fro"]);
    /// # Ok(()) }
    /// ```
    pub async fn next_item(&mut self) -> Option<I> {
        let number = self.next_number().await?;
        // A thread puts an item into the buffer a moment before it is noted.
        while !self.notes.has_item(number) {
            tokio::task::yield_now().await;
        }
        self.notes.item(number)
    }

    async fn next_number(&mut self) -> Option<u64> {
        let follower = &self.follower;
        let reader = self.reader.get_or_insert_with(|| Reader::Items(TaskItems::new(follower)));
        let Reader::Items(items) = reader else { unreachable!("its items are no bytes") };
        match in_time(&self.task, "emit an item or end", items.next()).await? {
            Ok(_) => Some(items.position() - 1),
            Err(error) => panic!("the test can't read the next item: {error}"),
        }
    }
}

impl<O, E, D> TestRun<O, E, D, Bytes> {
    /// Waits for the next bytes, and returns those that are there; `None` when the task has ended and all were read. It makes
    /// the test the reader, as [`next_item`](TestRun::next_item) does.
    ///
    /// # Panics
    ///
    /// Panics as [`next_item`](TestRun::next_item) does.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Bytes, Failure, TaskContext, test::TestTask};
    ///
    /// async fn record(ctx: TaskContext<(), Bytes>, (): ()) -> Result<(), Failure> {
    ///     ctx.emit_bytes([1, 2]).await;
    ///     tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    ///     ctx.emit_bytes([3]).await;
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
    /// let mut run = TestTask::new(record).start(())?;
    /// assert_eq!(run.next_bytes().await, Some(vec![1, 2]));
    /// assert_eq!(run.finish().await.bytes, [1, 2, 3]);
    /// # Ok(()) }
    /// ```
    pub async fn next_bytes(&mut self) -> Option<Vec<u8>> {
        let follower = &self.follower;
        let reader = self.reader.get_or_insert_with(|| Reader::Bytes(TaskBytes::new(follower)));
        let Reader::Bytes(bytes) = reader else { unreachable!("there is no other way to read bytes") };
        match in_time(&self.task, "emit bytes or end", bytes.next()).await? {
            Ok(bytes) => Some(bytes),
            Err(error) => panic!("the test can't read the next bytes: {error}"),
        }
    }
}

impl<O, E, D, I> fmt::Debug for TestRun<O, E, D, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestRun").field("task", &self.task).finish_non_exhaustive()
    }
}

/// Fails the test if that takes [`TOO_LONG`].
async fn in_time<T>(task: &TaskHandle, what: &str, wait: impl Future<Output = T>) -> T {
    let Ok(value) = timeout(TOO_LONG, wait).await else {
        panic!(
            "the task did not {what} within 30 days: it waits for something that never comes; cancel it before, or give \
             it what it waits for. {}",
            standing(&task.snapshot())
        )
    };
    value
}

/// Says where a task stands.
fn standing(snapshot: &TaskSnapshot) -> String {
    let TaskSnapshot { status, attempt, progress: Progress { completed, total, message, .. }, .. } = snapshot;
    let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
    let message =
        message.as_ref().map_or_else(|| "no message".to_owned(), |message| format!("the message {message:?}"));
    format!("It is {status:?} in attempt {attempt}, at {completed}{of} with {message}")
}

/// Follows the task to its end.
async fn watch(mut watch: TaskWatch, started: Instant) -> Watched {
    let mut progress = Vec::new();
    while let Some(event) = watch.next().await {
        if let TaskChange::Progress(newest) = event.change {
            progress.push(newest);
        }
    }
    Watched { progress, elapsed: started.elapsed() }
}

fn same_but_for_rate(a: &Progress, b: &Progress) -> bool {
    let without = |progress: &Progress| Progress { rate: None, eta_ms: None, ..progress.clone() };
    without(a) == without(b)
}

/// Returns what the handler's panic said.
fn panic_message(message: String, name: &str) -> String {
    let prefix = format!("task \"{name}\" panicked: ");
    message.strip_prefix(&prefix).map(str::to_owned).unwrap_or(message)
}
