//! Why the engine refuses something, with the facts that a message needs.
//!
//! The messages here are for callers in Rust. A delivery layer that knows more, for example who asked, gets the facts
//! from [`delivery::refusal`](crate::delivery::refusal) and words them itself.

use std::time::Duration;

use serde_json::{Value, json};

use super::error_kind::ErrorKind;

/// What is said of a secret input in the place of a problem.
pub(super) const SECRET: &str = "the reason is not shown, since the input is secret (Task::secret_input)";

/// What the engine refused, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // Each variant's message explains its fields.
pub enum Refusal {
    #[error(
        "no task named \"{task}\" is registered: check the spelling, or register it with .task(Task::new(\"{task}\", \
         …)) on the Builder of this app"
    )]
    UnknownTask { task: String },
    #[error("no kind is in a group \"{group}\": put one there with Task::group(\"{group}\")")]
    UnknownGroup { group: String },
    #[error(
        "there is no schedule named \"{schedule}\": check the spelling against TaskManager::schedules, or add it with \
         Builder::schedule or TaskManager::schedule; it may have been removed with TaskManager::unschedule"
    )]
    UnknownSchedule { schedule: String },
    #[error("task \"{task}\" has no restart policy: add .restart(Restart::on_failure()) to Task::new(\"{task}\", …)")]
    NotRestarted { task: String },
    #[error(
        "the cron expression \"{expression}\" can't be used: {problem}; write five fields (minute, hour, day of the \
         month, month, day of the week), or six with the second first: \"0 3 * * *\" means every night at three"
    )]
    InvalidCron { expression: String, problem: String },
    #[error("the name of a schedule must have 1 to {limit} bytes and this one has {size}: choose another name")]
    ScheduleName { limit: usize, size: usize },
    #[error(
        "the interval of schedule \"{schedule}\" is {interval:?}: it must be at least {shortest:?}; to run more often, \
         write a loop in one task"
    )]
    ShortInterval { schedule: String, interval: Duration, shortest: Duration },
    #[error("{}", invalid_input(.task, .path, .problem))]
    InvalidInput { task: String, path: String, problem: String },
    #[error("\"{text}\" is not a UUID in lower case: make one for each task")]
    NoId { text: String },
    /// The message is the same whether the id belongs to another owner, is used already, or was removed, so it reveals
    /// nothing.
    #[error("the id {id} can't be used for this start: make a new one for each task")]
    IdTaken { id: String },
    #[error("there is no task {id}: it was never started, was removed, or has ended and made room for newer ones")]
    NotFound { id: String },
    #[error("task {id} is a \"{kind}\", not a \"{wanted}\": use the key or the name of its own kind")]
    OtherKind { id: String, kind: String, wanted: String },
    #[error("task {id} is a batch: get its handle with TaskManager::attach_batch")]
    IsBatch { id: String },
    #[error("task {id} is no batch: get its handle with TaskManager::attach")]
    IsNoBatch { id: String },
    #[error("task \"{task}\" has already {}: there is nothing left to {what}; read its outcome", has(.status))]
    AlreadyEnded { task: String, status: &'static str, what: &'static str },
    #[error("task \"{task}\" has not ended yet: wait for its end, or cancel it, before it is {what}")]
    NotEnded { task: String, what: &'static str },
    #[error("this call can't be read: {}: {problem}", part(.path, "the options"))]
    InvalidOptions { path: String, problem: String },
    #[error("a caller can't give the reason \"{words}\", which the engine gives itself: choose other words")]
    EngineReason { words: String },
    #[error("a task can have {limit} tags and this start gives it {count}: leave some out")]
    TooManyTags { limit: usize, count: usize },
    #[error("a {what} can have {limit} bytes and this one has {size}: shorten it")]
    LongText { what: &'static str, limit: usize, size: usize },
    #[error("{what} takes {size} bytes as JSON and the limit is {limit}: send less, or return it as the task's output")]
    TooLarge { what: &'static str, size: usize, limit: usize },
    #[error(
        "the item takes {size} bytes as JSON and its buffer holds {limit}: emit it in parts, or raise Task::item_buffer"
    )]
    ItemTooLarge { size: usize, limit: usize },
    #[error(
        "a batch can have {limit} members and this one of task \"{task}\" has {size}: split it into several batches"
    )]
    BatchTooLarge { task: String, size: usize, limit: usize },
    #[error(
        "the items of task {id} already have a reader: a task has one reader at a time, so end the other reader (break \
         out of its loop, or cancel its stream) before this one begins"
    )]
    Locked { id: String },
    #[error(
        "this reader of task {id} has stopped, or asks for items that it has already released: continue with a new \
         reader, from where this one stopped"
    )]
    ReaderGone { id: String },
    #[error(
        "this reader of task {id} was taken for gone, because it did not ask for longer than Task::idle_reader allows, and \
         has missed {missed} since: read on with a new reader, which begins with the oldest item that is still kept"
    )]
    ReaderIdled { id: String, missed: u64 },
    #[error("an item of task \"{task}\" does not fit the type that it is read as: {problem}")]
    InvalidItem { task: String, problem: String },
    #[error("the task can't emit any more: it was told to stop, or its handler has ended; return from the handler")]
    Stopped,
    #[error("this attempt of the task is over, so it reports nothing more: end what its handler has left running")]
    AttemptOver,
    #[error("{what} can't be written as JSON: {problem}; check its Serialize implementation")]
    Unserializable { what: &'static str, problem: String },
    #[error(
        "the outcome of task {id} is no longer kept: read it before the task is removed or pushed out by newer ones"
    )]
    OutcomeExpired { id: String },
    #[error("task \"{task}\" is not started: the app is about to exit; start it when the app runs again")]
    ShuttingDown { task: String },
    #[error("task \"{task}\" can't be paused: the app is about to exit, and waits for it; cancel it instead")]
    NotHeldAtExit { task: String },
    #[error(
        "task \"{task}\" is not started now: the app is holding off new starts (TaskManager::guard), for example \
         before an update or a restart; try again in a moment"
    )]
    Guarded { task: String },
    /// `task` is `None` if the queue is the app's.
    #[error("{}", queue_full(.task.as_deref(), *.limit))]
    QueueFull { task: Option<String>, limit: usize },
    /// `quota` is the name of a quota or of a fixed bound, `what` says what it counts, in the plural, and `remedy` what to
    /// do and where the limit is set.
    #[error("this exceeds the quota \"{quota}\" of {}: {remedy}", counted(*.limit, .what))]
    QuotaExceeded { quota: &'static str, limit: u64, what: &'static str, remedy: String },
    /// `rival` is the id of the task that has the key, if the caller may see it.
    #[error("{}", key_taken(.task, .key, .rival.as_deref()))]
    KeyTaken { task: String, key: String, rival: Option<String> },
    #[error(
        "task \"{task}\" does not wait in its queue ({}): only a waiting task can be given another priority",
        not_waiting(.status)
    )]
    NotQueued { task: String, status: &'static str },
    #[error(
        "task \"{task}\" does not wait in its queue ({}): only a waiting task can be paused or resumed; a running one \
         can be cancelled, and the members of a batch can be paused",
        not_waiting(.status)
    )]
    NotPausable { task: String, status: &'static str },
    #[error("task \"{task}\" can't be run again: {why}")]
    NotRerunnable { task: String, why: &'static str },
}

impl Refusal {
    /// Refuses what exceeds a bound that nobody can set. `quota` is its name, `what` says what it counts, in the plural, and
    /// `remedy` what to do, for example "close one first".
    pub fn exceeds_fixed(quota: &'static str, limit: u64, what: &'static str, remedy: &str) -> Self {
        Self::QuotaExceeded { quota, limit, what, remedy: format!("this limit is fixed; {remedy}") }
    }

    /// Returns the kind to branch on.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownTask { .. } | Self::UnknownGroup { .. } => ErrorKind::UnknownTask,
            Self::UnknownSchedule { .. } => ErrorKind::UnknownSchedule,
            Self::NotRestarted { .. }
            | Self::InvalidCron { .. }
            | Self::ScheduleName { .. }
            | Self::ShortInterval { .. }
            | Self::InvalidOptions { .. }
            | Self::EngineReason { .. }
            | Self::TooManyTags { .. }
            | Self::LongText { .. } => ErrorKind::InvalidOptions,
            Self::InvalidInput { .. } => ErrorKind::InvalidInput,
            Self::NoId { .. } | Self::IdTaken { .. } => ErrorKind::InvalidId,
            Self::NotFound { .. } | Self::OtherKind { .. } | Self::IsBatch { .. } | Self::IsNoBatch { .. } => {
                ErrorKind::NotFound
            }
            Self::AlreadyEnded { .. } => ErrorKind::AlreadyEnded,
            Self::NotEnded { .. } => ErrorKind::NotEnded,
            Self::TooLarge { .. } | Self::ItemTooLarge { .. } | Self::BatchTooLarge { .. } => ErrorKind::TooLarge,
            Self::Locked { .. } => ErrorKind::Locked,
            Self::ReaderGone { .. } | Self::ReaderIdled { .. } => ErrorKind::ReaderGone,
            Self::InvalidItem { .. } => ErrorKind::InvalidItem,
            Self::Stopped | Self::AttemptOver => ErrorKind::Stopped,
            Self::Unserializable { .. } => ErrorKind::Unserializable,
            Self::OutcomeExpired { .. } => ErrorKind::OutcomeExpired,
            Self::ShuttingDown { .. } | Self::NotHeldAtExit { .. } | Self::Guarded { .. } => ErrorKind::ShuttingDown,
            Self::QueueFull { .. } => ErrorKind::QueueFull,
            Self::QuotaExceeded { .. } => ErrorKind::QuotaExceeded,
            Self::KeyTaken { .. } => ErrorKind::KeyTaken,
            Self::NotQueued { .. } => ErrorKind::NotQueued,
            Self::NotPausable { .. } => ErrorKind::NotPausable,
            Self::NotRerunnable { .. } => ErrorKind::NotRerunnable,
        }
    }

    /// Returns the `data` that [`ErrorKind`] documents.
    pub(super) fn data(&self) -> Option<Value> {
        Some(match self {
            Self::InvalidInput { path, .. } => json!({ "path": path }),
            Self::AlreadyEnded { status, .. } | Self::NotQueued { status, .. } | Self::NotPausable { status, .. } => {
                json!({ "status": status })
            }
            Self::TooLarge { size, limit, .. }
            | Self::ItemTooLarge { size, limit }
            | Self::BatchTooLarge { size, limit, .. } => json!({ "limit": limit, "size": size }),
            Self::QueueFull { limit, .. } => json!({ "limit": limit }),
            Self::QuotaExceeded { quota, limit, .. } => json!({ "quota": quota, "limit": limit }),
            Self::ReaderIdled { missed, .. } => json!({ "missed": missed }),
            Self::KeyTaken { rival: Some(id), .. } => json!({ "id": id }),
            _ => return None,
        })
    }
}

