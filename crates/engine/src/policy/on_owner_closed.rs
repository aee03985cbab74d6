/// What happens to a kind's tasks when their owner is gone: see `Task::on_owner_closed`.
///
/// An owner is gone when it is closed, when its process has ended, or when it stops responding: after 12 seconds of
/// silence it is asked for a response, and has 30 seconds to give one. An owner that is blocked for that long, for example
/// by a debugger, counts as gone. One that reloads does not, and one that may be suspended, such as a hidden page, may be
/// silent for longer. Time in which the app itself did not run doesn't count.
///
/// A task that others have joined goes on for them, whatever its kind says. Who joined it first owns it from then on, of
/// those who may start its kind by themselves. What is said here holds once nobody is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnOwnerClosed {
    /// The task goes on, and the app owns it.
    #[default]
    GoOn,
    /// The task is cancelled with the reason [`OwnerClosed`](crate::CancelReason::OwnerClosed).
    Cancel,
}
