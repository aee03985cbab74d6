//! How long a thread outside any runtime waits, in time in which the machine doesn't sleep.

use std::time::Duration;

use tauri_plugin_tasks_engine::delivery::AwakeTime;
use tokio::time::Instant;

/// The longest wait at once. Windows counts a sleep of the machine as time that was waited, and here it counts as at most
/// two of these.
const STEP: Duration = Duration::from_millis(500);

/// A wait in steps.
pub(super) struct AwakeWait {
    time: AwakeTime,
    length: Duration,
}

impl AwakeWait {
    /// Begins to wait for `length` at `now`.
    pub(super) fn new(length: Duration, now: Instant) -> Self {
        Self { time: AwakeTime::new(now, STEP), length }
    }

    /// Returns how long to wait until this is asked again, or `None` if the wait is over.
    pub(super) fn step(&mut self, now: Instant) -> Option<Duration> {
        let left = self.length.saturating_sub(self.time.read(now));
        (!left.is_zero()).then(|| left.min(STEP))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits, and sleeps this long in its first step. Returns how long it has waited in all.
    fn waited(length: Duration, slept: Duration) -> Duration {
        let begin = Instant::now();
        let (mut wait, mut now, mut slept) = (AwakeWait::new(length, begin), begin, slept);
        while let Some(step) = wait.step(now) {
            now += step + std::mem::take(&mut slept);
        }
        now - begin
    }

    #[test]
    fn a_sleep_of_the_machine_hardly_shortens_a_wait() {
        let hour = Duration::from_secs(3_600);
        for length in [Duration::ZERO, STEP / 3, STEP, Duration::from_millis(10_500)] {
            assert_eq!(waited(length, Duration::ZERO), length);
            if length > STEP {
                assert_eq!(waited(length, hour), hour + length.saturating_sub(STEP), "it counts as one more step");
            }
        }
    }
}
