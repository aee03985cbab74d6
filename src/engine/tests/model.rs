//! The whole engine against a plain model of it: random steps in paused time, and after each of them every task has to
//! stand where the model says.
//!
//! The model is data that is gone through from end to end whenever something is asked of it: it has no queues, no locks
//! and nothing to wake. It knows the engine's rules, not its ways. Only when two things happen in the same millisecond
//! whose order matters and is nobody's promise, it gives up: from there on only the promises are held, not the moments.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet, VecDeque},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{Config, TestError, TestRunner},
};
use serde::{Deserialize, Serialize};
use tokio::{
    task::{JoinHandle, yield_now},
    time::{Instant, sleep, sleep_until},
};

use super::manager;
use crate::engine::{
    BatchOptions, CancelReason, ErrorKind, Errors, Failure, Kind, LimitOf, OnConflict, Policy, QueuePlace, Retry,
    Settings, StartOptions, TaskChange, TaskContext, TaskEvent, TaskFilter, TaskHandle, TaskId, TaskManager,
    TaskSnapshot, TaskStatus, TimeLimit,
};
use TaskStatus::{Cancelled, Cancelling, Completed, Failed, Queued, Retrying, Running, TimedOut};

/// Takes about ten seconds in a debug build.
const CASES: u32 = 800;
/// A task that outstays its grace by less is not called overdue.
const OVERDUE_SLACK: u64 = 100;
/// A batch sees that its last member has ended after a frame at the latest.
const FRAME: u64 = 40;
const APP_LIMIT: usize = 5;
const APP_QUEUE: usize = 12;
const GROUP_LIMIT: usize = 3;
/// What is spawned without a kind has the grace of an ordinary policy.
const SPAWNED_GRACE: u64 = 5_000;

/// A kind as the model knows it; all times are in milliseconds.
struct Rules {
    name: &'static str,
    grouped: bool,
    concurrency: Option<usize>,
    queue: Option<usize>,
    grace: u64,
    timeout: Option<u64>,
    attempt_timeout: Option<u64>,
    stall: Option<u64>,
    deadline: Option<u64>,
    /// How many attempts there are in all, and the first delay, which doubles.
    retry: Option<(u32, u64)>,
}

const PLAIN: Rules = Rules {
    name: "plain",
    grouped: false,
    concurrency: None,
    queue: None,
    grace: 1_500,
    timeout: None,
    attempt_timeout: None,
    stall: None,
    deadline: None,
    retry: None,
};

const KINDS: [Rules; 5] = [
    PLAIN,
    Rules { name: "narrow", concurrency: Some(1), queue: Some(3), grace: 700, ..PLAIN },
    Rules { name: "stubborn", grouped: true, concurrency: Some(2), retry: Some((3, 500)), ..PLAIN },
    Rules { name: "watched", grouped: true, queue: Some(4), stall: Some(2_000), grace: 900, ..PLAIN },
    Rules {
        name: "timed",
        concurrency: Some(3),
        timeout: Some(9_001),
        attempt_timeout: Some(4_007),
        deadline: Some(20_011),
        retry: Some((2, 1_000)),
        ..PLAIN
    },
];

/// What a handler does.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Script {
    /// How long an attempt works; `None`: for ever.
    works: Option<u64>,
    /// So many attempts fail.
    fails: u32,
    /// Those that don't fail panic.
    panics: bool,
    /// It takes its token, and leaves so long after a cancel: with its output or with an error.
    leaves: Option<(u64, bool)>,
    /// It has a clean-up that takes so long.
    cleans: Option<u64>,
    /// It reports in this rhythm, so often.
    reports: Option<(u64, u64)>,
}

#[derive(Debug, Clone, Default)]
struct Options {
    priority: i32,
    held: bool,
    key: Option<(u8, OnConflict)>,
    delay: Option<u64>,
    timeout: Option<u64>,
    deadline: Option<u64>,
}

impl Options {
    fn real(&self) -> StartOptions {
        let mut options = StartOptions::new().priority(self.priority);
        if self.held {
            options = options.held();
        }
        if let Some((key, on_conflict)) = self.key {
            options = options.key(key.to_string(), on_conflict);
        }
        options.delay = self.delay.map(ms);
        options.timeout = self.timeout.map(ms);
        options.deadline = self.deadline.map(ms);
        options
    }
}

#[derive(Debug, Clone)]
enum Step {
    Start(usize, Script, Options),
    Spawn(Script),
    Batch { kind: usize, scripts: Vec<Script>, concurrency: Option<usize>, priority: i32 },
    Cancel(Index),
    CancelAll(Option<usize>),
    Hold(Index),
    Release(Index),
    SetPriority(Index, i32),
    SetLimit(Of, Option<usize>),
    Retry(Index),
    Advance(u64),
}

fn script() -> impl Strategy<Value = Script> {
    let rhythm = (1_u64..150).prop_map(|tens| tens * 10 + 3);
    (
        prop_oneof![5 => (1_u64..6_000).prop_map(Some), 1 => Just(None)],
        prop_oneof![3 => Just(0_u32), 2 => 1_u32..4],
        prop::bool::weighted(0.15),
        prop::option::of((1_u64..2_500, any::<bool>())),
        prop::option::weighted(0.3, 1_u64..2_500),
        prop::option::of((rhythm, 0_u64..12)),
    )
        .prop_map(|(works, fails, panics, leaves, cleans, reports)| Script {
            works,
            fails,
            panics,
            leaves,
            cleans,
            reports,
        })
}

fn options() -> impl Strategy<Value = Options> {
    use OnConflict::{Append, Join, Refuse, Replace};
    let on_conflict = prop::sample::select(vec![Refuse, Join, Replace, Append]);
    (
        -1..=1_i32,
        prop::bool::weighted(0.1),
        prop::option::weighted(0.4, (0_u8..2, on_conflict)),
        prop::option::weighted(0.2, prop_oneof![1 => Just(0_u64), 4 => 1_u64..3_000]),
        prop::option::weighted(0.2, 1_u64..6_000),
        prop::option::weighted(0.2, 1_u64..10_000),
    )
        .prop_map(|(priority, held, key, delay, timeout, deadline)| Options {
            priority,
            held,
            key,
            delay,
            timeout,
            deadline,
        })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = || 0..KINDS.len();
    let of = prop_oneof![Just(Of::App), Just(Of::Group), kind().prop_map(Of::Kind)];
    let limit = prop::option::of(0_usize..5);
    let batch = (kind(), prop::collection::vec(script(), 0..5), prop::option::of(0_usize..4), -1..=1_i32);
    let step = prop_oneof![
        10 => (kind(), script(), options()).prop_map(|(kind, script, options)| Step::Start(kind, script, options)),
        1 => script().prop_map(Step::Spawn),
        1 => batch.prop_map(|(kind, scripts, concurrency, priority)| Step::Batch { kind, scripts, concurrency, priority }),
        3 => any::<Index>().prop_map(Step::Cancel),
        1 => prop::option::weighted(0.8, kind()).prop_map(Step::CancelAll),
        1 => any::<Index>().prop_map(Step::Hold),
        2 => any::<Index>().prop_map(Step::Release),
        1 => (any::<Index>(), -2..=2_i32).prop_map(|(task, priority)| Step::SetPriority(task, priority)),
        2 => (of, limit).prop_map(|(of, limit)| Step::SetLimit(of, limit)),
        2 => any::<Index>().prop_map(Step::Retry),
        8 => (1_u64..4_000).prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 1..50)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

// Limits, for both sides.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    App,
    Group,
    Kind(usize),
    Batch(usize),
}

