//! Tests that an app which exits logs no failure of what it leaves alone. The test has its own file, and so its own
//! process, because it captures the log of all threads.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use std::time::Duration;

use support::kinds;
use tauri_plugin_tasks::{ErrorKind, FailureKind, Outcome, test};
use tauri_plugin_tasks_engine::test::log::Log;

#[tokio::test]
async fn an_exit_that_leaves_a_task_alone_logs_nothing() {
    let log = Log::capture_everywhere();
    let (tasks, has_begun) = kinds::left();
    let app = test::app(tasks);
    let (awaited, unwatched) = (app.tasks().start("left", ()).unwrap(), app.tasks().start("left", ()).unwrap());
    for _ in 0..2 {
        has_begun.recv_timeout(Duration::from_secs(30)).unwrap();
    }
    let (id, tasks) = (unwatched.id(), app.tasks().clone());
    drop(unwatched);
    let report = app.exit().await;
    assert_eq!((report.lost().count(), report.waited_for().count()), (2, 0));
    // The runtime of the handlers ends with the app.
    for task in [awaited.outcome().await, tasks.handle(id).unwrap().outcome().await] {
        assert!(matches!(task, Outcome::Failed(failure) if failure.kind == FailureKind::RuntimeEnded));
    }
    assert_eq!(tasks.start("left", ()).unwrap_err().kind, ErrorKind::ShuttingDown);
    assert_eq!(log.count("ERROR"), 0, "{log:?}");
}
