//! Calls the real commands as a page, behind the real permission files, on the mock runtime.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::kinds::{self, CHANNEL, id, open_gate, runs, tasks_completed, tasks_named};
use tauri_plugin_tasks::{
    Builder, Failure, Task, TaskContext,
    test::{TestApp, TestMessage, TestPage, until},
};

const SELF_ONLY: &str = r#"{ "identifier": "own", "windows": ["main", "second"], "permissions": [
    "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }], "deny": [{ "task": "secret" }] }
] }"#;
const DEFAULT_ONLY: &str = r#"{ "identifier": "bare", "windows": ["bare"], "permissions": ["tasks:default"] }"#;
const OBSERVER: &str = r#"{ "identifier": "all", "windows": ["observer"], "permissions": [
    "tasks:default", "tasks:observe-all", "tasks:control-all"
] }"#;
const WATCHER: &str = r#"{ "identifier": "watcher", "windows": ["watcher"], "permissions": [
    { "identifier": "tasks:observe-all", "deny": [{ "task": "slow" }] }
] }"#;

fn app() -> TestApp {
    kinds::app(&[SELF_ONLY, DEFAULT_ONLY, OBSERVER, WATCHER])
}

fn start(id: &str, task: &str, input: Value) -> Value {
    json!({ "session": "s", "id": id, "task": task, "input": input, "options": {} })
}

#[tokio::test]
async fn a_page_starts_a_task_and_learns_its_outcome() {
    let app = app();
    let main = app.page("main").open();
    let main_session = main.session("s").await.unwrap();
    let snapshot =
        main.call("start", start(&id(1), "double", json!({ "number": 21 }))).await.unwrap()["snapshot"].clone();
    assert_eq!(
        (&snapshot["id"], &snapshot["task"], &snapshot["owner"]),
        (&json!(id(1)), &json!("double"), &json!("main"))
    );
    assert_eq!(snapshot["input"], Value::Null, "an input is hidden unless its kind shows it");
    let end = main_session.end_of(&id(1)).await;
    assert_eq!(end["outcome"], json!({ "status": "completed", "data": { "output": 42 } }));
    assert_eq!(main.call("outcome", json!({ "id": id(1) })).await.unwrap(), end["outcome"]);
    assert_eq!(main.call("get", json!({ "id": id(1) })).await.unwrap()["status"], "completed");
}

#[tokio::test]
async fn a_snapshot_shows_the_input_if_the_kind_says_so() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    let snapshot = main.call("start", start(&id(1), "echo", json!("seen"))).await.unwrap()["snapshot"].clone();
    assert_eq!(snapshot["input"], "seen");
}

#[tokio::test]
async fn a_handler_can_take_the_app_as_an_argument() {
    let app = app();
    let main = app.page("main").open();
    let main_session = main.session("s").await.unwrap();
    main.call("start", start(&id(1), "app-name", Value::Null)).await.unwrap();
    assert_eq!(main_session.end_of(&id(1)).await["outcome"]["data"]["output"], "managed state");
}

#[tokio::test]
async fn a_repeated_start_finds_its_task_and_another_start_with_its_id_is_refused() {
    let app = app();
    let main = app.page("main").open();
    let main_session = main.session("s").await.unwrap();
    let words = start(&id(1), "slow", Value::Null);
    main.call("start", words.clone()).await.unwrap();
    assert_eq!(main.call("start", words.clone()).await.unwrap()["snapshot"]["id"], id(1));
    until("a run", async || runs(&app, "slow") == 1).await;

    for other in [start(&id(1), "slow", json!(5)), start(&id(1), "double", json!({ "number": 1 }))] {
        assert_eq!(main.call("start", other).await.unwrap_err()["kind"], "invalidId");
    }
    let second = app.page("second").open();
    second.session("s2").await.unwrap();
    let mut foreign = words.clone();
    foreign["session"] = json!("s2");
    let of_foreign = second.call("start", foreign).await.unwrap_err();
    assert_eq!(of_foreign["kind"], "invalidId");

    main.call("cancel", json!({ "id": id(1), "reason": "user" })).await.unwrap();
    main_session.end_of(&id(1)).await;
    until("removed", async || main.call("remove", json!({ "id": id(1) })).await.is_ok()).await;
    let of_removed = main.call("start", words).await.unwrap_err();
    assert_eq!(of_removed["message"], of_foreign["message"], "the message reveals nothing");
    assert_eq!(runs(&app, "slow"), 1);
}

