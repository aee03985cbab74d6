use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// The delay stops growing after this many failures, because computing a delay takes one step per earlier failure.
const STEPS: u32 = 10_000;

/// How long to wait after each of several failures in a row. A [`Retry`](crate::Retry), a [`Restart`](crate::Restart)
/// and a [`Schedule`](crate::Schedule) take one.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use std::time::Duration;
/// use tauri_plugin_tasks::Backoff;
///
/// // Up to 200 ms, 600 ms, 1.8 s, and then 5 s each.
/// let backoff = Backoff::exponential()
///     .first_delay(Duration::from_millis(200))
///     .factor(3.0)
///     .max_delay(Duration::from_secs(5));
///
/// // Ten seconds each, on the dot.
/// let steady = Backoff::constant(Duration::from_secs(10));
/// # let _ = (backoff, steady);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    first_delay: Duration,
    factor: f32,
    max_delay: Duration,
    jitter: bool,
}

impl Backoff {
    /// Returns delays that grow: by default 1 second, 2 seconds, 4 seconds, and so on up to a minute, with jitter.
    pub fn exponential() -> Self {
        Self { first_delay: Duration::from_secs(1), factor: 2.0, max_delay: Duration::from_secs(60), jitter: true }
    }

    /// Returns delays that are all `delay`, without jitter.
    pub fn constant(delay: Duration) -> Self {
        let exponential = Self::exponential();
        let max_delay = exponential.max_delay.max(delay);
        Self { first_delay: delay, factor: 1.0, max_delay, jitter: false }
    }

    /// Sets the delay after the first failure. It is 1 second by default, and the given delay in a
    /// [`constant`](Self::constant) backoff.
    #[must_use]
    pub fn first_delay(mut self, delay: Duration) -> Self {
        self.first_delay = delay;
        self
    }

    /// Sets the factor by which each delay is longer than the one before. It is 2 by default, and 1 in a
    /// [`constant`](Self::constant) backoff. One below 1, or
    /// NaN, is refused: when the app starts for a [`Retry`](crate::Retry) or a [`Restart`](crate::Restart), and when a
    /// [`Schedule`](crate::Schedule) is added.
    #[must_use]
    pub fn factor(mut self, factor: f32) -> Self {
        self.factor = factor;
        self
    }

    /// Sets the longest delay, which also limits the first one. It is 60 seconds by default, or the delay of a
    /// [`constant`](Self::constant) backoff if that is longer.
    #[must_use]
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Sets whether each delay is picked at random, evenly between half of it and the whole, so that tasks that failed
    /// together don't all come back together. It is on by default, and off in a [`constant`](Self::constant) backoff.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::Backoff;
    ///
    /// // One second, then two, and on the dot.
    /// let backoff = Backoff::exponential().jitter(false);
    /// # let _ = backoff;
    /// ```
    #[must_use]
    pub fn jitter(mut self, on: bool) -> Self {
        self.jitter = on;
        self
    }

    /// Returns what is wrong with it, and what to do.
    pub(crate) fn mistake(&self) -> Option<String> {
        // Not `< 1.0`, which NaN isn't.
        let grows = self.factor >= 1.0;
        (!grows).then(|| format!("the factor of its backoff is {}: delays can't shrink, so set 1 or more", self.factor))
    }

