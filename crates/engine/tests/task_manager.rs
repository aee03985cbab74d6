//! Tasks started from Rust, on tokio alone and in paused time.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use support::manager;
use tauri_plugin_tasks_engine::{
    CancelReason, ErrorKind, Failure, FailureKind, Never, Outcome, TaskChange, TaskContext, TaskEvent, TaskFilter,
    TaskHandle, TaskId, TaskManager, TaskStatus, test::log::Log,
};
use tokio::time::{Instant, sleep};

type Nothing = Result<(), Failure>;

#[tokio::test(start_paused = true)]
async fn a_task_runs_to_its_outcome_and_keeps_it() {
    let tasks = manager();
    let task = tasks.spawn("add", async |_: TaskContext| Ok::<_, Failure>(2 + 3));
    assert_eq!(task.outcome().await.output::<u32>().unwrap(), Some(5));
    assert_eq!(task.outcome().await.output::<u32>().unwrap(), Some(5), "reading the outcome doesn't consume it");
    let again = tasks.handle(task.id()).unwrap();
    assert_eq!(again.status(), TaskStatus::Completed);
    let snapshot = again.snapshot();
    assert_eq!((snapshot.task.as_str(), snapshot.attempt, snapshot.owner), ("add", 1, None));
    assert!(snapshot.started_at.is_some() && snapshot.ended_at.is_some());
}

