use std::time::Duration;

use crate::Retry;

/// When a task is run again after its run is over: for a service, which is meant to go on as long as the app. See
/// `Task::restart`.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use std::time::Duration;
/// use tauri_plugin_tasks::{Restart, Retry};
///
/// // After an error or a panic, half a second later at first; given up after ten short runs in a row.
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
    /// After a run that failed or panicked. A run that returns its output is the last one.
    pub fn on_failure() -> Self {
        Self { always: false, delays: Retry::exponential(u32::MAX), healthy_after: Duration::from_secs(60) }
    }

    /// After every run, however it ended, until the task is cancelled.
    pub fn always() -> Self {
        Self { always: true, ..Self::on_failure() }
    }

    /// How long to wait before the next run, and how many short runs in a row there may be, the first one included. If nothing
    /// is said the delay grows from 1 second to a minute, and there is no limit.
    #[must_use]
    pub fn delays(mut self, delays: Retry) -> Self {
        self.delays = delays;
        self
    }

    /// A run that lasted this long was no short one: the count of those begins anew, and the delay with it. A minute if
    /// nothing is said.
    #[must_use]
    pub fn healthy_after(mut self, healthy_after: Duration) -> Self {
        self.healthy_after = healthy_after;
        self
    }

    /// How many short runs in a row there have been, with one that lasted so long.
    pub(crate) fn count(&self, short_runs: u32, lasted: Duration) -> u32 {
        if lasted >= self.healthy_after { 0 } else { short_runs.saturating_add(1) }
    }

    /// How long to wait after a run. `None`: that was the last one.
    pub(crate) fn delay(&self, short_runs: u32, failed: bool) -> Option<Duration> {
        if !failed && !self.always {
            return None;
        }
        // After a long run it waits as after the first short one, and is never given up.
        if short_runs == 0 { Some(self.delays.shortest()) } else { self.delays.delay_after(short_runs) }
    }
}
