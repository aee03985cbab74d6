//! One schedule with its runs.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use chrono::TimeZone;

use super::{
    snapshot::{LastRun, ScheduleSnapshot},
    timetable::{Due, Now, Timetable},
    when::When,
};
use crate::{Error, Json, TaskId, clock::wall_clock::millis, record::Record, task::owner::Owner};

/// How long the result of a trigger is remembered. A caller that reconnects repeats its calls within moments.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);
/// How many triggers are remembered.
const TRIGGERED_LIMIT: usize = 256;

/// Everything about the schedules of one name. It remains after its schedule is removed until the last run has ended,
/// because a new schedule of this name must not run beside those runs.
#[derive(Default)]
pub(crate) struct NamedSchedule {
    active: Option<Active>,
    runs: Vec<ScheduledRun>,
    triggered: VecDeque<Triggered>,
}

/// The current schedule of this name.
struct Active {
    spec: Arc<RunSpec>,
    timetable: Timetable,
    last_run: Option<LastRun>,
    skipped: u64,
    /// Why the last due run was not started, if it was not.
    last_left_out: Option<Why>,
    /// Whether the log says that the time zone can't be read.
    zone_told: bool,
}

/// Runs that are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) many: u64,
    pub(crate) why: Why,
}

/// Why runs are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// An earlier run had not ended.
    Overlap,
    /// Their time passed while the machine slept or when its clock was set.
    Missed,
    /// Their time passed before an earlier run could be started.
    Late,
    /// Their start was refused.
    Refused,
}

/// What each run is started with.
pub(crate) struct RunSpec {
    pub(crate) task: String,
    pub(crate) input: Json,
}

/// A run that has not ended.
#[derive(Clone)]
pub(crate) struct ScheduledRun {
    pub(crate) id: TaskId,
    pub(crate) spec: Arc<RunSpec>,
    /// `None` while it is being started.
    pub(crate) record: Option<Arc<Record>>,
    /// How many are starting it at this time: the timetable, the triggers, or both.
    starters: usize,
    /// How many runs it passes over. They are left out once its start has succeeded or was refused: if it is held up, more
    /// may follow.
    passes_over: u64,
}

struct Triggered {
    /// The time without sleep, in milliseconds.
    at: u64,
    by: TaskId,
    /// Whose call it was.
    caller: Owner,
    run: TaskId,
}

/// The task that an earlier call has joined, if there was one.
type Joined = Result<Option<Arc<Record>>, Error>;

/// A call that triggers a run.
pub(crate) struct TriggerCall<'a> {
    pub(crate) id: TaskId,
    pub(crate) caller: &'a Owner,
    /// Says which kinds the caller may use.
    pub(crate) may: &'a dyn Fn(&str) -> bool,
    /// Returns the task of this kind in which an earlier call with this id has a share. Fails if the id is used for
    /// anything else.
    pub(crate) joined: &'a dyn Fn(&str) -> Joined,
    /// Fails if the caller can't pay for a run that it starts, or for one that it joins.
    pub(crate) can_pay: &'a dyn Fn(Pays) -> Result<(), Error>,
}

/// What a trigger pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pays {
    Start,
    Join,
}

/// What a trigger leads to.
pub(crate) enum Trigger {
    Start(ScheduledRun),
    Join(ScheduledRun),
    /// An earlier call with this id has a share in this run.
    Known(Arc<Record>),
    /// An earlier call with this id led to this run, which has ended or is of a kind that the caller may not use.
    Repeated(TaskId),
}

impl NamedSchedule {
    /// Sets the schedule, which does nothing before [`begin`](Self::begin). Keeps the runs of the one that it replaces.
    pub(crate) fn put(&mut self, spec: RunSpec, timetable: Timetable) {
        self.active = Some(Active {
            spec: Arc::new(spec),
            timetable,
            last_run: None,
            skipped: 0,
            last_left_out: None,
            zone_told: false,
        });
    }

    pub(crate) fn take_off(&mut self) {
        self.active = None;
    }

