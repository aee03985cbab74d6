//! Calls the commands from documents of several origins in one webview, behind the real permission files.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use serde_json::{Value, json};
use tauri::{
    Manager,
    http::{HeaderMap, header::ORIGIN},
    ipc::{CallbackFn, InvokeBody},
    test::{INVOKE_KEY, get_ipc_response},
    webview::InvokeRequest,
};
use tauri_plugin_tasks::{
    Builder, Failure, Task, TaskContext, TaskFilter,
    test::{self, PageError, TestApp, TestPage},
};

const ONE: &str = "https://one.example/page";
const OTHER: &str = "https://other.example/page";
const LOCAL: &str = "/page";
const LOCAL_ORIGIN: &str =
    if cfg!(any(windows, target_os = "android")) { "http://tauri.localhost" } else { "tauri://localhost" };

/// The same permissions for the app's documents and for all remote ones.
const ALL: &str = r#"{ "identifier": "all", "windows": ["main"], "local": true, "remote": { "urls": ["https://*.example", "https://*.example:8443"] },
    "permissions": ["tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }] }] }"#;

async fn hang(_: TaskContext, (): ()) -> Result<(), Failure> {
    std::future::pending().await
}

async fn fails(_: TaskContext, (): ()) -> Result<(), Failure> {
    Err(Failure::new("as told"))
}

fn app() -> TestApp {
    let app = test::app(Builder::new().task(Task::new("hang", hang)).task(Task::new("fails", fails)));
    app.capability(ALL);
    app
}

fn id(number: u8) -> String {
    format!("01890000-0000-7000-8000-0000000000{number:02x}")
}

/// Loads a document, which opens a session.
async fn goes_to(page: &mut TestPage, url: &str, session: &str) {
    page.navigate(url);
    page.session(session).await.unwrap();
}

async fn start(page: &TestPage, session: &str, number: u8, task: &str) -> Value {
    let start = json!({ "session": session, "id": id(number), "task": task, "input": null, "options": {} });
    page.call("start", start).await.unwrap()["snapshot"].take()
}

/// Every call that names a task by an id, with this one.
fn calls_about(id: &str) -> Vec<(&'static str, Value)> {
    let unused = self::id(90);
    vec![
        ("cancel", json!({ "id": id, "reason": "user" })),
        ("pause", json!({ "id": id })),
        ("resume", json!({ "id": id })),
        ("set_priority", json!({ "id": id, "priority": 1 })),
        ("get", json!({ "id": id })),
        ("watch", json!({ "session": "s", "target": { "type": "task", "data": { "id": id } } })),
        ("outcome", json!({ "id": id })),
        ("remove", json!({ "id": id })),
        ("rerun", json!({ "session": "s", "id": id, "newId": unused })),
        ("rerun", json!({ "session": "s", "id": unused, "newId": id })),
        ("read", json!({ "session": "s", "id": id, "reader": "r", "chunk": 1, "from": null, "waitMs": 0 })),
        ("cancel_read", json!({ "session": "s", "id": id, "reader": "r", "position": 0 })),
    ]
}

#[tokio::test]
async fn a_document_of_another_origin_neither_sees_nor_changes_what_the_one_before_has_started() {
    for (first, second) in [(ONE, OTHER), (LOCAL, ONE), (ONE, LOCAL), (ONE, "https://one.example:8443/page")] {
        let app = app();
        let mut page = app.page("main").open();
        goes_to(&mut page, first, "first").await;
        assert_eq!(start(&page, "first", 1, "hang").await["owner"], "main", "others are told the label");
        goes_to(&mut page, second, "s").await;
        assert_eq!(start(&page, "s", 2, "hang").await["owner"], "main");

        for ((command, foreign), (_, unknown)) in calls_about(&id(1)).into_iter().zip(calls_about(&id(99))) {
            let refused = async |arguments: Value| {
                let error = page.call(command, arguments).await.unwrap_err();
                error.to_string().replace(&id(1), "…").replace(&id(99), "…")
            };
            let (foreign, unknown) = (refused(foreign).await, refused(unknown).await);
            assert_eq!(foreign, unknown, "{command} by {second} about a task of {first}");
        }
        let taken = |input: &str, value: Value| json!({ "session": "s", "id": id(1), "task": "hang", input: value, "options": {} });
        for (command, arguments) in [("start", taken("input", json!(null))), ("batch", taken("inputs", json!([null])))]
        {
            assert_eq!(page.call(command, arguments).await.unwrap_err()["kind"], "invalidId");
        }
        assert_eq!(page.list(json!({})).await.unwrap().len(), 1);
        let ack = json!({ "session": "first", "message": 0 });
        assert_eq!(page.call("ack", ack).await.unwrap_err()["kind"], "sessionGone");
        let cancelled = page.call("cancel_all", json!({ "filter": {}, "reason": "user" })).await;
        assert_eq!(cancelled.unwrap(), 1, "its own");

        page.navigate(first);
        let seen = page.call("get", json!({ "id": id(1) })).await.unwrap();
        assert!(["queued", "running"].contains(&seen["status"].as_str().unwrap()), "the first one is back: {seen}");
        assert_eq!(app.tasks().list(&TaskFilter::default()).len(), 2);
    }
}

/// Lists the tasks in a call that Tauri takes for one of a document at `from`, with any header or none. A page of the kit
/// always sends the header of its document.
fn list(page: &TestPage, from: &str, header: Option<&str>) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: "plugin:tasks|list".to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: from.parse().unwrap(),
        body: InvokeBody::Json(json!({ "filter": {} })),
        headers: HeaderMap::from_iter(header.map(|header| (ORIGIN, header.parse().unwrap()))),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    let window = page.webview().app_handle().get_webview_window("main").unwrap();
    get_ipc_response(&window, request).map(|body| body.deserialize().unwrap())
}

