use std::time::Duration;

/// The shortest time between two messages. Slightly longer than one frame at 60 Hz, since timers count whole
/// milliseconds. At 58.8 messages a second, a page rarely gets two in one frame.
pub(crate) const FRAME: Duration = Duration::from_millis(17);
/// How long a page may leave a message unacknowledged. If it is heard after that, the message counts as lost.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
/// How long a page may be silent before it is sent a message to acknowledge, even an empty one. Longer than the
/// interval at which a waiting page shows that it is alive.
pub(crate) const PROBE: Duration = Duration::from_secs(12);
/// How long a visible page may be silent before it counts as gone. It has a [`LEASE`] to answer a probe.
pub(crate) const VISIBLE_LIMIT: Duration = PROBE.saturating_add(LEASE);
/// How long a hidden page may be silent before it counts as gone, unless the app says otherwise.
pub(crate) const HIDDEN_LIMIT: Duration = Duration::from_secs(60 * 60);
/// The steps in which silence is counted. A time in which the app did not run counts for no more than two.
pub(crate) const STEP: Duration = Duration::from_secs(3);
/// How long pages are not given up after the app did not run for a while, so that what they have sent comes in.
pub(crate) const CATCH_UP: Duration = STEP.saturating_mul(2);
