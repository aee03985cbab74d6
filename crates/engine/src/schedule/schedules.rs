//! All schedules of one manager.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::TimeZone;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::task::AbortOnDropHandle;

use super::{
    named_schedule::{LeftOut, NamedSchedule, RunSpec, ScheduledRun, Trigger, TriggerCall},
    snapshot::ScheduleSnapshot,
    timetable::{Now, Timetable},
};
use crate::{
    clock::NOTICED_WITHIN,
    error::Error,
    lock::{Lock, SCHEDULES},
    record::Record,
    task::id::TaskId,
};

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

/// What the driver does next for one schedule.
pub(crate) struct NextStep {
    pub(crate) name: String,
    /// The kind that the schedule runs.
    pub(crate) task: String,
    /// The run to start.
    pub(crate) run: Option<ScheduledRun>,
    /// What to log.
    pub(crate) left_out: Option<LeftOut>,
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
    pub(crate) fn begin(&self, name: Option<&str>, now: Now, drive: impl FnOnce() -> JoinHandle<()>) {
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

    pub(crate) fn resume(&self, name: &str, now: Now) -> Result<(), Error> {
        let mut table = self.table.lock();
        table.note_ends(now);
        table.schedule(name)?.resume(now, fastrand::f64());
        drop(table);
        self.changed.notify_one();
        Ok(())
    }

    /// Returns what the schedule of this name starts its runs with.
    pub(crate) fn spec_of(&self, name: &str) -> Option<Arc<RunSpec>> {
        self.table.lock().schedules.get(name)?.spec().cloned()
    }

    /// Decides what a trigger leads to. If the caller may not use the kind of the schedule, this fails as if the
    /// schedule did not exist.
    pub(crate) fn trigger(&self, name: &str, now: Now, call: &TriggerCall<'_>) -> Result<Trigger, Error> {
        let mut table = self.table.lock();
        table.note_ends(now);
        let schedule = table.schedule(name)?;
        let Some(task) = schedule.task().filter(|task| (call.may)(task)).map(str::to_owned) else {
            return Err(Error::unknown_schedule(name));
        };
        match schedule.caller_of(call.id, now) {
            Some(caller) if caller != call.caller => return Err(Error::invalid_id(call.id)),
            Some(_) => {}
            // A schedule forgets triggers when there are many.
            None => {
                if let Some(record) = (call.joined)(&task)? {
                    return Ok(Trigger::Known(record));
                }
            }
        }
        schedule.trigger(call, now)?.ok_or_else(|| Error::unknown_schedule(name))
    }

    /// Forgets the trigger with the id `by`, which was refused: a repeat of it is a new one.
    pub(crate) fn forget_trigger(&self, name: &str, by: TaskId) {
        if let Some(schedule) = self.table.lock().schedules.get_mut(name) {
            schedule.forget_trigger(by);
        }
    }

    /// Returns the runs to start now, if any `may_start`, and those that are left out.
    pub(crate) fn due(&self, now: Now, zone: &impl TimeZone, may_start: bool) -> Vec<NextStep> {
        let mut table = self.table.lock();
        table.note_ends(now);
        let next_step = |(name, schedule): (&String, &mut NamedSchedule)| {
            let task = schedule.task()?.to_owned();
            let (run, left_out) = schedule.due(now, zone, may_start, fastrand::f64());
            let is_something = run.is_some() || left_out.is_some();
            is_something.then(|| NextStep { name: name.clone(), task, run, left_out })
        };
        table.schedules.iter_mut().filter_map(next_step).collect()
    }

    /// Returns whether a schedule follows the local time.
    pub(crate) fn have_cron(&self) -> bool {
        self.table.lock().schedules.values().any(NamedSchedule::is_cron)
    }

    /// Notes whether the time zone can't be read. Returns the schedules for which that is to be logged, with their kinds.
    pub(crate) fn note_zone(&self, is_unreadable: bool) -> Vec<(String, String)> {
        let mut table = self.table.lock();
        let news = |(name, schedule): (&String, &mut NamedSchedule)| {
            let is_news = schedule.note_zone(is_unreadable);
            is_news.then(|| Some((name.clone(), schedule.task()?.to_owned()))).flatten()
        };
        table.schedules.iter_mut().filter_map(news).collect()
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

    /// Notes the task of a run. Returns what is left out, if that is worth a log line.
    pub(crate) fn started(&self, name: &str, id: TaskId, record: &Arc<Record>) -> Option<LeftOut> {
        self.table.lock().schedules.get_mut(name)?.started(id, record)
    }

    /// Notes that a due run may not be started yet. It stays due.
    pub(crate) fn held_up(&self, name: &str, id: TaskId) {
        let mut table = self.table.lock();
        if let Some(schedule) = table.schedules.get_mut(name) {
            schedule.held_up(id);
        }
        table.schedules.retain(|_, schedule| schedule.is_left());
    }

    /// Notes that a start of a run was refused. Returns whether to log that.
    pub(crate) fn refused(&self, name: &str, id: TaskId, was_due: bool, now: Now) -> bool {
        let mut table = self.table.lock();
        let schedule = table.schedules.get_mut(name);
        let is_news = schedule.is_some_and(|schedule| schedule.refused(id, was_due, now, fastrand::f64()));
        table.schedules.retain(|_, schedule| schedule.is_left());
        is_news
    }

    /// Returns how long the driver has to wait. Returns `None`, and ends the driver, if no schedule has begun.
    pub(crate) fn rest(&self, now: Now, zone: &impl TimeZone) -> Option<Duration> {
        let mut table = self.table.lock();
        if !table.have_begun() {
            table.driver = None;
            return None;
        }
        let due = table.schedules.values().filter_map(|schedule| schedule.due_in(now, zone));
        let rest = due.min().map_or(NOTICED_WITHIN, |due| Duration::from_millis(u64::try_from(due).unwrap_or(0)));
        Some(rest.min(NOTICED_WITHIN))
    }

    pub(crate) fn snapshots(&self, now: Now, zone: &impl TimeZone) -> Vec<ScheduleSnapshot> {
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

    fn note_ends(&mut self, now: Now) {
        for schedule in self.schedules.values_mut() {
            schedule.note_ends(now, fastrand::f64);
        }
        self.schedules.retain(|_, schedule| schedule.is_left());
    }
}
