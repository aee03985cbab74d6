//! Where handlers run, and that the app answers while they hold all threads there. On Tauri's mock runtime.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use support::kinds;
use tauri::{
    RunEvent,
    async_runtime::{block_on, spawn},
    test::{MockRuntime, mock_builder, mock_context, noop_assets},
};
use tauri_plugin_tasks::{
    Builder, Failure, FailureKind, OnExit, Outcome, Task, TaskContext, TaskFilter, TaskStatus, TasksExt,
    test::{self, TestApp, until},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// Returns the names of the threads of a handler, of what it spawns on Tauri's runtime, and of its blocking work.
async fn threads(ctx: TaskContext, (): ()) -> Result<[String; 3], Failure> {
    let name = || thread::current().name().unwrap_or_default().to_owned();
    Ok([name(), spawn(async move { name() }).await?, ctx.spawn_blocking(move |_| name()).await])
}

async fn names(builder: Builder<MockRuntime>) -> [String; 3] {
    let app = test::app(builder.task(Task::new("threads", threads)));
    let task = app.tasks().start("threads", ()).unwrap();
    task.outcome().await.output().unwrap().unwrap()
}

#[tokio::test]
async fn handlers_run_on_threads_of_their_own() {
    let [handler, tauris, blocking] = names(Builder::new()).await;
    assert_eq!((handler.as_str(), blocking.as_str()), ("tasks-handler", "tasks-handler"));
    assert_ne!(tauris, "tasks-handler");
}

#[tokio::test]
async fn an_app_can_bring_the_runtime_of_the_handlers() {
    let own = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("mine").enable_all().build();
    let own = own.unwrap();
    let [handler, _, blocking] = names(Builder::new().runtime(own.handle().clone())).await;
    assert_eq!((handler.as_str(), blocking.as_str()), ("mine", "mine"));
    // It may be Tauri's as well.
    let [handler, tauris, _] = names(Builder::new().runtime(tauri::async_runtime::handle().inner().clone())).await;
    assert_eq!(handler, tauris);
    own.shutdown_background();
}

#[test]
fn a_runtime_without_threads_is_refused() {
    let own = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let refused = TestApp::builder(Builder::new().runtime(own.handle().clone())).try_build().err().unwrap().to_string();
    assert!(refused.contains("current-thread runtime") && refused.contains("new_multi_thread"), "{refused}");
}

/// A builder with a kind whose handlers hold their threads until the sender is dropped, and tell when they do.
fn holding() -> (Builder<MockRuntime>, Sender<()>, Receiver<()>) {
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let (tell, told) = mpsc::channel();
    let handler = move |_: TaskContext, (): ()| {
        let (tell, released) = (tell.clone(), Arc::clone(&released));
        async move {
            tell.send(())?;
            let _ = released.lock().map(|released| released.recv());
            Ok::<_, Failure>(())
        }
    };
    (Builder::new().task(Task::new("holds", handler).grace(Duration::from_millis(10))), release, told)
}

#[tokio::test]
async fn the_app_answers_while_handlers_hold_all_their_threads() {
    let (holding, release, has_begun) = holding();
    let app = test::app(holding.task(Task::new("threads", threads)));
    let cores = thread::available_parallelism().unwrap().get();
    let holders: Vec<_> = (0..cores).map(|_| app.tasks().start("holds", ()).unwrap()).collect();
    for _ in &holders {
        has_begun.recv_timeout(PATIENCE).unwrap();
    }

    let next = app.tasks().start("threads", ()).unwrap();
    assert_eq!(next.status(), TaskStatus::Queued);
    assert_eq!(spawn(async { 7 }).await.unwrap(), 7, "Tauri's runtime is free");
    assert_eq!(app.tasks().list(&TaskFilter::default()).len(), cores + 1);
    for task in &holders {
        task.cancel().unwrap();
    }
    until("all to be overdue", async || holders.iter().all(|task| task.snapshot().overdue)).await;
    next.cancel().unwrap();
    assert!(matches!(next.outcome().await, Outcome::Cancelled { .. }), "at once");
    drop(release);
    for task in &holders {
        assert!(matches!(task.outcome().await, Outcome::Completed { .. }));
    }
}

/// Tells when it is dropped.
struct Told(Sender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[tokio::test]
async fn what_is_left_on_the_runtime_is_dropped_when_the_app_ends() {
    let (tell, told) = mpsc::channel();
    let (begun, has_begun) = mpsc::channel();
    let left = move |_: TaskContext, (): ()| {
        let (told, begun) = (Told(tell.clone()), begun.clone());
        async move {
            let _told = told;
            begun.send(())?;
            std::future::pending::<Result<(), Failure>>().await
        }
    };
    let app = test::app(Builder::new().task(Task::new("left", left).on_exit(OnExit::Drop)));
    app.tasks().start("left", ()).unwrap();
    has_begun.recv_timeout(PATIENCE).unwrap();
    app.exit().await;
    told.recv_timeout(PATIENCE).unwrap();
}

/// The plugin has shut the runtime down by the time the app is told. Without the kit, which runs no event loop.
#[test]
fn an_app_that_awaits_a_task_as_it_exits_does_not_wait_for_ever() {
    let (tasks, has_begun) = kinds::left();
    let app = mock_builder().plugin(tasks.build()).build(mock_context(noop_assets())).unwrap();
    let task = app.tasks().start("left", ()).unwrap();
    has_begun.recv_timeout(PATIENCE).unwrap();
    let window = tauri::WebviewWindowBuilder::new(&app, "main", tauri::WebviewUrl::default()).build().unwrap();
    let (tell, told) = mpsc::channel();
    app.run(move |_, event| match event {
        RunEvent::Ready => window.destroy().unwrap(),
        RunEvent::Exit => tell.send(block_on(task.outcome())).unwrap(),
        _ => {}
    });
    let outcome = told.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(outcome, Outcome::Failed(failure) if failure.kind == FailureKind::RuntimeEnded));
}
