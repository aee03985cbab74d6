//! An engine whose handlers have a runtime of their own, and handlers that hold its threads. The engine's own runtime is
//! the test's, in paused time.

use std::{
    collections::HashMap,
    future::{pending, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
        mpsc::{self, Receiver, Sender},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::{mpsc::unbounded_channel, oneshot},
    time::{Instant, sleep},
};

use crate::{
    Backoff, BatchOptions, CancelReason, ErrorKind, Failure, FailureKind, LimitOf, OnExit, Outcome, Retry,
    StartOptions, TaskChange, TaskContext, TaskError, TaskFilter, TaskHandle, TaskManager, TaskStatus, TimeLimit,
    clock::Clocks,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors, held_threads::is_polled, runtimes::Runtimes},
    test::log::Log,
};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A manager with a runtime for handlers, and what the handlers do on it.
struct Two {
    tasks: TaskManager,
    /// Tells the handlers of "holds" to let go, one for each message. They let go as well when it is dropped.
    release: Option<Sender<()>>,
    /// The names of the kinds whose handlers have begun to hold a thread or to wait.
    begun: Receiver<&'static str>,
    work: Option<Runtime>,
}

impl Two {
    /// `threads` is how many threads the runtime of the handlers has.
    fn new(threads: usize, policy: &Policy) -> Self {
        let work = Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap();
        let (release, released) = mpsc::channel::<()>();
        let released = Arc::new(Mutex::new(released));
        let (tell, begun) = mpsc::channel();
        let holds = |name: &'static str, policy: Policy| {
            let (tell, released) = (tell.clone(), Arc::clone(&released));
            Kind::new(name, policy, Errors::default(), move |_: TaskContext, (): ()| {
                let (tell, released) = (tell.clone(), Arc::clone(&released));
                async move {
                    tell.send(name)?;
                    let _ = released.lock().recv();
                    Ok::<_, Failure>(())
                }
            })
        };
        let holders = [holds("holds", policy.clone()), holds("other", Policy::default())];
        // The time of the engine may run ahead of these.
        let policy = Policy { attempt_timeout: None, ..policy.clone() };
        let quick =
            Kind::new("quick", policy.clone(), Errors::default(), async |_: TaskContext, (): ()| Ok::<_, Failure>(7));
        let waits = Kind::new("waits", policy.clone(), Errors::default(), {
            let tell = tell.clone();
            move |ctx: TaskContext, asks: bool| {
                let tell = tell.clone();
                async move {
                    let _token = asks.then(|| ctx.token());
                    tell.send("waits")?;
                    pending::<Result<(), Failure>>().await
                }
            }
        });
        let cleans = Kind::new("cleans", policy.clone(), Errors::default(), {
            let tell = tell.clone();
            move |ctx: TaskContext, (): ()| {
                let tell = tell.clone();
                async move {
                    ctx.on_cancel(pending());
                    tell.send("cleans")?;
                    pending::<Result<(), Failure>>().await
                }
            }
        });
        let fails = Kind::new("fails", policy, Errors::default(), async |_: TaskContext, (): ()| {
            Err::<(), _>(Failure::new("no"))
        });
        let kinds = holders.into_iter().chain([quick, waits, cleans, fails]);
        let kinds: HashMap<_, _> = kinds.map(|kind| (Arc::clone(&kind.name), Arc::new(kind))).collect();
        let epoch = Instant::now();
        let clock = move || u64::try_from(epoch.elapsed().as_millis()).unwrap();
        let runtimes = Runtimes { control: Handle::current(), work: work.handle().clone() };
        let tasks = TaskManager::with_kinds(runtimes, kinds, Settings::default(), Clocks::of_tokio(clock));
        Self { tasks, release: Some(release), begun, work: Some(work) }
    }

    fn start(&self, kind: &str) -> TaskHandle {
        self.tasks.start(kind, ()).unwrap()
    }

    /// Starts a task and waits until its handler holds a thread, or has begun to wait. The time of the engine stands
    /// still meanwhile.
    fn begun(&self, kind: &str, input: impl serde::Serialize) -> TaskHandle {
        let task = self.tasks.start(kind, input).unwrap();
        assert_eq!(self.begun.recv_timeout(secs(30)), Ok(kind));
        while !["holds", "other"].contains(&kind) && is_polled(task.id()) {
            thread::yield_now();
        }
        task
    }

    fn counts(&self, kind: &str) -> (u64, u64) {
        let counts = self.tasks.counts().into_iter().find(|counts| counts.task.as_deref() == Some(kind)).unwrap();
        (counts.queued, counts.running)
    }

    fn release_all(&mut self) {
        self.release.take();
    }
}

