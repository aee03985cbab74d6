use std::time::Duration;

use crate::Backoff;

/// When a task's handler is called again after it has ended. Meant for services, which run as long as the app. See
/// `Task::restart`.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use std::time::Duration;
/// use tauri_plugin_tasks::{Backoff, Restart};
///
/// // After an error or a panic, half a second later at first. Given up after ten short attempts in a row.
/// let backoff = Backoff::exponential().first_delay(Duration::from_millis(500));
/// let restart = Restart::on_failure().backoff(backoff).give_up_after(10);
/// # let _ = restart;
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Restart {
    always: bool,
    backoff: Backoff,
    give_up_after: Option<u32>,
    healthy_after: Duration,
}

impl Restart {
    /// Restarts after an attempt that failed or panicked. An attempt that returns its output is the last one.
    pub fn on_failure() -> Self {
        Self {
            always: false,
            backoff: Backoff::exponential(),
            give_up_after: None,
            healthy_after: Duration::from_secs(60),
        }
    }

    /// Restarts after every attempt, however it ended, until the task is cancelled.
    pub fn always() -> Self {
        Self { always: true, ..Self::on_failure() }
    }

    /// Sets the delays before the next attempt, which follow the number of short attempts in a row.
    /// [`Backoff::exponential`] by default. The time in which the machine sleeps counts.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Makes the last of `attempts` short attempts in a row the last one of the task. With 1, that is the first short
    /// one. 0 is refused when the app starts. By default the task is never given up.
    #[must_use]
    pub fn give_up_after(mut self, attempts: u32) -> Self {
        self.give_up_after = Some(attempts);
        self
    }

    /// Sets how long an attempt must last to count as healthy, and not as short. After a healthy attempt, the count of
    /// short attempts and the delay start again. A minute by default. The time in which the machine sleeps doesn't count.
    #[must_use]
    pub fn healthy_after(mut self, healthy_after: Duration) -> Self {
        self.healthy_after = healthy_after;
        self
    }

    /// Returns what is wrong with it, and what to do.
    pub(super) fn mistake(&self) -> Option<String> {
        if self.give_up_after == Some(0) {
            return Some("it is given up after 0 short attempts: 1 means after the first".into());
        }
        if self.give_up_after.is_some() && self.healthy_after.is_zero() {
            return Some("every attempt is healthy after no time, so it is never given up: set healthy_after".into());
        }
        self.backoff.mistake()
    }

    /// Returns how long a healthy attempt lasts at least.
    pub(crate) fn healthy_time(&self) -> Duration {
        self.healthy_after
    }

    /// Returns the new number of short attempts in a row, after an attempt that lasted `lasted`.
    pub(crate) fn count(&self, short_runs: u32, lasted: Duration) -> u32 {
        if lasted >= self.healthy_after { 0 } else { short_runs.saturating_add(1) }
    }

    /// Returns how long to wait after an attempt, or `None` if it was the last one.
    pub(crate) fn delay(&self, short_runs: u32, failed: bool) -> Option<Duration> {
        if !failed && !self.always {
            return None;
        }
        // After a healthy attempt, the delay is the same as after a first short one, and the task is never given up.
        let goes_on = short_runs == 0 || self.give_up_after.is_none_or(|most| short_runs < most);
        goes_on.then(|| self.backoff.delay_after(short_runs))
    }
}
