//! Cancelling: reasons, grace periods, clean-up, and work that can't be stopped.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    task::{self, Poll},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    task::yield_now,
    time::{advance, sleep, timeout},
};

use super::{manager, observe::Log};
use crate::{
    Backoff, CancelReason, ErrorKind, Failure, Outcome, Retry, TaskChange, TaskContext, TaskFilter, TaskHandle,
    TaskManager, TaskStatus,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The events of a test, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<&'static str>>>);

impl Diary {
    fn note(&self, what: &'static str) {
        self.0.lock().push(what);
    }

    fn notes(&self) -> Vec<&'static str> {
        self.0.lock().clone()
    }
}

/// Adds a note to the diary when it is dropped.
struct Noted(Diary, &'static str);

impl Drop for Noted {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("not even this");
    }
}

/// A policy with a grace period of two seconds.
fn brief() -> Policy {
    Policy { grace: secs(2), ..Policy::default() }
}

/// How a handler is stopped: by a cancel or by a time limit.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Cancel,
    Timeout,
}

/// Returns a manager of one kind, `a`, with a grace period of two seconds. Its time limit, if any, is a minute.
fn only<F, Fut>(by: By, handler: F) -> TaskManager
where
    F: Fn(TaskContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let policy = Policy { timeout: (by == By::Timeout).then_some(secs(60)), ..brief() };
    let kind = Kind::new("a", policy, Errors::default(), move |ctx: TaskContext, (): ()| handler(ctx));
    manager([kind], Settings::default())
}

/// Lets a task run for a minute and stops it. Returns the task, and how many milliseconds it took to end.
async fn stopped(tasks: &TaskManager, by: By) -> (TaskHandle, u64) {
    let task = tasks.start("a", ()).unwrap();
    sleep(secs(60)).await;
    if by == By::Cancel {
        task.cancel().unwrap();
    }
    let outcome = task.outcome().await;
    match by {
        By::Cancel => assert!(matches!(outcome, Outcome::Cancelled { reason: CancelReason::User })),
        By::Timeout => assert!(matches!(outcome, Outcome::TimedOut { .. })),
    }
    let ended_at = task.snapshot().ended_at.unwrap();
    (task, ended_at - 60_000)
}

// Reasons.

#[tokio::test(start_paused = true)]
async fn the_first_reason_is_kept() {
    use CancelReason::{Other, OwnerClosed, Parent, Replaced, Shutdown, Signal, User};
    use TaskStatus::{Cancelled, Cancelling, Running};
    for reason in [User, Signal, OwnerClosed, Shutdown, Parent, Replaced, Other("the disk is full".into())] {
        let tasks = only(By::Cancel, async |ctx| {
            let _token = ctx.token();
            std::future::pending().await
        });
        let task = tasks.start("a", ()).unwrap();
        let mut watch = task.watch();
        sleep(secs(1)).await;
        let record = tasks.engine.find(task.id()).unwrap();
        tasks.engine.cancel(&record, reason.clone()).unwrap();
        task.cancel_with(if reason == User { "enough" } else { "user" }).unwrap();
        assert_eq!(task.snapshot().cancel_reason, Some(reason.clone()));
        let mut told = Vec::new();
        while let Some(event) = watch.next().await {
            if let TaskChange::Status(change) = event.change {
                told.push((change.status, change.cancel_reason));
            }
        }
        assert_eq!(told, [(Running, None), (Cancelling, Some(reason.clone())), (Cancelled, Some(reason.clone()))]);
        assert_eq!(task.outcome().await, Outcome::Cancelled { reason });
        assert_eq!(task.cancel().unwrap_err().kind, ErrorKind::AlreadyEnded);
    }
}

// Tokens, grace periods, drops.

