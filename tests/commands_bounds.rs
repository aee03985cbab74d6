//! Calls the commands with each argument at its limit, over it and far over it, behind the real permission files. Another
//! window is answered all the while.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use serde_json::{Value, json};
use support::kinds::{self, CHANNEL};
use tauri_plugin_tasks::test::{PageError, TestApp, TestPage};

const ALL: &str = r#"{ "identifier": "all", "windows": ["main", "second"], "permissions": [
    "tasks:default", "tasks:allow-set-limit", "tasks:allow-counts",
    "tasks:allow-trigger", "tasks:allow-pause-schedule", "tasks:allow-resume-schedule",
    { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }] }
] }"#;
/// What is far over any limit.
const FAR: usize = 1_000_000;

struct Windows {
    app: TestApp,
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
        Self { app, main, second }
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

fn texts(many: usize) -> Value {
    (0..many).map(|number| number.to_string()).collect()
}

fn entries(part: &str, many: usize) -> Value {
    match part {
        "status" => json!(vec!["queued"; many]),
        "parent" => (0..many).map(|number| id(u32::try_from(number).unwrap())).collect(),
        _ => texts(many),
    }
}

/// Returns each call that takes a filter, with this one.
fn filtered(filter: &Value) -> [(&'static str, Value); 4] {
    let target = json!({ "type": "list", "data": { "watch": 1, "filter": filter } });
    [
        ("list", json!({ "filter": filter })),
        ("cancel_all", json!({ "filter": filter, "reason": "user" })),
        ("watch", json!({ "session": "s", "target": target })),
        ("unwatch", json!({ "session": "s", "target": target })),
    ]
}

#[tokio::test]
async fn each_list_of_a_filter_has_256_entries() {
    let windows = Windows::new().await;
    for part in ["task", "status", "tag", "key", "parent"] {
        for (command, arguments) in filtered(&json!({ part: entries(part, 256) })) {
            windows.call(command, &arguments).await.unwrap();
        }
        for many in [257, 100_000] {
            for (command, arguments) in filtered(&json!({ part: entries(part, many) })) {
                let error = windows.refused(command, &arguments, "invalidOptions").await;
                let message = error["message"].as_str().unwrap();
                assert!(message.contains(&format!("filter.{part}: it has more than 256 entries")), "{message}");
            }
        }
    }
}

#[tokio::test]
async fn each_text_of_a_filter_has_the_limit_of_what_it_is_compared_with() {
    let windows = Windows::new().await;
    for (part, limit) in [("task", 1_024), ("tag", 1_024), ("key", 4_096)] {
        let filter = |size: usize| json!({ part: ["x".repeat(size)] });
        for (command, arguments) in filtered(&filter(limit)) {
            windows.call(command, &arguments).await.unwrap();
        }
        for (command, arguments) in [limit + 1, FAR].into_iter().flat_map(|size| filtered(&filter(size))) {
            let error = windows.refused(command, &arguments, "invalidOptions").await;
            assert!(error["message"].as_str().unwrap().contains(&format!("filter.{part}[0]: ")), "{error}");
        }
    }
    for filter in
        [json!({ "status": ["x".repeat(FAR)] }), json!({ "parent": ["x".repeat(FAR)] }), json!({ "x".repeat(FAR): [] })]
    {
        for (command, arguments) in filtered(&filter) {
            windows.refused(command, &arguments, "invalidOptions").await;
        }
    }
}

#[tokio::test]
async fn an_argument_over_8_mib_is_refused_whatever_it_is() {
    let windows = Windows::new().await;
    let huge = "x".repeat(8 * 1024 * 1024);
    let start =
        |options: Value| json!({ "session": "s", "id": id(1), "task": "hang", "input": null, "options": options });
    for (command, arguments) in [
        ("get", json!({ "id": huge })),
        ("list", json!({ "filter": { "task": [huge] } })),
        ("start", start(json!({ "label": huge }))),
        ("cancel", json!({ "id": id(1), "reason": huge })),
        ("open", open(&huge)),
    ] {
        let error = windows.refused(command, &arguments, "invalidOptions").await;
        assert!(error["message"].as_str().unwrap().contains("8388608"), "{error}");
    }
    assert_eq!(kinds::tasks_named(&windows.app, "hang"), 0, "nothing was started");
}

#[tokio::test]
async fn no_id_and_no_name_is_repeated_in_an_error_whatever_its_size() {
    let windows = Windows::new().await;
    let long = "x".repeat(FAR);
    let start = |task: &str, id: &str| json!({ "session": "s", "id": id, "task": task, "input": null, "options": {} });
    let of = |kind: &str| json!({ "of": { "type": kind, "name": long }, "limit": 1 });
    for (command, arguments, kind) in [
        ("get", json!({ "id": long }), "notFound"),
        ("outcome", json!({ "id": long }), "notFound"),
        ("remove", json!({ "id": long }), "notFound"),
        ("cancel", json!({ "id": long, "reason": "user" }), "notFound"),
        ("pause", json!({ "id": long }), "notFound"),
        ("resume", json!({ "id": long }), "notFound"),
        ("set_priority", json!({ "id": long, "priority": 1 }), "notFound"),
        ("rerun", json!({ "session": "s", "id": long, "newId": long }), "notFound"),
        ("watch", json!({ "session": "s", "target": { "type": "task", "data": { "id": long } } }), "notFound"),
        ("read", json!({ "session": "s", "id": long, "reader": "r", "chunk": 1, "from": 0, "waitMs": 0 }), "notFound"),
        ("cancel_read", json!({ "session": "s", "id": long, "reader": "r", "position": 0 }), "notFound"),
        ("start", start("hang", &long), "invalidId"),
        ("start", start(&long, &id(1)), "unknownTask"),
        ("set_limit", of("task"), "unknownTask"),
        ("set_limit", of("group"), "unknownTask"),
        ("trigger", json!({ "name": long, "id": id(1) }), "unknownSchedule"),
        ("pause_schedule", json!({ "name": long }), "unknownSchedule"),
        ("resume_schedule", json!({ "name": long }), "unknownSchedule"),
        ("open", open(&long), "sessionGone"),
        ("ack", json!({ "session": long, "message": 0 }), "sessionGone"),
        (
            "read",
            json!({ "session": "s", "id": id(1), "reader": long, "chunk": 1, "from": 0, "waitMs": 0 }),
            "invalidOptions",
        ),
    ] {
        windows.refused(command, &arguments, kind).await;
    }
}

#[tokio::test]
async fn a_start_takes_16_tags_of_1_kib_and_a_key_of_4_kib() {
    let windows = Windows::new().await;
    let call = |number: u32, options: Value| json!({ "session": "s", "id": id(number), "task": "hang", "input": null, "options": options });
    let (tag, key) = ("t".repeat(1_024), "k".repeat(4_096));
    windows.call("start", &call(1, json!({ "tags": vec![&tag; 16], "key": key }))).await.unwrap();
    for options in [
        json!({ "tags": vec!["t"; 17] }),
        json!({ "tags": vec!["t"; 100_000] }),
        json!({ "tags": [format!("{tag}t")] }),
        json!({ "tags": ["t".repeat(FAR)] }),
        json!({ "key": format!("{key}k") }),
        json!({ "key": "k".repeat(FAR) }),
    ] {
        windows.refused("start", &call(2, options), "invalidOptions").await;
    }
    let clipped = windows.call("start", &call(3, json!({ "label": "l".repeat(FAR) }))).await.unwrap();
    assert_eq!(clipped["snapshot"]["label"].as_str().unwrap().len(), 256);
    windows.call("cancel", &json!({ "id": id(3), "reason": "r".repeat(FAR) })).await.unwrap();
    let reason = windows.call("get", &json!({ "id": id(3) })).await.unwrap()["cancelReason"].clone();
    assert!(reason.as_str().unwrap().len() <= 1_024);
}

#[tokio::test]
async fn a_batch_has_10_000_members() {
    let windows = Windows::new().await;
    let call = |inputs: usize| json!({ "session": "s", "id": id(1), "task": "hang", "inputs": vec![Value::Null; inputs], "options": {} });
    for many in [10_001, 300_000] {
        let error = windows.refused("batch", &call(many), "tooLarge").await;
        assert_eq!(error["data"], json!({ "limit": 10_000, "size": many }));
    }
    windows.call("batch", &call(10_000)).await.unwrap();
}

#[tokio::test]
async fn numbers_at_their_ends_do_no_harm() {
    let windows = Windows::new().await;
    let read = |chunk: u64, from: Option<u64>, wait_ms: u32| json!({ "session": "t", "id": id(0), "reader": "r", "chunk": chunk, "from": from, "waitMs": wait_ms });
    let second = &windows.second;
    for (chunk, from) in [(0, None), (5, None), (u64::MAX, None), (1, Some(u64::MAX))] {
        second.call("read", read(chunk, from, 0)).await.unwrap_err();
    }
    assert_eq!(second.call("read", read(1, None, 0)).await.unwrap(), Value::Null);
    for chunk in [5, u64::MAX] {
        second.call("read", read(chunk, None, 0)).await.unwrap_err();
    }
    second
        .call("cancel_read", json!({ "session": "t", "id": id(0), "reader": "r", "position": u64::MAX }))
        .await
        .unwrap();
    for priority in [i32::MIN, i32::MAX] {
        windows.refused("set_priority", &json!({ "id": id(1), "priority": priority }), "notFound").await;
    }
    for limit in [0, 10_001, u32::MAX] {
        windows.refused("list", &json!({ "filter": {}, "limit": limit }), "invalidOptions").await;
    }
    let last = windows.call("list", &json!({ "filter": {}, "limit": 10_000, "after": u64::MAX })).await.unwrap();
    assert_eq!(last, json!({ "tasks": [], "next": null }));
    let target = json!({ "type": "list", "data": { "watch": u32::MAX, "filter": {} } });
    windows.call("watch", &json!({ "session": "s", "target": target, "everyMs": 3_600_000 })).await.unwrap();
    windows
        .refused("watch", &json!({ "session": "s", "target": target, "everyMs": 3_600_001 }), "invalidOptions")
        .await;
    assert_eq!(windows.call("ack", &json!({ "session": "s", "message": u64::MAX })).await.unwrap(), Value::Null);
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
