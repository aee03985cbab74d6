/// What happens to a task's items when nobody reads them. It applies when 10 seconds have passed without a reader,
/// since its first attempt began or since it lost a reader that may come back. A time in which the app doesn't run counts
/// for up to 5 of them, and 5 more follow it. It applies at once when a reader stops by itself,
/// is lost for good, or is taken for gone because it did not ask (`Task::idle_reader`). While there is a reader, the
/// handler waits for it, however slow it is. See [`TaskContext::emit`](crate::TaskContext::emit).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Unread {
    /// When the buffer is full, the oldest items are dropped and counted. The next reader is told how many it missed.
    /// For items that are of use even in part, such as a log.
    #[default]
    DropOldest,
    /// When the buffer is full, the handler waits for a reader.
    Wait,
    /// The task is cancelled with the reason [`Unread`](crate::CancelReason::Unread), whether the buffer is full or
    /// not. For work that is useless without its reader.
    Cancel,
}