/// Where a task takes a slot.
fn scopes(kind: Option<usize>, batch: Option<usize>) -> Vec<Of> {
    let group = kind.filter(|kind| KINDS[*kind].grouped).map(|_| Of::Group);
    [Some(Of::App), kind.map(Of::Kind), group, batch.map(Of::Batch)].into_iter().flatten().collect()
}

fn limits() -> HashMap<Of, usize> {
    let mut limits = HashMap::from([(Of::App, APP_LIMIT), (Of::Group, GROUP_LIMIT)]);
    for (kind, rules) in KINDS.iter().enumerate() {
        limits.extend(rules.concurrency.map(|limit| (Of::Kind(kind), limit)));
    }
    limits
}

// The model.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Waiting,
    /// It has its slots, and begins as soon as it gets to.
    Admitted,
    Running,
    /// Until then it waits for its next attempt.
    Away(u64),
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Cancel(CancelReason),
    Limit(TimeLimit),
}

impl Why {
    fn end(self) -> TaskStatus {
        match self {
            Self::Cancel(_) => Cancelled,
            Self::Limit(_) => TimedOut,
        }
    }
}

/// How a handler came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Output,
    Error,
    Panic,
    Dropped,
}

/// What a handler is at.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Works,
    /// It was told to stop, and does at this time.
    Leaves(u64, How),
    /// Its clean-up is over at this time.
    Cleans(u64),
}

#[derive(Debug, Clone)]
struct Attempt {
    since: u64,
    phase: Phase,
    reported: u64,
    /// When it is looked at next whether it stalls, for how long it has been silent, and whether it reported since.
    look: Option<(u64, u64, bool)>,
}

/// A change of status, as a watcher is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    status: TaskStatus,
    overdue: bool,
    at: u64,
    attempt: u32,
}

/// A task or a batch: what is the same for both.
#[derive(Debug, Clone, Default)]
struct Life {
    marks: Vec<Mark>,
    stop: Option<(Why, u64)>,
    attempt: u32,
}

impl Life {
    fn new(at: u64) -> Self {
        let mut life = Self::default();
        life.become_(Queued, at);
        life
    }

    fn become_(&mut self, status: TaskStatus, at: u64) {
        self.marks.push(Mark { status, overdue: false, at, attempt: self.attempt });
    }

    fn begin(&mut self, at: u64) {
        self.attempt += 1;
        self.become_(Running, at);
    }

    fn outstay(&mut self, at: u64) {
        self.marks.push(Mark { status: Cancelling, overdue: true, at, attempt: self.attempt });
    }

    fn last(&self) -> Mark {
        *self.marks.last().unwrap()
    }

    fn status(&self) -> TaskStatus {
        self.last().status
    }

    fn is_over(&self) -> bool {
        self.status().is_final()
    }

    fn when(&self, test: impl Fn(TaskStatus) -> bool) -> Option<u64> {
        self.marks.iter().find(|mark| test(mark.status)).map(|mark| mark.at)
    }

    /// When it is shown as overdue.
    fn overdue_at(&self, grace: u64) -> Option<u64> {
        let due = self.status() == Cancelling && !self.last().overdue;
        self.stop.filter(|_| due).map(|(_, at)| at + grace + OVERDUE_SLACK)
    }
}

#[derive(Debug, Clone)]
struct Task {
    kind: Option<usize>,
    batch: Option<usize>,
    script: Script,
    /// As it was started; what became of its priority and of its hold comes next.
    options: Options,
    priority: i32,
    held: bool,
    place: Place,
    life: Life,
    /// When the delay it was started with is over.
    due: Option<u64>,
    deadline: Option<u64>,
    timeout: Option<u64>,
    run: Option<Attempt>,
}

impl Task {
    fn rules(&self) -> &'static Rules {
        const SPAWNED: Rules = Rules { grace: SPAWNED_GRACE, ..PLAIN };
        self.kind.map_or(&SPAWNED, |kind| &KINDS[kind])
    }

    fn is_waiting(&self) -> bool {
        matches!(self.place, Place::Waiting | Place::Away(_))
    }

    /// What happens to it next by itself: the first of these, and it may change the others.
    fn events(&self) -> Vec<(u64, Event)> {
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

    /// Whether nobody but the task itself is touched by what happens to it.
    fn is_private(&self, event: Event) -> bool {
        match event {
            Event::Reports | Event::Overdue => true,
            Event::Look => !self.stalls(),
            _ => false,
        }
    }

    /// Whether the next look finds that it stalls. It is looked at eight times as often as it may be silent.
    fn stalls(&self) -> bool {
        let length = self.rules().stall.unwrap_or(u64::MAX);
        let look = self.run.as_ref().and_then(|run| run.look);
        look.is_some_and(|(_, silent, touched)| !touched && silent + length / 8 >= length)
    }
}

#[derive(Debug, Clone, Copy)]
enum Event {
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

#[derive(Debug)]
struct Batch {
    kind: usize,
    members: Range<usize>,
    life: Life,
    /// Its last member has ended at this time, and it will.
    done: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ref {
    Task(usize),
    Batch(usize),
}

/// What happens at once, but only after the caller has got its answer.
#[derive(Debug, Clone, Copy)]
enum Soon {
    Begin(usize),
    Drop(usize),
    DropBatch(usize),
}

#[derive(Debug)]
struct Model {
    now: u64,
    /// In the order in which they came.
    tasks: Vec<Task>,
    batches: Vec<Batch>,
    all: Vec<Ref>,
    limits: HashMap<Of, usize>,
    soon: VecDeque<Soon>,
    /// The attempts that began.
    begun: Vec<(usize, u32)>,
}

/// Two things happen in the same moment, and the order matters.
struct Tie;

impl Model {
    fn new() -> Self {
        let (tasks, batches, all) = (vec![], vec![], vec![]);
        Self { now: 0, tasks, batches, all, limits: limits(), soon: VecDeque::new(), begun: vec![] }
    }

    // What holds.

    fn count(&self, test: impl Fn(&Task) -> bool) -> usize {
        self.tasks.iter().filter(|task| test(task)).count()
    }

