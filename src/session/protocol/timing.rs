use std::time::Duration;

/// The shortest time between two messages. Slightly longer than one frame at 60 Hz, since timers count whole
/// milliseconds. At 58.8 messages a second, a page rarely gets two in one frame.
pub(crate) const FRAME: Duration = Duration::from_millis(17);
/// How long a page may leave a message unacknowledged before it counts as gone.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
/// How long a page may be silent before it is sent a message to acknowledge, even an empty one. Longer than the
/// interval at which a waiting page shows that it is alive.
pub(crate) const PROBE: Duration = Duration::from_secs(12);
