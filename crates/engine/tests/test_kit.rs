//! The test kit reports what a handler did: all of it, in order, and nothing else.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use tauri_plugin_tasks_engine::{
    Backoff, Bytes, CancelReason, ErrorKind, Failure, Never, OnExit, OnOwnerClosed, Restart, Retry, TaskContext,
    TaskStatus, TimeLimit, Unit, Unread,
    delivery::{Bounds, Errors, Policy},
    test::{TestOutcome, TestProgress, TestTask},
};
use tokio::time::{Instant, sleep};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A test of `handler` as a kind with this policy.
fn of<In, O, E, D, I, F, Fut>(policy: Policy, handler: F) -> TestTask<In, O, E, D, I>
where
    F: Fn(TaskContext<D, I>, In) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, E>> + Send + 'static,
{
    TestTask::with_policy("kind".into(), policy, Errors::default(), handler)
}

/// The progress of a handler that only counts.
fn at(completed: u64) -> TestProgress {
    TestProgress { completed, ..TestProgress::default() }
}

/// Serializes, and does nothing else that the kit could ask of it.
#[derive(Serialize)]
struct Bare(u32);

// Values and types.

#[tokio::test(start_paused = true)]
async fn outputs_errors_and_items_need_only_be_serializable() {
    let test = TestTask::new(async |ctx: TaskContext<(), Bare>, fails: bool| {
        ctx.emit(Bare(1)).await;
        ctx.try_emit(Bare(2)).await.unwrap();
        let on_thread = ctx.clone();
        ctx.spawn_blocking(move |_| on_thread.blocking_emit(Bare(3))).await.unwrap();
        if fails { Err(Bare(5)) } else { Ok(Bare(4)) }
    });
    let report = test.run(false).await.unwrap();
    assert!(matches!(report.outcome, TestOutcome::Completed(Bare(4))));
    assert_eq!(report.items.iter().map(|Bare(number)| *number).collect::<Vec<_>>(), [1, 2, 3]);
    let report = test.run(true).await.unwrap();
    assert!(matches!(report.outcome, TestOutcome::Failed(Bare(5))));
    assert_eq!(report.items.len(), 3, "each run has a report of its own");
}

#[tokio::test(start_paused = true)]
async fn a_value_is_the_handlers_own_whatever_its_json_lacks() {
    #[derive(Debug, Clone, PartialEq, Serialize)]
    struct Page {
        title: &'static str,
        #[serde(skip)]
        secret: u32,
    }
    const PAGE: Page = Page { title: "a", secret: 7 };
    let test = TestTask::new(async |ctx: TaskContext<Page, Page>, (): ()| {
        ctx.emit(PAGE).await;
        ctx.progress().detail(PAGE);
        Ok::<_, Page>(PAGE)
    });
    let mut run = test.start(()).unwrap();
    assert_eq!(run.next_item().await, Some(PAGE));
    let report = run.finish().await;
    assert_eq!(report.outcome, TestOutcome::Completed(PAGE));
    assert_eq!(report.items, [PAGE]);
    assert_eq!(report.details, [PAGE]);
    assert_eq!(report.progress[0].detail, Some(PAGE));
    assert_eq!(report.seen[0].detail, Some(PAGE));
}

#[tokio::test(start_paused = true)]
async fn details_with_the_same_json_are_told_apart() {
    let test = TestTask::new(async |ctx: TaskContext<Option<()>>, (): ()| {
        ctx.progress().detail(None);
        sleep(secs(1)).await;
        ctx.progress().detail(Some(()));
        ctx.progress().try_detail(None).unwrap();
        Ok::<_, Failure>(())
    });
    let report = test.run(()).await.unwrap();
    assert_eq!(report.details, [None, Some(()), None]);
    let seen: Vec<_> = report.seen.iter().map(|progress| progress.detail).collect();
    assert_eq!(seen[0], Some(None));
}

#[tokio::test(start_paused = true)]
async fn an_input_that_does_not_fit_is_refused() {
    #[derive(Deserialize)]
    struct Input {
        #[allow(dead_code)]
        width: u32,
    }
    let test = TestTask::new(async |_: TaskContext, _: Input| Ok::<_, Failure>(()));
    let error = test.start(serde_json::json!({ "width": "wide" })).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput);
    assert!(error.message.contains("width"), "{}", error.message);
    let unserializable = std::collections::HashMap::from([((1, 2), 3)]);
    assert_eq!(test.run(unserializable).await.unwrap_err().kind, ErrorKind::Unserializable);
    assert_eq!(test.run(serde_json::json!({ "width": 1 })).await.unwrap().outcome, TestOutcome::Completed(()));
}

// How it ends.