#[tokio::test(start_paused = true)]
async fn a_handler_gets_its_grace_period_only_if_it_uses_its_token() {
    let looks: [fn(&TaskContext) -> bool; 3] = [|_| false, |ctx| ctx.token().is_cancelled(), TaskContext::is_cancelled];
    for by in [By::Cancel, By::Timeout] {
        for (look, expected) in looks.into_iter().zip([0, 2_000, 2_000]) {
            let diary = Diary::default();
            let noted = diary.clone();
            let tasks = only(by, move |ctx| {
                let dropped = Noted(noted.clone(), "dropped");
                async move {
                    let _dropped = dropped;
                    assert!(!look(&ctx));
                    std::future::pending().await
                }
            });
            let (task, took) = stopped(&tasks, by).await;
            assert_eq!((took, diary.notes(), task.snapshot().overdue), (expected, vec!["dropped"], false));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_of_many_tasks_has_a_grace_period_of_its_own() {
    const GRACES: [u64; 6] = [9, 0, 2, 5, 1, 2];
    let kind = |grace: u64| {
        let policy = Policy { grace: secs(grace), ..Policy::default() };
        Kind::new(grace.to_string(), policy, Errors::default(), async |ctx: TaskContext, (): ()| {
            let _token = ctx.token();
            std::future::pending::<Result<(), Failure>>().await
        })
    };
    for pause in [0, 700, 1_000] {
        let tasks = manager(GRACES.map(kind), Settings::default());
        let mut cancelled = Vec::new();
        for (number, grace) in (0..).zip(GRACES.into_iter().cycle().take(60)) {
            let task = tasks.start(&grace.to_string(), ()).unwrap();
            sleep(Duration::from_millis(1)).await;
            task.cancel().unwrap();
            cancelled.push((task, number * (pause + 1) + 1 + grace * 1_000));
            sleep(Duration::from_millis(pause)).await;
        }
        for (task, end) in cancelled {
            task.outcome().await;
            let snapshot = task.snapshot();
            assert_eq!(
                (snapshot.ended_at, snapshot.overdue),
                (Some(end), false),
                "a grace period of {}",
                snapshot.task
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_waits_for_its_token_may_end_within_its_grace_period() {
    for by in [By::Cancel, By::Timeout] {
        let tasks = only(by, async |ctx| {
            ctx.cancelled().await;
            sleep(secs(1)).await;
            Err(Failure::new("stopped"))
        });
        assert_eq!(stopped(&tasks, by).await.1, 1_000);
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_cancelled_before_it_begins_never_calls_its_handler() {
    let called = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&called);
    let tasks = only(By::Cancel, move |_| {
        counted.fetch_add(1, SeqCst);
        std::future::pending()
    });
    let task = tasks.start("a", ()).unwrap();
    task.cancel().unwrap();
    assert_eq!(task.status(), TaskStatus::Cancelled);
    sleep(secs(60)).await;
    assert_eq!((called.load(SeqCst), task.snapshot().started_at), (0, None));
}

#[tokio::test(start_paused = true)]
async fn a_handler_can_cancel_its_own_task() {
    let own = Arc::new(Mutex::new(None::<TaskManager>));
    let manager = Arc::clone(&own);
    let tasks = only(By::Cancel, move |ctx| {
        let tasks = manager.lock().clone().unwrap();
        async move {
            tasks.cancel(ctx.id())?;
            std::future::pending().await
        }
    });
    *own.lock() = Some(tasks.clone());
    assert!(matches!(tasks.start("a", ()).unwrap().outcome().await, Outcome::Cancelled { .. }));
    own.lock().take();
}

// Clean-up.

#[tokio::test(start_paused = true)]
async fn clean_up_runs_in_reverse_order_after_the_handler_ends_and_before_the_task_does() {
    for by in [By::Cancel, By::Timeout] {
        let diary = Diary::default();
        let noted = diary.clone();
        let tasks = only(by, move |ctx| {
            let diary = noted.clone();
            async move {
                for what in ["first", "second"] {
                    let diary = diary.clone();
                    ctx.on_cancel(async move {
                        sleep(Duration::from_millis(500)).await;
                        diary.note(what);
                    });
                }
                let _dropped = Noted(diary, "dropped");
                std::future::pending().await
            }
        });
        let (_, took) = stopped(&tasks, by).await;
        diary.note("ended");
        assert_eq!((took, diary.notes()), (1_000, vec!["dropped", "second", "first", "ended"]));
    }
}

#[tokio::test(start_paused = true)]
async fn clean_up_runs_when_a_stopped_handler_returns_an_error() {
    let diary = Diary::default();
    let noted = diary.clone();
    let tasks = only(By::Cancel, move |ctx| {
        let diary = noted.clone();
        async move {
            let cleaning = diary.clone();
            ctx.on_cancel(async move { cleaning.note("cleaned") });
            ctx.cancelled().await;
            diary.note("stopped");
            Err(Failure::new("stopped"))
        }
    });
    stopped(&tasks, By::Cancel).await;
    assert_eq!(diary.notes(), ["stopped", "cleaned"]);
}

#[tokio::test(start_paused = true)]
async fn clean_up_does_not_run_unless_the_handler_was_stopped() {
    for how in ["completes", "fails", "panics", "completes despite a cancel"] {
        let diary = Diary::default();
        let noted = diary.clone();
        let tasks = only(By::Cancel, move |ctx| {
            let (cleaning, dropped) = (noted.clone(), Noted(noted.clone(), "dropped"));
            async move {
                ctx.on_cancel(async move {
                    cleaning.note("cleaned");
                    drop(dropped);
                });
                sleep(secs(1)).await;
                match how {
                    "completes" => Ok(()),
                    "fails" => Err(Failure::new("no")),
                    "panics" => panic!("as told"),
                    _ => {
                        ctx.cancelled().await;
                        Ok(())
                    }
                }
            }
        });
        let task = tasks.start("a", ()).unwrap();
        sleep(secs(2)).await;
        let _ = task.cancel();
        task.outcome().await;
        assert_ne!(task.status(), TaskStatus::Cancelled);
        assert_eq!(diary.notes(), ["dropped"], "{how}");
    }
}

#[tokio::test(start_paused = true)]
async fn clean_up_runs_only_for_its_own_attempt() {
    let diary = Diary::default();
    let noted = diary.clone();
    let policy = Policy { retry: Some(Retry::attempts(9).backoff(Backoff::exponential().jitter(false))), ..brief() };
    let kind = Kind::new("a", policy, Errors::default(), move |ctx: TaskContext, (): ()| {
        let diary = noted.clone();
        async move {
            let attempt = ["", "cleaned the first", "cleaned the second"][ctx.attempt() as usize];
            ctx.on_cancel(async move { diary.note(attempt) });
            if ctx.attempt() == 2 {
                return std::future::pending().await;
            }
            Err::<(), _>(Failure::new("no"))
        }
    });
    let tasks = manager([kind], Settings::default());
    let between = tasks.start("a", ()).unwrap();
    sleep(Duration::from_millis(500)).await;
    between.cancel().unwrap();
    sleep(secs(5)).await;
    assert_eq!(diary.notes(), [""; 0], "no clean-up ran when it was cancelled");
    stopped(&tasks, By::Cancel).await;
    assert_eq!(diary.notes(), ["cleaned the second"]);
}

#[tokio::test(start_paused = true)]
async fn clean_up_that_exceeds_the_grace_period_is_dropped_with_a_warning() {
    let (log, _guard) = Log::capture();
    let diary = Diary::default();
    let noted = diary.clone();
    let tasks = only(By::Cancel, move |ctx| {
        let dropped = Noted(noted.clone(), "dropped");
        async move {
            ctx.on_cancel(async move {
                let _dropped = dropped;
                std::future::pending::<()>().await;
            });
            std::future::pending().await
        }
    });
    assert_eq!(stopped(&tasks, By::Cancel).await.1, 2_000);
    assert_eq!(diary.notes(), ["dropped"]);
    assert_eq!(log.count("WARN"), 1, "{}", log.text());
    assert!(
        log.text().contains("took longer than its grace period and was dropped: see Task::grace"),
        "{}",
        log.text()
    );
}

#[tokio::test(start_paused = true)]
async fn clean_up_has_the_rest_of_the_grace_period_or_a_new_one_if_none_is_left() {
    for (needs, expected) in [(1_500, 2_000), (60_000, 4_000)] {
        let tasks = only(By::Cancel, move |ctx| async move {
            ctx.on_cancel(std::future::pending());
            ctx.cancelled().await;
            sleep(Duration::from_millis(needs)).await;
            Err(Failure::new("stopped"))
        });
        assert_eq!(stopped(&tasks, By::Cancel).await.1, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn clean_up_that_panics_is_logged_and_the_rest_still_runs() {
    let (log, _guard) = Log::capture();
    let diary = Diary::default();
    let noted = diary.clone();
    let tasks = only(By::Cancel, move |ctx| {
        let diary = noted.clone();
        async move {
            ctx.on_cancel(async move { diary.note("cleaned") });
            ctx.on_cancel(async { panic!("the disk is gone") });
            std::future::pending().await
        }
    });
    assert_eq!(stopped(&tasks, By::Cancel).await.1, 0);
    assert_eq!(diary.notes(), ["cleaned"]);
    assert_eq!(log.count("the disk is gone (in on_cancel)"), 1, "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn clean_up_that_panics_while_it_is_dropped_costs_no_slot() {
    for runs in [false, true] {
        let policy = Policy { concurrency: Some(1), ..brief() };
        let kind = Kind::new("a", policy, Errors::default(), move |ctx: TaskContext, bomb: bool| async move {
            if bomb {
                let bomb = PanicsOnDrop;
                ctx.on_cancel(async move {
                    let _bomb = bomb;
                    std::future::pending::<()>().await;
                });
                if runs {
                    std::future::pending::<()>().await;
                }
            }
            Ok::<_, Failure>(())
        });
        let tasks = manager([kind], Settings::default());
        let task = tasks.start("a", true).unwrap();
        sleep(secs(1)).await;
        let _ = task.cancel();
        let ended = timeout(secs(60), task.outcome()).await;
        assert!(ended.is_ok(), "it never ends: {:?}", task.snapshot());
        assert_eq!(tasks.start("a", false).unwrap().outcome().await.output::<()>().unwrap(), Some(()));
    }
}

#[tokio::test(start_paused = true)]
async fn clean_up_that_panics_when_it_is_dropped_after_it_has_run_costs_no_slot() {
    struct Bomb(#[allow(dead_code)] PanicsOnDrop);
    impl Future for Bomb {
        type Output = ();
        fn poll(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<()> {
            Poll::Ready(())
        }
    }
    let tasks = only(By::Cancel, async |ctx| {
        ctx.on_cancel(Bomb(PanicsOnDrop));
        std::future::pending().await
    });
    let task = tasks.start("a", ()).unwrap();
    sleep(secs(1)).await;
    task.cancel().unwrap();
    let ended = timeout(secs(60), task.outcome()).await;
    assert!(ended.is_ok(), "it never ends: {:?}", task.snapshot());
}

// Work that can't be stopped.

#[tokio::test(start_paused = true)]
async fn blocking_work_that_exceeds_the_grace_period_is_overdue_and_keeps_its_slot() {
    let (open, gate) = mpsc::channel::<()>();
    let (gate, begun) = (Mutex::new(Some(gate)), Arc::new(Notify::new()));
    let begins = Arc::clone(&begun);
    let policy = Policy { concurrency: Some(1), ..brief() };
    let kind = Kind::new("a", policy, Errors::default(), move |ctx: TaskContext, (): ()| {
        let (gate, begins) = (gate.lock().take(), Arc::clone(&begins));
        async move {
            let Some(gate) = gate else { return Ok::<_, Failure>(()) };
            ctx.spawn_blocking(move |_| {
                begins.notify_one();
                let _ = gate.recv();
            })
            .await;
            Ok(())
        }
    });
    let tasks = manager([kind], Settings::default());
    let (stuck, next) = (tasks.start("a", ()).unwrap(), tasks.start("a", ()).unwrap());
    begun.notified().await;
    stuck.cancel().unwrap();
    // While a thread is blocked, paused time advances only by `advance`.
    yield_now().await;
    advance(Duration::from_millis(1_900)).await;
    assert_eq!((stuck.status(), stuck.snapshot().overdue), (TaskStatus::Cancelling, false));
    let mut watch = stuck.watch();
    advance(Duration::from_millis(300)).await;
    let TaskChange::Status(change) = watch.next().await.unwrap().change else { panic!() };
    assert_eq!((change.status, change.overdue), (TaskStatus::Cancelling, true));
    advance(secs(600)).await;
    assert_eq!((stuck.status(), stuck.snapshot().overdue), (TaskStatus::Cancelling, true));
    assert_eq!(next.status(), TaskStatus::Queued, "it keeps its slot");
    drop(open);
    assert!(matches!(stuck.outcome().await, Outcome::Cancelled { reason: CancelReason::User }));
    assert!(!stuck.snapshot().overdue);
    assert_eq!(next.outcome().await.output::<()>().unwrap(), Some(()));
}

// Many at once.

/// Uses real threads: tasks leave their slots while the call goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_all_begins_no_waiting_task() {
    let (called, four) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counted, fourth) = (Arc::clone(&called), Arc::clone(&four));
    let policy = Policy { concurrency: Some(4), ..Policy::default() };
    let kind = Kind::new("a", policy, Errors::default(), move |_: TaskContext, (): ()| {
        if counted.fetch_add(1, SeqCst) == 3 {
            fourth.notify_one();
        }
        std::future::pending::<Result<(), Failure>>()
    });
    let tasks = manager([kind], Settings::default());
    let started: Vec<_> = (0..3_000).map(|_| tasks.start("a", ()).unwrap()).collect();
    four.notified().await;
    assert_eq!(tasks.cancel_all(&TaskFilter::default().task("a")), 3_000);
    for task in &started {
        assert!(matches!(task.outcome().await, Outcome::Cancelled { .. }));
    }
    assert_eq!(called.load(SeqCst), 4, "tasks that should have been cancelled began");
}
