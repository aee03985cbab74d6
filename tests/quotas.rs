//! Calls the commands as pages that have used up their quotas, behind the real permission files.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tauri_plugin_tasks::{
    Builder, ErrorKind, Failure, Json, Outcome, Quotas, Schedule, StartOptions, Task, TaskContext, TaskFilter, TaskId,
    TaskManager, TaskStatus, Unread,
    test::{PageError, TestApp, TestPage, until},
};
use tauri_plugin_tasks_engine::delivery::{Account, Owner, Start, engine};

const PAGES: &str = r#"{ "identifier": "pages", "windows": ["*"], "remote": { "urls": ["https://a.example/*"] },
    "permissions": [
        "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }] },
        { "identifier": "tasks:allow-trigger", "allow": [{ "task": "*" }] }
    ] }"#;
const REMOTE: &str = "https://a.example/page";

/// Emits a text of this many letters, then hangs, or returns.
#[derive(Serialize, Deserialize)]
struct Work {
    emits: usize,
    hangs: bool,
}

async fn work(ctx: TaskContext<(), String>, Work { emits, hangs }: Work) -> Result<(), Failure> {
    ctx.emit("x".repeat(emits)).await;
    if hangs { std::future::pending().await } else { Ok(()) }
}

fn app(quotas: Quotas, config: Value) -> TestApp {
    let tasks = Builder::new().quotas(quotas).task(Task::new("work", work).unread(Unread::DropOldest));
    let app = TestApp::builder(tasks).config(config).build();
    app.capability(PAGES);
    app
}

async fn start(page: &TestPage, input: &Value) -> Result<TaskId, PageError> {
    page.start("work", input, json!({})).await
}

/// Starts this many tasks that don't end.
async fn start_hanging(page: &TestPage, many: usize) -> Vec<TaskId> {
    let mut ids = Vec::new();
    for _ in 0..many {
        ids.push(start(page, &hangs()).await.unwrap());
    }
    ids
}

async fn start_as(page: &TestPage, id: TaskId, input: &Value) -> Result<Value, PageError> {
    let session = page.session_name().await?;
    page.call("start", json!({ "session": session, "id": id, "task": "work", "input": input, "options": {} })).await
}

async fn batch(page: &TestPage, inputs: Value) -> Result<Value, PageError> {
    let session = page.session_name().await?;
    let id = TaskId::new();
    page.call("batch", json!({ "session": session, "id": id, "task": "work", "inputs": inputs, "options": {} })).await
}

async fn cancel(page: &TestPage, id: TaskId) {
    page.cancel(id).await.unwrap();
    assert!(matches!(page.outcome(id).await.unwrap(), Outcome::Cancelled { .. }));
}

/// Reads what a task has emitted so far, and stops reading.
async fn read(page: &TestPage, id: TaskId) {
    let session = page.session_name().await.unwrap();
    let read = json!({ "session": session, "id": id, "reader": "r", "chunk": 1, "from": null, "waitMs": 0 });
    page.call("read", read).await.unwrap();
    page.call("cancel_read", json!({ "session": session, "id": id, "reader": "r", "position": 1 })).await.unwrap();
}

fn hangs() -> Value {
    json!({ "emits": 0, "hangs": true })
}

fn ends() -> Value {
    json!({ "emits": 0, "hangs": false })
}

/// Returns what the error of an exceeded quota says of it.
fn quota<T>(result: Result<T, PageError>) -> (String, u64) {
    let error = result.err().unwrap();
    assert_eq!(error["kind"], "quotaExceeded", "{error}");
    let (quota, limit) = (error["data"]["quota"].as_str().unwrap(), error["data"]["limit"].as_u64().unwrap());
    let message = error["message"].as_str().unwrap();
    let place = format!("\"{quota}\" under plugins > tasks > quotas in tauri.conf.json");
    assert!(message.contains(&limit.to_string()) && message.contains(&place), "{message}");
    (quota.to_owned(), limit)
}

fn exceeded(name: &str, limit: u64) -> (String, u64) {
    (name.to_owned(), limit)
}

fn count(tasks: &TaskManager) -> usize {
    tasks.list(&TaskFilter::default()).len()
}

/// Starts a task that emits more than 20,000 bytes and goes on, and waits until the page can't start anything any more.
async fn fill(page: &TestPage) -> TaskId {
    let id = start(page, &json!({ "emits": 50_000, "hangs": true })).await.unwrap();
    until("its items", async || start(page, &ends()).await.is_err()).await;
    id
}

/// Returns how many of the webviews so far can't start anything, whether they are still there or not: it tries each account.
async fn used_up(app: &TestApp) -> usize {
    let mut refused = 0;
    for account in 0..8 {
        let (input, options) = (Json::new(&ends()).unwrap(), StartOptions::new());
        let start = Start { id: TaskId::new(), task: "work", input, owner: Owner::App, options, sees: &|_| false };
        match engine(app.tasks()).start_on(Some(Account(account)), start) {
            // It gives its place back before the test goes on.
            Ok(started) => drop(started.record().ended().await),
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::QuotaExceeded);
                refused += 1;
            }
        }
    }
    refused
}

