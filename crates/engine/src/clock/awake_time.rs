use std::time::Duration;

use tokio::time::Instant;

/// Counts the time in which the process itself ran, by a clock that may go on while it is stopped or the machine sleeps.
///
/// Read it at least once in each step. A time between two readings counts for no more than two steps, so a process that
/// did not run for an hour counts two steps for it.
#[derive(Debug, Clone)]
pub struct AwakeTime {
    step: Duration,
    read_at: Instant,
    counted: Duration,
}

impl AwakeTime {
    /// Begins to count at `now`, in steps of this length.
    pub fn new(now: Instant, step: Duration) -> Self {
        Self { step, read_at: now, counted: Duration::ZERO }
    }

    /// Returns the time that was counted until `now`.
    pub fn read(&mut self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.read_at);
        self.counted = self.counted.saturating_add(passed.min(self.step.saturating_mul(2)));
        self.read_at = self.read_at.max(now);
        self.counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_secs(3);

    #[test]
    fn steps_count_for_what_they_are_and_a_gap_for_two_steps() {
        let begin = Instant::now();
        let mut time = AwakeTime::new(begin, STEP);
        assert_eq!(time.read(begin + STEP), STEP);
        assert_eq!(time.read(begin + STEP * 3), STEP * 3, "a late step counts in full up to twice its length");
        assert_eq!(time.read(begin + STEP * 1_000), STEP * 5, "an hour without a step counts two");
        assert_eq!(time.read(begin + STEP * 1_001), STEP * 6);
    }

    #[test]
    fn a_reading_of_an_earlier_moment_counts_nothing() {
        let begin = Instant::now();
        let mut time = AwakeTime::new(begin, STEP);
        time.read(begin + STEP);
        assert_eq!(time.read(begin), STEP);
        assert_eq!(time.read(begin + STEP), STEP);
    }
}
