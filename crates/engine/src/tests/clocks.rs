//! Which clock each wait follows: the table of the docs, with each clock moved alone.

mod model;

use std::time::Duration;

use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    Backoff, BatchOptions, Failure, Json, Missed, Outcome, Restart, Retention, Retry, Schedule, StartOptions,
    TaskChange, TaskContext, TaskFilter, TaskHandle, TaskId, TaskManager, TaskStatus, Unread,
    delivery::{Cursor, Look, Owner, Start, Told, engine},
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
    test::{clocks::TestMachine, manager_with},
};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The latest that a sleep, or a clock that was set, is noticed.
const NOTICED: Duration = secs(30);
/// The time between two matches of [`CRON`], in every time zone.
const QUARTER: Duration = secs(15 * 60);
const CRON: &str = "*/15 * * * *";

/// What waits in an engine, one for each row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    StartDelay,
    RetryDelay,
    RestartDelay,
    Deadline,
    Every,
    BackOff,
    Timeout,
    AttemptTimeout,
    StallTimeout,
    Grace,
    CleanUp,
    ExitGrace,
    Cron,
}

const ALL: [Wait; 13] = [
    Wait::StartDelay,
    Wait::RetryDelay,
    Wait::RestartDelay,
    Wait::Deadline,
    Wait::Every,
    Wait::BackOff,
    Wait::Timeout,
    Wait::AttemptTimeout,
    Wait::StallTimeout,
    Wait::Grace,
    Wait::CleanUp,
    Wait::ExitGrace,
    Wait::Cron,
];

impl Wait {
    fn counts_sleep(self) -> bool {
        use Wait::{BackOff, Cron, Deadline, Every, RestartDelay, RetryDelay, StartDelay};
        matches!(self, StartDelay | RetryDelay | RestartDelay | Deadline | Every | BackOff | Cron)
    }

    fn follows_a_set_clock(self) -> bool {
        self == Self::Cron
    }

    /// Starts what waits for `length`, and notes when the wait is over.
    fn start(self, machine: &TestMachine, length: Duration) -> Waiting {
        let base = Policy { grace: Duration::ZERO, ..Policy::default() };
        let policy = match self {
            Self::RetryDelay => Policy { retry: Some(Retry::attempts(2).backoff(Backoff::constant(length))), ..base },
            Self::RestartDelay => {
                let restart = Restart::on_failure().backoff(Backoff::constant(length));
                Policy { restart: Some(restart), ..base }
            }
            Self::Deadline => Policy { deadline: Some(length), ..base },
            Self::Timeout => Policy { timeout: Some(length), ..base },
            Self::AttemptTimeout => Policy { attempt_timeout: Some(length), ..base },
            Self::StallTimeout => Policy { stall_timeout: Some(length), ..base },
            Self::Grace | Self::CleanUp => Policy { grace: length, ..base },
            Self::ExitGrace => Policy { grace: secs(1_000_000), ..base },
            Self::StartDelay | Self::Every | Self::BackOff | Self::Cron => base,
        };
        let (ran, runs) = unbounded_channel();
        let kind = Kind::new("a", policy, Errors::default(), move |ctx: TaskContext, (): ()| {
            let _ = ran.send(());
            self.work(ctx)
        });
        let tasks = manager_with([kind], Settings::default(), machine.clocks());
        let (over, machine) = (self.over(tasks.clone(), length, runs), machine.clone());
        let over = tokio::spawn(async move {
            over.await;
            machine.running()
        });
        Waiting { _tasks: tasks, over }
    }

    /// What the handler does.
    async fn work(self, ctx: TaskContext) -> Result<(), Failure> {
        match self {
            Self::StartDelay | Self::Every | Self::Cron => Ok(()),
            Self::RetryDelay | Self::RestartDelay if ctx.attempt() == 2 => Ok(()),
            Self::RetryDelay | Self::RestartDelay | Self::BackOff => Err(Failure::new("no")),
            Self::CleanUp => {
                ctx.on_cancel(std::future::pending());
                std::future::pending().await
            }
            Self::ExitGrace => {
                let _ = ctx.is_cancelled();
                ctx.on_cancel(std::future::pending());
                std::future::pending().await
            }
            _ => {
                // It has a grace period, because it uses its token, and does not stop.
                let _ = ctx.is_cancelled();
                std::future::pending().await
            }
        }
    }

