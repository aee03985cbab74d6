//! Tests that the log names a scope entry that changes nothing. The test has its own file, and so its own process, because
//! it captures the log of all threads.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use serde_json::json;
use support::kinds;
use tauri_plugin_tasks_engine::test::log::Log;

const NARROWED: &str = r#"{ "identifier": "narrowed", "windows": ["main"], "permissions": [
    "tasks:default",
    { "identifier": "tasks:allow-start", "allow": [{ "task": "hang", "owner": "self" }] },
    { "identifier": "tasks:allow-list", "allow": [{ "task": "listed", "owner": "self" }] },
    { "identifier": "tasks:allow-cancel", "allow": [{ "task": "cancelled" }] }
] }"#;

#[tokio::test]
async fn an_entry_that_changes_nothing_is_named_once_with_its_command_and_what_to_write_instead() {
    let log = Log::capture_everywhere();
    let app = kinds::app(&[NARROWED]);
    let main = app.page("main").open();
    for _ in 0..2 {
        let id = main.start("hang", (), json!({})).await.unwrap();
        assert_eq!(main.list(json!({ "status": ["running"] })).await.unwrap().len(), 1, "the entry doesn't narrow");
        main.cancel(id).await.unwrap();
        main.outcome(id).await.unwrap();
    }
    for (task, command) in [("listed", "list"), ("cancelled", "cancel")] {
        assert_eq!(log.count(&format!("{{ \"task\": \"{task}\", \"owner\": \"self\" }}")), 1, "{log:?}");
        assert_eq!(log.count(&format!("the command \"{command}\"")), 1, "{log:?}");
    }
    assert_eq!(log.count("\"task\": \"hang\""), 0, "it says what may be started: {log:?}");
    assert_eq!((log.count("under \"deny\""), log.count("\"tasks:allow-start\"")), (2, 2), "{log:?}");
}
