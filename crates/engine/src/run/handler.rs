//! Erases the types of handlers: inputs, outputs and errors become JSON.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    context::TaskContext,
    error::Error,
    json::Json,
    policy::Policy,
    record::{HandlerFuture, Kind, Record, Work},
    task::{attempt::Attempt, life::Problem, outcome::TaskFailure},
    task_name::FitsHandler,
};

/// How a kind treats the errors of its handler.
pub struct Errors<E> {
    /// Describes an error for people, if its JSON does not.
    pub describe: Option<Describe<E>>,
    /// Says whether another attempt may help after an error; `None` means that one always may.
    pub retry_if: Option<RetryIf<E>>,
}

pub type Describe<E> = Arc<dyn Fn(&E) -> String + Send + Sync>;
pub type RetryIf<E> = Arc<dyn Fn(&E) -> bool + Send + Sync>;

impl<E> Default for Errors<E> {
    fn default() -> Self {
        Self { describe: None, retry_if: None }
    }
}

impl<E> Clone for Errors<E> {
    fn clone(&self) -> Self {
        Self { describe: self.describe.clone(), retry_if: self.retry_if.clone() }
    }
}

impl Kind {
    /// Creates a kind with the name `name`, or that of a key which fits the handler. Its tasks run `handler`.
    pub fn new<D, I, In, O, E, F, Fut>(
        name: impl FitsHandler<In, O, E, D, I>,
        policy: Policy,
        errors: Errors<E>,
        handler: F,
    ) -> Self
    where
        D: 'static,
        I: 'static,
        In: DeserializeOwned + Send + 'static,
        O: Serialize,
        E: Serialize + 'static,
        F: Fn(TaskContext<D, I>, In) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
    {
        let name: Arc<str> = name.task_name().into();
        let task = Arc::clone(&name);
        let handler = Arc::new(handler);
        Self::registered::<I>(name, policy, move |input| {
            let input: In = read_input(&task, input)?;
            let (handler, errors) = (Arc::clone(&handler), errors.clone());
            let start =
                move |record: &_, attempt: &_| erase(record, attempt, errors, |context| handler(context, input));
            Ok(Work::new(&task, start))
        })
    }
}

/// Calls `start` and turns the result of its future into JSON.
pub(crate) fn erase<D, I, O, E, Fut>(
    record: &Arc<Record>,
    attempt: &Arc<Attempt>,
    errors: Errors<E>,
    start: impl FnOnce(TaskContext<D, I>) -> Fut,
) -> HandlerFuture
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
    // A `Deserialize` written by hand may panic. The caller gets an error instead.
    match catch_unwind(AssertUnwindSafe(|| input.read_exactly())) {
        Ok(Ok(input)) => Ok(input),
        Ok(Err(misfit)) => Err(Error::invalid_input(name, &misfit.path, &misfit.problem)),
        Err(panic) => Err(Error::invalid_input(name, ".", &TaskFailure::panic(name, panic).message)),
    }
}