#[tokio::test(start_paused = true)]
async fn a_panic_is_an_outcome_wherever_it_happens() {
    fn at_once(_: TaskContext, (): ()) -> std::future::Ready<Result<(), Failure>> {
        panic!("before the future")
    }
    let report = TestTask::new(at_once).run(()).await.unwrap();
    assert_eq!(report.outcome, TestOutcome::Panicked("before the future".into()));
    let test = TestTask::new(async |ctx: TaskContext, on_thread: bool| {
        ctx.progress().inc(1);
        sleep(secs(1)).await;
        if on_thread {
            ctx.spawn_blocking(|_| panic!("on a thread")).await;
        }
        let list: Vec<u32> = Vec::new();
        Ok::<_, Failure>(list[3])
    });
    let report = test.run(false).await.unwrap();
    assert_eq!(report.outcome, TestOutcome::Panicked("index out of bounds: the len is 0 but the index is 3".into()));
    assert_eq!(report.progress, [at(1)], "what it did before is reported");
    assert_eq!(report.elapsed, secs(1));
    assert_eq!(test.run(true).await.unwrap().outcome, TestOutcome::Panicked("on a thread".into()));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_as_json_is_an_outcome() {
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("it is broken"))
        }
    }
    let of_output = TestTask::new(async |_: TaskContext, (): ()| Ok::<_, Failure>(Broken));
    let TestOutcome::Unserializable(message) = of_output.run(()).await.unwrap().outcome else { panic!() };
    assert!(message.contains("the output") && message.contains("it is broken"), "{message}");
    let of_item = TestTask::new(async |ctx: TaskContext<(), Broken>, (): ()| {
        ctx.emit(Broken).await;
        Ok::<_, Failure>(())
    });
    let report = of_item.run(()).await.unwrap();
    let TestOutcome::Unserializable(message) = report.outcome else { panic!() };
    assert!(message.contains("the item"), "{message}");
    assert!(report.items.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_cancel_has_its_reason_and_runs_the_clean_ups() {
    let test = TestTask::new(async |ctx: TaskContext, (): ()| {
        ctx.on_cancel(async { sleep(secs(2)).await });
        ctx.on_cancel(async { panic!("a clean-up that fails") });
        ctx.on_cancel(async {});
        pending::<Result<(), Failure>>().await
    });
    let run = test.start(()).unwrap();
    run.settle().await;
    assert_eq!(run.snapshot().status, TaskStatus::Running);
    assert!(run.cancel(CancelReason::Other("the disk is full".into())));
    let report = run.finish().await;
    assert_eq!(report.outcome, TestOutcome::Cancelled(CancelReason::Other("the disk is full".into())));
    assert_eq!((report.cleanups, report.panicked_cleanups), (2, 1));
    assert_eq!(report.elapsed, millis(2_001));
}

#[tokio::test(start_paused = true)]
async fn a_clean_up_that_is_dropped_or_not_needed_does_not_count() {
    let test = TestTask::new(async |ctx: TaskContext, ends: bool| {
        ctx.on_cancel(async { sleep(secs(3_600)).await });
        if ends { Ok(()) } else { pending::<Result<(), Failure>>().await }
    });
    assert_eq!(test.run(true).await.unwrap().cleanups, 0);
    let run = test.start(false).unwrap();
    run.settle().await;
    run.cancel(CancelReason::User);
    let report = run.finish().await;
    assert_eq!((report.cleanups, report.panicked_cleanups, report.elapsed), (0, 0, millis(5_001)));
}

#[tokio::test(start_paused = true)]
async fn a_cancel_before_the_handlers_turn_calls_no_handler() {
    let test = TestTask::new(async |ctx: TaskContext, (): ()| {
        ctx.progress().inc(1);
        Ok::<_, Failure>(())
    });
    let run = test.start(()).unwrap();
    run.cancel(CancelReason::User);
    let report = run.finish().await;
    assert_eq!(report.outcome, TestOutcome::Cancelled(CancelReason::User));
    assert_eq!((report.attempts, report.progress.len(), report.elapsed), (0, 0, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_cancel_after_the_end_changes_nothing() {
    let run = TestTask::new(async |_: TaskContext, (): ()| Ok::<_, Failure>(1)).start(()).unwrap();
    run.settle().await;
    assert!(!run.cancel(CancelReason::User));
    let report = run.finish().await;
    assert_eq!(report.outcome, TestOutcome::Completed(1));
    assert_eq!(report.elapsed, Duration::ZERO, "to the end of the task, not to that of the test");
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_be_cancelled_at_each_of_its_awaits() {
    let test = TestTask::new(async |ctx: TaskContext<(), u64>, to: u64| {
        for number in 0..to {
            ctx.emit(number).await;
            ctx.progress().inc(1);
            sleep(secs(1)).await;
        }
        Ok::<_, Failure>(to)
    });
    for seconds in 0..5 {
        let run = test.start(5).unwrap();
        run.advance(secs(seconds)).await;
        run.settle().await;
        run.cancel(CancelReason::User);
        let report = run.finish().await;
        assert_eq!(report.outcome, TestOutcome::Cancelled(CancelReason::User));
        assert_eq!(report.items, (0..=seconds).collect::<Vec<_>>());
        assert_eq!(report.progress, (1..=seconds + 1).map(at).collect::<Vec<_>>());
        assert_eq!(report.elapsed, secs(seconds) + millis(1));
    }
    assert_eq!(test.run(5).await.unwrap().elapsed, secs(5));
}

// The owner and the app.

#[tokio::test(start_paused = true)]
async fn an_owner_that_goes_ends_the_task_if_the_kind_says_so() {
    for (on_owner_closed, outcome) in [
        (OnOwnerClosed::GoOn, TestOutcome::Completed(())),
        (OnOwnerClosed::Cancel, TestOutcome::Cancelled(CancelReason::OwnerClosed)),
    ] {
        let policy = Policy { on_owner_closed, ..Policy::default() };
        let run = of(policy, async |_: TaskContext, (): ()| {
            sleep(secs(60)).await;
            Ok::<_, Failure>(())
        });
        let run = run.start(()).unwrap();
        run.settle().await;
        assert!(run.snapshot().owner.is_some());
        run.drop_owner();
        assert_eq!(run.snapshot().owner, None, "it belongs to the app");
        assert_eq!(run.finish().await.outcome, outcome);
    }
}

#[tokio::test(start_paused = true)]
async fn an_exit_ends_the_task_as_its_kind_says() {
    for (on_exit, length, outcome) in [
        (OnExit::Cancel, 3, TestOutcome::Cancelled(CancelReason::Shutdown)),
        (OnExit::Finish, 3, TestOutcome::Completed(())),
        (OnExit::Finish, 60, TestOutcome::Cancelled(CancelReason::Shutdown)),
        (OnExit::Drop, 60, TestOutcome::Completed(())),
    ] {
        let test = of(Policy { on_exit, ..Policy::default() }, async |_: TaskContext, length: u64| {
            sleep(secs(length)).await;
            Ok::<_, Failure>(())
        });
        let run = test.start(length).unwrap();
        run.settle().await;
        run.shut_down(secs(10));
        let status = run.snapshot().status;
        assert_eq!(status == TaskStatus::Cancelling, on_exit == OnExit::Cancel, "it has begun: {status:?}");
        assert_eq!(run.finish().await.outcome, outcome, "{on_exit:?}, {length} s");
    }
}

// Attempts and rules.

#[tokio::test(start_paused = true)]
async fn the_first_attempt_may_have_any_number() {
    let test = TestTask::new(async |ctx: TaskContext, (): ()| Ok::<_, Failure>(ctx.attempt()));
    for attempt in [1, 2, 3, u32::MAX] {
        let report = test.clone().attempt(attempt).run(()).await.unwrap();
        assert_eq!(report.outcome, TestOutcome::Completed(attempt));
        assert_eq!(report.attempts, 1);
    }
}

#[test]
#[should_panic(expected = "attempts are counted from 1")]
fn there_is_no_attempt_0() {
    let _ = TestTask::new(numbers).attempt(0);
}

#[test]
fn there_is_no_attempt_beyond_those_that_a_kind_has() {
    let attempt = |attempt| std::panic::catch_unwind(|| drop(of(retries(3), numbers).attempt(attempt)));
    assert!(attempt(3).is_ok());
    let panic = attempt(4).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("task \"kind\" has no attempt 4"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_handler_alone_is_attempted_once() {
    let test = TestTask::new(async |ctx: TaskContext, (): ()| Err::<(), _>(ctx.attempt()));
    let report = test.run(()).await.unwrap();
    assert_eq!(report.outcome, TestOutcome::Failed(1));
    assert_eq!((report.attempts, report.elapsed), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_not_the_outcome_is_reported_too() {
    let test = TestTask::new(async |ctx: TaskContext, (): ()| {
        ctx.cancelled().await;
        Err::<(), _>("stopped")
    });
    let run = test.start(()).unwrap();
    run.settle().await;
    run.cancel(CancelReason::User);
    let report = run.finish().await;
    assert_eq!((report.outcome, report.errors), (TestOutcome::Cancelled(CancelReason::User), vec!["stopped"]));
    assert_eq!(report.snapshot.status, TaskStatus::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_begins_at_nothing_again_is_seen_only_if_that_is_a_change() {
    let test = of(retries(3), async |ctx: TaskContext, reports: bool| {
        if reports && ctx.attempt() == 1 {
            ctx.progress().set(5);
        }
        Err::<(), _>(ctx.attempt())
    });
    let report = test.run(false).await.unwrap();
    assert_eq!((report.progress, report.seen), (vec![], vec![]));
    let report = test.run(true).await.unwrap();
    assert_eq!((report.progress, report.seen), (vec![at(5)], vec![at(5), at(0)]));
}

fn retries(attempts: u32) -> Policy {
    let retry = Retry::attempts(attempts).backoff(Backoff::constant(secs(10)));
    Policy { retry: Some(retry), ..Policy::default() }
}

#[tokio::test(start_paused = true)]
async fn a_kind_is_retried_and_all_attempts_are_reported() {
    let test = of(retries(3), async |ctx: TaskContext<u32, u32>, (): ()| {
        ctx.progress().inc(5).detail(ctx.attempt());
        ctx.emit(ctx.attempt()).await;
        if ctx.attempt() < 3 { Err(ctx.attempt()) } else { Ok(ctx.attempt()) }
    });
    let report = test.run(()).await.unwrap();
    assert_eq!(report.outcome, TestOutcome::Completed(3));
    assert_eq!((report.attempts, report.elapsed), (3, secs(20)));
    assert_eq!(report.items, [1, 2, 3]);
    assert_eq!(report.details, [1, 2, 3]);
    assert_eq!(report.progress.iter().map(|progress| progress.completed).collect::<Vec<_>>(), [5; 6]);
}

#[tokio::test(start_paused = true)]
async fn retries_count_from_the_attempt_that_is_first() {
    let calls: Arc<Mutex<Vec<u32>>> = Arc::default();
    let test = of(retries(4), {
        let calls = Arc::clone(&calls);
        move |ctx: TaskContext, (): ()| {
            calls.lock().unwrap().push(ctx.attempt());
            async move { Err::<(), _>(ctx.attempt()) }
        }
    });
    let report = test.attempt(3).run(()).await.unwrap();
    assert_eq!(report.outcome, TestOutcome::Failed(4), "the error of the last attempt");
    assert_eq!(report.errors, [3], "those of the others");
    assert_eq!((report.attempts, report.elapsed), (2, secs(10)));
    assert_eq!(*calls.lock().unwrap(), [3, 4]);
}

#[tokio::test(start_paused = true)]
async fn the_rules_for_errors_see_the_handlers_own_errors() {
    #[derive(Debug, PartialEq, Serialize)]
    enum SyncError {
        Offline,
        WrongPassword,
    }
    let errors = Errors {
        describe: Some(Arc::new(|error: &SyncError| format!("described: {error:?}"))),
        retry_if: Some(Arc::new(|error: &SyncError| *error == SyncError::Offline)),
    };
    let handler = async |ctx: TaskContext, (): ()| {
        Err::<(), _>(if ctx.attempt() == 1 { SyncError::Offline } else { SyncError::WrongPassword })
    };
    let test = TestTask::with_policy("sync".into(), retries(9), errors, handler);
    let run = test.start(()).unwrap();
    let report = run.finish().await;
    assert_eq!(report.outcome, TestOutcome::Failed(SyncError::WrongPassword));
    assert_eq!(report.errors, [SyncError::Offline]);
    assert_eq!(report.attempts, 2);
    assert_eq!(report.snapshot.error.unwrap().message, "described: WrongPassword");
}

#[tokio::test(start_paused = true)]
async fn a_time_limit_holds_whatever_the_number_of_the_first_attempt() {
    let hang = async |_: TaskContext, (): ()| pending::<Result<(), Failure>>().await;
    for (policy, limit) in [
        (Policy { timeout: Some(secs(8)), ..Policy::default() }, TimeLimit::Timeout),
        (Policy { attempt_timeout: Some(secs(8)), ..Policy::default() }, TimeLimit::AttemptTimeout),
        (Policy { stall_timeout: Some(secs(8)), ..Policy::default() }, TimeLimit::Stalled),
        (Policy { deadline: Some(secs(8)), ..Policy::default() }, TimeLimit::Deadline),
    ] {
        for attempt in [1, 3] {
            let report = of(policy.clone(), hang).attempt(attempt).run(()).await.unwrap();
            assert_eq!(report.outcome, TestOutcome::TimedOut(limit));
            assert_eq!((report.elapsed, report.attempts), (secs(8), 1));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_is_restarted_until_it_is_cancelled() {
    let policy = Policy { restart: Some(Restart::always()), ..Policy::default() };
    let test = of(policy, async |ctx: TaskContext<(), u32>, (): ()| {
        ctx.emit(ctx.attempt()).await;
        Ok::<_, Failure>(())
    });
    let mut run = test.start(()).unwrap();
    for attempt in 1..=5 {
        assert_eq!(run.next_item().await, Some(attempt));
    }
    run.cancel(CancelReason::User);
    let report = run.finish().await;
    assert_eq!(report.outcome, TestOutcome::Cancelled(CancelReason::User));
    assert_eq!(report.attempts, 5);
}

// Items.

async fn numbers(ctx: TaskContext<(), u32>, to: u32) -> Result<(), Failure> {
    for number in 0..to {
        ctx.emit(number).await;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_report_has_all_items_however_many_were_read() {
    for read in [0, 1, 99, 100, 101] {
        let mut run = TestTask::new(numbers).start(100).unwrap();
        for number in 0..read {
            assert_eq!(run.next_item().await, (number < 100).then_some(number));
        }
        let report = run.finish().await;
        assert_eq!(report.outcome, TestOutcome::Completed(()));
        assert_eq!(report.items, (0..100).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn no_handler_waits_for_a_reader_by_default() {
    let report = TestTask::new(numbers).run(100_000).await.unwrap();
    assert_eq!((report.items.len(), report.elapsed), (100_000, Duration::ZERO));
    let report = of(Policy::default(), numbers).run(100_000).await.unwrap();
    assert_eq!((report.items.len(), report.elapsed), (100_000, Duration::ZERO));
    let large = TestTask::new(async |ctx: TaskContext<(), String>, size: usize| {
        ctx.emit("x".repeat(size)).await;
        Ok::<_, Failure>(())
    });
    assert_eq!(large.run(9 << 20).await.unwrap().items[0].len(), 9 << 20);
}

const SMALL: Bounds = Bounds { items: 4, bytes: 1_000 };

#[tokio::test(start_paused = true)]
async fn a_kind_with_a_buffer_of_its_own_waits_for_the_test() {
    let policy = Policy { item_buffer: SMALL, unread: Unread::Wait, ..Policy::default() };
    let mut run = of(policy, numbers).start(100).unwrap();
    run.advance(secs(60)).await;
    assert_eq!(run.snapshot().status, TaskStatus::Running, "nobody reads");
    assert_eq!(run.next_item().await, Some(0));
    let report = run.finish().await;
    assert_eq!(report.outcome, TestOutcome::Completed(()), "the test goes on reading");
    assert_eq!(report.items, (0..100).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn items_that_the_buffer_drops_are_reported_and_not_read() {
    let policy = Policy { item_buffer: SMALL, ..Policy::default() };
    let mut run = of(policy, numbers).start(10).unwrap();
    run.advance(secs(60)).await;
    for number in 6..10 {
        assert_eq!(run.next_item().await, Some(number));
    }
    assert_eq!(run.next_item().await, None);
    let report = run.finish().await;
    assert_eq!(report.items, (0..10).collect::<Vec<_>>());
    assert_eq!(report.elapsed, secs(10), "that is how long it waits for a reader");
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_needs_a_reader_is_cancelled_unless_the_test_reads() {
    let policy = Policy { unread: Unread::Cancel, ..Policy::default() };
    let test = of(policy, async |ctx: TaskContext<(), u32>, (): ()| {
        for number in 0..3 {
            ctx.emit(number).await;
            sleep(secs(20)).await;
        }
        Ok::<_, Failure>(())
    });
    assert_eq!(test.run(()).await.unwrap().outcome, TestOutcome::Cancelled(CancelReason::Unread));
    let mut run = test.start(()).unwrap();
    run.next_item().await;
    assert_eq!(run.finish().await.outcome, TestOutcome::Completed(()));
}

#[tokio::test(start_paused = true)]
async fn items_of_several_threads_are_in_the_order_in_which_they_are_read() {
    let test = TestTask::new(async |ctx: TaskContext<(), (u32, u32)>, (): ()| {
        let work = |thread: u32| {
            let on_thread = ctx.clone();
            ctx.spawn_blocking(move |_| {
                (0..200).try_for_each(|number| {
                    on_thread.progress().inc(1);
                    on_thread.blocking_emit((thread, number))
                })
            })
        };
        let (first, second) = tokio::join!(work(0), work(1));
        first.and(second)?;
        Ok::<_, Failure>(())
    });
    let mut run = test.start(()).unwrap();
    let mut read = Vec::new();
    while let Some(item) = run.next_item().await {
        read.push(item);
    }
    let report = run.finish().await;
    assert_eq!((report.items.len(), &report.items), (400, &read));
    assert_eq!(report.progress, (1..=400).map(at).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_not_emitted_is_not_reported() {
    let policy = Policy { item_buffer: SMALL, unread: Unread::Wait, ..Policy::default() };
    let test = of(policy, async |ctx: TaskContext<(), String>, (): ()| {
        assert_eq!(ctx.try_emit("x".repeat(2_000)).await.unwrap_err().kind, ErrorKind::TooLarge);
        for _ in 0..4 {
            ctx.emit("fits".into()).await;
        }
        let dropped = tokio::time::timeout(secs(1), ctx.emit("dropped at its await".into())).await;
        assert!(dropped.is_err());
        ctx.emit("given up".into()).await;
        Ok::<_, Failure>(())
    });
    let run = test.start(()).unwrap();
    run.advance(secs(2)).await;
    run.cancel(CancelReason::User);
    assert_eq!(run.finish().await.items, ["fits"; 4]);
}

#[tokio::test(start_paused = true)]
async fn bytes_are_one_stream_however_they_were_emitted_and_read() {
    let test = TestTask::new(async |ctx: TaskContext<(), Bytes>, (): ()| {
        ctx.emit_bytes([1, 2]).await;
        ctx.emit_bytes([]).await;
        sleep(secs(1)).await;
        ctx.try_emit_bytes([3]).await?;
        let on_thread = ctx.clone();
        ctx.spawn_blocking(move |_| on_thread.blocking_emit_bytes([4, 5])).await?;
        Ok::<_, Failure>(())
    });
    let report = test.run(()).await.unwrap();
    assert_eq!(report.bytes, [1, 2, 3, 4, 5]);
    assert!(report.items.is_empty());
    let mut run = test.start(()).unwrap();
    assert_eq!(run.next_bytes().await, Some(vec![1, 2]));
    let mut rest = Vec::new();
    while let Some(bytes) = run.next_bytes().await {
        rest.extend(bytes);
    }
    assert_eq!(rest, [3, 4, 5]);
    assert_eq!(run.finish().await.bytes, [1, 2, 3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn of_bytes_that_are_cut_off_only_the_first_part_is_reported() {
    let policy = Policy { item_buffer: Bounds { items: 1, bytes: 10 }, unread: Unread::Wait, ..Policy::default() };
    let test = of(policy, async |ctx: TaskContext<(), Bytes>, (): ()| {
        ctx.emit_bytes([7; 25]).await;
        Ok::<_, Failure>(())
    });
    let run = test.start(()).unwrap();
    run.settle().await;
    run.cancel(CancelReason::User);
    assert_eq!(run.finish().await.bytes, [7; 10]);
}

// Progress.

#[tokio::test(start_paused = true)]
async fn every_report_of_progress_is_recorded_and_a_watcher_sees_the_newest() {
    #[derive(Debug, Clone, PartialEq, Serialize)]
    enum Stage {
        Reading,
        Writing,
    }
    let test = TestTask::new(async |ctx: TaskContext<Stage>, (): ()| {
        ctx.progress().unit(Unit::Files).total(4).set(1).inc(2).message("a").detail(Stage::Reading);
        sleep(secs(1)).await;
        ctx.progress().total(None).message("b").detail(Stage::Writing);
        ctx.progress().message("b");
        Ok::<_, Failure>(())
    });
    let report = test.run(()).await.unwrap();
    let unit = TestProgress { unit: Unit::Files, ..TestProgress::default() };
    let total = TestProgress { total: Some(4), ..unit.clone() };
    let one = TestProgress { completed: 1, ..total.clone() };
    let three = TestProgress { completed: 3, ..total.clone() };
    let message = TestProgress { message: Some("a".into()), ..three.clone() };
    let reading = TestProgress { detail: Some(Stage::Reading), ..message.clone() };
    let no_total = TestProgress { total: None, ..reading.clone() };
    let message_b = TestProgress { message: Some("b".into()), ..no_total.clone() };
    let writing = TestProgress { detail: Some(Stage::Writing), ..message_b.clone() };
    let expected =
        [unit, total, one, three, message, reading.clone(), no_total, message_b, writing.clone(), writing.clone()];
    assert_eq!(report.progress, expected);
    assert_eq!(report.seen, [reading, writing]);
    assert_eq!(report.messages, ["a", "b", "b"]);
    assert_eq!(report.details, [Stage::Reading, Stage::Writing]);
}

#[tokio::test(start_paused = true)]
async fn what_others_cannot_see_of_a_report_is_not_recorded() {
    let test = TestTask::new(async |ctx: TaskContext<String>, (): ()| {
        ctx.progress().detail("x".repeat(5_000)).message("y".repeat(5_000));
        assert_eq!(ctx.progress().try_detail("x".repeat(5_000)).unwrap_err().kind, ErrorKind::TooLarge);
        tokio::spawn(async move {
            sleep(secs(1)).await;
            ctx.progress().inc(1).message("a leftover").detail("a leftover".into());
        });
        Ok::<_, Failure>(())
    });
    let run = test.start(()).unwrap();
    run.advance(secs(2)).await;
    let report = run.finish().await;
    assert_eq!(report.progress.len(), 1, "{:?}", report.progress);
    assert!(report.messages[0].len() < 1_100 && report.messages[0].ends_with('…'));
    assert!(report.details.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_changes_is_nothing_that_a_watcher_of_a_report_has_seen() {
    let test = TestTask::new(async |ctx: TaskContext, (): ()| {
        for _ in 0..5 {
            ctx.progress().inc(1);
            sleep(secs(30)).await;
        }
        Ok::<_, Failure>(())
    });
    assert_eq!(test.run(()).await.unwrap().seen, (1..=5).map(at).collect::<Vec<_>>());
}

/// What a handler of the property test does, step by step.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Step {
    Inc(u64),
    Set(u64),
    Total(Option<u64>),
    Message(String),
    Detail(u32),
    Emit(u32),
    OnCancel,
    /// Sleeps for this many milliseconds. An even number, so that no sleep ends at the time of a cancel.
    Sleep(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u64..100).prop_map(Step::Inc),
        (0_u64..100).prop_map(Step::Set),
        proptest::option::of(0_u64..100).prop_map(Step::Total),
        "[a-z]{0,3}".prop_map(Step::Message),
        (0_u32..3).prop_map(Step::Detail),
        any::<u32>().prop_map(Step::Emit),
        Just(Step::OnCancel),
        (1_u64..1_000).prop_map(|half| Step::Sleep(2 * half)),
        (1_u64..1_000).prop_map(|half| Step::Sleep(2 * half)),
    ]
}

async fn act(ctx: TaskContext<u32, u32>, (steps, fails): (Vec<Step>, bool)) -> Result<usize, usize> {
    for step in &steps {
        match step {
            Step::Inc(by) => drop(ctx.progress().inc(*by)),
            Step::Set(to) => drop(ctx.progress().set(*to)),
            Step::Total(total) => drop(ctx.progress().total(*total)),
            Step::Message(text) => drop(ctx.progress().message(text)),
            Step::Detail(detail) => drop(ctx.progress().detail(*detail)),
            Step::Emit(item) => ctx.emit(*item).await,
            Step::OnCancel => ctx.on_cancel(async {}),
            Step::Sleep(length) => sleep(millis(*length)).await,
        }
    }
    if fails { Err(steps.len()) } else { Ok(steps.len()) }
}

/// What a handler does with these steps until it is cancelled.
#[derive(Debug, Default)]
struct Model {
    elapsed: u64,
    is_cut_off: bool,
    progress: Vec<TestProgress<u32>>,
    /// The progress at each sleep, when a watcher can't but see it.
    surely_seen: Vec<TestProgress<u32>>,
    items: Vec<u32>,
    messages: Vec<String>,
    details: Vec<u32>,
    cleanups: u32,
}

impl Model {
    fn of(steps: &[Step], cancel_at: Option<u64>) -> Self {
        let mut model = Self::default();
        let mut now = TestProgress::default();
        for step in steps {
            let reports = !matches!(step, Step::Emit(_) | Step::OnCancel | Step::Sleep(_));
            match step {
                Step::Inc(by) => now.completed += by,
                Step::Set(to) => now.completed = *to,
                Step::Total(total) => now.total = *total,
                Step::Message(text) => {
                    now.message = Some(text.clone());
                    model.messages.push(text.clone());
                }
                Step::Detail(detail) => {
                    now.detail = Some(*detail);
                    model.details.push(*detail);
                }
                Step::Emit(item) => model.items.push(*item),
                Step::OnCancel => model.cleanups += 1,
                Step::Sleep(length) => {
                    model.surely_seen.extend(model.progress.last().cloned());
                    model.elapsed += length;
                }
            }
            if reports {
                model.progress.push(now.clone());
            }
            if let Some(at) = cancel_at.filter(|at| *at < model.elapsed) {
                model.elapsed = at;
                model.is_cut_off = true;
                break;
            }
        }
        model.surely_seen.extend(model.progress.last().cloned());
        // What is reported first may be no change.
        model.surely_seen.insert(0, TestProgress::default());
        model.surely_seen.dedup();
        model.surely_seen.remove(0);
        if !model.is_cut_off {
            model.cleanups = 0;
        }
        model
    }
}

/// Whether `part` is a part of `whole`, in the same order.
fn is_subsequence<T: PartialEq>(part: &[T], whole: &[T]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|wanted| whole.any(|found| found == wanted))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_report_is_what_the_handler_did(
        steps in proptest::collection::vec(step(), 0..40),
        fails in any::<bool>(),
        cancel_at in proptest::option::of((0_u64..10_000).prop_map(|half| 2 * half + 1)),
        read in 0_usize..10,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let model = Model::of(&steps, cancel_at);
        let report = runtime.block_on(async {
            let mut run = TestTask::new(act).start((&steps, fails)).unwrap();
            // Without a cancel at a time of its own, the test also reads.
            let Some(at) = cancel_at else {
                for place in 0..read {
                    assert_eq!(run.next_item().await, model.items.get(place).copied());
                }
                return run.finish().await;
            };
            run.advance(millis(at)).await;
            run.cancel(CancelReason::User);
            run.finish().await
        });
        let outcome = match (model.is_cut_off, fails) {
            (true, _) => TestOutcome::Cancelled(CancelReason::User),
            (false, true) => TestOutcome::Failed(steps.len()),
            (false, false) => TestOutcome::Completed(steps.len()),
        };
        prop_assert_eq!(report.outcome, outcome);
        prop_assert_eq!(&report.progress, &model.progress);
        prop_assert!(is_subsequence(&report.seen, &report.progress), "{:?} of {:?}", report.seen, report.progress);
        prop_assert!(is_subsequence(&model.surely_seen, &report.seen), "{:?} of {:?}", model.surely_seen, report.seen);
        prop_assert_eq!(report.items, model.items);
        prop_assert_eq!(report.messages, model.messages);
        prop_assert_eq!(report.details, model.details);
        prop_assert_eq!(report.cleanups, model.cleanups);
        prop_assert_eq!((report.elapsed, report.attempts), (millis(model.elapsed), 1));
    }
}

// Time.

#[tokio::test(start_paused = true)]
async fn time_that_passes_is_seen_step_by_step() {
    let test = TestTask::new(async |ctx: TaskContext, (): ()| {
        let begin = Instant::now();
        for step in 1..=10 {
            sleep(secs(1)).await;
            assert_eq!(begin.elapsed(), secs(step));
            ctx.progress().inc(1);
        }
        Ok::<_, Failure>(())
    });
    let run = test.start(()).unwrap();
    run.advance(millis(3_500)).await;
    assert_eq!(run.snapshot().progress.completed, 3);
    run.advance(secs(60)).await;
    let report = run.finish().await;
    assert_eq!(report.outcome, TestOutcome::Completed(()));
    assert_eq!(report.elapsed, secs(10));
}

#[tokio::test(start_paused = true)]
async fn the_machine_may_sleep_and_its_clock_may_be_set() {
    let policy = Policy { deadline: Some(secs(3_600)), timeout: Some(secs(600)), ..Policy::default() };
    let test = of(policy, async |_: TaskContext, (): ()| pending::<Result<(), Failure>>().await);
    let run = test.start(()).unwrap();
    run.settle().await;
    let noon = run.machine().wall();
    run.machine().sleep(secs(7_200)).await;
    run.machine().set(-5_000);
    assert_eq!(run.machine().wall(), noon + 7_195_000);
    let report = run.finish().await;
    assert_eq!(report.outcome, TestOutcome::TimedOut(TimeLimit::Deadline), "the sleep counts for it");
    assert!(report.elapsed <= secs(31), "{:?}", report.elapsed);
}

#[tokio::test(start_paused = true)]
async fn time_stands_still_while_work_blocks() {
    let test = TestTask::new(async |ctx: TaskContext, (): ()| {
        let begin = Instant::now();
        let (send, receive) = std::sync::mpsc::channel();
        let work = ctx.spawn_blocking(move |_| receive.recv().unwrap());
        let send_soon = async {
            tokio::task::yield_now().await;
            send.send(begin.elapsed()).unwrap();
        };
        let (passed, ()) = tokio::join!(work, send_soon);
        assert_eq!(passed, Duration::ZERO);
        Ok::<_, Failure>(())
    });
    let run = test.start(()).unwrap();
    run.settle().await;
    let report = run.finish().await;
    assert_eq!((report.outcome, report.elapsed), (TestOutcome::Completed(()), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_blocks_until_it_is_cancelled_can_be_cancelled() {
    let test = TestTask::new(async |ctx: TaskContext, (): ()| {
        let begins = ctx.clone();
        let work = ctx.spawn_blocking(move |token| {
            begins.progress().inc(1);
            while !token.is_cancelled() {
                std::thread::yield_now();
            }
        });
        work.await;
        Err::<(), _>(Failure::new("cancelled"))
    });
    let run = test.start(()).unwrap();
    while run.snapshot().progress.completed == 0 {
        run.settle().await;
    }
    run.cancel(CancelReason::User);
    let report = run.finish().await;
    assert_eq!(report.outcome, TestOutcome::Cancelled(CancelReason::User));
    assert_eq!(report.elapsed, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn work_has_a_thread_once_the_handler_has_settled() {
    let ran: Arc<Mutex<u32>> = Arc::default();
    let counts = Arc::clone(&ran);
    let test = TestTask::new(move |ctx: TaskContext, (): ()| {
        let counts = Arc::clone(&counts);
        async move {
            ctx.spawn_blocking(move |token| {
                *counts.lock().unwrap() += 1;
                while !token.is_cancelled() {
                    std::thread::yield_now();
                }
            })
            .await;
            Ok::<_, Failure>(())
        }
    });
    for round in 1..=100 {
        let run = test.start(()).unwrap();
        run.settle().await;
        run.cancel(CancelReason::User);
        let report = run.finish().await;
        assert_eq!(report.outcome, TestOutcome::Cancelled(CancelReason::User));
        assert_eq!(*ran.lock().unwrap(), round, "it was not discarded before it had a thread");
    }
}

#[tokio::test]
async fn it_works_in_real_time_and_with_several_threads_too() {
    let report = TestTask::new(numbers).run(1_000).await.unwrap();
    assert_eq!(report.outcome, TestOutcome::Completed(()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let run = runtime.spawn(async {
        let mut run = TestTask::new(numbers).attempt(2).start(1_000).unwrap();
        assert_eq!(run.next_item().await, Some(0));
        run.finish().await
    });
    let report = run.await.unwrap();
    runtime.shutdown_background();
    assert_eq!((report.items, report.attempts), ((0..1_000).collect(), 1));
}

#[tokio::test(start_paused = true)]
#[should_panic(
    expected = "give it what it waits for. It is Running in attempt 1, at 2 of 3 with the message \"waiting\""
)]
async fn a_task_that_never_ends_fails_the_test_and_the_test_is_told_where_it_stands() {
    let test = TestTask::new(async |ctx: TaskContext, (): ()| {
        ctx.progress().total(3).set(2).message("waiting");
        pending::<Result<Never, Never>>().await
    });
    let _ = test.run(()).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the task did not emit an item or end within 30 days")]
async fn an_item_that_never_comes_fails_the_test_instead_of_hanging() {
    let hang = async |_: TaskContext<(), u32>, (): ()| pending::<Result<(), Failure>>().await;
    TestTask::new(hang).start(()).unwrap().next_item().await;
}

// Reports.

const PART: usize = 1_000;

/// Reads a file part by part, as the handler of the quick start does.
async fn read(ctx: TaskContext, path: std::path::PathBuf) -> Result<(), Failure> {
    use tokio::io::AsyncReadExt;
    let mut file = tokio::fs::File::open(path).await?;
    ctx.progress().total(file.metadata().await?.len());
    let mut buffer = [0; PART];
    loop {
        let read = file.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        ctx.progress().inc(read as u64);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_reads_a_file_can_be_cancelled_after_each_part() {
    let path = std::env::temp_dir().join(format!("tasks-test-kit-{}.txt", std::process::id()));
    std::fs::write(&path, vec![b'x'; 20 * PART]).unwrap();
    let test = TestTask::new(read);
    for round in 0_u32..200 {
        let parts = round % 20 + 1;
        let done = u64::from(parts) * PART as u64;
        let run = test.start(&path).unwrap();
        let snapshot = run.until(|task| task.progress.completed == done).await;
        assert_eq!(snapshot.progress.fraction, Some(f64::from(parts) / 20.0));
        assert_eq!(run.snapshot().progress.completed, done);
        run.cancel(CancelReason::User);
        let report = run.finish().await;
        assert_eq!(report.outcome, TestOutcome::Cancelled(CancelReason::User));
        assert_eq!((report.progress.last().unwrap().completed, report.elapsed), (done, Duration::ZERO));
    }
    let run = test.start(&path).unwrap();
    for part in 1..=20 {
        run.until(|task| task.progress.completed == part * PART as u64).await;
    }
    assert_eq!(run.finish().await.outcome, TestOutcome::Completed(()), "it goes on");
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn each_single_report_and_status_is_waited_for() {
    let test = of(retries(2), async |ctx: TaskContext<u32>, (): ()| {
        ctx.progress().set(1).message("a").set(2).message("b").detail(7);
        sleep(secs(1)).await;
        ctx.progress().total(9);
        Err::<(), _>(ctx.attempt())
    });
    let run = test.start(()).unwrap();
    let first = run.until(|task| task.status == TaskStatus::Queued).await;
    assert_eq!(first.attempt, 0);
    let a = run.until(|task| task.progress.message.as_deref() == Some("a")).await;
    assert_eq!((a.progress.completed, a.progress.detail), (1, None), "as it was then");
    assert_eq!(run.snapshot().progress.completed, 2, "it went on to its next await");
    let total = run.until(|task| task.progress.total == Some(9)).await;
    assert_eq!((total.attempt, total.progress.completed), (1, 2));
    let waits = run.until(|task| task.next_attempt_at.is_some()).await;
    assert_eq!(waits.status, TaskStatus::Retrying);
    assert_eq!(run.until(|task| task.attempt == 2).await.status, TaskStatus::Running);
    assert_eq!(run.until(|task| task.status.is_final()).await.status, TaskStatus::Failed);
    assert_eq!(run.until(|task| task.status.is_final()).await.status, TaskStatus::Failed, "it holds at once");
    assert_eq!(run.finish().await.elapsed, secs(12));
}

#[tokio::test(start_paused = true)]
async fn a_handler_goes_on_when_the_test_waits_no_more() {
    let test = TestTask::new(async |ctx: TaskContext, (): ()| {
        for _ in 0..10 {
            ctx.progress().inc(1);
            sleep(secs(1)).await;
        }
        Ok::<_, Failure>(())
    });
    let run = test.start(()).unwrap();
    let wait = run.until(|task| task.progress.completed == 11);
    assert!(tokio::time::timeout(millis(3_500), wait).await.is_err());
    assert_eq!(run.snapshot().progress.completed, 4);
    let report = run.finish().await;
    assert_eq!((report.outcome, report.elapsed), (TestOutcome::Completed(()), secs(10)));
}

#[tokio::test(start_paused = true)]
#[should_panic(
    expected = "the task has ended before what the test waits for: It is Completed in attempt 1, at 3 with no message"
)]
async fn a_report_that_never_comes_fails_the_test() {
    let test = TestTask::new(async |ctx: TaskContext, (): ()| {
        ctx.progress().inc(3);
        Ok::<_, Failure>(())
    });
    test.start(()).unwrap().until(|task| task.progress.completed == 2).await;
}
