//! Records what the commands take and return in `tests/wire/calls.json`, which the client's tests read, too: see
//! `guest-js/core/tests/wire.test.ts`. With `UPDATE_WIRE=1`, the test writes the file.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use support::{
    kinds::{self, CHANNEL, id},
    recorded::assert_current,
};
use tauri::ipc::InvokeResponseBody;
use tauri_plugin_tasks::{
    Schedule,
    test::{TestPage, until},
};

const MAIN: &str = r#"{ "identifier": "main", "windows": ["main"], "permissions": [
    "tasks:default", "tasks:observe-all", "tasks:control-all",
    { "identifier": "tasks:allow-start", "allow": [{ "task": "*", "owner": "any" }] },
    { "identifier": "tasks:allow-trigger", "allow": [{ "task": "*" }] },
    { "identifier": "tasks:allow-set-limit", "allow": [{ "task": "*", "owner": "any" }] }
] }"#;
const BARE: &str = r#"{ "identifier": "bare", "windows": ["bare"], "permissions": ["tasks:default"] }"#;
/// Stands for every time.
const TIME: u64 = 1_700_000_000_000;

/// The calls so far, in order.
struct Calls<'a> {
    main: &'a TestPage,
    recorded: Vec<Value>,
}

impl Calls<'_> {
    async fn record(&mut self, name: &str, command: &str, arguments: Value) {
        let main = self.main;
        self.record_on(main, name, command, arguments).await;
    }

    async fn record_on(&mut self, page: &TestPage, name: &str, command: &str, arguments: Value) {
        let mut call = json!({ "name": name, "command": command, "arguments": arguments });
        match page.call_raw(command, arguments).await {
            Ok(InvokeResponseBody::Raw(bytes)) => call["bytes"] = json!(bytes),
            Ok(body) => call["answer"] = body.deserialize().unwrap(),
            Err(error) => call["error"] = error.into_value(),
        }
        if command == "counts" {
            // The others look the same.
            call["answer"].as_array_mut().unwrap().truncate(1);
        }
        self.recorded.push(plain(call));
    }

    /// Starts a task and waits for its end, without recording anything.
    async fn run(&self, number: u8, task: &str, input: Value) {
        self.main.call("start", start(number, task, input, json!({}))).await.unwrap();
        until("the end", async || {
            !self.main.call("get", json!({ "id": id(number) })).await.unwrap()["endedAt"].is_null()
        })
        .await;
    }
}

fn start(number: u8, task: &str, input: Value, options: Value) -> Value {
    json!({ "session": "s", "id": id(number), "task": task, "input": input, "options": options })
}