    /// Returns how long to wait after this many failures in a row. No failure counts as one.
    pub(crate) fn delay_after(&self, failures: u32) -> Duration {
        // NaN counts as 1, too.
        let factor = if self.factor > 1.0 { self.factor.min(f32::MAX) } else { 1.0 };
        // backon adds jitter of up to the delay itself, so it is given half of the delay.
        let share = if self.jitter { 2 } else { 1 };
        let mut delays = ExponentialBuilder::new()
            .with_min_delay(self.first_delay.min(self.max_delay) / share)
            .with_max_delay(self.max_delay / share)
            .with_factor(factor)
            .without_max_times();
        if self.jitter {
            delays = delays.with_jitter();
        }
        // Multiplying by 1 would round.
        let steps = if factor > 1.0 { STEPS } else { 0 };
        let before = failures.saturating_sub(1).min(steps) as usize;
        // backon counts in `f32` seconds, and rounding up must not exceed the longest delay.
        delays.build().nth(before).map_or(self.max_delay, |delay| delay.min(self.max_delay))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// Returns the delays after the first `count` failures.
    fn delays(backoff: &Backoff, count: u32) -> Vec<Duration> {
        (1..=count).map(|failures| backoff.delay_after(failures)).collect()
    }

    fn is_about(delay: Duration, expected: Duration) -> bool {
        delay.abs_diff(expected) <= expected / 1_000_000
    }

    #[test]
    fn by_default_the_delay_doubles_up_to_a_minute() {
        let seconds = [1, 2, 4, 8, 16, 32, 60, 60];
        assert_eq!(delays(&Backoff::exponential().jitter(false), 8), seconds.map(Duration::from_secs));
        for (delay, whole) in delays(&Backoff::exponential(), 8).into_iter().zip(seconds.map(Duration::from_secs)) {
            assert!(delay >= whole / 2 && delay <= whole, "{delay:?} of {whole:?}");
        }
    }

    #[test]
    fn the_options_set_the_delays() {
        let backoff = Backoff::exponential()
            .first_delay(Duration::from_millis(200))
            .factor(3.0)
            .max_delay(Duration::from_secs(5))
            .jitter(false);
        for (delay, expected) in delays(&backoff, 4).into_iter().zip([200, 600, 1_800, 5_000]) {
            assert!(is_about(delay, Duration::from_millis(expected)), "{delay:?}, not {expected} ms");
        }
    }

    #[test]
    fn constant_delays_are_all_the_same() {
        for delay in [Duration::ZERO, Duration::from_millis(3), Duration::from_secs(3_600)] {
            assert_eq!(delays(&Backoff::constant(delay), 4), [delay; 4]);
        }
    }

    #[test]
    fn a_constant_backoff_can_be_changed_like_any_other() {
        let seconds = |backoff: &Backoff| delays(backoff, 4).iter().map(Duration::as_secs).collect::<Vec<_>>();
        let constant = || Backoff::constant(Duration::from_secs(10));
        assert_eq!(seconds(&constant().first_delay(Duration::from_secs(30))), [30; 4]);
        assert_eq!(seconds(&constant().factor(2.0)), [10, 20, 40, 60]);
        assert_eq!(seconds(&constant().factor(2.0).max_delay(Duration::from_secs(25))), [10, 20, 25, 25]);
        assert_eq!(seconds(&constant().max_delay(Duration::from_secs(5))), [5; 4]);
        let long = Backoff::constant(Duration::from_secs(7_200));
        assert_eq!(seconds(&long.clone().factor(2.0)), [7_200; 4]);
        assert_eq!(seconds(&long.first_delay(Duration::from_secs(3_600))), [3_600; 4]);
    }

    #[test]
    fn each_jitter_is_drawn_anew_and_evenly() {
        let backoff = Backoff::constant(Duration::from_secs(2)).jitter(true);
        let drawn: Vec<_> = (0..4_000).map(|_| backoff.delay_after(1)).collect();
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
        let backoff = Backoff::exponential().first_delay(Duration::from_secs(90)).jitter(false);
        assert_eq!(delays(&backoff, 2), [60, 60].map(Duration::from_secs));
    }

    #[test]
    fn a_factor_below_one_is_a_mistake() {
        for factor in [f32::NAN, f32::NEG_INFINITY, -2.0, 0.0, 0.5, 1.0 - f32::EPSILON] {
            assert!(Backoff::exponential().factor(factor).mistake().is_some(), "{factor}");
        }
        for factor in [1.0, 1.5, f32::MAX, f32::INFINITY] {
            assert_eq!(Backoff::exponential().factor(factor).mistake(), None, "{factor}");
        }
    }

    #[test]
    fn a_factor_of_one_or_less_leaves_the_delays_the_same() {
        for factor in [f32::NAN, f32::NEG_INFINITY, -2.0, 0.0, 0.5, 1.0] {
            let backoff = Backoff::exponential().factor(factor).jitter(false);
            assert_eq!(delays(&backoff, 3), [1, 1, 1].map(Duration::from_secs), "{factor}");
        }
        let backoff = Backoff::exponential().factor(f32::INFINITY).jitter(false);
        assert_eq!(delays(&backoff, 3), [1, 60, 60].map(Duration::from_secs));
    }

    #[test]
    fn a_delay_of_zero_stays_zero() {
        for factor in [1.0, 2.0, f32::INFINITY] {
            for jitter in [false, true] {
                let backoff = Backoff::exponential().first_delay(Duration::ZERO).factor(factor).jitter(jitter);
                assert_eq!(delays(&backoff, 3), [Duration::ZERO; 3]);
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
                        let backoff = Backoff::exponential().first_delay(delay).factor(factor);
                        let backoff = backoff.max_delay(max_delay).jitter(jitter);
                        for failures in [0, 1, 2, 100, u32::MAX] {
                            assert!(backoff.delay_after(failures) <= max_delay, "{backoff:?} after {failures}");
                        }
                    }
                }
            }
        }
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn delays_grow_from_the_first_to_the_longest(
            count in 0_u32..200,
            first_ns in 1_u64..100_000_000_000,
            factor in 1.1_f32..10.0,
            max_ns in 1_u64..1_000_000_000_000,
        ) {
            let (first, max) = (Duration::from_nanos(first_ns), Duration::from_nanos(max_ns));
            let plain = Backoff::exponential().first_delay(first).factor(factor).max_delay(max).jitter(false);
            let whole = delays(&plain, count);
            prop_assert!(whole.is_sorted());
            prop_assert!(whole.first().is_none_or(|delay| *delay == first.min(max)));
            prop_assert!(whole.iter().all(|delay| *delay <= max));
            prop_assert!(delays(&plain.jitter(true), count).iter().all(|delay| *delay <= max));
        }

        #[test]
        fn each_delay_is_drawn_between_its_half_and_its_whole(
            failures in 1_u32..300,
            first_ms in 1_u64..100_000,
            factor in 1.1_f32..10.0,
            max_ms in 1_u64..1_000_000,
        ) {
            let backoff = Backoff::exponential().factor(factor);
            let backoff = backoff.first_delay(Duration::from_millis(first_ms)).max_delay(Duration::from_millis(max_ms));
            let whole = backoff.clone().jitter(false).delay_after(failures);
            let drawn = backoff.delay_after(failures);
            let slack = whole / 10_000;
            prop_assert!(drawn + slack >= whole / 2 && drawn <= whole + slack, "{:?} of {:?}", drawn, whole);
            if failures > 250 {
                prop_assert_eq!(whole, Duration::from_millis(max_ms), "it has grown to the longest by now");
            }
        }
    }
}
