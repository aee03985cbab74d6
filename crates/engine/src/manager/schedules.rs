//! The part of [`TaskManager`] that manages schedules.

use std::sync::Arc;

use chrono::Local;
use serde::Serialize;

use super::TaskManager;
use crate::{
    error::Error,
    handle::TaskHandle,
    json::Json,
    record::follower::Follower,
    schedule::{
        driver::{Triggerer, drive, now},
        named_schedule::RunSpec,
        snapshot::ScheduleSnapshot,
        timetable::Timetable,
        when::Schedule,
    },
    task::id::TaskId,
    task_name::TakesInput,
};

impl TaskManager {
    /// Adds a schedule, which runs the kind `task`, a [`TaskKey`](crate::TaskKey) or a name, with this input, until the
    /// app ends, [`unschedule`](Self::unschedule) is called, or the last manager and the last handle on a task are
    /// dropped. It replaces a schedule of the same name. Current runs of the replaced schedule go on; the new one
    /// treats them as its own when it decides whether a run would overlap. Its counts start from zero.
    ///
    /// Each run is a task that the app owns, with the tag `schedule:` followed by `name`. It waits and runs within all
    /// limits.
    ///
    /// Fails when no such kind is registered, the input doesn't fit it, the interval is less than a second, or the name
    /// is empty or longer than 200 bytes. To add a schedule while the app is being set up, use `Builder::schedule`.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use std::time::Duration;
    /// use tauri_plugin_tasks::{Error, Failure, Schedule, TaskKey, TaskManager};
    ///
    /// const FETCH: TaskKey<String, (), Failure> = TaskKey::new("fetch");
    ///
    /// fn poll(tasks: &TaskManager, feed: &str) -> Result<(), Error> {
    ///     tasks.schedule(feed, FETCH, feed.to_owned(), Schedule::every(Duration::from_secs(15 * 60)).at_once())
    /// }
    ///
    /// fn stop_polling(tasks: &TaskManager, feed: &str) -> Result<(), Error> {
    ///     tasks.unschedule(feed)
    /// }
    /// ```
    pub fn schedule<K: TakesInput<In>, In: Serialize>(
        &self,
        name: &str,
        task: K,
        input: In,
        schedule: Schedule,
    ) -> Result<(), Error> {
        let input = self.json_of(task.task_name(), "the input", &input)?;
        self.put_schedule(name, task.task_name(), input, schedule)?;
        self.begin(Some(name));
        Ok(())
    }

    /// Adds a schedule, which takes effect at [`begin_schedules`](Self::begin_schedules).
    pub(crate) fn put_schedule(&self, name: &str, task: &str, input: Json, schedule: Schedule) -> Result<(), Error> {
        schedule.check(name)?;
        self.engine.check_input(task, &input)?;
        self.schedules.put(name, RunSpec { task: task.to_owned(), input }, Timetable::new(schedule));
        Ok(())
    }

    /// Begins the schedules that were added with [`put_schedule`](Self::put_schedule).
    pub(crate) fn begin_schedules(&self) {
        self.begin(None);
    }

    fn begin(&self, name: Option<&str>) {
        let Self { engine, schedules } = self;
        let shift = engine.transitions.timers().shift();
        let driver = drive(Arc::downgrade(engine), Arc::downgrade(schedules), Arc::clone(&schedules.changed), shift);
        schedules.begin(name, now(engine), || engine.control().spawn(driver));
    }

    /// Removes a schedule. Its runs go on; cancel them by their tag, `schedule:` followed by `name`.
    ///
    /// Fails with [`ErrorKind::UnknownSchedule`](crate::ErrorKind::UnknownSchedule) when there is no schedule of this
    /// name.
    pub fn unschedule(&self, name: &str) -> Result<(), Error> {
        self.schedules.take_off(name)
    }

    /// Returns all schedules as they are now, sorted by name.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::TaskManager;
    ///
    /// /// The schedules that have failed more than three times in a row.
    /// fn troubled(tasks: &TaskManager) -> Vec<String> {
    ///     tasks.schedules().into_iter().filter(|schedule| schedule.failures > 3).map(|schedule| schedule.name).collect()
    /// }
    /// ```
    pub fn schedules(&self) -> Vec<ScheduleSnapshot> {
        let mut schedules = self.schedules.snapshots(now(&self.engine), &Local);
        if self.engine.is_closed() {
            for schedule in &mut schedules {
                schedule.next_run_at = None;
            }
        }
        schedules
    }

    /// Starts a run now, outside the timetable, even while the schedule is paused. If an earlier run has not ended and
    /// the schedule does not [overlap](Schedule::overlap), it starts nothing and returns the handle of the earlier run.
    /// A handler that awaits either [lends its slots](TaskHandle::outcome).
    ///
    /// Fails when there is no schedule of this name, or when [`start`](Self::start) would fail.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::{Error, TaskManager};
    ///
    /// async fn sync_now(tasks: &TaskManager) -> Result<(), Error> {
    ///     tasks.trigger("sync")?.outcome().await;
    ///     Ok(())
    /// }
    /// ```
    pub fn trigger(&self, name: &str) -> Result<TaskHandle, Error> {
        self.trigger_for(None, name, TaskId::new(), &|_| true).map(|run| self.handle_of(run))
    }

    /// Like [`trigger`](Self::trigger). If a run is started, its id is `id`. A repeated call with the same id returns
    /// the same run. `may` says which kinds the caller may use. The `caller` gets a share in the run, and its quotas
    /// hold as for a start; `None` is the app.
    pub(crate) fn trigger_for(
        &self,
        caller: Option<Triggerer<'_>>,
        name: &str,
        id: TaskId,
        may: &dyn Fn(&str) -> bool,
    ) -> Result<Follower, Error> {
        self.schedules.trigger_run(&self.engine, caller, name, id, may)
    }

    /// Returns the name of the kind that this schedule runs.
    pub(crate) fn task_of_schedule(&self, name: &str) -> Option<String> {
        self.schedules.task_of(name)
    }

    /// Pauses a schedule: it starts no more runs until [`resume_schedule`](Self::resume_schedule). Current runs go on.
    /// Pausing it again changes nothing. Fails as [`unschedule`](Self::unschedule) does.
    pub fn pause_schedule(&self, name: &str) -> Result<(), Error> {
        self.schedules.pause(name)
    }

    /// Resumes a schedule after [`pause_schedule`](Self::pause_schedule). The next run comes a whole interval from now,
    /// or at the next match of the cron expression. Runs that were due meanwhile are not made up for. Resuming a
    /// schedule that is not paused changes nothing. Fails as [`unschedule`](Self::unschedule) does.
    pub fn resume_schedule(&self, name: &str) -> Result<(), Error> {
        self.schedules.resume(name, now(&self.engine))
    }
}
