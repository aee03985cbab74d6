use std::time::Duration;

use crate::Backoff;

/// How often a failed attempt is retried, and after which delays.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use std::time::Duration;
/// use tauri_plugin_tasks::{Backoff, Retry};
///
/// // At most three attempts, with up to 1 and 2 seconds between them.
/// let retry = Retry::attempts(3);
///
/// // At most five attempts, with up to 5, 10, 20 and 40 seconds between them.
/// let patient = Retry::attempts(5).backoff(Backoff::exponential().first_delay(Duration::from_secs(5)));
/// # let _ = (retry, patient);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    attempts: u32,
    backoff: Backoff,
}

impl Retry {
    /// Allows up to `attempts` attempts in all, the first one included. With 1 a failure is final.
    /// 0 is refused when the app starts, since a task always has its first attempt.
    pub fn attempts(attempts: u32) -> Self {
        Self { attempts, backoff: Backoff::exponential() }
    }

    /// Sets the delays between attempts. [`Backoff::exponential`] by default. The time in which the machine sleeps counts.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Returns what is wrong with it, and what to do.
    pub(super) fn mistake(&self) -> Option<String> {
        if self.attempts == 0 {
            return Some("0 attempts are too few, since a task always has its first: 1 means no retry".into());
        }
        self.backoff.mistake()
    }

    /// Returns whether a task may come to this attempt.
    #[cfg(any(test, feature = "test"))]
    pub(crate) fn allows(&self, attempt: u32) -> bool {
        attempt <= self.attempts
    }

    /// Returns how long to wait after attempt number `attempt` (from 1) has failed, or `None` if it was the last one.
    pub(crate) fn delay_after(&self, attempt: u32) -> Option<Duration> {
        let attempt = attempt.max(1);
        (attempt < self.attempts).then(|| self.backoff.delay_after(attempt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(retry: &Retry) -> Vec<Duration> {
        (1..).map_while(|attempt| retry.delay_after(attempt)).collect()
    }

    #[test]
    fn there_is_one_delay_fewer_than_attempts() {
        let backoff = Backoff::exponential().jitter(false);
        for attempts in 2..40 {
            let delays = delays(&Retry::attempts(attempts).backoff(backoff.clone()));
            let expected: Vec<_> = (1..attempts).map(|failures| backoff.delay_after(failures)).collect();
            assert_eq!(delays, expected);
        }
    }

    #[test]
    fn by_default_the_delays_grow_from_a_second() {
        for (delay, whole) in delays(&Retry::attempts(4)).into_iter().zip([1, 2, 4].map(Duration::from_secs)) {
            assert!(delay >= whole / 2 && delay <= whole, "{delay:?} of {whole:?}");
        }
    }

    #[test]
    fn one_attempt_or_none_is_never_retried() {
        for attempts in [0, 1] {
            for attempt in [0, 1, 2, u32::MAX] {
                assert_eq!(Retry::attempts(attempts).delay_after(attempt), None);
            }
        }
        let endless = Retry::attempts(u32::MAX);
        assert!(endless.delay_after(u32::MAX - 1).is_some() && endless.delay_after(u32::MAX).is_none());
    }
}
