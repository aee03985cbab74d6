use std::{sync::Arc, time::Duration};

use tokio::runtime::Handle;

use crate::clock::awake_clock::AwakeClock;

/// How long a handler without a reader waits for one: after the task begins, and after it loses a reader that may come
/// back.
pub(crate) const LENGTH: Duration = Duration::from_secs(10);
/// In which steps that time is counted.
const STEP: Duration = Duration::from_millis(2_500);

/// Returns the clock by which the tasks of one engine wait for readers. The time in which the app doesn't run counts for no
/// more than two steps, and two more are left after it: no reader was heard meanwhile.
pub(crate) fn clock(control: Handle) -> Arc<AwakeClock> {
    AwakeClock::new(STEP, control)
}

/// Until when a task waits for a reader.
#[derive(Debug)]
pub(super) struct Patience {
    clock: Arc<AwakeClock>,
    until: Duration,
}

impl Patience {
    /// Returns the patience of a task that has not begun.
    pub(super) fn new(clock: Arc<AwakeClock>) -> Self {
        Self { clock, until: Duration::MAX }
    }

    /// Sets until when the task waits, by its clock.
    pub(super) fn set(&mut self, until: Duration) {
        self.until = until;
    }

    /// Ends it now.
    pub(super) fn end(&mut self) {
        self.until = Duration::ZERO;
    }

    /// Returns how much is left of it; `None` if it is over.
    pub(super) fn left(&self) -> Option<Duration> {
        Some(self.clock.left(self.until)).filter(|left| !left.is_zero())
    }
}