    pub(crate) fn is_left(&self) -> bool {
        self.active.is_some() || !self.runs.is_empty()
    }

    pub(crate) fn task(&self) -> Option<&str> {
        self.active.as_ref().map(|active| &*active.spec.task)
    }

    pub(crate) fn spec(&self) -> Option<&Arc<RunSpec>> {
        self.active.as_ref().map(|active| &active.spec)
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.active.as_ref().is_some_and(|active| active.timetable.has_begun())
    }

    fn is_running(&self) -> bool {
        !self.runs.is_empty()
    }

    pub(crate) fn begin(&mut self, now: Now, random: f64) {
        let is_running = self.is_running();
        if let Some(active) = &mut self.active {
            active.timetable.begin(now, is_running, random);
        }
    }

    pub(crate) fn pause(&mut self) {
        if let Some(active) = &mut self.active {
            active.timetable.pause();
        }
    }

    pub(crate) fn resume(&mut self, now: Now, random: f64) {
        let is_running = self.is_running();
        if let Some(active) = &mut self.active {
            active.timetable.resume(now, is_running, random);
        }
    }

    pub(crate) fn due_in(&self, now: Now, zone: &impl TimeZone) -> Option<i64> {
        self.active.as_ref()?.timetable.due_in(now, zone)
    }

    /// Returns whether its next run follows the local time.
    pub(crate) fn is_cron(&self) -> bool {
        let cron = |active: &Active| matches!(active.timetable.schedule().when, When::Cron { .. });
        self.active.as_ref().is_some_and(cron) && self.has_begun()
    }

    /// Notes whether the time zone can't be read. Returns whether that is to be logged for this schedule.
    pub(crate) fn note_zone(&mut self, is_unreadable: bool) -> bool {
        let concerns_it = is_unreadable && self.is_cron();
        let Some(active) = &mut self.active else { return false };
        let was_told = std::mem::replace(&mut active.zone_told, concerns_it);
        concerns_it && !was_told
    }

    /// Reserves a run if one is due and `may_start`. Also returns what is left out, if that is worth a log line.
    pub(crate) fn due(
        &mut self,
        now: Now,
        zone: &impl TimeZone,
        may_start: bool,
        random: f64,
    ) -> (Option<ScheduledRun>, Option<LeftOut>) {
        let is_running = self.is_running();
        let Some(active) = &mut self.active else { return (None, None) };
        let due = if may_start {
            active.timetable.look(now, zone, is_running, random)
        } else {
            active.timetable.look_on(now, zone, random)
        };
        match due {
            Due::Nothing => (None, None),
            Due::Overlap { left_out } => (None, active.leave_out(left_out, Why::Overlap)),
            Due::Missed { left_out } => (None, active.leave_out(left_out, Why::Missed)),
            Due::Run { left_out } => (self.reserve(TaskId::new(), left_out), None),
        }
    }

    /// Returns whose trigger with this id was handled recently.
    pub(crate) fn caller_of(&mut self, by: TaskId, now: Now) -> Option<&Owner> {
        let is_old = |triggered: &Triggered| now.awake.saturating_sub(triggered.at) >= millis(REMEMBERED);
        while self.triggered.front().is_some_and(is_old) {
            self.triggered.pop_front();
        }
        self.triggered.iter().find(|triggered| triggered.by == by).map(|triggered| &triggered.caller)
    }

