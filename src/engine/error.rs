use serde::Serialize;

use super::{Json, TaskId, TaskStatus};

/// What a command or a call on [`TaskManager`](super::TaskManager) is refused with.
///
/// It reaches the page as `{ kind, message, data }`; the message says what to do next.
#[derive(Debug, Clone, Serialize, thiserror::Error)]
#[cfg_attr(any(test, feature = "specta"), derive(specta::Type))]
#[serde(rename = "WireError")] // `Error` would shadow the global type in TypeScript.
#[error("{message}")]
#[non_exhaustive]
pub struct Error {
    /// The kind of refusal, to branch on.
    pub kind: ErrorKind,
    /// A sentence for people.
    pub message: String,
    /// More about it, where the kind says so.
    pub data: Option<Json>,
}

/// The kinds of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "specta"), derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The page's package and the crate speak different versions of the protocol.
    ProtocolMismatch,
    /// The session was closed, or never was: open a new one.
    SessionGone,
    /// No task is registered under this name.
    UnknownTask,
    /// The scope of the caller's permission doesn't name this task.
    NotAllowed,
    /// The input doesn't fit the task's input type; `data` is `{ "path": "the.field" }`.
    InvalidInput,
    /// The id is not a UUID, or is not free.
    InvalidId,
    /// No task with this id that the caller may see.
    NotFound,
    /// The task has ended already; `data` is `{ "status": … }`.
    AlreadyEnded,
    /// The task has not ended yet.
    NotEnded,
    /// A value is over its size limit; `data` is `{ "limit": bytes, "size": bytes }`.
    TooLarge,
    /// A value can't be written as JSON.
    Unserializable,
    /// The task has ended and its outcome is not kept any more.
    OutcomeExpired,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), data: None }
    }

    pub(crate) fn with_data(mut self, data: &impl Serialize) -> Self {
        self.data = Json::new(data).ok();
        self
    }

    pub(crate) fn unknown_task(name: &str) -> Self {
        Self::new(
            ErrorKind::UnknownTask,
            format!(
                "no task named \"{name}\" is registered: check the spelling, or add .task(Task::new(\"{name}\", …)) to the \
                 tauri_plugin_tasks::Builder of this app"
            ),
        )
    }

    pub(crate) fn invalid_input(name: &str, path: &str, problem: &str) -> Self {
        let field = if path == "." { "the input" } else { path };
        Self::new(
            ErrorKind::InvalidInput,
            format!("the input of task \"{name}\" does not fit its type: {field}: {problem}"),
        )
        .with_data(&serde_json::json!({ "path": if path == "." { "" } else { path } }))
    }

    /// The same words whether the id is foreign, reused or removed, so that they tell nothing.
    pub(crate) fn invalid_id(id: TaskId) -> Self {
        Self::new(
            ErrorKind::InvalidId,
            format!("the id {id} can't be used for this start: make a new one for each task"),
        )
    }

    pub(crate) fn not_found(id: TaskId) -> Self {
        Self::new(
            ErrorKind::NotFound,
            format!(
                "there is no task {id}: it was never started, was removed, or has ended and made room for newer ones"
            ),
        )
    }

    /// The same words whether the id is unknown or belongs to somebody else.
    pub(crate) fn not_visible(id: &str) -> Self {
        Self::new(
            ErrorKind::NotFound,
            format!(
                "there is no task {id} here: it was removed or never started, or it belongs to another window and this window's \
                 capability has no scope entry with \"owner\": \"any\" for it (tasks:observe-all and tasks:control-all have one for every task)"
            ),
        )
    }

    pub(crate) fn already_ended(name: &str, status: TaskStatus) -> Self {
        let how = match status {
            TaskStatus::Completed => "completed",
            TaskStatus::Failed => "failed",
            TaskStatus::TimedOut => "timed out",
            _ => "been cancelled",
        };
        Self::new(
            ErrorKind::AlreadyEnded,
            format!("task \"{name}\" has already {how}: there is nothing left to cancel, its outcome can be read"),
        )
        .with_data(&serde_json::json!({ "status": status }))
    }

    pub(crate) fn not_ended(name: &str) -> Self {
        Self::new(
            ErrorKind::NotEnded,
            format!("task \"{name}\" has not ended yet: cancel it and wait for its end before it is removed"),
        )
    }

    pub(crate) fn too_large(what: &str, size: usize, limit: usize) -> Self {
        Self::new(
            ErrorKind::TooLarge,
            format!("{what} takes {size} bytes as JSON and the limit is {limit}: send less, or return it as the task's output"),
        )
        .with_data(&serde_json::json!({ "limit": limit, "size": size }))
    }

    pub(crate) fn unserializable(what: &str, problem: &serde_json::Error) -> Self {
        Self::new(
            ErrorKind::Unserializable,
            format!("{what} can't be written as JSON: {problem}; look at its Serialize implementation"),
        )
    }

    pub(crate) fn outcome_expired(id: TaskId) -> Self {
        Self::new(
            ErrorKind::OutcomeExpired,
            format!(
                "the outcome of task {id} is not kept any more: read it before the task is removed or pushed out by newer ones"
            ),
        )
    }
}
