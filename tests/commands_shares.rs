//! Pages that share a task: what a share lets a page do, and how it is given back.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use serde_json::{Value, json};
use support::app::{App, Page};
use tauri_plugin_tasks::{OnConflict, Schedule, StartOptions};

/// May start and join tasks, but control only its own.
const PAGES: &str = r#"{ "identifier": "pages", "windows": ["main", "second", "third"], "permissions": [
    "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*", "owner": "any" }] },
    { "identifier": "tasks:allow-trigger", "allow": [{ "task": "*" }] }
] }"#;
/// May start tasks and trigger their schedules.
const BUTTON: &str = r#"{ "identifier": "button", "windows": ["button"], "permissions": [
    "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }] },
    { "identifier": "tasks:allow-trigger", "allow": [{ "task": "*" }] }
] }"#;
const DENIED: &str = r#"{ "identifier": "denied", "windows": ["main"], "permissions": ["tasks:deny-leave"] }"#;

fn app() -> App {
    App::new(&[PAGES, BUTTON])
}

fn id(number: u8) -> String {
    format!("01890000-0000-7000-8000-0000000000{number:02x}")
}

/// A page whose session has the name of its window.
struct Member {
    page: Page,
    label: &'static str,
}

impl Member {
    fn new(app: &App, label: &'static str) -> Self {
        let page = app.window(label);
        page.open(label);
        Self { page, label }
    }

    fn call(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        self.page.call(command, arguments)
    }

    /// Starts the task `hang` with the key, or joins it, by the call with this number. Returns the id of the task.
    fn join(&self, call: u8) -> String {
        let options = json!({ "key": "k", "onConflict": "join" });
        let arguments =
            json!({ "session": self.label, "id": id(call), "task": "hang", "input": null, "options": options });
        self.page.start("start", arguments)["id"].as_str().unwrap().to_owned()
    }

    fn leave(&self, call: &str) {
        assert_eq!(self.call("leave", json!({ "id": call })), Ok(Value::Null));
    }

    fn watch(&self, id: &str) -> Result<Value, Value> {
        let target = json!({ "type": "task", "data": { "id": id } });
        self.call("watch", json!({ "session": self.label, "target": target }))
    }

    fn listed(&self) -> usize {
        self.call("list", json!({ "filter": {} })).unwrap()["tasks"].as_array().unwrap().len()
    }
}

/// Why a task was cancelled; `null` if it was not.
fn reason(app: &App, id: &str) -> Value {
    let snapshot = app.tasks().get(id.parse().unwrap()).unwrap();
    serde_json::to_value(snapshot.cancel_reason).unwrap()
}

#[test]
fn the_last_call_that_leaves_cancels_the_task_and_no_other_does() {
    let app = app();
    let main = Member::new(&app, "main");
    let task = main.join(1);
    assert_eq!((main.join(2), main.join(2)), (task.clone(), task.clone()), "a repeated call is the same one");
    main.leave(&id(1));
    main.leave(&id(1));
    assert_eq!(reason(&app, &task), Value::Null);
    assert_eq!(main.join(1), task, "a repeated call gets no share back");
    main.leave(&id(2));
    assert_eq!(reason(&app, &task), "signal");
    main.leave(&id(2));
}

