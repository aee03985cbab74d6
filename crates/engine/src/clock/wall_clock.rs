use std::time::{Duration, SystemTime};

/// The wall clock of one engine.
pub(crate) struct WallClock(Box<dyn Fn() -> u64 + Send + Sync>);

impl WallClock {
    /// Creates a clock that reads the time with `read`, in milliseconds since 1970.
    pub(crate) fn new(read: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Box::new(read))
    }

    /// Returns the time in milliseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        (self.0)()
    }
}

/// Returns the system time in milliseconds since 1970.
pub fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    millis(since)
}

/// Returns a duration in milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
