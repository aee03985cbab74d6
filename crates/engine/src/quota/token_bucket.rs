use tokio::time::Instant;

/// A bucket of tokens that fills at a constant rate. It is full at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TokenBucket {
    size: u64,
    per_second: u64,
    /// What was in it at `at`, in billionths of a token, so that nothing is lost to rounding.
    level: u128,
    at: Instant,
}

const TOKEN: u128 = 1_000_000_000;

impl TokenBucket {
    pub(super) fn new(size: u64, per_second: u64, now: Instant) -> Self {
        Self { size, per_second, level: u128::from(size) * TOKEN, at: now }
    }

    /// Returns whether this many tokens are in it.
    pub(super) fn has(&self, tokens: u64, now: Instant) -> bool {
        u128::from(tokens) * TOKEN <= self.level(now)
    }

    /// Takes this many tokens. If there are fewer, takes them all.
    pub(super) fn take(&mut self, tokens: u64, now: Instant) {
        self.level = self.level(now).saturating_sub(u128::from(tokens) * TOKEN);
        self.at = self.at.max(now);
    }

    pub(super) fn is_full(&self, now: Instant) -> bool {
        self.has(self.size, now)
    }

    fn level(&self, now: Instant) -> u128 {
        let filled = now.saturating_duration_since(self.at).as_nanos().saturating_mul(u128::from(self.per_second));
        self.level.saturating_add(filled).min(u128::from(self.size) * TOKEN)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// What was taken, and when. From each of these moments on, no more may be taken than what fits in the bucket and what
    /// has flowed into it since.
    struct Taken {
        size: u64,
        per_second: u64,
        at: Vec<(Duration, u64)>,
    }

    impl Taken {
        fn may_take(&self, tokens: u64, now: Duration) -> bool {
            let mut sum = u128::from(tokens);
            let mut fits = sum <= u128::from(self.size);
            for (at, taken) in self.at.iter().rev() {
                sum += u128::from(*taken);
                let flowed = now.abs_diff(*at).as_nanos() * u128::from(self.per_second);
                fits &= sum * TOKEN <= u128::from(self.size) * TOKEN + flowed;
            }
            fits
        }
    }

    proptest! {
        #[test]
        fn no_more_is_taken_than_what_was_in_it_and_what_has_flowed_into_it(
            size in 1..50u64,
            per_second in 1..20u64,
            steps in prop::collection::vec((0..400_000_000u64, 0..60u64), 1..80),
        ) {
            let begin = Instant::now();
            let mut bucket = TokenBucket::new(size, per_second, begin);
            let mut model = Taken { size, per_second, at: Vec::new() };
            let mut now = Duration::ZERO;
            for (wait, tokens) in steps {
                now += Duration::from_nanos(wait);
                let may = model.may_take(tokens, now);
                prop_assert_eq!(bucket.has(tokens, begin + now), may);
                if may {
                    bucket.take(tokens, begin + now);
                    model.at.push((now, tokens));
                }
            }
        }
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_tokens_twice() {
        let (early, late) = (Instant::now(), Instant::now() + Duration::from_secs(1));
        let mut bucket = TokenBucket::new(10, 1, early);
        bucket.take(10, late);
        bucket.take(0, early);
        assert!(!bucket.has(1, late));
        assert!(bucket.has(1, late + Duration::from_secs(1)));
    }
}