#[test]
fn a_share_of_a_task_of_another_lets_a_page_be_told_of_it_and_nothing_more() {
    let app = app();
    let (main, second, third) = (Member::new(&app, "main"), Member::new(&app, "second"), Member::new(&app, "third"));
    let task = main.join(1);
    assert_eq!(second.join(2), task);
    assert_eq!(second.call("get", json!({ "id": task })).unwrap()["owner"], "main");
    assert_eq!(second.watch(&task).unwrap()[0]["id"], json!(task));
    assert_eq!((main.listed(), second.listed(), third.listed()), (1, 1, 0));
    let unknown = id(9);
    let calls = |of: &str| {
        let read = json!({ "session": "second", "id": of, "reader": "r", "chunk": 1, "from": null, "waitMs": 0 });
        let stop = json!({ "session": "second", "id": of, "reader": "r", "position": 0 });
        [
            ("cancel", json!({ "id": of, "reason": "user" })),
            ("pause", json!({ "id": of })),
            ("resume", json!({ "id": of })),
            ("set_priority", json!({ "id": of, "priority": 1 })),
            ("remove", json!({ "id": of })),
            ("read", read),
            ("cancel_read", stop),
        ]
    };
    for ((command, of_task), (_, of_unknown)) in calls(&task).into_iter().zip(calls(&unknown)) {
        let refused = second.call(command, of_task).unwrap_err();
        assert_eq!(refused["kind"], "notFound", "{command}");
        let message = second.call(command, of_unknown).unwrap_err()["message"].clone();
        assert_eq!(message, refused["message"].as_str().unwrap().replace(&task, &unknown), "{command}");
    }
    assert_eq!(second.call("cancel_all", json!({ "filter": {}, "reason": "user" })), Ok(json!(0)));
    for command in ["get", "outcome"] {
        assert_eq!(third.call(command, json!({ "id": task })).unwrap_err()["kind"], "notFound");
    }
    assert_eq!(reason(&app, &task), Value::Null);
    main.call("cancel", json!({ "id": task, "reason": "user" })).unwrap();
    let outcome = second.call("outcome", json!({ "id": task })).unwrap();
    assert_eq!(outcome, json!({ "status": "cancelled", "data": { "reason": "user" } }));
    // An ended task can be told of until the share is given back.
    second.leave(&id(2));
    for command in ["get", "outcome"] {
        assert_eq!(second.call(command, json!({ "id": task })).unwrap_err()["kind"], "notFound");
    }
    assert_eq!(second.watch(&task).unwrap_err()["kind"], "notFound");
    assert_eq!((main.listed(), second.listed()), (1, 0));
}

#[test]
fn a_page_that_has_given_its_share_back_is_told_nothing_more() {
    let app = app();
    let (main, second) = (Member::new(&app, "main"), Member::new(&app, "second"));
    let task = main.join(1);
    second.join(2);
    second.join(3);
    let target = json!({ "type": "list", "data": { "watch": 1, "filter": {} } });
    let listed = second.call("watch", json!({ "session": "second", "target": target })).unwrap();
    assert_eq!(listed[0]["id"], json!(task));
    second.leave(&id(2));
    assert_eq!(second.listed(), 1, "the page has another share");
    second.leave(&id(3));
    main.call("cancel", json!({ "id": task, "reason": "user" })).unwrap();
    // The list loses the task, and no event of it comes after that.
    loop {
        let message = second.page.next_message();
        second.page.ack("second", message.number);
        let removed = message.lists().iter().any(|list| list["removed"] == json!([task]));
        let ends = message.events().iter().any(|event| event["change"]["data"]["status"] == "cancelled");
        assert!(!ends, "{}", message.text);
        if removed {
            break;
        }
    }
    assert_eq!(main.page.next_end("main", &task)["status"], "cancelled");
}

#[test]
fn to_leave_a_call_of_another_page_or_of_nobody_changes_nothing_and_says_nothing() {
    let app = app();
    let (main, second) = (Member::new(&app, "main"), Member::new(&app, "second"));
    let task = main.join(1);
    second.join(2);
    let batch = json!({ "session": "main", "id": id(4), "task": "hang", "inputs": [null, null], "options": {} });
    main.call("batch", batch).unwrap();
    let members = main.call("list", json!({ "filter": { "parent": [id(4)] } })).unwrap()["tasks"].clone();
    let member = members[0]["id"].as_str().unwrap().to_owned();
    for call in [&id(1), &id(3), &id(4), "7", "", &task, &member] {
        second.leave(call);
    }
    for call in [&id(2), &member] {
        main.leave(call);
    }
    for task in [&task, &id(4), &member] {
        assert_eq!(reason(&app, task), Value::Null);
    }
    main.leave(&id(1));
    assert_eq!(reason(&app, &task), Value::Null, "second needs it");
    second.leave(&id(2));
    assert_eq!(reason(&app, &task), "signal");
    main.leave(&id(4));
    assert_eq!((reason(&app, &id(4)), reason(&app, &member)), (json!("signal"), json!("parent")));
}