    /// Returns when the wait is over.
    async fn over(self, tasks: TaskManager, length: Duration, mut runs: UnboundedReceiver<()>) {
        let schedule = match self {
            Self::Every => Some(Schedule::every(length)),
            Self::BackOff => Some(Schedule::every(secs(1)).at_once().back_off(Backoff::constant(length))),
            Self::Cron => Some(Schedule::cron(CRON).unwrap()),
            _ => None,
        };
        if let Some(schedule) = schedule {
            tasks.schedule("s", "a", (), schedule.missed(Missed::Once)).unwrap();
            for _ in 0..if self == Self::BackOff { 2 } else { 1 } {
                runs.recv().await.unwrap();
            }
            return;
        }
        let options = StartOptions::new();
        let options = if self == Self::StartDelay { options.delay(length) } else { options };
        let task = tasks.start_with("a", (), options).unwrap();
        if matches!(self, Self::Grace | Self::CleanUp | Self::ExitGrace) {
            while task.status() != TaskStatus::Running || !has_waited(&tasks, task.id()) {
                tokio::task::yield_now().await;
            }
        }
        match self {
            Self::Grace | Self::CleanUp => task.cancel().unwrap(),
            Self::ExitGrace => {
                assert_eq!(tasks.shut_down(length).await.len(), 1);
                return;
            }
            _ => {}
        }
        task.outcome().await;
    }
}

fn has_waited(tasks: &TaskManager, id: TaskId) -> bool {
    let record = engine(tasks).find(id).unwrap();
    futures_util::FutureExt::now_or_never(record.settled()).is_some()
}

/// A wait that has begun.
struct Waiting {
    _tasks: TaskManager,
    /// Returns how long the machine had run when the wait was over.
    over: JoinHandle<Duration>,
}

/// What happens to the clocks.
#[derive(Debug, Clone, Copy)]
enum Move {
    Sleep(Duration),
    Set(i64),
}

/// Begins a wait, moves a clock 10 s later, and returns how long the wait took by a clock that stands still while the
/// machine sleeps.
async fn took(machine: TestMachine, wait: Wait, length: Duration, moves: Option<Move>) -> Duration {
    let waiting = wait.start(&machine, length);
    sleep(secs(10)).await;
    match moves {
        Some(Move::Sleep(time)) => machine.sleep(time).await,
        Some(Move::Set(by)) => machine.set(by),
        None => {}
    }
    timeout(secs(1_000_000), waiting.over).await.expect("the wait never ends").unwrap()
}

const HOUR: Duration = secs(60 * 60);
/// Later than it should be by no more than a few timers.
const SLACK: Duration = Duration::from_millis(50);

fn is_at(took: Duration, at: Duration) -> bool {
    (at..=at + SLACK).contains(&took)
}

#[tokio::test(start_paused = true)]
async fn each_wait_follows_the_clocks_that_the_table_says() {
    for wait in ALL {
        for machine in [TestMachine::new, TestMachine::whose_tokio_counts_sleep] {
            let took = async |moves| took(machine(), wait, QUARTER, moves).await;
            let undisturbed = took(None).await;
            assert!(is_at(undisturbed, QUARTER), "{wait:?}: {undisturbed:?}");

            let slept = took(Some(Move::Sleep(HOUR))).await;
            if wait.counts_sleep() {
                assert!((secs(10)..=secs(10) + NOTICED + SLACK).contains(&slept), "{wait:?} after a sleep: {slept:?}");
            } else {
                let steps = if machine().counts_in_steps() { QUARTER / 4 } else { Duration::ZERO };
                assert!(
                    (QUARTER.saturating_sub(steps)..=QUARTER + SLACK).contains(&slept),
                    "{wait:?} after a sleep: {slept:?}"
                );
            }

            let forward = took(Some(Move::Set(60 * 60 * 1_000))).await;
            let back = took(Some(Move::Set(-50 * 60 * 1_000))).await;
            if wait.follows_a_set_clock() {
                assert!((secs(10)..=secs(10) + NOTICED + SLACK).contains(&forward), "{wait:?}: {forward:?}");
                // It was a quarter to an hour ago, ten minutes and ten seconds past.
                assert!(is_at(back, secs(5 * 60)), "{wait:?}: {back:?}");
            } else {
                assert!(is_at(forward, QUARTER), "{wait:?} when the clock is set forward: {forward:?}");
                assert!(is_at(back, QUARTER), "{wait:?} when the clock is set back: {back:?}");
            }
        }
    }
}