#[tokio::test]
async fn a_page_at_its_quota_is_refused_and_no_other_window_and_no_rust_code_notices() {
    let app = app(Quotas::new().live_tasks(3), json!({}));
    let (main, second) = (app.page("main").open(), app.page("second").open());
    let ids = start_hanging(&main, 3).await;
    assert_eq!(quota(start(&main, &hangs()).await), exceeded("liveTasks", 3));
    assert_eq!(quota(batch(&main, json!([ends()])).await), exceeded("liveTasks", 3));
    start_hanging(&second, 3).await;
    for _ in 0..5 {
        app.tasks().start("work", hangs()).unwrap();
    }
    assert!(main.call("list", json!({ "filter": {} })).await.is_ok(), "only starts are refused");
    for id in &ids {
        assert!(start_as(&main, *id, &hangs()).await.is_ok(), "a repeat");
    }
    assert_eq!(count(app.tasks()), 11);
    cancel(&main, ids[0]).await;
    assert!(start(&main, &hangs()).await.is_ok());
}

#[tokio::test]
async fn the_documents_of_a_webview_share_its_quotas_whatever_their_origin() {
    for (first, second) in [("/", REMOTE), (REMOTE, "/"), ("/", "/other.html")] {
        let app = app(Quotas::new().live_tasks(2), json!({}));
        let mut page = app.page("main").url(first).open();
        start(&page, &hangs()).await.unwrap();
        page.navigate(second);
        let id = start(&page, &hangs()).await.unwrap();
        for document in [second, first, second] {
            page.navigate(document);
            assert_eq!(quota(start(&page, &ends()).await), exceeded("liveTasks", 2), "{document} after {first}");
        }
        cancel(&page, id).await;
        page.navigate(first);
        start(&page, &hangs()).await.unwrap();
        assert_eq!(quota(start(&page, &ends()).await), exceeded("liveTasks", 2));
    }
}

#[tokio::test]
async fn neither_a_reload_nor_another_document_gives_a_webview_new_starts_or_room_for_bytes() {
    let leave: [fn(&mut TestPage); _] = [TestPage::reload, |page| page.navigate(REMOTE), |page| page.navigate("/")];
    // It would take a quarter of an hour until as many can be started again.
    let app = self::app(Quotas::new().starts_per_second(1).starts_at_once(1_000), json!({}));
    let (mut main, second) = (app.page("main").open(), app.page("second").open());
    let many = json!(vec![ends(); 1_000]);
    batch(&main, many.clone()).await.unwrap();
    for leave in leave {
        leave(&mut main);
        assert_eq!(quota(batch(&main, many.clone()).await), exceeded("startsPerSecond", 1));
    }
    batch(&second, many).await.unwrap();

    let app = self::app(Quotas::new().bytes_on_hand(20_000), json!({}));
    let mut main = app.page("main").open();
    let id = fill(&main).await;
    for leave in leave {
        leave(&mut main);
        assert_eq!(quota(start(&main, &ends()).await), exceeded("bytesOnHand", 20_000));
    }
    read(&main, id).await;
    main.navigate(REMOTE);
    assert!(start(&main, &ends()).await.is_ok());
}

#[tokio::test]
async fn a_window_that_is_closed_gives_back_its_places_and_no_other_window_notices() {
    let app = app(Quotas::new().live_tasks(3), json!({}));
    let (main, second) = (app.page("main").open(), app.page("second").open());
    let ids = start_hanging(&main, 3).await;
    let own = start_hanging(&second, 2).await;
    assert_eq!(used_up(&app).await, 1);
    main.close();
    assert_eq!(used_up(&app).await, 0);
    for id in ids {
        let snapshot = app.tasks().get(id).unwrap();
        assert!(!snapshot.status.is_final() && snapshot.owner.is_none(), "it goes on as a task of the app");
    }
    for id in own {
        assert_eq!(second.snapshot(id).await.unwrap()["owner"], "second");
    }
    start(&second, &hangs()).await.expect("it has one place left");
    assert_eq!(quota(start(&second, &hangs()).await), exceeded("liveTasks", 3));
    let third = app.page("third").open();
    batch(&third, json!([hangs(), hangs(), hangs()])).await.expect("a new window has all of its places");
}