    fn running(&self, of: Of) -> usize {
        let has_slot = |task: &Task| matches!(task.place, Place::Admitted | Place::Running);
        self.count(|task| has_slot(task) && scopes(task.kind, task.batch).contains(&of))
    }

    fn has_room(&self, of: Of) -> bool {
        self.limits.get(&of).is_none_or(|limit| self.running(of) < *limit)
    }

    /// The live tasks with this key, oldest first.
    fn rivals(&self, kind: usize, key: u8) -> Vec<usize> {
        let same = |task: &Task| task.kind == Some(kind) && task.options.key.is_some_and(|(other, _)| other == key);
        let live = |at: &usize| same(&self.tasks[*at]) && !self.tasks[*at].life.is_over();
        (0..self.tasks.len()).filter(live).collect()
    }

    /// Whether it waits for nothing but room.
    fn is_ready(&self, at: usize) -> bool {
        let task = &self.tasks[at];
        let key = task.kind.zip(task.options.key);
        let is_first = key.is_none_or(|(kind, (key, _))| self.rivals(kind, key).first() == Some(&at));
        task.place == Place::Waiting && !task.held && task.due.is_none() && is_first
    }

    /// Those that wait for room, best first.
    fn ready(&self) -> Vec<usize> {
        let mut ready: Vec<_> = (0..self.tasks.len()).filter(|at| self.is_ready(*at)).collect();
        ready.sort_by_key(|at| (Reverse(self.tasks[*at].priority), *at));
        ready
    }

    fn queue_place(&self, at: usize) -> Option<QueuePlace> {
        let task = &self.tasks[at];
        // A batch without a limit of its own waits with the others of its kind.
        let own = |task: &Task| task.batch.filter(|batch| self.limits.contains_key(&Of::Batch(*batch)));
        let lane = |at: &usize| (self.tasks[*at].kind, own(&self.tasks[*at])) == (task.kind, own(task));
        let position = self.ready().into_iter().filter(lane).position(|other| other == at);
        let position = position.map(|index| u32::try_from(index).unwrap() + 1);
        let place = QueuePlace { position, priority: task.priority, held: task.held };
        (task.place == Place::Waiting).then_some(place)
    }

    // What is done to it.

    fn admit(&mut self) {
        for at in self.ready() {
            let Task { kind, batch, .. } = self.tasks[at];
            if scopes(kind, batch).into_iter().all(|of| self.has_room(of)) {
                self.tasks[at].place = Place::Admitted;
                self.soon.push_back(Soon::Begin(at));
            }
        }
    }

    fn add(&mut self, kind: Option<usize>, batch: Option<usize>, script: &Script, options: &Options) -> usize {
        let rules = kind.map_or(&PLAIN, |kind| &KINDS[kind]);
        let deadline = options.deadline.into_iter().chain(rules.deadline).min();
        self.tasks.push(Task {
            kind,
            batch,
            script: script.clone(),
            options: options.clone(),
            priority: options.priority,
            held: options.held,
            place: Place::Waiting,
            life: Life::new(self.now),
            due: options.delay.filter(|delay| *delay > 0).map(|delay| self.now + delay),
            deadline: deadline.map(|length| self.now + length),
            timeout: None,
            run: None,
        });
        self.all.push(Ref::Task(self.tasks.len() - 1));
        self.tasks.len() - 1
    }

    /// Lets in what `add` adds, unless more would be left waiting than may. So many are about to leave, and don't count.
    fn enter<T>(&mut self, kind: usize, leaving: usize, add: impl FnOnce(&mut Self) -> T) -> Result<T, ErrorKind> {
        let waiting = |model: &Self| {
            let of_kind = |task: &Task| task.place == Place::Waiting && task.kind == Some(kind);
            [model.count(of_kind), model.count(|task| task.place == Place::Waiting)]
        };
        let (tasks, all, before) = (self.tasks.len(), self.all.len(), waiting(self));
        let added = add(self);
        self.admit();
        let limits = [KINDS[kind].queue, Some(APP_QUEUE)];
        let after = waiting(self).map(|waiting| waiting.saturating_sub(leaving));
        let too_many = |at: usize| after[at] > before[at] && limits[at].is_some_and(|limit| after[at] > limit);
        if too_many(0) || too_many(1) {
            self.tasks.truncate(tasks);
            self.all.truncate(all);
            self.soon.clear();
            return Err(ErrorKind::QueueFull);
        }
        Ok(added)
    }

    /// Answers the task that the caller gets, which may be an older one.
    fn start(&mut self, kind: usize, script: &Script, options: &Options) -> Result<usize, ErrorKind> {
        let rivals = options.key.map(|(key, _)| self.rivals(kind, key)).unwrap_or_default();
        let mut replaced = vec![];
        if let Some((_, on_conflict)) = options.key
            && !rivals.is_empty()
        {
            match on_conflict {
                OnConflict::Refuse => return Err(ErrorKind::KeyTaken),
                // Nobody wants to join what is about to stop.
                OnConflict::Join => {
                    if let Some(lasting) = rivals.iter().find(|at| self.tasks[**at].life.status() != Cancelling) {
                        return Ok(*lasting);
                    }
                }
                OnConflict::Replace => replaced = rivals,
                OnConflict::Append => {}
            }
        }
        let leaving = replaced.iter().filter(|rival| self.tasks[**rival].place == Place::Waiting).count();
        let at = self.enter(kind, leaving, |model| model.add(Some(kind), None, script, options))?;
        for rival in replaced {
            let _ = self.stop(rival, Why::Cancel(CancelReason::Replaced));
        }
        Ok(at)
    }

    fn spawn(&mut self, script: &Script) {
        self.add(None, None, script, &Options::default());
        self.admit();
    }

    fn start_batch(
        &mut self,
        kind: usize,
        scripts: &[Script],
        concurrency: Option<usize>,
        priority: i32,
    ) -> Result<(), ErrorKind> {
        let batch = self.batches.len();
        let begin = self.tasks.len();
        self.limits.extend(concurrency.map(|limit| (Of::Batch(batch), limit)));
        let options = Options { priority, ..Options::default() };
        let members = self.enter(kind, 0, |model| {
            model.all.push(Ref::Batch(batch));
            for script in scripts {
                model.add(Some(kind), Some(batch), script, &options);
            }
            begin..begin + scripts.len()
        });
        if members.is_err() {
            self.limits.remove(&Of::Batch(batch));
        }
        let members = members?;
        let mut life = Life::new(self.now);
        life.begin(self.now);
        let done = members.is_empty().then_some(self.now);
        self.batches.push(Batch { kind, members, life, done });
        Ok(())
    }

