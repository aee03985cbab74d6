//! Pages that share a task: what a share lets a page do, and how it is given back.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use serde_json::{Value, json};
use support::kinds::{self, id};
use tauri_plugin_tasks::{
    OnConflict, Schedule, StartOptions,
    test::{PageError, TestApp, TestPage, TestSession},
};

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
/// Sees all tasks.
const OBSERVER: &str = r#"{ "identifier": "observer", "windows": ["observer"], "permissions": [
    "tasks:default", "tasks:observe-all", { "identifier": "tasks:allow-start", "allow": [{ "task": "*", "owner": "any" }] }
] }"#;
const DENIED: &str = r#"{ "identifier": "denied", "windows": ["main"], "permissions": ["tasks:deny-leave"] }"#;

fn app() -> TestApp {
    kinds::app(&[PAGES, BUTTON])
}

/// A page with a session that has the name of its window.
struct Member {
    page: TestPage,
    session: TestSession,
    label: &'static str,
}

impl Member {
    async fn new(app: &TestApp, label: &'static str) -> Self {
        let page = app.page(label).open();
        let session = page.session(label).await.unwrap();
        Self { page, session, label }
    }

    async fn call(&self, command: &str, arguments: Value) -> Result<Value, PageError> {
        self.page.call(command, arguments).await
    }

    /// Starts the task `hang` with the key, or joins it, by the call with this number. Returns the id of the task.
    async fn join(&self, call: u8) -> String {
        self.join_by(&id(call)).await.unwrap()["snapshot"]["id"].as_str().unwrap().to_owned()
    }

    async fn join_by(&self, call: &str) -> Result<Value, PageError> {
        let options = json!({ "key": "k", "onConflict": "join" });
        let arguments = json!({ "session": self.label, "id": call, "task": "hang", "input": null, "options": options });
        self.call("start", arguments).await
    }

    async fn leave(&self, call: &str) {
        assert_eq!(self.call("leave", json!({ "id": call })).await.unwrap(), Value::Null);
    }

    async fn watch(&self, id: &str) -> Result<Value, PageError> {
        let target = json!({ "type": "task", "data": { "id": id } });
        self.call("watch", json!({ "session": self.label, "target": target })).await
    }

    async fn listed(&self) -> usize {
        self.page.list(json!({})).await.unwrap().len()
    }
}

/// Why a task was cancelled; `null` if it was not.
fn reason(app: &TestApp, id: &str) -> Value {
    let snapshot = app.tasks().get(id.parse().unwrap()).unwrap();
    serde_json::to_value(snapshot.cancel_reason).unwrap()
}

#[tokio::test]
async fn the_last_call_that_leaves_cancels_the_task_and_no_other_does() {
    let app = app();
    let main = Member::new(&app, "main").await;
    let task = main.join(1).await;
    assert_eq!(
        (main.join(2).await, main.join(2).await),
        (task.clone(), task.clone()),
        "a repeated call is the same one"
    );
    main.leave(&id(1)).await;
    main.leave(&id(1)).await;
    assert_eq!(reason(&app, &task), Value::Null);
    assert_eq!(main.join(1).await, task, "a repeated call gets no share back");
    main.leave(&id(2)).await;
    assert_eq!(reason(&app, &task), "signal");
    main.leave(&id(2)).await;
}

