/// What becomes of a task's items when nobody reads them. It holds as soon as a reader stops by itself, and otherwise when
/// nobody has read for 10 seconds, from the task's begin or from the loss of the page that read: see
/// [`TaskContext::emit`](crate::TaskContext::emit).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Unread {
    /// When the buffer is full, the oldest are dropped, and counted: the next reader is told how many it has missed. For what can
    /// be read late in part, such as a log.
    #[default]
    DropOldest,
    /// When the buffer is full, the handler waits for a reader.
    Wait,
    /// The task is cancelled, with the reason [`Unread`](crate::CancelReason::Unread), whether the buffer is full or not. For
    /// work that has no use without its reader.
    Cancel,
}
