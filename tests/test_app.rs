//! Tests the test kit for apps with kinds of its own, as an app would use it.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::time::Duration;

use serde_json::{Value, json};
use tauri::{AppHandle, Manager, Runtime};
use tauri_plugin_tasks::{
    Builder, Bytes, CancelReason, Failure, Missed, OnExit, OnOwnerClosed, Outcome, Restart, Schedule, Task,
    TaskContext, TaskFilter, TaskStatus,
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

/// Returns the new status in an event.
fn status_of(event: &Value) -> &Value {
    &event["change"]["data"]["status"]
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

#[tokio::test]
async fn a_document_is_where_its_url_says() {
    let app = test::app(tasks());
    let url = |page: &TestPage| page.webview().url().unwrap().to_string();
    let mut page = app.page("main").url("/settings.html?tab=1").allow(["tasks:default"]).open();
    assert!(url(&page).ends_with("localhost/settings.html?tab=1"), "{}", url(&page));
    page.list(json!({})).await.unwrap();
    page.navigate("/other.html");
    page.list(json!({})).await.unwrap();
    let remote = app.page("remote").url("http://help.example:8080/x").allow(["tasks:default"]).open();
    assert_eq!(url(&remote), "http://help.example:8080/x");
    remote.list(json!({})).await.unwrap();
    page.navigate("http://help.example:8080/x");
    assert!(page.list(json!({})).await.unwrap_err().is_of_tauri());
}

#[tokio::test]
#[should_panic(expected = r#""evil.example" is neither a URL with a scheme nor a path that begins with "/""#)]
async fn a_host_alone_is_no_url() {
    let app = test::app(tasks());
    open(&app, "main").navigate("evil.example");
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
async fn the_first_event_is_what_the_start_has_returned() {
    let app = test::app(tasks());
    let page = open(&app, "main");
    let id = page.start("hang", (), json!({})).await.unwrap();
    page.until_status(id, TaskStatus::Running).await.unwrap();
    let first = page.next_event(id).await.unwrap();
    let change = &first["change"]["data"];
    assert!(change["at"].is_u64() && change["outcome"].is_null() && first["id"] == json!(id), "{first}");
    while status_of(page.events(id).last().unwrap()) != "running" {
        page.next_event(id).await.unwrap();
    }
    // However fast the handler is, the end is told.
    for _ in 0..50 {
        let id = page.start("double", 1, json!({})).await.unwrap();
        let mut last = page.next_event(id).await.unwrap();
        while status_of(&last) != "completed" {
            let next = page.next_event(id).await.unwrap();
            assert!(
                next["sequence"].as_u64() > last["sequence"].as_u64() || next["change"]["type"] != "status",
                "{next}"
            );
            last = next;
        }
        assert_eq!(last["change"]["data"]["outcome"]["data"]["output"], 2, "{last}");
    }
}

#[tokio::test]
#[should_panic(expected = "has ended, so no event follows")]
async fn the_only_event_of_a_task_that_is_watched_after_its_end_is_the_end() {
    let app = test::app(tasks());
    let mut page = open(&app, "main");
    let id = page.start("double", 1, json!({})).await.unwrap();
    page.outcome(id).await.unwrap();
    page.reload();
    page.watch(id).await.unwrap();
    assert_eq!(status_of(&page.next_event(id).await.unwrap()), "completed");
    page.next_event(id).await.unwrap();
}

/// A page that may start a kind by itself and joins it, and one that has started it.
async fn joined(app: &TestApp) -> (TestPage, TestPage, tauri_plugin_tasks::TaskId) {
    let open = |label| {
        let page = app.page(label).allow(["tasks:default"]);
        page.scope("tasks:allow-start", json!({ "task": "*", "owner": "any" })).open()
    };
    let (main, side) = (open("main"), open("side"));
    let join = || json!({ "key": "k", "onConflict": "join" });
    let id = main.start("hang", (), join()).await.unwrap();
    assert_eq!(side.start("hang", (), join()).await.unwrap(), id);
    (main, side, id)
}

#[tokio::test]
async fn a_page_that_leaves_gives_back_the_share_of_its_newest_call() {
    let app = test::app(tasks());
    let (mut main, side, id) = joined(&app).await;
    assert_eq!(side.start("hang", (), json!({ "key": "k", "onConflict": "join" })).await.unwrap(), id);
    main.reload();
    main.leave(id).await.unwrap();
    side.leave(id).await.unwrap();
    assert!(!side.status(id).await.unwrap().is_final(), "its first call has a share");
    side.leave(id).await.unwrap();
    assert_eq!(side.status(id).await.unwrap_err().kind(), Some("notFound"), "it never owned the task");
    let outcome = main.outcome(id).await.unwrap();
    assert!(matches!(outcome, Outcome::Cancelled { reason: CancelReason::Signal, .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_share_is_kept_for_every_call_that_has_one() {
    let app = test::app(tasks());
    let page = open(&app, "main");
    let session = page.session_name().await.unwrap();
    let call = tauri_plugin_tasks::TaskId::new();
    let arguments = json!({ "session": session, "id": call, "task": "hang", "inputs": [null, null], "options": {} });
    let answer = page.call("batch", arguments).await.unwrap();
    let batch = answer["snapshot"]["id"].as_str().unwrap().parse().unwrap();
    page.leave(batch).await.unwrap();
    page.outcome(batch).await.unwrap();
    let ended = page.start("hang", (), json!({})).await.unwrap();
    page.leave(ended).await.unwrap();
    page.outcome(ended).await.unwrap();
    let new_id = tauri_plugin_tasks::TaskId::new();
    let rerun = json!({ "session": session, "id": ended, "newId": new_id });
    page.call("rerun", rerun).await.unwrap();
    page.leave(new_id).await.unwrap();
    assert!(matches!(page.outcome(new_id).await.unwrap(), Outcome::Cancelled { reason: CancelReason::Signal, .. }));
}

#[tokio::test]
#[should_panic(expected = "page \"main\" has no share in task")]
async fn a_share_is_given_back_once() {
    let app = test::app(tasks());
    let (main, _side, id) = joined(&app).await;
    main.leave(id).await.unwrap();
    main.leave(id).await.unwrap();
}

#[tokio::test]
#[should_panic(expected = "page \"side\" has no share in task")]
async fn a_call_that_is_repeated_after_it_has_left_gets_no_other_share() {
    let app = test::app(tasks());
    let (_main, side, id) = joined(&app).await;
    let (session, call) = (side.session_name().await.unwrap(), tauri_plugin_tasks::TaskId::new());
    let options = json!({ "key": "k", "onConflict": "join" });
    let again = json!({ "session": session, "id": call, "task": "hang", "input": null, "options": options });
    side.call("start", again.clone()).await.unwrap();
    side.leave(id).await.unwrap();
    side.call("start", again).await.unwrap();
    side.leave(id).await.unwrap();
    assert_eq!(side.status(id).await.unwrap_err().kind(), Some("notFound"), "that was the share of its first call");
    side.leave(id).await.unwrap();
}

#[tokio::test]
#[should_panic(expected = "A document of https://other.example has those of its own origin alone")]
async fn a_share_is_given_back_by_a_document_of_the_origin_that_has_it() {
    let app = test::app(tasks());
    let (mut main, mut side, id) = joined(&app).await;
    main.navigate("https://other.example/");
    main.navigate("/settings.html");
    main.leave(id).await.unwrap();
    assert!(!side.status(id).await.unwrap().is_final(), "side still has a share in it");
    side.navigate("https://other.example/");
    side.leave(id).await.unwrap();
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
    assert!(["queued", "running"].iter().any(|it| status_of(&page.events(id)[0]) == *it), "{:?}", page.events(id));
    page.cancel(id).await.unwrap();
    while status_of(&page.next_event(id).await.unwrap()) != "cancelling" {}
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
async fn a_step_past_several_runs_starts_one() {
    for (missed, skipped) in [(Missed::Skip, 4), (Missed::Once, 0)] {
        let app = test::app(tasks().schedule("hourly", "double", 4, Schedule::every(HOUR).missed(missed)));
        app.advance(5 * HOUR + Duration::from_secs(30));
        let runs = || app.tasks().list(&TaskFilter::new().tag("schedule:hourly"));
        test::until("the run", async || runs().iter().any(|run| run.status.is_final())).await;
        assert_eq!((runs().len(), app.schedule("hourly").snapshot().skipped), (1, skipped), "{missed:?}");
    }
}

#[tokio::test]
async fn ended_tasks_are_gone_once_the_clock_is_past_their_time() {
    let app = test::app(tasks());
    let page = open(&app, "main");
    let id = page.start("double", 1, json!({})).await.unwrap();
    page.outcome(id).await.unwrap();
    app.advance(2 * HOUR);
    assert!(page.status(id).await.is_err());
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