#[tokio::test]
async fn a_share_of_a_task_of_another_lets_a_page_be_told_of_it_and_nothing_more() {
    let app = app();
    let (main, second, third) =
        (Member::new(&app, "main").await, Member::new(&app, "second").await, Member::new(&app, "third").await);
    let task = main.join(1).await;
    assert_eq!(second.join(2).await, task);
    assert_eq!(second.call("get", json!({ "id": task })).await.unwrap()["owner"], "main");
    assert_eq!(second.watch(&task).await.unwrap()[0]["id"], json!(task));
    assert_eq!((main.listed().await, second.listed().await, third.listed().await), (1, 1, 0));
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
        let refused = second.call(command, of_task).await.unwrap_err();
        assert_eq!(refused["kind"], "notFound", "{command}");
        let message = second.call(command, of_unknown).await.unwrap_err()["message"].clone();
        assert_eq!(message, refused["message"].as_str().unwrap().replace(&task, &unknown), "{command}");
    }
    assert_eq!(second.call("cancel_all", json!({ "filter": {}, "reason": "user" })).await.unwrap(), json!(0));
    for command in ["get", "outcome"] {
        assert_eq!(third.call(command, json!({ "id": task })).await.unwrap_err()["kind"], "notFound");
    }
    assert_eq!(reason(&app, &task), Value::Null);
    main.call("cancel", json!({ "id": task, "reason": "user" })).await.unwrap();
    let outcome = second.call("outcome", json!({ "id": task })).await.unwrap();
    assert_eq!(outcome, json!({ "status": "cancelled", "data": { "reason": "user" } }));
    // An ended task can be told of until the share is given back.
    second.leave(&id(2)).await;
    for command in ["get", "outcome"] {
        assert_eq!(second.call(command, json!({ "id": task })).await.unwrap_err()["kind"], "notFound");
    }
    assert_eq!(second.watch(&task).await.unwrap_err()["kind"], "notFound");
    assert_eq!((main.listed().await, second.listed().await), (1, 0));
}

#[tokio::test]
async fn a_page_that_has_given_its_share_back_is_told_nothing_more() {
    let app = app();
    let (main, second) = (Member::new(&app, "main").await, Member::new(&app, "second").await);
    let task = main.join(1).await;
    second.join(2).await;
    second.join(3).await;
    let target = json!({ "type": "list", "data": { "watch": 1, "filter": {} } });
    let listed = second.call("watch", json!({ "session": "second", "target": target })).await.unwrap();
    assert_eq!(listed[0]["id"], json!(task));
    second.leave(&id(2)).await;
    assert_eq!(second.listed().await, 1, "the page has another share");
    second.leave(&id(3)).await;
    main.call("cancel", json!({ "id": task, "reason": "user" })).await.unwrap();
    // The list loses the task, and no event of it comes after that.
    loop {
        let message = second.session.next_message().await;
        second.session.acknowledge(message.number()).await.unwrap();
        let removed = message.lists().iter().any(|list| list["removed"] == json!([task]));
        let ends = message.events().iter().any(|event| event["change"]["data"]["status"] == "cancelled");
        assert!(!ends, "{}", message.text());
        if removed {
            break;
        }
    }
    assert_eq!(main.session.end_of(&task).await["status"], "cancelled");
}

/// Returns the tasks that this message says are no longer followed.
fn removed(message: &str) -> Value {
    serde_json::from_str::<Value>(message).unwrap()["removed"].take()
}

