//! Tests the test kit for apps with kinds of its own, as an app would use it.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::time::Duration;

use serde_json::{Value, json};
use tauri::{AppHandle, Manager, Runtime};
use tauri_plugin_tasks::{
    Builder, Bytes, CancelReason, Failure, OnExit, OnOwnerClosed, Outcome, Restart, Schedule, Task, TaskContext,
    TaskStatus,
    test::{self, TestApp, TestPage},
};

const HOUR: Duration = Duration::from_secs(3_600);

async fn double(_: TaskContext, number: u32) -> Result<u32, Failure> {
    Ok(number * 2)
}

async fn hang(_: TaskContext, (): ()) -> Result<(), Failure> {
    std::future::pending().await
}

/// Ends well once it is told to stop.
async fn wait(ctx: TaskContext, (): ()) -> Result<(), Failure> {
    ctx.cancelled().await;
    Ok(())
}

async fn greet<R: Runtime>(app: AppHandle<R>, _: TaskContext, (): ()) -> Result<String, Failure> {
    Ok(app.state::<String>().inner().clone())
}

async fn count(ctx: TaskContext<(), u32>, to: u32) -> Result<(), Failure> {
    for number in 0..to {
        ctx.emit(number).await;
        ctx.progress().inc(1);
    }
    Ok(())
}

async fn bytes(ctx: TaskContext<(), Bytes>, many: usize) -> Result<(), Failure> {
    ctx.emit_bytes(&vec![7; many]).await;
    Ok(())
}

fn tasks() -> Builder<tauri::test::MockRuntime> {
    Builder::new()
        .task(Task::new("double", double))
        .task(Task::new("hang", hang))
        .task(Task::new("limited", hang).timeout(HOUR))
        .task(Task::new("tied", hang).on_owner_closed(OnOwnerClosed::Cancel))
        .task(Task::new("wait", wait))
        .task(Task::new("finish", wait).on_exit(OnExit::Finish))
        .task(Task::new("left", hang).on_exit(OnExit::Drop))
        .task(Task::new("greet", greet))
        .task(Task::new("count", count))
        .task(Task::new("bytes", bytes))
        .task(Task::new("service", hang).restart(Restart::always()))
}

/// Opens a page that may start everything.
fn open(app: &TestApp, label: &str) -> TestPage {
    app.page(label).allow(["tasks:default"]).scope("tasks:allow-start", json!({ "task": "*" })).open()
}

// Permissions.