    fn retry(&mut self, of: Ref) -> Result<usize, ErrorKind> {
        match self.life(of).status() {
            status if !status.is_final() => Err(ErrorKind::NotEnded),
            Completed => Err(ErrorKind::NotRetriable),
            _ => {
                let Ref::Task(at) = of else { return Err(ErrorKind::NotRetriable) };
                let Task { kind, script, options, .. } = self.tasks[at].clone();
                let kind = kind.ok_or(ErrorKind::NotRetriable)?;
                self.start(kind, &script, &Options { held: false, ..options })
            }
        }
    }

    fn life(&self, of: Ref) -> &Life {
        match of {
            Ref::Task(at) => &self.tasks[at].life,
            Ref::Batch(at) => &self.batches[at].life,
        }
    }

    fn cancel(&mut self, of: Ref, reason: CancelReason) -> Result<(), ErrorKind> {
        match of {
            Ref::Task(at) => self.stop(at, Why::Cancel(reason)),
            Ref::Batch(at) => self.stop_batch(at, Why::Cancel(reason)),
        }
    }

    /// What waits first, so that nothing gets the room that others leave. Answers how many had not ended.
    fn cancel_all(&mut self, mut all: Vec<Ref>, reason: CancelReason) -> usize {
        all.sort_by_key(|of| matches!(self.life(*of).status(), Running | Cancelling));
        all.into_iter().filter(|of| self.cancel(*of, reason).is_ok()).count()
    }

    fn stop_batch(&mut self, at: usize, why: Why) -> Result<(), ErrorKind> {
        let batch = &mut self.batches[at];
        if batch.life.is_over() {
            return Err(ErrorKind::AlreadyEnded);
        }
        if batch.life.stop.is_none() {
            batch.life.stop = Some((why, self.now));
            batch.life.become_(Cancelling, self.now);
            self.soon.push_back(Soon::DropBatch(at));
            // What waits first: no member gets the room that another leaves.
            let mut members: Vec<_> = batch.members.clone().collect();
            members.sort_by_key(|member| self.tasks[*member].place != Place::Waiting);
            for member in members {
                let _ = self.stop(member, Why::Cancel(CancelReason::Parent));
            }
        }
        Ok(())
    }

    fn stop(&mut self, at: usize, why: Why) -> Result<(), ErrorKind> {
        let now = self.now;
        let task = &mut self.tasks[at];
        match task.place {
            Place::Over => return Err(ErrorKind::AlreadyEnded),
            Place::Running if task.life.stop.is_some() => {}
            Place::Running => {
                task.life.stop = Some((why, now));
                task.life.become_(Cancelling, now);
                let grace = task.rules().grace;
                let leaves = match task.script.leaves {
                    None => {
                        self.soon.push_back(Soon::Drop(at));
                        (now, How::Dropped)
                    }
                    Some((wait, _)) if wait >= grace => (now + grace, How::Dropped),
                    Some((wait, finishes)) => (now + wait, if finishes { How::Output } else { How::Error }),
                };
                if let Some(run) = &mut task.run {
                    run.phase = Phase::Leaves(leaves.0, leaves.1);
                }
            }
            Place::Waiting | Place::Admitted | Place::Away(_) => {
                task.life.stop = Some((why, now));
                self.finish(at, why.end());
            }
        }
        Ok(())
    }

    /// Changes something about a task that waits, and lets run what has room then.
    fn alter(&mut self, of: Ref, change: impl FnOnce(&mut Task)) -> Result<(), ErrorKind> {
        match of {
            Ref::Task(at) if self.tasks[at].is_waiting() => {
                change(&mut self.tasks[at]);
                self.admit();
                Ok(())
            }
            _ => Err(ErrorKind::NotQueued),
        }
    }

    fn set_limit(&mut self, of: Of, limit: Option<usize>) {
        match limit {
            Some(limit) => self.limits.insert(of, limit),
            None => self.limits.remove(&of),
        };
        self.admit();
    }

    // What happens by itself.

    fn settle(&mut self) {
        while let Some(soon) = self.soon.pop_front() {
            match soon {
                Soon::Begin(at) if self.tasks[at].place == Place::Admitted => self.begin(at),
                Soon::Begin(_) => {}
                Soon::Drop(at) => self.handler_over(at, How::Dropped),
                Soon::DropBatch(at) => self.end_batch(at),
            }
        }
    }

    fn begin(&mut self, at: usize) {
        let now = self.now;
        let task = &mut self.tasks[at];
        let rules = task.rules();
        if task.life.attempt == 0 {
            let timeout = task.options.timeout.into_iter().chain(rules.timeout).min();
            task.timeout = timeout.map(|length| now + length);
        }
        task.place = Place::Running;
        task.life.begin(now);
        let look = rules.stall.map(|stall| (now + stall / 8, 0, false));
        task.run = Some(Attempt { since: now, phase: Phase::Works, reported: 0, look });
        self.begun.push((at, task.life.attempt));
    }

    /// The handler is over; its clean-up follows if it was stopped.
    fn handler_over(&mut self, at: usize, how: How) {
        let now = self.now;
        let task = &mut self.tasks[at];
        // A task that completes in spite of a cancel has nothing to clean up.
        if let (Some((why, stopped)), Some(cleans)) = (task.life.stop, task.script.cleans)
            && (how != How::Output || why.end() == TimedOut)
        {
            let grace = task.rules().grace;
            let left = Some(grace.saturating_sub(now - stopped)).filter(|left| *left > 0).unwrap_or(grace);
            if let Some(run) = &mut task.run {
                run.phase = Phase::Cleans(now + left.min(cleans));
            }
            return;
        }
        self.end_attempt(at, how);
    }

    fn end_attempt(&mut self, at: usize, how: How) {
        let now = self.now;
        let task = &mut self.tasks[at];
        let status = match (task.life.stop, how) {
            (Some((Why::Cancel(_), _)) | None, How::Output) => Completed,
            (Some((why, _)), _) => why.end(),
            (None, How::Panic | How::Dropped) => Failed,
            (None, How::Error) => {
                let attempt = task.life.attempt;
                if let Some((attempts, delay)) = task.rules().retry
                    && attempt < attempts
                {
                    task.life.become_(Retrying, now);
                    task.place = Place::Away(now + (delay << (attempt - 1)));
                    self.admit();
                    return;
                }
                Failed
            }
        };
        self.finish(at, status);
    }

    fn finish(&mut self, at: usize, status: TaskStatus) {
        let task = &mut self.tasks[at];
        task.life.become_(status, self.now);
        task.place = Place::Over;
        let batch = task.batch;
        self.admit();
        if let Some(batch) = batch {
            self.end_batch(batch);
        }
    }

    fn end_batch(&mut self, at: usize) {
        let Some(Batch { members, life, done, .. }) = self.batches.get_mut(at) else { return };
        if life.is_over() || !self.tasks[members.clone()].iter().all(|task| task.life.is_over()) {
            return;
        }
        match life.stop {
            Some((why, _)) => life.become_(why.end(), self.now),
            None => *done = Some(self.now),
        }
    }

