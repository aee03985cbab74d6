/// What happens to a kind's running tasks when the app is about to exit: see `Task::on_exit`.
///
/// Tasks that have not begun, or wait for their next attempt, are always cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnExit {
    /// The task is cancelled with the reason [`Shutdown`](crate::CancelReason::Shutdown), and the exit waits for its
    /// clean-up.
    #[default]
    Cancel,
    /// The task may go on until half of the exit's grace period is over, or until only twice its own grace period is
    /// left, whichever is later. Then it is cancelled. With the default grace periods, 10 seconds for the exit and 5
    /// for the task, it has 5 seconds.
    Finish,
    /// The task is not told to stop, and the exit does not wait for it. For work that can be cut off anywhere.
    Drop,
}
