use std::time::{Duration, Instant};

/// Counts how long the machine has slept since some moment. It is zero where [`Instant`] counts that time itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct MachineSleep {
    since: Instant,
    uptime: Option<Duration>,
}

impl MachineSleep {
    /// Begins to count now.
    pub(super) fn since_now() -> Self {
        // Whatever passes between two readings must not count as sleep, so `Instant` is read first here and last below.
        let since = Instant::now();
        Self { since, uptime: uptime_with_sleep() }
    }

    /// Returns how long the machine has slept.
    pub(super) fn read(&self) -> Duration {
        let Some((before, now)) = self.uptime.zip(uptime_with_sleep()) else { return Duration::ZERO };
        now.saturating_sub(before).saturating_sub(self.since.elapsed())
    }
}

/// Returns the time since the machine was switched on, including the time in which it slept. `None` where no clock
/// shows that.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn uptime_with_sleep() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};

    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    // `Instant` is CLOCK_UPTIME_RAW there, which stands still while the machine sleeps.
    #[cfg(target_vendor = "apple")]
    const CLOCK: ClockId = ClockId::Monotonic;

    Duration::try_from(clock_gettime(CLOCK)).ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
#[allow(clippy::unnecessary_wraps)] // Other systems have such a clock.
fn uptime_with_sleep() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_did_not_sleep_has_slept_no_time() {
        let sleep = MachineSleep::since_now();
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(5) {
            std::thread::yield_now();
        }
        assert!(sleep.read() <= Duration::from_millis(1), "{:?}", sleep.read());
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    fn the_machine_shows_a_clock_that_counts_sleep() {
        let before = uptime_with_sleep().unwrap();
        assert!(!before.is_zero() && uptime_with_sleep().unwrap() >= before);
    }
}
