//! Calls the commands until a page holds as much as it may at once, behind the real permission files. Another window is
//! answered all the while. What one argument may be is in `limits.rs`.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use serde_json::{Value, json};
use support::kinds::{self, CHANNEL};
use tauri_plugin_tasks::test::{PageError, TestApp, TestPage};

const ALL: &str = r#"{ "identifier": "all", "windows": ["main", "second"], "permissions": [
    "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }] }
] }"#;

struct Windows {
    _app: TestApp,
    main: TestPage,
    second: TestPage,
}

impl Windows {
    async fn new() -> Self {
        let app = kinds::app(&[ALL]);
        let (main, second) = (app.page("main").open(), app.page("second").open());
        for (page, session) in [(&main, "s"), (&second, "t")] {
            page.call("open", open(session)).await.unwrap();
        }
        second.call("start", silent("t", 0)).await.unwrap();
        Self { _app: app, main, second }
    }

    /// Calls a command of the page, and `get` of the other window while it runs.
    async fn call(&self, command: &str, arguments: &Value) -> Result<Value, PageError> {
        let other = async { self.second.call("get", json!({ "id": id(0) })).await.unwrap() };
        // The first is polled first, so its call is under way.
        let (answer, snapshot) = tokio::join!(self.main.call(command, arguments.clone()), other);
        assert_eq!(snapshot["endedAt"], Value::Null, "{command} has ended the task of another window");
        answer
    }

    /// Calls a command, which must be refused with an error of this kind that repeats next to nothing. The other window is
    /// answered meanwhile and afterwards, and its task is untouched.
    async fn refused(&self, command: &str, arguments: &Value, kind: &str) -> PageError {
        let error = self.call(command, arguments).await.unwrap_err();
        assert_eq!(error["kind"], kind, "{command}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.len() < 4_096, "{command}: the message has {} bytes", message.len());
        assert_eq!(self.second.call("get", json!({ "id": id(0) })).await.unwrap()["endedAt"], Value::Null);
        error
    }
}

/// Returns the arguments that open a session.
fn open(session: &str) -> Value {
    json!({ "session": session, "protocol": 5, "channel": CHANNEL })
}

fn id(number: u32) -> String {
    format!("01890000-0000-7000-8000-{number:012x}")
}

/// Returns the arguments of a start of a task that emits nothing and doesn't end.
fn silent(session: &str, number: u32) -> Value {
    let input = json!({ "to": 0, "hangs": true });
    json!({ "session": session, "id": id(number), "task": "numbers", "input": input, "options": {} })
}

#[tokio::test]
async fn a_17th_session_a_257th_list_and_a_65th_reader_are_refused() {
    let windows = Windows::new().await;
    for number in 1..16 {
        windows.call("open", &open(&number.to_string())).await.unwrap();
    }
    let error = windows.refused("open", &open("one more"), "quotaExceeded").await;
    assert_eq!(error["data"], json!({ "quota": "sessions", "limit": 16 }));
    windows.call("ack", &json!({ "session": "s", "message": 0 })).await.expect("the first is still open");

    let watch = |watch: u32| {
        let session = if watch.is_multiple_of(2) { "1" } else { "s" };
        json!({ "session": session, "target": { "type": "list", "data": { "watch": watch, "filter": { "task": [] } } } })
    };
    for number in 0..256 {
        windows.call("watch", &watch(number)).await.unwrap();
    }
    let error = windows.refused("watch", &watch(256), "quotaExceeded").await;
    assert_eq!(error["data"], json!({ "quota": "lists", "limit": 256 }));
    windows.call("watch", &watch(255)).await.expect("it is watched already");
    windows.second.call("watch", json!({ "session": "t", "target": watch(256)["target"] })).await.unwrap();

    let read =
        |number: u32| json!({ "session": "s", "id": id(number), "reader": "r", "chunk": 1, "from": null, "waitMs": 0 });
    for number in 1..=65 {
        windows.call("start", &silent("s", number)).await.unwrap();
    }
    for number in 1..=64 {
        assert_eq!(windows.call("read", &read(number)).await.unwrap(), Value::Null);
    }
    let error = windows.refused("read", &read(65), "quotaExceeded").await;
    assert_eq!(error["data"], json!({ "quota": "readers", "limit": 64 }));
    windows
        .main
        .call("cancel_read", json!({ "session": "s", "id": id(1), "reader": "r", "position": 0 }))
        .await
        .unwrap();
    windows.call("read", &read(65)).await.expect("there is a place again");
}