    /// Lets time pass.
    fn advance(&mut self, to: u64) -> Result<(), Tie> {
        loop {
            self.settle();
            let overdue = self.batches.iter().filter_map(|batch| batch.life.overdue_at(KINDS[batch.kind].grace));
            let events = self.tasks.iter().flat_map(Task::events).map(|(at, _)| at);
            let Some(next) = events.chain(overdue).min().filter(|next| *next <= to) else { break };
            self.now = next;
            let mut now = vec![];
            let mut public = 0;
            for (at, task) in self.tasks.iter().enumerate() {
                let events: Vec<_> = task.events().into_iter().filter(|(when, _)| *when == next).collect();
                if events.len() > 1 {
                    return Err(Tie);
                }
                public += events.iter().filter(|(_, event)| !task.is_private(*event)).count();
                now.extend(events.into_iter().map(|(_, event)| (at, event)));
            }
            if public > 1 {
                return Err(Tie);
            }
            for batch in &mut self.batches {
                if batch.life.overdue_at(KINDS[batch.kind].grace) == Some(next) {
                    batch.life.outstay(next);
                }
            }
            for (at, event) in now {
                self.happen(at, event);
                self.settle();
            }
        }
        self.now = to;
        for batch in &mut self.batches {
            if let Some(done) = batch.done
                && done + FRAME <= to
                && !batch.life.is_over()
            {
                batch.life.become_(Completed, done);
            }
        }
        Ok(())
    }

    fn happen(&mut self, at: usize, event: Event) {
        let stalls = self.tasks[at].stalls();
        let task = &mut self.tasks[at];
        let rules = task.rules();
        match (event, &mut task.run) {
            (Event::Limit(limit), _) => drop(self.stop(at, Why::Limit(limit))),
            (Event::Due, _) => {
                task.due = None;
                self.admit();
            }
            (Event::Back, _) => {
                task.place = Place::Waiting;
                task.life.become_(Queued, self.now);
                self.admit();
            }
            (Event::Works, _) => {
                let how = match task.script {
                    Script { fails, .. } if task.life.attempt <= fails => How::Error,
                    Script { panics: true, .. } => How::Panic,
                    _ => How::Output,
                };
                self.handler_over(at, how);
            }
            (Event::Leaves(how), _) => self.handler_over(at, how),
            (Event::Cleaned, _) => self.end_attempt(at, How::Dropped),
            (Event::Overdue, _) => task.life.outstay(self.now),
            (Event::Reports, Some(run)) => {
                run.reported += 1;
                run.look = run.look.map(|(at, silent, _)| (at, silent, true));
            }
            (Event::Look, _) if stalls => drop(self.stop(at, Why::Limit(TimeLimit::Stalled))),
            (Event::Look, Some(Attempt { look: Some((when, silent, touched)), .. })) => {
                let step = rules.stall.unwrap_or_default() / 8;
                *silent = if *touched { 0 } else { *silent + step };
                *touched = false;
                *when += step;
            }
            (Event::Reports | Event::Look, _) => unreachable!("only what runs does this"),
        }
    }
}

// The handlers, and what they see themselves.

#[derive(Debug, Clone, Copy)]
struct Seat {
    kind: Option<usize>,
    batch: Option<usize>,
    key: Option<u8>,
}

#[derive(Debug, Default)]
struct World {
    seats: HashMap<TaskId, Seat>,
    limits: HashMap<Of, usize>,
    /// Whose handlers or clean-ups are running.
    inside: Vec<TaskId>,
    /// Which attempts began. Which of two came first in the same moment is not promised.
    begun: HashSet<(TaskId, u32)>,
    reported: HashMap<TaskId, u64>,
    /// What must not be.
    wrong: Vec<String>,
}

impl World {
    fn enter(&mut self, id: TaskId, attempt: u32) {
        let seat = self.seats[&id];
        for of in scopes(seat.kind, seat.batch) {
            let there = |id: &&TaskId| {
                let other = self.seats[id];
                scopes(other.kind, other.batch).contains(&of)
            };
            let others = self.inside.iter().filter(there).count();
            if let Some(limit) = self.limits.get(&of)
                && others >= *limit
            {
                self.wrong.push(format!("{id} begins in {of:?}, where {others} run and {limit} may"));
            }
        }
        let same_key = |other: &TaskId| {
            let other = self.seats[other];
            seat.key.is_some() && (other.kind, other.key) == (seat.kind, seat.key)
        };
        if self.inside.iter().any(|other| *other == id || same_key(other)) {
            self.wrong.push(format!("{id} begins beside itself or its key"));
        }
        self.inside.push(id);
        if !self.begun.insert((id, attempt)) {
            self.wrong.push(format!("attempt {attempt} of {id} begins again"));
        }
        self.reported.insert(id, 0);
    }
}

/// A handler, or its clean-up, that has not come to its end.
struct Inside {
    id: TaskId,
    world: Arc<Mutex<World>>,
}

impl Inside {
    fn new(context: &TaskContext, world: &Arc<Mutex<World>>) -> Self {
        world.lock().enter(context.id(), context.attempt());
        Self { id: context.id(), world: Arc::clone(world) }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.world.lock().inside.retain(|id| *id != self.id);
    }
}

async fn handler(context: TaskContext, script: Script, world: Arc<Mutex<World>>) -> Result<(), Failure> {
    let inside = Arc::new(Inside::new(&context, &world));
    if let Some(cleans) = script.cleans {
        let inside = Arc::clone(&inside);
        context.on_cancel(async move {
            let _inside = inside;
            sleep(ms(cleans)).await;
        });
    }
    let works = works(&context, &script, &world);
    let Some((wait, finishes)) = script.leaves else { return works.await };
    let token = context.token();
    tokio::select! {
        biased;
        () = token.cancelled() => {
            sleep(ms(wait)).await;
            if finishes { Ok(()) } else { Err(Failure::new("told to leave")) }
        }
        result = works => result,
    }
}

async fn works(context: &TaskContext, script: &Script, world: &Mutex<World>) -> Result<(), Failure> {
    let begin = Instant::now();
    let (rhythm, times) = script.reports.unwrap_or_default();
    for time in 1..=times {
        if script.works.is_some_and(|works| works <= rhythm * time) {
            break;
        }
        sleep_until(begin + ms(rhythm * time)).await;
        context.progress().set(time);
        world.lock().reported.insert(context.id(), time);
    }
    match script.works {
        None => std::future::pending().await,
        Some(works) => sleep_until(begin + ms(works)).await,
    }
    if context.attempt() <= script.fails {
        return Err(Failure::new("as told"));
    }
    if script.panics {
        // Like `panic!`, but nothing is printed.
        std::panic::resume_unwind(Box::new("as told"));
    }
    Ok(())
}

fn kind(rules: &Rules, world: &Arc<Mutex<World>>) -> Kind {
    let retry = |(attempts, delay)| Retry::exponential(attempts).first_delay(ms(delay)).jitter(false);
    let policy = Policy {
        grace: ms(rules.grace),
        concurrency: rules.concurrency,
        queue_limit: rules.queue,
        group: rules.grouped.then(|| "group".into()),
        timeout: rules.timeout.map(ms),
        attempt_timeout: rules.attempt_timeout.map(ms),
        stall_timeout: rules.stall.map(ms),
        deadline: rules.deadline.map(ms),
        retry: rules.retry.map(retry),
        ..Policy::default()
    };
    let world = Arc::clone(world);
    let handler = move |context: TaskContext, script| handler(context, script, Arc::clone(&world));
    Kind::new(rules.name, policy, Errors::default(), handler)
}

// The engine, and what is seen of it from outside.

/// A task or a batch, watched from its start.
struct Watched {
    task: TaskHandle,
    /// As the watch found it.
    first: TaskSnapshot,
    events: Arc<Mutex<Vec<TaskEvent>>>,
    watching: JoinHandle<()>,
    /// As it was when it had ended.
    last: Option<TaskSnapshot>,
}

impl Watched {
    fn new(task: TaskHandle) -> Self {
        let mut watch = task.watch();
        let first = watch.snapshot().clone();
        let events = Arc::<Mutex<Vec<_>>>::default();
        let to = Arc::clone(&events);
        let watching = tokio::spawn(async move {
            while let Some(event) = watch.next().await {
                to.lock().push(event);
            }
        });
        Self { task, first, events, watching, last: None }
    }