#[tokio::test]
async fn each_session_of_a_page_that_leaves_learns_that_it_follows_the_task_no_longer() {
    let app = app();
    let (main, second) = (Member::new(&app, "main").await, Member::new(&app, "second").await);
    let frame = second.page.session("frame").await.unwrap();
    let task = main.join(1).await;
    second.join(2).await;
    let target = json!({ "type": "task", "data": { "id": task } });
    second.call("watch", json!({ "session": "frame", "target": target })).await.unwrap();
    second.leave(&id(2)).await;
    for session in [&second.session, &frame] {
        loop {
            let message = session.next_message().await;
            session.acknowledge(message.number()).await.unwrap();
            if removed(message.text()) == json!([task]) {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_page_that_leaves_goes_on_to_watch_what_it_sees_anyway() {
    let app = kinds::app(&[PAGES, OBSERVER]);
    let (main, observer) = (Member::new(&app, "main").await, Member::new(&app, "observer").await);
    let task = main.join(1).await;
    observer.join(2).await;
    observer.watch(&task).await.unwrap();
    observer.leave(&id(2)).await;
    main.call("cancel", json!({ "id": task, "reason": "user" })).await.unwrap();
    assert_eq!(observer.session.end_of(&task).await["status"], "cancelled");
    // What it may start doesn't say what it sees, but it may ask for it.
    let other = main.join(3).await;
    observer.join(4).await;
    observer.leave(&id(4)).await;
    loop {
        let message = observer.session.next_message().await;
        observer.session.acknowledge(message.number()).await.unwrap();
        if removed(message.text()) == json!([other]) {
            break;
        }
    }
    assert_eq!(observer.watch(&other).await.unwrap()[0]["id"], json!(other));
}

#[tokio::test]
async fn a_call_under_way_is_told_nothing_more_once_its_page_has_left() {
    let app = app();
    let (main, second) = (Member::new(&app, "main").await, Member::new(&app, "second").await);
    let task = main.join(1).await;
    second.join(2).await;
    let asked = json!({ "id": task });
    let leave = async {
        // Its answer comes after the other call has begun to wait.
        second.call("get", asked.clone()).await.unwrap();
        second.leave(&id(2)).await;
        main.call("cancel", json!({ "id": task, "reason": "user" })).await.unwrap();
    };
    let (outcome, ()) = tokio::join!(second.call("outcome", asked.clone()), leave);
    let refused = outcome.unwrap_err();
    assert_eq!(refused["kind"], "notFound");
    assert_eq!(refused, second.call("outcome", json!({ "id": task })).await.unwrap_err());
    assert_eq!(main.call("outcome", asked.clone()).await.unwrap()["status"], "cancelled");
}

#[tokio::test]
async fn a_start_that_is_left_before_its_answer_follows_nothing() {
    let app = app();
    let (main, second) = (Member::new(&app, "main").await, Member::new(&app, "second").await);
    let task = main.join(1).await;
    for call in 10..30 {
        let joining = id(call);
        // The task runs on, so the start is answered after a moment.
        let (answer, ()) = tokio::join!(second.join_by(&joining), second.leave(&joining));
        second.leave(&joining).await;
        if let Err(refused) = answer {
            assert_eq!(refused["kind"], "invalidId");
        }
        assert_eq!(second.join_by(&joining).await.unwrap_err()["kind"], "invalidId", "it gets no share back");
    }
    main.call("cancel", json!({ "id": task, "reason": "user" })).await.unwrap();
    main.session.end_of(&task).await;
    second
        .call("start", json!({ "session": "second", "id": id(40), "task": "hang", "input": null, "options": {} }))
        .await
        .unwrap();
    second.call("cancel", json!({ "id": id(40), "reason": "user" })).await.unwrap();
    // What comes until the end of that is all that there was.
    loop {
        let message = second.session.next_message().await;
        second.session.acknowledge(message.number()).await.unwrap();
        let is_end = |event: &Value, of: &str| event["id"] == of && !event["change"]["data"]["endedAt"].is_null();
        assert!(!message.events().iter().any(|event| is_end(event, &task)), "{}", message.text());
        if message.events().iter().any(|event| is_end(event, &id(40))) {
            break;
        }
    }
}

#[tokio::test]
async fn to_leave_a_call_of_another_page_or_of_nobody_changes_nothing_and_says_nothing() {
    let app = app();
    let (main, second) = (Member::new(&app, "main").await, Member::new(&app, "second").await);
    let task = main.join(1).await;
    second.join(2).await;
    let batch = json!({ "session": "main", "id": id(4), "task": "hang", "inputs": [null, null], "options": {} });
    main.call("batch", batch).await.unwrap();
    let members = main.call("list", json!({ "filter": { "parent": [id(4)] } })).await.unwrap()["tasks"].clone();
    let member = members[0]["id"].as_str().unwrap().to_owned();
    for call in [&id(1), &id(3), &id(4), "7", "", &task, &member] {
        second.leave(call).await;
    }
    for call in [&id(2), &member] {
        main.leave(call).await;
    }
    for task in [&task, &id(4), &member] {
        assert_eq!(reason(&app, task), Value::Null);
    }
    main.leave(&id(1)).await;
    assert_eq!(reason(&app, &task), Value::Null, "second needs it");
    second.leave(&id(2)).await;
    assert_eq!(reason(&app, &task), "signal");
    main.leave(&id(4)).await;
    assert_eq!((reason(&app, &id(4)), reason(&app, &member)), (json!("signal"), json!("parent")));
}

#[tokio::test]
async fn a_page_may_be_kept_from_leaving() {
    let app = kinds::app(&[PAGES, DENIED]);
    let main = Member::new(&app, "main").await;
    let task = main.join(1).await;
    assert!(main.call("leave", json!({ "id": id(1) })).await.unwrap_err().as_str().unwrap().contains("denied"));
    assert_eq!(reason(&app, &task), Value::Null);
}

#[tokio::test]
async fn whoever_may_start_or_trigger_may_leave() {
    let bare = r#"{ "identifier": "bare", "windows": ["main"], "permissions": [
        "tasks:allow-open", { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }] }
    ] }"#;
    let trigger = r#"{ "identifier": "trigger", "windows": ["second"], "permissions": [
        "tasks:allow-open", { "identifier": "tasks:allow-trigger", "allow": [{ "task": "*" }] }
    ] }"#;
    let app = kinds::app(&[bare, trigger]);
    let (main, second) = (Member::new(&app, "main").await, Member::new(&app, "second").await);
    let task = main.join(1).await;
    main.leave(&id(1)).await;
    assert_eq!(reason(&app, &task), "signal");
    app.tasks().schedule("s", "hang", (), Schedule::every(std::time::Duration::from_secs(3600))).unwrap();
    second.call("trigger", json!({ "name": "s", "id": id(2) })).await.unwrap();
    second.leave(&id(2)).await;
}

