use std::{collections::HashSet, time::Duration};

use super::{patience::until_some, running::Running};
use crate::{ScheduleSnapshot, TaskFilter, TaskHandle};

/// A schedule of a [`TestApp`](super::TestApp): see [`TestApp::schedule`](super::TestApp::schedule).
///
/// ```
/// use std::time::Duration;
/// use tauri_plugin_tasks::{Builder, Failure, Schedule, Task, TaskContext, TaskKey, test};
///
/// const SYNC: TaskKey<u32, u32, Failure> = TaskKey::new("sync");
///
/// async fn sync(_ctx: TaskContext, days: u32) -> Result<u32, Failure> {
///     Ok(days)
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let hourly = Schedule::every(Duration::from_secs(3_600));
/// let app = test::app(Builder::new().task(Task::new(SYNC, sync)).schedule("hourly", SYNC, 7, hourly));
/// let run = app.schedule("hourly").due().await.expect("no earlier run is left");
/// assert_eq!(run.outcome().await.output::<u32>().unwrap(), Some(7));
/// # }
/// ```
pub struct TestSchedule<'a> {
    app: &'a Running,
    name: String,
}

impl<'a> TestSchedule<'a> {
    pub(super) fn new(app: &'a Running, name: &str) -> Self {
        Self { app, name: name.to_owned() }
    }

    /// Returns it as it is now. Panics if there is no schedule of this name.
    pub fn snapshot(&self) -> ScheduleSnapshot {
        let schedules = self.app.tasks().schedules();
        let names: Vec<_> = schedules.iter().map(|schedule| schedule.name.clone()).collect();
        schedules
            .into_iter()
            .find(|schedule| schedule.name == self.name)
            .unwrap_or_else(|| panic!("there is no schedule \"{}\": there are {names:?}", self.name))
    }

    /// Moves the clock of the app to the time at which the schedule is due next, and waits for the run. Everything else that is
    /// due by then happens too: see [`TestApp::advance`](super::TestApp::advance). `None` if the run is left out, since an
    /// earlier run goes on and the schedule doesn't overlap its runs. Panics if the schedule is not due at any time: it is
    /// paused, or counts from the end of its run, which goes on.
    pub async fn due(&self) -> Option<TaskHandle> {
        let before = self.snapshot();
        let due = before.next_run_at.unwrap_or_else(|| {
            panic!("schedule \"{}\" is not due at any time: it is paused, or waits for its run to end", self.name)
        });
        let known: HashSet<_> = self.runs().into_iter().collect();
        self.app.advance(Duration::from_millis(due.saturating_sub(self.app.clock.now()) + 1));
        let what = || format!("a run of schedule \"{}\"", self.name);
        let run = until_some(what, async || {
            if let Some(run) = self.runs().into_iter().find(|run| !known.contains(run)) {
                return Some(Some(run));
            }
            (self.snapshot().skipped > before.skipped).then_some(None)
        })
        .await?;
        Some(self.app.tasks().handle(run).unwrap_or_else(|error| panic!("a run that isn't kept: {error}")))
    }

    fn runs(&self) -> Vec<crate::TaskId> {
        let filter = TaskFilter::default().tag(format!("schedule:{}", self.name));
        self.app.tasks().list(&filter).into_iter().map(|task| task.id).collect()
    }
}
