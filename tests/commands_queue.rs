//! Calls the commands for queues, keys, batches and retries as a page, behind the real permission files.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use std::ops::Deref;

use serde_json::{Value, json};
use support::kinds::{self, id, tasks_named};
use tauri_plugin_tasks::{
    OnConflict, StartOptions,
    test::{TestApp, TestPage, TestSession, until},
};

const SELF_ONLY: &str = r#"{ "identifier": "own", "windows": ["main", "second"], "permissions": [
    "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }], "deny": [{ "task": "secret" }] }
] }"#;
const DEFAULT_ONLY: &str = r#"{ "identifier": "bare", "windows": ["bare"], "permissions": ["tasks:default"] }"#;
const BOSS: &str = r#"{ "identifier": "boss", "windows": ["boss"], "permissions": [
    "tasks:default", "tasks:observe-all", "tasks:control-all",
    { "identifier": "tasks:allow-start", "allow": [{ "task": "*", "owner": "any" }] },
    { "identifier": "tasks:allow-set-limit", "allow": [{ "task": "*", "owner": "any" }] }
] }"#;
/// Sees all kinds but one, and may limit only one kind.
const WATCHER: &str = r#"{ "identifier": "watcher", "windows": ["watcher"], "permissions": [
    { "identifier": "tasks:observe-all", "deny": [{ "task": "slow" }] },
    { "identifier": "tasks:allow-set-limit", "allow": [{ "task": "hang", "owner": "any" }, { "task": "one" }] }
] }"#;

fn app() -> TestApp {
    kinds::app(&[SELF_ONLY, DEFAULT_ONLY, BOSS, WATCHER])
}

/// A page with a session of the same name.
struct Opened {
    page: TestPage,
    session: TestSession,
}

impl Deref for Opened {
    type Target = TestPage;

    fn deref(&self) -> &TestPage {
        &self.page
    }
}

async fn window(app: &TestApp, label: &str) -> Opened {
    let page = app.page(label).open();
    let session = page.session(label).await.unwrap();
    Opened { page, session }
}

fn start(session: &str, number: u8, task: &str, options: Value) -> Value {
    json!({ "session": session, "id": id(number), "task": task, "input": null, "options": options })
}

fn batch(session: &str, number: u8, task: &str, inputs: Value) -> Value {
    json!({ "session": session, "id": id(number), "task": task, "inputs": inputs, "options": { "concurrency": 1 } })
}

fn rerun(session: &str, number: u8, new: u8) -> Value {
    json!({ "session": session, "id": id(number), "newId": id(new) })
}

async fn status(page: &TestPage, number: u8) -> Value {
    page.call("get", json!({ "id": id(number) })).await.unwrap()["status"].clone()
}

async fn cancel(page: &TestPage, number: u8) {
    page.call("cancel", json!({ "id": id(number), "reason": "user" })).await.unwrap();
}

/// Starts a task and waits until it has failed.
async fn failed(page: &Opened, session: &str, number: u8) {
    page.call("start", start(session, number, "fails", json!({}))).await.unwrap();
    page.session.end_of(&id(number)).await;
}

/// Starts a task that runs and one that waits behind it.
async fn queued(page: &TestPage, session: &str, [running, waiting]: [u8; 2]) {
    for number in [running, waiting] {
        page.call("start", start(session, number, "one", json!({}))).await.unwrap();
    }
    until("running", async || status(page, running).await == "running").await;
}

// Permissions.

