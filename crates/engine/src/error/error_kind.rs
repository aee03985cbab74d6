use serde::Serialize;

/// The kinds of [`Error`](crate::Error). A minor version may add kinds: keep a branch for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller and the delivery layer speak different versions of the protocol.
    ProtocolMismatch,
    /// The session was closed or never existed: open a new one.
    SessionGone,
    /// No task is registered under this name.
    UnknownTask,
    /// The caller sees no schedule of this name.
    UnknownSchedule,
    /// The caller is not allowed to do this with this task.
    NotAllowed,
    /// The input doesn't fit the task's input type; `data` is `{ "path": "the.field" }`.
    InvalidInput,
    /// The id is not a UUID, or it is already used.
    InvalidId,
    /// The caller sees no task with this id.
    NotFound,
    /// The task has already ended; `data` is `{ "status": … }`.
    AlreadyEnded,
    /// The task has not ended yet.
    NotEnded,
    /// A value is too large, or a batch has too many members; `data` is `{ "limit": number, "size": number }`.
    TooLarge,
    /// A value can't be written as JSON.
    Unserializable,
    /// The task has ended and its outcome is no longer kept.
    OutcomeExpired,
    /// Too many tasks are waiting; `data` is `{ "limit": number }`.
    QueueFull,
    /// The caller has used up a quota; `data` is `{ "quota": string, "limit": number }`.
    QuotaExceeded,
    /// A live task already has this key; `data` is `{ "id": … }` if the caller may see that task.
    KeyTaken,
    /// The task does not wait in a queue; `data` is `{ "status": … }`.
    NotQueued,
    /// The task does not wait in a queue, so it can't be paused or resumed; `data` is `{ "status": … }`.
    NotPausable,
    /// The task can't be run again: it has completed, it is a batch, or its kind is not registered.
    NotRerunnable,
    /// An option of a start is invalid, for example there are too many tags, or a part of a call can't be read.
    InvalidOptions,
    /// The task's items already have another reader.
    Locked,
    /// The reader has stopped or never existed, or it asks for a chunk that it has already released. If it was taken for
    /// gone because it did not ask, `data` is `{ "missed": number }`: how many items, or bytes, it has missed.
    /// What the next reader has missed includes them.
    ReaderGone,
    /// The handler has ended or was told to stop, so it can emit nothing more; or its attempt is over, so it can report
    /// nothing more.
    Stopped,
    /// An item doesn't fit the type that it is read as.
    InvalidItem,
    /// The app is about to exit, or an [`ExitGuard`](crate::ExitGuard) exists. No task is started, and at an exit no
    /// task can be paused.
    ShuttingDown,
}
