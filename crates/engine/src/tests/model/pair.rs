//! The engine and the model side by side. Each step is taken by both, and then their visible states are compared.

use std::{collections::HashSet, sync::Arc};

use parking_lot::Mutex;
use proptest::{prelude::*, sample::Index};
use tokio::{
    task::{JoinHandle, yield_now},
    time::{Instant, sleep},
};

use super::{
    plain::{FRAME, Model, Ref},
    script::{APP_LIMIT, APP_QUEUE, GROUP_LIMIT, KINDS, Of, SPAWNED_GRACE, Script, Step, limits, ms, scopes},
    task::{Life, Mark, Place, Task, Why},
    world::{Seat, World, handler, kind},
};
use crate::{
    BatchOptions, CancelReason, ErrorKind, LimitOf, TaskChange, TaskContext, TaskEvent, TaskFilter, TaskHandle, TaskId,
    TaskManager, TaskSnapshot, TaskStatus, run::engine::Settings, tests::manager,
};
use TaskStatus::{Completed, Queued, Retrying, Running};

/// A task or a batch, watched from its start.
struct Watched {
    task: TaskHandle,
    /// The snapshot at the start of the watch.
    first: TaskSnapshot,
    events: Arc<Mutex<Vec<TaskEvent>>>,
    watching: JoinHandle<()>,
    /// The snapshot after its end.
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

    /// Returns a snapshot. Fails if the task has changed after its end.
    fn look(&mut self) -> Result<TaskSnapshot, TestCaseError> {
        let snapshot = self.task.snapshot();
        match &self.last {
            Some(last) => prop_assert_eq!(&snapshot, last, "it has changed after its end"),
            None if snapshot.status.is_final() => self.last = Some(snapshot.clone()),
            None => {}
        }
        Ok(snapshot)
    }

    /// Checks what a watcher was told. Returns all changes of the status, including those before the watch.
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
                TaskChange::WaitsFor(_) => prop_assert!(false, "no handler awaits a task"),
                TaskChange::Gap { .. } => prop_assert!(false, "a gap"),
            }
            prop_assert_eq!(*number, sequence);
        }
        prop_assert!(status.is_final(), "it has not ended: {:?}", status);
        prop_assert_eq!((status, sequence), (last.status, last.sequence));
        Ok(marks)
    }
}

/// What the cases have covered.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) edges: HashSet<(TaskStatus, TaskStatus)>,
    /// How many cases were compared to their end, and in how many the order of two things was unknown.
    pub(super) whole: usize,
    pub(super) tied: usize,
}

pub(super) struct Pair {
    model: Model,
    manager: TaskManager,
    world: Arc<Mutex<World>>,
    tasks: Vec<Watched>,
    batches: Vec<Watched>,
    /// When tokio's time began.
    begin: Instant,
    pub(super) tied: bool,
}