    /// Nothing changes any more once it has ended.
    fn look(&mut self) -> Result<TaskSnapshot, TestCaseError> {
        let snapshot = self.task.snapshot();
        match &self.last {
            Some(last) => prop_assert_eq!(&snapshot, last, "it has changed after its end"),
            None if snapshot.status.is_final() => self.last = Some(snapshot.clone()),
            None => {}
        }
        Ok(snapshot)
    }

    /// What a watcher was told keeps the first two promises. Answers the changes of the status, the known ones included.
    fn story(&self, tally: &mut Tally) -> Result<Vec<Mark>, TestCaseError> {
        prop_assert!(self.watching.is_finished(), "the watch goes on after the end: {:?}", self.task.snapshot());
        let events = self.events.lock();
        let last = self.task.snapshot();
        let mut progress = self.first.progress.completed;
        let (mut status, mut sequence) = (self.first.status, self.first.sequence);
        let mut marks = vec![];
        for TaskEvent { sequence: number, change, .. } in &*events {
            prop_assert!(!status.is_final(), "told of {:?} after the end", change);
            match change {
                TaskChange::Status(change) => {
                    prop_assert_eq!(*number, sequence + 1);
                    sequence = *number;
                    if change.status == status {
                        prop_assert!(change.overdue, "nothing has changed");
                    } else {
                        prop_assert!(status.may_become(change.status), "{:?} to {:?}", status, change.status);
                        tally.edges.insert((status, change.status));
                    }
                    status = change.status;
                    if status.is_final() {
                        prop_assert_eq!(progress, last.progress.completed, "the newest progress comes before the end");
                    }
                    let (overdue, at, attempt) = (change.overdue, change.at, change.attempt);
                    marks.push(Mark { status, overdue, at, attempt });
                }
                TaskChange::Progress(now) => progress = now.completed,
                TaskChange::Queue(_) => prop_assert_eq!(status, Queued),
                TaskChange::Gap { .. } => prop_assert!(false, "a gap"),
            }
            prop_assert_eq!(*number, sequence);
        }
        prop_assert!(status.is_final(), "it has not ended: {:?}", status);
        prop_assert_eq!((status, sequence), (last.status, last.sequence));
        Ok(marks)
    }
}

/// What was seen over all cases.
#[derive(Debug, Default)]
struct Tally {
    edges: HashSet<(TaskStatus, TaskStatus)>,
    /// Cases that were compared to their end, and those in which the order of two things was not to be told.
    whole: usize,
    tied: usize,
}

struct Pair {
    model: Model,
    manager: TaskManager,
    world: Arc<Mutex<World>>,
    tasks: Vec<Watched>,
    batches: Vec<Watched>,
    /// When tokio's time began.
    begin: Instant,
    tied: bool,
}

impl Pair {
    fn new() -> Self {
        let world = Arc::new(Mutex::new(World { limits: limits(), ..World::default() }));
        let settings = Settings {
            concurrency: Some(APP_LIMIT),
            queue_limit: Some(APP_QUEUE),
            groups: vec![("group".into(), GROUP_LIMIT)],
            ..Settings::default()
        };
        let manager = manager(KINDS.iter().map(|rules| kind(rules, &world)), settings);
        let (tasks, batches) = (vec![], vec![]);
        Self { model: Model::new(), manager, world, tasks, batches, begin: Instant::now(), tied: false }
    }

    fn id(&self, of: Ref) -> TaskId {
        match of {
            Ref::Task(at) => self.tasks[at].task.id(),
            Ref::Batch(at) => self.batches[at].task.id(),
        }
    }

