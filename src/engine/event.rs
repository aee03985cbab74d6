use serde::Serialize;

use super::{CancelReason, FailureKind, Json, Outcome, Progress, TaskId, TaskStatus};

/// A task as it stands at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(any(test, feature = "specta"), derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TaskSnapshot {
    /// Its id.
    pub id: TaskId,
    /// The name it is registered under.
    pub task: String,
    /// Where it stands.
    pub status: TaskStatus,
    /// The number of its newest status change; the first, `queued`, is 1.
    #[cfg_attr(any(test, feature = "specta"), specta(type = specta_typescript::Number))]
    pub sequence: u64,
    /// The label of the webview that it belongs to; `None` when it is the app's.
    pub owner: Option<String>,
    /// How far it has come.
    pub progress: Progress,
    /// Which attempt runs or ran last; 0 before the first.
    pub attempt: u32,
    /// Why it was told to stop, if it was.
    pub cancel_reason: Option<CancelReason>,
    /// Whether it still runs although it was told to stop and its grace period is over.
    pub overdue: bool,
    /// When it was accepted, in milliseconds since 1970.
    #[cfg_attr(any(test, feature = "specta"), specta(type = specta_typescript::Number))]
    pub created_at: u64,
    /// When its first attempt began.
    #[cfg_attr(any(test, feature = "specta"), specta(type = Option<specta_typescript::Number>))]
    pub started_at: Option<u64>,
    /// When it ended.
    #[cfg_attr(any(test, feature = "specta"), specta(type = Option<specta_typescript::Number>))]
    pub ended_at: Option<u64>,
    /// Its input, if its kind shows it (`Task::show_input`) and it is no larger than 4 KiB.
    pub input: Option<Json>,
    /// What went wrong, if it failed.
    pub error: Option<ErrorSummary>,
}

/// What went wrong with a task, without the handler's own error.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(any(test, feature = "specta"), derive(specta::Type))]
#[non_exhaustive]
pub struct ErrorSummary {
    /// What sort of failure it is.
    pub kind: FailureKind,
    /// A sentence for people.
    pub message: String,
}

/// Something that happened to one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(any(test, feature = "specta"), derive(specta::Type))]
#[non_exhaustive]
pub struct TaskEvent {
    /// Which task.
    pub id: TaskId,
    /// The number of the newest status change that this event comes with or after.
    #[cfg_attr(any(test, feature = "specta"), specta(type = specta_typescript::Number))]
    pub sequence: u64,
    /// What happened.
    pub change: TaskChange,
}

/// What a [`TaskEvent`] tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(any(test, feature = "specta"), derive(specta::Type))]
#[serde(tag = "type", content = "data", rename_all = "camelCase")]
#[non_exhaustive]
pub enum TaskChange {
    /// The newest progress. Older ones that nobody looked at are never sent.
    Progress(Progress),
    /// A new status, or the same one that became overdue. A final status is a task's last event.
    Status(StatusChange),
    /// Status changes that happened too long ago to be told.
    #[non_exhaustive]
    Gap {
        /// How many.
        #[cfg_attr(any(test, feature = "specta"), specta(type = specta_typescript::Number))]
        missed: u64,
    },
}

/// One step in a task's life.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(any(test, feature = "specta"), derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StatusChange {
    /// The status from now on.
    pub status: TaskStatus,
    /// When, in milliseconds since 1970.
    #[cfg_attr(any(test, feature = "specta"), specta(type = specta_typescript::Number))]
    pub at: u64,
    /// Which attempt; 0 before the first.
    pub attempt: u32,
    /// Why it was told to stop, if it was.
    pub cancel_reason: Option<CancelReason>,
    /// Whether it has outstayed its grace period.
    pub overdue: bool,
    /// How it ended. `None` before the end, and for an outcome of more than 4 KiB, which is to be fetched.
    pub outcome: Option<Outcome>,
    /// What went wrong, if it failed.
    pub error: Option<ErrorSummary>,
}
