//! The kinds that the scenarios run. A handler does what the test orders.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde::Deserialize;
use serde_json::Value;
use tauri::{AppHandle, Manager, Runtime};
use tauri_plugin_tasks::{
    Backoff, Builder, Bytes, Failure, Json, OnExit, ProgressReporter, Retry, Task, TaskContext, TaskId, Unit,
};
use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    oneshot,
};

/// What a handler is told to do.
pub enum Order {
    Progress(Report),
    Emit(Vec<Json>),
    EmitBytes(Vec<u8>),
    Complete(Json),
    Fail(String),
    Panic(String),
    /// Ends the clean-up of a `tidy` task, or the work of a `stuck` one.
    CleanUp,
}

/// What is reported at once. Absent fields stay as they are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    completed: Option<u64>,
    total: Option<u64>,
    bytes: Option<bool>,
    message: Option<String>,
    detail: Option<Json>,
}

/// An order, and what is told once it is carried out. A handler that ends drops it.
type Ordered = (Order, oneshot::Sender<()>);

/// The orders to each task.
#[derive(Default)]
pub struct Orders(Mutex<HashMap<TaskId, Channel>>);

#[derive(Clone)]
struct Channel {
    to: UnboundedSender<Ordered>,
    /// Every attempt takes from it.
    from: Arc<tokio::sync::Mutex<UnboundedReceiver<Ordered>>>,
}

impl Orders {
    fn of(&self, id: TaskId) -> Channel {
        let create = || {
            let (to, from) = unbounded_channel();
            Channel { to, from: Arc::new(tokio::sync::Mutex::new(from)) }
        };
        self.0.lock().unwrap().entry(id).or_insert_with(create).clone()
    }

    /// Gives an order. What this returns ends once it is carried out or the handler has ended.
    pub fn give(&self, id: TaskId, order: Order) -> oneshot::Receiver<()> {
        let (done, is_done) = oneshot::channel();
        self.of(id).to.send((order, done)).unwrap_or_else(|_| panic!("the orders to {id} are closed"));
        is_done
    }
}

/// Waits for the next order to a task.
async fn next<R: Runtime>(app: &AppHandle<R>, id: TaskId) -> Ordered {
    let channel = app.state::<Orders>().of(id);
    let mut from = channel.from.lock().await;
    from.recv().await.unwrap_or_else(|| panic!("the orders to {id} are closed"))
}

fn report<D>(progress: ProgressReporter<'_, D>, report: &Report) {
    if report.bytes == Some(true) {
        progress.unit(Unit::Bytes);
    }
    if let Some(total) = report.total {
        progress.total(total);
    }
    if let Some(completed) = report.completed {
        progress.set(completed);
    }
    if let Some(message) = &report.message {
        progress.message(message);
    }
}

async fn work<R: Runtime>(app: AppHandle<R>, ctx: TaskContext<Json, Json>, _: Json) -> Result<Json, Failure> {
    loop {
        let (order, done) = next(&app, ctx.id()).await;
        match order {
            Order::Progress(told) => {
                report(ctx.progress(), &told);
                if let Some(detail) = told.detail {
                    ctx.progress().detail(detail);
                }
            }
            Order::Emit(items) => {
                for item in items {
                    ctx.emit(item).await;
                }
            }
            Order::Complete(output) => return Ok(output),
            Order::Fail(message) => return Err(Failure::new(message)),
            Order::Panic(message) => panic!("{message}"),
            Order::EmitBytes(_) | Order::CleanUp => panic!("it does no such thing"),
        }
        let _ = done.send(());
    }
}

/// Works until it is stopped. Then its clean-up waits for the order to end.
async fn tidy<R: Runtime>(app: AppHandle<R>, ctx: TaskContext<Json, Json>, input: Json) -> Result<Json, Failure> {
    let (cleaned, id) = (app.clone(), ctx.id());
    ctx.on_cancel(async move {
        let (order, _done) = next(&cleaned, id).await;
        assert!(matches!(order, Order::CleanUp), "it was stopped");
    });
    work(app, ctx, input).await
}

/// Works on a thread of its own, where nobody can stop it, until it is ordered to clean up.
async fn stuck<R: Runtime>(app: AppHandle<R>, ctx: TaskContext, (): ()) -> Result<(), Failure> {
    let of_work = ctx.clone();
    let work = ctx.spawn_blocking(move |_| {
        loop {
            let (order, done) = tauri::async_runtime::block_on(next(&app, of_work.id()));
            match order {
                Order::Progress(told) => report(of_work.progress(), &told),
                Order::CleanUp => return,
                _ => panic!("it does no such thing"),
            }
            let _ = done.send(());
        }
    });
    work.await;
    Ok(())
}

async fn bytes<R: Runtime>(app: AppHandle<R>, ctx: TaskContext<(), Bytes>, (): ()) -> Result<Value, Failure> {
    loop {
        let (order, done) = next(&app, ctx.id()).await;
        match order {
            Order::EmitBytes(bytes) => ctx.emit_bytes(&bytes).await,
            Order::Complete(output) => return Ok(output.read()?),
            _ => panic!("it does no such thing"),
        }
        let _ = done.send(());
    }
}

#[derive(Deserialize)]
struct Url {
    #[allow(dead_code)] // Only read.
    url: String,
}

async fn picky<R: Runtime>(app: AppHandle<R>, ctx: TaskContext<Json, Json>, _: Url) -> Result<Json, Failure> {
    let none = Json::new(&())?;
    work(app, ctx, none).await
}

/// Returns a builder with all kinds. Those that an exit would wait for are dropped.
pub fn tasks<R: Runtime>() -> Builder<R> {
    let retry = Retry::attempts(2).backoff(Backoff::constant(Duration::from_secs(1)));
    let grace = Duration::from_secs(3_600);
    Builder::new()
        .task(Task::new("work", work))
        .task(Task::new("shown", work).show_input())
        .task(Task::new("picky", picky))
        .task(Task::new("line", work).concurrency(1))
        .task(Task::new("retried", work).retry(retry))
        .task(Task::new("tidy", tidy).grace(grace).on_exit(OnExit::Drop))
        .task(Task::new("stuck", stuck).grace(Duration::ZERO).on_exit(OnExit::Drop))
        .task(Task::new("bytes", bytes))
}