#[tokio::test(start_paused = true)]
async fn work_outlives_the_code_that_started_it() {
    let tasks = manager();
    let done = Arc::new(AtomicBool::new(false));
    let id = {
        let done = Arc::clone(&done);
        tasks
            .spawn("sync", async move |_: TaskContext| -> Nothing {
                sleep(Duration::from_secs(300)).await;
                done.store(true, SeqCst);
                Ok(())
            })
            .id()
    };
    assert_eq!(tasks.handle(id).unwrap().outcome().await.output::<()>().unwrap(), Some(()));
    assert!(done.load(SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_task_is_found_by_id_and_listed_by_name_and_status() {
    let tasks = manager();
    let slow = tasks.spawn("slow", async |_: TaskContext| -> Nothing {
        sleep(Duration::from_secs(60)).await;
        Ok(())
    });
    let quick = tasks.spawn("quick", async |_: TaskContext| -> Nothing { Ok(()) });
    quick.outcome().await;
    assert_eq!(tasks.get(slow.id()).unwrap().status, TaskStatus::Running);
    let names = |filter: TaskFilter| tasks.list(&filter).into_iter().map(|task| task.task).collect::<Vec<_>>();
    assert_eq!(names(TaskFilter::default()), ["slow", "quick"], "oldest first");
    assert_eq!(names(TaskFilter::default().status(TaskStatus::Completed)), ["quick"]);
    assert_eq!(names(TaskFilter::default().task("slow")), ["slow"]);
    assert_eq!(tasks.get(TaskId::new()).unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_drops_work_without_a_token_at_its_await() {
    struct Cleanup(Arc<AtomicBool>);
    impl Drop for Cleanup {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    let tasks = manager();
    let cleaned = Arc::new(AtomicBool::new(false));
    let cleanup = Cleanup(Arc::clone(&cleaned));
    let task = tasks.spawn("hang", async move |_: TaskContext| -> Nothing {
        let _cleanup = cleanup;
        std::future::pending().await
    });
    tokio::task::yield_now().await;
    let before = Instant::now();
    task.cancel().unwrap();
    assert_eq!(task.status(), TaskStatus::Cancelling);
    assert!(support::is_cancelled(&task.outcome().await, CancelReason::User));
    assert_eq!(before.elapsed(), Duration::ZERO, "at once");
    assert!(cleaned.load(SeqCst), "its values were dropped before its end was announced");
}

#[tokio::test(start_paused = true)]
async fn work_that_polls_its_token_ends_by_itself() {
    let tasks = manager();
    let rounds = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&rounds);
    let task = tasks.spawn("poll", async move |ctx: TaskContext| {
        while !ctx.is_cancelled() {
            sleep(Duration::from_millis(10)).await;
            counted.fetch_add(1, SeqCst);
        }
        Err::<(), _>(Failure::new("stopped"))
    });
    sleep(Duration::from_millis(55)).await;
    assert_eq!(task.cancel_with("ownerClosed").unwrap_err().kind, ErrorKind::InvalidOptions);
    assert_eq!(task.status(), TaskStatus::Running, "it was refused");
    task.cancel_with("the disk is full").unwrap();
    assert!(
        support::is_cancelled(&task.outcome().await, CancelReason::Other("the disk is full".into())),
        "an error after a cancel counts as cancelled"
    );
    assert_eq!(rounds.load(SeqCst), 6, "it finished the round it was in");
}

#[tokio::test(start_paused = true)]
async fn an_output_returned_after_a_cancel_counts() {
    let tasks = manager();
    let task = tasks.spawn("save", async |ctx: TaskContext| {
        ctx.cancelled().await;
        sleep(Duration::from_secs(1)).await;
        Ok::<_, Failure>("saved what there was")
    });
    tokio::task::yield_now().await;
    task.cancel().unwrap();
    task.cancel().unwrap();
    assert_eq!(task.outcome().await.output::<String>().unwrap().unwrap(), "saved what there was");
}

#[tokio::test(start_paused = true)]
async fn a_handler_is_dropped_after_its_grace_period() {
    let tasks = manager();
    let task = tasks.spawn("ignore", async |ctx: TaskContext| -> Nothing {
        let _token = ctx.token();
        std::future::pending().await
    });
    tokio::task::yield_now().await;
    let before = Instant::now();
    task.cancel().unwrap();
    assert!(support::is_cancelled(&task.outcome().await, CancelReason::User));
    assert_eq!(before.elapsed(), Duration::from_secs(5));
    assert!(!task.snapshot().overdue);
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_only_its_own_task() {
    let tasks = manager();
    let other = tasks.spawn("other", async |_: TaskContext| {
        sleep(Duration::from_secs(1)).await;
        Ok::<_, Failure>(1)
    });
    let panics = tasks.spawn("panics", async |_: TaskContext| -> Nothing { panic!("index {} is missing", 7) });
    let Outcome::Failed(failure) = panics.outcome().await else { panic!("a panic fails its task") };
    assert_eq!(failure.kind, FailureKind::Panic);
    assert_eq!(failure.message, "task \"panics\" panicked: index 7 is missing");
    assert_eq!(other.outcome().await.output::<u32>().unwrap(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_the_first_await_and_one_in_a_drop_are_caught_too() {
    struct PanicsOnDrop;
    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("not even this");
        }
    }
    let tasks = manager();
    let early = tasks.spawn("early", |_: TaskContext| -> std::future::Ready<Nothing> { panic!("before anything") });
    assert!(matches!(early.outcome().await, Outcome::Failed(failure) if failure.kind == FailureKind::Panic));
    let late = tasks.spawn("late", async |_: TaskContext| -> Nothing {
        let _bomb = PanicsOnDrop;
        std::future::pending().await
    });
    tokio::task::yield_now().await;
    late.cancel().unwrap();
    assert!(support::is_cancelled(&late.outcome().await, CancelReason::User));
}

#[tokio::test(start_paused = true)]
async fn an_output_that_is_not_json_fails_the_task() {
    let tasks = manager();
    let task =
        tasks.spawn("odd", async |_: TaskContext| Ok::<_, Failure>(std::collections::HashMap::from([((1, 2), 3)])));
    let Outcome::Failed(failure) = task.outcome().await else { panic!() };
    assert_eq!(failure.kind, FailureKind::Unserializable);
    assert!(failure.message.contains("the output of task \"odd\""), "{}", failure.message);
}

#[tokio::test(start_paused = true)]
async fn only_an_ended_task_can_be_removed() {
    let tasks = manager();
    let task = tasks.spawn("slow", async |_: TaskContext| -> Nothing {
        sleep(Duration::from_secs(1)).await;
        Ok(())
    });
    assert_eq!(tasks.remove(task.id()).unwrap_err().kind, ErrorKind::NotEnded);
    task.outcome().await;
    tokio::task::yield_now().await;
    let error = tasks.cancel(task.id()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyEnded);
    assert!(error.message.contains("already completed"), "{error}");
    tasks.remove(task.id()).unwrap();
    assert_eq!(tasks.get(task.id()).unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(task.outcome().await.output::<()>().unwrap(), Some(()), "a handle still reads it");
}

#[tokio::test(start_paused = true)]
async fn ended_tasks_are_kept_by_number_and_age() {
    let tasks = manager();
    for _ in 0..1_100 {
        tasks.spawn("many", async |_: TaskContext| -> Nothing { Ok(()) }).outcome().await;
    }
    tokio::task::yield_now().await;
    assert_eq!(tasks.list(&TaskFilter::default()).len(), 1_000);
    sleep(Duration::from_secs(2 * 60 * 60)).await;
    tasks.spawn("one", async |_: TaskContext| -> Nothing { Ok(()) }).outcome().await;
    tokio::task::yield_now().await;
    assert_eq!(tasks.list(&TaskFilter::default()).len(), 1, "the older ones are gone");
}

fn failing(log: &Log) -> (TaskManager, impl Fn() -> TaskHandle<(), Failure, (), Never>) {
    let tasks = manager();
    let spawner = tasks.clone();
    assert_eq!(log.count("nobody was watching"), 0);
    (tasks, move || spawner.spawn("fails", async |_: TaskContext| Err::<(), _>(Failure::new("disk full"))))
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_nobody_watches_is_logged_exactly_once() {
    let log = Log::capture();
    let (tasks, fails) = failing(&log);
    let id = fails().id();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(log.count("nobody was watching: disk full"), 1, "{log:?}");
    // A later handle can read it, and it is not logged again.
    assert!(matches!(tasks.handle(id).unwrap().outcome().await, Outcome::Failed(_)));
    drop(tasks.handle(id).unwrap());
    assert_eq!(log.count("disk full"), 1, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_was_seen_is_not_logged() {
    let log = Log::capture();
    let (_, fails) = failing(&log);
    fails().outcome().await;
    let mut watch = fails().watch();
    while watch.next().await.is_some() {}
    drop(watch);
    assert_eq!(log.count("disk full"), 0, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_logged_when_the_last_watcher_leaves_without_having_seen_it() {
    let log = Log::capture();
    let (_, fails) = failing(&log);
    let task = fails();
    let watch = task.watch();
    sleep(Duration::from_secs(1)).await;
    drop(task);
    assert_eq!(log.count("disk full"), 0, "the watch may still report it");
    drop(watch);
    assert_eq!(log.count("disk full"), 1, "{log:?}");
}

#[tokio::test]
async fn a_panic_that_a_later_cancel_hides_is_logged() {
    let log = Log::capture();
    let tasks = manager();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (panics, about_to_panic) = tokio::sync::oneshot::channel();
    let task = tasks.spawn("panics", async move |ctx: TaskContext| -> Nothing {
        let (started, has_started) = tokio::sync::oneshot::channel();
        let left = ctx.spawn_blocking(move |_| {
            let _ = started.send(());
            let _ = released.recv();
        });
        has_started.await?;
        drop(left);
        let _ = panics.send(());
        panic!("halfway")
    });
    // The handler has ended, but its task waits for the blocking work, which ignores its token.
    about_to_panic.await.unwrap();
    tokio::task::yield_now().await;
    task.cancel().unwrap();
    drop(release);
    assert!(support::is_cancelled(&task.outcome().await, CancelReason::User));
    assert_eq!(log.count("halfway (after it was told to stop)"), 1, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_log_subscriber_may_list_tasks() {
    use tracing_subscriber::{Layer, layer::SubscriberExt};
    struct Asks(tauri_plugin_tasks_engine::TaskManager, Arc<AtomicUsize>);
    impl<S: tracing::Subscriber> Layer<S> for Asks {
        fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
            self.1.fetch_add(self.0.list(&TaskFilter::default()).len(), SeqCst);
        }
    }
    let tasks = manager();
    let seen = Arc::<AtomicUsize>::default();
    let subscriber = tracing_subscriber::registry().with(Asks(tasks.clone(), Arc::clone(&seen)));
    let _guard = tracing::subscriber::set_default(subscriber);
    drop(tasks.spawn("fails", async |_: TaskContext| Err::<(), _>(Failure::new("no"))));
    sleep(Duration::from_secs(1)).await;
    let watched = tasks.spawn("fails", async |_: TaskContext| Err::<(), _>(Failure::new("no")));
    sleep(Duration::from_secs(1)).await;
    drop(watched);
    assert!(seen.load(SeqCst) >= 3, "the subscriber listed tasks");
}

#[tokio::test(start_paused = true)]
async fn tasks_removed_as_they_end_push_out_no_others() {
    let tasks = manager();
    let kept = tasks.spawn("kept", async |_: TaskContext| -> Nothing { Ok(()) });
    kept.outcome().await;
    for _ in 0..3_000 {
        let task = tasks.spawn("gone", async |_: TaskContext| -> Nothing { Ok(()) });
        task.outcome().await;
        tasks.remove(task.id()).unwrap();
    }
    tokio::task::yield_now().await;
    assert!(tasks.get(kept.id()).is_ok());
}

/// Uses real threads: the writer never pauses, and its last value must arrive.
#[test]
fn the_last_report_arrives_however_fast_reports_come() {
    const LAST: u64 = 300_000;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        for _ in 0..10 {
            let tasks = manager();
            let task = tasks.spawn("hot", async |ctx: TaskContext| -> Nothing {
                let reporter = ctx.clone();
                ctx.spawn_blocking(move |_| (0..LAST).for_each(|_| _ = reporter.progress().inc(1))).await;
                std::future::pending().await
            });
            let mut watch = task.watch();
            let mut told = watch.snapshot().progress.completed;
            while told < LAST {
                let next = tokio::time::timeout(Duration::from_secs(20), watch.next());
                if let Some(TaskEvent { change: TaskChange::Progress(progress), .. }) = next.await.unwrap() {
                    told = progress.completed;
                }
            }
            task.cancel().unwrap();
        }
    });
}
