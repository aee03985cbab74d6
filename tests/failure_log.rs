//! A file of its own, for a log that hears every thread.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use support::app::App;
use tauri_plugin_tasks_engine::test::log::Log;

#[test]
fn a_failure_that_its_starter_waits_for_is_never_logged() {
    let log = Log::capture_everywhere();
    let app = App::new(&[]);
    for _ in 0..2_000 {
        let task = app.tasks().start("fails", ()).unwrap();
        tauri::async_runtime::block_on(task.outcome());
    }
    assert_eq!(log.count("nobody was watching"), 0);
}
