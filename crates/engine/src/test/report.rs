use std::time::Duration;

use crate::{CancelReason, TaskSnapshot, TimeLimit, Unit};

/// What a handler did in a test, from its start to the end of its task. `O`, `E`, `D` and `I` are the types of its output,
/// its error, its progress detail and its items.
///
/// Outputs, errors, details and items are the handler's own values, as it returned, reported or emitted them. They need no
/// `Deserialize`. To compare them with `assert_eq!`, derive `Debug` and `PartialEq` for them.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use std::time::Duration;
/// use tauri_plugin_tasks::{Failure, TaskContext, test::{TestOutcome, TestProgress, TestTask}};
///
/// async fn copy(ctx: TaskContext<(), String>, files: Vec<String>) -> Result<usize, Failure> {
///     ctx.progress().total(files.len() as u64);
///     for file in &files {
///         tokio::time::sleep(Duration::from_secs(1)).await;
///         ctx.emit(file.clone()).await;
///         ctx.progress().inc(1).message(file);
///     }
///     Ok(files.len())
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
/// let report = TestTask::new(copy).run(["a", "b"]).await?;
/// assert_eq!(report.outcome, TestOutcome::Completed(2));
/// assert_eq!(report.items, ["a", "b"]);
/// assert_eq!(report.messages, ["a", "b"]);
/// assert_eq!(report.elapsed, Duration::from_secs(2));
/// assert_eq!(
///     report.progress[..3],
///     [
///         TestProgress { total: Some(2), ..TestProgress::default() },
///         TestProgress { total: Some(2), completed: 1, ..TestProgress::default() },
///         TestProgress { total: Some(2), completed: 1, message: Some("a".into()), ..TestProgress::default() },
///     ]
/// );
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TestReport<O, E, D, I> {
    /// How the task ended.
    pub outcome: TestOutcome<O, E>,
    /// Every error that the handler returned, in order, but for the one in `outcome`: those after which it was attempted
    /// again, and one that it returned after it was told to stop.
    pub errors: Vec<E>,
    /// The progress after every single report, in order: one entry for each call of a method of
    /// [`ProgressReporter`](crate::ProgressReporter), except for a detail that was left out because it can't be shown. A
    /// later attempt begins again at nothing. What a handler has left running reports nothing.
    pub progress: Vec<TestProgress<D>>,
    /// The progress that somebody who watches the task has seen: each change of the newest one at the times when the handler
    /// let others run. So it lacks what was reported in between. A later attempt begins with an entry of its own, the
    /// progress of nothing, unless the one before has reported nothing either. What a thread reports is seen at any time, so
    /// don't count on single entries then.
    pub seen: Vec<TestProgress<D>>,
    /// Every item that was emitted, in order: read or not, and even if the buffer has dropped it.
    pub items: Vec<I>,
    /// All bytes that were emitted with [`emit_bytes`](crate::TaskContext::emit_bytes), in order.
    pub bytes: Vec<u8>,
    /// Every message that was reported, in order and clipped as others see it.
    pub messages: Vec<String>,
    /// Every detail that was reported, in order, without those that can't be shown.
    pub details: Vec<D>,
    /// How many clean-ups have run to their end: see [`on_cancel`](crate::TaskContext::on_cancel). Those that panicked, or
    /// were dropped because they took too long, don't count.
    pub cleanups: u32,
    /// How many clean-ups have panicked. The log says what they said.
    pub panicked_cleanups: u32,
    /// How often the handler was called: 0 if the task ended before its turn.
    pub attempts: u32,
    /// How long it took from the start to the end of the task, by tokio's clock. In paused time that is the sum of what it
    /// slept, and of what the test has let pass.
    pub elapsed: Duration,
    /// What others see of the task after its end: for example the message of its `error`, as `Task::display_errors` words it.
    pub snapshot: TaskSnapshot,
}

/// How a task ended in a test, with the handler's own values.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use tauri_plugin_tasks::{Failure, TaskContext, test::{TestOutcome, TestTask}};
///
/// async fn divide(_ctx: TaskContext, (a, b): (u32, u32)) -> Result<u32, Failure> {
///     if b == 1 {
///         return Err("that is too easy".into());
///     }
///     Ok(a / b)
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
/// let divide = TestTask::new(divide);
/// assert_eq!(divide.run((6, 2)).await?.outcome, TestOutcome::Completed(3));
/// assert_eq!(divide.run((6, 1)).await?.outcome, TestOutcome::Failed(Failure::new("that is too easy")));
/// let TestOutcome::Panicked(message) = divide.run((6, 0)).await?.outcome else { panic!("it divides by zero") };
/// assert_eq!(message, "attempt to divide by zero");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TestOutcome<O, E> {
    /// The handler returned this output.
    Completed(O),
    /// The handler returned this error, in its last attempt.
    Failed(E),
    /// The handler panicked, with this message: of at most about 1 KiB, and `no message` if it has none.
    Panicked(String),
    /// The output, the error or an item can't be written as JSON, or an item is larger than the whole buffer. The text says
    /// which, and why.
    Unserializable(String),
    /// The task was cancelled before it was done.
    Cancelled(CancelReason),
    /// This time limit ended the task.
    TimedOut(TimeLimit),
}

/// The progress of a task in a test, without its rate and the time left.
///
/// Build one from what you expect and [`default`](Self::default), which is the progress of a task that has reported
/// nothing:
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use tauri_plugin_tasks::test::TestProgress;
///
/// let half: TestProgress<()> = TestProgress { completed: 1, total: Some(2), ..TestProgress::default() };
/// assert_eq!(half.message, None);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TestProgress<D = ()> {
    /// How many units are done.
    pub completed: u64,
    /// How many units there are in all, if that is known.
    pub total: Option<u64>,
    /// The unit that is counted.
    pub unit: Unit,
    /// What the task is doing, for people.
    pub message: Option<String>,
    /// What the task is doing, as data.
    pub detail: Option<D>,
}

impl<D> Default for TestProgress<D> {
    fn default() -> Self {
        Self { completed: 0, total: None, unit: Unit::None, message: None, detail: None }
    }
}
