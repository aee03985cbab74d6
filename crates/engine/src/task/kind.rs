use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Error, Json, OnExit, OnOwnerClosed, Restart, Retry, TaskContext, TaskFailure, Unread,
    items::buffer::Bounds,
    record::Record,
    task::{attempt::Attempt, counts::Counters},
};

/// How tasks of one kind are treated.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How long a handler that knows its token may go on after a cancel.
    pub grace: Duration,
    /// Whether snapshots show the input.
    pub show_input: bool,
    /// How many may run at once.
    pub concurrency: Option<usize>,
    /// How many may wait.
    pub queue_limit: Option<usize>,
    /// The group whose limit they share.
    pub group: Option<Arc<str>>,
    /// The limits of [`TimeLimit`](crate::TimeLimit).
    pub timeout: Option<Duration>,
    pub attempt_timeout: Option<Duration>,
    pub stall_timeout: Option<Duration>,
    pub deadline: Option<Duration>,
    /// How long they wait before they queue, if their start doesn't say.
    pub delay: Option<Duration>,
    /// Whether failed attempts are made again.
    pub retry: Option<Retry>,
    /// Whether runs that are over are followed by others.
    pub restart: Option<Restart>,
    /// What becomes of them at the app's exit, and when the page that has started them goes.
    pub on_exit: OnExit,
    pub on_owner_closed: OnOwnerClosed,
    /// How much of what they emit is kept until it is read.
    pub item_buffer: Bounds,
    /// What becomes of it when nobody reads.
    pub unread: Unread,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(5),
            show_input: false,
            concurrency: None,
            queue_limit: None,
            group: None,
            timeout: None,
            attempt_timeout: None,
            stall_timeout: None,
            deadline: None,
            delay: None,
            retry: None,
            restart: None,
            on_exit: OnExit::default(),
            on_owner_closed: OnOwnerClosed::default(),
            item_buffer: Bounds::default(),
            unread: Unread::default(),
        }
    }
}

/// What a kind makes of its handler's errors.
pub struct Errors<E> {
    /// What one means in words, if its JSON doesn't say.
    pub describe: Option<fn(&E) -> String>,
    /// Whether another attempt may help; if nothing is said, it may.
    pub retry_if: Option<RetryIf<E>>,
}

pub type RetryIf<E> = Arc<dyn Fn(&E) -> bool + Send + Sync>;

impl<E> Default for Errors<E> {
    fn default() -> Self {
        Self { describe: None, retry_if: None }
    }
}

impl<E> Clone for Errors<E> {
    fn clone(&self) -> Self {
        Self { describe: self.describe, retry_if: self.retry_if.clone() }
    }
}

/// What was wrong with an attempt.
pub(crate) struct Problem {
    pub(crate) failure: TaskFailure,
    /// Whether another attempt may help.
    pub(crate) may_retry: bool,
}

impl From<TaskFailure> for Problem {
    fn from(failure: TaskFailure) -> Self {
        Self { failure, may_retry: false }
    }
}

/// The handler with its input, ready to run once.
pub(crate) type Work = Box<dyn FnOnce(&Arc<Record>, &Arc<Attempt>) -> BoxFuture<'static, Result<Json, Problem>> + Send>;
type Prepare = Box<dyn Fn(&Json) -> Result<Work, Error> + Send + Sync>;

/// A registered kind of work with its types erased: inputs come in and outputs go out as JSON.
pub struct Kind {
    pub(crate) name: Arc<str>,
    pub(crate) policy: Policy,
    /// The tasks of this kind by status; for all that were spawned without a kind, one for all.
    pub(crate) counters: Arc<Counters>,
    prepare: Option<Prepare>,
}

impl Kind {
    pub fn new<D, I, In, O, E, F, Fut>(name: &str, policy: Policy, errors: Errors<E>, handler: F) -> Self
    where
        D: 'static,
        I: 'static,
        In: DeserializeOwned + Send + 'static,
        O: Serialize,
        E: Serialize + 'static,
        F: Fn(TaskContext<D, I>, In) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
    {
        let name: Arc<str> = name.into();
        let task = Arc::clone(&name);
        let handler = Arc::new(handler);
        let prepare: Prepare = Box::new(move |input| {
            let input: In = read_input(&task, input)?;
            let (handler, errors) = (Arc::clone(&handler), errors.clone());
            Ok(Box::new(move |record, attempt| erase(record, attempt, errors, |context| handler(context, input))))
        });
        Self { name, policy, counters: Arc::default(), prepare: Some(prepare) }
    }

    /// Work that is run once and can't be started by name.
    pub(crate) fn ad_hoc(name: &str, counters: &Arc<Counters>) -> Self {
        Self { name: name.into(), policy: Policy::default(), counters: Arc::clone(counters), prepare: None }
    }

    /// What runs as the batch of tasks of this kind.
    pub(crate) fn batch(&self) -> Self {
        let Policy { grace, on_exit, on_owner_closed, .. } = self.policy;
        let policy = Policy { grace, on_exit, on_owner_closed, ..Policy::default() };
        Self { name: Arc::clone(&self.name), policy, counters: Arc::default(), prepare: None }
    }

    /// Whether tasks of it can be started by name.
    pub(crate) fn is_registered(&self) -> bool {
        self.prepare.is_some()
    }

    /// Whether the input fits.
    pub(crate) fn check(&self, input: &Json) -> Result<(), Error> {
        let work = self.prepare(input)?;
        // What the input becomes is the app's own: a panic in its `Drop` is not the caller's.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(work))) {
            tracing::error!(task = &*self.name, "{}", TaskFailure::panic(&self.name, panic).message);
        }
        Ok(())
    }

    /// Reads the input and gets an attempt ready to run.
    pub(crate) fn prepare(&self, input: &Json) -> Result<Work, Error> {
        match &self.prepare {
            Some(prepare) => prepare(input),
            None => Err(Error::unknown_task(&self.name)),
        }
    }
}

/// Runs `start` and turns what comes out into JSON.
pub(crate) fn erase<D, I, O, E, Fut>(
    record: &Arc<Record>,
    attempt: &Arc<Attempt>,
    errors: Errors<E>,
    start: impl FnOnce(TaskContext<D, I>) -> Fut,
) -> BoxFuture<'static, Result<Json, Problem>>
where
    O: Serialize,
    E: Serialize + 'static,
    Fut: Future<Output = Result<O, E>> + Send + 'static,
{
    let name = Arc::clone(&record.kind.name);
    let work = start(TaskContext::new(record, attempt));
    Box::pin(async move {
        let error = match work.await {
            Ok(output) => {
                return Json::new(&output)
                    .map_err(|problem| TaskFailure::unserializable(&name, "output", &problem).into());
            }
            Err(error) => error,
        };
        let may_retry = errors.retry_if.as_ref().is_none_or(|retry_if| retry_if(&error));
        let description = errors.describe.map(|describe| describe(&error));
        Err(Problem { failure: TaskFailure::error(&name, &error, description), may_retry })
    })
}

fn read_input<T: DeserializeOwned>(name: &str, input: &Json) -> Result<T, Error> {
    // A `Deserialize` written by hand may panic; the caller is not the one to pay for it.
    match catch_unwind(AssertUnwindSafe(|| input.read_exactly())) {
        Ok(Ok(input)) => Ok(input),
        Ok(Err(misfit)) => Err(Error::invalid_input(name, &misfit.path, &misfit.problem)),
        Err(panic) => Err(Error::invalid_input(name, ".", &TaskFailure::panic(name, panic).message)),
    }
}