    /// Decides what a trigger leads to. Returns `None` if its caller may not know of this schedule. Nothing is reserved
    /// for a caller who can't pay, so that nobody waits for such a run.
    pub(crate) fn trigger(&mut self, call: &TriggerCall<'_>, now: Now) -> Result<Option<Trigger>, Error> {
        let known = self.triggered.iter().find(|triggered| triggered.by == call.id);
        if let Some(run) = known.map(|triggered| triggered.run) {
            let live = self.runs.iter().position(|live| live.id == run && (call.may)(&live.spec.task));
            return Ok(Some(live.map_or(Trigger::Repeated(run), |place| self.join(place))));
        }
        let Some(active) = &self.active else { return Ok(None) };
        let joins = self.runs.len().checked_sub(1).filter(|_| !active.timetable.schedule().overlap);
        // The run may be of another kind than the schedule, if that replaced an earlier one.
        if joins.is_some_and(|place| !(call.may)(&self.runs[place].spec.task)) {
            return Ok(None);
        }
        (call.can_pay)(if joins.is_some() { Pays::Join } else { Pays::Start })?;
        let trigger = match joins {
            Some(place) => self.join(place),
            None => match self.reserve(call.id, 0) {
                Some(run) => Trigger::Start(run),
                None => return Ok(None),
            },
        };
        self.note_trigger(call, &trigger, now);
        Ok(Some(trigger))
    }

    /// Joins a run. If it is still being started, the caller starts it as well.
    fn join(&mut self, place: usize) -> Trigger {
        let run = &mut self.runs[place];
        run.starters += usize::from(run.record.is_none());
        Trigger::Join(run.clone())
    }

    fn note_trigger(&mut self, call: &TriggerCall<'_>, trigger: &Trigger, now: Now) {
        let (Trigger::Start(run) | Trigger::Join(run)) = trigger else { return };
        self.triggered.push_back(Triggered { at: now.awake, by: call.id, caller: call.caller.clone(), run: run.id });
        if self.triggered.len() > TRIGGERED_LIMIT {
            self.triggered.pop_front();
        }
    }

    /// Forgets the trigger with the id `by`, which was refused.
    pub(crate) fn forget_trigger(&mut self, by: TaskId) {
        self.triggered.retain(|triggered| triggered.by != by);
    }

    fn reserve(&mut self, id: TaskId, passes_over: u64) -> Option<ScheduledRun> {
        let spec = Arc::clone(&self.active.as_ref()?.spec);
        let run = ScheduledRun { id, spec, record: None, starters: 1, passes_over };
        self.runs.push(run.clone());
        Some(run)
    }

    /// Returns whether a run that the timetable is about to start is still wanted. If not, the timetable gives it up.
    pub(crate) fn is_still_wanted(&mut self, id: TaskId) -> bool {
        let Some(run) = self.runs.iter().find(|run| run.id == id) else { return false };
        let is_wanted = self.active.as_ref().is_some_and(|active| active.counts(run) && !active.timetable.is_paused());
        if !is_wanted {
            self.give_up(id, true);
        }
        is_wanted
    }

    /// Notes the task of a run. The timetable and triggers may start the same run at the same time. Returns what is
    /// left out, if that is worth a log line.
    pub(crate) fn started(&mut self, id: TaskId, record: &Arc<Record>) -> Option<LeftOut> {
        // Another start of it may have succeeded before, and the run may have ended since.
        let run = self.runs.iter_mut().find(|run| run.id == id && run.record.is_none())?;
        run.record = Some(Arc::clone(record));
        let active = self.active.as_mut().filter(|active| active.counts(run))?;
        let left_out = active.leave_out(std::mem::take(&mut run.passes_over), Why::Late);
        active.last_run = Some(last_run(record));
        active.last_left_out = None;
        left_out
    }

    /// Notes that a start of a run was refused. If the run `was_due`, it is left out, with those that it passes over.
    /// Returns whether to log that.
    pub(crate) fn refused(&mut self, id: TaskId, was_due: bool, now: Now, random: f64) -> bool {
        let Some(run) = self.give_up(id, was_due) else { return false };
        let is_running = self.is_running();
        let Some(active) = &mut self.active else { return false };
        active.timetable.refused(now, is_running, random);
        let left_out = if was_due { run.passes_over.saturating_add(1) } else { 0 };
        active.counts(&run) && active.leave_out(left_out, Why::Refused).is_some()
    }

