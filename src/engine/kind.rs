use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};

use super::{Error, Json, TaskContext, TaskFailure, record::Record};

/// How tasks of one kind are treated.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    /// How long a handler that knows its token may go on after a cancel.
    pub(crate) grace: Duration,
    /// Whether snapshots show the input.
    pub(crate) show_input: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { grace: Duration::from_secs(5), show_input: false }
    }
}

pub(super) type Attempt = Box<dyn FnOnce(&Arc<Record>) -> BoxFuture<'static, Result<Json, TaskFailure>> + Send>;
type Prepare = Box<dyn Fn(&Json) -> Result<Attempt, Error> + Send + Sync>;

/// A registered kind of work with its types erased: inputs come in and outputs go out as JSON.
pub(crate) struct Kind {
    pub(super) name: Arc<str>,
    pub(super) policy: Policy,
    prepare: Option<Prepare>,
}

impl Kind {
    /// `describe` says in words what an error of the handler's own type means, if its JSON doesn't.
    pub(crate) fn new<D, I, In, O, E, F, Fut>(
        name: &str,
        policy: Policy,
        describe: Option<fn(&E) -> String>,
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
        let name: Arc<str> = name.into();
        let task = Arc::clone(&name);
        let handler = Arc::new(handler);
        let prepare: Prepare = Box::new(move |input| {
            let input: In = read_input(&task, input)?;
            let handler = Arc::clone(&handler);
            Ok(Box::new(move |record| erase(record, describe, |context| handler(context, input))))
        });
        Self { name, policy, prepare: Some(prepare) }
    }

    /// Work that is run once and can't be started by name.
    pub(super) fn ad_hoc(name: &str) -> Self {
        Self { name: name.into(), policy: Policy::default(), prepare: None }
    }

    /// Reads the input and gets an attempt ready to run.
    pub(super) fn prepare(&self, input: &Json) -> Result<Attempt, Error> {
        match &self.prepare {
            Some(prepare) => prepare(input),
            None => Err(Error::unknown_task(&self.name)),
        }
    }
}

/// Runs `start` and turns what comes out into JSON.
pub(super) fn erase<D, I, O, E, Fut>(
    record: &Arc<Record>,
    describe: Option<fn(&E) -> String>,
    start: impl FnOnce(TaskContext<D, I>) -> Fut,
) -> BoxFuture<'static, Result<Json, TaskFailure>>
where
    O: Serialize,
    E: Serialize + 'static,
    Fut: Future<Output = Result<O, E>> + Send + 'static,
{
    let name = Arc::clone(&record.kind.name);
    let work = start(TaskContext::new(record));
    Box::pin(async move {
        match work.await {
            Ok(output) => Json::new(&output).map_err(|problem| TaskFailure::unserializable(&name, "output", &problem)),
            Err(error) => Err(TaskFailure::error(&name, &error, describe.map(|describe| describe(&error)))),
        }
    })
}

fn read_input<T: DeserializeOwned>(name: &str, input: &Json) -> Result<T, Error> {
    let read = || {
        let mut reader = serde_json::Deserializer::from_str(input.text());
        serde_path_to_error::deserialize(&mut reader)
    };
    // A `Deserialize` written by hand may panic; the caller is not the one to pay for it.
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(input)) => Ok(input),
        Ok(Err(error)) => {
            let problem = error.inner().to_string();
            // Line and column are those of a text that the caller never saw.
            let problem = problem.rfind(" at line ").map_or(&*problem, |end| &problem[..end]);
            Err(Error::invalid_input(name, &error.path().to_string(), problem))
        }
        Err(panic) => Err(Error::invalid_input(name, ".", &TaskFailure::panic(name, panic).message)),
    }
}
