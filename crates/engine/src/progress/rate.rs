//! Estimates the rate and the time left from readings of a counter, which come at irregular times.
//!
//! The rate is an exponential moving average over about [`MEMORY`]. It is normalized by the sum of the weights, so the
//! first readings are not averaged with zeros before them. The time left may fall by any amount, but rises by at most
//! [`ETA_RISE`] with each reading, so that noise in the rate doesn't make it jump.

use std::time::Duration;

use tokio::time::Instant;

/// The time constant of the average.
const MEMORY: Duration = Duration::from_secs(8);
/// Readings closer together than this say more about scheduling than about the work.
const SHORTEST: Duration = Duration::from_millis(100);
/// There is no estimate before this time has passed.
const WARM_UP: Duration = Duration::from_secs(1);
/// There is no estimate after this time without any advance.
const STALLED: Duration = Duration::from_secs(10);
/// The factor by which the time left may rise from one reading to the next.
const ETA_RISE: f64 = 1.08;

#[derive(Debug)]
pub(crate) struct Estimator {
    since: Instant,
    read_at: Instant,
    completed: u64,
    total: Option<u64>,
    advanced_at: Instant,
    /// The weighted sum of the rates, in units per second, and the sum of the weights.
    sum: f64,
    weight: f64,
    eta: Option<f64>,
}

/// An estimate; `None` until there is enough to go by.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Estimate {
    /// Units per second.
    pub rate: Option<f64>,
    /// The time left, in seconds.
    pub eta: Option<f64>,
}

impl Estimator {
    pub(crate) fn new(now: Instant) -> Self {
        Self::starting_at(now, 0)
    }

    fn starting_at(now: Instant, completed: u64) -> Self {
        Self { since: now, read_at: now, completed, total: None, advanced_at: now, sum: 0.0, weight: 0.0, eta: None }
    }

    /// Takes a reading and returns the estimate at `now`.
    pub(crate) fn read(&mut self, now: Instant, completed: u64, total: Option<u64>) -> Estimate {
        if completed < self.completed {
            // The work has begun again.
            *self = Self::starting_at(now, completed);
        }
        if total != self.total {
            // The amount of work has changed, so the time left may rise by more than `ETA_RISE`.
            self.total = total;
            self.eta = self.time_left();
        }
        if now.duration_since(self.read_at) >= SHORTEST {
            self.learn(now, completed);
        }
        self.estimate(now)
    }

    #[allow(clippy::cast_precision_loss)] // Counts above 2^53 lose precision that no progress bar can show.
    fn learn(&mut self, now: Instant, completed: u64) {
        let elapsed = now.duration_since(self.read_at).as_secs_f64();
        let advance = (completed - self.completed) as f64;
        let keep = (-elapsed / MEMORY.as_secs_f64()).exp();
        self.sum = self.sum * keep + (advance / elapsed) * (1.0 - keep);
        self.weight = self.weight * keep + (1.0 - keep);
        if completed > self.completed {
            self.advanced_at = now;
        }
        self.read_at = now;
        self.completed = completed;
        self.eta = match (self.eta, self.time_left()) {
            (Some(before), Some(eta)) => Some(eta.min(before * ETA_RISE)),
            (_, eta) => eta,
        };
    }

    fn estimate(&self, now: Instant) -> Estimate {
        let young = now.duration_since(self.since) < WARM_UP;
        let stalled = now.duration_since(self.advanced_at) >= STALLED;
        if young || stalled || self.sum <= 0.0 {
            return Estimate::default();
        }
        Estimate { rate: Some(self.sum / self.weight), eta: self.eta }
    }

    #[allow(clippy::cast_precision_loss)]
    fn time_left(&self) -> Option<f64> {
        let remaining = self.total?.saturating_sub(self.completed) as f64;
        Some(remaining * self.weight / self.sum).filter(|seconds| seconds.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn there_is_no_estimate_before_there_is_enough_to_go_by() {
        let start = Instant::now();
        let mut estimator = Estimator::new(start);
        assert_eq!(estimator.read(at(start, 500), 50, Some(1_000)), Estimate::default(), "too early");
        let Estimate { rate, eta } = estimator.read(at(start, 2_000), 200, Some(1_000));
        assert!((rate.unwrap() - 100.0).abs() < 1e-6, "{rate:?}");
        assert!((eta.unwrap() - 8.0).abs() < 1e-6, "{eta:?}");
        let unbounded = estimator.read(at(start, 3_000), 300, None);
        assert!(unbounded.rate.is_some() && unbounded.eta.is_none(), "no total, no time left");
    }

    #[test]
    fn a_growing_total_changes_the_time_left_at_once() {
        let start = Instant::now();
        let mut estimator = Estimator::new(start);
        estimator.read(at(start, 2_000), 200, Some(1_000));
        let eta = estimator.read(at(start, 2_010), 200, Some(2_000)).eta.unwrap();
        assert!((eta - 18.0).abs() < 1e-6, "{eta}");
    }

    #[test]
    fn stalled_work_has_no_rate() {
        let start = Instant::now();
        let mut estimator = Estimator::new(start);
        for second in 1..=5 {
            estimator.read(at(start, second * 1_000), second * 100, Some(10_000));
        }
        let slow = estimator.read(at(start, 9_000), 500, Some(10_000)).rate.unwrap();
        assert!(slow < 70.0, "it falls while nothing moves: {slow}");
        assert_eq!(estimator.read(at(start, 15_000), 500, Some(10_000)), Estimate::default());
    }

    #[test]
    fn a_counter_that_goes_back_resets_the_estimate() {
        let start = Instant::now();
        let mut estimator = Estimator::new(start);
        estimator.read(at(start, 5_000), 5_000, None);
        assert_eq!(estimator.read(at(start, 6_000), 0, None), Estimate::default());
        let rate = estimator.read(at(start, 8_000), 20, None).rate.unwrap();
        assert!((rate - 10.0).abs() < 1e-6, "{rate}");
    }

    proptest! {
        #[test]
        fn under_noise_the_time_left_never_jumps_up(
            every_ms in 50_u64..3_000,
            speed in 10_u64..1_000_000,
            noise in prop::collection::vec(0.7_f64..1.3, 400),
        ) {
            let start = Instant::now();
            let mut estimator = Estimator::new(start);
            #[allow(clippy::cast_precision_loss)]
            let total = (every_ms * speed * noise.len() as u64) / 1_000;
            let (mut now, mut completed, mut shown) = (0, 0, None::<f64>);
            for factor in noise {
                now += every_ms;
                #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                { completed += (every_ms as f64 * speed as f64 / 1_000.0 * factor) as u64; }
                let eta = estimator.read(at(start, now), completed.min(total), Some(total)).eta;
                if now > 3_000 && let (Some(before), Some(eta)) = (shown, eta) {
                    prop_assert!(eta <= before * 1.1, "{before} s rose to {eta} s at {now} ms");
                }
                shown = eta;
            }
        }

        #[test]
        fn a_steady_rate_is_found_whatever_the_readings(gaps in prop::collection::vec(1_u64..2_000, 20..200)) {
            let start = Instant::now();
            let mut estimator = Estimator::new(start);
            let mut now = 0;
            let mut last = Estimate::default();
            for gap in gaps {
                now += gap;
                last = estimator.read(at(start, now), now, None);
            }
            if now > 1_100 {
                prop_assert!((last.rate.unwrap() - 1_000.0).abs() < 1.0, "{last:?}");
            }
        }
    }
}