impl Pair {
    pub(super) fn new() -> Self {
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

    pub(super) async fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
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
                self.add(task.untyped());
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
                    self.batches.push(Watched::new(TaskHandle::clone(&batch)));
                }
            }
            Step::Cancel(index) => {
                let Some(of) = pick(index) else { return Ok(()) };
                let expected = self.model.cancel(of, CancelReason::Other("enough".into()));
                let got = self.manager.cancel_with(self.id(of), "enough");
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
                prop_assert_eq!(self.manager.cancel_all(&filter), expected);
            }
            Step::Pause(index) => {
                let Some(of) = pick(index) else { return Ok(()) };
                let expected = self.model.pause(of);
                prop_assert_eq!(self.manager.pause(self.id(of)).map_err(|error| error.kind), expected);
            }
            Step::Resume(index) => {
                let Some(of) = pick(index) else { return Ok(()) };
                self.resume(of)?;
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
                let expected = self.model.rerun(of);
                self.started(expected, self.manager.handle(self.id(of)).and_then(|task| task.rerun()))?;
            }
            Step::Advance(millis) => return self.advance(millis).await,
        }
        self.advance(0).await
    }

    fn started(
        &mut self,
        expected: Result<usize, ErrorKind>,
        got: Result<TaskHandle, crate::Error>,
    ) -> Result<(), TestCaseError> {
        match (expected, got) {
            (Ok(at), Ok(task)) if at == self.tasks.len() => self.add(task),
            (Ok(at), Ok(task)) => prop_assert_eq!(task.id(), self.tasks[at].task.id(), "joined another task"),
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

    fn resume(&mut self, of: Ref) -> Result<(), TestCaseError> {
        let expected = self.model.resume(of);
        prop_assert_eq!(self.manager.resume(self.id(of)).map_err(|error| error.kind), expected);
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

    /// Lets time pass, and compares when nothing can run.
    async fn advance(&mut self, millis: u64) -> Result<(), TestCaseError> {
        settle().await;
        if millis > 0 {
            // Paused time advances only when nothing can run, and only to the next timer.
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
        // No task waits while there is a slot for it.
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

    /// Ends all tasks and checks that nothing is left.
    pub(super) async fn drain(&mut self, tally: &mut Tally) -> Result<(), TestCaseError> {
        let kinds = || (0..KINDS.len()).map(Of::Kind);
        for of in [Of::App, Of::Group].into_iter().chain(kinds()) {
            self.set_limit(of, None);
        }
        self.advance(0).await?;
        for at in 0..self.tasks.len() {
            if self.tasks[at].task.status() == Queued || self.tasks[at].task.status() == Retrying {
                let _ = self.model.alter(Ref::Task(at), |task| task.held = false);
                prop_assert!(self.tasks[at].task.resume().is_ok());
            }
        }
        self.advance(60_000).await?;
        let all = self.manager.engine.records(&TaskFilter::default());
        let left = self.manager.engine.cancel_all(all, CancelReason::Shutdown);
        let expected = self.model.cancel_all(self.model.all.clone(), CancelReason::Shutdown);
        prop_assert!(self.tied || left == expected);
        self.advance(2 * SPAWNED_GRACE).await?;
        prop_assert!(self.world.lock().inside.is_empty(), "a handler still runs");
        for (at, task) in self.tasks.iter_mut().enumerate() {
            let last = task.look()?;
            let reported = self.world.lock().reported.get(&task.task.id()).copied().unwrap_or_default();
            prop_assert_eq!(last.progress.completed, reported, "the last reported progress is kept");
            let story = task.story(tally)?;
            prop_assert!(self.tied || story == self.model.tasks[at].life.marks[1..], "{story:?}");
        }
        for (at, batch) in self.batches.iter_mut().enumerate() {
            batch.look()?;
            let mut unseen = Tally::default();
            let story = batch.story(&mut unseen)?;
            // A batch completes a moment after its last member.
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

    /// Checks that all slots are free and all queues empty: with a limit of one, each kind runs a task at once, and its
    /// queue takes as many tasks as its limit allows.
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

/// Lets everything run that can run now.
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
    // The model doesn't know the end of a batch to the millisecond.
    if got.members.is_none() || last.status != Completed {
        prop_assert_eq!(got.ended_at, life.when(TaskStatus::is_final), "the end of {}", what);
    }
    let (reason, limit) = match life.stop.clone() {
        Some((Why::Cancel(reason), _)) => (Some(reason), None),
        Some((Why::Limit(limit), _)) => (None, Some(limit)),
        None => (None, None),
    };
    prop_assert_eq!((got.cancel_reason.clone(), got.time_limit), (reason, limit), "why {} was stopped", what);
    Ok(())
}

/// In the order of [`TaskStatus::ALL`].
fn numbers(counts: &crate::TaskCounts) -> Vec<u64> {
    let waiting = [counts.queued, counts.running, counts.retrying, counts.cancelling];
    let ended = [counts.completed, counts.failed, counts.cancelled, counts.timed_out];
    [waiting, ended].concat()
}
