//! Tests that the log names a scope entry that changes nothing. The test has its own file, and so its own process, because
//! it captures the log of all threads.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use serde_json::json;
use support::app::App;
use tauri_plugin_tasks_engine::test::log::Log;

const NARROWED: &str = r#"{ "identifier": "narrowed", "windows": ["main"], "permissions": [
    "tasks:default",
    { "identifier": "tasks:allow-start", "allow": [{ "task": "hang", "owner": "self" }] },
    { "identifier": "tasks:allow-list", "allow": [{ "task": "listed", "owner": "self" }] },
    { "identifier": "tasks:allow-cancel", "allow": [{ "task": "cancelled" }] }
] }"#;

#[test]
fn an_entry_that_changes_nothing_is_named_once_with_its_command_and_what_to_write_instead() {
    let log = Log::capture_everywhere();
    let app = App::new(&[NARROWED]);
    let main = app.window("main");
    main.open("s");
    let id = "01890000-0000-7000-8000-000000000001";
    let start = json!({ "session": "s", "id": id, "task": "hang", "input": null, "options": {} });
    for _ in 0..2 {
        main.call("start", start.clone()).unwrap();
        let listed = main.call("list", json!({ "filter": {} })).unwrap();
        assert_eq!(listed["tasks"].as_array().unwrap().len(), 1, "the entry doesn't narrow");
        main.call("cancel", json!({ "id": id, "reason": "user" })).unwrap_or_default();
    }
    for (task, command) in [("listed", "list"), ("cancelled", "cancel")] {
        assert_eq!(log.count(&format!("{{ \"task\": \"{task}\", \"owner\": \"self\" }}")), 1, "{log:?}");
        assert_eq!(log.count(&format!("the command \"{command}\"")), 1, "{log:?}");
    }
    assert_eq!(log.count("\"task\": \"hang\""), 0, "it says what may be started: {log:?}");
    assert_eq!((log.count("under \"deny\""), log.count("\"tasks:allow-start\"")), (2, 2), "{log:?}");
}
