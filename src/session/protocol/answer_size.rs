//! How large an answer may be, by how long the page took for the last ones.
//!
//! A page takes a message in one go: while it does, it draws no frame. So a page that is busy, or slow, gets less at a
//! time, and one that is quick gets more, as long as there is more.

use std::time::Duration;

use super::timing::FRAME;

/// The smallest limit, in bytes: what may be pushed may be answered too.
const LEAST: usize = 8 * 1024;
/// The largest limit.
const MOST: usize = 512 * 1024;
/// The limit for a page that nothing is known of.
const FIRST: usize = 64 * 1024;
/// Within this time there was room for more. Half of [`FRAME`], so that growth alone leads past it, but not past a frame.
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

    /// The page took this long for a message, which was as large as this limit allowed if `full`.
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
    fn it_grows_for_a_quick_page_and_shrinks_for_a_slow_one() {
        assert_eq!(after(&[]), FIRST);
        assert_eq!(after(&[1; 20]), MOST);
        assert_eq!(after(&[18; 20]), LEAST);
        assert_eq!(after(&[12; 20]), FIRST, "what fits well stays");
        assert_eq!(after(&[5_000]), FIRST / 2, "once frozen is not slow for ever");
    }

    #[test]
    fn a_message_that_was_not_full_says_nothing_about_larger_ones() {
        let mut size = AnswerSize::new();
        size.learn(Duration::ZERO, false);
        assert_eq!(size.limit(), FIRST);
        size.learn(Duration::from_millis(18), false);
        assert_eq!(size.limit(), FIRST / 2, "but a page that is busy with a small one has no time for a large one");
    }

    proptest! {
        /// A page that needs a fixed time, and some for each byte, comes to the most that it can take within a frame, or
        /// to the least.
        #[test]
        fn it_settles_at_what_the_page_can_take(fixed_us in 0..8_000_u64, bytes_per_us in 1..200_usize, start in 1..=64_usize) {
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
                prop_assert_eq!(size.limit(), limit, "it does not swing");
            }
        }
    }
}