#[test]
fn a_page_may_be_kept_from_leaving() {
    let app = App::new(&[PAGES, DENIED]);
    let main = Member::new(&app, "main");
    let task = main.join(1);
    assert!(main.call("leave", json!({ "id": id(1) })).unwrap_err().as_str().unwrap().contains("denied"));
    assert_eq!(reason(&app, &task), Value::Null);
}

#[test]
fn what_the_app_has_started_or_joined_goes_on_without_a_page() {
    for app_starts in [true, false] {
        let app = app();
        let main = Member::new(&app, "main");
        let app_joins = || {
            let options = StartOptions::new().key("k", OnConflict::Join);
            app.tasks().start_with("hang", (), options).unwrap().id().to_string()
        };
        let before = app_starts.then(app_joins);
        let task = main.join(1);
        assert_eq!(app_joins(), task);
        assert_eq!(before.unwrap_or_else(|| task.clone()), task);
        main.leave(&id(1));
        assert_eq!(reason(&app, &task), Value::Null);
    }
}

#[test]
fn a_page_is_told_of_a_run_that_it_triggers_until_it_leaves() {
    let app = app();
    let (main, second) = (Member::new(&app, "main"), Member::new(&app, "button"));
    app.tasks().schedule("s", "hang", (), Schedule::every(std::time::Duration::from_secs(3600))).unwrap();
    let trigger = |member: &Member, call: u8| member.call("trigger", json!({ "name": "s", "id": id(call) })).unwrap();
    let run = trigger(&main, 1)["id"].as_str().unwrap().to_owned();
    assert_eq!(trigger(&second, 2)["id"], json!(run));
    for member in [&main, &second] {
        assert_eq!(member.watch(&run).unwrap()[0]["owner"], Value::Null);
        assert_eq!(member.call("cancel", json!({ "id": run, "reason": "user" })).unwrap_err()["kind"], "notFound");
    }
    main.leave(&id(1));
    assert_eq!(reason(&app, &run), Value::Null, "it is the app's");
    app.tasks().cancel(run.parse().unwrap()).unwrap();
    assert_eq!(second.call("outcome", json!({ "id": run })).unwrap()["status"], "cancelled");
    let again = |of: &str| second.call("rerun", json!({ "session": "button", "id": of, "newId": id(8) })).unwrap_err();
    assert_eq!((&again(&run)["kind"], &again(&id(9))["kind"]), (&json!("notFound"), &json!("notFound")));
    second.leave(&id(2));
    trigger(&main, 1);
    for member in [&main, &second] {
        assert_eq!(member.call("get", json!({ "id": run })).unwrap_err()["kind"], "notFound");
    }
}

#[test]
fn a_page_has_a_bounded_number_of_shares_in_one_task_and_no_other_notices() {
    let app = app();
    let (main, second) = (Member::new(&app, "main"), Member::new(&app, "second"));
    let wide = |number: u16| format!("01890000-0000-7000-8000-00000001{number:04x}");
    let join = |member: &Member, call: String| {
        let options = json!({ "key": "k", "onConflict": "join" });
        member.call(
            "start",
            json!({ "session": member.label, "id": call, "task": "hang", "input": null, "options": options }),
        )
    };
    (0..1_024).for_each(|number| drop(join(&main, wide(number)).unwrap()));
    let refused = join(&main, wide(1_024)).unwrap_err();
    assert_eq!(refused["kind"], "quotaExceeded");
    assert_eq!(refused["data"], json!({ "quota": "sharesOfTask", "limit": 1_024 }));
    join(&main, wide(1_023)).unwrap();
    join(&second, wide(2_000)).unwrap();
    main.leave(&wide(5));
    join(&main, wide(1_024)).unwrap();
}

#[test]
fn the_reason_of_a_signal_is_not_one_that_a_page_can_give() {
    let app = app();
    let main = Member::new(&app, "main");
    let task = main.join(1);
    let refused = main.call("cancel", json!({ "id": task, "reason": "signal" })).unwrap_err();
    assert_eq!(refused["kind"], "invalidOptions");
    assert_eq!(reason(&app, &task), Value::Null);
}