/// Starts what waits for an hour, in each way that shows until when it waits. Returns the tasks, each with a cursor at its
/// begin.
fn start_what_shows_its_wait(tasks: &TaskManager) -> Vec<(TaskHandle, Cursor)> {
    tasks.schedule("every", "quick", (), Schedule::every(HOUR)).unwrap();
    let back_off = Schedule::every(secs(1)).at_once().back_off(Backoff::constant(HOUR));
    tasks.schedule("back-off", "fails", (), back_off).unwrap();
    let members = tasks.batch("delayed", [(), ()], BatchOptions::new()).unwrap().members();
    let alone = [
        tasks.start_with("quick", (), StartOptions::new().delay(HOUR)).unwrap(),
        tasks.start("delayed", ()).unwrap(),
        tasks.start("retries", ()).unwrap(),
        tasks.start("restarts", ()).unwrap(),
    ];
    let watched = alone.into_iter().chain(members).map(|task| {
        let cursor = Cursor::new(&engine(tasks).find(task.id()).unwrap()).1;
        (task, cursor)
    });
    watched.collect()
}

/// Returns the moments that are shown now, each with a name for it.
fn shown(tasks: &TaskManager, waiting: &[(TaskHandle, Cursor)]) -> Vec<(String, Option<u64>)> {
    let mut shown: Vec<_> =
        tasks.schedules().into_iter().map(|schedule| (schedule.name, schedule.next_run_at)).collect();
    for (task, begin) in waiting {
        let snapshot = task.snapshot();
        shown.push((snapshot.task.clone(), snapshot.next_attempt_at));
        let listed = tasks.list(&TaskFilter::default()).into_iter().find(|it| it.id == task.id()).unwrap();
        shown.push((format!("{} in a list", snapshot.task), listed.next_attempt_at));
        let record = engine(tasks).find(task.id()).unwrap();
        let Look::Snapshot(told, _) = Told::look(None, &record, |_, _| true) else { panic!("it is listed") };
        shown.push((format!("{} as it is told", snapshot.task), told.next_attempt_at));
        // A watcher that is told late.
        let mut cursor = *begin;
        let changes = std::iter::from_fn(|| cursor.next(&record)).filter_map(|event| match event.change {
            TaskChange::Status(change) => Some(change.next_attempt_at),
            _ => None,
        });
        shown.extend(changes.last().map(|at| (format!("{} in its last change", snapshot.task), at)));
    }
    shown
}

