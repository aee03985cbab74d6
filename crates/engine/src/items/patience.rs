use std::time::Duration;

use tokio::time::Instant;

use crate::clock::awake_time::AwakeTime;

/// How long a handler without a reader waits for one: after the task begins, and after it loses a reader that may come
/// back.
const LENGTH: Duration = Duration::from_secs(10);
/// In which steps that time is counted.
const STEP: Duration = Duration::from_millis(2_500);

/// Counts down the time in which a task waits for a reader. The time in which the app doesn't run counts for no more than
/// two steps: the reader was not heard meanwhile.
#[derive(Debug)]
pub(super) struct Patience {
    length: Duration,
    time: AwakeTime,
}

impl Patience {
    /// Begins to count down.
    pub(super) fn new() -> Self {
        Self { length: LENGTH, time: AwakeTime::new(Instant::now(), STEP) }
    }

    /// Begins again.
    pub(super) fn begin(&mut self) {
        *self = Self::new();
    }

    /// Ends it now.
    pub(super) fn end(&mut self) {
        self.length = Duration::ZERO;
    }

    /// Returns how long to wait before it is read again; `None` if it is over.
    pub(super) fn next_reading(&mut self) -> Option<Duration> {
        let left = self.length.saturating_sub(self.time.read(Instant::now()));
        (!left.is_zero()).then(|| left.min(STEP))
    }
}