#[tokio::test]
async fn what_the_app_has_started_or_joined_goes_on_without_a_page() {
    for app_starts in [true, false] {
        let app = app();
        let main = Member::new(&app, "main").await;
        let app_joins = || {
            let options = StartOptions::new().key("k", OnConflict::Join);
            app.tasks().start_with("hang", (), options).unwrap().id().to_string()
        };
        let before = app_starts.then(app_joins);
        let task = main.join(1).await;
        assert_eq!(app_joins(), task);
        assert_eq!(before.unwrap_or_else(|| task.clone()), task);
        main.leave(&id(1)).await;
        assert_eq!(reason(&app, &task), Value::Null);
    }
}

#[tokio::test]
async fn a_page_is_told_of_a_run_that_it_triggers_until_it_leaves() {
    let app = app();
    let (main, second) = (Member::new(&app, "main").await, Member::new(&app, "button").await);
    app.tasks().schedule("s", "hang", (), Schedule::every(std::time::Duration::from_secs(3600))).unwrap();
    let trigger =
        async |member: &Member, call: u8| member.call("trigger", json!({ "name": "s", "id": id(call) })).await.unwrap();
    let run = trigger(&main, 1).await["id"].as_str().unwrap().to_owned();
    assert_eq!(trigger(&second, 2).await["id"], json!(run));
    for member in [&main, &second] {
        assert_eq!(member.watch(&run).await.unwrap()[0]["owner"], Value::Null);
        assert_eq!(
            member.call("cancel", json!({ "id": run, "reason": "user" })).await.unwrap_err()["kind"],
            "notFound"
        );
    }
    main.leave(&id(1)).await;
    assert_eq!(reason(&app, &run), Value::Null, "it is the app's");
    app.tasks().cancel(run.parse().unwrap()).unwrap();
    assert_eq!(second.call("outcome", json!({ "id": run })).await.unwrap()["status"], "cancelled");
    let again = async |of: &str| {
        second.call("rerun", json!({ "session": "button", "id": of, "newId": id(8) })).await.unwrap_err()
    };
    assert_eq!((&again(&run).await["kind"], &again(&id(9)).await["kind"]), (&json!("notFound"), &json!("notFound")));
    second.leave(&id(2)).await;
    for (member, call) in [(&main, 1), (&second, 2)] {
        let repeated = member.call("trigger", json!({ "name": "s", "id": id(call) })).await;
        assert_eq!(repeated.unwrap_err()["kind"], "invalidId", "as for a start");
    }
    for member in [&main, &second] {
        assert_eq!(member.call("get", json!({ "id": run })).await.unwrap_err()["kind"], "notFound");
    }
}

