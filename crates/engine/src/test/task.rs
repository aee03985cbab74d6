use std::{collections::HashMap, fmt, sync::Arc};

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use tokio::runtime::Handle;

use super::{
    clocks::TestMachine,
    notes::{Notes, Returned},
    report::TestReport,
    run::{Started, TestRun},
};
use crate::{
    Error, Json, Never, StartOptions, TaskContext, TaskId, TaskManager, Unread,
    policy::{Policy, item_buffer::Bounds},
    record::Kind,
    run::{engine::Settings, handler::Errors, runtimes::Runtimes, start::Start},
    task::owner::Owner,
};

/// A handler to run in a test, without an app.
///
/// It runs on the engine that runs it in an app, so all that the documentation says of tasks holds. `In`, `O`, `E`, `D` and
/// `I` are the types of its input, output, error, progress detail and items, which a test infers. One `TestTask` may be run
/// many times.
///
/// # Time
///
/// With `#[tokio::test(start_paused = true)]`, time stands still while anything can go on, and then leaps to the next moment
/// at which something is due. So a handler that sleeps for an hour takes no time, and each run of the test is the same.
/// Tokio needs its feature `test-util` for that, which this kit turns on.
///
/// - **Blocking work.** Paused time stands still until work in [`spawn_blocking`](crate::TaskContext::spawn_blocking), the
///   handler's or tokio's own, has returned. That includes the files of `tokio::fs`. So a time limit never comes while such
///   work goes on, nor is the task ever `overdue`: test these in real time. Work that waits for a cancel waits for the test:
///   let the handler begin it with [`settle`](TestRun::settle) or come to a report with [`until`](TestRun::until), and not
///   by letting time pass.
/// - **Real input and output**, such as a socket, breaks paused time: tokio takes a handler that waits for it for idle, and
///   lets time leap, past all time limits. Call [`tokio::time::resume`] first in such a test, or don't start it paused. Then
///   the kit works as well, in real time.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use tauri_plugin_tasks::{CancelReason, Failure, TaskContext, test::{TestOutcome, TestTask}};
///
/// async fn count(ctx: TaskContext<(), u64>, to: u64) -> Result<(), Failure> {
///     for number in 1..=to {
///         ctx.emit(number).await;
///         tokio::time::sleep(std::time::Duration::from_secs(1)).await;
///     }
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
/// let mut run = TestTask::new(count).start(1_000)?;
/// assert_eq!(run.next_item().await, Some(1));
/// assert_eq!(run.next_item().await, Some(2));
/// run.cancel(CancelReason::User);
/// let report = run.finish().await;
/// assert_eq!(report.outcome, TestOutcome::Cancelled(CancelReason::User));
/// assert_eq!(report.items, [1, 2]);
/// # Ok(()) }
/// ```
pub struct TestTask<In, O, E, D = (), I = Never> {
    name: String,
    policy: Policy,
    errors: Errors<E>,
    handler: Arc<Handler<In, O, E, D, I>>,
}

/// What [`TestTask::of`] takes: a kind that needs no app.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be tested without an app",
    label = "not a kind whose handler takes a `TaskContext` and an input",
    note = "if its handler takes the app, test it with `Task::test_with`"
)]
pub trait IntoTestTask<In, O, E, D, I> {
    /// Returns the test of this kind.
    fn into_test_task(self) -> TestTask<In, O, E, D, I>;
}

type Handler<In, O, E, D, I> = dyn Fn(TaskContext<D, I>, In) -> BoxFuture<'static, Result<O, E>> + Send + Sync;

/// No item has to wait for a reader.
const UNBOUNDED: Bounds = Bounds { items: usize::MAX, bytes: usize::MAX };