#[tokio::test]
async fn a_page_has_the_capabilities_of_the_app_that_name_its_window() {
    let app = test::app(tasks());
    app.capability(
        r#"{ "identifier": "main", "windows": ["main"], "permissions": [
            "core:default", "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "double" }] }
        ] }"#,
    );
    let (main, other) = (app.page("main").open(), app.page("other").open());
    let id = main.start("double", 21, json!({})).await.unwrap();
    assert_eq!(main.outcome(id).await.unwrap().output::<u32>().unwrap(), Some(42));
    let error = main.start("hang", (), json!({})).await.unwrap_err();
    assert_eq!(error.kind(), Some("notAllowed"));
    assert!(error.message().contains(r#""allow": [{ "task": "hang" }]"#) && !error.is_of_tauri(), "{error}");
    let error = other.start("double", 21, json!({})).await.unwrap_err();
    assert!(error.is_of_tauri() && error.message().contains("tasks.open not allowed"), "{error}");
}

#[tokio::test]
async fn a_page_has_the_permissions_that_it_was_opened_with_and_no_others() {
    let app = test::app(tasks());
    let page = app
        .page("main")
        .allow(["tasks:default", "tasks:deny-remove"])
        .scope("tasks:allow-start", json!({ "task": "double" }))
        .scope("tasks:allow-start", json!({ "task": "h*" }))
        .deny("tasks:allow-start", json!({ "task": "hang" }))
        .open();
    let id = page.start("double", 1, json!({})).await.unwrap();
    page.outcome(id).await.unwrap();
    assert_eq!(page.start("hang", (), json!({})).await.unwrap_err().kind(), Some("notAllowed"));
    assert!(page.call("remove", json!({ "id": id })).await.unwrap_err().is_of_tauri());
    let observer = app.page("observer").allow(["tasks:observe-all"]).open();
    assert_eq!(observer.status(id).await.unwrap(), TaskStatus::Completed);
    assert!(observer.cancel(id).await.unwrap_err().is_of_tauri());
}

#[tokio::test]
#[should_panic(expected = "the plugin has no permission \"tasks:alow-start\"")]
async fn a_permission_that_does_not_exist_is_told() {
    let app = test::app(tasks());
    app.page("main").allow(["tasks:alow-start"]).open();
}

#[tokio::test]
async fn documents_of_other_origins_are_other_pages() {
    let app = test::app(tasks());
    let mut page = open(&app, "main");
    let local = page.start("hang", (), json!({})).await.unwrap();
    page.navigate("https://example.com/a");
    assert!(page.status(local).await.unwrap_err().is_of_tauri(), "no capability is for this origin");
    app.capability(
        r#"{ "identifier": "remote", "windows": ["main"], "local": false,
            "remote": { "urls": ["https://example.com/*"] }, "permissions": [
            "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }] }
        ] }"#,
    );
    assert_eq!(page.status(local).await.unwrap_err().kind(), Some("notFound"));
    let remote = page.start("hang", (), json!({})).await.unwrap();
    page.navigate("https://example.com/b");
    assert_eq!(page.list(json!({})).await.unwrap()[0]["id"], json!(remote), "the same origin");
    assert!(page.call_from("https://evil.example/", "get", json!({ "id": remote })).await.unwrap_err().is_of_tauri());

    let other = app.page("other").allow(["tasks:default"]).url("https://other.example/").open();
    assert_eq!(other.status(remote).await.unwrap_err().kind(), Some("notFound"));
    assert_eq!(other.list(json!({})).await.unwrap(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_frame_of_another_origin_is_not_the_page() {
    let app = test::app(tasks());
    app.capability(
        r#"{ "identifier": "remote", "windows": ["main"],
            "remote": { "urls": ["https://*.example/*", "https://*.example:8443/*"] }, "permissions": [
            "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }] }
        ] }"#,
    );
    let page = app.page("main").url("https://a.example/").open();
    let id = page.start("hang", (), json!({})).await.unwrap();
    let get =
        async |url: &str| page.call_from(url, "get", json!({ "id": id })).await.map_err(|error| error.to_string());
    assert_eq!(get("https://a.example:443/frame").await.unwrap()["id"], json!(id));
    for url in ["https://b.example/", "https://a.example:8443/", "/"] {
        let error = get(url).await.unwrap_err();
        assert!(error.starts_with("notAllowed"), "{url}: {error}");
    }
}

// Tasks and events.

#[tokio::test]
async fn a_page_is_told_of_its_tasks_until_they_end() {
    let app = test::app(tasks());
    let page = open(&app, "main");
    let id = page.start("wait", (), json!({ "label": "A label" })).await.unwrap();
    page.until_status(id, TaskStatus::Running).await.unwrap();
    assert_eq!(page.snapshot(id).await.unwrap()["label"], "A label");
    page.cancel(id).await.unwrap();
    let mut statuses = Vec::new();
    while statuses.last() != Some(&json!("completed")) {
        let event = page.next_event(id).await.unwrap();
        statuses.push(event["change"]["data"]["status"].clone());
    }
    assert!(statuses.contains(&json!("cancelling")), "{statuses:?}");
    assert_eq!(page.events(id).len(), statuses.len());
}

#[tokio::test]
async fn a_page_reads_items_and_bytes() {
    let app = test::app(tasks());
    let page = open(&app, "main");
    let id = page.start("count", 2_000, json!({})).await.unwrap();
    assert_eq!(page.items(id).await.unwrap(), (0..2_000).map(Value::from).collect::<Vec<_>>());
    let none = page.start("count", 0, json!({})).await.unwrap();
    assert_eq!(page.items(none).await.unwrap(), Vec::<Value>::new());
    let many = page.start("bytes", 100_000, json!({})).await.unwrap();
    assert_eq!(page.bytes(many).await.unwrap(), vec![7; 100_000]);
    let none = page.start("bytes", 0, json!({})).await.unwrap();
    assert_eq!(page.bytes(none).await.unwrap(), Vec::<u8>::new());
}

#[tokio::test]
async fn a_session_is_driven_by_hand() {
    let app = test::app(tasks());
    let page = open(&app, "main");
    let session = page.session("mine").await.unwrap();
    let start = json!({ "session": session.name(), "id": tauri_plugin_tasks::TaskId::new(), "task": "wait", "input": null, "options": {} });
    let id = page.call("start", start).await.unwrap()["snapshot"]["id"].as_str().unwrap().to_owned();
    page.call("cancel", json!({ "id": id, "reason": "user" })).await.unwrap();
    let first = session.next_message().await;
    assert_eq!(session.messages(), std::slice::from_ref(&first), "it waits for the acknowledgement");
    session.acknowledge(first.number()).await.unwrap();
    assert_eq!(page.outcome(id.parse().unwrap()).await.unwrap().output::<()>().unwrap(), Some(()));
}

#[tokio::test]
#[should_panic(expected = "has ended, so no event follows")]
async fn an_event_after_the_end_is_not_waited_for() {
    let app = test::app(tasks());
    let page = open(&app, "main");
    let id = page.start("double", 1, json!({})).await.unwrap();
    loop {
        page.next_event(id).await.unwrap();
    }
}

// Documents and windows.

#[tokio::test]
async fn a_reload_ends_the_sessions_of_the_document_and_not_its_tasks() {
    let app = test::app(tasks());
    let mut page = open(&app, "main");
    let id = page.start("wait", (), json!({})).await.unwrap();
    let old = page.session_name().await.unwrap();
    page.reload();
    let error = page.call("ack", json!({ "session": old, "message": 0 })).await.unwrap_err();
    assert_eq!(error.kind(), Some("sessionGone"));
    assert!(page.events(id).is_empty(), "a new document was told nothing");
    assert_eq!(page.watch(id).await.unwrap()["id"], json!(id));
    page.cancel(id).await.unwrap();
    assert_eq!(page.next_event(id).await.unwrap()["change"]["data"]["status"], "cancelling");
    assert!(matches!(page.outcome(id).await.unwrap(), Outcome::Completed { .. }));
}

#[tokio::test]
async fn a_page_that_closes_leaves_its_tasks_as_their_kinds_say() {
    let app = test::app(tasks());
    let (page, observer) = (open(&app, "main"), app.page("observer").allow(["tasks:observe-all"]).open());
    let [kept, tied] =
        [page.start("hang", (), json!({})).await.unwrap(), page.start("tied", (), json!({})).await.unwrap()];
    page.close();
    let outcome = observer.outcome(tied).await.unwrap();
    assert!(matches!(outcome, Outcome::Cancelled { reason: CancelReason::OwnerClosed, .. }), "{outcome:?}");
    assert_eq!(observer.snapshot(kept).await.unwrap()["owner"], Value::Null, "the app owns it");
}

#[tokio::test]
#[should_panic(expected = "Each page of a test needs a label of its own")]
async fn a_label_is_used_once() {
    let app = test::app(tasks());
    open(&app, "main").close();
    open(&app, "main");
}

// The app.

#[tokio::test]
async fn state_the_setup_and_services_are_there() {
    let app = TestApp::builder(tasks().service("service", ()))
        .manage("hello".to_owned())
        .tauri(|builder| {
            builder.setup(|app| {
                app.manage(7_u8);
                Ok(())
            })
        })
        .build();
    assert_eq!(*app.handle().state::<u8>(), 7);
    let id = app.tasks().start("greet", ()).unwrap();
    assert_eq!(id.outcome().await.output::<String>().unwrap().as_deref(), Some("hello"));
    let services = || app.tasks().list(&tauri_plugin_tasks::TaskFilter::default().task("service"));
    test::until("the service", async || services().first().is_some_and(|it| it.status == TaskStatus::Running)).await;
}

#[tokio::test]
async fn an_app_that_does_not_start_says_why() {
    let twice = Builder::new().task(Task::new("one", hang)).task(Task::new("one", hang));
    let error = TestApp::builder(twice).try_build().err().unwrap().to_string();
    assert!(error.contains("two tasks are registered as \"one\""), "{error}");
    let error = TestApp::builder(tasks()).config(json!({ "nonsense": 1 })).try_build().err().unwrap().to_string();
    assert!(error.contains("nonsense"), "{error}");
}

/// Paused time doesn't end the kit's own waits, and stands still while the kit waits.
#[tokio::test(start_paused = true)]
async fn the_kit_works_in_paused_time() {
    let app = test::app(tasks());
    let page = open(&app, "main");
    let id = page.start("double", 21, json!({})).await.unwrap();
    assert_eq!(page.outcome(id).await.unwrap().output::<u32>().unwrap(), Some(42));
    page.close();
    assert_eq!(app.exit().await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kit_works_on_a_runtime_with_threads() {
    let app = test::app(tasks());
    let page = open(&app, "main");
    let id = page.start("count", 100, json!({})).await.unwrap();
    assert_eq!(page.items(id).await.unwrap().len(), 100);
    page.outcome(id).await.unwrap();
}

// Time.

#[tokio::test]
async fn the_clock_of_the_engine_can_be_moved() {
    let app = test::app(tasks());
    let page = open(&app, "main");
    let limited = page.start("limited", (), json!({})).await.unwrap();
    let delayed = page.start("double", 1, json!({ "delayMs": 3_600_000 })).await.unwrap();
    page.until_status(limited, TaskStatus::Running).await.unwrap();
    assert_eq!(page.status(delayed).await.unwrap(), TaskStatus::Queued);
    let before = app.now();
    app.advance(HOUR);
    assert!(app.now() - before >= 3_600_000);
    assert!(matches!(page.outcome(delayed).await.unwrap(), Outcome::Completed { .. }));
    assert!(matches!(page.outcome(limited).await.unwrap(), Outcome::TimedOut { .. }));
}

#[tokio::test]
async fn schedules_come_due() {
    let cron = Schedule::cron("0 3 * * *").unwrap();
    let builder = tasks().schedule("nightly", "double", 4, cron).schedule("hourly", "wait", (), Schedule::every(HOUR));
    let app = test::app(builder);
    for _ in 0..3 {
        let run = app.schedule("nightly").due().await.unwrap();
        assert_eq!(run.outcome().await.output::<u32>().unwrap(), Some(8));
    }
    let app = test::app(tasks().schedule("hourly", "wait", (), Schedule::every(HOUR)));
    let run = app.schedule("hourly").due().await.unwrap();
    assert_eq!(app.schedule("hourly").snapshot().running, 1);
    assert!(app.schedule("hourly").due().await.is_none(), "the first run goes on");
    run.cancel().unwrap();
    run.outcome().await;
    assert!(app.schedule("hourly").due().await.is_some());
}

#[tokio::test]
#[should_panic(expected = "there is no schedule \"never\": there are [\"hourly\"]")]
async fn an_unknown_schedule_is_told() {
    let app = test::app(tasks().schedule("hourly", "wait", (), Schedule::every(HOUR)));
    app.schedule("never").snapshot();
}

// The exit.

#[tokio::test]
async fn an_exit_reports_what_became_of_each_task() {
    let app = test::app(tasks().exit_grace(HOUR));
    let page = open(&app, "main");
    for task in ["wait", "hang", "left", "finish", "double"] {
        let input = if task == "double" { json!(1) } else { Value::Null };
        let id = page.start(task, input, json!({})).await.unwrap();
        if task == "double" {
            page.outcome(id).await.unwrap();
        } else {
            page.until_status(id, TaskStatus::Running).await.unwrap();
        }
    }
    let finish = app
        .tasks()
        .handle(page.list(json!({ "task": ["finish"] })).await.unwrap()[0]["id"].as_str().unwrap().parse().unwrap())
        .unwrap();
    finish.cancel().unwrap();
    let report = app.exit_with(3).await;
    assert_eq!(report.code, 3);
    let names = |tasks: Vec<&tauri_plugin_tasks::test::TaskAtExit>| {
        tasks.iter().map(|task| task.snapshot.task.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(report.lost().collect()), ["left"]);
    let waited_for = names(report.waited_for().collect());
    assert!(["wait", "hang"].iter().all(|name| waited_for.iter().any(|it| it == name)), "{waited_for:?}");
    let hang = report.tasks.iter().find(|task| task.snapshot.task == "hang").unwrap();
    assert!(matches!(hang.outcome, Some(Outcome::Cancelled { reason: CancelReason::Shutdown, .. })), "{hang:?}");
    assert!(report.tasks.iter().all(|task| task.snapshot.task != "double"), "it had ended before");
}
