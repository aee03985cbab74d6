use std::time::Duration;

/// One frame of a page at 60 a second, and a bit: timers count whole milliseconds, and a page that gets no more than 58.8
/// messages a second never gets two in one frame for long.
pub(crate) const FRAME: Duration = Duration::from_millis(17);
/// How long a page may leave a message unacknowledged before it counts as gone.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
/// How long a page may be silent before it is sent a message to acknowledge, though there is nothing to tell. Longer than the
/// interval at which a page that waits for something says that it is there.
pub(crate) const PROBE: Duration = Duration::from_secs(12);
