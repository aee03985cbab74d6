/// The task was told to stop, has failed, or its handler has ended, so nothing more is emitted.
/// [`blocking_emit`](crate::TaskContext::blocking_emit) returns it to work on a thread, which should return now: what it
/// returns no longer matters, unless the handler uses its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing more can be emitted: the task was told to stop, has failed or has ended; return from this work")]
#[non_exhaustive]
pub struct Stopped;
