//! Where handlers run, and that the app answers while they hold all threads there. On Tauri's mock runtime.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use tauri::{
    App, RunEvent,
    async_runtime::{block_on, spawn},
    test::{MockRuntime, mock_builder, mock_context, noop_assets},
};
use tauri_plugin_tasks::{
    Builder, Failure, FailureKind, OnExit, Outcome, Task, TaskContext, TaskFilter, TaskStatus, TasksExt,
};

const PATIENCE: Duration = Duration::from_secs(30);

fn app(builder: Builder<MockRuntime>) -> App<MockRuntime> {
    mock_builder().plugin(builder.build()).build(mock_context(noop_assets())).unwrap()
}

/// Returns the names of the threads of a handler, of what it spawns on Tauri's runtime, and of its blocking work.
async fn threads(ctx: TaskContext, (): ()) -> Result<[String; 3], Failure> {
    let name = || thread::current().name().unwrap_or_default().to_owned();
    Ok([name(), spawn(async move { name() }).await?, ctx.spawn_blocking(move |_| name()).await])
}

fn names(builder: Builder<MockRuntime>) -> [String; 3] {
    let app = app(builder.task(Task::new("threads", threads)));
    let task = app.tasks().start("threads", ()).unwrap();
    block_on(task.outcome()).output().unwrap().unwrap()
}

#[test]
fn handlers_run_on_threads_of_their_own() {
    let [handler, tauris, blocking] = names(Builder::new());
    assert_eq!((handler.as_str(), blocking.as_str()), ("tasks-handler", "tasks-handler"));
    assert_ne!(tauris, "tasks-handler");
}

#[test]
fn an_app_can_bring_the_runtime_of_the_handlers() {
    let own = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("mine").enable_all().build();
    let own = own.unwrap();
    let [handler, _, blocking] = names(Builder::new().runtime(own.handle().clone()));
    assert_eq!((handler.as_str(), blocking.as_str()), ("mine", "mine"));
    // It may be Tauri's as well.
    let [handler, tauris, _] = names(Builder::new().runtime(tauri::async_runtime::handle().inner().clone()));
    assert_eq!(handler, tauris);
}

#[test]
fn a_runtime_without_threads_is_refused() {
    let own = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let plugin = Builder::<MockRuntime>::new().runtime(own.handle().clone()).build();
    let refused = mock_builder().plugin(plugin).build(mock_context(noop_assets())).err().unwrap().to_string();
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

#[test]
fn the_app_answers_while_handlers_hold_all_their_threads() {
    let (holding, release, has_begun) = holding();
    let app = app(holding.task(Task::new("threads", threads)));
    let cores = thread::available_parallelism().unwrap().get();
    let holders: Vec<_> = (0..cores).map(|_| app.tasks().start("holds", ()).unwrap()).collect();
    for _ in &holders {
        has_begun.recv_timeout(PATIENCE).unwrap();
    }

    let next = app.tasks().start("threads", ()).unwrap();
    assert_eq!(next.status(), TaskStatus::Queued);
    assert_eq!(block_on(spawn(async { 7 })).unwrap(), 7, "Tauri's runtime is free");
    assert_eq!(app.tasks().list(&TaskFilter::default()).len(), cores + 1);
    let begin = Instant::now();
    for task in &holders {
        task.cancel().unwrap();
    }
    while !holders.iter().all(|task| task.snapshot().overdue) {
        assert!(begin.elapsed() < PATIENCE);
        thread::yield_now();
    }
    next.cancel().unwrap();
    assert!(matches!(block_on(next.outcome()), Outcome::Cancelled { .. }), "at once");
    drop(release);
    assert!(holders.iter().all(|task| matches!(block_on(task.outcome()), Outcome::Completed { .. })));
}

/// Tells when it is dropped.
struct Told(Sender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[test]
fn what_is_left_on_the_runtime_is_dropped_when_the_app_ends() {
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
    let app = app(Builder::new().task(Task::new("left", left).on_exit(OnExit::Drop)));
    app.tasks().start("left", ()).unwrap();
    has_begun.recv_timeout(PATIENCE).unwrap();
    let window = tauri::WebviewWindowBuilder::new(&app, "main", tauri::WebviewUrl::default()).build().unwrap();
    app.run(move |_, event| {
        if matches!(event, RunEvent::Ready) {
            window.destroy().unwrap();
        }
    });
    told.recv_timeout(PATIENCE).unwrap();
}

/// The plugin has shut the runtime down by the time the app is told.
#[test]
fn an_app_that_awaits_a_task_as_it_exits_does_not_wait_for_ever() {
    let (begun, has_begun) = mpsc::channel();
    let left = move |_: TaskContext, (): ()| {
        let begun = begun.clone();
        async move {
            begun.send(())?;
            std::future::pending::<Result<(), Failure>>().await
        }
    };
    let app = app(Builder::new().task(Task::new("left", left).on_exit(OnExit::Drop)));
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
