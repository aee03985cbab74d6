//! Calls each command with each of its arguments malformed, on the mock runtime.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use serde_json::{Value, json};
use support::{
    calls::{ID, NEW, all_commands, calls},
    kinds::{self, CHANNEL},
};
use tauri_plugin_tasks::test::{PageError, TestApp};

/// Returns an app whose page may call all commands.
fn app() -> TestApp {
    let allow = |command: &&str| json!({ "identifier": format!("tasks:allow-{}", command.replace('_', "-")), "allow": [{ "task": "*" }] });
    let allowed: Vec<_> = all_commands().iter().map(allow).collect();
    let capability = json!({ "identifier": "all", "windows": ["main"], "permissions": allowed });
    kinds::app(&[&capability.to_string()])
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
    for (command, _, good) in calls() {
        commands.push(command);
        for (argument, value) in good.as_object().unwrap() {
            // An input can be anything.
            if argument == "input" {
                continue;
            }
            for wrong in misfits(value) {
                let mut arguments = good.clone();
                arguments[argument] = wrong;
                let error = main.call(command, arguments.clone()).await.unwrap_err();
                assert_eq!(error["kind"], "invalidOptions", "{command} {arguments}: {error}");
                let named = format!("this call can't be read: {argument}");
                assert!(error.message().starts_with(&named), "{command} {arguments}: {error}");
            }
        }
    }
    commands.sort_unstable();
    commands.dedup();
    assert_eq!(commands, all_commands(), "each command is called");
}

#[tokio::test]
async fn an_argument_that_is_missing_is_refused_unless_the_command_can_do_without_it() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    let optional =
        ["open visibility", "ack visibility", "list limit", "list after", "watch everyMs"].map(str::to_owned);
    for (command, _, good) in calls() {
        for argument in good.as_object().unwrap().keys() {
            let mut arguments = good.clone();
            arguments.as_object_mut().unwrap().remove(argument);
            let answer = main.call(command, arguments).await;
            let is_optional = optional.contains(&format!("{command} {argument}"));
            let error = answer.as_ref().err();
            match error.and_then(PageError::kind) {
                // Tauri itself reads it.
                None if argument.starts_with("input") => assert!(error.is_some_and(PageError::is_of_tauri)),
                Some("invalidOptions") if !is_optional => {
                    let message = error.unwrap().message();
                    assert!(message.starts_with(&format!("this call can't be read: {argument}: ")), "{message}");
                }
                kind => assert!(is_optional, "{command} without {argument}: {kind:?}"),
            }
        }
    }
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
            json!({ "session": "s", "id": NEW, "task": "double", "inputs": vec![Value::Null; many], "options": {} });
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
