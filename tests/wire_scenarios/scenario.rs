//! Runs the steps of one scenario and records them.

use serde_json::{Value, json};
use tauri::Manager;
use tauri::ipc::InvokeResponseBody;
use tauri_plugin_tasks::{
    Json, TaskHandle, TaskId, TaskStatus,
    test::{TestApp, TestPage, TestSession, until},
};

use super::{
    handlers::Handlers,
    plain::MadeIds,
    steered::{self, Order, Orders},
    support::kinds::CHANNEL,
};

/// The permissions of the page: all, but for tasks that other windows have started.
const MAIN: &str = r#"{ "identifier": "main", "windows": ["main"], "permissions": [
    "tasks:default",
    { "identifier": "tasks:allow-start", "allow": [{ "task": "*", "owner": "any" }] }
] }"#;
/// All permissions.
const BOSS: &str = r#"{ "identifier": "boss", "windows": ["main"], "permissions": [
    "tasks:observe-all", "tasks:control-all",
    { "identifier": "tasks:allow-trigger", "allow": [{ "task": "*" }] },
    { "identifier": "tasks:allow-set-limit", "allow": [{ "task": "*", "owner": "any" }] }
] }"#;
/// Those of a page that tells the test what is about to be told to `main`.
const OBSERVER: &str = r#"{ "identifier": "observer", "windows": ["observer"], "permissions": [
    "tasks:default", "tasks:observe-all"
] }"#;
const OTHER: &str = r#"{ "identifier": "other", "windows": ["other"], "permissions": [
    "tasks:default",
    { "identifier": "tasks:allow-start", "allow": [{ "task": "*", "owner": "any" }], "deny": [{ "task": "picky" }] }
] }"#;

/// One scenario: a page named `main` with a session named `s`, another page, and what they have done so far.
pub struct Scenario {
    pub app: TestApp,
    main: TestPage,
    other: TestPage,
    observer: TestPage,
    seen: TestSession,
    session: TestSession,
    /// The number of the last message.
    last: u64,
    handlers: Handlers,
    ids: MadeIds,
    steps: Vec<Value>,
}

/// Who makes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Main,
    Other,
}

impl Scenario {
    /// Begins with a page that sees only what it has started or joined.
    pub async fn of_a_modest_page() -> Self {
        Self::with(&[MAIN, OTHER, OBSERVER]).await
    }

    /// Begins with a page that sees all tasks.
    pub async fn new() -> Self {
        Self::with(&[MAIN, BOSS, OTHER, OBSERVER]).await
    }

    async fn with(capabilities: &[&str]) -> Self {
        let mut handlers = Handlers::new();
        let tasks = steered::tasks().runtime(handlers.runtime().clone());
        let app = TestApp::builder(tasks).manage(Orders::default()).build();
        for capability in capabilities {
            app.capability(capability);
        }
        handlers.shut().await;
        let (main, other) = (app.page("main").open(), app.page("other").open());
        other.call("open", json!({ "session": "o", "protocol": 5, "channel": CHANNEL })).await.unwrap();
        let observer = app.page("observer").open();
        let seen = observer.session("seen").await.unwrap();
        let session = main.session("s").await.unwrap();
        let (ids, steps) = (MadeIds::default(), Vec::new());
        Self { app, main, other, observer, seen, session, last: 0, handlers, ids, steps }
    }

    /// Returns what was recorded.
    pub fn into_steps(self) -> Vec<Value> {
        self.steps
    }

    fn record(&mut self, step: Value) {
        let step = self.ids.plain(step);
        self.steps.push(step);
    }

    // The page.

    /// Calls a command, and returns its answer or error.
    pub async fn call(&mut self, command: &str, arguments: Value) -> Value {
        self.call_by(By::Main, command, arguments).await
    }

    /// Lets the other window call a command.
    pub async fn other_calls(&mut self, command: &str, arguments: Value) -> Value {
        self.call_by(By::Other, command, arguments).await
    }

    async fn call_by(&mut self, by: By, command: &str, arguments: Value) -> Value {
        self.handlers.shut().await;
        let page = if by == By::Main { &self.main } else { &self.other };
        let answer = answer_of(page.call_raw(command, arguments.clone()).await);
        let mut step = json!({ "call": command, "arguments": arguments });
        if by == By::Other {
            step["page"] = "other".into();
        }
        let (name, value) = answer;
        step[name] = value.clone();
        self.record(step);
        value
    }

    /// Makes a call that waits until the task has carried out an order.
    pub async fn call_until(&mut self, command: &str, arguments: Value, id: &str, does: &str, with: Value) {
        self.handlers.open();
        let given = self.app.handle().state::<Orders>().give(task_id(id), order_of(does, &with));
        let (answer, done) = tokio::join!(self.main.call_raw(command, arguments.clone()), given);
        done.unwrap();
        let (name, value) = answer_of(answer);
        self.record(json!({
            "call": command, "arguments": arguments, "meanwhile": { "task": id, "does": does, "with": with }, name: value
        }));
    }

    /// Starts a task of the page.
    pub async fn start(&mut self, id: &str, task: &str, options: Value) -> Value {
        self.call("start", start("s", id, task, Value::Null, options)).await
    }

    /// Starts a task that runs at once, and takes the message that says so without acknowledging it. What happens from now on is
    /// told in one message after [`ack`](Self::ack).
    pub async fn start_and_run(&mut self, id: &str, task: &str, options: Value) {
        self.start(id, task, options).await;
        self.begin(id).await;
        self.message().await;
    }

