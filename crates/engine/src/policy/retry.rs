use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// The delay stops growing after this many attempts, because computing a delay takes one step per earlier attempt.
const STEPS: u32 = 10_000;

/// When and how often a failed attempt is retried.
///
/// The delay between attempts grows: by default it is 1 second, 2 seconds, 4 seconds, and so on up to a minute.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use std::time::Duration;
/// use tauri_plugin_tasks::Retry;
///
/// // At most five attempts, with up to 200 ms, 600 ms, 1.8 s and 5 s between them.
/// let retry = Retry::exponential(5)
///     .first_delay(Duration::from_millis(200))
///     .factor(3.0)
///     .max_delay(Duration::from_secs(5));
/// # let _ = retry;
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    attempts: u32,
    first_delay: Duration,
    factor: f32,
    max_delay: Duration,
    jitter: bool,
}

impl Retry {
    /// Allows up to `attempts` attempts in all, the first one included. With 1 or 0 a failure is final.
    pub fn exponential(attempts: u32) -> Self {
        Self {
            attempts,
            first_delay: Duration::from_secs(1),
            factor: 2.0,
            max_delay: Duration::from_secs(60),
            jitter: true,
        }
    }

    /// Sets the delay before the second attempt. 1 second by default.
    #[must_use]
    pub fn first_delay(mut self, delay: Duration) -> Self {
        self.first_delay = delay;
        self
    }

    /// Sets the factor by which each delay is longer than the one before. 2 by default. A factor below 1 counts as 1,
    /// which leaves all delays the same.
    #[must_use]
    pub fn factor(mut self, factor: f32) -> Self {
        // NaN counts as 1, too.
        self.factor = if factor > 1.0 { factor.min(f32::MAX) } else { 1.0 };
        self
    }

    /// Sets the longest delay, which also limits the first one. 60 seconds by default.
    #[must_use]
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Sets whether each delay is picked at random, evenly between half of it and the whole, so that tasks that failed
    /// together don't all retry together. On by default.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::Retry;
    ///
    /// // One second, then two, and on the dot.
    /// let retry = Retry::exponential(3).jitter(false);
    /// # let _ = retry;
    /// ```
    #[must_use]
    pub fn jitter(mut self, on: bool) -> Self {
        self.jitter = on;
        self
    }

    /// Returns the delay before the second attempt, even if no second attempt is allowed.
    pub(crate) fn shortest(&self) -> Duration {
        let once = Self { attempts: 2, ..self.clone() };
        once.delay_after(1).unwrap_or(self.first_delay)
    }

    /// Returns how long to wait after attempt number `attempt` (from 1) has failed, or `None` if it was the last one.
    pub(crate) fn delay_after(&self, attempt: u32) -> Option<Duration> {
        let attempt = attempt.max(1);
        (attempt < self.attempts).then(|| self.delay(attempt))
    }

    /// Returns how long to wait after `failures` failures in a row (at least 1) of something that is never given up.
    /// Once the attempts are used up, that is the longest delay.
    pub(crate) fn delay_after_failures(&self, failures: u32) -> Duration {
        self.delay_after(failures).unwrap_or(self.max_delay)
    }

