//! The test kit runs kinds as they are registered, with all their rules.

#![cfg(feature = "test")]
#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::time::Duration;

use tauri::{AppHandle, Manager, Runtime, test::mock_app};
use tauri_plugin_tasks::{
    Backoff, CancelReason, Failure, OnOwnerClosed, Retry, Task, TaskContext, TaskKey, TasksExt, TimeLimit, Unread,
    test::{TestOutcome, TestTask},
};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, PartialEq, serde::Serialize)]
enum SyncError {
    Offline,
    WrongPassword,
}

async fn sync(ctx: TaskContext<String, u32>, fails: u32) -> Result<u32, SyncError> {
    ctx.progress().detail(format!("attempt {}", ctx.attempt()));
    ctx.emit(ctx.attempt()).await;
    sleep(SECOND).await;
    match fails {
        0 => Err(SyncError::WrongPassword),
        fails if ctx.attempt() <= fails => Err(SyncError::Offline),
        _ => Ok(ctx.attempt()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_is_run_with_its_retries_and_its_test_on_the_error() {
    let retry = Retry::attempts(3).backoff(Backoff::constant(10 * SECOND));
    let task = Task::new("sync", sync).retry(retry).retry_if(|error| *error == SyncError::Offline);
    let test = TestTask::of(task);
    for (fails, outcome, attempts) in [
        (1, TestOutcome::Completed(2), 2),
        (9, TestOutcome::Failed(SyncError::Offline), 3),
        (0, TestOutcome::Failed(SyncError::WrongPassword), 1),
    ] {
        let report = test.run(fails).await.unwrap();
        assert_eq!((report.outcome, report.attempts), (outcome, attempts));
        assert_eq!(report.elapsed, SECOND * attempts + 10 * SECOND * (attempts - 1));
        assert_eq!(report.items, (1..=attempts).collect::<Vec<_>>());
        assert_eq!(report.details.len(), report.items.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_with_a_key_a_group_and_time_limits_is_run_too() {
    const WAIT: TaskKey<u64, (), Failure> = TaskKey::new("wait");
    let wait = async |_: TaskContext, seconds: u64| {
        sleep(Duration::from_secs(seconds)).await;
        Ok::<_, Failure>(())
    };
    let task = Task::new(WAIT, wait).group("disk").concurrency(1).timeout(10 * SECOND).delay(SECOND);
    let test = TestTask::of(task);
    let report = test.run(5).await.unwrap();
    assert_eq!((report.outcome, report.elapsed), (TestOutcome::Completed(()), 6 * SECOND));
    let report = test.run(50).await.unwrap();
    assert_eq!((report.outcome, report.elapsed), (TestOutcome::TimedOut(TimeLimit::Timeout), 11 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn the_rules_for_owners_and_readers_hold() {
    let task = Task::new("sync", sync).on_owner_closed(OnOwnerClosed::Cancel).item_buffer(1, 100).unread(Unread::Wait);
    let run = TestTask::of(task).start(9).unwrap();
    run.settle().await;
    run.drop_owner();
    assert_eq!(run.finish().await.outcome, TestOutcome::Cancelled(CancelReason::OwnerClosed));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "task \"sync\" can't be registered: it has retry_if without retry")]
async fn a_kind_with_which_no_app_starts_is_not_run() {
    let _ = TestTask::of(Task::new("sync", sync).retry_if(|_| true));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "task \"name\" can't be registered: its timeout is zero")]
async fn a_kind_with_the_app_with_which_no_app_starts_is_not_run() {
    let _ = Task::new("name", name_of_app).timeout(Duration::ZERO).test_with(mock_app().handle());
}

#[test]
#[should_panic(
    expected = "the tasks plugin is not registered in this app: call .plugin(tauri_plugin_tasks::Builder::new()"
)]
fn an_app_without_the_plugin_has_no_tasks() {
    let _ = mock_app().tasks();
}

async fn name_of_app<R: Runtime>(app: AppHandle<R>, _ctx: TaskContext, suffix: String) -> Result<String, Failure> {
    Ok(app.state::<&'static str>().to_string() + &suffix)
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_the_app_is_given_one() {
    let app = mock_app();
    app.manage("mock");
    let test = Task::new("name", name_of_app).timeout(SECOND).test_with(app.handle());
    assert_eq!(test.run("-app").await.unwrap().outcome, TestOutcome::Completed("mock-app".to_owned()));
    let handle = app.handle().clone();
    let alone = TestTask::new(move |ctx, suffix| name_of_app(handle.clone(), ctx, suffix));
    assert_eq!(alone.run("!").await.unwrap().outcome, TestOutcome::Completed("mock!".to_owned()));
}
