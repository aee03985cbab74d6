use serde::Serialize;

use crate::{
    Json, TaskId, TaskStatus,
    items::buffer::Refusal,
    queue::admission::{QueueFull, Scope},
};

/// What a command or a call on [`TaskManager`](crate::TaskManager) is refused with.
///
/// It reaches the page as `{ kind, message, data }`; the message says what to do next.
#[derive(Debug, Clone, Serialize, thiserror::Error)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
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
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The page's package and the crate speak different versions of the protocol.
    ProtocolMismatch,
    /// The session was closed, or never was: open a new one.
    SessionGone,
    /// No task is registered under this name.
    UnknownTask,
    /// There is no schedule of this name that the caller may see.
    UnknownSchedule,
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
    /// A value is over its size limit, or a batch has too many members; `data` is `{ "limit": number, "size": number }`.
    TooLarge,
    /// A value can't be written as JSON.
    Unserializable,
    /// The task has ended and its outcome is not kept any more.
    OutcomeExpired,
    /// Too many tasks wait already; `data` is `{ "limit": number }`.
    QueueFull,
    /// A live task has this key already; `data` is `{ "id": … }` if the caller may see that task.
    KeyTaken,
    /// The task does not wait in a queue (any more); `data` is `{ "status": … }`.
    NotQueued,
    /// The task did not end badly, or is not of a kind that can be started; there is nothing to try again.
    NotRetriable,
    /// An option of a start doesn't fit, such as too many tags, or a part of a call can't be read.
    InvalidOptions,
    /// The task's items are being read by somebody else.
    Locked,
    /// The reader has stopped or was never there, or asks for what it has let go of.
    ReaderGone,
    /// The handler is over or was told to stop: it can't emit any more.
    Stopped,
    /// An item is not of the type that it is read as.
    InvalidItem,
    /// The app is about to exit, or somebody holds an [`ExitGuard`](crate::ExitGuard): nothing new starts. At an exit nothing is
    /// held either.
    ShuttingDown,
}

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), data: None }
    }

    pub fn with_data(mut self, data: &impl Serialize) -> Self {
        self.data = Json::new(data).ok();
        self
    }

    pub fn unknown_task(name: &str) -> Self {
        Self::new(
            ErrorKind::UnknownTask,
            format!(
                "no task named \"{name}\" is registered: check the spelling, or add .task(Task::new(\"{name}\", …)) to the \
                 tauri_plugin_tasks::Builder of this app"
            ),
        )
    }

    pub fn unknown_schedule(name: &str) -> Self {
        Self::new(
            ErrorKind::UnknownSchedule,
            format!(
                "there is no schedule named \"{name}\": check the spelling against TaskManager::schedules, or add it with \
                 Builder::schedule or TaskManager::schedule; it may have been taken off with TaskManager::unschedule"
            ),
        )
    }

    /// The same words whether the name is unknown or its kind is not visible. `entry`: what the command needs.
    pub fn schedule_not_visible(name: &str, entry: &str) -> Self {
        Self::new(
            ErrorKind::UnknownSchedule,
            format!(
                "there is no schedule named \"{name}\" here: the app has none of this name, or this window's capability has no \
                 scope entry for the task that it runs: add {entry} to the permissions of a capability of this window \
                 (src-tauri/capabilities/*.json), and no \"deny\" that is about that task"
            ),
        )
    }

    pub(crate) fn invalid_cron(expression: &str, problem: &str) -> Self {
        Self::new(
            ErrorKind::InvalidOptions,
            format!(
                "the cron expression \"{expression}\" can't be used: {problem}; write five fields, minute, hour, day of the \
                 month, month, day of the week, or six with the second before them: \"0 3 * * *\" is three every night"
            ),
        )
    }

    pub fn invalid_input(name: &str, path: &str, problem: &str) -> Self {
        let path = if path == "." { "" } else { path };
        let field = if path.is_empty() { "the input" } else { path };
        Self::new(
            ErrorKind::InvalidInput,
            format!("the input of task \"{name}\" does not fit its type: {field}: {problem}"),
        )
        .with_data(&serde_json::json!({ "path": path }))
    }

    /// The same for the input of a batch's member, counted from 0.
    pub(crate) fn of_member(self, name: &str, place: usize) -> Self {
        #[derive(serde::Deserialize)]
        struct Place {
            path: String,
        }
        let Some(Place { path }) = self.data.as_ref().and_then(|data| data.read().ok()) else { return self };
        let prefix = Self::invalid_input(name, &path, "").message;
        let problem = self.message.strip_prefix(&*prefix).unwrap_or(&self.message);
        let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        Self::invalid_input(name, &format!("[{place}]{dot}{path}"), problem)
    }

    /// The same words whether the id is foreign, reused or removed, so that they tell nothing.
    pub fn invalid_id(id: TaskId) -> Self {
        Self::new(
            ErrorKind::InvalidId,
            format!("the id {id} can't be used for this start: make a new one for each task"),
        )
    }

    pub fn not_found(id: TaskId) -> Self {
        Self::new(
            ErrorKind::NotFound,
            format!(
                "there is no task {id}: it was never started, was removed, or has ended and made room for newer ones"
            ),
        )
    }

    /// The same words whether the id is unknown or belongs to somebody else.
    pub fn not_visible(id: &str) -> Self {
        Self::new(
            ErrorKind::NotFound,
            format!(
                "there is no task {id} here: it was removed or never started, or it belongs to another window or to the app, and this window's \
                 capability has no scope entry with \"owner\": \"any\" for it (tasks:observe-all and tasks:control-all have one for every task; to try one again, also give tasks:allow-start one)"
            ),
        )
    }

    pub fn already_ended(name: &str, status: TaskStatus) -> Self {
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

    /// `what` can't be done to it: "removed", for example.
    pub fn not_ended(name: &str, what: &str) -> Self {
        Self::new(
            ErrorKind::NotEnded,
            format!("task \"{name}\" has not ended yet: wait for its end, or cancel it, before it is {what}"),
        )
    }

    pub fn invalid_options(path: &str, problem: &str) -> Self {
        let option = if path == "." { "the options" } else { path };
        Self::new(
            ErrorKind::InvalidOptions,
            format!("this call can't be read: {option}: {problem}; look at the types of tauri-plugin-tasks-api"),
        )
    }

    pub fn too_large(what: &str, size: usize, limit: usize) -> Self {
        Self::new(
            ErrorKind::TooLarge,
            format!("{what} takes {size} bytes as JSON and the limit is {limit}: send less, or return it as the task's output"),
        )
        .with_data(&serde_json::json!({ "limit": limit, "size": size }))
    }

    pub(crate) fn item_too_large(size: usize, limit: usize) -> Self {
        Self::new(
            ErrorKind::TooLarge,
            format!("the item takes {size} bytes as JSON and its buffer holds {limit}: emit it in parts, or raise Task::item_buffer"),
        )
        .with_data(&serde_json::json!({ "limit": limit, "size": size }))
    }

    /// Why a reader of this task gets no items.
    pub fn refused(id: TaskId, refusal: Refusal) -> Self {
        match refusal {
            Refusal::Locked => Self::new(
                ErrorKind::Locked,
                format!(
                    "the items of task {id} are being read already: a task has one reader at a time, so end the other reading \
                     (break out of its loop, or cancel its stream) before this one begins"
                ),
            ),
            Refusal::Gone => Self::new(
                ErrorKind::ReaderGone,
                format!(
                    "this reader of task {id} has stopped, or asks for what it has let go of: read on with a new reader, from \
                     where this one came to"
                ),
            ),
            Refusal::Beyond(next) => Self::invalid_options(
                "from",
                &format!("task {id} has emitted {next} items so far, so {next} is the most that this can be"),
            ),
        }
    }

    pub(crate) fn invalid_item(name: &str, problem: &serde_json::Error) -> Self {
        Self::new(
            ErrorKind::InvalidItem,
            format!("an item of task \"{name}\" is not of the type that it is read as: {problem}"),
        )
    }

    pub fn unserializable(what: &str, problem: &serde_json::Error) -> Self {
        Self::new(
            ErrorKind::Unserializable,
            format!("{what} can't be written as JSON: {problem}; look at its Serialize implementation"),
        )
    }

    pub fn outcome_expired(id: TaskId) -> Self {
        Self::new(
            ErrorKind::OutcomeExpired,
            format!(
                "the outcome of task {id} is not kept any more: read it before the task is removed or pushed out by newer ones"
            ),
        )
    }

    pub(crate) fn shutting_down(name: &str) -> Self {
        Self::new(
            ErrorKind::ShuttingDown,
            format!(
                "task \"{name}\" is not started any more: the app is about to exit; start it when the app runs again"
            ),
        )
    }

    pub(crate) fn not_held_at_exit(name: &str) -> Self {
        Self::new(
            ErrorKind::ShuttingDown,
            format!(
                "task \"{name}\" can't be held any more: the app is about to exit, and waits for it; cancel it instead"
            ),
        )
    }

    pub(crate) fn guarded(name: &str) -> Self {
        Self::new(
            ErrorKind::ShuttingDown,
            format!(
                "task \"{name}\" is not started now: the app holds off new starts (TaskManager::guard), as before an update or a \
                 restart; try again in a moment"
            ),
        )
    }

    pub(crate) fn queue_full(full: &QueueFull) -> Self {
        let QueueFull { of, limit } = full;
        let (whose, place) = match of {
            Scope::Kind(name) => (format!("of task \"{name}\""), format!("the Task \"{name}\"")),
            _ => ("of the app".into(), "tauri_plugin_tasks::Builder".into()),
        };
        Self::new(
            ErrorKind::QueueFull,
            format!(
                "the queue {whose} is full: no more than {limit} may wait, and this start needs more room than is left; start \
                 less at a time, try again later, or raise .queue_limit({limit}) of {place}"
            ),
        )
        .with_data(&serde_json::json!({ "limit": limit }))
    }

    /// `rival` is told only to whom may see it.
    pub(crate) fn key_taken(name: &str, key: &str, rival: Option<TaskId>) -> Self {
        let taken = format!("a live task \"{name}\" has the key \"{key}\" already");
        match rival {
            Some(id) => Self::new(
                ErrorKind::KeyTaken,
                format!(
                    "{taken}, it is {id}: wait for its end, or say with onConflict whether to \"join\", \"replace\" or \
                     \"append\" to it"
                ),
            )
            .with_data(&serde_json::json!({ "id": id })),
            None => Self::new(
                ErrorKind::KeyTaken,
                format!(
                    "{taken}, and it is not this window's own: wait for its end with onConflict \"append\", or, to join or \
                     replace it, add {{ \"identifier\": \"tasks:allow-start\", \"allow\": [{{ \"task\": \"{name}\", \"owner\": \
                     \"any\" }}] }} to the permissions of a capability of this window (src-tauri/capabilities/*.json)"
                ),
            ),
        }
    }

    pub(crate) fn not_queued(name: &str, status: TaskStatus) -> Self {
        let why = match status {
            TaskStatus::Queued => "its turn has just come",
            other => other.name(),
        };
        Self::new(
            ErrorKind::NotQueued,
            format!(
                "task \"{name}\" does not wait any more ({why}): only what waits can be held, released or given another \
                 priority; what runs can be cancelled"
            ),
        )
        .with_data(&serde_json::json!({ "status": status }))
    }

    pub(crate) fn batch_too_large(name: &str, size: usize, limit: usize) -> Self {
        Self::new(
            ErrorKind::TooLarge,
            format!("a batch can have {limit} members and this one of task \"{name}\" has {size}: make several batches of it"),
        )
        .with_data(&serde_json::json!({ "limit": limit, "size": size }))
    }

    pub(crate) fn not_retriable(name: &str, why: &str) -> Self {
        Self::new(ErrorKind::NotRetriable, format!("task \"{name}\" can't be tried again: {why}"))
    }
}
