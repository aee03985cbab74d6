//! The kinds that our tests run, and an app with them.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        mpsc::{self, Receiver, Sender},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Manager, Runtime};
use tauri_plugin_tasks::{
    Builder, Bytes, Failure, Json, OnExit, Task, TaskContext, TaskFilter, TaskStatus, Unread, test::TestApp,
};

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

/// How often handlers were called, by kind.
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

/// Returns a builder with all kinds.
pub fn tasks<R: Runtime>() -> Builder<R> {
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

/// Starts an app with all kinds and these capabilities.
pub fn app(capabilities: &[&str]) -> TestApp {
    let app = TestApp::builder(tasks()).manage(Runs::default()).manage(Gate::default()).manage("managed state").build();
    for capability in capabilities {
        app.capability(capability);
    }
    app
}

/// Returns how often the handler of `task` was called.
pub fn runs(app: &TestApp, task: &str) -> usize {
    app.handle().state::<Runs>().0.lock().unwrap().get(task).copied().unwrap_or_default()
}

/// Opens the gate for [`busy`].
pub fn open_gate(app: &TestApp) {
    app.handle().state::<Gate>().opener.lock().unwrap().take();
}

/// Returns how many tasks of this kind there are.
pub fn tasks_named(app: &TestApp, name: &str) -> usize {
    app.tasks().list(&TaskFilter::default().task(name)).len()
}

/// Returns how many tasks have completed.
pub fn tasks_completed(app: &TestApp) -> usize {
    app.tasks().list(&TaskFilter::default().status(TaskStatus::Completed)).len()
}

/// A channel for calls whose session the test doesn't read.
pub const CHANNEL: &str = "__CHANNEL__:42";

/// Returns an id of the test's own.
pub fn id(number: u8) -> String {
    format!("01890000-0000-7000-8000-0000000000{number:02x}")
}

/// A kind `left` whose handler tells that it has begun and never ends, and which an exit leaves alone.
pub fn left<R: Runtime>() -> (Builder<R>, Receiver<()>) {
    let (begun, has_begun) = mpsc::channel();
    let left = move |_: TaskContext, (): ()| {
        let begun: Sender<()> = begun.clone();
        async move {
            begun.send(())?;
            std::future::pending::<Result<(), Failure>>().await
        }
    };
    (Builder::new().task(Task::new("left", left).on_exit(OnExit::Drop)), has_begun)
}
