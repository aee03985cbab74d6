//! Calls the commands for schedules as a page, behind the real permission files.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::kinds::{self, id, tasks_named};
use tauri_plugin_tasks::{
    Schedule,
    test::{PageError, TestApp, TestPage, until},
};

const MAIN: &str = r#"{ "identifier": "main", "windows": ["main"], "permissions": [
    "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*", "owner": "any" }] }
] }"#;
const BOSS: &str = r#"{ "identifier": "boss", "windows": ["boss"], "permissions": [
    "tasks:default", "tasks:observe-all", "tasks:control-all",
    { "identifier": "tasks:allow-trigger", "allow": [{ "task": "*" }] }
] }"#;
/// Sees all kinds but `hang`. May trigger only `hang`, pause only `echo`, and resume all but `hang`.
const BUTTON: &str = r#"{ "identifier": "button", "windows": ["button"], "permissions": [
    { "identifier": "tasks:observe-all", "deny": [{ "task": "hang" }] },
    { "identifier": "tasks:allow-trigger", "allow": [{ "task": "hang" }] },
    { "identifier": "tasks:allow-pause-schedule", "allow": [{ "task": "hang" }, { "task": "echo", "owner": "any" }] },
    { "identifier": "tasks:allow-resume-schedule", "allow": [{ "task": "*", "owner": "any" }], "deny": [{ "task": "hang" }] }
] }"#;

/// Builds an app with a schedule of `hang`, one of `echo` and one of `secret`.
fn app() -> TestApp {
    let app = kinds::app(&[MAIN, BOSS, BUTTON]);
    let hourly = || Schedule::every(Duration::from_secs(3_600));
    app.tasks().schedule("hangs", "hang", (), hourly()).unwrap();
    app.tasks().schedule("echoes", "echo", 7, Schedule::cron("0 3 * * *").unwrap()).unwrap();
    app.tasks().schedule("secrets", "secret", Some(1), hourly()).unwrap();
    app
}

async fn trigger(page: &TestPage, name: &str, number: u8) -> Result<Value, PageError> {
    page.call("trigger", json!({ "name": name, "id": id(number) })).await
}

async fn schedules(page: &TestPage) -> Vec<Value> {
    page.call("schedules", json!({})).await.unwrap().as_array().unwrap().clone()
}

#[tokio::test]
async fn the_default_permissions_neither_show_nor_run_schedules() {
    let app = app();
    let main = app.page("main").open();
    for command in ["schedules", "trigger", "pause_schedule", "resume_schedule"] {
        let error = main.call(command, json!({ "name": "hangs", "id": id(1) })).await.unwrap_err();
        assert!(error.as_str().unwrap().contains(&format!("tasks.{command} not allowed")), "{error}");
    }
    assert_eq!(tasks_named(&app, "hang"), 0);
}

#[tokio::test]
async fn observe_all_shows_the_schedules_of_the_visible_kinds() {
    let app = app();
    let names = async |page: &TestPage| schedules(page).await.iter().map(|it| it["name"].clone()).collect::<Vec<_>>();
    let boss = app.page("boss").open();
    assert_eq!(names(&boss).await, ["echoes", "hangs", "secrets"]);
    assert_eq!(names(&app.page("button").open()).await, ["echoes", "secrets"]);
    let echoes = schedules(&boss).await.remove(0);
    assert!(echoes["nextRunAt"].is_u64(), "{echoes}");
    let mut rest = echoes;
    rest.as_object_mut().unwrap().remove("nextRunAt");
    let expected = json!({
        "name": "echoes", "task": "echo", "every": null, "cron": "0 3 * * *", "paused": false, "lastRun": null,
        "running": 0, "failures": 0, "skipped": 0,
    });
    assert_eq!(rest, expected);
}