#[tokio::test]
async fn the_default_permissions_allow_what_a_window_does_with_its_own_tasks() {
    let app = app();
    let main = window(&app, "main").await;
    queued(&main, "main", [1, 2]).await;
    let place = async || main.call("get", json!({ "id": id(2) })).await.unwrap()["queue"].clone();
    assert_eq!(place().await, json!({ "position": 1, "priority": 0, "held": false }));
    for _ in 0..2 {
        main.call("pause", json!({ "id": id(2) })).await.unwrap();
        main.call("set_priority", json!({ "id": id(2), "priority": 7 })).await.unwrap();
        assert_eq!(place().await, json!({ "position": null, "priority": 7, "held": true }));
    }
    for _ in 0..2 {
        main.call("resume", json!({ "id": id(2) })).await.unwrap();
        assert_eq!(place().await, json!({ "position": 1, "priority": 7, "held": false }));
    }
    let filter = json!({ "task": ["one"], "status": ["queued"] });
    assert_eq!(main.call("cancel_all", json!({ "filter": filter, "reason": "user" })).await.unwrap(), 1);
    assert_eq!((status(&main, 1).await, status(&main, 2).await), (json!("running"), json!("cancelled")));
}

#[tokio::test]
async fn retry_and_batch_need_the_same_scope_entry_as_start_and_say_so() {
    let app = app();
    let (main, bare) = (window(&app, "main").await, window(&app, "bare").await);
    let entry = r#"{ "identifier": "tasks:allow-start", "allow": [{ "task": "hang" }] }"#;
    let error = bare.call("batch", batch("bare", 1, "hang", json!([null]))).await.unwrap_err();
    assert_eq!(error["kind"], "notAllowed");
    assert!(error["message"].as_str().unwrap().contains(entry), "{error}");
    let error = main.call("batch", batch("main", 1, "secret", json!([null]))).await.unwrap_err();
    assert!(error["message"].as_str().unwrap().contains("\"deny\""), "{error}");
    main.call("batch", batch("main", 2, "hang", json!([null]))).await.unwrap();
    failed(&main, "main", 3).await;
    main.call("rerun", rerun("main", 3, 4)).await.unwrap();
}

#[tokio::test]
async fn a_task_whose_kind_may_not_be_started_may_not_be_retried() {
    const STARTS_ONE: &str = r#"{ "identifier": "one", "windows": ["starts"], "permissions": [
        "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "hang", "owner": "any" }] }
    ] }"#;
    let app = kinds::app(&[SELF_ONLY, STARTS_ONE]);
    let (main, starts) = (window(&app, "main").await, window(&app, "starts").await);
    failed(&main, "main", 1).await;
    assert_eq!(starts.call("rerun", rerun("starts", 1, 2)).await.unwrap_err()["kind"], "notFound");
    main.call("start", start("main", 3, "hang", json!({}))).await.unwrap();
    cancel(&main, 3).await;
    main.session.end_of(&id(3)).await;
    let again = starts.call("rerun", rerun("starts", 3, 4)).await.unwrap()["snapshot"].clone();
    assert_eq!((&again["id"], &again["owner"]), (&json!(id(4)), &json!("starts")), "the page that retries it owns it");
}

