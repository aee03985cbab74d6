/// What happens to a kind's tasks when their owner is gone: see `Task::on_owner_closed`.
///
/// An owner is gone when it is closed or stops responding: after 12 seconds of silence it is asked for a response, and
/// has 30 seconds to give one. An owner that is blocked for that long, for example by a debugger, counts as gone. One
/// that reloads does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnOwnerClosed {
    /// The task goes on, and the app owns it.
    #[default]
    GoOn,
    /// The task is cancelled with the reason [`OwnerClosed`](crate::CancelReason::OwnerClosed).
    Cancel,
}
