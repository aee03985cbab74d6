use std::{fmt, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::clock::{awake_time::AwakeTime, timers::Timers};

/// How long a handler without a reader waits for one: after the task begins, and after it loses a reader that may come
/// back.
const LENGTH: Duration = Duration::from_secs(10);

/// Counts down the time in which a task waits for a reader. The time in which the machine sleeps doesn't count: the
/// reader sleeps, too.
pub(super) struct Patience {
    timers: Arc<Timers>,
    length: Duration,
    time: AwakeTime,
}

impl Patience {
    /// Begins to count down.
    pub(super) fn new(timers: &Arc<Timers>) -> Self {
        Self { timers: Arc::clone(timers), length: LENGTH, time: timers.awake_time(LENGTH) }
    }

    /// Begins again.
    pub(super) fn begin(&mut self) {
        (self.length, self.time) = (LENGTH, self.timers.awake_time(LENGTH));
    }

    /// Ends it now.
    pub(super) fn end(&mut self) {
        self.length = Duration::ZERO;
    }

    /// Returns how long to wait before it is read again; `None` if it is over.
    pub(super) fn next_reading(&mut self) -> Option<Duration> {
        let left = self.length.saturating_sub(self.time.read(Instant::now()));
        (!left.is_zero()).then(|| left.min(self.timers.step(self.length)))
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").field("length", &self.length).field("time", &self.time).finish_non_exhaustive()
    }
}
