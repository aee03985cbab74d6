//! Who may do what: every command, called by every kind of page, behind the plugin's own permission files.
//!
//! A new command needs rows here.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

#[path = "access/effects.rs"]
mod effects;
#[path = "access/table.rs"]
mod table;

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use table::{Ids, Row, table};
use tauri_plugin_tasks::{
    Builder, Failure, Schedule, Task, TaskContext, TaskFilter, TaskId, TaskStatus,
    test::{self, PageError, TestApp, TestPage, until},
};

/// A kind of page. All but `Nobody` have `tasks:default` and may start the kind of the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The page that has started the task, of a remote origin.
    Owner,
    /// A page in another window.
    OtherWindow,
    /// A page in another window, with `tasks:observe-all`.
    Observer,
    /// A page in another window, with `tasks:control-all`.
    Controller,
    /// Another document of the owner's origin, in the same webview.
    SameOrigin,
    /// A document of another remote origin, in the same webview.
    OtherOrigin,
    /// A page in another window that has joined the task, and so has a share in it.
    Share,
    /// A page in another window without any permission.
    Nobody,
}

pub use Who::{Controller, Nobody, Observer, OtherOrigin, OtherWindow, Owner, SameOrigin, Share};

const PAGES: [Who; 8] = [Owner, OtherWindow, Observer, Controller, SameOrigin, OtherOrigin, Share, Nobody];

/// What a page is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The command does what it is for.
    Yes,
    /// The command works, but finds nothing that the page may see.
    Empty,
    /// As far as the page is told, there is no such task or schedule.
    NotFound,
    /// A scope entry is missing.
    NotAllowed,
    /// A task that the page may not join has the key.
    KeyTaken,
    /// Another call has used the id of the new task.
    IdTaken,
    /// The page has no such session.
    SessionGone,
    /// Tauri refuses the call.
    Refused,
}

pub use Answer::{Empty, IdTaken, KeyTaken, NotAllowed, NotFound, Refused, SessionGone, Yes};

/// How the task stands when the command is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its handler runs.
    Running,
    /// It waits for a time.
    Queued,
    /// It waits to be resumed.
    Held,
    /// It has ended.
    Cancelled,
}

pub use State::{Cancelled, Held, Queued, Running};

async fn work(ctx: TaskContext<(), u32>, (): ()) -> Result<(), Failure> {
    ctx.emit(7).await;
    std::future::pending().await
}

fn app() -> TestApp {
    let tasks = Builder::new().task(Task::new("work", work)).task(Task::new("other", work));
    let app = test::app(tasks.schedule("nightly", "work", (), Schedule::every(Duration::from_secs(3_600))));
    allow_pages(&app);
    app
}

/// A task, and a page that calls a command about it.
struct Scene<'a> {
    app: &'a TestApp,
    who: Who,
    page: TestPage,
    ids: Ids,
    /// The page that has started the task, if that is another one.
    _owner: Option<TestPage>,
}

const OWNER_URL: &str = "https://owner.example/";

