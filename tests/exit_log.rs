//! Tests that an app which exits logs no failure of what it leaves alone. The test has its own file, and so its own
//! process, because it captures the log of all threads.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{sync::mpsc, time::Duration};

use tauri::{
    RunEvent, WebviewUrl, WebviewWindowBuilder,
    async_runtime::block_on,
    test::{mock_builder, mock_context, noop_assets},
};
use tauri_plugin_tasks::{Builder, ErrorKind, Failure, OnExit, Task, TaskContext, TasksExt};
use tauri_plugin_tasks_engine::test::log::Log;

#[test]
fn an_exit_that_leaves_a_task_alone_logs_nothing() {
    let log = Log::capture_everywhere();
    let (begun, has_begun) = mpsc::channel();
    let left = move |_: TaskContext, (): ()| {
        let begun = begun.clone();
        async move {
            begun.send(())?;
            std::future::pending::<Result<(), Failure>>().await
        }
    };
    let plugin = Builder::new().task(Task::new("left", left).on_exit(OnExit::Drop)).build();
    let app = mock_builder().plugin(plugin).build(mock_context(noop_assets())).unwrap();
    let [awaited, unwatched] = [(); 2].map(|()| app.tasks().start("left", ()).unwrap());
    for _ in 0..2 {
        has_begun.recv_timeout(Duration::from_secs(30)).unwrap();
    }
    let id = unwatched.id();
    drop(unwatched);
    let window = WebviewWindowBuilder::new(&app, "main", WebviewUrl::default()).build().unwrap();
    let (tell, told) = mpsc::channel();
    app.run(move |app, event| match event {
        RunEvent::Ready => window.destroy().unwrap(),
        RunEvent::Exit => {
            block_on(awaited.outcome());
            block_on(app.tasks().handle(id).unwrap().outcome());
            tell.send(app.tasks().start("left", ()).map(|task| task.id())).unwrap();
        }
        _ => {}
    });
    assert_eq!(told.try_recv().unwrap().unwrap_err().kind, ErrorKind::ShuttingDown);
    assert_eq!(log.count("ERROR"), 0, "{log:?}");
}
