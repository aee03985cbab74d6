//! Why a call was refused.

pub(crate) mod error_kind;
pub(crate) mod refusal;

use std::{fmt::Display, sync::Arc};

use serde::Serialize;

use crate::json::{Json, Misfit};
use error_kind::ErrorKind;
use refusal::{Refusal, SECRET};

/// Why a call was refused, for example one on [`TaskManager`](crate::TaskManager).
///
/// As JSON it is `{ kind, message, data }`. The message says what to do next.
#[derive(Debug, Clone, Serialize, thiserror::Error)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(rename = "WireError")] // `Error` would shadow the global type in TypeScript.
#[error("{message}")]
#[non_exhaustive]
pub struct Error {
    /// The kind of refusal, to branch on.
    pub kind: ErrorKind,
    /// A sentence for people.
    pub message: String,
    /// More about the refusal, if the kind says so.
    pub data: Option<Json>,
    /// The facts, for a delivery layer that words the error itself.
    #[serde(skip)]
    pub(crate) refusal: Option<Arc<Refusal>>,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self {
            kind: refusal.kind(),
            message: refusal.to_string(),
            data: refusal.data().and_then(|data| Json::new(&data).ok()),
            refusal: Some(Arc::new(refusal)),
        }
    }
}

impl From<Misfit> for Error {
    fn from(Misfit { path, problem }: Misfit) -> Self {
        Refusal::InvalidOptions { path, problem }.into()
    }
}

/// Refusals that are made in more than one place.
impl Error {
    pub(crate) fn unknown_task(name: &str) -> Self {
        Refusal::UnknownTask { task: name.to_owned() }.into()
    }

    pub(crate) fn unknown_schedule(name: &str) -> Self {
        Refusal::UnknownSchedule { schedule: name.to_owned() }.into()
    }

    pub(crate) fn invalid_cron(expression: &str, problem: &str) -> Self {
        Refusal::InvalidCron { expression: expression.to_owned(), problem: problem.to_owned() }.into()
    }

    /// `path` is `.` if the input as a whole doesn't fit.
    pub(crate) fn invalid_input(name: &str, path: &str, problem: &str) -> Self {
        let path = if path == "." { "" } else { path };
        Refusal::InvalidInput { task: name.to_owned(), path: path.to_owned(), problem: problem.to_owned() }.into()
    }

    /// Turns an error about an input into one about the input of the batch member at index `place`. Returns any other
    /// error unchanged.
    pub(crate) fn of_member(self, place: usize) -> Self {
        let Some(Refusal::InvalidInput { task, path, problem }) = self.refusal.as_deref() else { return self };
        let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        Self::invalid_input(task, &format!("[{place}]{dot}{path}"), problem)
    }

    /// Returns an error about an input without what it says of the input, which may be a part of it: a value, a name of an
    /// object's member, or whatever an implementation of serde's traits puts into its error. Returns any other error
    /// unchanged.
    pub(crate) fn without_input(self) -> Self {
        match self.refusal.as_deref() {
            Some(Refusal::InvalidInput { task, .. }) => Self::invalid_input(task, "", SECRET),
            Some(&Refusal::Unserializable { what, .. }) => {
                Refusal::Unserializable { what, problem: SECRET.to_owned() }.into()
            }
            _ => self,
        }
    }

    pub(crate) fn invalid_id(id: impl Display) -> Self {
        Refusal::IdTaken { id: id.to_string() }.into()
    }

    pub(crate) fn not_found(id: impl Display) -> Self {
        Refusal::NotFound { id: id.to_string() }.into()
    }

    /// `what` says what was to be done to the task, for example "removed".
    pub(crate) fn not_ended(name: &str, what: &'static str) -> Self {
        Refusal::NotEnded { task: name.to_owned(), what }.into()
    }

    pub(crate) fn not_rerunnable(name: &str, why: &'static str) -> Self {
        Refusal::NotRerunnable { task: name.to_owned(), why }.into()
    }

    pub(crate) fn too_large(what: &'static str, size: usize, limit: usize) -> Self {
        Refusal::TooLarge { what, size, limit }.into()
    }

    pub(crate) fn unserializable(what: &'static str, problem: &serde_json::Error) -> Self {
        Refusal::Unserializable { what, problem: problem.to_string() }.into()
    }
}
