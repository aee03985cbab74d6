//! All schedules of one manager.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::TimeZone;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::task::AbortOnDropHandle;

use super::{
    named_schedule::{NamedSchedule, RunSpec, ScheduledRun, Trigger},
    snapshot::ScheduleSnapshot,
    timetable::Timetable,
};
use crate::{
    clock::wall_clock::millis,
    error::Error,
    lock::{Lock, SCHEDULES},
    record::Record,
    task::id::TaskId,
};

/// The longest time between two checks of the clock. The driver notices within this time that the machine has slept or
/// that its clock was set.
pub(crate) const LOOK: Duration = Duration::from_secs(30);

pub(crate) struct Schedules {
    table: Lock<ScheduleTable, SCHEDULES>,
    /// Notified when a schedule changes or a run ends.
    pub(crate) changed: Arc<Notify>,
}

impl Default for Schedules {
    fn default() -> Self {
        Self { table: Lock::new(ScheduleTable::default()), changed: Arc::default() }
    }
}

#[derive(Default)]
struct ScheduleTable {
    schedules: BTreeMap<String, NamedSchedule>,
    driver: Option<AbortOnDropHandle<()>>,
}

impl Schedules {
    /// Adds a schedule, or replaces the one of this name.
    pub(crate) fn put(&self, name: &str, spec: RunSpec, timetable: Timetable) {
        self.table.lock().schedules.entry(name.to_owned()).or_default().put(spec, timetable);
    }

    /// Returns the kind that the schedule of this name runs.
    pub(crate) fn task_of(&self, name: &str) -> Option<String> {
        self.table.lock().schedules.get(name)?.task().map(str::to_owned)
    }

    pub(crate) fn take_off(&self, name: &str) -> Result<(), Error> {
        let mut table = self.table.lock();
        table.schedule(name)?.take_off();
        table.schedules.retain(|_, schedule| schedule.is_left());
        drop(table);
        self.changed.notify_one();
        Ok(())
    }

    /// Begins this schedule, or all that have not begun. `drive` spawns the driver if none is running.
    pub(crate) fn begin(&self, name: Option<&str>, now: u64, drive: impl FnOnce() -> JoinHandle<()>) {
        let mut table = self.table.lock();
        for (_, schedule) in table.schedules.iter_mut().filter(|(other, _)| name.is_none_or(|name| name == *other)) {
            schedule.begin(now, fastrand::f64());
        }
        let drives = table.driver.as_ref().is_some_and(|driver| !driver.is_finished());
        if !drives && table.have_begun() {
            table.driver = Some(AbortOnDropHandle::new(drive()));
        }
        drop(table);
        self.changed.notify_one();
    }

    pub(crate) fn pause(&self, name: &str) -> Result<(), Error> {
        self.table.lock().schedule(name)?.pause();
        self.changed.notify_one();
        Ok(())
    }

    pub(crate) fn resume(&self, name: &str, now: u64) -> Result<(), Error> {
        let mut table = self.table.lock();
        table.note_ends(now);
        table.schedule(name)?.resume(now, fastrand::f64());
        drop(table);
        self.changed.notify_one();
        Ok(())
    }

    /// Decides what the trigger with the id `by` leads to. `may` says which kinds the caller may use; for a schedule
    /// of any other kind, this fails as if it did not exist. `is_taken` says whether a task has or had this id.
    pub(crate) fn trigger(
        &self,
        name: &str,
        by: TaskId,
        now: u64,
        may: &dyn Fn(&str) -> bool,
        is_taken: impl FnOnce() -> bool,
    ) -> Result<Trigger, Error> {
        let mut table = self.table.lock();
        table.note_ends(now);
        let schedule = table.schedule(name)?;
        if !schedule.task().is_some_and(may) {
            return Err(Error::unknown_schedule(name));
        }
        if !schedule.knows(by) && is_taken() {
            return Err(Error::invalid_id(by));
        }
        let trigger = schedule.trigger(by, may);
        trigger.ok_or_else(|| Error::unknown_schedule(name))
    }

    /// Returns the runs to start now, with the names of their schedules.
    pub(crate) fn due(&self, now: u64, zone: &impl TimeZone) -> Vec<(String, ScheduledRun)> {
        let mut table = self.table.lock();
        table.note_ends(now);
        let schedules = table.schedules.iter_mut();
        schedules
            .filter_map(|(name, schedule)| Some((name.clone(), schedule.due(now, zone, fastrand::f64())?)))
            .collect()
    }

    /// Wakes the driver: a due run may be started now.
    pub(crate) fn look(&self) {
        self.changed.notify_one();
    }

    /// Returns whether a due run is still wanted: its schedule may have been paused, replaced or removed meanwhile.
    pub(crate) fn is_still_wanted(&self, name: &str, id: TaskId) -> bool {
        let mut table = self.table.lock();
        let is_wanted = table.schedules.get_mut(name).is_some_and(|schedule| schedule.is_still_wanted(id));
        table.schedules.retain(|_, schedule| schedule.is_left());
        is_wanted
    }

    pub(crate) fn started(&self, name: &str, run: &ScheduledRun, record: &Arc<Record>) {
        self.table.lock().schedules.entry(name.to_owned()).or_default().started(run, record);
    }

    /// Notes that a run could not be started. Returns whether to log it.
    pub(crate) fn refused(&self, name: &str, id: TaskId, was_due: bool, now: u64) -> bool {
        let mut table = self.table.lock();
        let schedule = table.schedules.get_mut(name);
        let is_news = schedule.is_some_and(|schedule| schedule.refused(id, was_due, now, fastrand::f64()));
        table.schedules.retain(|_, schedule| schedule.is_left());
        is_news
    }

    /// Returns how long the driver has to wait. Returns `None`, and ends the driver, if no schedule has begun.
    pub(crate) fn rest(&self, now: u64, zone: &impl TimeZone) -> Option<Duration> {
        let mut table = self.table.lock();
        if !table.have_begun() {
            table.driver = None;
            return None;
        }
        let due = table.schedules.values().filter_map(|schedule| schedule.due_at(zone));
        let rest = due.min().map_or(millis(LOOK), |at| at.saturating_sub(now));
        Some(Duration::from_millis(rest).min(LOOK))
    }

    pub(crate) fn snapshots(&self, now: u64, zone: &impl TimeZone) -> Vec<ScheduleSnapshot> {
        let mut table = self.table.lock();
        table.note_ends(now);
        table.schedules.iter_mut().filter_map(|(name, schedule)| schedule.snapshot(name, now, zone)).collect()
    }
}

impl ScheduleTable {
    fn schedule(&mut self, name: &str) -> Result<&mut NamedSchedule, Error> {
        let schedule = self.schedules.get_mut(name).filter(|schedule| schedule.task().is_some());
        schedule.ok_or_else(|| Error::unknown_schedule(name))
    }

    fn have_begun(&self) -> bool {
        self.schedules.values().any(NamedSchedule::has_begun)
    }

    fn note_ends(&mut self, now: u64) {
        for schedule in self.schedules.values_mut() {
            schedule.note_ends(now, fastrand::f64);
        }
        self.schedules.retain(|_, schedule| schedule.is_left());
    }
}
