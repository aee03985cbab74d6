//! Calls the commands as pages that have used up their quotas, behind the real permission files.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tauri::{
    App, Manager, WebviewWindow,
    ipc::{CallbackFn, InvokeBody, InvokeResponseBody},
    test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context, noop_assets},
    utils::acl::{
        manifest::{Manifest, PermissionFile},
        resolved::Resolved,
    },
    webview::InvokeRequest,
};
use tauri_plugin_tasks::{
    Builder, Failure, Quotas, Schedule, StartOptions, Task, TaskContext, TaskFilter, TaskManager, TasksExt, Unread,
};

const PAGES: &str = r#"{ "identifier": "pages", "windows": ["*"], "remote": { "urls": ["https://a.example/*"] },
    "permissions": [
        "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }] },
        { "identifier": "tasks:allow-trigger", "allow": [{ "task": "*" }] }
    ] }"#;

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

fn app(quotas: Quotas, config: Value) -> App<MockRuntime> {
    let mut context = mock_context(noop_assets());
    let acl = BTreeMap::from([("tasks".to_owned(), Manifest::new(permission_files(), None))]);
    *context.runtime_authority_mut() = tauri::runtime_authority!(acl, Resolved::default());
    context.config_mut().plugins.0.insert("tasks".into(), config);
    let plugin = Builder::new().quotas(quotas).task(Task::new("work", work).unread(Unread::DropOldest));
    let app = mock_builder().channel_interceptor(|_, _, _, _| true).plugin(plugin.build()).build(context).unwrap();
    app.add_capability(PAGES).unwrap();
    app
}

fn permission_files() -> Vec<PermissionFile> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("permissions")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap());
            }
        }
    }
    files
}

struct Page {
    window: WebviewWindow<MockRuntime>,
    url: String,
    session: String,
}

impl Page {
    fn of(app: &App<MockRuntime>, label: &str) -> Self {
        let url =
            if cfg!(any(windows, target_os = "android")) { "http://tauri.localhost" } else { "tauri://localhost" };
        Self::at(app, label, url)
    }

    fn at(app: &App<MockRuntime>, label: &str, url: &str) -> Self {
        let window = app.get_webview_window(label).unwrap_or_else(|| {
            tauri::WebviewWindowBuilder::new(app, label, tauri::WebviewUrl::default()).build().unwrap()
        });
        let page = Self { window, url: url.to_owned(), session: format!("{label} {url}") };
        page.call("open", json!({ "session": page.session, "protocol": 5, "channel": "__CHANNEL__:42" })).unwrap();
        page
    }

    fn call(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        let request = InvokeRequest {
            cmd: format!("plugin:tasks|{command}"),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: self.url.parse().unwrap(),
            body: InvokeBody::Json(arguments),
            headers: Default::default(),
            invoke_key: INVOKE_KEY.to_owned(),
        };
        get_ipc_response(&self.window, request).map(|body: InvokeResponseBody| body.deserialize().unwrap())
    }

    fn start_as(&self, id: &str, input: &Value) -> Result<Value, Value> {
        self.call("start", json!({ "session": self.session, "id": id, "task": "work", "input": input, "options": {} }))
    }

    fn start(&self, input: &Value) -> Result<String, Value> {
        let id = new_id();
        self.start_as(&id, input).map(|_| id)
    }

    fn batch(&self, inputs: Value) -> Result<Value, Value> {
        let arguments =
            json!({ "session": self.session, "id": new_id(), "task": "work", "inputs": inputs, "options": {} });
        self.call("batch", arguments)
    }

    fn cancel(&self, id: &str) {
        self.call("cancel", json!({ "id": id, "reason": "user" })).unwrap();
        assert_eq!(self.call("outcome", json!({ "id": id })).unwrap()["status"], "cancelled");
    }
}

fn new_id() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("01890000-0000-7000-8000-{:012x}", NEXT.fetch_add(1, Relaxed))
}

fn hangs() -> Value {
    json!({ "emits": 0, "hangs": true })
}

fn ends() -> Value {
    json!({ "emits": 0, "hangs": false })
}

/// Returns what the error of an exceeded quota says of it.
fn quota<T>(result: Result<T, Value>) -> (String, u64) {
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

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "timed out waiting for: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_page_at_its_quota_is_refused_and_no_other_window_and_no_rust_code_notices() {
    let app = app(Quotas::new().live_tasks(3), json!({}));
    let (main, second) = (Page::of(&app, "main"), Page::of(&app, "second"));
    let ids: Vec<_> = (0..3).map(|_| main.start(&hangs()).unwrap()).collect();
    assert_eq!(quota(main.start(&hangs())), exceeded("liveTasks", 3));
    assert_eq!(quota(main.batch(json!([ends()]))), exceeded("liveTasks", 3));
    for _ in 0..3 {
        second.start(&hangs()).unwrap();
    }
    for _ in 0..5 {
        app.tasks().start("work", hangs()).unwrap();
    }
    assert!(main.call("list", json!({ "filter": {} })).is_ok(), "only starts are refused");
    for id in &ids {
        assert!(main.start_as(id, &hangs()).is_ok(), "a repeat");
    }
    assert_eq!(count(app.tasks()), 11);
    main.cancel(&ids[0]);
    assert!(main.start(&hangs()).is_ok());
}