#[tokio::test]
async fn counts_and_limits_need_permissions_of_their_own() {
    let app = app();
    let (main, boss, watcher) = (window(&app, "main").await, window(&app, "boss").await, window(&app, "watcher").await);
    queued(&main, "main", [1, 2]).await;
    for command in ["counts", "set_limit"] {
        let error = main.call(command, json!({ "of": { "type": "app" }, "limit": 1 })).await.unwrap_err();
        assert!(error.as_str().unwrap().contains(&format!("tasks.{command} not allowed")), "{error}");
    }
    let counts = async |page: &TestPage| page.call("counts", json!({})).await.unwrap().as_array().unwrap().clone();
    let one = counts(&boss).await.into_iter().find(|counts| counts["task"] == "one").unwrap();
    assert_eq!((&one["running"], &one["queued"], &one["limit"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(one["group"], "lane");
    let seen: Vec<_> = counts(&watcher).await.into_iter().map(|counts| counts["task"].clone()).collect();
    assert!(seen.contains(&json!("one")) && !seen.contains(&json!("slow")), "{seen:?}");
}

#[tokio::test]
async fn only_a_page_that_sees_every_task_under_a_limit_may_change_it() {
    let app = app();
    let (main, boss, watcher) = (window(&app, "main").await, window(&app, "boss").await, window(&app, "watcher").await);
    queued(&main, "main", [1, 2]).await;
    let set = async |page: &TestPage, of: Value, limit: Value| {
        page.call("set_limit", json!({ "of": of, "limit": limit })).await
    };
    set(&watcher, json!({ "type": "task", "name": "hang" }), json!(3)).await.unwrap();
    let others = [
        json!({ "type": "app" }),
        json!({ "type": "task", "name": "slow" }),
        json!({ "type": "task", "name": "one" }),
        json!({ "type": "group", "name": "lane" }),
    ];
    for of in others {
        let error = set(&watcher, of.clone(), json!(3)).await.unwrap_err();
        assert_eq!(error["kind"], "notAllowed", "{of}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(r#""identifier": "tasks:allow-set-limit""#), "{message}");
        assert!(message.contains(r#""owner": "any""#), "{message}");
    }
    assert_eq!(status(&main, 2).await, "queued");
    set(&boss, json!({ "type": "task", "name": "one" }), Value::Null).await.unwrap();
    until("there is room", async || status(&main, 2).await == "running").await;
    for of in [json!({ "type": "task", "name": "nope" }), json!({ "type": "group", "name": "nope" })] {
        assert_eq!(set(&boss, of, json!(1)).await.unwrap_err()["kind"], "unknownTask");
    }
}

// Foreign tasks.

#[tokio::test]
async fn a_foreign_task_can_be_changed_only_with_an_entry_for_any_owner() {
    let app = app();
    let (main, second, boss) = (window(&app, "main").await, window(&app, "second").await, window(&app, "boss").await);
    queued(&main, "main", [1, 2]).await;
    failed(&main, "main", 3).await;
    let all = json!({ "filter": {}, "reason": "user" });
    for command in ["pause", "resume", "set_priority"] {
        let error = second.call(command, json!({ "id": id(2), "priority": 1 })).await.unwrap_err();
        assert_eq!(error["kind"], "notFound", "{command}");
        assert!(error["message"].as_str().unwrap().contains(r#""owner": "any""#), "{error}");
    }
    assert_eq!(second.call("rerun", rerun("second", 3, 4)).await.unwrap_err()["kind"], "notFound");
    assert_eq!(second.call("cancel_all", all.clone()).await.unwrap(), 0);

    boss.call("pause", json!({ "id": id(2) })).await.unwrap();
    boss.call("set_priority", json!({ "id": id(2), "priority": 1 })).await.unwrap();
    boss.call("resume", json!({ "id": id(2) })).await.unwrap();
    boss.call("rerun", rerun("boss", 3, 5)).await.unwrap();
    boss.session.end_of(&id(5)).await;
    assert_eq!(boss.call("cancel_all", all).await.unwrap(), 2);
    until("all ended", async || status(&main, 1).await == "cancelled" && status(&main, 2).await == "cancelled").await;
}

#[tokio::test]
async fn the_refusal_for_a_foreign_task_names_a_permission_that_allows_its_rerun() {
    let app = app();
    let (main, second) = (window(&app, "main").await, window(&app, "second").await);
    failed(&main, "main", 1).await;
    let error = second.call("rerun", rerun("second", 1, 2)).await.unwrap_err();
    assert!(error["message"].as_str().unwrap().contains("tasks:allow-start"), "{error}");
}

#[tokio::test]
async fn a_foreign_key_is_neither_joined_nor_replaced_and_its_id_stays_secret() {
    let app = app();
    let (main, second, boss) = (window(&app, "main").await, window(&app, "second").await, window(&app, "boss").await);
    let keyed = |session, number, on_conflict: &str| {
        start(session, number, "hang", json!({ "key": "k", "onConflict": on_conflict }))
    };
    main.call("start", keyed("main", 1, "refuse")).await.unwrap();
    let error = main.call("start", keyed("main", 2, "refuse")).await.unwrap_err();
    assert_eq!((&error["kind"], &error["data"]), (&json!("keyTaken"), &json!({ "id": id(1) })), "its own task");

    for on_conflict in ["refuse", "join", "replace"] {
        let error = second.call("start", keyed("second", 3, on_conflict)).await.unwrap_err();
        assert_eq!((&error["kind"], &error["data"]), (&json!("keyTaken"), &Value::Null), "{on_conflict}");
        assert!(!error.to_string().contains(&id(1)), "{error}");
    }
    until("running", async || status(&main, 1).await == "running").await;
    second.call("start", keyed("second", 4, "append")).await.unwrap();
    assert_eq!(status(&second, 4).await, "queued", "waiting for it needs no permission");
    cancel(&second, 4).await;

    assert_eq!(boss.call("start", keyed("boss", 5, "join")).await.unwrap()["snapshot"]["id"], id(1));
    boss.call("start", keyed("boss", 6, "replace")).await.unwrap();
    assert_eq!(main.session.end_of(&id(1)).await["cancelReason"], "replaced");
    until("it runs", async || status(&boss, 6).await == "running").await;
}

#[tokio::test]
async fn the_refusal_of_a_foreign_key_advises_only_what_would_be_allowed() {
    let app = app();
    let (main, second) = (window(&app, "main").await, window(&app, "second").await);
    let keyed = |session, number| start(session, number, "hang", json!({ "key": "k", "onConflict": "join" }));
    main.call("start", keyed("main", 1)).await.unwrap();
    let error = second.call("start", keyed("second", 2)).await.unwrap_err();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("tasks:allow-start"), "the permission that allows joining: {message}");
    assert!(!message.contains("\"join\", \"replace\" or"), "{message}");
}

#[tokio::test]
async fn a_window_cannot_take_a_key_from_a_task_of_the_app() {
    let app = app();
    let second = window(&app, "second").await;
    let options = StartOptions::new().key("k", OnConflict::Refuse);
    let theirs = app.tasks().start_with("hang", (), options).unwrap();
    let words = start("second", 1, "hang", json!({ "key": "k", "onConflict": "replace" }));
    let error = second.call("start", words).await.unwrap_err();
    assert_eq!((&error["kind"], &error["data"]), (&json!("keyTaken"), &Value::Null));
    assert!(!theirs.status().is_final());
    assert!(!error["message"].as_str().unwrap().contains("belongs to another window"), "the app owns it: {error}");
}

// Repeated calls.

#[tokio::test]
async fn a_repeated_batch_or_retry_finds_what_the_first_call_started() {
    let app = app();
    let main = window(&app, "main").await;
    let words = batch("main", 1, "hang", json!([null, null]));
    for _ in 0..2 {
        let snapshot = main.call("batch", words.clone()).await.unwrap()["snapshot"].clone();
        assert_eq!((&snapshot["id"], &snapshot["members"]), (&json!(id(1)), &json!(2)));
    }
    assert_eq!(tasks_named(&app, "hang"), 3, "one batch of two");
    let other = main.call("batch", batch("main", 1, "hang", json!([null]))).await;
    assert_eq!(other.unwrap_err()["kind"], "invalidId");

    failed(&main, "main", 2).await;
    for _ in 0..2 {
        assert_eq!(main.call("rerun", rerun("main", 2, 3)).await.unwrap()["snapshot"]["id"], id(3));
    }
    until("ended", async || status(&main, 3).await == "failed").await;
    assert_eq!(
        main.call("rerun", rerun("main", 2, 3)).await.unwrap()["snapshot"]["id"],
        id(3),
        "even after it has ended"
    );
    assert_eq!(tasks_named(&app, "fails"), 2);
    assert_eq!(main.call("rerun", rerun("main", 2, 1)).await.unwrap_err()["kind"], "invalidId", "an id that is used");
    assert_eq!(
        main.call("rerun", json!({ "session": "main", "id": id(2), "newId": "7" })).await.unwrap_err()["kind"],
        "invalidId"
    );
}

#[tokio::test]
async fn a_repeated_start_that_had_joined_finds_the_joined_task_even_if_it_has_ended() {
    let app = app();
    let main = window(&app, "main").await;
    let keyed = |number| start("main", number, "hang", json!({ "key": "k", "onConflict": "join" }));
    main.call("start", keyed(1)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(main.call("start", keyed(2)).await.unwrap()["snapshot"]["id"], id(1));
    }
    cancel(&main, 1).await;
    main.session.end_of(&id(1)).await;
    let again = main.call("start", keyed(2)).await.unwrap()["snapshot"].clone();
    assert_eq!((&again["id"], &again["status"]), (&json!(id(1)), &json!("cancelled")), "and nothing runs again");
    assert_eq!(tasks_named(&app, "hang"), 1);
    assert_eq!(main.call("get", json!({ "id": id(2) })).await.unwrap_err()["kind"], "notFound");
    until("removed", async || main.call("remove", json!({ "id": id(1) })).await.is_ok()).await;
    assert_eq!(main.call("start", keyed(2)).await.unwrap_err()["kind"], "invalidId");
}

// Messages of the session.

#[tokio::test]
async fn the_session_of_a_start_that_joined_follows_the_joined_task() {
    let app = app();
    let main = window(&app, "main").await;
    main.session("first").await.unwrap();
    main.call("start", start("first", 1, "hang", json!({ "key": "k" }))).await.unwrap();
    main.call("start", start("main", 2, "hang", json!({ "key": "k", "onConflict": "join" }))).await.unwrap();
    cancel(&main, 1).await;
    assert_eq!(main.session.end_of(&id(1)).await["cancelReason"], "user");
}

#[tokio::test]
async fn the_session_follows_a_batch_a_retried_task_and_new_queue_places() {
    let app = app();
    let main = window(&app, "main").await;
    let snapshot =
        main.call("batch", batch("main", 1, "fails", json!([null, null]))).await.unwrap()["snapshot"].clone();
    assert_eq!(snapshot["members"], 2);
    let end = main.session.end_of(&id(1)).await;
    let outcomes = end["outcome"]["data"]["output"].as_array().unwrap();
    assert!(outcomes.len() == 2 && outcomes.iter().all(|outcome| outcome["status"] == "failed"), "{end}");
    failed(&main, "main", 2).await;
    main.call("rerun", rerun("main", 2, 3)).await.unwrap();
    assert_eq!(main.session.end_of(&id(3)).await["status"], "failed");

    queued(&main, "main", [4, 5]).await;
    main.call("start", start("main", 6, "one", json!({}))).await.unwrap();
    cancel(&main, 5).await;
    let moved = main.session.next_event(|event| event["id"] == id(6) && event["change"]["data"]["position"] == 1).await;
    assert_eq!(moved["change"]["type"], "queue");
}

#[tokio::test]
async fn a_list_is_watched_by_tag_and_by_batch() {
    let app = app();
    let main = window(&app, "main").await;
    for (number, tag) in [(1, "night"), (2, "day")] {
        main.call("start", start("main", number, "hang", json!({ "tags": [tag], "label": "Sync" }))).await.unwrap();
    }
    main.call("batch", batch("main", 3, "hang", json!([null, null]))).await.unwrap();
    let watched = async |watch: u32, filter: Value| {
        let target = json!({ "type": "list", "data": { "watch": watch, "filter": filter } });
        let listed = main.call("watch", json!({ "session": "main", "target": target })).await.unwrap();
        listed.as_array().unwrap().clone()
    };
    let tagged = watched(1, json!({ "tag": ["night"] })).await;
    assert_eq!((tagged.len(), &tagged[0]["id"], &tagged[0]["label"]), (1, &json!(id(1)), &json!("Sync")));
    let members = watched(2, json!({ "parent": [id(3)] })).await;
    assert!(members.len() == 2 && members.iter().all(|member| member["parent"] == id(3)), "{members:?}");
    assert_eq!(watched(3, json!({ "key": ["none"] })).await, Vec::<Value>::new());
}

// Options.

#[tokio::test]
async fn start_options_reach_the_task() {
    let app = app();
    let main = window(&app, "main").await;
    let options = json!({
        "priority": 3, "held": true, "key": "k", "onConflict": "append", "label": "Sync", "tags": ["a", "b"],
        "delayMs": 60_000, "timeoutMs": 1_000, "deadlineMs": 500,
    });
    let snapshot = main.call("start", start("main", 1, "hang", options)).await.unwrap()["snapshot"].clone();
    assert_eq!(snapshot["queue"], json!({ "position": null, "priority": 3, "held": true }));
    assert_eq!((&snapshot["key"], &snapshot["label"]), (&json!("k"), &json!("Sync")));
    assert_eq!(snapshot["tags"], json!(["a", "b"]));
    let due = snapshot["nextAttemptAt"].as_u64().unwrap() - snapshot["createdAt"].as_u64().unwrap();
    // The two are read from two clocks, one after the other.
    assert!((59_000..90_000).contains(&due), "{due}");
    until("its deadline", async || status(&main, 1).await == "timedOut").await;
    let ended = main.call("get", json!({ "id": id(1) })).await.unwrap();
    assert_eq!((&ended["timeLimit"], &ended["startedAt"]), (&json!("deadline"), &Value::Null));
}

#[tokio::test]
async fn a_label_over_its_limit_is_clipped() {
    let app = app();
    let main = window(&app, "main").await;
    let snapshot =
        main.call("start", start("main", 1, "hang", json!({ "label": "x".repeat(257) }))).await.unwrap()["snapshot"]
            .clone();
    assert_eq!(snapshot["label"], format!("{}…", "x".repeat(253)));
}

#[tokio::test]
async fn options_over_a_limit_are_refused_with_a_typed_error_that_names_it() {
    let app = app();
    let main = window(&app, "main").await;
    let seventeen: Vec<_> = (0..17).map(|number| number.to_string()).collect();
    for (options, limit) in [
        (json!({ "tags": seventeen }), "16"),
        (json!({ "key": "x".repeat(4_097) }), "4096"),
        (json!({ "tags": ["x".repeat(1_025)] }), "1024"),
    ] {
        let error = main.call("start", start("main", 1, "hang", options)).await.unwrap_err();
        assert_eq!(error["kind"], "invalidOptions");
        assert!(error["message"].as_str().unwrap().contains(limit), "{error}");
    }
    let mut words = batch("main", 1, "hang", json!([null]));
    words["options"] = json!({ "tags": seventeen });
    assert_eq!(main.call("batch", words).await.unwrap_err()["kind"], "invalidOptions");
    assert_eq!(tasks_named(&app, "hang"), 0);
}

#[tokio::test]
async fn malformed_options_are_refused_with_a_typed_error_that_names_them() {
    let app = app();
    let main = window(&app, "main").await;
    for (options, name) in [
        (json!({ "prioritty": 1 }), "prioritty"),
        (json!({ "delayMs": -1 }), "delayMs"),
        (json!({ "timeoutMs": "soon" }), "timeoutMs"),
        (json!({ "onConflict": "merge" }), "onConflict"),
    ] {
        let error = main.call("start", start("main", 1, "hang", options.clone())).await.unwrap_err();
        assert_eq!(error["kind"], "invalidOptions", "{options}: {error}");
        assert!(error["message"].as_str().unwrap().contains(name), "{error}");
        let mut words = batch("main", 2, "hang", json!([null]));
        words["options"] = options;
        assert_eq!(main.call("batch", words).await.unwrap_err()["kind"], "invalidOptions");
    }
    assert_eq!(tasks_named(&app, "hang"), 0);
}

#[tokio::test]
async fn a_malformed_filter_cancels_nothing() {
    let app = app();
    let main = window(&app, "main").await;
    main.call("start", start("main", 1, "hang", json!({}))).await.unwrap();
    for filter in [json!({ "tags": ["none"] }), json!({ "task": "other" }), json!({ "status": ["done"] })] {
        assert!(main.call("cancel_all", json!({ "filter": filter, "reason": "user" })).await.is_err(), "{filter}");
    }
    until("running", async || status(&main, 1).await == "running").await;
}

#[tokio::test]
async fn a_page_cancels_with_words_of_its_own_but_never_with_a_reason_of_the_plugin() {
    let app = app();
    let main = window(&app, "main").await;
    for number in [1, 2] {
        main.call("start", start("main", number, "hang", json!({}))).await.unwrap();
    }
    until("running", async || status(&main, 1).await == "running" && status(&main, 2).await == "running").await;
    let wrong = ["ownerClosed", "shutdown", "parent", "replaced", "unread"].map(|reason| json!(reason));
    for reason in wrong.into_iter().chain([json!(null), json!(7), json!({ "words": "x" })]) {
        let all = main.call("cancel_all", json!({ "filter": {}, "reason": reason })).await.unwrap_err();
        let one = main.call("cancel", json!({ "id": id(1), "reason": reason })).await.unwrap_err();
        assert_eq!((&all["kind"], &one["kind"]), (&json!("invalidOptions"), &json!("invalidOptions")), "{reason}");
    }
    assert_eq!((status(&main, 1).await, status(&main, 2).await), ("running".into(), "running".into()));
    main.call("cancel", json!({ "id": id(1), "reason": "the disk is full" })).await.unwrap();
    main.call("cancel_all", json!({ "filter": {}, "reason": "y".repeat(2_000) })).await.unwrap();
    until("cancelled", async || status(&main, 1).await == "cancelled" && status(&main, 2).await == "cancelled").await;
    let reason = async |number| main.call("get", json!({ "id": id(number) })).await.unwrap()["cancelReason"].clone();
    assert_eq!(reason(1).await, "the disk is full");
    assert_eq!(reason(2).await.as_str().map(str::len), Some(1_024));
}

#[tokio::test]
async fn the_refusal_of_a_batch_names_the_input_that_does_not_fit_and_nothing_starts() {
    let app = app();
    let main = window(&app, "main").await;
    let inputs = json!([{ "number": 1 }, { "number": 2 }, { "number": 3 }, { "number": "x" }]);
    let error = main.call("batch", batch("main", 1, "double", inputs)).await.unwrap_err();
    assert_eq!((&error["kind"], &error["data"]), (&json!("invalidInput"), &json!({ "path": "[3].number" })));
    let error = main.call("batch", batch("main", 2, "one", json!(vec![(); 22]))).await.unwrap_err();
    assert_eq!((&error["kind"], &error["data"]), (&json!("queueFull"), &json!({ "limit": 20 })));
    assert_eq!((tasks_named(&app, "double"), tasks_named(&app, "one")), (0, 0));
    let mut long = batch("main", 3, "one", json!([null]));
    long["task"] = json!("x".repeat(2_000));
    let error = main.call("batch", long).await.unwrap_err();
    assert!(error["kind"] == "unknownTask" && error.to_string().len() < 1_000, "{error}");
}

#[tokio::test]
async fn a_refusal_does_not_repeat_an_overlong_name() {
    let app = app();
    let watcher = window(&app, "watcher").await;
    let of = json!({ "type": "task", "name": "x".repeat(100_000) });
    let error = watcher.call("set_limit", json!({ "of": of, "limit": 1 })).await.unwrap_err();
    assert!(error.to_string().len() < 2_000, "{} bytes", error.to_string().len());
}

#[tokio::test]
async fn only_a_task_that_ended_badly_can_be_retried() {
    let app = app();
    let main = window(&app, "main").await;
    main.call("start", start("main", 1, "hang", json!({}))).await.unwrap();
    assert_eq!(main.call("rerun", rerun("main", 1, 2)).await.unwrap_err()["kind"], "notEnded");
    let echo = json!({ "session": "main", "id": id(3), "task": "echo", "input": 1, "options": {} });
    main.call("start", echo).await.unwrap();
    main.session.end_of(&id(3)).await;
    assert_eq!(main.call("rerun", rerun("main", 3, 4)).await.unwrap_err()["kind"], "notRerunnable");
    assert_eq!(main.call("pause", json!({ "id": id(3) })).await.unwrap_err()["data"], json!({ "status": "completed" }));
}