impl<'a> Scene<'a> {
    /// Sets the scene for the row of this number.
    async fn set(app: &'a TestApp, who: Who, number: usize, row: &Row) -> Self {
        let mut owner = app.page(&format!("Owner-{number}-{who:?}")).url(OWNER_URL).open();
        let open = || app.page(&format!("{who:?}-{number}-page")).open();
        let (task, new) = (TaskId::new(), TaskId::new());
        let options = json!({
            "key": format!("{number} {who:?}"), "onConflict": "join", "held": row.state == Held,
            "delayMs": if row.state == Queued { 3_600_000 } else { 0 },
        });
        start_task(&owner, task, &options).await;
        let owner_session = owner.session_name().await.unwrap();
        if row.command == "resume_schedule" {
            app.tasks().pause_schedule("nightly").unwrap();
        }
        let (page, call, owner) = match who {
            Owner => (owner, task, None),
            SameOrigin => {
                owner.navigate("https://owner.example/another");
                (owner, task, None)
            }
            OtherOrigin => {
                owner.navigate("https://other.example/");
                (owner, task, None)
            }
            Share => {
                let page = open();
                let call = TaskId::new();
                assert_eq!(start_task(&page, call, &options).await, task, "it has joined");
                (page, call, Some(owner))
            }
            OtherWindow | Observer | Controller | Nobody => (open(), task, Some(owner)),
        };
        if row.state == Cancelled {
            app.tasks().cancel(task).unwrap();
            app.tasks().handle(task).unwrap().outcome().await;
        }
        if row.state == Running {
            until("the task runs", async || app.tasks().get(task).unwrap().status == TaskStatus::Running).await;
        }
        let session = page.session_name().await.unwrap_or_else(|_| "none".into());
        let key = options["key"].as_str().unwrap().to_owned();
        let own = TaskId::new();
        if row.has_own && who != Nobody {
            start_task(&page, own, &json!({})).await;
            app.tasks().cancel(own).unwrap();
            app.tasks().handle(own).unwrap().outcome().await;
        }
        let ids = Ids { session, task, call, own, owner_session, new, key };
        Self { app, who, page, ids, _owner: owner }
    }

    /// What only a page can change that may control the task.
    fn state(&self) -> Value {
        let tasks = self.app.tasks();
        let Ok(snapshot) = tasks.get(self.ids.task) else { return Value::Null };
        let mut state = serde_json::to_value(snapshot).unwrap();
        // What goes on by itself.
        for part in ["progress", "nextAttemptAt"] {
            state[part].take();
        }
        json!([state, tasks.list(&TaskFilter::default()).len()])
    }
}

async fn start_task(page: &TestPage, id: TaskId, options: &Value) -> TaskId {
    let session = page.session_name().await.unwrap_or_else(|error| panic!("{}: {error}", page.label()));
    let arguments = json!({ "session": session, "id": id, "task": "work", "input": null, "options": options });
    let started = page.call("start", arguments).await.unwrap();
    started["snapshot"]["id"].as_str().unwrap().parse().unwrap()
}

/// Gives each page what it has of its own. The labels of pages begin with who they are.
fn allow_pages(app: &TestApp) {
    for who in [Owner, OtherWindow, Observer, Controller, Share] {
        let start = json!({ "task": "work", "owner": if who == Share { "any" } else { "self" } });
        let mut permissions =
            vec![json!("tasks:default"), json!({ "identifier": "tasks:allow-start", "allow": [start] })];
        match who {
            Observer => permissions.push(json!("tasks:observe-all")),
            Controller => permissions.push(json!("tasks:control-all")),
            _ => {}
        }
        allow(app, who, "*", json!(permissions));
    }
}

/// Gives the pages of `who` in this row these permissions.
fn allow(app: &TestApp, who: Who, row: &str, permissions: Value) {
    let label = format!("{who:?}-{row}-*");
    let mut capability = json!({ "identifier": label, "windows": [label], "permissions": permissions });
    if who == Owner {
        capability["remote"] = json!({ "urls": ["https://*.example/*"] });
    }
    app.capability(&capability.to_string());
}

/// Gives the pages of a row its extra permission.
fn allow_extra(app: &TestApp, number: usize, row: &Row) {
    let Some((permission, entry)) = &row.extra else { return };
    for who in [Owner, OtherWindow, Observer, Controller, Share] {
        allow(app, who, &number.to_string(), json!([{ "identifier": permission, "allow": [entry] }]));
    }
}

fn answer(result: Result<Value, PageError>) -> Result<Answer, String> {
    let error = match result {
        Ok(value) => return Ok(if is_empty(&value) { Empty } else { Yes }),
        Err(error) => error,
    };
    match error.kind() {
        _ if error.is_of_tauri() => Ok(Refused),
        Some("notFound" | "unknownSchedule") => Ok(NotFound),
        Some("notAllowed") => Ok(NotAllowed),
        Some("keyTaken") => Ok(KeyTaken),
        Some("invalidId") => Ok(IdTaken),
        Some("sessionGone") => Ok(SessionGone),
        _ => Err(error.to_string()),
    }
}