impl Drop for Two {
    fn drop(&mut self) {
        self.release_all();
        // A runtime may not be dropped where the test runs.
        if let Some(work) = self.work.take() {
            work.shutdown_background();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn handlers_run_on_their_own_runtime() {
    let two = Two::new(1, &Policy::default());
    let (here, there) = (Handle::current().id(), two.tasks.engine.work().id());
    let task = two.tasks.spawn("where", async move |ctx: TaskContext| {
        let handler = Handle::current().id();
        let spawned = tokio::spawn(async { Handle::current().id() }).await?;
        let blocking = ctx.spawn_blocking(|_| Handle::current().id()).await;
        Ok::<_, Failure>([handler, spawned, blocking].iter().all(|id| *id == there && *id != here))
    });
    assert_eq!(task.result().await, Ok(true));
    let (tell, told) = oneshot::channel();
    let (registered, is_registered) = mpsc::channel();
    let task = two.tasks.spawn("cleans", async move |ctx: TaskContext| {
        ctx.on_cancel(async move {
            let _ = tell.send(Handle::current().id());
        });
        registered.send(())?;
        pending::<Result<(), Failure>>().await
    });
    is_registered.recv().unwrap();
    task.cancel().unwrap();
    assert_eq!(told.await, Ok(there), "so does the clean-up");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_started_while_all_threads_are_held_is_queued_with_its_slot() {
    let mut two = Two::new(2, &Policy::default());
    two.begun("holds", ());
    two.begun("other", ());
    two.tasks.set_limit(LimitOf::App, 3).unwrap();
    let next = two.start("quick");
    let later = two.start("quick");
    assert_eq!((next.status(), next.snapshot().queue), (TaskStatus::Queued, None));
    assert_eq!((next.snapshot().started_at, next.snapshot().attempt), (None, 0));
    assert_eq!(later.snapshot().queue.and_then(|place| place.position), Some(1), "it waits for a slot");
    assert_eq!(two.counts("quick"), (2, 0));
    assert_eq!(two.tasks.list(&TaskFilter::default()).len(), 4);
    for refused in [next.pause(), next.set_priority(1)] {
        let error = refused.unwrap_err();
        assert!([ErrorKind::NotPausable, ErrorKind::NotQueued].contains(&error.kind), "{error}");
        assert!(error.message.contains("its turn has just come"), "{error}");
    }
    next.resume().unwrap();

    let mut watch = later.watch();
    next.cancel().unwrap();
    assert_eq!(next.status(), TaskStatus::Cancelled, "at once");
    assert_eq!((later.status(), later.snapshot().queue), (TaskStatus::Queued, None), "it has the slot");
    let TaskChange::Queue(place) = watch.next().await.unwrap().change else { panic!("whoever follows it is told") };
    assert_eq!((place.position, place.held), (None, false));
    assert_eq!(two.counts("quick"), (1, 0));
    two.release_all();
    assert_eq!(later.outcome().await.output::<u32>().unwrap(), Some(7));
    assert!(matches!(next.outcome().await, Outcome::Cancelled { .. }), "it never began");
}

#[tokio::test(start_paused = true)]
async fn an_ended_task_that_never_had_a_thread_leaves_nothing_behind() {
    let two = Two::new(1, &Policy::default());
    let holder = two.begun("holds", ());
    let dropped = Arc::new(());
    let value = Arc::clone(&dropped);
    let spawned = two.tasks.spawn("spawned", async move |_: TaskContext| {
        drop(value);
        Ok::<_, Failure>(())
    });
    spawned.cancel().unwrap();
    assert_eq!((spawned.status(), Arc::strong_count(&dropped)), (TaskStatus::Cancelled, 1));
    let left = two.tasks.shut_down(Duration::ZERO).await;
    assert_eq!(left.into_iter().map(|task| task.id).collect::<Vec<_>>(), [holder.id()]);
}

#[tokio::test(start_paused = true)]
async fn cancels_and_graces_do_not_wait_for_a_thread() {
    let log = Log::capture();
    let mut two = Two::new(2, &Policy { grace: secs(3), ..Policy::default() });
    let patient = two.begun("waits", true);
    let holders = [two.begun("holds", ()), two.begun("holds", ())];
    let begun = Instant::now();
    for task in holders.iter().chain([&patient]) {
        task.cancel().unwrap();
        assert_eq!(task.status(), TaskStatus::Cancelling);
    }
    let mut watch = patient.watch();
    assert!(!watch.snapshot().overdue);
    assert!(matches!(watch.next().await.unwrap().change, TaskChange::Status(change) if change.overdue));
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert!(holders.iter().all(|task| task.snapshot().overdue));
    for (task, why) in [(&holders[0], "holds its thread"), (&holders[1], "holds its thread"), (&patient, "other tasks")]
    {
        let id = task.id().to_string();
        let text = log.text();
        let lines: Vec<_> = text.lines().filter(|line| line.contains("is overdue") && line.contains(&id)).collect();
        assert!(matches!(lines[..], [line] if line.contains(why) && line.contains("3s")), "{text}");
    }
    two.release_all();
    assert!(matches!(patient.outcome().await, Outcome::Cancelled { reason: CancelReason::User }));
    // An output that was returned in spite of a cancel counts.
    assert!(matches!(holders[0].outcome().await, Outcome::Completed { .. }));
}

#[tokio::test(start_paused = true)]
async fn time_limits_and_delays_do_not_wait_for_a_thread() {
    let policy = Policy {
        retry: Some(Retry::attempts(2).backoff(Backoff::constant(secs(2)))),
        attempt_timeout: Some(secs(10)),
        ..Policy::default()
    };
    let mut two = Two::new(1, &policy);
    let retried = two.start("fails");
    while retried.status() != TaskStatus::Retrying {
        tokio::task::yield_now().await;
    }
    let holder = two.begun("holds", ());
    let delayed = two.tasks.start_with("quick", (), StartOptions::new().delay(secs(3))).unwrap();
    let doomed = two.tasks.start_with("quick", (), StartOptions::new().deadline(secs(4))).unwrap();
    let mut watch = retried.watch();
    while retried.status() == TaskStatus::Retrying {
        watch.next().await.unwrap();
    }
    assert_eq!((retried.status(), retried.snapshot().queue), (TaskStatus::Queued, None), "its time has come");
    assert!(delayed.snapshot().queue.is_some());
    assert!(matches!(doomed.outcome().await, Outcome::TimedOut { limit: TimeLimit::Deadline, .. }));
    assert_eq!((delayed.status(), delayed.snapshot().queue), (TaskStatus::Queued, None), "its delay is over");
    let mut watch = holder.watch();
    while holder.status() == TaskStatus::Running {
        watch.next().await.unwrap();
    }
    assert_eq!(holder.snapshot().time_limit, Some(TimeLimit::AttemptTimeout));
    two.release_all();
    assert_eq!(delayed.outcome().await.output::<u32>().unwrap(), Some(7));
    retried.outcome().await;
    assert_eq!(retried.snapshot().attempt, 2);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_asks_for_its_token_is_dropped_at_the_end_of_its_grace_period() {
    let two = Two::new(2, &Policy { grace: secs(3), ..Policy::default() });
    let holder = two.begun("holds", ());
    for (asks, grace) in [(true, secs(3)), (false, Duration::ZERO)] {
        let task = two.begun("waits", asks);
        let begun = Instant::now();
        task.cancel().unwrap();
        assert!(matches!(task.outcome().await, Outcome::Cancelled { .. }));
        assert!(begun.elapsed() >= grace);
    }
    assert_eq!(holder.status(), TaskStatus::Running);
}

#[tokio::test(start_paused = true)]
async fn a_clean_up_that_hangs_is_dropped_by_the_clock_of_the_engine() {
    // The runtime of the handlers is not paused, so an hour would never pass there.
    let two = Two::new(1, &Policy { grace: secs(3_600), ..Policy::default() });
    let task = two.begun("cleans", ());
    task.cancel().unwrap();
    assert!(matches!(task.outcome().await, Outcome::Cancelled { .. }));
}

/// How often the log names a kind for holding a thread.
fn named(log: &Log, kind: &str) -> usize {
    let is_warning = |line: &&str| line.contains(&format!("\"{kind}\"")) && line.contains("has held a thread for 5s");
    log.text().lines().filter(is_warning).count()
}

#[tokio::test(start_paused = true)]
async fn the_log_names_the_kind_that_holds_a_thread_for_five_seconds() {
    let log = Log::capture();
    let two = Two::new(3, &Policy::default());
    let waits = two.begun("waits", false);
    sleep(secs(60)).await;
    assert_eq!(log.count("has held a thread"), 0, "a handler that waits holds none");
    two.begun("holds", ());
    sleep(Duration::from_millis(4_900)).await;
    assert_eq!(named(&log, "holds"), 0);
    sleep(Duration::from_millis(1_200)).await;
    assert_eq!(named(&log, "holds"), 1, "{log:?}");
    assert_eq!(
        log.count("Unless it blocks in tokio::task::block_in_place"),
        1,
        "there its thread is replaced: {log:?}"
    );
    two.begun("holds", ());
    two.begun("other", ());
    sleep(secs(600)).await;
    assert_eq!((named(&log, "holds"), named(&log, "other")), (1, 1), "once a poll, and a kind once a minute");
    assert_eq!(waits.status(), TaskStatus::Running);
    two.release.as_ref().unwrap().send(()).unwrap();
    two.begun("holds", ());
    sleep(secs(7)).await;
    assert_eq!(named(&log, "holds"), 2, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn the_monitor_sleeps_while_no_handler_is_polled() {
    let two = Two::new(1, &Policy::default());
    for _ in 0..3 {
        let task = two.begun("waits", false);
        sleep(secs(5)).await;
        // Nothing else runs on this runtime now: no timer lets its time go on.
        let metrics = Handle::current().metrics();
        assert_eq!(metrics.num_alive_tasks(), 0, "while a handler only waits");
        task.cancel().unwrap();
        task.outcome().await;
        // Where time is counted in steps, a timer runs while something is kept that grows too old.
        two.tasks.remove(task.id()).unwrap();
        sleep(secs(60)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_holds_a_thread_does_not_stop_the_timers_of_the_others() {
    let mut two = Two::new(2, &Policy::default());
    let ticks = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&ticks);
    let (tick, mut ticked) = unbounded_channel();
    two.tasks.spawn("ticks", async move |_: TaskContext| -> Result<(), Failure> {
        loop {
            sleep(Duration::from_millis(50)).await;
            counted.fetch_add(1, SeqCst);
            tick.send(())?;
        }
    });
    let (holds, has_begun) = oneshot::channel();
    let (release, released) = mpsc::channel::<()>();
    two.tasks.spawn("blocks", async move |_: TaskContext| {
        // The worker that waits for the timers polls this one after it, and so doesn't wait for timers any more.
        sleep(Duration::from_millis(20)).await;
        let _ = holds.send(());
        let _ = released.recv();
        Ok::<_, Failure>(())
    });
    has_begun.await.unwrap();
    let before = ticks.load(SeqCst);
    while ticks.load(SeqCst) < before + 3 {
        ticked.recv().await.unwrap();
    }
    drop(release);
    two.release_all();
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_thread_does_not_grow_while_all_are_held() {
    let mut two = Two::new(2, &Policy::default());
    let holders = [two.begun("holds", ()), two.begun("other", ())];
    let metrics = two.tasks.engine.work().metrics();
    let waiting = || metrics.global_queue_depth();
    sleep(secs(10)).await;
    let before = waiting();
    assert!(before <= 1, "at most one wakes an idle worker: {before}");
    sleep(secs(3_600)).await;
    assert_eq!(waiting(), before);
    two.release_all();
    for task in holders {
        task.outcome().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_cancelled_before_it_has_a_thread_can_be_forgotten() {
    let two = Two::new(1, &Policy::default());
    two.begun("holds", ());
    let task = two.start("quick");
    let record = Arc::downgrade(&two.tasks.engine.find(task.id()).unwrap());
    task.cancel().unwrap();
    two.tasks.remove(task.id()).unwrap();
    drop(task);
    // The queue's watchers are told of it.
    sleep(secs(1)).await;
    assert_eq!(record.strong_count(), 0);
}

impl Two {
    /// Ends the runtime of the handlers.
    fn end_work(&mut self) {
        self.work.take().unwrap().shutdown_background();
    }
}

/// Whether the task has failed because the runtime of the handlers has ended.
async fn has_failed_with_runtime(task: &TaskHandle) -> bool {
    matches!(task.outcome().await, Outcome::Failed(failure) if failure.kind == FailureKind::RuntimeEnded)
}

#[tokio::test(start_paused = true)]
async fn tasks_that_are_left_when_their_runtime_ends_fail_and_so_do_those_that_follow() {
    let log = Log::capture();
    let policy = Policy { retry: Some(Retry::attempts(3)), ..Policy::default() };
    let mut two = Two::new(2, &policy);
    two.tasks.set_limit(LimitOf::App, 3).unwrap();
    let waits = two.begun("waits", true);
    let cancelled = two.begun("cleans", ());
    cancelled.cancel().unwrap();
    let running = two.begun("waits", true);
    let queued: Vec<_> = (0..1_000).map(|_| two.start("quick")).collect();
    two.end_work();
    for task in [&waits, &running].into_iter().chain(&queued) {
        assert!(has_failed_with_runtime(task).await);
    }
    assert_eq!((waits.snapshot().attempt, queued[0].snapshot().attempt), (1, 1), "another attempt can't help");
    let outcome = cancelled.outcome().await;
    assert!(matches!(outcome, Outcome::Cancelled { reason: CancelReason::User }), "{outcome:?}");

    let later = two.start("quick");
    assert!(has_failed_with_runtime(&later).await);
    let spawned = two.tasks.spawn("spawned", async |_: TaskContext| Ok::<_, Failure>(()));
    let error = spawned.result().await.unwrap_err();
    assert!(matches!(error, TaskError::RuntimeEnded { .. }), "{error:?}");
    assert!(error.to_string().contains("keep it until the app ends"), "{error}");
    let batch = two.tasks.batch("quick", [(), ()], BatchOptions::new()).unwrap();
    let members = batch.outcome().await;
    assert!(matches!(members, Outcome::Completed { .. }), "{members:?}");
    assert_eq!(two.counts("quick"), (0, 0));
    assert_eq!(log.count("the runtime that tasks run on has ended"), 1, "{log:?}");
    assert!(two.tasks.shut_down(Duration::ZERO).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_thread_is_held_when_its_runtime_ends_fails_once_the_thread_is_free() {
    let mut two = Two::new(1, &Policy::default());
    let (release, released) = mpsc::channel::<()>();
    let (tell, has_begun) = oneshot::channel();
    let held = two.tasks.spawn("held", async move |_: TaskContext| {
        let _ = tell.send(());
        let _ = released.recv();
        pending::<Result<(), Failure>>().await
    });
    has_begun.await.unwrap();
    let queued = two.tasks.start("waits", false).unwrap();
    two.end_work();
    sleep(secs(60)).await;
    assert_eq!((held.status(), queued.status()), (TaskStatus::Running, TaskStatus::Queued), "the thread is held");
    drop(release);
    assert!(matches!(held.result().await, Err(TaskError::RuntimeEnded { .. })));
    assert!(has_failed_with_runtime(&queued).await);
}

#[tokio::test(start_paused = true)]
async fn blocking_work_that_goes_on_after_its_runtime_is_told_to_stop_and_waited_for() {
    let mut two = Two::new(1, &Policy::default());
    let (tell, has_begun) = oneshot::channel();
    let (ended, work_has_ended) = mpsc::channel();
    let task = two.tasks.spawn("works", async move |ctx: TaskContext| {
        ctx.spawn_blocking(move |token| {
            let _ = tell.send(());
            while !token.is_cancelled() {
                thread::yield_now();
            }
            ended.send(()).unwrap();
        })
        .await;
        Ok::<_, Failure>(())
    });
    has_begun.await.unwrap();
    two.end_work();
    assert!(matches!(task.result().await, Err(TaskError::RuntimeEnded { .. })));
    assert_eq!(work_has_ended.try_recv(), Ok(()));
}

/// An app that exits drops its runtime last. What is left then was left on purpose.
#[tokio::test(start_paused = true)]
async fn the_end_of_the_runtime_is_no_failure_of_an_app_that_exits() {
    let log = Log::capture();
    let policy = Policy { on_exit: OnExit::Drop, ..Policy::default() };
    let mut two = Two::new(2, &policy);
    let left = two.begun("waits", true);
    let unwatched = two.begun("waits", false).id();
    assert!(two.tasks.shut_down(secs(10)).await.is_empty());
    two.end_work();
    assert!(has_failed_with_runtime(&left).await, "a wait for it has an end");
    while two.tasks.get(unwatched).unwrap().ended_at.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(log.text(), "");
}

/// Panics when it is woken.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("woken");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_outside_a_handler_ends_its_task_alone() {
    let log = Log::capture();
    let mut two = Two::new(1, &Policy { retry: Some(Retry::attempts(3)), ..Policy::default() });
    let holder = two.begun("holds", ());
    let task = two.start("quick");
    let next = two.start("quick");
    let mut watch = task.watch();
    {
        // What begins the task wakes this.
        let waker = Waker::from(Arc::new(Panics));
        let mut change = pin!(watch.next());
        assert!(change.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        two.release_all();
        let Outcome::Failed(failure) = task.outcome().await else { panic!("it can't go on") };
        assert_eq!((failure.kind, &*failure.message), (FailureKind::Panic, "task \"quick\" panicked: woken"));
    }
    assert_eq!(next.outcome().await.output::<u32>().unwrap(), Some(7));
    holder.outcome().await;
    assert_eq!(log.count("the runtime that tasks run on has ended"), 0, "{log:?}");
}

/// A queue behind a slow handler is no fault, and commands of an app await queued tasks all the time.
#[tokio::test(start_paused = true)]
async fn a_wait_on_the_engines_own_runtime_is_not_taken_for_one_of_the_handler_that_holds_the_slot() {
    for by_handler in [false, true] {
        let log = Log::capture();
        let two = Two::new(2, &Policy { concurrency: Some(1), ..Policy::default() });
        let _slow = two.begun("waits", false);
        let queued = two.tasks.start("waits", false).unwrap();
        let awaits = async move { _ = queued.outcome().await };
        let runtime = if by_handler { two.tasks.engine.work() } else { &Handle::current() };
        let (tell, told) = oneshot::channel();
        let wait = runtime.spawn(async move {
            let mut awaits = pin!(awaits);
            poll_fn(|context| Poll::Ready(awaits.as_mut().poll(context).is_ready())).await;
            _ = tell.send(());
            awaits.await;
        });
        told.await.unwrap();
        sleep(secs(60)).await;
        wait.abort();
        assert_eq!(log.text().contains("WARN"), by_handler, "{}", log.text());
    }
}