#[tokio::test]
async fn a_trigger_starts_a_task_of_the_app_and_can_be_repeated() {
    let app = app();
    let button = app.page("button").open();
    let run = trigger(&button, "hangs", 1).await.unwrap();
    assert_eq!((&run["id"], &run["task"], &run["owner"]), (&json!(id(1)), &json!("hang"), &Value::Null));
    assert_eq!(run["tags"], json!(["schedule:hangs"]));
    assert_eq!(trigger(&button, "hangs", 1).await.unwrap()["id"], id(1));
    assert_eq!(trigger(&button, "hangs", 2).await.unwrap()["id"], id(1), "the live run is returned");
    assert_eq!(tasks_named(&app, "hang"), 1);
    let error = button.call("get", json!({ "id": id(1) })).await.unwrap_err();
    assert_eq!(error["kind"], "notFound", "what is denied to a page it may not see, although it has triggered the run");
    let boss = app.page("boss").open();
    let last = schedules(&boss).await.into_iter().find(|it| it["name"] == "hangs").unwrap()["lastRun"].clone();
    assert_eq!((&last["id"], &last["endedAt"]), (&json!(id(1)), &Value::Null));
    boss.call("cancel", json!({ "id": id(1), "reason": "user" })).await.unwrap();
    until("it has ended", async || app.tasks().schedules()[1].running == 0).await;
    assert_eq!(trigger(&button, "hangs", 1).await.unwrap()["status"], "cancelled", "a repeat starts nothing");
    assert_eq!(trigger(&button, "hangs", 3).await.unwrap()["id"], id(3));
}

#[tokio::test]
async fn a_trigger_with_the_id_of_another_task_starts_nothing() {
    let app = app();
    let boss = app.page("boss").open();
    boss.session("boss").await.unwrap();
    let other = app.tasks().start("hang", ()).unwrap().id().to_string();
    let error = boss.call("trigger", json!({ "name": "hangs", "id": other })).await.unwrap_err();
    assert_eq!(error["kind"], "invalidId");
    let error = boss.call("trigger", json!({ "name": "hangs", "id": "7" })).await.unwrap_err();
    assert_eq!(error["kind"], "invalidId");
    assert_eq!(tasks_named(&app, "hang"), 1);
}

#[tokio::test]
async fn a_hidden_schedule_and_an_unknown_one_get_the_same_refusal() {
    let app = app();
    let button = app.page("button").open();
    let name = |error: PageError, name: &str| error.to_string().replace(name, "…");
    let call = async |command: &str, schedule: &str| {
        let error = button.call(command, json!({ "name": schedule, "id": id(1) })).await.unwrap_err();
        assert_eq!(error["kind"], "unknownSchedule", "{command}");
        error
    };
    for (command, hidden, permission) in [
        ("trigger", "echoes", "tasks:allow-trigger"),
        ("pause_schedule", "secrets", "tasks:allow-pause-schedule"),
        ("pause_schedule", "hangs", "tasks:allow-pause-schedule"),
        ("resume_schedule", "hangs", "tasks:allow-resume-schedule"),
    ] {
        let (error, unknown) = (call(command, hidden).await, call(command, "nope").await);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(permission) && message.contains("src-tauri/capabilities/*.json"), "{message}");
        assert_eq!(name(error, hidden), name(unknown, "nope"));
    }
    assert!(call("trigger", &"x".repeat(100_000)).await.to_string().len() < 2_000);
    assert!(app.tasks().schedules().iter().all(|it| !it.paused && it.last_run.is_none()));
}

#[tokio::test]
async fn pausing_and_resuming_need_an_entry_for_any_owner_and_can_be_repeated() {
    let app = app();
    let (boss, button) = (app.page("boss").open(), app.page("button").open());
    for page in [&boss, &button] {
        for (command, paused) in [("pause_schedule", true), ("resume_schedule", false)] {
            for _ in 0..2 {
                page.call(command, json!({ "name": "echoes" })).await.unwrap();
                let echoes = app.tasks().schedules().remove(0);
                assert_eq!((echoes.paused, echoes.next_run_at.is_none()), (paused, paused));
            }
        }
    }
}

#[tokio::test]
async fn the_refusal_of_a_run_says_why() {
    let app = app();
    app.tasks().schedule("lane", "one", (), Schedule::every(Duration::from_secs(60)).overlap()).unwrap();
    let boss = app.page("boss").open();
    for number in 0..21 {
        trigger(&boss, "lane", number).await.unwrap();
    }
    assert_eq!(trigger(&boss, "lane", 21).await.unwrap_err()["kind"], "queueFull");
}
