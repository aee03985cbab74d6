//! Tests that an awaited failure is not logged. The test has its own file, and so its own process, because it captures
//! the log of all threads.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use support::kinds;
use tauri_plugin_tasks_engine::test::log::Log;

#[tokio::test]
async fn a_failure_that_its_starter_awaits_is_never_logged() {
    let log = Log::capture_everywhere();
    let app = kinds::app(&[]);
    for _ in 0..2_000 {
        let task = app.tasks().start("fails", ()).unwrap();
        task.outcome().await;
    }
    assert_eq!(log.count("nobody was watching"), 0);
}