/// Returns a count of `what`, which is in the plural and begins with its noun.
fn counted(count: u64, what: &str) -> String {
    let (noun, rest) = what.split_once(' ').unwrap_or((what, ""));
    match (count, noun.strip_suffix('s')) {
        (1, Some(noun)) => format!("1 {noun} {}", rest.replace(" have ", " has ")),
        _ => format!("{count} {what}"),
    }
}

fn invalid_input(task: &str, path: &str, problem: &str) -> String {
    let refused = format!("the input of task \"{task}\" does not fit its type");
    match (problem, path) {
        (SECRET, "") => format!("{refused}; {problem}"),
        (SECRET, path) => format!("{refused}: {path}; {problem}"),
        _ => format!("{refused}: {}: {problem}", part(path, "the input")),
    }
}

/// Returns the part of a value that doesn't fit: `path`, or `whole` if the path names no part.
fn part<'a>(path: &'a str, whole: &'a str) -> &'a str {
    if path.is_empty() || path == "." { whole } else { path }
}

fn has(status: &str) -> &str {
    match status {
        "completed" | "failed" => status,
        "timedOut" => "timed out",
        _ => "been cancelled",
    }
}

/// Says why a task does not wait, in words that fit one whose turn has just come.
fn not_waiting(status: &str) -> &str {
    if status == "queued" { "its turn has just come" } else { status }
}