#[tokio::test]
async fn a_page_learns_that_the_outcome_of_a_task_that_it_has_joined_or_triggered_has_expired() {
    let app = app();
    let (main, second, third) =
        (Member::new(&app, "main").await, Member::new(&app, "second").await, Member::new(&app, "third").await);
    app.tasks().schedule("s", "hang", (), Schedule::every(std::time::Duration::from_secs(3600))).unwrap();
    let run = second.call("trigger", json!({ "name": "s", "id": id(5) })).await.unwrap()["id"].clone();
    let task = json!(main.join(1).await);
    second.join(2).await;
    third.join(3).await;
    third.leave(&id(3)).await;
    for gone in [&task, &run] {
        let gone = gone.as_str().unwrap().parse().unwrap();
        app.tasks().cancel(gone).unwrap();
        app.tasks().handle(gone).unwrap().outcome().await;
        app.tasks().remove(gone).unwrap();
    }
    let kind = async |member: &Member, command: &str, of: &Value| {
        member.call(command, json!({ "id": of })).await.unwrap_err()["kind"].as_str().unwrap().to_owned()
    };
    assert_eq!(kind(&main, "outcome", &task).await, "outcomeExpired");
    assert_eq!(kind(&second, "outcome", &task).await, "outcomeExpired");
    assert_eq!(kind(&second, "outcome", &run).await, "outcomeExpired");
    assert_eq!(kind(&third, "outcome", &task).await, "notFound", "it has given its share back");
    assert_eq!(kind(&main, "outcome", &run).await, "notFound");
    assert_eq!(kind(&second, "get", &task).await, "notFound");
    let read = json!({ "session": "second", "id": task, "reader": "r", "chunk": 1, "from": null, "waitMs": 0 });
    assert_eq!(second.call("read", read).await.unwrap_err()["kind"], "notFound", "it could never read it");
}

#[tokio::test]
async fn the_owner_and_the_16_pages_that_joined_first_learn_that_an_outcome_has_expired_and_a_17th_does_not() {
    let app = app();
    app.capability(
        r#"{ "identifier": "many", "windows": ["many-*"], "permissions": [
            "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*", "owner": "any" }] }
        ] }"#,
    );
    let pages: Vec<_> = (0..18).map(|number| app.page(&format!("many-{number}")).open()).collect();
    let options = json!({ "key": "k", "onConflict": "join" });
    let task = pages[0].start("hang", (), options.clone()).await.unwrap();
    for page in &pages[1..] {
        assert_eq!(page.start("hang", (), options.clone()).await.unwrap(), task);
    }
    app.tasks().cancel(task).unwrap();
    for page in &pages {
        page.outcome(task).await.expect("all of them are told of the end");
    }
    app.tasks().remove(task).unwrap();
    for (number, page) in pages.iter().enumerate() {
        let expected = if number <= 16 { "outcomeExpired" } else { "notFound" };
        let error = page.call("outcome", json!({ "id": task })).await.unwrap_err();
        assert_eq!(error.kind(), Some(expected), "page {number}: {error}");
    }
}

#[tokio::test]
async fn a_page_has_a_bounded_number_of_shares_in_one_task_and_no_other_notices() {
    let app = app();
    let (main, second) = (Member::new(&app, "main").await, Member::new(&app, "second").await);
    let wide = |number: u16| format!("01890000-0000-7000-8000-00000001{number:04x}");
    for number in 0..1_024 {
        main.join_by(&wide(number)).await.unwrap();
    }
    let refused = main.join_by(&wide(1_024)).await.unwrap_err();
    assert_eq!(refused["kind"], "quotaExceeded");
    assert_eq!(refused["data"], json!({ "quota": "sharesOfTask", "limit": 1_024 }));
    main.join_by(&wide(1_023)).await.unwrap();
    second.join_by(&wide(2_000)).await.unwrap();
    main.leave(&wide(5)).await;
    main.join_by(&wide(1_024)).await.unwrap();
}

#[tokio::test]
async fn the_reason_of_a_signal_is_not_one_that_a_page_can_give() {
    let app = app();
    let main = Member::new(&app, "main").await;
    let task = main.join(1).await;
    let refused = main.call("cancel", json!({ "id": task, "reason": "signal" })).await.unwrap_err();
    assert_eq!(refused["kind"], "invalidOptions");
    assert_eq!(reason(&app, &task), Value::Null);
}
