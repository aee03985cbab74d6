/// What becomes of a kind's running tasks when the app is about to exit: see `Task::on_exit`.
///
/// What has not begun yet, or waits for its next attempt, is cancelled in each case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnExit {
    /// It is cancelled with the reason [`Shutdown`](crate::CancelReason::Shutdown), and its clean-up is waited for.
    #[default]
    Cancel,
    /// It may go on for half of the exit's grace period, or longer: until what is left is twice its own. It is cancelled then. With
    /// the 10 seconds of the exit's and the 5 of its own that hold if nothing is said, it has 5.
    Finish,
    /// Nothing is done for it: it is not told, and nobody waits for it. For work that can be cut off anywhere.
    Drop,
}