    /// Takes the next message of the session.
    pub async fn message(&mut self) {
        let message = self.session.next_message().await;
        self.last = message.number();
        let message: Value = serde_json::from_str(message.text()).unwrap();
        let tells = |part: &str| message[part].as_array().is_some_and(|part| !part.is_empty());
        assert!(
            ["events", "lists", "removed"].iter().any(|part| tells(part)),
            "there was no news for a while: {message}"
        );
        self.record(json!({ "message": message }));
    }

    /// Acknowledges the last message. Returns the rest of it, which is now the last one, or `null`.
    pub async fn ack(&mut self) -> Value {
        let answer = self.ack_number(self.last).await;
        self.last = answer["message"].as_u64().unwrap_or(self.last);
        answer
    }

    pub async fn ack_number(&mut self, message: u64) -> Value {
        self.call("ack", json!({ "session": self.session.name(), "message": message })).await
    }

    /// Acknowledges the last message and takes the next one.
    pub async fn next_message(&mut self) {
        self.ack().await;
        self.message().await;
    }

    /// Loads the page again.
    pub fn reload(&mut self) {
        self.main.reload();
        self.record(json!({ "reload": true }));
    }

    /// Opens a session, which takes the place of the one before.
    pub async fn open(&mut self, name: &str) {
        self.session = self.main.session(name).await.unwrap();
        self.last = 0;
        self.record(json!({ "opens": name }));
    }

    // The tasks.

    /// Lets a task begin its next attempt.
    pub async fn begin(&mut self, id: &str) {
        self.handlers.open();
        let handle = self.handle(id);
        until("it runs", async || handle.status() == TaskStatus::Running).await;
        self.record(json!({ "task": id, "does": "begin" }));
    }

    /// Lets the handler of a task do something: see [`order_of`].
    pub async fn order(&mut self, id: &str, does: &str, with: Value) {
        self.handlers.open();
        let handle = self.handle(id);
        let before = handle.snapshot().sequence;
        let done = self.app.handle().state::<Orders>().give(task_id(id), order_of(does, &with));
        if done.await.is_err() {
            // The handler has ended, which changes the status.
            until("its attempt is over", async || handle.snapshot().sequence != before).await;
        }
        self.record(json!({ "task": id, "does": does, "with": with }));
    }

    /// Lets a task end that was told to stop.
    pub async fn stop(&mut self, id: &str) {
        self.handlers.open();
        self.handle(id).outcome().await;
        self.record(json!({ "task": id, "does": "stop" }));
    }

    /// Waits until something holds for a task, and records that it `does` that by itself.
    pub async fn becomes(&mut self, id: &str, does: &str, holds: impl Fn(&TaskHandle) -> bool) {
        self.handlers.open();
        let handle = self.handle(id);
        until(does, async || holds(&handle)).await;
        self.record(json!({ "task": id, "does": does }));
    }

    /// Looks at a task, for [`moves_to`](Self::moves_to).
    pub async fn observe(&mut self, id: &str) {
        let target = json!({ "type": "task", "data": { "id": id } });
        let arguments = json!({ "session": self.seen.name(), "target": target });
        self.observer.call("watch", arguments).await.unwrap();
    }

    /// Waits until it is told that an observed task has moved to this place in its queue: others are told of that a little
    /// later. Call it while the last message is unacknowledged.
    pub async fn moves_to(&mut self, id: &str, position: u64) {
        self.handlers.shut().await;
        let is_told = |event: &Value| event["id"] == id && event["change"]["data"]["position"] == position;
        self.seen.next_event(is_told).await;
        self.record(json!({ "task": id, "does": "move", "with": position }));
    }

    /// Lets time pass until something holds for a task.
    pub async fn passes(&mut self, ms: u64, id: &str, holds: impl Fn(&TaskHandle) -> bool) {
        self.handlers.shut().await;
        self.app.advance(std::time::Duration::from_millis(ms));
        let handle = self.handle(id);
        until("its time has come", async || holds(&handle)).await;
        self.record(json!({ "passes": ms }));
    }

    fn handle(&self, id: &str) -> TaskHandle {
        self.app.tasks().handle(task_id(id)).unwrap()
    }
}

pub fn start(session: &str, id: &str, task: &str, input: Value, options: Value) -> Value {
    json!({ "session": session, "id": id, "task": task, "input": input, "options": options })
}

fn task_id(id: &str) -> TaskId {
    id.parse().unwrap()
}

/// Returns an answer as it is recorded, with the name of its field. Messages are read from their text.
fn answer_of(answer: Result<InvokeResponseBody, tauri_plugin_tasks::test::PageError>) -> (&'static str, Value) {
    match answer {
        Ok(InvokeResponseBody::Raw(bytes)) => ("bytes", json!(bytes)),
        Ok(body) => match body.deserialize().unwrap() {
            Value::String(message) => ("answer", serde_json::from_str(&message).unwrap()),
            answer => ("answer", answer),
        },
        Err(error) => ("error", error.into_value()),
    }
}

/// Reads an order as it is recorded.
fn order_of(does: &str, with: &Value) -> Order {
    let text = || with.as_str().unwrap().to_owned();
    match does {
        "progress" => Order::Progress(serde_json::from_value(with.clone()).unwrap()),
        "emit" => Order::Emit(serde_json::from_value(with.clone()).unwrap()),
        "emitBytes" => Order::EmitBytes(serde_json::from_value(with.clone()).unwrap()),
        "complete" => Order::Complete(Json::new(with).unwrap()),
        "fail" => Order::Fail(text()),
        "panic" => Order::Panic(text()),
        "cleanUp" => Order::CleanUp,
        _ => panic!("there is no order {does}"),
    }
}