#[tokio::test]
async fn a_window_that_is_closed_gives_back_what_it_had_on_hand_and_no_other_window_notices() {
    let app = app(Quotas::new().bytes_on_hand(20_000), json!({}));
    let (main, second, third) = (app.page("main").open(), app.page("second").open(), app.page("third").open());
    let (of_main, of_second) = (fill(&main).await, fill(&second).await);
    assert_eq!(used_up(&app).await, 2);
    main.close();
    assert_eq!(used_up(&app).await, 1);
    assert_eq!(app.tasks().get(of_main).unwrap().status, TaskStatus::Running);
    assert_eq!(quota(start(&second, &ends()).await), exceeded("bytesOnHand", 20_000));
    assert!(start(&third, &ends()).await.is_ok());
    read(&second, of_second).await;
    assert!(start(&second, &ends()).await.is_ok());
}

#[tokio::test]
async fn what_the_configuration_sets_takes_the_place_of_what_the_builder_says_key_by_key() {
    let quotas = Quotas::new().live_tasks(1).starts_per_second(1).starts_at_once(4).bytes_per_call(100);
    let app = app(quotas, json!({ "quotas": { "liveTasks": 2, "bytesPerCall": "unlimited" } }));
    let main = app.page("main").open();
    let long = json!({ "emits": 0, "hangs": true, "padding": "x".repeat(1_000) });
    start(&main, &long).await.unwrap();
    start(&main, &long).await.unwrap();
    assert_eq!(quota(start(&main, &long).await), exceeded("liveTasks", 2));
    let other = app.page("other").open();
    let five = json!([ends(), ends(), ends(), ends(), ends()]);
    assert_eq!(quota(batch(&other, five.clone()).await), exceeded("liveTasks", 2));

    let config = json!({ "quotas": { "liveTasks": "unlimited" } });
    let app = self::app(Quotas::new().starts_per_second(1).starts_at_once(4), config);
    assert_eq!(quota(batch(&app.page("main").open(), five).await), exceeded("startsAtOnce", 4));
}

#[tokio::test]
async fn the_inputs_of_one_call_are_limited_together() {
    let app = app(Quotas::new().bytes_per_call(100), json!({}));
    let main = app.page("main").open();
    let input = |size: usize| json!({ "emits": 0, "hangs": false, "x": "x".repeat(size) });
    let own = input(0).to_string().len();
    assert!(start(&main, &input(100 - own)).await.is_ok());
    assert_eq!(quota(start(&main, &input(101 - own)).await), exceeded("bytesPerCall", 100));
    assert!(batch(&main, json!([input(50 - own), input(50 - own)])).await.is_ok());
    assert_eq!(quota(batch(&main, json!([input(50 - own), input(51 - own)])).await), exceeded("bytesPerCall", 100));
}

#[tokio::test]
async fn what_is_on_hand_is_limited_and_the_work_that_puts_it_there_goes_on() {
    let app = app(Quotas::new().bytes_on_hand(20_000), json!({}));
    let (main, second) = (app.page("main").open(), app.page("second").open());
    let id = fill(&main).await;
    assert_eq!(quota(start(&main, &ends()).await), exceeded("bytesOnHand", 20_000));
    assert!(start(&second, &ends()).await.is_ok());
    assert_eq!(main.status(id).await.unwrap(), TaskStatus::Running);
    read(&main, id).await;
    assert!(start(&main, &ends()).await.is_ok());
}

#[tokio::test]
async fn a_page_pays_for_its_reruns_and_for_the_runs_that_it_triggers() {
    let app = app(Quotas::new().live_tasks(2), json!({}));
    let every_hour = Schedule::every(Duration::from_secs(3_600)).overlap();
    app.tasks().schedule("sync", "work", hangs(), every_hour).unwrap();
    let main = app.page("main").open();
    let session = main.session_name().await.unwrap();
    let cancelled = start(&main, &hangs()).await.unwrap();
    cancel(&main, cancelled).await;
    let again = TaskId::new();
    let rerun =
        async |new: TaskId| main.call("rerun", json!({ "session": session, "id": cancelled, "newId": new })).await;
    rerun(again).await.unwrap();
    let run = TaskId::new();
    let trigger = async |id: TaskId| main.call("trigger", json!({ "name": "sync", "id": id })).await;
    trigger(run).await.unwrap();
    assert_eq!(quota(rerun(TaskId::new()).await), exceeded("liveTasks", 2));
    assert_eq!(quota(trigger(TaskId::new()).await), exceeded("liveTasks", 2));
    assert!(rerun(again).await.is_ok() && trigger(run).await.is_ok(), "repeats");
    app.tasks().trigger("sync").unwrap();
}

#[tokio::test]
async fn code_in_rust_has_no_quota() {
    let quotas = Quotas::new().live_tasks(1).starts_per_second(1).starts_at_once(1).bytes_on_hand(1).bytes_per_call(1);
    let app = app(quotas, json!({}));
    for _ in 0..20 {
        app.tasks().start_with("work", hangs(), StartOptions::new()).unwrap();
    }
    assert!(start(&app.page("main").open(), &ends()).await.is_err());
    assert_eq!(count(app.tasks()), 20);
}
