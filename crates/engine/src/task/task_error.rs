use std::{error::Error as StdError, fmt};

use serde::{Deserialize, de::DeserializeOwned};

use super::failure::{CAUSES_LIMIT, MESSAGE_LIMIT};
use crate::{CancelReason, FailureKind, Json, Outcome, TimeLimit, clip::clip};

/// How a task ended that has not completed, with the handler's error as an `E`.
///
/// [`TaskHandle::result`](crate::TaskHandle::result) returns it. It is an error itself, so `?` passes it on. The causes of
/// a [`Failure`](crate::Failure), and the `causes` of any other error that has such a list of texts, are its sources.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use tauri_plugin_tasks::{Failure, TaskContext, TaskError, TaskManager};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let tasks = TaskManager::new(tokio::runtime::Handle::current());
/// let task = tasks.spawn("fails", async |_: TaskContext| Err::<u32, _>(Failure::new("no such host")));
/// match task.result().await {
///     Ok(number) => println!("{number}"),
///     Err(TaskError::Failed { error, .. }) => assert_eq!(error.message, "no such host"),
///     Err(other) => println!("{other}"),
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TaskError<E = Json> {
    /// The handler returned an error.
    #[non_exhaustive]
    Failed {
        /// The error.
        error: E,
        /// A sentence for people.
        message: String,
        /// What led to it: see [`Error::source`](StdError::source).
        #[doc(hidden)]
        cause: Option<Box<Cause>>,
    },
    /// The handler panicked.
    #[non_exhaustive]
    Panic {
        /// A sentence for people, with what the panic said.
        message: String,
    },
    /// The task was cancelled before it was done.
    #[non_exhaustive]
    Cancelled {
        /// Why.
        reason: CancelReason,
    },
    /// A time limit ended the task.
    #[non_exhaustive]
    TimedOut {
        /// Which limit.
        limit: TimeLimit,
        /// A sentence for people: which limit, and how long it is.
        message: String,
    },
    /// The handler's output, its error or an item can't be written as JSON, an item is larger than the whole buffer, or
    /// the input could not be read again for another attempt.
    #[non_exhaustive]
    Unserializable {
        /// A sentence for people: what can't be written, read or emitted, and why.
        message: String,
    },
    /// The runtime that the handlers run on has ended: it has dropped the handler, or will never run it.
    #[non_exhaustive]
    RuntimeEnded {
        /// A sentence for people.
        message: String,
    },
    /// The output or the error is not of the type that it is read as: the key that the handle was made with has other
    /// types than the handler. [`TaskHandle::outcome`](crate::TaskHandle::outcome) returns the JSON.
    #[non_exhaustive]
    Unreadable {
        /// A sentence for people: what can't be read, and why.
        message: String,
    },
}

impl<E> TaskError<E> {
    fn unreadable(what: &str, problem: &serde_json::Error) -> Self {
        let message =
            format!("the {what} of the task is not of the type that it is read as: {problem}; compare the key's types");
        Self::Unreadable { message: clip(message, MESSAGE_LIMIT).into() }
    }
}

impl Outcome {
    /// Returns the output read as an `O`, or how the task ended otherwise, with the handler's error read as an `E`.
    pub fn into_result<O: DeserializeOwned, E: DeserializeOwned>(self) -> Result<O, TaskError<E>> {
        Err(match self {
            Self::Completed { output } => {
                return output.read().map_err(|problem| TaskError::unreadable("output", &problem));
            }
            Self::Failed(failure) => {
                let message = failure.message;
                match failure.kind {
                    FailureKind::Error => {
                        let json = failure.error.unwrap_or_else(Json::null);
                        match json.read() {
                            Ok(error) => TaskError::Failed { error, message, cause: Cause::of(&json) },
                            Err(problem) => TaskError::unreadable("error", &problem),
                        }
                    }
                    FailureKind::Panic => TaskError::Panic { message },
                    FailureKind::Unserializable => TaskError::Unserializable { message },
                    FailureKind::RuntimeEnded => TaskError::RuntimeEnded { message },
                }
            }
            Self::Cancelled { reason } => TaskError::Cancelled { reason },
            Self::TimedOut { limit, message } => TaskError::TimedOut { limit, message },
        })
    }
}

impl<E> fmt::Display for TaskError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { message, .. }
            | Self::Panic { message }
            | Self::TimedOut { message, .. }
            | Self::Unserializable { message }
            | Self::RuntimeEnded { message }
            | Self::Unreadable { message } => f.write_str(message),
            Self::Cancelled { reason } => write!(f, "the task was cancelled: {reason}"),
        }
    }
}

impl<E: fmt::Debug> StdError for TaskError<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Failed { cause: Some(cause), .. } => Some(&**cause),
            _ => None,
        }
    }
}

/// One of the causes of the error that a handler returned. The next one is its source.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    message: String,
    cause: Option<Box<Self>>,
}

impl Cause {
    /// Returns the first of the error's `causes`, if it has any.
    fn of(error: &Json) -> Option<Box<Self>> {
        #[derive(Deserialize)]
        struct WithCauses {
            causes: Vec<String>,
        }
        let mut causes = error.read::<WithCauses>().ok()?.causes;
        causes.truncate(CAUSES_LIMIT);
        let outermost = |cause, message| Some(Box::new(Self { message, cause }));
        causes.into_iter().rev().fold(None, outermost)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use serde_json::json;

    use super::*;
    use crate::{Failure, TaskContext, TaskManager, task::outcome::TaskFailure};

    #[derive(Debug, thiserror::Error)]
    #[error("could not save the picture")]
    struct Outer(#[source] io::Error);

    fn failed(error: &serde_json::Value) -> TaskError {
        Outcome::Failed(TaskFailure::error("t", error, None)).into_result::<(), Json>().unwrap_err()
    }

    fn sources(error: &dyn StdError) -> Vec<String> {
        std::iter::successors(error.source(), |&cause| cause.source()).map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn a_handler_that_passes_on_the_failure_of_another_task_keeps_its_causes() {
        let tasks = TaskManager::new(tokio::runtime::Handle::current());
        let passing = tasks.clone();
        let passes = tasks.spawn("passes", async move |_: TaskContext| {
            let inner = passing.spawn("inner", async |_: TaskContext| {
                Err::<u32, Failure>(Outer(io::Error::other("disk full")).into())
            });
            Ok::<_, Failure>(inner.result().await?)
        });
        let Err(TaskError::Failed { error, .. }) = passes.result().await else { panic!("it fails") };
        assert_eq!((&*error.message, &*error.causes), ("could not save the picture", &["disk full".to_owned()][..]));
    }

    #[test]
    fn a_long_problem_is_clipped_when_an_error_is_of_another_type() {
        let failure = TaskFailure::error("t", &"x".repeat(5_000), None);
        let other = Outcome::Failed(failure).into_result::<(), bool>().unwrap_err();
        assert!(matches!(other, TaskError::Unreadable { .. }) && other.to_string().len() <= 1_024, "{other}");
    }

    #[test]
    fn the_sources_are_the_causes_that_the_error_has() {
        let error = json!({ "message": "m", "causes": ["a", "b"], "code": 28 });
        assert_eq!(sources(&failed(&error)), ["a", "b"]);
        let none =
            [json!("m"), json!(null), json!({ "message": "m" }), json!({ "causes": [1] }), json!({ "causes": [] })];
        for error in none {
            assert_eq!(sources(&failed(&error)), [""; 0], "{error}");
        }
        let many = json!({ "message": "m", "causes": vec!["c"; 1_000_000] });
        assert_eq!(sources(&failed(&many)).len(), CAUSES_LIMIT);
    }
}