    fn delay(&self, attempt: u32) -> Duration {
        // backon adds jitter of up to the delay itself, so it is given half of the delay.
        let share = if self.jitter { 2 } else { 1 };
        let mut delays = ExponentialBuilder::new()
            .with_min_delay(self.first_delay.min(self.max_delay) / share)
            .with_max_delay(self.max_delay / share)
            .with_factor(self.factor)
            .without_max_times();
        if self.jitter {
            delays = delays.with_jitter();
        }
        let before = (attempt - 1).min(STEPS) as usize;
        // backon counts in `f32` seconds, and rounding up must not exceed the longest delay.
        delays.build().nth(before).map_or(self.max_delay, |delay| delay.min(self.max_delay))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn delays(retry: &Retry) -> Vec<Duration> {
        (1..).map_while(|attempt| retry.delay_after(attempt)).collect()
    }

    fn is_about(delay: Duration, expected: Duration) -> bool {
        delay.abs_diff(expected) <= expected / 1_000_000
    }

    #[test]
    fn by_default_the_delay_doubles_up_to_a_minute() {
        let seconds = [1, 2, 4, 8, 16, 32, 60, 60];
        assert_eq!(delays(&Retry::exponential(9).jitter(false)), seconds.map(Duration::from_secs));
        for (delay, whole) in delays(&Retry::exponential(9)).into_iter().zip(seconds.map(Duration::from_secs)) {
            assert!(delay >= whole / 2 && delay <= whole, "{delay:?} of {whole:?}");
        }
    }

    #[test]
    fn the_options_set_the_delays() {
        let retry = Retry::exponential(5)
            .first_delay(Duration::from_millis(200))
            .factor(3.0)
            .max_delay(Duration::from_secs(5))
            .jitter(false);
        let delays = delays(&retry);
        assert_eq!(delays.len(), 4);
        for (delay, expected) in delays.into_iter().zip([200, 600, 1_800, 5_000].map(Duration::from_millis)) {
            assert!(is_about(delay, expected), "{delay:?}, not {expected:?}");
        }
    }

    #[test]
    fn one_attempt_or_none_is_never_retried() {
        for attempts in [0, 1] {
            for attempt in [0, 1, 2, u32::MAX] {
                assert_eq!(Retry::exponential(attempts).delay_after(attempt), None);
            }
        }
    }

    #[test]
    fn each_jitter_is_drawn_anew_and_evenly() {
        let retry = Retry::exponential(2).first_delay(Duration::from_secs(2)).max_delay(Duration::from_secs(2));
        let drawn: Vec<_> = (0..4_000).map(|_| retry.delay_after(1).unwrap()).collect();
        assert!(drawn.iter().collect::<HashSet<_>>().len() > 3_000, "a constant seed draws the same delays");
        // About a thousand are expected in each quarter of the second, with a standard deviation of 27.
        for quarter in 0..4 {
            let from = Duration::from_secs(1) + Duration::from_millis(250) * quarter;
            let here = drawn.iter().filter(|delay| **delay >= from && **delay < from + Duration::from_millis(250));
            assert!((800..1_200).contains(&here.count()), "quarter {quarter}");
        }
    }

    #[test]
    fn a_first_delay_above_the_longest_is_cut_to_it() {
        let retry = Retry::exponential(3).first_delay(Duration::from_secs(90)).jitter(false);
        assert_eq!(delays(&retry), [60, 60].map(Duration::from_secs));
    }

    #[test]
    fn a_factor_of_one_or_less_leaves_the_delays_the_same() {
        for factor in [f32::NAN, f32::NEG_INFINITY, -2.0, 0.0, 0.5, 1.0] {
            let retry = Retry::exponential(4).factor(factor).jitter(false);
            assert_eq!(delays(&retry), [1, 1, 1].map(Duration::from_secs), "{factor}");
        }
        let retry = Retry::exponential(4).factor(f32::INFINITY).jitter(false);
        assert_eq!(delays(&retry), [1, 60, 60].map(Duration::from_secs));
    }

    #[test]
    fn a_delay_of_zero_stays_zero() {
        for factor in [1.0, 2.0, f32::INFINITY] {
            for jitter in [false, true] {
                let retry = Retry::exponential(4).first_delay(Duration::ZERO).factor(factor).jitter(jitter);
                assert_eq!(delays(&retry), [Duration::ZERO; 3]);
            }
        }
    }

    #[test]
    fn extreme_delays_are_computed_at_once() {
        let started = std::time::Instant::now();
        for delay in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(1), Duration::MAX] {
            for max_delay in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(1), Duration::MAX] {
                for factor in [1.0, 1.0 + f32::EPSILON, 2.0, f32::INFINITY] {
                    for jitter in [false, true] {
                        let retry = Retry::exponential(u32::MAX).first_delay(delay).factor(factor);
                        let retry = retry.max_delay(max_delay).jitter(jitter);
                        for attempt in [0, 1, 2, 100, u32::MAX - 1] {
                            assert!(retry.delay_after(attempt).unwrap() <= max_delay, "{retry:?} after {attempt}");
                        }
                        assert_eq!(retry.delay_after(u32::MAX), None);
                    }
                }
            }
        }
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn there_is_a_delay_per_retry_and_delays_grow_to_the_longest(
            attempts in 0_u32..200,
            first_ns in 1_u64..100_000_000_000,
            factor in 1.1_f32..10.0,
            max_ns in 1_u64..1_000_000_000_000,
        ) {
            let (first, max) = (Duration::from_nanos(first_ns), Duration::from_nanos(max_ns));
            let plain = Retry::exponential(attempts).first_delay(first).factor(factor).max_delay(max).jitter(false);
            let whole = delays(&plain);
            prop_assert_eq!(whole.len(), attempts.saturating_sub(1) as usize);
            prop_assert!(whole.is_sorted());
            prop_assert!(whole.first().is_none_or(|delay| *delay == first.min(max)));
            prop_assert!(whole.iter().all(|delay| *delay <= max));
            let drawn = delays(&plain.jitter(true));
            prop_assert_eq!(drawn.len(), whole.len());
            prop_assert!(drawn.iter().all(|delay| *delay <= max));
        }

        #[test]
        fn each_delay_is_drawn_between_its_half_and_its_whole(
            attempt in 1_u32..300,
            first_ms in 1_u64..100_000,
            factor in 1.1_f32..10.0,
            max_ms in 1_u64..1_000_000,
        ) {
            let retry = Retry::exponential(u32::MAX).factor(factor);
            let retry = retry.first_delay(Duration::from_millis(first_ms)).max_delay(Duration::from_millis(max_ms));
            let whole = retry.clone().jitter(false).delay_after(attempt).unwrap();
            let drawn = retry.delay_after(attempt).unwrap();
            let slack = whole / 10_000;
            prop_assert!(drawn + slack >= whole / 2 && drawn <= whole + slack, "{:?} of {:?}", drawn, whole);
            if attempt > 250 {
                prop_assert_eq!(whole, Duration::from_millis(max_ms), "it has grown to the longest by now");
            }
        }
    }
}
