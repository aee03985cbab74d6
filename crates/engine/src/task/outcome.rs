use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};

use super::{
    cancel_reason::CancelReason,
    failure::{MESSAGE_BYTES, MESSAGE_LIMIT},
};
use crate::{
    Json, TimeLimit,
    clip::{Limit, clip},
};

/// How a task ended.
///
/// A minor version may add ways to end: keep a branch for the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(tag = "status", content = "data", rename_all = "camelCase")]
#[non_exhaustive]
pub enum Outcome {
    /// The handler returned its output.
    #[non_exhaustive]
    Completed {
        /// What it returned. [`Outcome::output`] reads it; [`Json::text`] returns its JSON.
        output: Json,
    },
    /// The handler returned an error, panicked, returned or emitted something that can't be sent, or its runtime ended.
    Failed(TaskFailure),
    /// The task was cancelled before it was done.
    #[non_exhaustive]
    Cancelled {
        /// Why.
        reason: CancelReason,
    },
    /// A time limit ended the task, or kept it from running at all.
    #[non_exhaustive]
    TimedOut {
        /// Which limit.
        limit: TimeLimit,
        /// A sentence for people: which limit, and how long it is.
        message: String,
    },
}

impl Outcome {
    /// Returns the output of a completed task, read as a `T`, or `None` if the task ended in another way. Fails when the
    /// output isn't a `T`.
    pub fn output<T: DeserializeOwned>(&self) -> Result<Option<T>, serde_json::Error> {
        match self {
            Self::Completed { output } => output.read().map(Some),
            _ => Ok(None),
        }
    }

    /// Returns its approximate size as JSON, in bytes, without the parts that every outcome has.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Completed { output } => output.len(),
            Self::Failed(failure) => failure.message.len() + failure.error.as_ref().map_or(0, Json::len),
            Self::TimedOut { message, .. } => message.len(),
            Self::Cancelled { reason } => reason.as_str().len(),
        }
    }
}

// If the data came before the status, serde would buffer it, and its buffer takes no number of more than 64 bits.
impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        enum Status {
            Completed,
            Failed,
            Cancelled,
            TimedOut,
        }
        #[derive(Deserialize)]
        struct Sent {
            status: Status,
            data: Json,
        }
        #[derive(Deserialize)]
        struct Completed {
            output: Json,
        }
        #[derive(Deserialize)]
        struct Cancelled {
            reason: CancelReason,
        }
        #[derive(Deserialize)]
        struct TimedOut {
            limit: TimeLimit,
            message: String,
        }
        let Sent { status, data } = Sent::deserialize(deserializer)?;
        let outcome = match status {
            Status::Completed => data.read().map(|Completed { output }| Self::Completed { output }),
            Status::Failed => data.read().map(Self::Failed),
            Status::Cancelled => data.read().map(|Cancelled { reason }| Self::Cancelled { reason }),
            Status::TimedOut => data.read().map(|TimedOut { limit, message }| Self::TimedOut { limit, message }),
        };
        outcome.map_err(D::Error::custom)
    }
}

/// Why a task failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[non_exhaustive]
pub struct TaskFailure {
    /// The sort of failure.
    pub kind: FailureKind,
    /// A sentence for people.
    pub message: String,
    /// The error that the handler returned; `None` for the other sorts of failure.
    pub error: Option<Json>,
}

impl<'de> Deserialize<'de> for TaskFailure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Sent {
            kind: FailureKind,
            message: String,
            error: Option<Json>,
        }
        let Sent { kind, message, error } = Sent::deserialize(deserializer)?;
        // An error may be `null` itself, such as `()`.
        let error = if kind == FailureKind::Error { error.or_else(|| Some(Json::null())) } else { error };
        Ok(Self { kind, message, error })
    }
}

/// The sort of a [`TaskFailure`]. A minor version may add sorts: keep a branch for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum FailureKind {
    /// The handler returned an error.
    Error,
    /// The handler panicked.
    Panic,
    /// The handler's output, its error or an item can't be written as JSON, an item is larger than the whole buffer, or
    /// the input could not be read again for another attempt.
    Unserializable,
    /// The runtime that the handlers run on has ended: it has dropped the handler, or will never run it.
    RuntimeEnded,
}

impl TaskFailure {
    /// Returns the failure of a handler that returned `error`. `description` is the message, if the app has one for the
    /// error.
    pub(crate) fn error(name: &str, error: &impl Serialize, description: Option<String>) -> Self {
        match Json::new(error) {
            Ok(json) => {
                let message = description.unwrap_or_else(|| error_message(name, &json));
                Self { kind: FailureKind::Error, message: clip(message, MESSAGE_LIMIT).into(), error: Some(json) }
            }
            Err(problem) => Self::unserializable(name, "error", &problem),
        }
    }

