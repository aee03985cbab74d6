use serde::Serialize;

use crate::{CancelReason, FailureKind, Json, Outcome, Progress, TaskId, TaskStatus, TimeLimit};

/// A task as it stands at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
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
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub sequence: u64,
    /// The label of the webview that it belongs to; `None` when it is the app's.
    pub owner: Option<String>,
    /// How far it has come.
    pub progress: Progress,
    /// Which attempt runs or ran last; 0 before the first.
    pub attempt: u32,
    /// Why it was told to stop, if somebody did.
    pub cancel_reason: Option<CancelReason>,
    /// The time limit that it reached, if it did.
    pub time_limit: Option<TimeLimit>,
    /// Whether it still runs although it was told to stop and its grace period is over.
    pub overdue: bool,
    /// Where it stands in its queue, while it is in one.
    pub queue: Option<QueuePlace>,
    /// When its next attempt may begin, in milliseconds since 1970, if it waits for a time: after a failed attempt, or
    /// for the delay it was started with.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub next_attempt_at: Option<u64>,
    /// When it was accepted, in milliseconds since 1970.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub created_at: u64,
    /// When its first attempt began.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub started_at: Option<u64>,
    /// When it ended.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub ended_at: Option<u64>,
    /// Its input, if its kind shows it (`Task::show_input`) and it is no larger than 4 KiB.
    pub input: Option<Json>,
    /// What went wrong: with a task that failed, or, until its next attempt begins, with its last one.
    pub error: Option<ErrorSummary>,
    /// The key it was started with; no two live tasks of a kind have the same one and run at once.
    pub key: Option<String>,
    /// What people call it.
    pub label: Option<String>,
    /// The tags it was started with.
    pub tags: Vec<String>,
    /// The batch it is a member of.
    pub parent: Option<TaskId>,
    /// How many members it has, if it is a batch.
    pub members: Option<u32>,
}

/// Where a waiting task stands in its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[non_exhaustive]
pub struct QueuePlace {
    /// Its place among the waiting tasks of its kind (of its batch, if that has a limit of its own), from 1, and 1,000 for all
    /// places from there on. `None` while it may not run yet: it is held, its time has not come, or a task with its
    /// key comes first.
    pub position: Option<u32>,
    /// Higher runs earlier.
    pub priority: i32,
    /// Whether somebody holds it.
    pub held: bool,
}

/// What went wrong with a task, without the handler's own error.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[non_exhaustive]
pub struct ErrorSummary {
    /// What sort of failure it is.
    pub kind: FailureKind,
    /// A sentence for people.
    pub message: String,
}

/// Something that happened to one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[non_exhaustive]
pub struct TaskEvent {
    /// Which task.
    pub id: TaskId,
    /// The number of the newest status change that this event comes with or after.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub sequence: u64,
    /// What happened.
    pub change: TaskChange,
}

/// What a [`TaskEvent`] tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "type", content = "data", rename_all = "camelCase")]
#[non_exhaustive]
pub enum TaskChange {
    /// The newest progress. Older ones that nobody looked at are never sent.
    Progress(Progress),
    /// A new status, or the same one that became overdue. A final status is a task's last event.
    Status(StatusChange),
    /// A new place in the queue, or another priority, or held or released. Only the newest is told.
    Queue(QueuePlace),
    /// Status changes that happened too long ago to be told.
    #[non_exhaustive]
    Gap {
        /// How many.
        #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
        missed: u64,
    },
}

/// One step in a task's life.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StatusChange {
    /// The status from now on.
    pub status: TaskStatus,
    /// When, in milliseconds since 1970.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub at: u64,
    /// Which attempt; 0 before the first.
    pub attempt: u32,
    /// Why it was told to stop, if somebody did.
    pub cancel_reason: Option<CancelReason>,
    /// The time limit that it reached, if it did.
    pub time_limit: Option<TimeLimit>,
    /// Whether it has outstayed its grace period.
    pub overdue: bool,
    /// When its next attempt may begin, in milliseconds since 1970, if it waits for a time.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub next_attempt_at: Option<u64>,
    /// How it ended. `None` before the end, and for an outcome of more than 4 KiB, which is to be fetched.
    pub outcome: Option<Outcome>,
    /// What went wrong, if it failed or its attempt did.
    pub error: Option<ErrorSummary>,
}
