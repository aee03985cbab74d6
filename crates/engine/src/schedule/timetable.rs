//! Decides when one schedule runs, and what happens when a run is due. All times are passed in, in milliseconds.
//!
//! Intervals and delays are planned by the clock that counts sleep and can't be set. Matches of a cron expression are
//! planned by the wall clock, which may jump in either direction.

use std::time::Duration;

use chrono::{Offset, TimeZone};

use super::when::{Missed, Schedule, When};
use crate::{TaskStatus, clock::wall_clock::millis};

#[cfg(test)]
mod tests;

/// A run is missed if its time passed more than this many milliseconds ago, while the machine slept or when its clock was
/// set.
const LATE: u64 = 60_000;
/// How many matches of a cron expression are counted as left out at a time.
const COUNTED: usize = 1_000;

/// What the clocks show at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Now {
    /// The wall clock, since 1970.
    pub(crate) wall: u64,
    /// The time since some moment, including the time in which the machine slept.
    pub(crate) elapsed: u64,
    /// The time since some moment, without the time in which the machine slept.
    pub(crate) awake: u64,
}

#[derive(Debug)]
pub(crate) struct Timetable {
    schedule: Schedule,
    /// What the clocks showed when it last decided what is due, and how far the local time was ahead of UTC then.
    decided: Now,
    decided_offset: Option<i64>,
    plan: Plan,
    /// How much later than planned the next run is.
    jitter: u64,
    /// The elapsed time before which failures keep the schedule from running.
    not_before: Option<u64>,
    /// The run that is due now was not missed. It starts as soon as it may, however late.
    is_owed: bool,
    /// The plan and the jitter of the run that was started last.
    last: (Plan, u64),
    failures: u32,
    begun: bool,
    paused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// The schedule has not begun, or is paused.
    None,
    /// At this elapsed time.
    At(u64),
    /// At the first match of the cron expression after this wall-clock time. All matches up to this time are dealt
    /// with.
    After(u64),
    /// An interval after the end of all current runs.
    FromEnd,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing is due.
    Nothing,
    /// Start a run. So many further runs were due before now and are left out.
    Run { left_out: u64 },
    /// So many runs are left out, because a current run keeps them from starting.
    Overlap { left_out: u64 },
    /// So many runs are left out, because their time passed while the machine slept or when its clock was set.
    Missed { left_out: u64 },
}

