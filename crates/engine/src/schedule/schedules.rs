//! All schedules of one manager.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::TimeZone;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::task::AbortOnDropHandle;

use super::{
    entry::{Entry, Run, Trigger, Words},
    snapshot::ScheduleSnapshot,
    timetable::Timetable,
    when::millis,
};
use crate::{
    error::Error,
    lock::{Lock, SCHEDULES},
    record::Record,
    task::id::TaskId,
};

/// The longest time between two looks at the clock. A sleep of the machine or a changed clock is noticed after at most
/// this.
pub(crate) const LOOK: Duration = Duration::from_secs(30);

pub(crate) struct Schedules {
    state: Lock<State, SCHEDULES>,
    /// Notified when a schedule changes or a run ends.
    pub(crate) changed: Arc<Notify>,
}

impl Default for Schedules {
    fn default() -> Self {
        Self { state: Lock::new(State::default()), changed: Arc::default() }
    }
}

#[derive(Default)]
struct State {
    entries: BTreeMap<String, Entry>,
    driver: Option<AbortOnDropHandle<()>>,
}

impl Schedules {
    /// Adds a schedule, or replaces the one of this name.
    pub(crate) fn put(&self, name: &str, words: Words, timetable: Timetable) {
        self.state.lock().entries.entry(name.to_owned()).or_default().put(words, timetable);
    }

    /// Returns the kind that the schedule of this name runs.
    pub(crate) fn task_of(&self, name: &str) -> Option<String> {
        self.state.lock().entries.get(name)?.task().map(str::to_owned)
    }

    pub(crate) fn take_off(&self, name: &str) -> Result<(), Error> {
        let mut state = self.state.lock();
        state.entry(name)?.take_off();
        state.entries.retain(|_, entry| entry.is_left());
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Begins this schedule, or all that have not begun. `drive` spawns the driver.
    pub(crate) fn begin(&self, name: Option<&str>, now: u64, drive: impl FnOnce() -> JoinHandle<()>) {
        let mut state = self.state.lock();
        for (_, entry) in state.entries.iter_mut().filter(|(other, _)| name.is_none_or(|name| name == *other)) {
            entry.begin(now, fastrand::f64());
        }
        let drives = state.driver.as_ref().is_some_and(|driver| !driver.is_finished());
        if !drives && state.have_begun() {
            state.driver = Some(AbortOnDropHandle::new(drive()));
        }
        drop(state);
        self.changed.notify_one();
    }

    pub(crate) fn pause(&self, name: &str) -> Result<(), Error> {
        self.state.lock().entry(name)?.pause();
        self.changed.notify_one();
        Ok(())
    }

    pub(crate) fn resume(&self, name: &str, now: u64) -> Result<(), Error> {
        let mut state = self.state.lock();
        state.note_ends(now);
        state.entry(name)?.resume(now, fastrand::f64());
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Decides what the trigger with the id `by` leads to. `may` says which kinds the caller may use; a schedule of any
    /// other kind looks unknown. `is_taken` says whether a task has this id.
    pub(crate) fn trigger(
        &self,
        name: &str,
        by: TaskId,
        now: u64,
        may: &dyn Fn(&str) -> bool,
        is_taken: impl FnOnce() -> bool,
    ) -> Result<Trigger, Error> {
        let mut state = self.state.lock();
        state.note_ends(now);
        let entry = state.entry(name)?;
        if !entry.task().is_some_and(may) {
            return Err(Error::unknown_schedule(name));
        }
        if !entry.knows(by) && is_taken() {
            return Err(Error::invalid_id(by));
        }
        let trigger = entry.trigger(by, may);
        trigger.ok_or_else(|| Error::unknown_schedule(name))
    }

    /// Returns the runs to start now, with the names of their schedules.
    pub(crate) fn due(&self, now: u64, zone: &impl TimeZone) -> Vec<(String, Run)> {
        let mut state = self.state.lock();
        state.note_ends(now);
        let entries = state.entries.iter_mut();
        entries.filter_map(|(name, entry)| Some((name.clone(), entry.due(now, zone, fastrand::f64())?))).collect()
    }

    /// Wakes the driver: a due run may be started now.
    pub(crate) fn look(&self) {
        self.changed.notify_one();
    }

    /// Whether a due run is still wanted: its schedule may have been paused, replaced or removed meanwhile.
    pub(crate) fn is_still_wanted(&self, name: &str, id: TaskId) -> bool {
        let mut state = self.state.lock();
        let is_wanted = state.entries.get_mut(name).is_some_and(|entry| entry.is_still_wanted(id));
        state.entries.retain(|_, entry| entry.is_left());
        is_wanted
    }

    pub(crate) fn started(&self, name: &str, run: &Run, record: &Arc<Record>) {
        self.state.lock().entries.entry(name.to_owned()).or_default().started(run, record);
    }

    /// Notes that a run could not be started. Returns whether to log it.
    pub(crate) fn refused(&self, name: &str, id: TaskId, was_due: bool, now: u64) -> bool {
        let mut state = self.state.lock();
        let entry = state.entries.get_mut(name);
        let is_news = entry.is_some_and(|entry| entry.refused(id, was_due, now, fastrand::f64()));
        state.entries.retain(|_, entry| entry.is_left());
        is_news
    }

    /// Returns how long nothing is due. Returns `None`, and ends the driver, if no schedule has begun.
    pub(crate) fn rest(&self, now: u64, zone: &impl TimeZone) -> Option<Duration> {
        let mut state = self.state.lock();
        if !state.have_begun() {
            state.driver = None;
            return None;
        }
        let due = state.entries.values().filter_map(|entry| entry.due_at(zone));
        let rest = due.min().map_or(millis(LOOK), |at| at.saturating_sub(now));
        Some(Duration::from_millis(rest).min(LOOK))
    }

    pub(crate) fn snapshots(&self, now: u64, zone: &impl TimeZone) -> Vec<ScheduleSnapshot> {
        let mut state = self.state.lock();
        state.note_ends(now);
        state.entries.iter_mut().filter_map(|(name, entry)| entry.snapshot(name, now, zone)).collect()
    }
}

impl State {
    fn entry(&mut self, name: &str) -> Result<&mut Entry, Error> {
        let entry = self.entries.get_mut(name).filter(|entry| entry.task().is_some());
        entry.ok_or_else(|| Error::unknown_schedule(name))
    }

    fn have_begun(&self) -> bool {
        self.entries.values().any(Entry::has_begun)
    }

    fn note_ends(&mut self, now: u64) {
        for entry in self.entries.values_mut() {
            entry.note_ends(now, fastrand::f64);
        }
        self.entries.retain(|_, entry| entry.is_left());
    }
}
