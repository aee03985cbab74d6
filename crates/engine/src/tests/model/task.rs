//! A task of the model: its status, its history, and the next event that happens to it.

use super::script::{KINDS, Options, PLAIN, Rules, SPAWNED_GRACE, Script};
use crate::{CancelReason, TaskStatus, TimeLimit};
use TaskStatus::{Cancelled, Cancelling, Queued, Running, TimedOut};

/// A task that exceeds its grace period by less than this is not overdue.
const OVERDUE_SLACK: u64 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Waiting,
    /// It has its slots, and is about to begin.
    Admitted,
    Running,
    /// It waits for its next attempt until this time.
    Away(u64),
    Over,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    Cancel(CancelReason),
    Limit(TimeLimit),
}

impl Why {
    pub(super) fn end(self) -> TaskStatus {
        match self {
            Self::Cancel(_) => Cancelled,
            Self::Limit(_) => TimedOut,
        }
    }
}

/// How a handler ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Output,
    Error,
    Panic,
    Dropped,
}

/// What a handler is doing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Phase {
    Works,
    /// It was told to stop, and stops at this time.
    Leaves(u64, How),
    /// Its clean-up ends at this time.
    Cleans(u64),
}

#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) since: u64,
    pub(super) phase: Phase,
    pub(super) reported: u64,
    /// When the next check for a stall is, how long it has been silent, and whether it has reported since the last
    /// check.
    pub(super) look: Option<(u64, u64, bool)>,
}

/// A change of the status, as a watcher learns of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) status: TaskStatus,
    pub(super) overdue: bool,
    pub(super) at: u64,
    pub(super) attempt: u32,
}

/// What tasks and batches have in common.
#[derive(Debug, Clone, Default)]
pub(super) struct Life {
    pub(super) marks: Vec<Mark>,
    pub(super) stop: Option<(Why, u64)>,
    pub(super) attempt: u32,
}

impl Life {
    pub(super) fn new(at: u64) -> Self {
        let mut life = Self::default();
        life.become_(Queued, at);
        life
    }

    pub(super) fn become_(&mut self, status: TaskStatus, at: u64) {
        self.marks.push(Mark { status, overdue: false, at, attempt: self.attempt });
    }

    pub(super) fn begin(&mut self, at: u64) {
        self.attempt += 1;
        self.become_(Running, at);
    }

    pub(super) fn outstay(&mut self, at: u64) {
        self.marks.push(Mark { status: Cancelling, overdue: true, at, attempt: self.attempt });
    }

    pub(super) fn last(&self) -> Mark {
        *self.marks.last().unwrap()
    }

    pub(super) fn status(&self) -> TaskStatus {
        self.last().status
    }

    pub(super) fn is_over(&self) -> bool {
        self.status().is_final()
    }

    pub(super) fn when(&self, test: impl Fn(TaskStatus) -> bool) -> Option<u64> {
        self.marks.iter().find(|mark| test(mark.status)).map(|mark| mark.at)
    }

    /// When it becomes overdue.
    pub(super) fn overdue_at(&self, grace: u64) -> Option<u64> {
        let due = self.status() == Cancelling && !self.last().overdue;
        self.stop.as_ref().filter(|_| due).map(|(_, at)| at + grace + OVERDUE_SLACK)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) kind: Option<usize>,
    pub(super) batch: Option<usize>,
    pub(super) script: Script,
    /// Its start options. The next two fields are its current priority and hold.
    pub(super) options: Options,
    pub(super) priority: i32,
    pub(super) held: bool,
    pub(super) place: Place,
    pub(super) life: Life,
    /// When the delay that it was started with is over.
    pub(super) due: Option<u64>,
    pub(super) deadline: Option<u64>,
    pub(super) timeout: Option<u64>,
    pub(super) run: Option<Attempt>,
}

impl Task {
    pub(super) fn rules(&self) -> &'static Rules {
        const SPAWNED: Rules = Rules { grace: SPAWNED_GRACE, ..PLAIN };
        self.kind.map_or(&SPAWNED, |kind| &KINDS[kind])
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.place, Place::Waiting | Place::Away(_))
    }

    /// The next event that happens to it. The event may change later ones.
    pub(super) fn events(&self) -> Vec<(u64, Event)> {
        let mut all = vec![];
        if !self.life.is_over() && self.life.stop.is_none() {
            all.extend(self.deadline.map(|at| (at, Event::Limit(TimeLimit::Deadline))));
            all.extend(self.timeout.map(|at| (at, Event::Limit(TimeLimit::Timeout))));
        }
        match (self.place, &self.run) {
            (Place::Waiting, _) => all.extend(self.due.map(|at| (at, Event::Due))),
            (Place::Away(until), _) => all.push((until, Event::Back)),
            (Place::Running, Some(run)) => self.events_of(run, &mut all),
            _ => {}
        }
        all
    }

    fn events_of(&self, run: &Attempt, all: &mut Vec<(u64, Event)>) {
        let rules = self.rules();
        match run.phase {
            Phase::Works => {
                if let Some(works) = self.script.works {
                    all.push((run.since + works, Event::Works));
                }
                if let Some((rhythm, times)) = self.script.reports
                    && run.reported < times
                {
                    all.push((run.since + rhythm * (run.reported + 1), Event::Reports));
                }
                let limit = rules.attempt_timeout.map(|limit| run.since + limit);
                all.extend(limit.map(|at| (at, Event::Limit(TimeLimit::AttemptTimeout))));
                all.extend(run.look.map(|(at, ..)| (at, Event::Look)));
            }
            Phase::Leaves(at, how) => all.push((at, Event::Leaves(how))),
            Phase::Cleans(until) => all.push((until, Event::Cleaned)),
        }
        all.extend(self.life.overdue_at(rules.grace).map(|at| (at, Event::Overdue)));
    }

    /// Whether an event concerns only this task.
    pub(super) fn is_private(&self, event: Event) -> bool {
        match event {
            Event::Reports | Event::Overdue => true,
            Event::Look => !self.stalls(),
            _ => false,
        }
    }

    /// Whether the next check finds a stall. There are eight checks within the stall timeout.
    pub(super) fn stalls(&self) -> bool {
        let length = self.rules().stall.unwrap_or(u64::MAX);
        let look = self.run.as_ref().and_then(|run| run.look);
        look.is_some_and(|(_, silent, touched)| !touched && silent + length / 8 >= length)
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    Limit(TimeLimit),
    Due,
    Back,
    Works,
    Reports,
    Look,
    Leaves(How),
    Cleaned,
    Overdue,
}
