use std::time::Duration;

use crate::Retry;

/// When a task's handler is called again after it has ended. Meant for services, which run as long as the app. See
/// `Task::restart`.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use std::time::Duration;
/// use tauri_plugin_tasks::{Restart, Retry};
///
/// // After an error or a panic, half a second later at first. Given up after ten short attempts in a row.
/// let restart = Restart::on_failure().delays(Retry::exponential(10).first_delay(Duration::from_millis(500)));
/// # let _ = restart;
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Restart {
    always: bool,
    delays: Retry,
    healthy_after: Duration,
}

impl Restart {
    /// Restarts after an attempt that failed or panicked. An attempt that returns its output is the last one.
    pub fn on_failure() -> Self {
        Self { always: false, delays: Retry::exponential(u32::MAX), healthy_after: Duration::from_secs(60) }
    }

    /// Restarts after every attempt, however it ended, until the task is cancelled.
    pub fn always() -> Self {
        Self { always: true, ..Self::on_failure() }
    }

    /// Sets how long to wait before the next attempt, and how many short attempts in a row there may be, the first one
    /// included. By default the delay grows from 1 second to a minute, and there is no limit.
    #[must_use]
    pub fn delays(mut self, delays: Retry) -> Self {
        self.delays = delays;
        self
    }

    /// Sets how long an attempt must last to count as healthy, and not as short. After a healthy attempt, the count of
    /// short attempts and the delay start again. A minute by default.
    #[must_use]
    pub fn healthy_after(mut self, healthy_after: Duration) -> Self {
        self.healthy_after = healthy_after;
        self
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
        // After a long attempt, the delay is the same as after a first short one, and the task is never given up.
        if short_runs == 0 { Some(self.delays.shortest()) } else { self.delays.delay_after(short_runs) }
    }
}
