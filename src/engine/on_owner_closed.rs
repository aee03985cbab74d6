/// What becomes of a kind's tasks when the page that has started them goes with its window, or stops answering: see
/// [`Task::on_owner_closed`](crate::Task::on_owner_closed). A reload is no end of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnOwnerClosed {
    /// It goes on, and is the app's.
    #[default]
    GoOn,
    /// It is cancelled with the reason [`OwnerClosed`](super::CancelReason::OwnerClosed).
    Cancel,
}
