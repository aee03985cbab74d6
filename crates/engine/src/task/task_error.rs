use std::{error::Error as StdError, fmt};

use serde::de::DeserializeOwned;

use crate::{CancelReason, FailureKind, Json, Outcome, TimeLimit};

/// How a task ended that has not completed, with the handler's error as an `E`.
///
/// [`TaskHandle::result`](crate::TaskHandle::result) returns it. It is an error itself, so `?` passes it on.
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
    /// The handler's output or error can't be written as JSON, or its input could not be read again for another
    /// attempt.
    #[non_exhaustive]
    Unserializable {
        /// A sentence for people: what can't be written, and why.
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
        Self::Unreadable { message }
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
                    FailureKind::Error => match failure.error.unwrap_or_else(Json::null).read() {
                        Ok(error) => TaskError::Failed { error, message },
                        Err(problem) => TaskError::unreadable("error", &problem),
                    },
                    FailureKind::Panic => TaskError::Panic { message },
                    FailureKind::Unserializable => TaskError::Unserializable { message },
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
            | Self::Unreadable { message } => f.write_str(message),
            Self::Cancelled { reason } => write!(f, "the task was cancelled: {reason}"),
        }
    }
}

impl<E: fmt::Debug> StdError for TaskError<E> {}