fn queue_full(task: Option<&str>, limit: usize) -> String {
    let (whose, place) = match task {
        Some(name) => (format!("of task \"{name}\""), format!("Task \"{name}\"")),
        None => ("of the app".into(), "Builder".into()),
    };
    format!(
        "the queue {whose} is full: no more than {limit} tasks may wait, and this start needs more room than is left; \
         start fewer at a time, try again later, or raise .queue_limit({limit}) of the {place}"
    )
}

fn key_taken(task: &str, key: &str, rival: Option<&str>) -> String {
    let what_to_do = "wait for its end, or start with OnConflict \"join\", \"replace\" or \"append\"";
    match rival {
        Some(id) => format!("a live task \"{task}\" already has the key \"{key}\": it is {id}; {what_to_do}"),
        None => format!(
            "a live task \"{task}\" already has the key \"{key}\", and it belongs to another owner: wait for its end \
             with OnConflict \"append\""
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn one_is_counted_in_the_singular() {
        for (what, one, many) in [
            ("starts a second", "1 start a second", "2 starts a second"),
            ("tasks that have not ended", "1 task that has not ended", "2 tasks that have not ended"),
            ("bytes of input in one call", "1 byte of input in one call", "2 bytes of input in one call"),
        ] {
            assert_eq!((counted(1, what), counted(2, what)), (one.to_owned(), many.to_owned()));
        }
    }

    #[test]
    fn an_exceeded_quota_says_which_how_much_and_what_to_do() {
        let error = Error::from(Refusal::exceeds_fixed("lists", 256, "lists of one page", "close one first"));
        let message =
            r#"this exceeds the quota "lists" of 256 lists of one page: this limit is fixed; close one first"#;
        assert_eq!((error.kind, &*error.message), (ErrorKind::QuotaExceeded, message));
        let data = json!({ "kind": "quotaExceeded", "message": message, "data": { "quota": "lists", "limit": 256 } });
        assert_eq!(serde_json::to_value(&error).ok(), Some(data));
    }
}
