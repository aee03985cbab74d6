//! Builds an app on the mock runtime with the crate's real permission files.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tauri::{
    AppHandle, Manager, Runtime, WebviewWindow,
    ipc::{CallbackFn, InvokeBody, InvokeResponseBody},
    test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context, noop_assets},
    utils::acl::{
        manifest::{Manifest, PermissionFile},
        resolved::Resolved,
    },
    webview::InvokeRequest,
};
use tauri_plugin_tasks::{
    Builder, Bytes, Failure, Json, Task, TaskContext, TaskFilter, TaskManager, TaskStatus, TasksExt, Unread,
};

pub const CHANNEL: &str = "__CHANNEL__:42";
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Double {
    number: u32,
}

#[derive(Debug, thiserror::Error, Serialize)]
#[serde(rename_all = "camelCase")]
enum NotFound {
    #[error("the server answered with status {0}")]
    Http(u16),
}

#[derive(Default)]
struct Runs(Mutex<BTreeMap<String, usize>>);

async fn double(_: TaskContext, Double { number }: Double) -> Result<u32, Failure> {
    Ok(number * 2)
}

async fn echo(_: TaskContext, input: Json) -> Result<Json, Failure> {
    Ok(input)
}

async fn app_name<R: Runtime>(app: AppHandle<R>, _: TaskContext, (): ()) -> Result<String, Failure> {
    Ok(app.state::<&'static str>().inner().to_string())
}

async fn slow<R: Runtime>(app: AppHandle<R>, _: TaskContext, _: Option<u32>) -> Result<(), Failure> {
    *app.state::<Runs>().0.lock().unwrap().entry("slow".into()).or_default() += 1;
    tokio::time::sleep(Duration::from_secs(60)).await;
    Ok(())
}

async fn hang(_: TaskContext, (): ()) -> Result<(), Failure> {
    std::future::pending().await
}

/// Blocks its thread, and so its supervisor, until the gate opens.
async fn busy<R: Runtime>(app: AppHandle<R>, _: TaskContext, (): ()) -> Result<(), Failure> {
    let gate = app.state::<Gate>().closed.lock().unwrap().take().unwrap();
    let _ = gate.recv();
    Ok(())
}

/// The gate that [`busy`] waits for.
pub struct Gate {
    closed: Mutex<Option<mpsc::Receiver<()>>>,
    pub opener: Mutex<Option<mpsc::Sender<()>>>,
}

impl Default for Gate {
    fn default() -> Self {
        let (opener, closed) = mpsc::channel();
        Self { closed: Mutex::new(Some(closed)), opener: Mutex::new(Some(opener)) }
    }
}

async fn count(ctx: TaskContext, to: u64) -> Result<(), Failure> {
    ctx.progress().total(to);
    for number in 0..to {
        ctx.progress().inc(1);
        if number % 1_000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

async fn odd_output(_: TaskContext, (): ()) -> Result<Unwritable, Failure> {
    Ok(Unwritable)
}

struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}

async fn panics(_: TaskContext, (): ()) -> Result<(), Failure> {
    panic!("as told")
}

async fn fails(_: TaskContext, (): ()) -> Result<(), NotFound> {
    Err(NotFound::Http(404))
}

async fn large(_: TaskContext, (): ()) -> Result<String, Failure> {
    Ok("x".repeat(100_000))
}

/// How many numbers or bytes to emit, and whether to hang afterwards.
#[derive(Deserialize)]
struct Numbers {
    to: u32,
    hangs: bool,
}

async fn numbers(ctx: TaskContext<(), u32>, Numbers { to, hangs }: Numbers) -> Result<(), Failure> {
    for number in 0..to {
        ctx.emit(number).await;
        ctx.progress().inc(1);
    }
    if hangs { std::future::pending().await } else { Ok(()) }
}

/// Emits each of `items` unchanged.
async fn emits(ctx: TaskContext<(), Json>, items: Vec<Json>) -> Result<(), Failure> {
    for item in items {
        ctx.emit(item).await;
    }
    Ok(())
}

/// Emits `to` bytes: 0, 1, 2 and so on.
async fn bytes(ctx: TaskContext<(), Bytes>, Numbers { to, hangs }: Numbers) -> Result<(), Failure> {
    let bytes: Vec<u8> = (0..to).map(|byte| byte.to_le_bytes()[0]).collect();
    ctx.emit_bytes(&bytes).await;
    ctx.progress().inc(to.into());
    if hangs { std::future::pending().await } else { Ok(()) }
}

fn tasks<R: Runtime>() -> Builder<R> {
    Builder::new()
        .task(Task::new("numbers", numbers))
        .task(Task::new("secret-numbers", numbers))
        .task(Task::new("few-numbers", numbers).item_buffer(4, 1_000).unread(Unread::Wait))
        .task(Task::new("watched-numbers", numbers).unread(Unread::Cancel))
        .task(Task::new("emits", emits))
        .task(Task::new("bytes", bytes))
        .task(Task::new("double", double))
        .task(Task::new("echo", echo).show_input())
        .task(Task::new("app-name", app_name))
        .task(Task::new("slow", slow))
        .task(Task::new("secret", slow))
        .task(Task::new("hang", hang))
        .task(Task::new("busy", busy).grace(Duration::ZERO))
        .task(Task::new("count", count))
        .task(Task::new("odd-output", odd_output))
        .task(Task::new("panics", panics))
        .task(Task::new("fails", fails).display_errors())
        .task(Task::new("large", large))
        .task(Task::new("one", hang).concurrency(1).queue_limit(20).group("lane"))
}

/// A message that was pushed over a channel or returned as an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub number: u64,
    pub more: bool,
    pub text: String,
    value: Value,
}

impl Message {
    /// Reads a payload, which is the message's JSON text as a string.
    fn new(payload: &str) -> Self {
        let text: String = serde_json::from_str(payload).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        Self { number: value["message"].as_u64().unwrap(), more: value["more"] == true, text, value }
    }

    pub fn events(&self) -> Vec<Value> {
        self.value["events"].as_array().unwrap().clone()
    }

    pub fn lists(&self) -> Vec<Value> {
        self.value["lists"].as_array().unwrap().clone()
    }
}

/// A push: the label of the webview, the channel and the message.
type Pushed = Arc<Mutex<Vec<(String, u32, Message)>>>;

pub struct App {
    app: tauri::App<MockRuntime>,
    pushed: Pushed,
}

impl App {
    pub fn new(capabilities: &[&str]) -> Self {
        let mut context = mock_context(noop_assets());
        let acl = BTreeMap::from([("tasks".to_owned(), Manifest::new(permission_files(), None))]);
        *context.runtime_authority_mut() = tauri::runtime_authority!(acl, Resolved::default());
        let pushed = Pushed::default();
        let to = Arc::clone(&pushed);
        let app = mock_builder()
            .channel_interceptor(move |webview, callback, _, body| {
                let InvokeResponseBody::Json(text) = body else { panic!("only JSON is pushed") };
                to.lock().unwrap().push((webview.label().to_owned(), callback.0, Message::new(text)));
                true
            })
            .manage(Runs::default())
            .manage(Gate::default())
            .manage("managed state")
            .plugin(tasks().build())
            .build(context)
            .unwrap();
        for capability in capabilities {
            app.add_capability(*capability).unwrap();
        }
        Self { app, pushed }
    }

    pub fn tasks(&self) -> &TaskManager {
        self.app.tasks()
    }

    pub fn window(&self, label: &str) -> Page {
        let window = self.app.get_webview_window(label).unwrap_or_else(|| {
            tauri::WebviewWindowBuilder::new(&self.app, label, tauri::WebviewUrl::default()).build().unwrap()
        });
        let url =
            if cfg!(any(windows, target_os = "android")) { "http://tauri.localhost" } else { "tauri://localhost" };
        Page {
            window,
            url: url.to_owned(),
            pushed: Arc::clone(&self.pushed),
            taken: Arc::default(),
            ended: Arc::default(),
        }
    }

    /// Returns the same window with a remote document.
    pub fn remote_window(&self, label: &str, url: &str) -> Page {
        Page { url: url.to_owned(), ..self.window(label) }
    }

    /// Returns how often the handler of `task` was called.
    pub fn runs(&self, task: &str) -> usize {
        self.app.state::<Runs>().0.lock().unwrap().get(task).copied().unwrap_or_default()
    }

    /// Opens the gate for [`busy`].
    pub fn open_gate(&self) {
        self.app.state::<Gate>().opener.lock().unwrap().take();
    }

    pub fn tasks_named(&self, name: &str) -> usize {
        self.tasks().list(&TaskFilter::default().task(name)).len()
    }

    pub fn tasks_completed(&self) -> usize {
        self.tasks().list(&TaskFilter::default().status(TaskStatus::Completed)).len()
    }
}

/// One webview and the messages pushed to it so far.
pub struct Page {
    window: WebviewWindow<MockRuntime>,
    url: String,
    pushed: Pushed,
    taken: Arc<AtomicUsize>,
    /// The responses of starts whose tasks had already ended, by id.
    ended: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl Page {
    fn request(&self, command: &str, arguments: Value) -> InvokeRequest {
        InvokeRequest {
            cmd: format!("plugin:tasks|{command}"),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: self.url.parse().unwrap(),
            body: InvokeBody::Json(arguments),
            headers: Default::default(),
            invoke_key: INVOKE_KEY.to_owned(),
        }
    }

    pub fn call(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        let answer: Value = self.call_raw(command, arguments).map(|body| body.deserialize().unwrap())?;
        if let Some(id) = answer["snapshot"]["id"].as_str()
            && !answer["snapshot"]["endedAt"].is_null()
        {
            self.ended.lock().unwrap().insert(id.to_owned(), answer.clone());
        }
        Ok(answer)
    }

    /// Calls a command. Returns its response as the page gets it.
    pub fn call_raw(&self, command: &str, arguments: Value) -> Result<InvokeResponseBody, Value> {
        get_ipc_response(&self.window, self.request(command, arguments))
    }

    /// Calls a command that starts a task. Returns its snapshot.
    pub fn start(&self, command: &str, arguments: Value) -> Value {
        self.call(command, arguments).unwrap()["snapshot"].clone()
    }

    pub fn open(&self, session: &str) {
        self.open_on(session, 42);
    }

    pub fn open_on(&self, session: &str, channel: u32) {
        let channel = format!("__CHANNEL__:{channel}");
        let info = self.call("open", json!({ "session": session, "protocol": 5, "channel": channel })).unwrap();
        assert_eq!(info, json!({ "protocol": 5, "leaseMs": 30_000 }));
    }

    pub fn ack(&self, session: &str, message: u64) -> Option<Message> {
        let answer = self.call("ack", json!({ "session": session, "message": message })).unwrap();
        (!answer.is_null()).then(|| Message::new(&answer.to_string()))
    }

    /// Returns how many tasks had ended when their start returned.
    pub fn quick_ends(&self) -> usize {
        self.ended.lock().unwrap().len()
    }

    /// Returns the next message pushed to this window on channel 42.
    pub fn next_message(&self) -> Message {
        self.next_on(42)
    }

    fn next_on(&self, channel: u32) -> Message {
        let mut found = None;
        self.eventually("a message", || {
            let taken = self.taken.load(SeqCst);
            found = self.of(channel).into_iter().nth(taken);
            found.is_some()
        });
        self.taken.fetch_add(1, SeqCst);
        found.unwrap()
    }

    fn of(&self, channel: u32) -> Vec<Message> {
        let pushed = self.pushed.lock().unwrap();
        pushed
            .iter()
            .filter(|(label, on, _)| label == self.window.label() && *on == channel)
            .map(|(_, _, message)| message.clone())
            .collect()
    }

    pub fn no_message_for(&self, time: Duration) -> bool {
        let before = self.of(42).len();
        std::thread::sleep(time);
        self.of(42).len() == before
    }

    /// Takes and acknowledges messages until task `id` has ended. Returns the task's last status change. If the start
    /// already returned the end, nothing is pushed, so this returns that end.
    pub fn next_end(&self, session: &str, id: &str) -> Value {
        if let Some(answer) = self.ended.lock().unwrap().get(id) {
            let Value::Object(mut end) = answer["snapshot"].clone() else { panic!("no snapshot: {answer}") };
            end.insert("outcome".into(), answer["outcome"].clone());
            return Value::Object(end);
        }
        self.events_until_end(session, 42, id).pop().unwrap()["change"]["data"].clone()
    }

    pub fn events_until_end(&self, session: &str, channel: u32, id: &str) -> Vec<Value> {
        if channel != 42 {
            self.taken.store(0, SeqCst);
        }
        let mut events = Vec::new();
        loop {
            let message = self.next_on(channel);
            self.ack(session, message.number);
            for event in message.events().into_iter().filter(|event| event["id"] == id) {
                let ended =
                    ["completed", "failed", "cancelled"].iter().any(|end| event["change"]["data"]["status"] == *end);
                events.push(event);
                if ended {
                    return events;
                }
            }
        }
    }

    /// Takes and acknowledges messages until one contains a wanted event.
    pub fn next_event(&self, session: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.next_message();
            self.ack(session, message.number);
            if let Some(event) = message.events().into_iter().find(&is_wanted) {
                return event;
            }
        }
    }

    /// Polls, since commands run on a runtime whose time can't be paused.
    pub fn eventually(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition() {
            assert!(Instant::now() < deadline, "window {:?} timed out waiting for: {what}", self.window.label());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Builds an app with kinds of these names. Returns the error if that fails.
pub fn build_with_names(names: &[&str]) -> Result<(), String> {
    let plugin = names.iter().fold(Builder::new(), |builder, name| builder.task(Task::new(*name, hang)));
    let built = mock_builder().plugin(plugin.build()).build(mock_context(noop_assets()));
    built.map(drop).map_err(|error| error.to_string())
}

fn permission_files() -> Vec<PermissionFile> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("permissions")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap());
            }
        }
    }
    files
}