/// Replaces what differs from run to run: times, rates, the progress of a batch that has just begun, and the ids that the
/// page has not chosen.
fn plain(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(plain).collect(),
        Value::Object(fields) => {
            let plain_field = |(name, value): (String, Value)| {
                let value = match name.as_str() {
                    "rate" | "etaMs" | "fraction" => Value::Null,
                    "input" => value,
                    name if (name == "at" || name.ends_with("At")) && value.is_u64() => TIME.into(),
                    _ => plain(value),
                };
                (name, value)
            };
            fields.into_iter().map(plain_field).collect::<Map<_, _>>().into()
        }
        Value::String(text) if is_id(&text) && !text.starts_with("01890000") => id(255).into(),
        other => other,
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

async fn recorded() -> Vec<Value> {
    let app = kinds::app(&[MAIN, BARE]);
    app.tasks().schedule("nightly", "echo", 7, Schedule::cron("0 3 * * *").unwrap()).unwrap();
    let (main, bare) = (app.page("main").open(), app.page("bare").open());
    let mut calls = Calls { main: &main, recorded: Vec::new() };

    // Sessions.
    let visible = json!({ "hidden": false, "change": 0 });
    calls
        .record("open", "open", json!({ "session": "s", "protocol": 5, "channel": CHANNEL, "visibility": visible }))
        .await;
    calls.record("protocolMismatch", "open", json!({ "session": "old", "protocol": 1, "channel": CHANNEL })).await;
    let hidden = json!({ "hidden": true, "change": 1 });
    calls.record("ack", "ack", json!({ "session": "s", "message": 0, "visibility": hidden })).await;
    calls.record("ack-without-visibility", "ack", json!({ "session": "s", "message": 0 })).await;
    calls.record("sessionGone", "ack", json!({ "session": "gone", "message": 0 })).await;
    let open = |session: u8| json!({ "session": session.to_string(), "protocol": 5, "channel": CHANNEL });
    for number in 1..=16 {
        bare.call("open", open(number)).await.unwrap();
    }
    calls.record_on(&bare, "quotaExceeded", "open", open(17)).await;

    // Starts.
    let options = json!({
        "priority": 5, "held": true, "key": "k", "onConflict": "refuse", "label": "A label", "tags": ["a", "b"],
        "delayMs": 60_000, "timeoutMs": 60_000, "deadlineMs": 3_600_000
    });
    let input = json!({ "nested": [1, null, "ü"] });
    calls.record("start", "start", start(1, "echo", input.clone(), options.clone())).await;
    calls.record("keyTaken", "start", start(2, "echo", input, options)).await;
    calls.record("invalidInput", "start", start(2, "double", json!({ "number": "x" }), json!({}))).await;
    calls.record("unknownTask", "start", start(2, "nothing", Value::Null, json!({}))).await;
    calls.record("invalidOptions", "start", start(2, "hang", Value::Null, json!({ "priority": 1.5 }))).await;
    let with_an_odd_id = json!({ "session": "s", "id": "7", "task": "hang", "input": null, "options": {} });
    calls.record("invalidId", "start", with_an_odd_id).await;
    calls.record_on(&bare, "notAllowed", "start", start(2, "hang", Value::Null, json!({}))).await;
    let batch = json!({
        "session": "s", "id": id(3), "task": "hang", "inputs": [null, null],
        "options": { "concurrency": 0, "priority": 1, "label": "Two", "tags": ["a"] }
    });
    calls.record("batch", "batch", batch).await;

    // What a page sees.
    calls.record("list", "list", json!({ "filter": {}, "limit": 1, "after": null })).await;
    calls.record("list-next", "list", json!({ "filter": { "task": ["hang"] }, "limit": 1, "after": 2 })).await;
    let filter = json!({ "task": ["echo"], "status": ["queued"], "tag": ["a"], "key": ["k"], "parent": [id(3)] });
    calls.record("list-none", "list", json!({ "filter": filter, "limit": null, "after": null })).await;
    calls.record("get", "get", json!({ "id": id(1) })).await;
    calls.record("notFound", "get", json!({ "id": id(99) })).await;
    let task = json!({ "type": "task", "data": { "id": id(1) } });
    let list = json!({ "type": "list", "data": { "watch": 1, "filter": { "task": ["echo"] } } });
    calls.record("watch-task", "watch", json!({ "session": "s", "target": task, "everyMs": 250 })).await;
    calls.record("watch-list", "watch", json!({ "session": "s", "target": list, "everyMs": 0 })).await;
    calls.record("unwatch-task", "unwatch", json!({ "session": "s", "target": task })).await;
    calls.record("unwatch-list", "unwatch", json!({ "session": "s", "target": list })).await;
    calls.record("counts", "counts", json!({})).await;

    // Control.
    calls.record("setPriority", "set_priority", json!({ "id": id(1), "priority": -3 })).await;
    calls.record("pause", "pause", json!({ "id": id(1) })).await;
    main.call("start", start(4, "hang", Value::Null, json!({ "held": true }))).await.unwrap();
    calls.record("resume", "resume", json!({ "id": id(4) })).await;
    until("it runs", async || main.call("get", json!({ "id": id(4) })).await.unwrap()["status"] == "running").await;
    calls.record("notQueued", "set_priority", json!({ "id": id(4), "priority": 1 })).await;
    calls.record("notPausable", "pause", json!({ "id": id(4) })).await;
    calls.record("notEnded", "remove", json!({ "id": id(4) })).await;
    calls.record("cancel", "cancel", json!({ "id": id(4), "reason": "user" })).await;
    calls.record("outcome-cancelled", "outcome", json!({ "id": id(4) })).await;
    calls.record("alreadyEnded", "cancel", json!({ "id": id(4), "reason": "user" })).await;
    calls.record("leave", "leave", json!({ "id": id(4) })).await;
    calls.record("cancelAll", "cancel_all", json!({ "filter": { "tag": ["none"] }, "reason": "user" })).await;
    calls.record("setLimit", "set_limit", json!({ "of": { "type": "task", "name": "one" }, "limit": 0 })).await;
    for number in 0..20 {
        main.call("start", start(100 + number, "one", Value::Null, json!({}))).await.unwrap();
    }
    calls.record("queueFull", "start", start(120, "one", Value::Null, json!({}))).await;

    // Ends.
    calls.run(5, "double", json!({ "number": 21 })).await;
    calls.run(6, "fails", Value::Null).await;
    calls.run(7, "panics", Value::Null).await;
    let late = json!({ "held": true, "deadlineMs": 1 });
    main.call("start", start(8, "hang", Value::Null, late)).await.unwrap();
    calls.record("outcome-completed", "outcome", json!({ "id": id(5) })).await;
    calls.record("outcome-failed", "outcome", json!({ "id": id(6) })).await;
    calls.record("outcome-panicked", "outcome", json!({ "id": id(7) })).await;
    calls.record("outcome-timedOut", "outcome", json!({ "id": id(8) })).await;
    calls.record("notRerunnable", "rerun", json!({ "session": "s", "id": id(5), "newId": id(9) })).await;
    calls.record("remove", "remove", json!({ "id": id(5) })).await;
    calls.record("outcomeExpired", "outcome", json!({ "id": id(5) })).await;

    // Items.
    calls.run(10, "emits", json!(["a", { "b": [1] }])).await;
    calls.run(11, "bytes", json!({ "to": 3, "hangs": false })).await;
    let read = |number: u8, reader: &str| json!({ "session": "s", "id": id(number), "reader": reader, "chunk": 1, "from": null, "waitMs": 0 });
    calls.record("read-items", "read", read(10, "r")).await;
    calls.record("locked", "read", read(10, "another")).await;
    let stop = json!({ "session": "s", "id": id(10), "reader": "r", "position": 2 });
    calls.record("cancelRead", "cancel_read", stop).await;
    calls.record("readerGone", "read", read(10, "r")).await;
    calls.record("read-bytes", "read", read(11, "r")).await;

    // Schedules.
    calls.record("schedules", "schedules", json!({})).await;
    calls.record("pauseSchedule", "pause_schedule", json!({ "name": "nightly" })).await;
    calls.record("resumeSchedule", "resume_schedule", json!({ "name": "nightly" })).await;
    calls.record("unknownSchedule", "trigger", json!({ "name": "never", "id": id(12) })).await;
    calls.recorded
}

#[tokio::test]
async fn the_recorded_calls_are_up_to_date() {
    let new = recorded().await;
    let names: BTreeSet<_> = new.iter().map(|call| call["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), new.len(), "each name once");
    assert_current("calls.json", "--test commands_wire", &new);
}
