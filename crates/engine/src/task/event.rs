use serde::Serialize;

use crate::{CancelReason, FailureKind, Json, Outcome, Progress, TaskId, TaskStatus, TimeLimit};

/// A task at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TaskSnapshot {
    /// Its id.
    pub id: TaskId,
    /// The number of its arrival, from 1. Of two tasks, the one that was accepted earlier has the lower number; a batch
    /// comes before its members, and these have the order of their inputs. Lists are sorted by it.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub order: u64,
    /// The name of its kind.
    pub task: String,
    /// Its status.
    pub status: TaskStatus,
    /// The number of its newest status change; the first, `queued`, is 1.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub sequence: u64,
    /// The label of its owner; `None` if the app owns it.
    pub owner: Option<String>,
    /// How far it has come.
    pub progress: Progress,
    /// The number of the attempt that runs or ran last; 0 before the first.
    pub attempt: u32,
    /// Why it was cancelled, if it was.
    pub cancel_reason: Option<CancelReason>,
    /// The time limit that it reached, if any.
    pub time_limit: Option<TimeLimit>,
    /// Whether it still runs although it was told to stop and its grace period is over.
    pub overdue: bool,
    /// Its place in its queue, while it is queued. `None` once its turn has come, even if it still waits for a free
    /// thread.
    pub queue: Option<QueuePlace>,
    /// When its next attempt may begin, in milliseconds since 1970, if it waits for a time: after a failed attempt, or
    /// for the delay it was started with.
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub next_attempt_at: Option<u64>,
    /// When it was accepted, in milliseconds since 1970.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub created_at: u64,
    /// When its first attempt began, in milliseconds since 1970.
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub started_at: Option<u64>,
    /// When it ended, in milliseconds since 1970.
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub ended_at: Option<u64>,
    /// Its input, if its kind shows it (`Task::show_input`) and it is no larger than 4 KiB.
    pub input: Option<Json>,
    /// What went wrong: why the task failed, or why its last attempt did, until the next one begins.
    pub error: Option<ErrorSummary>,
    /// The key it was started with. Of the tasks of a kind with the same key only one runs at a time.
    pub key: Option<String>,
    /// A name for people.
    pub label: Option<String>,
    /// The tags it was started with.
    pub tags: Vec<String>,
    /// The batch that it is a member of.
    pub parent: Option<TaskId>,
    /// The tasks that its handler waits for, at most 100 of them: tasks that it has started, or the reader of its items
    /// that has started it. While there are any, it has lent its slots: it is shown as running, but counts for no limit.
    /// They stay until it has its slots back.
    pub waits_for: Vec<TaskId>,
    /// How many members it has, if it is a batch.
    pub members: Option<u32>,
}

/// The place of a waiting task in its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[non_exhaustive]
pub struct QueuePlace {
    /// Its position among the waiting tasks of its kind, or of its batch if the batch has a limit of its own. The first
    /// is 1; 1,000 stands for every position from there on. `None` while it may not run yet: it is held, its delay is
    /// not over, or an earlier task has its key. Also `None` in an event that says that its turn has come, but that it
    /// still waits for a free thread.
    pub position: Option<u32>,
    /// Tasks with a higher priority run earlier.
    pub priority: i32,
    /// Whether it is held.
    pub held: bool,
}

/// What went wrong with a task, without the value that the handler returned.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[non_exhaustive]
pub struct ErrorSummary {
    /// What sort of failure it is.
    pub kind: FailureKind,
    /// A sentence for people.
    pub message: String,
}

/// Something that happened to one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[non_exhaustive]
pub struct TaskEvent {
    /// The task that it happened to.
    pub id: TaskId,
    /// The number of the newest status change at the time of this event, which may be this event itself.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub sequence: u64,
    /// What happened.
    pub change: TaskChange,
}

/// The change that a [`TaskEvent`] reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(tag = "type", content = "data", rename_all = "camelCase")]
#[non_exhaustive]
pub enum TaskChange {
    /// The newest progress. Values that it has replaced are not sent.
    Progress(Progress),
    /// A new status, or the same status of a task that became overdue. A final status is a task's last event.
    Status(StatusChange),
    /// A change of its position, its priority or its hold in the queue. Only the newest is sent.
    Queue(QueuePlace),
    /// The tasks that it waits for, as in [`TaskSnapshot::waits_for`]. Only the newest are sent; none after its end.
    WaitsFor(Vec<TaskId>),
    /// Status changes that are too old to be sent.
    #[non_exhaustive]
    Gap {
        /// The number of those changes.
        #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
        missed: u64,
    },
}

/// One step in a task's life.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StatusChange {
    /// The new status.
    pub status: TaskStatus,
    /// When it changed, in milliseconds since 1970.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub at: u64,
    /// The number of the attempt that runs or ran last; 0 before the first.
    pub attempt: u32,
    /// Why the task was cancelled, if it was.
    pub cancel_reason: Option<CancelReason>,
    /// The time limit that it reached, if any.
    pub time_limit: Option<TimeLimit>,
    /// Whether it still runs although it was told to stop and its grace period is over.
    pub overdue: bool,
    /// When its next attempt may begin, in milliseconds since 1970, if it waits for a time.
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub next_attempt_at: Option<u64>,
    /// When it ended, in milliseconds since 1970; `None` unless the new status is final. It tells whether a status that a
    /// reader doesn't know is final.
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub ended_at: Option<u64>,
    /// How it ended. `None` before the end, and for an outcome of more than 4 KiB, which the caller has to fetch.
    pub outcome: Option<Outcome>,
    /// What went wrong, if the task or its attempt failed.
    pub error: Option<ErrorSummary>,
}