impl Timetable {
    /// Makes a timetable that does nothing before it [begins](Self::begin).
    pub(crate) fn new(schedule: Schedule) -> Self {
        Self {
            schedule,
            decided: Now::default(),
            decided_offset: None,
            plan: Plan::None,
            jitter: 0,
            not_before: None,
            is_owed: false,
            last: (Plan::None, 0),
            failures: 0,
            begun: false,
            paused: false,
        }
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
    pub(crate) fn begin(&mut self, now: Now, is_running: bool, random: f64) {
        if std::mem::replace(&mut self.begun, true) || self.paused {
            return;
        }
        self.decided = now;
        if self.schedule.at_once {
            (self.plan, self.jitter) = (Plan::At(now.elapsed), 0);
        } else {
            self.plan_anew(now, is_running);
            self.draw(random);
        }
    }

    pub(crate) fn pause(&mut self) {
        (self.paused, self.plan, self.is_owed) = (true, Plan::None, false);
    }

    /// Continues as if the schedule began now, but without [`at_once`](Schedule::at_once).
    pub(crate) fn resume(&mut self, now: Now, is_running: bool, random: f64) {
        if std::mem::take(&mut self.paused) && self.begun {
            self.decided = now;
            self.plan_anew(now, is_running);
            self.draw(random);
        }
    }

    /// Returns in how many milliseconds the next run is due; a negative number if it is late.
    pub(crate) fn due_in(&self, now: Now, zone: &impl TimeZone) -> Option<i64> {
        match self.plan {
            Plan::None | Plan::FromEnd => None,
            Plan::At(at) => {
                let due = at.saturating_add(self.jitter).max(self.not_before.unwrap_or(0));
                Some(until(due, now.elapsed))
            }
            Plan::After(_) => {
                let due = self.occurrence(now, zone)?.saturating_add(self.jitter);
                Some(until(due, now.wall))
            }
        }
    }

    /// Returns the first match of the cron expression that is not dealt with.
    fn occurrence(&self, now: Now, zone: &impl TimeZone) -> Option<u64> {
        let Plan::After(settled) = self.plan else { return None };
        let not_before = self.not_before.map_or(0, |at| now.wall.saturating_add_signed(until(at, now.elapsed)));
        self.schedule.when.after(settled.max(not_before.saturating_sub(1)), zone)
    }

    /// Decides what is due now, and plans the next run. A caller that gets [`Due::Run`] must report that the run has
    /// [ended](Self::ended), was [refused](Self::refused) or was [held up](Self::held_up).
    pub(crate) fn look(&mut self, now: Now, zone: &impl TimeZone, is_running: bool, random: f64) -> Due {
        let is_missed = self.is_missed(now, zone);
        let missed = self.decide(now, zone, is_missed, random);
        let Some(late) = self.late(now, zone) else { return missed_or_nothing(missed) };
        let passed_over = self.passed_over(now, late, zone);
        let starts = !is_running || self.schedule.overlap;
        let left_out = match self.schedule.missed {
            Missed::Skip => missed.saturating_add(passed_over),
            // This run makes up for the others.
            Missed::Once if starts => 0,
            Missed::Once => passed_over,
        };
        self.last = (self.plan, self.jitter);
        self.plan_next(now, late, is_missed);
        self.draw(random);
        if starts { Due::Run { left_out } } else { Due::Overlap { left_out: left_out.saturating_add(1) } }
    }

    /// Does the same while no run may be started. A run that falls due now and is not missed stays due.
    pub(crate) fn look_on(&mut self, now: Now, zone: &impl TimeZone, random: f64) -> Due {
        let is_missed = self.is_missed(now, zone);
        let missed = self.decide(now, zone, is_missed, random);
        self.is_owed = self.late(now, zone).is_some();
        missed_or_nothing(missed)
    }

    /// Returns how late the run is that is due.
    fn late(&self, now: Now, zone: &impl TimeZone) -> Option<u64> {
        self.due_in(now, zone).filter(|due| *due <= 0).map(i64::unsigned_abs)
    }

    /// Returns whether the time of the next run has passed while the machine slept or when its clock was set. A run whose
    /// time has passed while the app ran, however busy it was, is late but not missed.
    fn is_missed(&mut self, now: Now, zone: &impl TimeZone) -> bool {
        self.see(now);
        let may_be_missed = !self.is_owed && self.jumped(now, zone) > LATE;
        may_be_missed && self.late(now, zone).is_some_and(|late| late > LATE)
    }

    /// Returns how far the clock of the plan has jumped since the last decision.
    fn jumped(&self, now: Now, zone: &impl TimeZone) -> u64 {
        let passed = match self.plan {
            Plan::After(_) => {
                // Compares the zones at one moment: the change to summer time, which a zone makes by itself, is no jump.
                let moved = self.decided_offset.map_or(0, |before| offset(self.decided.wall, zone) - before);
                until(now.wall, self.decided.wall).saturating_add(moved)
            }
            _ => until(now.elapsed, self.decided.elapsed),
        };
        let ran = until(now.awake, self.decided.awake);
        u64::try_from(passed.saturating_sub(ran)).unwrap_or(0)
    }

    /// Leaves out the runs that were missed, unless one run makes up for them. Returns how many.
    fn decide(&mut self, now: Now, zone: &impl TimeZone, is_missed: bool, random: f64) -> u64 {
        (self.decided, self.decided_offset) = (now, Some(offset(now.wall, zone)));
        if !is_missed || self.schedule.missed == Missed::Once {
            return 0;
        }
        if let Plan::After(settled) = self.plan {
            // The last of several missed matches may still be in time.
            let in_time = settled.max(now.wall.saturating_sub(LATE.saturating_add(self.jitter)));
            let missed = self.matches(now, in_time, zone);
            self.plan = Plan::After(in_time);
            return missed;
        }
        let late = self.late(now, zone).unwrap_or(0);
        let missed = self.passed_over(now, late, zone).saturating_add(1);
        self.plan_anew(now, false);
        self.draw(random);
        missed
    }

    /// Returns how many runs were due after the one that is `late` and before now.
    fn passed_over(&self, now: Now, late: u64, zone: &impl TimeZone) -> u64 {
        match self.schedule.when {
            When::Every(_) if self.schedule.from_end => 0,
            When::Every(every) => late / millis(every).max(1),
            // If the first run is at once, it stands for no match.
            When::Cron { .. } if matches!(self.plan, Plan::At(_)) => 0,
            When::Cron { .. } => self.matches(now, now.wall, zone).saturating_sub(1),
        }
    }

    /// Returns how many matches of the cron expression up to this wall-clock time are not dealt with.
    fn matches(&self, now: Now, to: u64, zone: &impl TimeZone) -> u64 {
        let first = self.occurrence(now, zone);
        let all = std::iter::successors(first, |at| self.schedule.when.after(*at, zone));
        all.take_while(|at| *at <= to).take(COUNTED).map(|_| 1).sum()
    }

    /// Plans the run after the one that is due now.
    fn plan_next(&mut self, now: Now, late: u64, is_missed: bool) {
        self.is_owed = false;
        self.plan = match self.schedule.when {
            When::Every(_) if self.schedule.from_end => Plan::FromEnd,
            When::Every(every) => {
                // Counts from the planned time, so that small delays don't add up. After a missed run, from now.
                let due_at = now.elapsed.saturating_sub(late);
                let from = match self.plan {
                    Plan::At(at) if !is_missed => at.max(due_at.saturating_sub(self.jitter)),
                    _ => now.elapsed,
                };
                let next = from.saturating_add(millis(every));
                Plan::At(if next > now.elapsed { next } else { now.elapsed.saturating_add(millis(every)) })
            }
            When::Cron { .. } => Plan::After(now.wall),
        };
    }

    /// Notes that a run has ended. `how` is `None` for a run of a replaced schedule, which says nothing about this one.
    pub(crate) fn ended(&mut self, now: Now, how: Option<TaskStatus>, is_running: bool, random: f64) {
        match how {
            Some(TaskStatus::Completed) => (self.failures, self.not_before) = (0, None),
            Some(TaskStatus::Failed | TaskStatus::TimedOut) => {
                self.failures = self.failures.saturating_add(1);
                if let Some(back_off) = &self.schedule.back_off {
                    self.not_before = Some(now.elapsed.saturating_add(millis(back_off.delay_after(self.failures))));
                }
            }
            // A cancelled run says nothing about the next one.
            _ => {}
        }
        self.nothing_runs(now, is_running, random);
    }

    /// Notes that the start of a run was refused.
    pub(crate) fn refused(&mut self, now: Now, is_running: bool, random: f64) {
        self.nothing_runs(now, is_running, random);
    }

    /// Notes that no run may be started after all. The run that was due stays due.
    pub(crate) fn held_up(&mut self) {
        if self.plan != Plan::None {
            ((self.plan, self.jitter), self.is_owed) = (self.last, true);
        }
    }

    fn nothing_runs(&mut self, now: Now, is_running: bool, random: f64) {
        if self.plan == Plan::FromEnd && !is_running {
            self.plan_anew(now, false);
            self.draw(random);
        }
    }

    fn plan_anew(&mut self, now: Now, is_running: bool) {
        self.is_owed = false;
        self.plan = match self.schedule.when {
            When::Every(_) if self.schedule.from_end && is_running => Plan::FromEnd,
            When::Every(every) => Plan::At(now.elapsed.saturating_add(millis(every))),
            When::Cron { .. } => Plan::After(now.wall),
        };
    }

    fn draw(&mut self, random: f64) {
        self.jitter =
            millis(Duration::try_from_secs_f64(self.schedule.jitter.as_secs_f64() * random).unwrap_or_default());
    }

    /// Notes the time. If the clock was set back by more than a minute, the matches of a cron expression that it shows
    /// again repeat.
    pub(crate) fn see(&mut self, now: Now) {
        if let Plan::After(settled) = &mut self.plan
            && *settled > now.wall.saturating_add(LATE)
        {
            *settled = now.wall;
        }
    }
}

fn missed_or_nothing(missed: u64) -> Due {
    if missed > 0 { Due::Missed { left_out: missed } } else { Due::Nothing }
}

/// Returns the time from `now` to `at`; a negative number if `at` has passed.
fn until(at: u64, now: u64) -> i64 {
    if at >= now {
        i64::try_from(at - now).unwrap_or(i64::MAX)
    } else {
        i64::try_from(now - at).map_or(i64::MIN, |passed| -passed)
    }
}

/// Returns how far the local time is ahead of UTC at this wall-clock time.
fn offset(wall: u64, zone: &impl TimeZone) -> i64 {
    let at = i64::try_from(wall).ok().and_then(|wall| zone.timestamp_millis_opt(wall).single());
    at.map_or(0, |at| i64::from(at.offset().fix().local_minus_utc()) * 1_000)
}