    async fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let pick =
            |index: Index| (!self.model.all.is_empty()).then(|| self.model.all[index.index(self.model.all.len())]);
        match step {
            Step::Start(kind, script, options) => {
                let expected = self.model.start(kind, &script, &options);
                let got = self.manager.start_with(KINDS[kind].name, &script, options.real());
                self.started(expected, got)?;
            }
            Step::Spawn(script) => {
                self.model.spawn(&script);
                let world = Arc::clone(&self.world);
                let task = self.manager.spawn("spawned", move |context: TaskContext| handler(context, script, world));
                self.add(task);
            }
            Step::Batch { kind, scripts, concurrency, priority } => {
                let expected = self.model.start_batch(kind, &scripts, concurrency, priority);
                let mut options = BatchOptions::new().priority(priority);
                if let Some(concurrency) = concurrency {
                    options = options.concurrency(concurrency);
                }
                let got = self.manager.batch(KINDS[kind].name, &scripts, options);
                prop_assert_eq!(got.as_ref().map(drop).map_err(|error| error.kind), expected);
                if let Ok(batch) = got {
                    let limit = concurrency.map(|limit| (Of::Batch(self.batches.len()), limit));
                    self.world.lock().limits.extend(limit);
                    for member in batch.members() {
                        self.add(member);
                    }
                    self.batches.push(Watched::new(batch));
                }
            }
            Step::Cancel(index) => {
                let Some(of) = pick(index) else { return Ok(()) };
                let expected = self.model.cancel(of, CancelReason::Signal);
                let got = self.manager.cancel(self.id(of), CancelReason::Signal);
                prop_assert_eq!(got.map_err(|error| error.kind), expected);
            }
            Step::CancelAll(kind) => {
                let is_of = |of: &Ref| match *of {
                    Ref::Task(at) => kind.is_none() || self.model.tasks[at].kind == kind,
                    Ref::Batch(at) => kind.is_none_or(|kind| self.model.batches[at].kind == kind),
                };
                let all: Vec<_> = self.model.all.iter().copied().filter(is_of).collect();
                let expected = self.model.cancel_all(all, CancelReason::User);
                let filter = kind.map_or(TaskFilter::default(), |kind| TaskFilter::default().task(KINDS[kind].name));
                prop_assert_eq!(self.manager.cancel_all(&filter, CancelReason::User), expected);
            }
            Step::Hold(index) => {
                let Some(of) = pick(index) else { return Ok(()) };
                let expected = self.model.alter(of, |task| task.held = true);
                prop_assert_eq!(self.manager.hold(self.id(of)).map_err(|error| error.kind), expected);
            }
            Step::Release(index) => {
                let Some(of) = pick(index) else { return Ok(()) };
                self.release(of)?;
            }
            Step::SetPriority(index, priority) => {
                let Some(of) = pick(index) else { return Ok(()) };
                let expected = self.model.alter(of, |task| task.priority = priority);
                let got = self.manager.set_priority(self.id(of), priority);
                prop_assert_eq!(got.map_err(|error| error.kind), expected);
            }
            Step::SetLimit(of, limit) => self.set_limit(of, limit),
            Step::Retry(index) => {
                let Some(of) = pick(index) else { return Ok(()) };
                let expected = self.model.retry(of);
                self.started(expected, self.manager.retry(self.id(of)))?;
            }
            Step::Advance(millis) => return self.advance(millis).await,
        }
        self.advance(0).await
    }

    fn started(
        &mut self,
        expected: Result<usize, ErrorKind>,
        got: Result<TaskHandle, crate::engine::Error>,
    ) -> Result<(), TestCaseError> {
        match (expected, got) {
            (Ok(at), Ok(task)) if at == self.tasks.len() => self.add(task),
            (Ok(at), Ok(task)) => prop_assert_eq!(task.id(), self.tasks[at].task.id(), "joined another"),
            (expected, got) => prop_assert_eq!(got.map(drop).map_err(|error| error.kind), expected.map(drop)),
        }
        Ok(())
    }

    fn add(&mut self, task: TaskHandle) {
        let Task { kind, batch, options, .. } = &self.model.tasks[self.tasks.len()];
        let seat = Seat { kind: *kind, batch: *batch, key: options.key.map(|(key, _)| key) };
        self.world.lock().seats.insert(task.id(), seat);
        self.tasks.push(Watched::new(task));
    }

    fn release(&mut self, of: Ref) -> Result<(), TestCaseError> {
        let expected = self.model.alter(of, |task| task.held = false);
        prop_assert_eq!(self.manager.release(self.id(of)).map_err(|error| error.kind), expected);
        Ok(())
    }

    fn set_limit(&mut self, of: Of, limit: Option<usize>) {
        self.model.set_limit(of, limit);
        self.world.lock().limits.clone_from(&self.model.limits);
        let of = match of {
            Of::App => LimitOf::App,
            Of::Group => LimitOf::Group("group".into()),
            Of::Kind(kind) => LimitOf::Task(KINDS[kind].name.into()),
            Of::Batch(_) => unreachable!("nobody can"),
        };
        self.manager.set_limit(of, limit).unwrap();
    }

    /// Lets time pass, and compares when all is quiet again.
    async fn advance(&mut self, millis: u64) -> Result<(), TestCaseError> {
        settle().await;
        if millis > 0 {
            // Tokio's time only goes on when nobody has anything to do, and never past anything that somebody waits for.
            sleep(ms(millis)).await;
            settle().await;
        }
        prop_assert_eq!(&self.world.lock().wrong, &Vec::<String>::new());
        self.tied = self.tied || self.model.advance(self.model.now + millis).is_err();
        if self.tied {
            return Ok(());
        }
        let mut pending = self.model.batches.iter().filter(|batch| batch.done.is_some() && !batch.life.is_over());
        if pending.next().is_some() {
            return Box::pin(self.advance(FRAME)).await;
        }
        self.compare()
    }

    fn compare(&mut self) -> Result<(), TestCaseError> {
        let now = u64::try_from(self.begin.elapsed().as_millis()).unwrap();
        prop_assert_eq!(self.model.now, now);
        for at in 0..self.tasks.len() {
            let got = self.tasks[at].look()?;
            let Task { life, place, due, run, .. } = &self.model.tasks[at];
            let next_attempt = match place {
                Place::Away(until) => Some(*until),
                Place::Over => None,
                _ => *due,
            };
            compare_life(&got, life, &format!("task {at}"))?;
            prop_assert_eq!(got.next_attempt_at, next_attempt, "next attempt of task {}", at);
            prop_assert_eq!(got.queue, self.model.queue_place(at), "place of task {}", at);
            let reported = run.as_ref().map_or(0, |run| run.reported);
            prop_assert_eq!(got.progress.completed, reported, "progress of task {}", at);
        }
        for (at, batch) in self.batches.iter_mut().enumerate() {
            compare_life(&batch.look()?, &self.model.batches[at].life, &format!("batch {at}"))?;
        }
        let world = self.world.lock();
        let begun = self.model.begun.iter().map(|(at, attempt)| (self.tasks[*at].task.id(), *attempt));
        prop_assert_eq!(&world.begun, &begun.collect::<HashSet<_>>());
        let runs = |at: &usize| self.model.tasks[*at].place == Place::Running;
        let inside: HashSet<_> = (0..self.tasks.len()).filter(runs).map(|at| self.tasks[at].task.id()).collect();
        prop_assert_eq!(&world.inside.iter().copied().collect::<HashSet<_>>(), &inside);
        // Nothing waits where there is room.
        let waits = |at: &usize| scopes(self.model.tasks[*at].kind, self.model.tasks[*at].batch);
        let idle = self.model.ready().into_iter().find(|at| waits(at).into_iter().all(|of| self.model.has_room(of)));
        prop_assert_eq!(idle, None);
        self.compare_counts()
    }

    fn compare_counts(&self) -> Result<(), TestCaseError> {
        for counts in self.manager.counts() {
            let kind = KINDS.iter().position(|rules| counts.task.as_deref() == Some(rules.name));
            let of = |status: TaskStatus| {
                let count = self.model.count(|task| task.kind == kind && task.life.status() == status);
                u64::try_from(count).unwrap()
            };
            let expected = TaskStatus::ALL.iter().map(|status| of(*status)).collect::<Vec<_>>();
            prop_assert_eq!(numbers(&counts), expected, "{:?}", kind);
            prop_assert_eq!(counts.limit, kind.and_then(|kind| self.model.limits.get(&Of::Kind(kind)).copied()));
        }
        Ok(())
    }

