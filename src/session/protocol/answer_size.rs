//! Limits the size of an answer by how long the page took to acknowledge the last messages.
//!
//! A page draws no frame while it handles a message. So a busy or slow page gets smaller answers, and a quick page gets
//! larger ones.

use std::time::Duration;

use super::timing::FRAME;

/// The smallest limit, in bytes, which is the limit of a push.
const LEAST: usize = 8 * 1024;
/// The largest limit, in bytes.
const MOST: usize = 512 * 1024;
/// The limit for a page whose speed is unknown, in bytes.
const FIRST: usize = 64 * 1024;
/// If a page takes less time than this, the limit grows. Half of [`FRAME`], so that an answer that is one step larger
/// still takes less than a frame.
const QUICK: Duration = Duration::from_micros(8_500);

/// The limit for the next answer.
#[derive(Debug)]
pub(super) struct AnswerSize {
    limit: usize,
}

impl AnswerSize {
    pub(super) fn new() -> Self {
        Self { limit: FIRST }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Adapts the limit to the time that the page took for a message. `full` is whether the message was an
    /// answer that the limit cut short.
    pub(super) fn learn(&mut self, took: Duration, full: bool) {
        if took > FRAME {
            self.limit = (self.limit / 2).max(LEAST);
        } else if full && took < QUICK {
            self.limit = (self.limit + self.limit / 2).min(MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(took_ms: &[u64]) -> usize {
        let mut size = AnswerSize::new();
        for ms in took_ms {
            size.learn(Duration::from_millis(*ms), true);
        }
        size.limit()
    }

    #[test]
    fn the_limit_grows_for_a_quick_page_and_shrinks_for_a_slow_one() {
        assert_eq!(after(&[]), FIRST);
        assert_eq!(after(&[1; 20]), MOST);
        assert_eq!(after(&[18; 20]), LEAST);
        assert_eq!(after(&[12; 20]), FIRST, "a limit that fits stays");
        assert_eq!(after(&[5_000]), FIRST / 2, "one long freeze halves it only once");
    }

    #[test]
    fn a_message_that_was_not_full_never_raises_the_limit() {
        let mut size = AnswerSize::new();
        size.learn(Duration::ZERO, false);
        assert_eq!(size.limit(), FIRST);
        size.learn(Duration::from_millis(18), false);
        assert_eq!(size.limit(), FIRST / 2, "a page that is slow with a small message is slow with a large one too");
    }

    proptest! {
        /// The page takes a fixed time plus some for each byte. The limit settles where an answer takes between half a
        /// frame and a frame, or else at the smallest or largest limit.
        #[test]
        fn the_limit_settles_at_what_the_page_can_take(
            fixed_us in 0..8_000_u64,
            bytes_per_us in 1..200_usize,
            start in 1..=64_usize,
        ) {
            let mut size = AnswerSize { limit: start * LEAST };
            let took = |limit: usize| Duration::from_micros(fixed_us + (limit / bytes_per_us) as u64);
            for _ in 0..12 {
                size.learn(took(size.limit()), true);
            }
            for _ in 0..100 {
                let limit = size.limit();
                prop_assert!((LEAST..=MOST).contains(&limit));
                prop_assert!(limit == LEAST || took(limit) <= FRAME, "{limit} bytes take {:?}", took(limit));
                prop_assert!(limit == MOST || took(limit) >= QUICK, "{limit} bytes take only {:?}", took(limit));
                size.learn(took(limit), true);
                prop_assert_eq!(size.limit(), limit, "the limit does not swing");
            }
        }
    }
}