#[tokio::test(start_paused = true)]
async fn what_is_due_is_shown_by_the_clock_as_it_is_set() {
    for machine in [TestMachine::new(), TestMachine::whose_tokio_counts_sleep()] {
        let kind = |name: &str, policy| {
            Kind::new(name, policy, Errors::default(), async |_: TaskContext, (): ()| Err::<(), _>(Failure::new("no")))
        };
        let retry = Some(Retry::attempts(2).backoff(Backoff::constant(HOUR)));
        let restart = Some(Restart::on_failure().backoff(Backoff::constant(HOUR)));
        let [quick, _] = quick_and_long();
        let kinds = [
            quick,
            kind("delayed", Policy { delay: Some(HOUR), ..Policy::default() }),
            kind("fails", Policy::default()),
            kind("retries", Policy { retry, ..Policy::default() }),
            kind("restarts", Policy { restart, ..Policy::default() }),
        ];
        let tasks = manager_with(kinds, Settings::default(), machine.clocks());
        let begin = machine.elapsed();
        let waiting = start_what_shows_its_wait(&tasks);
        sleep(secs(1)).await;
        for by in [0, 50 * 60 * 1_000, -100 * 60 * 1_000, 1, 10 * 24 * 60 * 60 * 1_000] {
            machine.set(by);
            for slept in [false, true] {
                if slept {
                    machine.sleep(secs(60)).await;
                }
                sleep(secs(60)).await;
                let left = (begin + HOUR).saturating_sub(machine.elapsed());
                let expected = machine.wall() + u64::try_from(left.as_millis()).unwrap();
                for (what, at) in shown(&tasks, &waiting) {
                    let off = at.map(|at| at.abs_diff(expected));
                    assert!(off.is_some_and(|off| off <= 10), "{what}: {at:?} is not {expected}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_healthy_by_the_time_in_which_the_machine_was_awake() {
    for machine in [TestMachine::new(), TestMachine::whose_tokio_counts_sleep()] {
        for (runs, is_healthy) in [(secs(100), false), (secs(950), true)] {
            let restart = Restart::on_failure().healthy_after(QUARTER).give_up_after(1);
            let policy = Policy { restart: Some(restart), ..Policy::default() };
            let of_the_handler = machine.clone();
            let kind = Kind::new("a", policy, Errors::default(), move |ctx: TaskContext, (): ()| {
                let machine = of_the_handler.clone();
                async move {
                    if ctx.attempt() == 2 {
                        return Ok(());
                    }
                    let until = machine.running() + runs;
                    while machine.running() < until {
                        sleep(secs(1)).await;
                    }
                    Err(Failure::new("no"))
                }
            });
            let tasks = manager_with([kind], Settings::default(), machine.clocks());
            let task = tasks.start("a", ()).unwrap();
            sleep(secs(10)).await;
            machine.sleep(HOUR).await;
            let is_over = matches!(task.outcome().await, Outcome::Failed { .. });
            assert_eq!(is_over, !is_healthy, "{runs:?} on {machine:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_has_its_time_to_come_after_a_sleep() {
    for machine in [TestMachine::new(), TestMachine::whose_tokio_counts_sleep()] {
        let policy = Policy { unread: Unread::Cancel, ..Policy::default() };
        let kind = Kind::new("a", policy, Errors::default(), async |ctx: TaskContext<(), u32>, (): ()| {
            ctx.emit(7).await;
            std::future::pending::<Result<(), Failure>>().await
        });
        let tasks = manager_with([kind], Settings::default(), machine.clocks());
        let task = tasks.start("a", ()).unwrap();
        sleep(secs(5)).await;
        let asleep_from = machine.running();
        machine.sleep(HOUR).await;
        task.outcome().await;
        let waited = machine.running().saturating_sub(asleep_from);
        assert!((secs(2)..=secs(5) + SLACK).contains(&waited), "{waited:?} on {machine:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_outlasts_a_sleep() {
    for machine in [TestMachine::new(), TestMachine::whose_tokio_counts_sleep()] {
        let kind =
            Kind::new("a", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| Ok::<_, Failure>(()));
        let retention = Retention::default().age(secs(60 * 60));
        let tasks = manager_with([kind], Settings { retention, ..Settings::default() }, machine.clocks());
        let start = |id| {
            let owner = Owner::Other { label: "main".into(), token: 0 };
            let start =
                Start { id, task: "a", input: Json::null(), owner, options: StartOptions::new(), sees: &|_| true };
            engine(&tasks).start(start).map(|follower| follower.record().id)
        };
        let (kept, removed) = (TaskId::new(), TaskId::new());
        for id in [kept, removed] {
            start(id).unwrap();
            tasks.handle(id).unwrap().outcome().await;
        }
        tasks.remove(removed).unwrap();
        machine.sleep(10 * HOUR).await;
        machine.set(10 * 60 * 60 * 1_000);
        assert_eq!(tasks.list(&TaskFilter::default()).len(), 1, "the task is kept for an hour");
        assert!(start(removed).is_err(), "the id is remembered for ten minutes");
        for _ in 0..61 {
            sleep(secs(60)).await;
            tasks.list(&TaskFilter::default());
        }
        assert!(tasks.list(&TaskFilter::default()).is_empty());
    }
}

fn quick_and_long() -> [Kind; 2] {
    [
        Kind::new("quick", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| Ok::<_, Failure>(())),
        Kind::new("long", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| {
            std::future::pending::<Result<(), Failure>>().await
        }),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_grows_old_though_nobody_looks() {
    for machine in [TestMachine::new(), TestMachine::whose_tokio_counts_sleep()] {
        // With a sleep in the middle, and without one.
        for slept in [Duration::ZERO, 10 * HOUR] {
            for age in [secs(0), secs(20), secs(300), secs(3_000)] {
                let retention = Retention::default().age(age);
                let tasks =
                    manager_with(quick_and_long(), Settings { retention, ..Settings::default() }, machine.clocks());
                let kept = tasks.start("quick", ()).unwrap();
                kept.outcome().await;
                let _long = tasks.start("long", ()).unwrap();
                sleep(age / 2).await;
                machine.sleep(slept).await;
                assert!(age.is_zero() || tasks.get(kept.id()).is_ok(), "{age:?} on {machine:?}");
                sleep(age / 2 + SLACK).await;
                assert_eq!(tasks.list(&TaskFilter::default()).len(), 1, "{age:?} on {machine:?}");
                assert!(tasks.get(kept.id()).is_err(), "{age:?} on {machine:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_is_forgotten_though_nobody_looks() {
    for machine in [TestMachine::new(), TestMachine::whose_tokio_counts_sleep()] {
        let tasks = manager_with(quick_and_long(), Settings::default(), machine.clocks());
        let start = |id| {
            let owner = Owner::Other { label: "main".into(), token: 0 };
            let start =
                Start { id, task: "quick", input: Json::null(), owner, options: StartOptions::new(), sees: &|_| true };
            engine(&tasks).start(start).map(drop)
        };
        let id = TaskId::new();
        start(id).unwrap();
        tasks.handle(id).unwrap().outcome().await;
        tasks.remove(id).unwrap();
        sleep(secs(9 * 60)).await;
        assert!(start(id).is_err(), "it is remembered for ten minutes");
        sleep(secs(61)).await;
        start(TaskId::new()).unwrap();
        assert!(start(id).is_ok(), "on {machine:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_counts_the_age_of_what_has_ended_unless_it_has_to() {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    // By then, a task that has begun waits for no reader any more.
    let begun = secs(15);
    for (machine, counting) in [(TestMachine::new(), 0), (TestMachine::whose_tokio_counts_sleep(), 1)] {
        for (age, counting) in [(secs(300), counting), (Duration::MAX, 0)] {
            let retention = Retention::default().age(age);
            let tasks = manager_with(quick_and_long(), Settings { retention, ..Settings::default() }, machine.clocks());
            sleep(begun).await;
            assert_eq!(alive(), 0, "nothing is kept");
            let first = tasks.start("quick", ()).unwrap();
            tasks.start("quick", ()).unwrap().outcome().await;
            first.outcome().await;
            sleep(begun).await;
            assert_eq!(alive(), counting, "one timer for all");
            sleep(secs(300) + NOTICED).await;
            assert_eq!(alive(), 0, "it is old enough");
            let task = tasks.start("quick", ()).unwrap();
            task.outcome().await;
            sleep(begun).await;
            assert_eq!(alive(), counting);
            tasks.remove(task.id()).unwrap();
            sleep(NOTICED).await;
            assert_eq!(alive(), 0, "nothing is kept");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_watches_for_sleep_when_nobody_waits_by_it() {
    let machine = TestMachine::new();
    let kind = Kind::new("a", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| {
        std::future::pending::<Result<(), Failure>>().await
    });
    let tasks = manager_with([kind], Settings::default(), machine.clocks());
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let delayed = |seconds| tasks.start_with("a", (), StartOptions::new().delay(secs(seconds))).unwrap();
    let short = delayed(20);
    sleep(secs(1)).await;
    assert_eq!(alive(), 1, "the short delay alone");
    short.cancel().unwrap();
    let long = [delayed(900), delayed(900), delayed(1_800)];
    sleep(secs(1)).await;
    assert_eq!(alive(), 4, "one watch for all");
    for task in &long {
        task.cancel().unwrap();
    }
    sleep(NOTICED).await;
    assert_eq!(alive(), 0);
    let again = delayed(900);
    sleep(secs(1)).await;
    assert_eq!(alive(), 2);
    again.cancel().unwrap();
    drop((again, short, long, tasks));
    sleep(secs(1)).await;
    assert_eq!(alive(), 0, "it ends with the manager");
}