#[tokio::test]
async fn a_bad_argument_is_refused_with_a_typed_error_that_says_what_to_do() {
    let app = app();
    let main = app.page("main").open();
    let main_session = main.session("s").await.unwrap();
    let refused = async |command: &str, arguments: Value| main.call(command, arguments).await.unwrap_err();

    let error = refused("start", start(&id(1), "nope", Value::Null)).await;
    assert_eq!(error["kind"], "unknownTask");
    assert!(error["message"].as_str().unwrap().contains("Task::new(\"nope\""), "{error}");

    let error = refused("start", start(&id(2), "double", json!({ "number": "x" }))).await;
    assert_eq!((&error["kind"], &error["data"]), (&json!("invalidInput"), &json!({ "path": "number" })));
    assert_eq!(
        error["message"],
        "the input of task \"double\" does not fit its type: number: invalid type: string \"x\", expected u32"
    );
    let error = refused("start", start(&id(3), "double", Value::Null)).await;
    assert_eq!(error["data"], json!({ "path": "" }), "{error}");

    assert_eq!(refused("start", start("7", "double", json!({ "number": 1 }))).await["kind"], "invalidId");
    assert_eq!(refused("get", json!({ "id": "7" })).await["kind"], "notFound");
    assert_eq!(refused("cancel", json!({ "id": id(9), "reason": "user" })).await["kind"], "notFound");
    assert_eq!(refused("outcome", json!({ "id": id(9) })).await["kind"], "notFound");

    let mut gone = start(&id(4), "double", json!({ "number": 1 }));
    gone["session"] = json!("other");
    assert_eq!(refused("start", gone).await["kind"], "sessionGone");
    assert_eq!(refused("ack", json!({ "session": "other", "message": 0 })).await["kind"], "sessionGone");

    let error = refused("open", json!({ "session": "s9", "protocol": 99, "channel": CHANNEL })).await;
    assert_eq!(error["kind"], "protocolMismatch");
    assert!(error["message"].as_str().unwrap().contains("protocol 99 and the app protocol 5"), "{error}");

    main.call("start", start(&id(5), "double", json!({ "number": 1 }))).await.unwrap();
    main_session.end_of(&id(5)).await;
    let error = refused("cancel", json!({ "id": id(5), "reason": "user" })).await;
    assert_eq!((&error["kind"], &error["data"]["status"]), (&json!("alreadyEnded"), &json!("completed")));

    main.call("start", start(&id(6), "slow", Value::Null)).await.unwrap();
    assert_eq!(refused("remove", json!({ "id": id(6) })).await["kind"], "notEnded");
    assert_eq!(tasks_named(&app, "double"), 1, "refused starts leave nothing behind");
}

#[tokio::test]
async fn an_output_that_cannot_be_serialized_and_a_panic_are_failures() {
    let app = app();
    let main = app.page("main").open();
    let main_session = main.session("s").await.unwrap();
    for (number, task, kind) in [(1, "odd-output", "unserializable"), (2, "panics", "panic"), (3, "fails", "error")] {
        main.call("start", start(&id(number), task, Value::Null)).await.unwrap();
        let end = main_session.end_of(&id(number)).await;
        assert_eq!((&end["status"], &end["outcome"]["data"]["kind"]), (&json!("failed"), &json!(kind)), "{end}");
        assert_eq!(end["error"]["kind"], kind);
    }
    let outcome = main.call("outcome", json!({ "id": id(3) })).await.unwrap();
    assert_eq!(outcome["data"]["error"], json!({ "http": 404 }), "the handler's own error is complete");
    assert_eq!(outcome["data"]["message"], "the server answered with status 404", "the kind uses the error's Display");
}

#[tokio::test]
async fn a_large_output_is_fetched_and_not_pushed() {
    let app = app();
    let main = app.page("main").open();
    let main_session = main.session("s").await.unwrap();
    main.call("start", start(&id(1), "large", Value::Null)).await.unwrap();
    let end = main_session.end_of(&id(1)).await;
    assert_eq!((&end["status"], &end["outcome"]), (&json!("completed"), &Value::Null));
    let outcome = main.call("outcome", json!({ "id": id(1) })).await.unwrap();
    assert_eq!(outcome["data"]["output"].as_str().unwrap().len(), 100_000);
}

