//! Items that are not emitted: those that can't be delivered, and those that come when the task has to stop.

use std::{
    collections::HashMap,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use parking_lot::Mutex;
use serde::{Serialize, Serializer, ser::SerializeSeq};
use tokio::{
    join, select,
    sync::oneshot,
    task::{JoinHandle, yield_now},
    time::{Instant, sleep, timeout},
};

use super::{manager, observe::Log};
use crate::{
    Bytes, CancelReason, ErrorKind, Failure, FailureKind, Outcome, Restart, Retry, Stopped, TaskContext, TaskFailure,
    TaskHandle, TaskManager, TaskStatus, TimeLimit, Unread,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
    test::items::{all, rest, secs, settle, unread},
};

/// An item that serializes as its variant's name says.
enum Odd {
    Fine(u32),
    Unwritable,
    Panics,
    Long(usize),
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fine(number) => serializer.serialize_u32(*number),
            Self::Long(length) => serializer.serialize_str(&"x".repeat(*length)),
            // Something has been written already.
            Self::Unwritable | Self::Panics => {
                let mut items = serializer.serialize_seq(None)?;
                items.serialize_element(&"half of it")?;
                assert!(matches!(self, Self::Unwritable), "as told");
                Err(serde::ser::Error::custom("not today"))
            }
        }
    }
}

/// Counts how often it was dropped.
#[derive(Clone, Default)]
struct Drops(Arc<AtomicU32>);

struct CountsDrop(Drops);

impl Drops {
    fn guard(&self) -> CountsDrop {
        CountsDrop(self.clone())
    }

    fn count(&self) -> u32 {
        self.0.load(SeqCst)
    }
}

impl Drop for CountsDrop {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, SeqCst);
    }
}

