//! What a handler can do through its context.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use serde::{Serialize, Serializer};
use support::{is_cancelled, manager};
use tauri_plugin_tasks_engine::{
    CancelReason, ErrorKind, Failure, Outcome, TaskChange, TaskContext, TaskStatus, Unit,
    test::{TestOutcome, TestTask, log::Log},
};
use tokio::time::sleep;

type Nothing = Result<(), Failure>;

#[tokio::test(start_paused = true)]
async fn progress_has_a_fraction_a_rate_and_an_estimate() {
    #[derive(Serialize)]
    struct Stage {
        stage: &'static str,
    }
    let tasks = manager();
    let task = tasks.spawn("count", async |ctx: TaskContext<Stage>| -> Nothing {
        ctx.progress().unit(Unit::Bytes).total(10_000).message("counting").detail(Stage { stage: "first half" }).inc(0);
        for _ in 0..100 {
            sleep(Duration::from_millis(100)).await;
            ctx.progress().inc(100);
        }
        Ok(())
    });
    sleep(Duration::from_millis(350)).await;
    let early = task.snapshot().progress;
    assert_eq!((early.rate, early.eta_ms), (None, None), "it is too early for a rate");
    sleep(Duration::from_millis(4_700)).await;
    let progress = task.snapshot().progress;
    assert_eq!((progress.completed, progress.total, progress.unit), (5_000, Some(10_000), Unit::Bytes));
    assert_eq!(progress.fraction, Some(0.5));
    assert!((progress.rate.unwrap() - 1_000.0).abs() < 50.0, "{progress:?}");
    assert!(progress.eta_ms.unwrap().abs_diff(5_000) < 300, "{progress:?}");
    assert_eq!(progress.message.as_deref(), Some("counting"));
    assert_eq!(progress.detail.unwrap().text(), r#"{"stage":"first half"}"#);
    task.outcome().await;
    let last = task.snapshot().progress;
    assert_eq!((last.completed, last.rate, last.eta_ms), (10_000, None, None), "an ended task has no rate");
}

#[tokio::test(start_paused = true)]
async fn the_last_progress_that_a_watcher_is_told_has_no_rate_even_if_earlier_ones_had() {
    let tasks = manager();
    let task = tasks.spawn("count", async |ctx: TaskContext| -> Nothing {
        for _ in 0..30 {
            sleep(Duration::from_millis(100)).await;
            ctx.progress().total(100).inc(1);
        }
        sleep(Duration::from_millis(300)).await;
        Ok(())
    });
    let mut watch = task.watch();
    let (mut highest, mut last) = (None, None);
    while let Some(event) = watch.next().await {
        if let TaskChange::Progress(progress) = event.change {
            highest = highest.max(progress.eta_ms);
            last = Some((progress.rate, progress.eta_ms));
        }
    }
    assert!(highest.is_some());
    assert_eq!(last, Some((None, None)));
}

#[tokio::test(start_paused = true)]
async fn a_report_that_can_not_be_shown_does_not_fail_the_work() {
    let log = Log::capture();
    let test = TestTask::new(async |ctx: TaskContext<Odd>, (): ()| -> Nothing {
        ctx.progress().detail(Odd::Fine);
        for odd in [Odd::Long, Odd::Unwritable, Odd::Panics, Odd::Long] {
            ctx.progress().detail(odd).message("x".repeat(2_000)).inc(1);
        }
        Ok(())
    });
    for _ in 0..2 {
        let report = test.run(()).await.unwrap();
        assert_eq!((report.outcome, report.details), (TestOutcome::Completed(()), vec![Odd::Fine]));
        let last = report.progress.last().unwrap();
        assert_eq!(last.detail, Some(Odd::Fine), "the last one that could be shown");
        assert_eq!((last.completed, last.message.as_ref().unwrap().len()), (4, 1_022));
    }
    assert_eq!(log.count("a progress detail is left out"), 2, "once for each task: {log:?}");
    assert!(log.text().contains("4096") && log.text().contains("try_detail"), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn try_detail_says_why_a_detail_is_left_out() {
    let log = Log::capture();
    let test = TestTask::new(async |ctx: TaskContext<Odd>, (): ()| -> Nothing {
        ctx.progress().try_detail(Odd::Fine)?;
        for (odd, kind, problem) in [
            (Odd::Long, ErrorKind::TooLarge, "4096"),
            (Odd::Unwritable, ErrorKind::Unserializable, "not today"),
            (Odd::Panics, ErrorKind::Unserializable, "panicked"),
        ] {
            let error = ctx.progress().try_detail(odd).unwrap_err();
            assert_eq!(error.kind, kind);
            assert!(error.message.contains(problem), "{error}");
        }
        Ok(())
    });
    let report = test.run(()).await.unwrap();
    assert_eq!((report.outcome, report.details), (TestOutcome::Completed(()), vec![Odd::Fine]));
    assert_eq!(log.count("left out"), 0, "{log:?}");
}

/// A detail that serializes as its variant's name says.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Odd {
    Fine,
    Long,
    Unwritable,
    Panics,
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fine => serializer.serialize_str("fine"),
            Self::Long => serializer.serialize_str(&"x".repeat(5_000)),
            Self::Unwritable => Err(serde::ser::Error::custom("not today")),
            Self::Panics => panic!("as told"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_event_comes_after_the_end() {
    let tasks = manager();
    let (send, receive) = tokio::sync::oneshot::channel();
    let task = tasks.spawn("leaves", async |ctx: TaskContext| -> Nothing {
        ctx.progress().set(1);
        let _ = send.send(ctx.clone());
        Ok(())
    });
    let mut watch = task.watch();
    let left = receive.await.unwrap();
    task.outcome().await;
    left.progress().set(99);
    let mut events = Vec::new();
    while let Some(event) = watch.next().await {
        events.push(event.change);
        assert!(events.len() < 10, "reports after the end hold up the end: {events:?}");
        left.progress().inc(1);
    }
    assert!(matches!(events.last(), Some(TaskChange::Status(change)) if change.status == TaskStatus::Completed));
    assert_eq!(task.snapshot().progress.completed, 1);
}

#[tokio::test]
async fn blocking_work_returns_its_value_and_its_panics() {
    let test = TestTask::new(async |ctx: TaskContext, panics: bool| {
        let work = move |_| if panics { panic!("in the thread") } else { (1..=10_u32).product::<u32>() };
        Ok::<_, Failure>(ctx.spawn_blocking(work).await)
    });
    assert_eq!(test.run(false).await.unwrap().outcome, TestOutcome::Completed(3_628_800));
    assert_eq!(test.run(true).await.unwrap().outcome, TestOutcome::Panicked("in the thread".into()));
}

#[tokio::test]
async fn blocking_work_that_polls_its_token_stops() {
    let tasks = manager();
    let (started, has_started) = tokio::sync::oneshot::channel();
    let stopped = Arc::new(AtomicBool::new(false));
    let in_thread = Arc::clone(&stopped);
    let task = tasks.spawn("block", async move |ctx: TaskContext| -> Nothing {
        ctx.spawn_blocking(move |token| {
            let _ = started.send(());
            while !token.is_cancelled() {
                std::thread::yield_now();
            }
            in_thread.store(true, SeqCst);
        })
        .await;
        Ok(())
    });
    has_started.await.unwrap();
    task.cancel().unwrap();
    assert!(is_cancelled(&task.outcome().await, CancelReason::User));
    assert!(stopped.load(SeqCst), "a task ends when its work has really stopped");
}

#[tokio::test]
async fn work_left_on_a_thread_is_told_to_stop_when_the_handler_fails() {
    let tasks = manager();
    let stopped = Arc::new(AtomicBool::new(false));
    let in_thread = Arc::clone(&stopped);
    let task = tasks.spawn("block", async move |ctx: TaskContext| -> Nothing {
        let (started, has_started) = tokio::sync::oneshot::channel();
        let left = ctx.spawn_blocking(move |token| {
            let _ = started.send(());
            while !token.is_cancelled() {
                std::thread::yield_now();
            }
            in_thread.store(true, SeqCst);
        });
        has_started.await?;
        drop(left);
        Err(Failure::new("another part failed"))
    });
    assert!(matches!(task.outcome().await, Outcome::Failed(failure) if failure.message == "another part failed"));
    assert!(stopped.load(SeqCst));
}

#[tokio::test(start_paused = true)]
async fn blocking_work_that_overstays_is_shown_as_overdue_until_it_returns() {
    let tasks = manager();
    let (release, released) = mpsc::channel::<()>();
    let (started, has_started) = tokio::sync::oneshot::channel();
    let task = tasks.spawn("stubborn", async move |ctx: TaskContext| -> Nothing {
        ctx.spawn_blocking(move |_| {
            let _ = started.send(());
            let _ = released.recv();
        })
        .await;
        Ok(())
    });
    has_started.await.unwrap();
    let mut watch = task.watch();
    task.cancel().unwrap();
    // Paused time doesn't advance by itself while a thread is busy, so the test advances it once the timers are set. A jump
    // would count as a sleep where the runtime's clock goes on in one.
    for _ in 0..60 {
        tokio::task::yield_now().await;
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    let mut seen = Vec::new();
    let mut release = Some(release);
    while let Some(event) = watch.next().await {
        if let TaskChange::Status(change) = event.change {
            seen.push((change.status, change.overdue));
            if change.overdue {
                release.take();
            }
        }
    }
    assert_eq!(seen, [(TaskStatus::Cancelling, false), (TaskStatus::Cancelling, true), (TaskStatus::Cancelled, false)]);
}