#[tokio::test]
async fn a_window_starts_only_what_its_capability_names() {
    let app = app();
    let bare = app.page("bare").open();
    bare.session("s").await.unwrap();
    let error = bare.call("start", start(&id(1), "double", json!({ "number": 1 }))).await.unwrap_err();
    assert_eq!(error["kind"], "notAllowed");
    assert!(
        error["message"].as_str().unwrap().contains(
            r#"window "bare" may not start task "double": add { "identifier": "tasks:allow-start", "allow": [{ "task": "double" }] }"#
        ),
        "{error}"
    );
    let main = app.page("main").open();
    main.session("m").await.unwrap();
    let mut secret = start(&id(2), "secret", Value::Null);
    secret["session"] = json!("m");
    assert_eq!(main.call("start", secret).await.unwrap_err()["kind"], "notAllowed", "a denial wins");
    let stranger = app.page("stranger").open();
    let error = stranger.call("list", json!({ "filter": {} })).await.unwrap_err();
    assert!(error.as_str().is_some_and(|text| text.contains("not allowed")), "Tauri itself refuses: {error}");
    assert_eq!(tasks_named(&app, "double") + tasks_named(&app, "secret"), 0);
}

#[tokio::test]
async fn a_window_sees_and_cancels_tasks_of_others_only_if_its_capability_says_so() {
    let app = app();
    let (main, second, observer, watcher) =
        (app.page("main").open(), app.page("second").open(), app.page("observer").open(), app.page("watcher").open());
    let main_session = main.session("s").await.unwrap();
    main.call("start", start(&id(1), "slow", Value::Null)).await.unwrap();
    main.call("start", start(&id(2), "hang", Value::Null)).await.unwrap();

    let not_there = second.call("get", json!({ "id": id(1) })).await.unwrap_err();
    assert_eq!(not_there["kind"], "notFound");
    let unknown = second.call("get", json!({ "id": id(99) })).await.unwrap_err();
    assert_eq!(
        not_there["message"].as_str().unwrap().replace(&id(1), ""),
        unknown["message"].as_str().unwrap().replace(&id(99), ""),
        "foreign and unknown get the same answer"
    );
    assert_eq!(second.call("list", json!({ "filter": {} })).await.unwrap(), json!({ "tasks": [], "next": null }));
    for command in ["cancel", "outcome", "remove", "watch"] {
        second.session("s2").await.unwrap();
        let arguments = json!({ "id": id(1), "reason": "user", "session": "s2", "target": { "type": "task", "data": { "id": id(1) } } });
        assert_eq!(second.call(command, arguments).await.unwrap_err()["kind"], "notFound", "{command}");
    }

    let seen = async |page: &TestPage| {
        let list = page.call("list", json!({ "filter": {} })).await.unwrap();
        list["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|task| task["task"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(&observer).await, ["slow", "hang"]);
    assert_eq!(seen(&watcher).await, ["hang"], "this observer may not see one kind");
    let error = watcher.call("cancel", json!({ "id": id(2), "reason": "user" })).await.unwrap_err();
    assert!(error.as_str().is_some(), "an observer may not cancel: {error}");
    observer.call("cancel", json!({ "id": id(1), "reason": "user" })).await.unwrap();
    assert_eq!(main_session.end_of(&id(1)).await["cancelReason"], "user");
}

#[tokio::test]
async fn a_list_comes_in_pages_of_visible_tasks() {
    let app = app();
    let (main, observer) = (app.page("main").open(), app.page("observer").open());
    main.session("s").await.unwrap();
    for number in 1..=5 {
        main.call("start", start(&id(number), "hang", Value::Null)).await.unwrap();
        app.tasks().start("slow", ()).unwrap();
    }
    let page = async |page: &TestPage, arguments: Value| {
        let answer = page.call("list", arguments).await.unwrap();
        let orders = answer["tasks"].as_array().unwrap().iter().map(|task| task["order"].as_u64().unwrap());
        (orders.collect::<Vec<_>>(), answer["next"].as_u64())
    };
    assert_eq!(page(&main, json!({ "filter": {} })).await, (vec![1, 3, 5, 7, 9], None), "1,000 if nothing is said");
    assert_eq!(page(&main, json!({ "filter": {}, "limit": 2 })).await, (vec![1, 3], Some(3)));
    assert_eq!(page(&main, json!({ "filter": {}, "limit": 2, "after": 3 })).await, (vec![5, 7], Some(7)));
    assert_eq!(page(&main, json!({ "filter": {}, "limit": 2, "after": 7 })).await, (vec![9], None));
    assert_eq!(page(&main, json!({ "filter": {}, "limit": 5, "after": null })).await, (vec![1, 3, 5, 7, 9], None));
    assert_eq!(
        page(&observer, json!({ "filter": { "task": ["slow"] }, "limit": 1, "after": 4 })).await,
        (vec![6], Some(6))
    );
    assert_eq!(page(&observer, json!({ "filter": {}, "limit": null, "after": 900 })).await, (vec![], None));
    for (name, wrong) in [
        ("limit", json!(0)),
        ("limit", json!(10_001)),
        ("limit", json!(-1)),
        ("limit", json!(1.5)),
        ("limit", json!("7")),
        ("after", json!(-1)),
        ("after", json!("x")),
    ] {
        let error = main.call("list", json!({ "filter": {}, name: wrong })).await.unwrap_err();
        assert_eq!(error["kind"], "invalidOptions", "{name} {wrong}: {error}");
    }
}

#[tokio::test]
async fn a_watch_takes_a_pace_of_up_to_an_hour() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    main.call("start", start(&id(1), "hang", Value::Null)).await.unwrap();
    let targets = [
        json!({ "type": "task", "data": { "id": id(1) } }),
        json!({ "type": "list", "data": { "watch": 1, "filter": {} } }),
    ];
    for target in targets {
        let watch = async |every: Value| {
            main.call("watch", json!({ "session": "s", "target": target, "everyMs": every })).await
        };
        for every in [json!(null), json!(0), json!(1), json!(3_600_000)] {
            assert_eq!(watch(every).await.unwrap().as_array().unwrap().len(), 1);
        }
        for wrong in [json!(-1), json!(3_600_001), json!(1.5), json!("7"), json!(u64::MAX)] {
            let error = watch(wrong.clone()).await.unwrap_err();
            assert_eq!(error["kind"], "invalidOptions", "{wrong}: {error}");
        }
    }
}

#[tokio::test]
async fn the_app_owns_a_task_that_rust_started() {
    let app = app();
    let task = app.tasks().start("slow", ()).unwrap();
    let (main, observer) = (app.page("main").open(), app.page("observer").open());
    assert_eq!(main.call("list", json!({ "filter": {} })).await.unwrap(), json!({ "tasks": [], "next": null }));
    let seen = observer.call("get", json!({ "id": task.id() })).await.unwrap();
    assert_eq!(seen["owner"], Value::Null);
    let error = app.tasks().start("double", "no number").unwrap_err();
    assert!(error.message.contains("does not fit"), "{error}");
    assert!(app.tasks().start("nope", ()).is_err());
}

#[tokio::test]
async fn removed_and_evicted_outcomes_are_reported_as_gone() {
    let app = app();
    let (main, second) = (app.page("main").open(), app.page("second").open());
    let main_session = main.session("s").await.unwrap();
    main.call("start", start(&id(1), "double", json!({ "number": 1 }))).await.unwrap();
    main_session.end_of(&id(1)).await;
    main.call("remove", json!({ "id": id(1) })).await.unwrap();
    assert_eq!(main.call("outcome", json!({ "id": id(1) })).await.unwrap_err()["kind"], "outcomeExpired");
    assert_eq!(main.call("get", json!({ "id": id(1) })).await.unwrap_err()["kind"], "notFound");
    assert_eq!(second.call("outcome", json!({ "id": id(1) })).await.unwrap_err()["kind"], "notFound", "not the owner");
}

#[tokio::test]
async fn a_session_has_one_unacknowledged_message_at_a_time() {
    let app = app();
    let main = app.page("main").open();
    let main_session = main.session("s").await.unwrap();
    main.call("start", start(&id(1), "count", json!(200_000))).await.unwrap();
    let first = main_session.next_message().await;
    // The handler keeps running, but nothing more comes until the page has acknowledged this message.
    until("completed", async || main.call("get", json!({ "id": id(1) })).await.unwrap()["status"] == "completed").await;
    assert_eq!(main_session.messages().len(), 1, "at most one is unacknowledged");
    assert_eq!(main_session.acknowledge(first.number()).await.unwrap(), None);
    let mut last = first;
    let mut completed = 0;
    loop {
        assert!(last.text().len() < 8_192, "{} bytes", last.text().len());
        for event in last.events() {
            match event["change"]["type"].as_str().unwrap() {
                "progress" => completed = event["change"]["data"]["completed"].as_u64().unwrap(),
                _ if event["change"]["data"]["status"] == "completed" => {
                    assert_eq!(completed, 200_000, "the newest progress comes before the end");
                    return;
                }
                _ => {}
            }
        }
        last = main_session.next_message().await;
        main_session.acknowledge(last.number()).await.unwrap();
    }
}

#[tokio::test]
async fn what_does_not_fit_in_a_push_comes_with_the_answer_to_its_acknowledgement() {
    let app = app();
    let main = app.page("main").open();
    let main_session = main.session("s").await.unwrap();
    main.call("watch", json!({ "session": "s", "target": { "type": "list", "data": { "watch": 7, "filter": {} } } }))
        .await
        .unwrap();
    // The message about the first task stays unacknowledged while the others change.
    let started = main.call("start", start(&id(200), "echo", json!("first"))).await.unwrap();
    let mut quick_ends = usize::from(!started["outcome"].is_null());
    let first = main_session.next_message().await;
    for number in 1..=60 {
        let started = main.call("start", start(&id(number), "echo", json!(number))).await.unwrap();
        quick_ends += usize::from(!started["outcome"].is_null());
    }
    until("all done", async || tasks_completed(&app) == 61).await;
    main_session.acknowledge(first.number()).await.unwrap();
    let mut ended = std::collections::HashSet::new();
    let mut listed = std::collections::HashMap::new();
    let mut take = |message: &TestMessage| {
        for event in message.events() {
            if event["change"]["data"]["status"] == "completed" {
                assert!(ended.insert(event["id"].as_str().unwrap().to_owned()), "reported twice: {event}");
            }
        }
        for change in message.lists() {
            assert_eq!(change["watch"], 7);
            for task in change["changed"].as_array().unwrap() {
                listed.insert(task["id"].as_str().unwrap().to_owned(), task["status"].clone());
            }
        }
        (ended.len(), listed.values().filter(|status| **status == "completed").count())
    };
    take(&first);
    let pushed = main_session.next_message().await;
    assert!(pushed.more() && pushed.text().len() < 8_192, "{} bytes", pushed.text().len());
    take(&pushed);
    let mut rest = main_session.acknowledge(pushed.number()).await.unwrap().expect("the rest comes with the answer");
    loop {
        assert_eq!(
            main_session.acknowledge(pushed.number()).await.unwrap(),
            None,
            "a repeated acknowledgement does nothing"
        );
        let counts = take(&rest);
        match main_session.acknowledge(rest.number()).await.unwrap() {
            Some(next) => rest = next,
            None if counts == (61 - quick_ends, 61) => break,
            None => rest = main_session.next_message().await,
        }
    }
}

#[tokio::test]
async fn a_list_reports_which_tasks_changed_and_which_left() {
    let app = app();
    let main = app.page("main").open();
    let main_session = main.session("s").await.unwrap();
    main.call("start", start(&id(1), "slow", Value::Null)).await.unwrap();
    let target =
        json!({ "type": "list", "data": { "watch": 1, "filter": { "status": ["queued", "running", "cancelling"] } } });
    let listed = main.call("watch", json!({ "session": "s", "target": target })).await.unwrap();
    assert_eq!(listed[0]["id"], id(1));
    // The task of another window does not show up in this list.
    let second = app.page("second").open();
    second.session("s2").await.unwrap();
    let mut theirs = start(&id(2), "slow", Value::Null);
    theirs["session"] = json!("s2");
    second.call("start", theirs).await.unwrap();
    main.call("cancel", json!({ "id": id(1), "reason": "user" })).await.unwrap();
    let mut gone = false;
    while !gone {
        let message = main_session.next_message().await;
        main_session.acknowledge(message.number()).await.unwrap();
        for change in message.lists() {
            assert!(change["changed"].as_array().unwrap().iter().all(|task| task["id"] == id(1)), "{change}");
            gone |= change["removed"] == json!([id(1)]);
        }
    }
    main.call("unwatch", json!({ "session": "s", "target": target })).await.unwrap();
    main.call("start", start(&id(3), "slow", Value::Null)).await.unwrap();
    main.call("cancel", json!({ "id": id(3), "reason": "user" })).await.unwrap();
    let message = main_session.next_message().await;
    assert_eq!(message.lists(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_late_watch_returns_the_snapshot_and_then_reports_the_changes() {
    let app = app();
    let main = app.page("main").open();
    let main_session = main.session("s").await.unwrap();
    main.call("start", start(&id(1), "slow", Value::Null)).await.unwrap();
    until("running", async || main.call("get", json!({ "id": id(1) })).await.unwrap()["status"] == "running").await;
    let target = json!({ "type": "task", "data": { "id": id(1) } });
    // The same page, loaded again.
    main.session("later").await.unwrap();
    let snapshots = main.call("watch", json!({ "session": "later", "target": target })).await.unwrap();
    assert_eq!((&snapshots[0]["status"], &snapshots[0]["sequence"]), (&json!("running"), &json!(2)));
    main.call("cancel", json!({ "id": id(1), "reason": "user" })).await.unwrap();
    let events = main_session.events_until_end(&id(1)).await;
    let statuses: Vec<_> = events
        .iter()
        .filter(|event| event["change"]["type"] == "status")
        .map(|event| (event["sequence"].as_u64().unwrap(), event["change"]["data"]["status"].as_str().unwrap()))
        // It may have begun to run before its start was answered, or afterwards.
        .filter(|(sequence, _)| *sequence > 2)
        .collect();
    assert_eq!(statuses, [(3, "cancelling"), (4, "cancelled")]);
    // An ended task can be watched too, but then nothing more comes.
    let snapshots = main.call("watch", json!({ "session": "later", "target": target })).await.unwrap();
    assert_eq!(snapshots[0]["status"], "cancelled");
}

#[tokio::test]
async fn a_cancelled_handler_that_never_yields_is_cancelling_at_once_and_overdue_later() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    main.call("start", start(&id(1), "busy", Value::Null)).await.unwrap();
    let now = async || main.call("get", json!({ "id": id(1) })).await.unwrap();
    until("running", async || now().await["status"] == "running").await;
    main.call("cancel", json!({ "id": id(1), "reason": "user" })).await.unwrap();
    assert_eq!(now().await["status"], "cancelling", "though the handler blocks its supervisor");
    until("overdue", async || now().await["overdue"] == true).await;
    assert_eq!(now().await["status"], "cancelling");
    open_gate(&app);
    until("ended", async || now().await["status"] == "completed" || now().await["status"] == "cancelled").await;
    assert_eq!(now().await["overdue"], false);
}

#[tokio::test]
async fn a_remote_document_in_the_same_window_is_another_page() {
    const REMOTE: &str = r#"{ "identifier": "remote", "windows": ["main"], "local": false,
        "remote": { "urls": ["https://example.com/*"] }, "permissions": ["tasks:default"] }"#;
    let app = kinds::app(&[SELF_ONLY, REMOTE]);
    let mut main = app.page("main").open();
    main.session("s").await.unwrap();
    main.call("start", start(&id(1), "slow", Value::Null)).await.unwrap();
    main.navigate("https://example.com/page");
    assert_eq!(main.call("list", json!({ "filter": {} })).await.unwrap(), json!({ "tasks": [], "next": null }));
    assert_eq!(main.call("get", json!({ "id": id(1) })).await.unwrap_err()["kind"], "notFound");
    let error = main.call("ack", json!({ "session": "s", "message": 0 })).await.unwrap_err();
    assert_eq!(error["kind"], "sessionGone", "it can't use the session either");
    main.navigate("/");
    assert_eq!(main.call("get", json!({ "id": id(1) })).await.unwrap()["owner"], "main");
}

#[tokio::test]
async fn a_start_repeated_on_many_threads_runs_once() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    for number in 1..=20 {
        let calls = (0..4).map(|_| main.call("start", start(&id(number), "slow", Value::Null)));
        assert!(join_all(calls).await.iter().all(Result::is_ok));
    }
    until("all run", async || runs(&app, "slow") >= 20).await;
    assert_eq!((runs(&app, "slow"), tasks_named(&app, "slow")), (20, 20));
}

#[test]
fn the_app_does_not_start_if_a_name_is_empty_or_taken() {
    async fn nothing(_: TaskContext, (): ()) -> Result<(), Failure> {
        Ok(())
    }

    let refusal = |names: [&str; 2]| {
        let tasks = names.into_iter().fold(Builder::new(), |tasks, name| tasks.task(Task::new(name, nothing)));
        TestApp::builder(tasks).try_build().err().unwrap().to_string()
    };
    assert!(refusal(["one", "one"]).contains("two tasks are registered as \"one\""));
    assert!(refusal(["one", ""]).contains("empty name"));
}