    pub(crate) fn unserializable(name: &str, what: &str, problem: &serde_json::Error) -> Self {
        let says = |problem: &str| {
            format!(
                "the {what} of task \"{name}\" can't be written as JSON: {problem}; check its Serialize implementation"
            )
        };
        // Only the problem is shortened, unless the name of the task is too long by itself.
        let room = MESSAGE_BYTES.saturating_sub(says("").len()).max("…".len());
        let message = says(&clip(problem.to_string(), Limit::Bytes(room)));
        Self { kind: FailureKind::Unserializable, message: clip(message, MESSAGE_LIMIT).into(), error: None }
    }

    /// Returns the failure of a task whose input can't be read again, or which emitted an item that can't be delivered.
    pub(crate) fn of_value(error: &crate::Error) -> Self {
        Self { kind: FailureKind::Unserializable, message: clip(&error.message, MESSAGE_LIMIT).into(), error: None }
    }

    pub(crate) fn runtime_ended(name: &str) -> Self {
        let message = format!(
            "task \"{name}\" failed because the runtime that handlers run on has ended; keep it until the app ends"
        );
        Self { kind: FailureKind::RuntimeEnded, message: clip(message, MESSAGE_LIMIT).into(), error: None }
    }

    pub(crate) fn panic(name: &str, payload: Box<dyn Any + Send>) -> Self {
        let said = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".into());
        // A payload of the handler's own type may panic again when it is dropped.
        if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(another);
        }
        Self {
            kind: FailureKind::Panic,
            message: clip(format!("task \"{name}\" panicked: {said}"), MESSAGE_LIMIT).into(),
            error: None,
        }
    }
}

/// Returns a message for an error of any type: its text, its `message` field, or its JSON.
fn error_message(name: &str, error: &Json) -> String {
    #[derive(Deserialize)]
    struct WithMessage {
        message: String,
    }
    if let Ok(text) = error.read::<String>() {
        return text;
    }
    if let Ok(WithMessage { message }) = error.read() {
        return message;
    }
    format!("task \"{name}\" failed: {}", error.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_any_type_has_a_message() {
        assert_eq!(TaskFailure::error("t", &"no such host", None).message, "no such host");
        assert_eq!(
            TaskFailure::error("t", &serde_json::json!({ "message": "disk full", "code": 28 }), None).message,
            "disk full"
        );
        assert_eq!(
            TaskFailure::error("t", &serde_json::json!({ "http": 404 }), None).message,
            r#"task "t" failed: {"http":404}"#
        );
    }

    #[test]
    fn an_error_that_cannot_be_written_as_json_is_reported() {
        let keys = std::collections::HashMap::from([((1, 2), 3)]);
        let failure = TaskFailure::error("t", &keys, None);
        assert_eq!(failure.kind, FailureKind::Unserializable);
        assert!(failure.message.contains("the error of task \"t\""), "{}", failure.message);
    }

    #[test]
    fn every_message_is_within_the_limit_whatever_is_long() {
        for (name, problem) in [("t", 2_000), ("t", 900), (&*"n".repeat(2_000), 2_000), (&*"n".repeat(2_000), 1)] {
            let problem = "é".repeat(problem);
            let of_serde: serde_json::Error = serde::ser::Error::custom(&problem);
            let failures = [
                TaskFailure::unserializable(name, "output", &of_serde),
                TaskFailure::of_value(&crate::Error::unserializable("the item", &of_serde)),
                TaskFailure::of_value(&crate::Error::invalid_input(name, ".", &problem)),
                TaskFailure::error(name, &problem, None),
                TaskFailure::error(name, &[&problem], None),
                TaskFailure::error(name, &1, Some(problem.clone())),
                TaskFailure::panic(name, Box::new(problem.clone())),
                TaskFailure::runtime_ended(name),
            ];
            let late = TimeLimit::Stalled.message(name, std::time::Duration::from_secs(1));
            for message in failures.map(|failure| failure.message).into_iter().chain([late]) {
                assert!(message.len() <= 1_024, "{} bytes: {message}", message.len());
            }
        }
        let of_serde: serde_json::Error = serde::ser::Error::custom("x".repeat(2_000));
        let clipped = TaskFailure::unserializable("t", "output", &of_serde).message;
        assert!(clipped.len() == 1_024 && clipped.ends_with("x…; check its Serialize implementation"), "{clipped}");
    }

    #[test]
    fn the_message_of_a_panic_is_kept_up_to_the_limit() {
        let failure = TaskFailure::panic("t", Box::new("index out of bounds"));
        assert_eq!(failure.message, "task \"t\" panicked: index out of bounds");
        let long = TaskFailure::panic("t", Box::new("é".repeat(2_000)));
        assert!((1_020..=1_024).contains(&long.message.len()) && long.message.ends_with('…'));
    }
}