#[test]
fn a_call_of_a_frame_or_of_a_document_that_has_left_is_refused() {
    let app = app();
    let mut page = app.page("main").url(ONE).open();
    assert!(list(&page, ONE, Some("https://one.example")).is_ok());
    for (from, header) in [
        (OTHER, Some("https://other.example")),
        (ONE, Some("https://other.example")),
        (ONE, Some("null")),
        (LOCAL_ORIGIN, None),
        (LOCAL_ORIGIN, Some(LOCAL_ORIGIN)),
        (LOCAL_ORIGIN, Some("https://one.example")),
    ] {
        let error = list(&page, from, header).unwrap_err();
        assert_eq!(error["kind"], "notAllowed", "{from} with {header:?}: {error}");
        assert!(error["message"].as_str().unwrap().contains("does not come from the document"), "{error}");
    }
    page.navigate(LOCAL);
    assert!(list(&page, LOCAL_ORIGIN, None).is_ok() && list(&page, LOCAL_ORIGIN, Some(LOCAL_ORIGIN)).is_ok());
    for header in [None, Some("https://one.example"), Some(LOCAL_ORIGIN)] {
        assert_eq!(list(&page, ONE, header).unwrap_err()["kind"], "notAllowed", "{header:?}");
    }
}

#[tokio::test]
async fn a_repeated_rerun_returns_only_what_a_rerun_of_that_task_has_started_and_its_kind_may_still_be_started() {
    let app = app();
    let mut page = app.page("main").open();
    goes_to(&mut page, ONE, "s").await;
    let rerun = async |new: u8, of: u8| -> Result<Value, PageError> {
        page.call("rerun", json!({ "session": "s", "id": id(of), "newId": id(new) })).await
    };
    for number in [1, 3] {
        start(&page, "s", number, "fails").await;
        page.outcome(id(number).parse().unwrap()).await.unwrap();
    }
    rerun(2, 1).await.unwrap();
    page.outcome(id(2).parse().unwrap()).await.unwrap();
    page.call("remove", json!({ "id": id(1) })).await.unwrap();
    let repeated = rerun(2, 1).await.unwrap();
    assert_eq!(repeated["snapshot"]["id"], id(2), "a repeat finds what the first call has started");
    assert_eq!(rerun(3, 1).await.unwrap_err()["kind"], "notFound", "it was started otherwise");
    assert_eq!(rerun(2, 9).await.unwrap_err()["kind"], "notFound", "it is a rerun of another task");
    app.capability(
        r#"{ "identifier": "denied", "windows": ["main"], "remote": { "urls": ["https://*.example"] },
        "permissions": [{ "identifier": "tasks:allow-start", "deny": [{ "task": "fails" }] }] }"#,
    );
    assert_eq!(rerun(2, 1).await.unwrap_err()["kind"], "notFound", "it may not be started any more");
}
