//! Calls each command with each of its arguments malformed, on the mock runtime.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

// First, since it defines a macro.
include!("../src/ipc/commands/all_commands.rs");

use serde_json::{Value, json};
use support::kinds::{self, CHANNEL};
use tauri_plugin_tasks::test::TestApp;

const ID: &str = "01890000-0000-7000-8000-000000000001";
const OTHER: &str = "01890000-0000-7000-8000-000000000002";

/// Returns an app whose page may call all commands.
fn app() -> TestApp {
    let allow = |command: &&str| json!({ "identifier": format!("tasks:allow-{}", command.replace('_', "-")), "allow": [{ "task": "*" }] });
    let allowed: Vec<_> = all_commands().iter().map(allow).collect();
    let capability = json!({ "identifier": "all", "windows": ["main"], "permissions": allowed });
    kinds::app(&[&capability.to_string()])
}

/// Returns a good call of each command.
fn calls() -> Vec<(&'static str, Value)> {
    let target = json!({ "type": "list", "data": { "watch": 1, "filter": {} } });
    let visible = json!({ "hidden": false, "change": 0 });
    vec![
        ("open", json!({ "session": "s", "protocol": 5, "channel": CHANNEL, "visibility": visible })),
        ("ack", json!({ "session": "s", "message": 0, "visibility": visible })),
        ("start", json!({ "session": "s", "id": ID, "task": "hang", "input": null, "options": {} })),
        ("batch", json!({ "session": "s", "id": OTHER, "task": "double", "inputs": [], "options": {} })),
        ("rerun", json!({ "session": "s", "id": ID, "newId": OTHER })),
        ("leave", json!({ "id": OTHER })),
        ("set_priority", json!({ "id": ID, "priority": 1 })),
        ("pause", json!({ "id": ID })),
        ("resume", json!({ "id": ID })),
        ("set_limit", json!({ "of": { "type": "task", "data": "one" }, "limit": 2 })),
        ("counts", json!({})),
        ("get", json!({ "id": ID })),
        ("list", json!({ "filter": {}, "limit": 1, "after": 0 })),
        ("watch", json!({ "session": "s", "target": target, "everyMs": 0 })),
        ("unwatch", json!({ "session": "s", "target": target })),
        ("cancel", json!({ "id": ID, "reason": "user" })),
        ("cancel_all", json!({ "filter": {}, "reason": "user" })),
        ("outcome", json!({ "id": ID })),
        ("remove", json!({ "id": ID })),
        ("read", json!({ "session": "s", "id": ID, "reader": "r", "chunk": 1, "from": 0, "waitMs": 0 })),
        ("cancel_read", json!({ "session": "s", "id": ID, "reader": "r", "position": 0 })),
        ("schedules", json!({})),
        ("trigger", json!({ "name": "s", "id": ID })),
        ("pause_schedule", json!({ "name": "s" })),
        ("resume_schedule", json!({ "name": "s" })),
    ]
}

/// Returns values of another type than this one.
fn misfits(good: &Value) -> Vec<Value> {
    let all = [json!(true), json!(-1.5), json!("x"), json!([7]), json!([]), json!({ "type": "x", "task": 5 })];
    all.into_iter().filter(|wrong| std::mem::discriminant(wrong) != std::mem::discriminant(good)).collect()
}

#[tokio::test]
async fn a_malformed_argument_is_refused_with_an_error_whatever_the_command() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    let mut commands = Vec::new();
    for (command, good) in calls() {
        commands.push(command);
        for (argument, value) in good.as_object().unwrap() {
            if ["channel", "input"].contains(&argument.as_str()) {
                continue;
            }
            for wrong in misfits(value) {
                let mut arguments = good.clone();
                arguments[argument] = wrong;
                let error = main.call(command, arguments.clone()).await.unwrap_err();
                assert_eq!(error["kind"], "invalidOptions", "{command} {arguments}: {error}");
            }
        }
    }
    commands.sort_unstable();
    assert_eq!(commands, all_commands(), "each command is called");
}

/// Returns values far over whatever limit there may be.
fn far_over() -> Vec<Value> {
    let long = "x".repeat(100_000);
    vec![
        json!(long),
        json!("\u{202e}\n".repeat(10_000)),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(vec![0; 100_000]),
        json!({ long: [[[0]]] }),
        json!({ "type": "task", "data": { "id": "x".repeat(100_000) } }),
        json!({ "tags": vec!["t"; 100_000], "key": "k".repeat(100_000), "delayMs": 1e300 }),
    ]
}