#[test]
fn the_documents_of_a_webview_share_its_quotas_whatever_their_origin() {
    let app = app(Quotas::new().live_tasks(2), json!({}));
    let local = Page::of(&app, "main");
    let remote = Page::at(&app, "main", "https://a.example/page");
    local.start(&hangs()).unwrap();
    remote.start(&hangs()).unwrap();
    for page in [&local, &remote] {
        assert_eq!(quota(page.start(&ends())), exceeded("liveTasks", 2));
    }
}

#[test]
fn what_the_configuration_sets_takes_the_place_of_what_the_builder_says_key_by_key() {
    let quotas = Quotas::new().live_tasks(1).starts_per_second(1).starts_at_once(4).bytes_per_call(100);
    let app = app(quotas, json!({ "quotas": { "liveTasks": 2, "bytesPerCall": "unlimited" } }));
    let main = Page::of(&app, "main");
    let long = json!({ "emits": 0, "hangs": true, "padding": "x".repeat(1_000) });
    main.start(&long).unwrap();
    main.start(&long).unwrap();
    assert_eq!(quota(main.start(&long)), exceeded("liveTasks", 2));
    let other = Page::of(&app, "other");
    let five = json!([ends(), ends(), ends(), ends(), ends()]);
    assert_eq!(quota(other.batch(five.clone())), exceeded("liveTasks", 2));

    let config = json!({ "quotas": { "liveTasks": "unlimited" } });
    let app = self::app(Quotas::new().starts_per_second(1).starts_at_once(4), config);
    assert_eq!(quota(Page::of(&app, "main").batch(five)), exceeded("startsAtOnce", 4));
}

#[test]
fn the_inputs_of_one_call_are_limited_together() {
    let app = app(Quotas::new().bytes_per_call(100), json!({}));
    let main = Page::of(&app, "main");
    let input = |size: usize| json!({ "emits": 0, "hangs": false, "x": "x".repeat(size) });
    let own = input(0).to_string().len();
    assert!(main.start(&input(100 - own)).is_ok());
    assert_eq!(quota(main.start(&input(101 - own))), exceeded("bytesPerCall", 100));
    assert!(main.batch(json!([input(50 - own), input(50 - own)])).is_ok());
    assert_eq!(quota(main.batch(json!([input(50 - own), input(51 - own)]))), exceeded("bytesPerCall", 100));
}

#[test]
fn what_is_on_hand_is_limited_and_the_work_that_puts_it_there_goes_on() {
    let app = app(Quotas::new().bytes_on_hand(20_000), json!({}));
    let (main, second) = (Page::of(&app, "main"), Page::of(&app, "second"));
    let id = main.start(&json!({ "emits": 50_000, "hangs": true })).unwrap();
    eventually("its items", || main.start(&ends()).is_err());
    assert_eq!(quota(main.start(&ends())), exceeded("bytesOnHand", 20_000));
    assert!(second.start(&ends()).is_ok());
    assert_eq!(main.call("get", json!({ "id": id })).unwrap()["status"], "running");
    let read = json!({ "session": main.session, "id": id, "reader": "r", "chunk": 1, "from": null, "waitMs": 0 });
    main.call("read", read).unwrap();
    main.call("cancel_read", json!({ "session": main.session, "id": id, "reader": "r", "position": 1 })).unwrap();
    assert!(main.start(&ends()).is_ok());
}

#[test]
fn a_page_pays_for_its_reruns_and_for_the_runs_that_it_triggers() {
    let app = app(Quotas::new().live_tasks(2), json!({}));
    let every_hour = Schedule::every(Duration::from_secs(3_600)).overlap();
    app.tasks().schedule("sync", "work", hangs(), every_hour).unwrap();
    let main = Page::of(&app, "main");
    let cancelled = main.start(&hangs()).unwrap();
    main.cancel(&cancelled);
    let again = new_id();
    let rerun = |new: &str| main.call("rerun", json!({ "session": main.session, "id": cancelled, "newId": new }));
    rerun(&again).unwrap();
    let run = new_id();
    let trigger = |id: &str| main.call("trigger", json!({ "name": "sync", "id": id }));
    trigger(&run).unwrap();
    assert_eq!(quota(rerun(&new_id())), exceeded("liveTasks", 2));
    assert_eq!(quota(trigger(&new_id())), exceeded("liveTasks", 2));
    assert!(rerun(&again).is_ok() && trigger(&run).is_ok(), "repeats");
    app.tasks().trigger("sync").unwrap();
}

#[test]
fn code_in_rust_has_no_quota() {
    let quotas = Quotas::new().live_tasks(1).starts_per_second(1).starts_at_once(1).bytes_on_hand(1).bytes_per_call(1);
    let app = app(quotas, json!({}));
    for _ in 0..20 {
        app.tasks().start_with("work", hangs(), StartOptions::new()).unwrap();
    }
    assert!(Page::of(&app, "main").start(&ends()).is_err());
    assert_eq!(count(app.tasks()), 20);
}