/// Whether a command has acted on nothing, or told nothing.
fn is_empty(value: &Value) -> bool {
    let tasks = value.get("tasks").unwrap_or(value);
    tasks == &json!(0) || tasks == &json!([])
}

#[tokio::test]
async fn each_page_is_answered_what_the_table_says() {
    let app = app();
    let mut wrong = Vec::new();
    for (number, row) in table().into_iter().enumerate() {
        allow_extra(&app, number, &row);
        for (who, expected) in PAGES.into_iter().zip(row.answers) {
            let scene = Scene::set(&app, who, number, &row).await;
            let before = scene.state();
            let returned = scene.page.call(row.command, (row.arguments)(&scene.ids)).await;
            let answered = answer(returned.clone());
            let case = format!("row {number}, {} by {who:?}", row.command);
            if answered != Ok(expected) {
                wrong.push(format!("{case}: {answered:?}, not {expected:?}"));
            }
            if expected != Yes {
                if scene.state() != before {
                    wrong.push(format!("{case} has changed the task: {before} to {}", scene.state()));
                }
            } else if let Ok(returned) = returned {
                let effect = row.effect.unwrap_or_else(|| panic!("{case}: the row says nothing of what it does"));
                if !effect(&scene, &returned).await {
                    wrong.push(format!("{case} has not done what it is for: {returned}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The webview is the owner's, and the permissions are for the frame's origin as well.
#[tokio::test]
async fn a_frame_of_another_allowed_origin_may_do_nothing() {
    let app = app();
    for (number, row) in table().into_iter().enumerate() {
        allow_extra(&app, number, &row);
        let scene = Scene::set(&app, Owner, number, &row).await;
        let before = scene.state();
        let answered = scene.page.call_from("https://other.example/", row.command, (row.arguments)(&scene.ids)).await;
        let expected = if row.answers[0] == Refused { Refused } else { NotAllowed };
        assert_eq!(answer(answered), Ok(expected), "row {number}, {}", row.command);
        assert_eq!(scene.state(), before, "row {number}, {}", row.command);
    }
}

#[test]
fn each_command_has_a_row() {
    let source = include_str!("../src/ipc/commands/all_commands.rs");
    let (_, list) = source.split_once("$with! {").unwrap();
    let (list, _) = list.split_once('}').unwrap();
    let all: BTreeSet<_> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let told: BTreeSet<_> = table().iter().map(|row| row.command).collect();
    assert_eq!(told, all);
}

/// An error must not tell a page whether what it may not see exists.
#[tokio::test]
async fn what_a_page_may_not_see_is_answered_as_what_does_not_exist() {
    let id_of = |row: &Row, ids: &Ids| (row.arguments)(ids).to_string().contains(&ids.task.to_string());
    let app = app();
    for (number, row) in table().into_iter().enumerate() {
        allow_extra(&app, number, &row);
        for (who, expected) in PAGES.into_iter().zip(row.answers) {
            if expected != NotFound {
                continue;
            }
            let mut scene = Scene::set(&app, who, number, &row).await;
            if !id_of(&row, &scene.ids) {
                continue;
            }
            let hidden = scene.page.call(row.command, (row.arguments)(&scene.ids)).await.unwrap_err().to_string();
            let task = std::mem::replace(&mut scene.ids.task, TaskId::new());
            let unknown = scene.page.call(row.command, (row.arguments)(&scene.ids)).await.unwrap_err().to_string();
            let unknown = unknown.replace(&scene.ids.task.to_string(), &task.to_string());
            assert_eq!(hidden, unknown, "{} by {who:?}", row.command);
        }
    }
}