impl<In, O, E, D, I> TestTask<In, O, E, D, I> {
    /// Returns a test of `handler` alone: one attempt, no time limits, and a grace period of 5 seconds after a cancel. Its
    /// items need no reader: it never waits in [`emit`](TaskContext::emit), and no item is too large.
    ///
    /// A handler that takes the app is tested with `Task::test_with`, or passed as a closure:
    /// `TestTask::new(move |ctx, input| export(app.clone(), ctx, input))`.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskContext, test::{TestOutcome, TestTask}};
    ///
    /// async fn double(_ctx: TaskContext, number: u32) -> Result<u32, Failure> {
    ///     Ok(number * 2)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
    /// let report = TestTask::new(double).run(21).await?;
    /// assert_eq!(report.outcome, TestOutcome::Completed(42));
    /// # Ok(()) }
    /// ```
    pub fn new<F, Fut>(handler: F) -> Self
    where
        F: Fn(TaskContext<D, I>, In) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
    {
        let policy = Policy { item_buffer: UNBOUNDED, ..Policy::default() };
        Self::with(String::from("test"), policy, Errors::default(), handler)
    }

    /// Returns a test of a whole kind: its handler and its rules. In a crate that registers kinds with `Task`, that is what
    /// to pass: `TestTask::of(Task::new("download", download).retry(Retry::attempts(3)))`, or what a
    /// function of the app returns, so that the test has [the app's own rules](crate::test#the-rules-of-the-app). A kind whose handler takes the app is tested with `Task::test_with` instead.
    ///
    /// Retries and time limits hold, and what happens when the owner goes or the app exits. So do
    /// `Task::item_buffer` and `Task::unread`, if either of them says something else than the default. Then a handler may
    /// have to wait for a reader, which the test is from its first [`next_item`](TestRun::next_item) on. Otherwise its items
    /// need no reader, as with [`new`](Self::new). Limits on how many tasks run or wait have no effect, since each run has
    /// an engine of its own: test `Task::concurrency`, groups and queues with `TestApp`.
    ///
    /// The delays of [`Backoff::exponential`](crate::Backoff::exponential) are partly random, so don't compare
    /// [`elapsed`](TestReport::elapsed) with a fixed time.
    ///
    /// # Panics
    ///
    /// Panics if the rules can't be meant, as the app then doesn't start: see the section Mistakes of `Task`.
    pub fn of(task: impl IntoTestTask<In, O, E, D, I>) -> Self {
        task.into_test_task()
    }

    /// Returns a test of a kind with these properties. For what converts into a `TestTask`.
    #[doc(hidden)]
    pub fn with_policy<F, Fut>(name: String, mut policy: Policy, errors: Errors<E>, handler: F) -> Self
    where
        F: Fn(TaskContext<D, I>, In) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
    {
        if policy.item_buffer == Bounds::default() && policy.unread == Unread::default() {
            policy.item_buffer = UNBOUNDED;
        }
        Self::with(name, policy, errors, handler)
    }

    fn with<F, Fut>(name: String, policy: Policy, errors: Errors<E>, handler: F) -> Self
    where
        F: Fn(TaskContext<D, I>, In) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
    {
        let handler = Arc::new(move |context: TaskContext<D, I>, input: In| -> BoxFuture<'static, Result<O, E>> {
            Box::pin(handler(context, input))
        });
        Self { name, policy, errors, handler }
    }

    /// Makes the first call of the handler attempt number `attempt`, from 1, as if those before had failed:
    /// [`TaskContext::attempt`] returns it, and [`Retry::attempts`](crate::Retry::attempts) counts from there.
    ///
    /// # Panics
    ///
    /// Panics if `attempt` is 0, or more than the attempts that the kind's [`Retry`](crate::Retry) allows.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Failure, TaskContext, test::{TestOutcome, TestTask}};
    ///
    /// async fn fetch(ctx: TaskContext, (): ()) -> Result<&'static str, Failure> {
    ///     Ok(if ctx.attempt() < 3 { "main server" } else { "mirror" })
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
    /// let report = TestTask::new(fetch).attempt(3).run(()).await?;
    /// assert_eq!(report.outcome, TestOutcome::Completed("mirror"));
    /// assert_eq!(report.attempts, 1, "it was called once");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        assert!(attempt > 0, "attempts are counted from 1: call attempt(1), or leave it out, for the first one");
        if let Some(retry) = &self.policy.retry {
            assert!(
                retry.allows(attempt),
                "task \"{}\" has no attempt {attempt}, since {retry:?} allows fewer: call attempt with a smaller number",
                self.name
            );
        }
        self.policy.first_attempt = attempt;
        self
    }
}

