//! Schedules as [`TaskManager`] offers them.

use std::sync::Arc;

use chrono::Local;
use serde::Serialize;

use super::TaskManager;
use crate::{
    error::Error,
    handle::TaskHandle,
    json::Json,
    record::follower::Follower,
    schedule::{driver::drive, entry::Words, snapshot::ScheduleSnapshot, timetable::Timetable, when::Schedule},
    task::id::TaskId,
};

impl TaskManager {
    /// Runs the kind registered as `task` again and again, with this input, as `schedule` says: until the app ends, or
    /// [`unschedule`](Self::unschedule). Replaces the schedule of the same name, if there is one: what that has started goes on,
    /// and keeps the new one from running beside it as a run of its own would; its counts begin anew.
    ///
    /// Each run is a task of the app, with the tag `schedule:` and the name, and waits and runs within all limits.
    ///
    /// Fails when there is no such kind, the input doesn't fit it, the interval is less than a second, or the name is empty or
    /// longer than 200 bytes. For schedules that are there from the beginning, `Builder::schedule` is
    /// the place.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use std::time::Duration;
    /// use tauri_plugin_tasks::{Error, Schedule, TaskManager};
    ///
    /// fn poll(tasks: &TaskManager, feed: &str) -> Result<(), Error> {
    ///     tasks.schedule(feed, "fetch", feed, Schedule::every(Duration::from_secs(15 * 60)).at_once())
    /// }
    ///
    /// fn stop_polling(tasks: &TaskManager, feed: &str) -> Result<(), Error> {
    ///     tasks.unschedule(feed)
    /// }
    /// ```
    pub fn schedule(&self, name: &str, task: &str, input: impl Serialize, schedule: Schedule) -> Result<(), Error> {
        let input = Json::new(&input).map_err(|problem| Error::unserializable("the input", &problem))?;
        self.put_schedule(name, task, input, schedule)?;
        self.begin(Some(name));
        Ok(())
    }

    /// The same for a schedule that begins with [`begin_schedules`](Self::begin_schedules).
    pub(crate) fn put_schedule(&self, name: &str, task: &str, input: Json, schedule: Schedule) -> Result<(), Error> {
        schedule.check(name)?;
        self.engine.check_input(task, &input)?;
        self.schedules.put(name, Words { task: task.to_owned(), input }, Timetable::new(schedule));
        Ok(())
    }

    /// Lets those begin that were there before the app was.
    pub(crate) fn begin_schedules(&self) {
        self.begin(None);
    }

    fn begin(&self, name: Option<&str>) {
        let Self { engine, schedules } = self;
        let watch = (Arc::downgrade(engine), Arc::downgrade(schedules), Arc::clone(&schedules.changed));
        schedules.begin(name, engine.now(), || engine.runtime().spawn(drive(watch.0, watch.1, watch.2)));
    }

    /// Takes a schedule off. Its runs go on; cancel them by their tag, `schedule:` and the name.
    ///
    /// Fails with [`ErrorKind::UnknownSchedule`](crate::ErrorKind::UnknownSchedule) when there is none of this name.
    pub fn unschedule(&self, name: &str) -> Result<(), Error> {
        self.schedules.take_off(name)
    }

    /// All schedules as they stand now, by name.
    ///
    /// ```
    /// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
    /// use tauri_plugin_tasks::TaskManager;
    ///
    /// /// What has failed more than three times in a row.
    /// fn troubled(tasks: &TaskManager) -> Vec<String> {
    ///     tasks.schedules().into_iter().filter(|schedule| schedule.failures > 3).map(|schedule| schedule.name).collect()
    /// }
    /// ```
    pub fn schedules(&self) -> Vec<ScheduleSnapshot> {
        let mut schedules = self.schedules.snapshots(self.engine.now(), &Local);
        if self.engine.is_closed() {
            for schedule in &mut schedules {
                schedule.next_run_at = None;
            }
        }
        schedules
    }

    /// A run now, beside the timetable, also while the schedule is paused. If one of its runs goes on and it does not
    /// [overlap](Schedule::overlap), nothing is started and the handle is one of that run.
    ///
    /// Fails when there is no schedule of this name, and when the start is refused, as [`start`](Self::start) does.
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
        self.trigger_for(name, TaskId::new(), &|_| true).map(|run| TaskHandle::new(&self.engine, run))
    }

    /// The same with the id that the run gets, if one is started; with an id that was used for this before, the run of then. For
    /// somebody who may deal with these kinds only.
    pub(crate) fn trigger_for(&self, name: &str, id: TaskId, may: &dyn Fn(&str) -> bool) -> Result<Follower, Error> {
        self.schedules.trigger_run(&self.engine, name, id, may)
    }

    /// The kind that this schedule runs.
    pub(crate) fn task_of_schedule(&self, name: &str) -> Option<String> {
        self.schedules.task_of(name)
    }

    /// Starts no more runs until [`resume_schedule`](Self::resume_schedule); those that go on do. To pause it again changes
    /// nothing. Fails as [`unschedule`](Self::unschedule) does.
    pub fn pause_schedule(&self, name: &str) -> Result<(), Error> {
        self.schedules.pause(name)
    }

    /// Goes on after [`pause_schedule`](Self::pause_schedule), with the next run a whole interval from now, or when the cron
    /// expression says next: what would have been due meanwhile is not made up for. To resume what is not paused changes
    /// nothing. Fails as [`unschedule`](Self::unschedule) does.
    pub fn resume_schedule(&self, name: &str) -> Result<(), Error> {
        self.schedules.resume(name, self.engine.now())
    }
}