    /// Notes that a due run may not be started yet. It stays due.
    pub(crate) fn held_up(&mut self, id: TaskId) {
        let Some(run) = self.give_up(id, true) else { return };
        if let Some(active) = self.active.as_mut().filter(|active| active.counts(&run)) {
            active.timetable.held_up();
        }
    }

    /// Notes that one of those who are starting a run doesn't start it. Forgets the run with the last of them. What it
    /// passes over is the timetable's. Returns the run as it was; `None` if it has been started.
    fn give_up(&mut self, id: TaskId, was_due: bool) -> Option<ScheduledRun> {
        let place = self.runs.iter().position(|run| run.id == id && run.record.is_none())?;
        let run = &mut self.runs[place];
        let before = run.clone();
        run.starters = run.starters.saturating_sub(1);
        if was_due {
            run.passes_over = 0;
        }
        if run.starters == 0 {
            self.runs.remove(place);
            self.triggered.retain(|triggered| triggered.run != id);
        }
        Some(before)
    }

    /// Removes the runs that have ended, and tells the timetable.
    pub(crate) fn note_ends(&mut self, now: Now, mut random: impl FnMut() -> f64) {
        let has_ended = |run: &mut ScheduledRun| run.record.as_ref().is_some_and(|record| record.status().is_final());
        let ended = self.runs.extract_if(.., has_ended);
        let mut ended: Vec<_> =
            ended.filter_map(|run| run.record.clone().map(|record| (last_run(&record), run))).collect();
        ended.sort_by_key(|(last, _)| last.ended_at);
        let is_running = self.is_running();
        let Some(active) = &mut self.active else { return };
        for (last, run) in ended {
            let how = active.counts(&run).then_some(last.status);
            active.timetable.ended(now, how, is_running, random());
            if active.last_run.as_ref().is_some_and(|newest| newest.id == last.id) {
                active.last_run = Some(last);
            }
        }
    }

    pub(crate) fn snapshot(&mut self, name: &str, now: Now, zone: &impl TimeZone) -> Option<ScheduleSnapshot> {
        let active = self.active.as_mut()?;
        active.timetable.see(now);
        let timetable = &active.timetable;
        let live = active.last_run.as_ref().and_then(|last| self.runs.iter().find(|run| run.id == last.id));
        let live = live.and_then(|run| run.record.as_deref()).map(last_run);
        let (every, cron) = match &timetable.schedule().when {
            When::Every(every) => (Some(millis(*every)), None),
            When::Cron { expression, .. } => (None, Some(expression.clone())),
        };
        Some(ScheduleSnapshot {
            name: name.to_owned(),
            task: active.spec.task.clone(),
            every,
            cron,
            paused: timetable.is_paused(),
            next_run_at: timetable.due_in(now, zone).map(|due| now.wall.saturating_add_signed(due.max(0))),
            last_run: live.or_else(|| active.last_run.clone()),
            running: u32::try_from(self.runs.len()).unwrap_or(u32::MAX),
            failures: timetable.failures(),
            skipped: active.skipped,
        })
    }
}

impl Active {
    /// Returns whether this schedule started the run, rather than one that it replaced.
    fn counts(&self, run: &ScheduledRun) -> bool {
        Arc::ptr_eq(&self.spec, &run.spec)
    }

    /// Counts runs that are left out. Returns them if they are worth a log line: of several in a row that are left out
    /// one by one, only the first is.
    fn leave_out(&mut self, many: u64, why: Why) -> Option<LeftOut> {
        if many == 0 {
            return None;
        }
        self.skipped = self.skipped.saturating_add(many);
        let before = self.last_left_out.replace(why);
        let repeats = before == Some(why) && matches!(why, Why::Overlap | Why::Refused);
        (!repeats).then_some(LeftOut { many, why })
    }
}

fn last_run(record: &Record) -> LastRun {
    let snapshot = record.snapshot();
    LastRun {
        id: snapshot.id,
        started_at: snapshot.created_at,
        ended_at: snapshot.ended_at,
        status: snapshot.status,
        error: snapshot.error,
    }
}