impl<In, O, E, D, I> TestTask<In, O, E, D, I>
where
    In: DeserializeOwned + Send + 'static,
    O: Serialize + Send + 'static,
    E: Serialize + Send + 'static,
    D: Send + 'static,
    I: Send + 'static,
{
    /// Starts a task that runs the handler with `input`: anything that serializes to what the handler reads, so also
    /// `serde_json::json!`. Returns at once. The handler begins when the test awaits something.
    ///
    /// Fails with [`ErrorKind::Unserializable`](crate::ErrorKind::Unserializable) when `input` can't be written as JSON,
    /// and with [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when it isn't what the handler reads.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{ErrorKind, Failure, TaskContext, test::TestTask};
    ///
    /// async fn double(_ctx: TaskContext, number: u32) -> Result<u32, Failure> {
    ///     Ok(number * 2)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let error = TestTask::new(double).start("twenty-one").unwrap_err();
    /// assert_eq!(error.kind, ErrorKind::InvalidInput);
    /// # }
    /// ```
    pub fn start(&self, input: impl Serialize) -> Result<TestRun<O, E, D, I>, Error> {
        let input = Json::new(&input).map_err(|problem| Error::unserializable("the input", &problem))?;
        let notes = Arc::new(Notes::new());
        let machine = TestMachine::new();
        let kind = Arc::new(self.kind(&notes));
        let kinds = HashMap::from([(Arc::clone(&kind.name), kind)]);
        let tasks =
            TaskManager::with_kinds(Runtimes::one(Handle::current()), kinds, Settings::default(), machine.clocks());
        let owner = Owner::Other { label: "test".into(), token: 0 };
        let start = Start {
            id: TaskId::new(),
            task: &self.name,
            input,
            owner: owner.clone(),
            options: StartOptions::new(),
            sees: &|_| true,
        };
        let follower = tasks.engine.start(start)?;
        let first_attempt = self.policy.first_attempt;
        Ok(TestRun::new(Started { tasks, follower, owner, machine, notes, first_attempt }))
    }

    /// Runs the handler with `input` to the end of its task: [`start`](Self::start) and [`finish`](TestRun::finish) in one.
    /// Fails as `start` does, and panics as both.
    pub async fn run(&self, input: impl Serialize) -> Result<TestReport<O, E, D, I>, Error>
    where
        D: Clone,
    {
        Ok(self.start(input)?.finish().await)
    }

    fn kind(&self, notes: &Arc<Notes<O, E, D, I>>) -> Kind {
        let (handler, notes) = (Arc::clone(&self.handler), Arc::clone(notes));
        Kind::new(&*self.name, self.policy.clone(), self.errors_of_returned(), move |context, input| {
            let notes = Arc::clone(&notes);
            let work = handler(notes.listen(context), input);
            async move {
                let returned = notes.gate.pass(work).await;
                let (output, errors) = (Arc::clone(&notes.output), Arc::clone(&notes.errors));
                returned
                    .map(|value| Returned::new(value, move |value| *output.lock() = Some(value)))
                    .map_err(|error| Returned::new(error, move |error| errors.lock().push(error)))
            }
        })
    }

    fn errors_of_returned(&self) -> Errors<Returned<E>> {
        let Errors { describe, retry_if } = self.errors.clone();
        Errors {
            describe: describe.map(|describe| Arc::new(move |error: &Returned<E>| describe(error.value())) as _),
            retry_if: retry_if.map(|retry_if| Arc::new(move |error: &Returned<E>| retry_if(error.value())) as _),
        }
    }
}

impl<In, O, E, D, I> Clone for TestTask<In, O, E, D, I> {
    fn clone(&self) -> Self {
        let Self { name, policy, errors, handler } = self;
        let (name, policy, errors) = (name.clone(), policy.clone(), errors.clone());
        Self { name, policy, errors, handler: Arc::clone(handler) }
    }
}

impl<In, O, E, D, I> fmt::Debug for TestTask<In, O, E, D, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestTask").field("name", &self.name).field("policy", &self.policy).finish_non_exhaustive()
    }
}