    /// Ends everything, and looks whether anything stays.
    async fn drain(&mut self, tally: &mut Tally) -> Result<(), TestCaseError> {
        let kinds = || (0..KINDS.len()).map(Of::Kind);
        for of in [Of::App, Of::Group].into_iter().chain(kinds()) {
            self.set_limit(of, None);
        }
        self.advance(0).await?;
        for at in 0..self.tasks.len() {
            if self.tasks[at].task.status() == Queued || self.tasks[at].task.status() == Retrying {
                let _ = self.model.alter(Ref::Task(at), |task| task.held = false);
                prop_assert!(self.tasks[at].task.release().is_ok());
            }
        }
        self.advance(60_000).await?;
        let left = self.manager.cancel_all(&TaskFilter::default(), CancelReason::Shutdown);
        let expected = self.model.cancel_all(self.model.all.clone(), CancelReason::Shutdown);
        prop_assert!(self.tied || left == expected);
        self.advance(2 * SPAWNED_GRACE).await?;
        prop_assert!(self.world.lock().inside.is_empty(), "a handler still runs");
        for (at, task) in self.tasks.iter_mut().enumerate() {
            let last = task.look()?;
            let reported = self.world.lock().reported.get(&task.task.id()).copied().unwrap_or_default();
            prop_assert_eq!(last.progress.completed, reported, "the last that was reported stays");
            let story = task.story(tally)?;
            prop_assert!(self.tied || story == self.model.tasks[at].life.marks[1..], "{story:?}");
        }
        for (at, batch) in self.batches.iter_mut().enumerate() {
            batch.look()?;
            let mut unseen = Tally::default();
            let story = batch.story(&mut unseen)?;
            // It completes a moment after its last member.
            let without_times =
                |marks: &[Mark]| marks.iter().map(|mark| (mark.status, mark.overdue)).collect::<Vec<_>>();
            prop_assert!(self.tied || without_times(&story) == without_times(&self.model.batches[at].life.marks[2..]));
        }
        *if self.tied { &mut tally.tied } else { &mut tally.whole } += 1;
        let ended = self.manager.counts().iter().map(|counts| numbers(counts)[4..].iter().sum::<u64>()).sum::<u64>();
        let total = self.manager.counts().iter().map(|counts| numbers(counts).iter().sum::<u64>()).sum::<u64>();
        prop_assert_eq!((ended, total), (self.tasks.len() as u64, self.tasks.len() as u64));
        self.nothing_is_left().await
    }

    /// Every slot is free again and every queue empty: with limits of one each kind runs one task at once, and its queue
    /// takes as many as it may.
    async fn nothing_is_left(&mut self) -> Result<(), TestCaseError> {
        let script = Script { works: None, fails: 0, panics: false, leaves: None, cleans: None, reports: None };
        for of in [Of::App, Of::Group].into_iter().chain((0..KINDS.len()).map(Of::Kind)) {
            self.set_limit(of, Some(1));
        }
        for rules in &KINDS {
            let start = |manager: &TaskManager| manager.start(rules.name, &script);
            let running = start(&self.manager).unwrap();
            self.world.lock().seats.insert(running.id(), Seat { kind: None, batch: None, key: None });
            settle().await;
            prop_assert_eq!(running.status(), Running, "a slot of \"{}\" is lost", rules.name);
            let room = rules.queue.unwrap_or(APP_QUEUE);
            let waiting: Vec<_> = (0..=room).map(|_| start(&self.manager)).collect();
            prop_assert!(waiting[..room].iter().all(Result::is_ok), "something is left in a queue");
            prop_assert!(waiting[room].as_ref().is_err_and(|error| error.kind == ErrorKind::QueueFull));
            for task in waiting.into_iter().flatten().chain([running]) {
                task.cancel().unwrap();
            }
            settle().await;
        }
        Ok(())
    }
}

/// Lets everything happen that can happen now.
async fn settle() {
    for _ in 0..16 {
        yield_now().await;
    }
}

fn compare_life(got: &TaskSnapshot, life: &Life, what: &str) -> Result<(), TestCaseError> {
    let last = life.last();
    let shown = (got.status, got.overdue, got.attempt, got.sequence);
    prop_assert_eq!(shown, (last.status, last.overdue, life.attempt, life.marks.len() as u64), "{}", what);
    prop_assert_eq!(got.started_at, life.when(|status| status == Running), "the beginning of {}", what);
    // When a batch completes is not told to the millisecond.
    if got.members.is_none() || last.status != Completed {
        prop_assert_eq!(got.ended_at, life.when(TaskStatus::is_final), "the end of {}", what);
    }
    let (reason, limit) = match life.stop {
        Some((Why::Cancel(reason), _)) => (Some(reason), None),
        Some((Why::Limit(limit), _)) => (None, Some(limit)),
        None => (None, None),
    };
    prop_assert_eq!((got.cancel_reason, got.time_limit), (reason, limit), "why {} was stopped", what);
    Ok(())
}

/// In the order of [`TaskStatus::ALL`].
fn numbers(counts: &crate::engine::TaskCounts) -> Vec<u64> {
    let waiting = [counts.queued, counts.running, counts.retrying, counts.cancelling];
    let ended = [counts.completed, counts.failed, counts.cancelled, counts.timed_out];
    [waiting, ended].concat()
}

fn run(steps: Vec<Step>, tally: &mut Tally) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut pair = Pair::new();
        for step in steps {
            pair.step(step).await?;
            if pair.tied {
                break;
            }
        }
        pair.drain(tally).await
    })
}

#[test]
fn the_engine_does_what_the_plain_model_says() {
    let tally = Mutex::<Tally>::default();
    let config = Config { failure_persistence: None, ..Config::with_cases(CASES) };
    let mut runner = TestRunner::new(config);
    match runner.run(&steps(), |steps| run(steps, &mut tally.lock())) {
        Ok(()) => {}
        // A step a line: proptest would give each field its own.
        Err(TestError::Fail(why, steps)) => {
            let steps: Vec<_> = steps.iter().map(|step| format!("    {step:?}")).collect();
            panic!("{why}\nafter:\n{}", steps.join("\n"));
        }
        Err(error) => panic!("{error}"),
    }
    let tally = tally.into_inner();
    let all = TaskStatus::ALL.iter().flat_map(|from| TaskStatus::ALL.iter().map(move |to| (*from, *to)));
    let unseen: Vec<_> =
        all.filter(|(from, to)| from.may_become(*to) && !tally.edges.contains(&(*from, *to))).collect();
    assert!(unseen.is_empty(), "never seen: {unseen:?}");
    assert!(tally.whole > 4 * tally.tied, "compared to the end: {}, not: {}", tally.whole, tally.tied);
}
