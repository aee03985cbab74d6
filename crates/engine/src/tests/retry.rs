//! Retries, by policy and by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use serde::Serialize;
use tokio::time::sleep;

use super::manager;
use crate::{
    Backoff, BatchOptions, CancelReason, ErrorKind, Failure, FailureKind, OnConflict, Outcome, Retry, StartOptions,
    TaskChange, TaskContext, TaskId, TaskManager, TaskStatus, TaskWatch,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A policy with this many attempts, exactly 1, 2, 4, … seconds apart.
fn attempts(attempts: u32) -> Policy {
    Policy { retry: Some(Retry::attempts(attempts).backoff(Backoff::exponential().jitter(false))), ..Policy::default() }
}

/// A kind that fails as many attempts as its input says. The next attempt takes a second and completes.
fn flaky(name: &str, policy: Policy) -> Kind {
    Kind::new(name, policy, Errors::default(), async |ctx: TaskContext, fails: u32| {
        if ctx.attempt() <= fails {
            return Err(Failure::new(format!("attempt {} failed", ctx.attempt())));
        }
        sleep(secs(1)).await;
        Ok(ctx.attempt())
    })
}

fn flaky_only(policy: Policy) -> TaskManager {
    manager([flaky("a", policy)], Settings::default())
}

/// Returns every later status, with the time of the change in milliseconds and the number of the attempt.
async fn statuses(mut watch: TaskWatch) -> Vec<(TaskStatus, u64, u32)> {
    let mut statuses = Vec::new();
    while let Some(event) = watch.next().await {
        if let TaskChange::Status(change) = event.change {
            statuses.push((change.status, change.at, change.attempt));
        }
    }
    statuses
}

#[tokio::test(start_paused = true)]
async fn a_failed_task_is_retried_after_a_growing_delay() {
    use TaskStatus::{Completed, Queued, Retrying, Running};
    let tasks = flaky_only(attempts(5));
    let task = tasks.start("a", 2).unwrap();
    let expected = [
        (Running, 0, 1),
        (Retrying, 0, 1),
        (Queued, 1_000, 1),
        (Running, 1_000, 2),
        (Retrying, 1_000, 2),
        (Queued, 3_000, 2),
        (Running, 3_000, 3),
        (Completed, 4_000, 3),
    ];
    assert_eq!(statuses(task.watch()).await, expected);
    assert_eq!(task.outcome().await.output::<u32>().unwrap(), Some(3));
    assert_eq!((task.snapshot().started_at, task.snapshot().error), (Some(0), None));
}

#[tokio::test(start_paused = true)]
async fn the_error_of_the_last_attempt_is_that_of_the_task() {
    for most in [0, 1, 3] {
        let task = flaky_only(attempts(most)).start("a", 99).unwrap();
        let Outcome::Failed(failure) = task.outcome().await else { panic!() };
        let last = most.max(1);
        assert_eq!((task.snapshot().attempt, failure.message), (last, format!("attempt {last} failed")));
    }
    let task = flaky_only(Policy::default()).start("a", 1).unwrap();
    task.outcome().await;
    assert_eq!((task.status(), task.snapshot().attempt), (TaskStatus::Failed, 1), "its policy has no retries");
}

#[tokio::test(start_paused = true)]
async fn only_an_error_that_passes_retry_if_is_retried() {
    #[derive(Serialize)]
    enum SyncError {
        Offline,
        WrongPassword,
    }
    let offline = |error: &SyncError| matches!(error, SyncError::Offline);
    let errors = Errors { describe: None, retry_if: Some(Arc::new(offline)) };
    let kind = Kind::new("a", attempts(9), errors, async |ctx: TaskContext, online_from: u32| {
        Err::<(), _>(if ctx.attempt() < online_from { SyncError::Offline } else { SyncError::WrongPassword })
    });
    let tasks = manager([kind], Settings::default());
    for online_from in [1, 3] {
        let task = tasks.start("a", online_from).unwrap();
        let Outcome::Failed(failure) = task.outcome().await else { panic!() };
        assert_eq!((task.snapshot().attempt, failure.message.as_str()), (online_from, "WrongPassword"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_not_retried_wherever_it_comes_from() {
    let kind = Kind::new("a", attempts(9), Errors::default(), async |_: TaskContext, (): ()| -> Result<(), Failure> {
        panic!("as told")
    });
    let test = |_: &Failure| -> bool { panic!("in the test") };
    let errors = Errors { describe: None, retry_if: Some(Arc::new(test)) };
    let policy = Policy { concurrency: Some(1), ..attempts(9) };
    let tested = Kind::new("b", policy, errors, async |_: TaskContext, (): ()| Err::<(), _>(Failure::new("an error")));
    let tasks = manager([kind, tested], Settings::default());
    for task in ["a", "b", "b"].map(|task| tasks.start(task, ()).unwrap()) {
        let Outcome::Failed(failure) = task.outcome().await else { panic!() };
        assert_eq!((failure.kind, task.snapshot().attempt), (FailureKind::Panic, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_for_its_next_attempt_shows_when_and_why() {
    let tasks = flaky_only(attempts(3));
    let task = tasks.start("a", 2).unwrap();
    let mut watch = task.watch();
    sleep(Duration::from_millis(1_500)).await;
    let snapshot = task.snapshot();
    assert_eq!((snapshot.status, snapshot.attempt), (TaskStatus::Retrying, 2));
    assert_eq!((snapshot.next_attempt_at, snapshot.queue), (Some(3_000), None));
    let error = snapshot.error.unwrap();
    assert_eq!((error.kind, error.message.as_str()), (FailureKind::Error, "attempt 2 failed"));
    let mut told = Vec::new();
    while let Some(event) = watch.next().await {
        if let TaskChange::Status(change) = event.change
            && change.status == TaskStatus::Retrying
        {
            told.push((change.next_attempt_at, change.error.unwrap().message, change.outcome));
        }
    }
    let expected = [(Some(1_000), "attempt 1 failed".into(), None), (Some(3_000), "attempt 2 failed".into(), None)];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn a_retrying_task_leaves_its_slot_to_others() {
    let tasks = flaky_only(Policy { concurrency: Some(1), ..attempts(3) });
    let (fails, other) = (tasks.start("a", 2).unwrap(), tasks.start("a", 0).unwrap());
    sleep(Duration::from_millis(500)).await;
    assert_eq!((fails.status(), other.status()), (TaskStatus::Retrying, TaskStatus::Running));
    fails.outcome().await;
    assert_eq!((fails.snapshot().ended_at, other.snapshot().ended_at), (Some(4_000), Some(1_000)));
}

#[tokio::test(start_paused = true)]
async fn a_retried_task_queues_in_its_old_place() {
    let tasks = flaky_only(Policy { concurrency: Some(1), queue_limit: Some(2), ..attempts(3) });
    let started = [1, 0, 0].map(|fails| tasks.start("a", fails).unwrap());
    sleep(Duration::from_millis(10)).await;
    let late = tasks.start("a", 0).unwrap();
    for task in started.iter().chain([&late]) {
        assert!(matches!(task.outcome().await, Outcome::Completed { .. }), "another attempt is never refused");
    }
    let ended = started.map(|task| task.snapshot().ended_at.unwrap());
    assert_eq!((ended, late.snapshot().ended_at), ([2_000, 1_000, 3_000], Some(4_000)), "it runs before younger tasks");
}

#[tokio::test(start_paused = true)]
async fn a_cancel_between_two_attempts_ends_the_task_at_once() {
    let tasks = flaky_only(Policy { concurrency: Some(1), ..attempts(3) });
    let task = tasks.start("a", 2).unwrap();
    sleep(Duration::from_millis(500)).await;
    task.cancel().unwrap();
    let snapshot = task.snapshot();
    assert_eq!((snapshot.status, &snapshot.cancel_reason), (TaskStatus::Cancelled, &Some(CancelReason::User)));
    assert_eq!((snapshot.ended_at, snapshot.next_attempt_at, &snapshot.error), (Some(500), None, &None));
    sleep(secs(60)).await;
    assert_eq!(task.snapshot(), snapshot, "it does not come back");
    assert_eq!(tasks.start("a", 0).unwrap().outcome().await.output::<u32>().unwrap(), Some(1), "its slot is free");
}

#[tokio::test(start_paused = true)]
async fn progress_is_reset_for_a_new_attempt() {
    let kind = Kind::new("a", attempts(2), Errors::default(), async |ctx: TaskContext, (): ()| {
        if ctx.attempt() == 1 {
            ctx.progress().total(10).set(7).message("nearly");
            return Err(Failure::new("no"));
        }
        sleep(secs(1)).await;
        Ok(())
    });
    let task = manager([kind], Settings::default()).start("a", ()).unwrap();
    let mut watch = task.watch();
    sleep(Duration::from_millis(500)).await;
    assert_eq!(task.snapshot().progress.completed, 7, "until the next attempt it stays as it was");
    let mut told = vec![];
    while let Some(event) = watch.next().await {
        if let TaskChange::Progress(progress) = event.change {
            told.push((progress.completed, progress.total, progress.message.is_some()));
        }
    }
    assert_eq!(told, [(7, Some(10), true), (0, None, false)]);
}

#[tokio::test(start_paused = true)]
async fn a_task_can_be_held_and_prioritized_between_two_attempts() {
    let tasks = flaky_only(Policy { concurrency: Some(1), ..attempts(2) });
    let task = tasks.start("a", 1).unwrap();
    sleep(Duration::from_millis(500)).await;
    task.pause().unwrap();
    task.set_priority(-5).unwrap();
    sleep(secs(10)).await;
    let place = task.snapshot().queue.unwrap();
    assert_eq!((task.status(), place.position, place.priority, place.held), (TaskStatus::Queued, None, -5, true));
    let others: Vec<_> = (0..2).map(|_| tasks.start("a", 0).unwrap()).collect();
    task.resume().unwrap();
    task.outcome().await;
    assert_eq!(task.snapshot().ended_at, Some(13_500));
    assert!(others.iter().all(|other| other.status() == TaskStatus::Completed), "they have the higher priority");
}

#[tokio::test(start_paused = true)]
async fn a_resumed_task_still_waits_for_its_delay() {
    let tasks = flaky_only(attempts(2));
    let task = tasks.start("a", 1).unwrap();
    sleep(Duration::from_millis(500)).await;
    task.pause().unwrap();
    task.resume().unwrap();
    task.outcome().await;
    assert_eq!(task.snapshot().ended_at, Some(2_000));
}

// By hand.

/// A manager of one kind, `a`, whose tasks fail, hang or complete the first time, and complete from then on.
fn second_time_lucky() -> TaskManager {
    let runs = AtomicUsize::new(0);
    let kind = Kind::new("a", Policy::default(), Errors::default(), move |_: TaskContext, how: String| {
        let run = runs.fetch_add(1, SeqCst);
        async move {
            match (run, &*how) {
                (0, "fails") => Err(Failure::new("no")),
                (0, "hangs") => std::future::pending().await,
                _ => Ok(how),
            }
        }
    });
    manager([kind], Settings::default())
}

#[tokio::test(start_paused = true)]
async fn a_failed_timed_out_or_cancelled_task_can_be_started_again() {
    for end in [TaskStatus::Failed, TaskStatus::TimedOut, TaskStatus::Cancelled] {
        let tasks = second_time_lucky();
        let how = if end == TaskStatus::Failed { "fails" } else { "hangs" };
        let options =
            StartOptions::new().priority(3).tag("t").label("Again").timeout(secs(5)).key("k", OnConflict::Refuse);
        let first = tasks.start_with("a", how, options).unwrap();
        if end == TaskStatus::Cancelled {
            sleep(secs(1)).await;
            first.cancel().unwrap();
        }
        first.outcome().await;
        assert_eq!(first.status(), end);
        let again = tasks.rerun("a", first.id()).unwrap();
        assert_ne!(again.id(), first.id());
        assert_eq!(again.outcome().await.output::<String>().unwrap().as_deref(), Some(how));
        let snapshot = again.snapshot();
        assert_eq!((snapshot.tags, snapshot.label), (vec!["t".to_owned()], Some("Again".into())));
        assert_eq!((snapshot.key.as_deref(), snapshot.attempt), (Some("k"), 1));
        assert_eq!(first.status(), end, "the first one stays what it is");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_started_again_keeps_its_priority_and_is_not_held() {
    let tasks = flaky_only(Policy { concurrency: Some(0), ..Policy::default() });
    let held = tasks.start_with("a", 0, StartOptions::new().priority(3).held()).unwrap();
    held.cancel().unwrap();
    let place = held.rerun().unwrap().snapshot().queue.unwrap();
    assert_eq!((place.priority, place.held, place.position), (3, false, Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_live_or_completed_task_is_not_started_again() {
    let tasks = flaky_only(Policy::default());
    let task = tasks.start("a", 0).unwrap();
    sleep(Duration::from_millis(1)).await;
    let error = task.rerun().unwrap_err();
    assert!(error.kind == ErrorKind::NotEnded && error.message.ends_with("before it is run again"), "{error}");
    task.outcome().await;
    let error = task.rerun().unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotRerunnable);
    assert!(error.message.contains("can't be run again: it has completed"), "{error}");
    assert_eq!(tasks.rerun("a", TaskId::new()).unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_spawned_task_or_a_batch_is_not_started_again() {
    let tasks = flaky_only(Policy::default());
    let spawned = tasks.spawn("once", async |_: TaskContext| Err::<(), _>(Failure::new("no")));
    spawned.outcome().await;
    let error = spawned.rerun().unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotRerunnable);
    assert!(error.message.contains("spawned"), "{error}");

    let batch = tasks.batch("a", [9, 0], BatchOptions::new()).unwrap();
    sleep(Duration::from_millis(1)).await;
    batch.cancel().unwrap();
    batch.outcome().await;
    let error = batch.rerun().unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotRerunnable);
    assert!(error.message.contains("members"), "{error}");
    let [failed, _] = &batch.members()[..] else { panic!() };
    let again = failed.rerun().unwrap();
    assert_eq!(again.snapshot().parent, None, "a member is started again by itself");
}

#[tokio::test(start_paused = true)]
async fn the_error_for_a_batch_with_failures_says_to_start_its_members_again() {
    let tasks = flaky_only(Policy::default());
    let batch = tasks.batch("a", [9, 0], BatchOptions::new()).unwrap();
    batch.outcome().await;
    let error = batch.rerun().unwrap_err();
    assert!(error.message.contains("members"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_error_for_a_live_task_does_not_speak_of_removing_it() {
    let tasks = flaky_only(Policy::default());
    let task = tasks.start("a", 0).unwrap();
    let error = task.rerun().unwrap_err();
    assert!(!error.message.contains("removed"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_task_is_not_started_again_if_its_key_was_taken_meanwhile() {
    let tasks = flaky_only(Policy::default());
    let options = || StartOptions::new().key("k", OnConflict::Refuse);
    let failed = tasks.start_with("a", 9, options()).unwrap();
    failed.outcome().await;
    let live = tasks.start_with("a", 0, options()).unwrap();
    assert_eq!(failed.rerun().unwrap_err().kind, ErrorKind::KeyTaken);
    live.outcome().await;
    assert!(failed.rerun().is_ok());
}
