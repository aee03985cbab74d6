//! Exits: each task ends as its policy says, and none holds up the exit for longer than it may.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use proptest::prelude::*;
use tokio::{
    runtime::Builder,
    time::{Instant, sleep},
};

use super::{manager, observe::Log};
use crate::{
    Backoff, BatchOptions, CancelReason, ErrorKind, Failure, LimitOf, OnConflict, OnExit, Outcome, Retry, StartOptions,
    TaskContext, TaskHandle, TaskManager, TaskStatus,
    exit::lost,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
};

const GRACE: Duration = secs(10);

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn on_exit(on_exit: OnExit) -> Policy {
    Policy { on_exit, ..Policy::default() }
}

/// A kind whose tasks take as many seconds as their input says.
fn sleeper(name: &str, policy: Policy) -> Kind {
    Kind::new(name, policy, Errors::default(), async |_: TaskContext, seconds: u64| {
        sleep(secs(seconds)).await;
        Ok::<_, Failure>(seconds)
    })
}

fn each_way() -> TaskManager {
    let kinds = [OnExit::Cancel, OnExit::Finish, OnExit::Drop];
    manager(kinds.map(|way| sleeper(&format!("{way:?}"), on_exit(way))), Settings::default())
}

async fn begun() {
    tokio::task::yield_now().await;
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn an_exit_with_nothing_to_wait_for_returns_at_once() {
    let tasks = each_way();
    tasks.start("Cancel", 1).unwrap().outcome().await;
    tasks.start("Drop", 1_000).unwrap();
    begun().await;
    assert!(lost::is_idle(&tasks.engine));
    let asked = Instant::now();
    assert!(tasks.shut_down(GRACE).await.is_empty());
    assert_eq!(asked.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn each_task_ends_as_its_policy_says() {
    let tasks = each_way();
    let [cancel, finish] = ["Cancel", "Finish"].map(|kind| tasks.start(kind, 3).unwrap());
    let dropped = tasks.start("Drop", 30).unwrap();
    begun().await;
    assert!(!lost::is_idle(&tasks.engine));
    let asked = Instant::now();
    assert!(tasks.shut_down(GRACE).await.is_empty());
    assert!(asked.elapsed() <= secs(3) && asked.elapsed() > secs(2), "the exit takes only as long as the work");
    assert_eq!(cancel.outcome().await, Outcome::Cancelled { reason: CancelReason::Shutdown });
    assert!(cancel.snapshot().ended_at.unwrap() < 10, "it doesn't wait for the others");
    assert_eq!(finish.outcome().await.output::<u64>().unwrap(), Some(3));
    assert_eq!(dropped.status(), TaskStatus::Running, "it was not told to stop");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_finish_is_cancelled_in_time_for_its_clean_up() {
    let (log, _guard) = Log::capture();
    let kind = Kind::new("a", on_exit(OnExit::Finish), Errors::default(), async |ctx: TaskContext, (): ()| {
        ctx.on_cancel(async { sleep(secs(4)).await });
        std::future::pending::<Result<(), Failure>>().await
    });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("a", ()).unwrap();
    begun().await;
    let asked = Instant::now();
    assert!(tasks.shut_down(GRACE).await.is_empty());
    assert_eq!(asked.elapsed(), secs(9), "cancelled after half of 10 seconds, as its grace period is 5");
    assert_eq!(log.count("an exit grace of 10s and its own of 5s"), 1, "{}", log.text());
    assert_eq!(task.outcome().await, Outcome::Cancelled { reason: CancelReason::Shutdown });
}

#[tokio::test(start_paused = true)]
async fn waiting_and_retrying_tasks_are_cancelled() {
    let one_at_a_time = Policy { concurrency: Some(1), ..on_exit(OnExit::Finish) };
    let again = Policy { retry: Some(Retry::attempts(9)), ..on_exit(OnExit::Finish) };
    let failing =
        Kind::new("failing", again, Errors::default(), async |_: TaskContext, (): ()| Err::<(), _>(Failure::new("no")));
    let tasks = manager([sleeper("a", one_at_a_time), failing], Settings::default());
    let [runs, waits] = [2, 1].map(|seconds| tasks.start("a", seconds).unwrap());
    let delayed = tasks.start_with("a", 1, StartOptions::new().delay(secs(1))).unwrap();
    let retrying = tasks.start("failing", ()).unwrap();
    begun().await;
    assert_eq!(retrying.status(), TaskStatus::Retrying);
    assert!(tasks.shut_down(GRACE).await.is_empty());
    assert!(runs.outcome().await.output::<u64>().unwrap().is_some());
    for task in [waits, delayed, retrying] {
        assert_eq!(task.outcome().await, Outcome::Cancelled { reason: CancelReason::Shutdown });
    }
}

#[tokio::test(start_paused = true)]
async fn running_members_may_finish_and_so_may_their_batch() {
    let policy = Policy { concurrency: Some(2), ..on_exit(OnExit::Finish) };
    let tasks = manager([sleeper("a", policy)], Settings::default());
    let batch = tasks.batch("a", [2, 2, 2, 2], BatchOptions::new()).unwrap();
    begun().await;
    assert!(tasks.shut_down(GRACE).await.is_empty());
    let outcomes: Vec<Outcome> = batch.outcome().await.output().unwrap().unwrap();
    let completed = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Completed { .. })).count();
    assert_eq!((completed, outcomes.len()), (2, 4));
}

#[tokio::test(start_paused = true)]
async fn no_new_task_begins() {
    let tasks = each_way();
    let known = tasks.start("Finish", 3).unwrap();
    begun().await;
    let shutting_down = tokio::spawn({
        let tasks = tasks.clone();
        async move { tasks.shut_down(GRACE).await }
    });
    begun().await;
    for error in [
        tasks.start("Cancel", 1).unwrap_err(),
        tasks.batch("Cancel", [1, 2], BatchOptions::new()).unwrap_err(),
        tasks.start_with("Drop", 1, StartOptions::new().delay(secs(9))).unwrap_err(),
    ] {
        assert_eq!(error.kind, ErrorKind::ShuttingDown);
        assert!(error.message.contains("about to exit"), "{error}");
    }
    // A spawned task can't be refused.
    let spawned = tasks.spawn("work", async |_: TaskContext| std::future::pending::<Result<(), Failure>>().await);
    assert_eq!(spawned.outcome().await, Outcome::Cancelled { reason: CancelReason::Shutdown });
    assert!(shutting_down.await.unwrap().is_empty());
    assert!(known.outcome().await.output::<u64>().unwrap().is_some());
    assert_eq!(spawned.rerun().unwrap_err().kind, ErrorKind::NotRerunnable);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ignores_everything_holds_the_exit_up_to_its_grace_period() {
    let endless = Policy { grace: secs(1_000), ..on_exit(OnExit::Cancel) };
    let deaf = Kind::new("deaf", endless, Errors::default(), async |ctx: TaskContext, (): ()| {
        ctx.on_cancel(std::future::pending());
        std::future::pending::<Result<(), Failure>>().await
    });
    let tasks = manager([deaf], Settings::default());
    let deaf = tasks.start("deaf", ()).unwrap();
    begun().await;
    let asked = Instant::now();
    let left: Vec<_> = tasks.shut_down(GRACE).await.into_iter().map(|task| task.id).collect();
    assert_eq!((asked.elapsed(), left), (GRACE, vec![deaf.id()]));
}

#[tokio::test(start_paused = true)]
async fn a_guard_holds_off_new_starts_and_lists_what_would_be_lost() {
    let service = Policy { restart: Some(crate::Restart::always()), ..Policy::default() };
    let kinds = [OnExit::Cancel, OnExit::Finish, OnExit::Drop].map(|way| sleeper(&format!("{way:?}"), on_exit(way)));
    let tasks = manager(kinds.into_iter().chain([sleeper("service", service)]), Settings::default());
    for kind in ["Cancel", "Finish", "Drop", "service"] {
        tasks.start(kind, 9).unwrap();
    }
    let ended = tasks.start("Cancel", 0).unwrap();
    ended.outcome().await;
    let names = |tasks: Vec<crate::TaskSnapshot>| tasks.into_iter().map(|task| task.task).collect::<Vec<_>>();
    let guard = tasks.guard();
    let another = tasks.guard();
    assert_eq!(names(guard.running()), ["Cancel", "Finish", "Drop", "service"]);
    assert_eq!(names(guard.would_be_lost()), ["Cancel", "Finish"]);
    drop(another);
    let error = tasks.start("Cancel", 1).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ShuttingDown);
    assert!(error.message.contains("TaskManager::guard"), "{error}");
    assert!(tasks.start("service", 1).is_ok(), "the app may become ready meanwhile");
    drop(guard);
    assert!(tasks.start("Cancel", 1).is_ok());
}

#[tokio::test(start_paused = true)]
async fn waiting_for_all_tasks_includes_queued_ones() {
    let policy = Policy { concurrency: Some(1), ..Policy::default() };
    let tasks = manager([sleeper("a", policy)], Settings::default());
    let [first, second] = [100, 100].map(|seconds| tasks.start("a", seconds).unwrap());
    // It doesn't wait for tasks that may never run.
    let held = tasks.start_with("a", 1, StartOptions::new().held()).unwrap();
    let delayed = tasks.start_with("a", 1, StartOptions::new().delay(secs(1_000_000))).unwrap();
    begun().await;
    lost::finish(&tasks.engine).await;
    for task in [held, delayed] {
        assert_eq!(task.outcome().await, Outcome::Cancelled { reason: CancelReason::Shutdown });
    }
    for task in [first, second] {
        assert!(task.outcome().await.output::<u64>().unwrap().is_some());
    }
}

/// A task of the kind `a` that waits for a minute between two attempts.
async fn between_attempts() -> (TaskManager, TaskHandle) {
    let again = Policy { retry: Some(Retry::attempts(9).backoff(Backoff::constant(secs(60)))), ..Policy::default() };
    let fails =
        Kind::new("a", again, Errors::default(), async |_: TaskContext, (): ()| Err::<(), _>(Failure::new("no")));
    let tasks = manager([fails], Settings::default());
    let task = tasks.start("a", ()).unwrap();
    begun().await;
    assert_eq!(task.status(), TaskStatus::Retrying);
    (tasks, task)
}

#[tokio::test(start_paused = true)]
async fn waiting_for_all_tasks_excludes_tasks_held_between_two_attempts() {
    let (tasks, task) = between_attempts().await;
    tasks.pause(task.id()).unwrap();
    lost::finish(&tasks.engine).await;
    assert_eq!(task.outcome().await, Outcome::Cancelled { reason: CancelReason::Shutdown });
}

#[tokio::test(start_paused = true)]
async fn no_task_can_be_held_during_an_exit() {
    let tasks = manager([sleeper("a", Policy { concurrency: Some(1), ..Policy::default() })], Settings::default());
    let [_, second] = [10, 10].map(|seconds| tasks.start("a", seconds).unwrap());
    let finish = lost::finish(&tasks.engine);
    tokio::pin!(finish);
    assert!(futures_util::poll!(&mut finish).is_pending());
    let error = tasks.pause(second.id()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ShuttingDown);
    assert!(!second.snapshot().queue.unwrap().held);
    finish.await;
    assert!(second.outcome().await.output::<u64>().unwrap().is_some());
}

/// Kinds for each limit: `alone` has one of its own, `together` and `with` share a group, `free` and `other` have none.
fn limited() -> TaskManager {
    let grouped = || Policy { group: Some("disk".into()), ..Policy::default() };
    let kinds = [
        sleeper("alone", Policy { concurrency: Some(1), ..Policy::default() }),
        sleeper("together", grouped()),
        sleeper("with", grouped()),
        sleeper("free", Policy::default()),
        sleeper("other", Policy::default()),
        sleeper("service", Policy { restart: Some(crate::Restart::always()), ..Policy::default() }),
        sleeper("left alone", on_exit(OnExit::Drop)),
        sleeper("left together", Policy { group: Some("disk".into()), ..on_exit(OnExit::Drop) }),
    ];
    manager(kinds, Settings { groups: vec![("disk".into(), 1)], ..Settings::default() })
}

/// Each limit, with a kind that it applies to.
fn limits() -> [(LimitOf, &'static str); 3] {
    [(LimitOf::App, "free"), (LimitOf::Task("alone".into()), "alone"), (LimitOf::Group("disk".into()), "together")]
}

fn was_shut_down(task: &TaskHandle) -> bool {
    (task.status(), task.snapshot().cancel_reason) == (TaskStatus::Cancelled, Some(CancelReason::Shutdown))
}

#[tokio::test(start_paused = true)]
async fn waiting_for_all_tasks_cancels_those_with_a_limit_of_0_at_once() {
    for (limit, kind) in limits() {
        let tasks = limited();
        let running = tasks.start(kind, 100).unwrap();
        begun().await;
        tasks.set_limit(limit.clone(), Some(0)).unwrap();
        let queued = tasks.start_with(kind, 1, StartOptions::new().key("k", OnConflict::Refuse)).unwrap();
        let behind = tasks.start_with(kind, 1, StartOptions::new().key("k", OnConflict::Append)).unwrap();
        let finish = lost::finish(&tasks.engine);
        tokio::pin!(finish);
        assert!(futures_util::poll!(&mut finish).is_pending());
        assert!(was_shut_down(&queued) && was_shut_down(&behind), "{limit:?}");
        finish.await;
        assert_eq!(running.status(), TaskStatus::Completed, "{limit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_all_tasks_cancels_spawned_work_that_the_limit_of_the_app_keeps_out() {
    let tasks = limited();
    tasks.set_limit(LimitOf::App, Some(0)).unwrap();
    let spawned = tasks.spawn("work", async |_: TaskContext| Ok::<_, Failure>(())).untyped();
    lost::finish(&tasks.engine).await;
    assert!(was_shut_down(&spawned));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_all_tasks_cancels_the_members_of_a_batch_that_runs_none_of_them() {
    let tasks = limited();
    let batch = tasks.batch("free", [1, 2], BatchOptions::new().concurrency(0)).unwrap();
    begun().await;
    lost::finish(&tasks.engine).await;
    assert!(batch.members().iter().all(was_shut_down));
    assert!(batch.status().is_final());
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_lowered_to_0_while_all_tasks_are_waited_for_cancels_those_that_wait() {
    for (limit, kind) in limits() {
        let tasks = limited();
        tasks.set_limit(limit.clone(), Some(1)).unwrap();
        let [running, waiting, late] = [100; 3].map(|seconds| tasks.start(kind, seconds).unwrap());
        begun().await;
        let engine = Arc::clone(&tasks.engine);
        let finish = tokio::spawn(async move { lost::finish(&engine).await });
        // One slot more lets one of them run, and no slot at all none of the others.
        sleep(secs(10)).await;
        tasks.set_limit(limit.clone(), Some(2)).unwrap();
        begun().await;
        tasks.set_limit(limit.clone(), Some(0)).unwrap();
        sleep(secs(2)).await;
        assert!(was_shut_down(&late), "{limit:?}");
        tasks.set_limit(limit.clone(), Some(9)).unwrap();
        finish.await.unwrap();
        assert_eq!([running.status(), waiting.status()], [TaskStatus::Completed; 2], "{limit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_all_tasks_cancels_one_between_two_attempts_if_its_limit_is_0() {
    let (tasks, task) = between_attempts().await;
    tasks.set_limit(LimitOf::Task("a".into()), Some(0)).unwrap();
    assert_eq!(task.status(), TaskStatus::Retrying);
    lost::finish(&tasks.engine).await;
    assert!(was_shut_down(&task));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_all_tasks_cancels_those_that_wait_for_the_slot_of_a_service() {
    let tasks = limited();
    tasks.set_limit(LimitOf::App, Some(1)).unwrap();
    let running = tasks.start("free", 100).unwrap();
    begun().await;
    // The service comes first, so nothing runs after it.
    let service = tasks.start("service", 1_000_000).unwrap();
    let waiting = tasks.start("other", 1).unwrap();
    let asked = Instant::now();
    lost::finish(&tasks.engine).await;
    assert!(asked.elapsed() < secs(102), "{:?}", asked.elapsed());
    assert_eq!((running.status(), service.status()), (TaskStatus::Completed, TaskStatus::Running));
    assert!(was_shut_down(&waiting));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_all_tasks_cancels_those_that_wait_for_the_slot_of_a_task_that_is_left_alone() {
    for (limit, left_alone, kind) in
        [(LimitOf::App, "left alone", "free"), (LimitOf::Group("disk".into()), "left together", "with")]
    {
        let tasks = limited();
        tasks.set_limit(limit.clone(), Some(2)).unwrap();
        // One of them runs, and the other one takes the slot of the work before it.
        let [first, work, second, waiting] = [(left_alone, 1_000_000), (kind, 100), (left_alone, 1_000_000), (kind, 1)]
            .map(|(kind, seconds)| tasks.start(kind, seconds).unwrap());
        begun().await;
        let asked = Instant::now();
        lost::finish(&tasks.engine).await;
        assert!(asked.elapsed() < secs(102), "{limit:?}: {:?}", asked.elapsed());
        assert_eq!(work.status(), TaskStatus::Completed, "{limit:?}");
        assert_eq!([first.status(), second.status()], [TaskStatus::Running; 2], "{limit:?}");
        assert!(was_shut_down(&waiting), "{limit:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The model: what a slot may come for completes, everything else is cancelled, and the wait ends with the work.
    #[test]
    fn waiting_for_all_tasks_ends_whatever_the_limits_are(
        app in prop::option::weighted(0.5, 0_usize..3),
        own in prop::option::weighted(0.5, 0_usize..3),
        group in 0_usize..3,
        lasting in prop::sample::select(vec![None, Some("service"), Some("left alone")]),
        works in prop::collection::vec(prop::sample::select(vec!["alone", "together", "with", "free"]), 1..12),
    ) {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let tasks = limited();
            tasks.set_limit(LimitOf::App, app).unwrap();
            tasks.set_limit(LimitOf::Task("alone".into()), own).unwrap();
            tasks.set_limit(LimitOf::Group("disk".into()), Some(group)).unwrap();
            if let Some(kind) = lasting {
                tasks.start(kind, 1_000_000).unwrap();
            }
            begun().await;
            let started: Vec<_> = works.iter().map(|kind| (*kind, tasks.start(*kind, 10).unwrap())).collect();
            let asked = Instant::now();
            lost::finish(&tasks.engine).await;
            prop_assert!(asked.elapsed() <= secs(10 * works.len() as u64 + 1), "{:?}", asked.elapsed());
            for (kind, task) in started {
                let own_is_open = match kind {
                    "alone" => own != Some(0),
                    "free" => true,
                    _ => group > 0,
                };
                let app_is_open = app.is_none_or(|limit| limit > usize::from(lasting.is_some()));
                let end = if own_is_open && app_is_open { TaskStatus::Completed } else { TaskStatus::Cancelled };
                prop_assert_eq!(task.status(), end, "{}", kind);
            }
            Ok(())
        })?;
    }
}

/// A manager of a kind whose handler exceeds its grace period and whose clean-up takes a second.
fn overstayer(policy: Policy) -> (TaskManager, Arc<AtomicU32>) {
    let cleaned = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&cleaned);
    let kind = Kind::new("a", policy, Errors::default(), move |ctx: TaskContext, (): ()| {
        let cleaned = Arc::clone(&counted);
        async move {
            ctx.on_cancel(async move {
                sleep(secs(1)).await;
                cleaned.fetch_add(1, SeqCst);
            });
            ctx.cancelled().await;
            std::future::pending::<Result<(), Failure>>().await
        }
    });
    (manager([kind], Settings::default()), cleaned)
}

#[tokio::test(start_paused = true)]
async fn clean_up_has_time_at_an_exit_even_if_the_handler_exceeds_its_grace_period() {
    for (way, grace) in [(OnExit::Cancel, 30), (OnExit::Finish, 30), (OnExit::Finish, 5), (OnExit::Cancel, 5)] {
        let (tasks, cleaned) = overstayer(Policy { grace: secs(grace), ..on_exit(way) });
        let task = tasks.start("a", ()).unwrap();
        begun().await;
        assert!(tasks.shut_down(GRACE).await.is_empty(), "{way:?}, {grace} s");
        assert_eq!((cleaned.load(SeqCst), task.status()), (1, TaskStatus::Cancelled));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_retried_during_an_exit() {
    let again = Policy { retry: Some(Retry::attempts(9)), ..on_exit(OnExit::Finish) };
    let fails = Kind::new("a", again, Errors::default(), async |_: TaskContext, (): ()| {
        sleep(secs(1)).await;
        Err::<(), _>(Failure::new("no"))
    });
    let tasks = manager([fails], Settings::default());
    let task = tasks.start("a", ()).unwrap();
    begun().await;
    let asked = Instant::now();
    assert!(tasks.shut_down(GRACE).await.is_empty());
    assert!(asked.elapsed() <= secs(1));
    assert_eq!((task.status(), task.snapshot().attempt), (TaskStatus::Failed, 1));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_returns_when_told_to_stop_is_not_restarted() {
    let policy = Policy { restart: Some(crate::Restart::always()), ..Policy::default() };
    let kind = Kind::new("a", policy, Errors::default(), async |ctx: TaskContext, (): ()| {
        ctx.cancelled().await;
        sleep(secs(1)).await;
        Ok::<_, Failure>(())
    });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("a", ()).unwrap();
    begun().await;
    assert!(tasks.shut_down(GRACE).await.is_empty());
    assert_eq!((task.status(), task.snapshot().attempt), (TaskStatus::Completed, 1));
}

#[tokio::test(start_paused = true)]
async fn an_endless_grace_period_does_not_overflow() {
    let tasks = each_way();
    tasks.start("Cancel", 1_000).unwrap();
    begun().await;
    assert!(tasks.shut_down(Duration::MAX).await.is_empty());
}

#[derive(Debug, Clone, Copy)]
struct Work {
    way: OnExit,
    /// How long the work takes if it is not stopped.
    seconds: u64,
    /// How long its clean-up takes.
    clean_up: u64,
    /// Whether it uses its token, so that it may go on for its grace period.
    lingers: bool,
}

fn work() -> impl Strategy<Value = Work> {
    let way = prop_oneof![Just(OnExit::Cancel), Just(OnExit::Finish), Just(OnExit::Drop)];
    (way, 0..30_u64, 0..8_u64, any::<bool>()).prop_map(|(way, seconds, clean_up, lingers)| Work {
        way,
        seconds,
        clean_up,
        lingers,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn an_exit_is_bounded_cleans_up_and_ends_all_that_can_end(
        all in prop::collection::vec(work(), 0..12),
        grace in 1..20_u64,
        concurrency in prop::option::of(1..4_usize),
    ) {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let cleaned = Arc::new(AtomicU32::new(0));
            let kinds = [OnExit::Cancel, OnExit::Finish, OnExit::Drop].map(|way| {
                let cleaned = Arc::clone(&cleaned);
                let policy = Policy { grace: secs(2), ..on_exit(way) };
                Kind::new(format!("{way:?}"), policy, Errors::default(), move |ctx: TaskContext, input: (u64, u64, bool)| {
                    let cleaned = Arc::clone(&cleaned);
                    async move {
                        let (seconds, clean_up, lingers) = input;
                        ctx.on_cancel(async move {
                            sleep(secs(clean_up)).await;
                            cleaned.fetch_add(1, SeqCst);
                        });
                        sleep(secs(seconds)).await;
                        if lingers {
                            ctx.cancelled().await;
                            sleep(secs(1)).await;
                        }
                        Ok::<_, Failure>(())
                    }
                })
            });
            let tasks = manager(kinds, Settings { concurrency, ..Settings::default() });
            let handles: Vec<_> = all.iter()
                .map(|work| tasks.start(&format!("{:?}", work.way), (work.seconds, work.clean_up, work.lingers)).unwrap())
                .collect();
            begun().await;
            let before: Vec<_> = handles.iter().map(crate::TaskHandle::status).collect();
            let asked = Instant::now();
            let left = tasks.shut_down(secs(grace)).await;
            let took = asked.elapsed();
            prop_assert!(took <= secs(grace), "{took:?}");
            // Exactly the tasks that were awaited and did not end are reported.
            for ((handle, work), before) in handles.iter().zip(&all).zip(before.iter().copied()) {
                let alone = work.way == OnExit::Drop && before == TaskStatus::Running;
                let status = handle.status();
                let is_left = left.iter().any(|task| task.id == handle.id());
                prop_assert_eq!(is_left, !alone && !status.is_final(), "{:?} is {:?}", work, status);
                if before == TaskStatus::Queued {
                    prop_assert_eq!(status, TaskStatus::Cancelled);
                }
                // The handler gets a second, and the clean-up the rest of its 2 seconds, all within 4.
                if work.way == OnExit::Cancel && grace >= 4 {
                    prop_assert!(status.is_final(), "{:?}", work);
                }
                if work.way == OnExit::Finish && !work.lingers && before == TaskStatus::Running {
                    let free = secs(grace).saturating_sub(secs(4).min(secs(grace) / 2));
                    prop_assert_eq!(status == TaskStatus::Completed, secs(work.seconds) <= free, "{:?} of {:?}", work, free);
                }
            }
            let surely_cleaned = handles.iter().zip(&all).zip(&before).filter(|((handle, work), before)| {
                work.clean_up == 0 && **before == TaskStatus::Running && handle.status() == TaskStatus::Cancelled
            });
            prop_assert!(surely_cleaned.count() <= cleaned.load(SeqCst) as usize, "stopped work is cleaned up");
            // All work that can end does so within the exit's grace period.
            if left.is_empty() && all.iter().all(|work| work.way != OnExit::Drop) {
                prop_assert!(lost::is_idle(&tasks.engine));
            }
            Ok(())
        })?;
    }
}
