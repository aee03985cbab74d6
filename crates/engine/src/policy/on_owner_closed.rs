/// What becomes of a kind's tasks when the page that has started them goes with its window, or stops answering: see
/// `Task::on_owner_closed`.
///
/// A page that is silent for 12 seconds is asked to answer, and has 30 for that: so one whose process has died is noticed, and
/// one that is held up for as long, as by `alert()` or a debugger, is taken for one. A reload is no end of a page, and neither is
/// another document in its webview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnOwnerClosed {
    /// It goes on, and is the app's.
    #[default]
    GoOn,
    /// It is cancelled with the reason [`OwnerClosed`](crate::CancelReason::OwnerClosed).
    Cancel,
}