#[tokio::test]
async fn an_argument_far_over_any_limit_ends_nothing_and_holds_up_no_other_window() {
    let app = app();
    let capability = json!({ "identifier": "second", "windows": ["second"], "permissions": [
        "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }] }
    ] });
    app.capability(&capability.to_string());
    let (main, second) = (app.page("main").open(), app.page("second").open());
    main.session("s").await.unwrap();
    let watched = second.start("hang", (), json!({})).await.unwrap();
    for (command, good) in calls() {
        let arguments = good.as_object().unwrap();
        for argument in arguments.keys().filter(|argument| *argument != "channel") {
            for far in far_over() {
                let mut call = good.clone();
                call[argument] = far;
                // The first is polled first, so its call is under way.
                let (answer, status) = tokio::join!(main.call(command, call), second.status(watched));
                assert!(!status.unwrap().is_final(), "{command}, {argument}");
                if let Err(error) = answer {
                    assert!(error.kind().is_some(), "{command}, {argument}: {error}");
                    let size = error.to_string().len();
                    assert!(size < 8_192, "{command}, {argument}: an error of {size} bytes");
                }
            }
        }
    }
    assert!(!second.status(watched).await.unwrap().is_final());
}

/// Whether it may start the kind is asked before its inputs are looked at.
#[tokio::test]
async fn a_batch_of_a_page_that_may_start_nothing_is_refused_as_one_whatever_its_inputs_are() {
    let bare = json!({ "identifier": "bare", "windows": ["main"], "permissions": ["tasks:default"] });
    let app = kinds::app(&[&bare.to_string()]);
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    for many in [0, 10_001, 3_000_000] {
        let call =
            json!({ "session": "s", "id": OTHER, "task": "double", "inputs": vec![Value::Null; many], "options": {} });
        assert_eq!(main.call("batch", call).await.unwrap_err()["kind"], "notAllowed", "{many}");
    }
}

#[tokio::test]
async fn a_number_that_is_out_of_range_and_a_target_that_does_not_fit_are_refused_too() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    let task = |id: Value| json!({ "type": "task", "data": { "id": id } });
    let list = |watch: Value, filter: Value| json!({ "type": "list", "data": { "watch": watch, "filter": filter } });
    let mut calls = Vec::new();
    for target in [
        json!({}),
        json!({ "type": "task" }),
        json!({ "type": "all", "data": {} }),
        task(json!(1)),
        list(json!(-1), json!({})),
        list(json!(1), json!({ "status": ["done"] })),
        list(json!(1), json!({ "task": 5 })),
        list(json!(1), json!({ "statuses": [] })),
        list(json!(1), json!(null)),
        list(json!(1), json!([])),
        json!(["list", { "watch": 1, "filter": {} }]),
    ] {
        calls.push(("watch", json!({ "session": "s", "target": target, "everyMs": 0 })));
        calls.push(("unwatch", json!({ "session": "s", "target": target })));
    }
    for number in [json!(-1), json!(1.5), json!(1e300), json!(null)] {
        calls.push(("ack", json!({ "session": "s", "message": number })));
        calls.push(("open", json!({ "session": "s", "protocol": number, "channel": CHANNEL })));
        calls.push(("cancel_read", json!({ "session": "s", "id": ID, "reader": "r", "position": number })));
    }
    for visibility in [
        json!({}),
        json!({ "hidden": true }),
        json!({ "hidden": "yes", "change": 1 }),
        json!({ "hidden": true, "change": -1 }),
        json!({ "hidden": true, "change": 4_294_967_296_u64 }),
        json!([true, 1]),
    ] {
        calls.push(("ack", json!({ "session": "s", "message": 0, "visibility": visibility })));
        calls.push(("open", json!({ "session": "t", "protocol": 5, "channel": CHANNEL, "visibility": visibility })));
    }
    for (command, arguments) in calls {
        let error = main.call(command, arguments.clone()).await.unwrap_err();
        assert_eq!(error["kind"], "invalidOptions", "{command} {arguments}: {error}");
    }
}

/// Returns the names of all commands, sorted.
fn all_commands() -> Vec<&'static str> {
    macro_rules! names {
        ($($command:ident),*) => { vec![$(stringify!($command)),*] };
    }
    let mut names = all_commands!(names);
    names.sort_unstable();
    names
}