/// Starts the only kind of a new manager, which emits numbers or odd items.
fn started<I, F, Fut>(policy: Policy, handler: F) -> (TaskManager, TaskHandle)
where
    I: 'static,
    F: Fn(TaskContext<(), I>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<u32, Failure>> + Send + 'static,
{
    let kind = Kind::new("odd", policy, Errors::default(), move |ctx: TaskContext<(), I>, (): ()| handler(ctx));
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("odd", ()).unwrap();
    (tasks, task)
}

async fn items(tasks: &TaskManager, task: &TaskHandle) -> Vec<u32> {
    rest(&tasks.engine.find(task.id()).unwrap(), "r", 1, None).await
}

async fn failure(task: &TaskHandle) -> TaskFailure {
    match timeout(secs(3_600), task.outcome()).await.expect("it never ends") {
        Outcome::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

fn is_undeliverable(failure: &TaskFailure) -> bool {
    failure.kind == FailureKind::Unserializable && failure.error.is_none() && failure.message.contains("not today")
}

async fn fill<D>(ctx: &TaskContext<D, u32>) {
    for number in 0..4 {
        ctx.emit(number).await;
    }
}

// Items that can't be delivered.

#[tokio::test(start_paused = true)]
async fn an_item_that_can_not_be_delivered_fails_the_task_at_the_emit() {
    let unwritable = || Odd::Unwritable;
    // With its quotes, the item is one byte too long.
    let long = || Odd::Long(999);
    for (item, says) in [(unwritable as fn() -> Odd, "not today; check its Serialize"), (long, "Task::item_buffer")] {
        let (drops, cleaned) = (Drops::default(), Drops::default());
        let (held, cleanup) = (drops.clone(), cleaned.clone());
        let (tasks, task) = started(unread(Unread::Wait), move |ctx| {
            let (guard, cleanup) = (held.guard(), cleanup.guard());
            async move {
                let _guard = guard;
                // Forgotten if it runs, and dropped if it doesn't.
                ctx.on_cancel(async move { std::mem::forget(cleanup) });
                ctx.emit(Odd::Fine(1)).await;
                ctx.emit(item()).await;
                ctx.emit(Odd::Fine(2)).await;
                Ok(3)
            }
        });
        assert_eq!(items(&tasks, &task).await, [1], "the earlier item is there");
        let failure = failure(&task).await;
        assert_eq!((failure.kind, failure.error), (FailureKind::Unserializable, None));
        assert!(failure.message.contains(says), "{}", failure.message);
        assert_eq!((drops.count(), cleaned.count()), (1, 1), "it was dropped, and its clean-up did not run");
    }
}

#[tokio::test(start_paused = true)]
async fn such_a_failure_is_not_retried_but_a_service_restarts() {
    let begun = Arc::<AtomicU32>::default();
    let bad = |begun: &Arc<AtomicU32>| {
        let begun = Arc::clone(begun);
        move |ctx: TaskContext<(), Odd>| {
            begun.fetch_add(1, SeqCst);
            async move {
                if ctx.attempt() < 3 {
                    ctx.emit(Odd::Unwritable).await;
                }
                Ok(7)
            }
        }
    };
    let retry = Policy { retry: Some(Retry::attempts(5)), ..unread(Unread::Wait) };
    let (_tasks, task) = started(retry, bad(&begun));
    assert!(is_undeliverable(&failure(&task).await));
    assert_eq!(begun.swap(0, SeqCst), 1);

    let restart = Policy { restart: Some(Restart::on_failure()), ..unread(Unread::Wait) };
    let (_tasks, task) = started(restart, bad(&begun));
    assert_eq!(task.outcome().await.output::<u32>().unwrap(), Some(7));
    assert_eq!(begun.load(SeqCst), 3, "and the failure of one attempt does not fail the next");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_returns_all_the_same_fails() {
    // The other branch is ready in the poll in which the item is refused.
    let (_tasks, task) = started(unread(Unread::Wait), async |ctx: TaskContext<(), Odd>| {
        select! {
            biased;
            () = ctx.emit(Odd::Unwritable) => Ok(1),
            () = std::future::ready(()) => Ok(2),
        }
    });
    assert!(is_undeliverable(&failure(&task).await));
    let (_tasks, task) = started(unread(Unread::Wait), async |ctx: TaskContext<(), Odd>| {
        let _ = timeout(Duration::ZERO, ctx.emit(Odd::Unwritable)).await;
        Err(Failure::new("its own error"))
    });
    assert!(is_undeliverable(&failure(&task).await));
}

#[tokio::test(start_paused = true)]
async fn the_other_parts_of_the_handler_end_with_it() {
    let drops = Drops::default();
    let held = drops.clone();
    let (_tasks, task) = started(unread(Unread::Wait), move |ctx: TaskContext<(), Odd>| {
        let guard = held.guard();
        async move {
            let other = async {
                let _guard = guard;
                pending::<()>().await;
            };
            join!(other, ctx.emit(Odd::Unwritable));
            Ok(1)
        }
    });
    assert!(is_undeliverable(&failure(&task).await));
    assert_eq!(drops.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn such_an_item_of_a_spawned_task_fails_the_handler_where_it_stands() {
    let (tell, returned) = oneshot::channel();
    let tell = Mutex::new(Some(tell));
    let (_tasks, task) = started(unread(Unread::Wait), move |ctx: TaskContext<(), Odd>| {
        let tell = tell.lock().take();
        async move {
            tokio::spawn(async move {
                sleep(secs(60)).await;
                ctx.emit(Odd::Unwritable).await;
                tell.unwrap().send(()).unwrap();
            });
            pending().await
        }
    });
    assert!(is_undeliverable(&failure(&task).await));
    timeout(secs(1), returned).await.expect("it waits for nothing").unwrap();
}

#[tokio::test]
async fn such_an_item_of_a_thread_fails_the_handler_and_the_thread_is_told() {
    let told = Arc::<Mutex<Option<Result<(), Stopped>>>>::default();
    let tell = Arc::clone(&told);
    let (_tasks, task) = started(unread(Unread::Wait), move |ctx: TaskContext<(), Odd>| {
        let tell = Arc::clone(&tell);
        async move {
            let on_thread = ctx.clone();
            ctx.spawn_blocking(move |_| *tell.lock() = Some(on_thread.blocking_emit(Odd::Unwritable))).await;
            Ok(1)
        }
    });
    assert!(is_undeliverable(&failure(&task).await));
    assert_eq!(*told.lock(), Some(Err(Stopped)));
}

#[tokio::test(start_paused = true)]
async fn such_an_item_of_a_leftover_or_a_clean_up_fails_nothing() {
    let (tell, left) = oneshot::channel();
    let tell = Mutex::new(Some(tell));
    let (_tasks, task) = started(unread(Unread::Wait), move |ctx: TaskContext<(), Odd>| {
        let _ = tell.lock().take().unwrap().send(ctx);
        async { Ok(1) }
    });
    let ctx = left.await.unwrap();
    assert_eq!(task.outcome().await.output::<u32>().unwrap(), Some(1));
    timeout(secs(1), ctx.emit(Odd::Unwritable)).await.expect("it waits for nothing");
    assert_eq!(task.status(), TaskStatus::Completed);

    let drops = Drops::default();
    let held = drops.clone();
    let (_tasks, task) = started(unread(Unread::Wait), move |ctx: TaskContext<(), Odd>| {
        let guard = held.guard();
        async move {
            let cleanup = ctx.clone();
            ctx.on_cancel(async move {
                cleanup.emit(Odd::Unwritable).await;
                cleanup.emit(Odd::Fine(1)).await;
                drop(guard);
            });
            pending().await
        }
    });
    settle().await;
    task.cancel().unwrap();
    let before = Instant::now();
    assert!(matches!(task.outcome().await, Outcome::Cancelled { .. }));
    assert_eq!((drops.count(), before.elapsed().as_secs()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn try_emit_says_why_an_item_can_not_be_delivered_and_fails_nothing() {
    let (tasks, task) = started(unread(Unread::Wait), async |ctx: TaskContext<(), Odd>| {
        ctx.try_emit(Odd::Fine(1)).await?;
        let error = ctx.try_emit(Odd::Unwritable).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unserializable);
        assert!(error.message.contains("not today") && error.message.contains("Serialize"), "{error}");
        let error = ctx.try_emit(Odd::Long(999)).await.unwrap_err();
        let data: HashMap<String, usize> = error.data.as_ref().unwrap().read().unwrap();
        assert_eq!((error.kind, data["size"], data["limit"]), (ErrorKind::TooLarge, 1_001, 1_000));
        assert!(error.message.contains("Task::item_buffer"), "{error}");
        ctx.try_emit(Odd::Fine(2)).await?;
        Ok(3)
    });
    assert_eq!(items(&tasks, &task).await, [1, 2]);
    assert_eq!(task.outcome().await.output::<u32>().unwrap(), Some(3));
}

#[tokio::test(start_paused = true)]
async fn an_item_as_large_as_the_buffer_is_taken_once_all_others_are_read() {
    let (_tasks, task) = started(unread(Unread::Wait), async |ctx: TaskContext<(), Odd>| {
        for item in [Odd::Fine(1), Odd::Long(998), Odd::Long(998), Odd::Fine(2)] {
            ctx.emit(item).await;
        }
        Ok(0)
    });
    let mut items = task.items();
    let mut lengths = Vec::new();
    while let Some(item) = timeout(secs(60), items.next()).await.expect("reader and handler wait for each other") {
        lengths.push(item.unwrap().text().len());
    }
    assert_eq!(lengths, [1, 1_000, 1_000, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_an_item_is_serialized_fails_only_its_task() {
    let kind =
        Kind::new("odd", unread(Unread::Wait), Errors::default(), async |ctx: TaskContext<(), Odd>, panics: bool| {
            ctx.emit(Odd::Fine(1)).await;
            if panics {
                ctx.emit(Odd::Panics).await;
            }
            ctx.emit(Odd::Fine(2)).await;
            Ok::<_, Failure>(())
        });
    let tasks = manager([kind], Settings::default());
    let failed = tasks.start("odd", true).unwrap();
    assert!(failure(&failed).await.message.contains("as told"));
    assert_eq!(items(&tasks, &failed).await, [1], "the earlier item is there");
    // This emits on the same thread.
    let fine = tasks.start("odd", false).unwrap();
    assert_eq!(items(&tasks, &fine).await, [1, 2]);
}

// A task that was told to stop.

/// Returns how the task ended, and after how many seconds.
async fn cancelled(task: &TaskHandle) -> (Outcome, u64) {
    settle().await;
    task.cancel().unwrap();
    let before = Instant::now();
    (task.outcome().await, before.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_waits_to_emit_is_dropped_when_it_has_to_stop() {
    for uses_token in [false, true] {
        let (drops, cleaned) = (Drops::default(), Drops::default());
        let (held, cleanup) = (drops.clone(), cleaned.clone());
        let (tasks, task) = started(unread(Unread::Wait), move |ctx| {
            let (guard, cleaned) = (held.guard(), cleanup.clone());
            async move {
                let _guard = guard;
                let _token = uses_token.then(|| ctx.token());
                ctx.on_cancel(async move {
                    drop(cleaned.guard());
                    sleep(secs(1)).await;
                });
                fill(&ctx).await;
                ctx.emit(4).await;
                Ok(5)
            }
        });
        let (outcome, took) = cancelled(&task).await;
        assert!(matches!(outcome, Outcome::Cancelled { reason: CancelReason::User }), "{outcome:?}");
        assert_eq!(took, 1, "only the clean-up takes time, not the grace period");
        assert_eq!((drops.count(), cleaned.count()), (1, 1));
        assert_eq!(items(&tasks, &task).await, all(0..4));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_emits_late_in_its_grace_period_is_dropped_as_soon_as_it_would_wait() {
    let (tasks, task) = started(unread(Unread::Wait), async |ctx| {
        ctx.cancelled().await;
        sleep(secs(2)).await;
        fill(&ctx).await;
        ctx.emit(4).await;
        Ok(5)
    });
    let (outcome, took) = cancelled(&task).await;
    assert!(matches!(outcome, Outcome::Cancelled { .. }), "{outcome:?}");
    assert_eq!(took, 2);
    assert_eq!(items(&tasks, &task).await, all(0..4), "what there was room for");
}

#[tokio::test(start_paused = true)]
async fn bytes_and_time_limits_are_no_exception() {
    let policy = Policy { timeout: Some(secs(10)), ..unread(Unread::Wait) };
    let kind = Kind::new("bytes", policy, Errors::default(), async |ctx: TaskContext<(), Bytes>, (): ()| {
        let _token = ctx.token();
        ctx.emit_bytes([0; 1_000]).await;
        ctx.emit_bytes([0; 1_000]).await;
        Ok::<_, Failure>(())
    });
    let tasks = manager([kind], Settings::default());
    let before = Instant::now();
    let outcome = tasks.start("bytes", ()).unwrap().outcome().await;
    assert!(matches!(outcome, Outcome::TimedOut { limit: TimeLimit::Timeout, .. }), "{outcome:?}");
    assert_eq!(before.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_handler_goes_on_if_it_drops_the_emit_itself() {
    // The emit is polled first, so it learns of the cancel before the other branch does.
    let (_tasks, task) = started(unread(Unread::Wait), async |ctx| {
        fill(&ctx).await;
        select! {
            biased;
            () = ctx.emit(4) => {}
            () = ctx.cancelled() => {}
        }
        sleep(secs(2)).await;
        Ok(5)
    });
    let (outcome, took) = cancelled(&task).await;
    assert_eq!((outcome.output::<u32>().unwrap(), took), (Some(5), 2), "it has its grace period");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_uses_its_token_beside_a_waiting_emit_is_dropped_with_it() {
    let cleaned = Drops::default();
    let cleanup = cleaned.clone();
    let (_tasks, task) = started(unread(Unread::Wait), move |ctx| {
        let cleaned = cleanup.clone();
        async move {
            ctx.on_cancel(async move { drop(cleaned.guard()) });
            fill(&ctx).await;
            let other = async {
                ctx.cancelled().await;
                sleep(secs(2)).await;
            };
            join!(other, ctx.emit(4));
            Ok(5)
        }
    });
    let (outcome, took) = cancelled(&task).await;
    assert!(matches!(outcome, Outcome::Cancelled { .. }), "{outcome:?}");
    assert_eq!((took, cleaned.count()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn try_emit_lets_a_handler_end_by_itself_when_it_has_to_stop() {
    let (_tasks, task) = started(unread(Unread::Wait), async |ctx| {
        let _token = ctx.token();
        fill(&ctx).await;
        let error = ctx.try_emit(4).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Stopped);
        assert!(error.message.contains("return from the handler"), "{error}");
        sleep(secs(2)).await;
        Ok(5)
    });
    let (outcome, took) = cancelled(&task).await;
    assert_eq!((outcome.output::<u32>().unwrap(), took), (Some(5), 2));
}

#[tokio::test(start_paused = true)]
async fn a_spawned_task_that_emits_does_not_hold_up_a_handler_that_has_to_stop() {
    let (_tasks, task) = started(unread(Unread::Wait), async |ctx: TaskContext<(), u32>| {
        let emitter = ctx.clone();
        let spawned = tokio::spawn(async move {
            for number in 0..100 {
                emitter.emit(number).await;
            }
        });
        ctx.cancelled().await;
        spawned.await.unwrap();
        sleep(secs(2)).await;
        Ok(5)
    });
    let (outcome, took) = cancelled(&task).await;
    assert_eq!((outcome.output::<u32>().unwrap(), took), (Some(5), 2), "the handler has its grace period");
}

#[tokio::test(start_paused = true)]
async fn an_emit_of_a_spawned_task_returns_when_the_handler_is_over() {
    let (tell, spawned) = oneshot::channel();
    let tell = Mutex::new(Some(tell));
    let (tasks, task) = started(unread(Unread::Wait), move |ctx: TaskContext<(), u32>| {
        let tell = tell.lock().take().unwrap();
        async move {
            let _ = tell.send(tokio::spawn(async move {
                for number in 0..100 {
                    ctx.emit(number).await;
                }
            }));
            sleep(secs(1)).await;
            Ok(5)
        }
    });
    assert_eq!(task.outcome().await.output::<u32>().unwrap(), Some(5));
    let spawned = spawned.await.unwrap();
    timeout(secs(1), spawned).await.expect("it waits for nothing").unwrap();
    assert_eq!(items(&tasks, &task).await, all(0..4));
}

/// A handler that ends and leaves a loop behind, which emits what `item` returns and counts.
async fn looping<I: Serialize + Send + 'static>(item: fn() -> I) -> (TaskManager, JoinHandle<()>, Arc<AtomicU32>) {
    let (tell, spawned) = oneshot::channel();
    let (tell, calls) = (Mutex::new(Some(tell)), Arc::<AtomicU32>::default());
    let count = Arc::clone(&calls);
    let (tasks, task) = started(unread(Unread::Wait), move |ctx: TaskContext<(), I>| {
        let (tell, calls) = (tell.lock().take().unwrap(), Arc::clone(&count));
        async move {
            let _ = tell.send(tokio::spawn(async move {
                loop {
                    ctx.emit(item()).await;
                    calls.fetch_add(1, SeqCst);
                }
            }));
            Ok(1)
        }
    });
    let spawned = spawned.await.unwrap();
    task.outcome().await;
    (tasks, spawned, calls)
}

#[tokio::test]
async fn a_loop_that_its_handler_leaves_behind_is_warned_of_once_and_lets_others_run() {
    async fn check<I: Serialize + Send + 'static>(item: fn() -> I) {
        let (log, _guard) = Log::capture();
        let (_tasks, spawned, calls) = looping(item).await;
        while calls.load(SeqCst) < 1_000 {
            let before = calls.load(SeqCst);
            yield_now().await;
            // tokio lets the spawned tasks run 61 times before it comes back.
            assert!(calls.load(SeqCst) <= before + 100, "it keeps the worker to itself");
        }
        spawned.abort();
        assert_eq!(log.count("an emit of a task is discarded"), 1, "{}", log.text());
        assert!(log.text().contains("TaskContext::try_emit"), "{}", log.text());
    }
    check(|| Odd::Fine(1)).await;
    check(|| Odd::Unwritable).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_warned_of_while_the_handler_lives_or_where_the_caller_is_told() {
    let (log, _guard) = Log::capture();
    let (tell, left) = oneshot::channel();
    let tell = Mutex::new(Some(tell));
    let (_tasks, task) = started(unread(Unread::Wait), move |ctx| {
        let tell = tell.lock().take();
        async move {
            fill(&ctx).await;
            let _ = tell.unwrap().send(ctx.clone());
            ctx.emit(4).await;
            Ok(5)
        }
    });
    cancelled(&task).await;
    let left: TaskContext<(), u32> = left.await.unwrap();
    assert_eq!(left.try_emit(6).await.unwrap_err().kind, ErrorKind::Stopped);
    assert_eq!(log.count("discarded"), 0, "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn an_emit_that_is_moved_out_of_its_handler_returns_when_the_handler_is_over() {
    let (tell, moved) = oneshot::channel();
    let tell = Mutex::new(Some(tell));
    let (_tasks, task) = started(unread(Unread::Wait), move |ctx: TaskContext<(), u32>| {
        let tell = tell.lock().take().unwrap();
        async move {
            fill(&ctx).await;
            let emitter = ctx.clone();
            let mut emit = Box::pin(async move { emitter.emit(4).await });
            select! {
                biased;
                () = &mut emit => {}
                () = ctx.cancelled() => {}
            }
            let _ = tell.send(tokio::spawn(emit));
            Ok(5)
        }
    });
    let (outcome, _) = cancelled(&task).await;
    assert_eq!(outcome.output::<u32>().unwrap(), Some(5));
    timeout(secs(1), moved.await.unwrap()).await.expect("it waits for nothing").unwrap();
}
