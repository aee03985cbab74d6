//! Decides when one schedule runs, and what happens when a run is due. All times are passed in. They are milliseconds
//! since 1970 on the wall clock, which may jump in either direction.

use std::time::Duration;

use chrono::TimeZone;

use super::when::{Missed, Schedule, When};
use crate::{TaskStatus, clock::wall_clock::millis};

#[cfg(test)]
mod tests;

/// A run that is more than this many milliseconds late was missed: the machine slept, or its clock was set.
const LATE: u64 = 60_000;

#[derive(Debug)]
pub(crate) struct Timetable {
    schedule: Schedule,
    /// The wall-clock time when it was last read.
    seen: u64,
    plan: Plan,
    /// How much later than planned the next run is.
    jitter: u64,
    /// The time before which failures keep the schedule from running; 0 if they don't.
    not_before: u64,
    failures: u32,
    begun: bool,
    paused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// The schedule has not begun, or is paused.
    None,
    At(u64),
    /// At the first match of the cron expression after this time. All matches up to this time are dealt with.
    After(u64),
    /// An interval after the end of all current runs.
    FromEnd,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing is due.
    Nothing,
    /// Start a run.
    Run,
    /// A run is due, but a current run keeps it from starting.
    Skip,
}

impl Timetable {
    /// Makes a timetable that does nothing before it [begins](Self::begin).
    pub(crate) fn new(schedule: Schedule) -> Self {
        let (begun, paused) = (false, false);
        Self { schedule, seen: 0, plan: Plan::None, jitter: 0, not_before: 0, failures: 0, begun, paused }
    }

    pub(crate) fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Plans the first run. Here and below, `random` is a number from 0 to 1.
    pub(crate) fn begin(&mut self, now: u64, is_running: bool, random: f64) {
        self.see(now);
        if std::mem::replace(&mut self.begun, true) || self.paused {
            return;
        }
        if self.schedule.at_once {
            (self.plan, self.jitter) = (Plan::At(now), 0);
        } else {
            self.plan_anew(now, is_running);
            self.draw(random);
        }
    }

    pub(crate) fn pause(&mut self) {
        self.paused = true;
        self.plan = Plan::None;
    }

    /// Continues as if the schedule began now, but without [`at_once`](Schedule::at_once).
    pub(crate) fn resume(&mut self, now: u64, is_running: bool, random: f64) {
        self.see(now);
        if std::mem::take(&mut self.paused) && self.begun {
            self.plan_anew(now, is_running);
            self.draw(random);
        }
    }

    /// Returns when the next run is due.
    pub(crate) fn due_at(&self, zone: &impl TimeZone) -> Option<u64> {
        match self.plan {
            Plan::None | Plan::FromEnd => None,
            Plan::At(at) => Some(at.saturating_add(self.jitter).max(self.not_before)),
            Plan::After(_) => Some(self.occurrence(zone)?.saturating_add(self.jitter)),
        }
    }

    fn occurrence(&self, zone: &impl TimeZone) -> Option<u64> {
        let Plan::After(settled) = self.plan else { return None };
        self.schedule.when.after(settled.max(self.not_before.saturating_sub(1)), zone)
    }

    /// Decides what is due when the clock shows `now`, and plans the next run. A caller that gets [`Due::Run`] must
    /// report that the run has [ended](Self::ended) or was [refused](Self::refused).
    pub(crate) fn look(&mut self, now: u64, zone: &impl TimeZone, is_running: bool, random: f64) -> Due {
        self.see(now);
        let Some(mut due_at) = self.due_at(zone).filter(|at| *at <= now) else { return Due::Nothing };
        let mut is_missed = now - due_at > LATE;
        if is_missed
            && self.schedule.missed == Missed::Skip
            && let (Plan::After(settled), Some(missed)) = (self.plan, self.occurrence(zone))
        {
            // The last of several missed matches may still be in time.
            self.plan = Plan::After(settled.max(missed).max(now.saturating_sub(LATE + self.jitter)));
            let Some(at) = self.due_at(zone).filter(|at| *at <= now) else { return Due::Nothing };
            (due_at, is_missed) = (at, false);
        }
        let due = match (is_missed, self.schedule.missed) {
            (true, Missed::Skip) => Due::Nothing,
            _ if is_running && !self.schedule.overlap => Due::Skip,
            _ => Due::Run,
        };
        self.plan_next(now, due_at, due, is_missed);
        self.draw(random);
        due
    }

    /// Plans the run after the one that was due at `due_at`. `due` is what was decided for that one.
    fn plan_next(&mut self, now: u64, due_at: u64, due: Due, is_missed: bool) {
        match self.schedule.when {
            When::Every(_) if self.schedule.from_end && due != Due::Nothing => self.plan = Plan::FromEnd,
            When::Every(every) => {
                // Counts from the planned time, so that small delays don't add up. After a missed run, from now.
                let from = match self.plan {
                    Plan::At(at) if !is_missed => at.max(due_at.saturating_sub(self.jitter)),
                    _ => now,
                };
                let next = from.saturating_add(millis(every));
                self.plan = Plan::At(if next > now { next } else { now.saturating_add(millis(every)) });
            }
            When::Cron { .. } => self.plan = Plan::After(now),
        }
    }

    /// Notes that a run has ended. `how` is `None` for a run of a replaced schedule, which says nothing about this one.
    pub(crate) fn ended(&mut self, now: u64, how: Option<TaskStatus>, is_running: bool, random: f64) {
        self.see(now);
        match how {
            Some(TaskStatus::Completed) => (self.failures, self.not_before) = (0, 0),
            Some(TaskStatus::Failed | TaskStatus::TimedOut) => {
                self.failures = self.failures.saturating_add(1);
                if let Some(back_off) = &self.schedule.back_off {
                    self.not_before = now.saturating_add(millis(back_off.delay_after(self.failures)));
                }
            }
            // A cancelled run says nothing about the next one.
            _ => {}
        }
        self.nothing_runs(now, is_running, random);
    }

    /// Notes that a due run could not be started.
    pub(crate) fn refused(&mut self, now: u64, is_running: bool, random: f64) {
        self.see(now);
        self.nothing_runs(now, is_running, random);
    }

    fn nothing_runs(&mut self, now: u64, is_running: bool, random: f64) {
        if self.plan == Plan::FromEnd && !is_running {
            self.plan_anew(now, false);
            self.draw(random);
        }
    }

    fn plan_anew(&mut self, now: u64, is_running: bool) {
        self.plan = match self.schedule.when {
            When::Every(_) if self.schedule.from_end && is_running => Plan::FromEnd,
            When::Every(every) => Plan::At(now.saturating_add(millis(every))),
            When::Cron { .. } => Plan::After(now),
        };
    }

    fn draw(&mut self, random: f64) {
        self.jitter =
            millis(Duration::try_from_secs_f64(self.schedule.jitter.as_secs_f64() * random).unwrap_or_default());
    }

    /// Notes the time. If the clock was set back, an interval still ends after the same time. Matches of a cron
    /// expression repeat when the clock shows them again, but only if it was set back by more than a minute.
    pub(crate) fn see(&mut self, now: u64) {
        let back = self.seen.saturating_sub(now);
        self.seen = now;
        if let Plan::At(at) = &mut self.plan {
            *at = at.saturating_sub(back);
        }
        if let Plan::After(settled) = &mut self.plan
            && *settled > now.saturating_add(LATE)
        {
            *settled = now;
        }
        if self.not_before > 0 {
            self.not_before = self.not_before.saturating_sub(back).max(1);
        }
    }
}
