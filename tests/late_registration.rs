//! Registers the plugin when the app has windows already, on the mock runtime.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use tauri::{
    AppHandle, Manager, RunEvent, WebviewWindowBuilder,
    plugin::TauriPlugin,
    test::{MockRuntime, mock_builder, mock_context, noop_assets},
};
use tauri_plugin_tasks::{Builder, Config, Failure, Restart, Schedule, Task, TaskContext};

/// The time limit of a wait. No test passes by using it up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the handlers report that they run or were told to stop.
struct Reports(Sender<&'static str>);

async fn scheduled(app: AppHandle<MockRuntime>, _: TaskContext, (): ()) -> Result<(), Failure> {
    let _ = app.state::<Reports>().0.send("schedule");
    Ok(())
}

async fn service(app: AppHandle<MockRuntime>, ctx: TaskContext, (): ()) -> Result<(), Failure> {
    let _ = app.state::<Reports>().0.send("service");
    ctx.cancelled().await;
    let _ = app.state::<Reports>().0.send("stopped");
    Ok(())
}

fn plugin() -> TauriPlugin<MockRuntime, Option<Config>> {
    Builder::new()
        .task(Task::new("scheduled", scheduled))
        .schedule("hourly", "scheduled", (), Schedule::every(Duration::from_secs(3_600)).at_once())
        .task(Task::new("service", service).restart(Restart::on_failure()))
        .service("service", ())
        .build()
}

/// Runs an app until its service was told to stop, since its last window was closed. `register` is called when the app is
/// ready.
fn run(in_setup: bool, register: impl Fn(&AppHandle<MockRuntime>) + Clone + Send + 'static) {
    let (report, reports) = mpsc::channel();
    let app = mock_builder()
        .setup(move |app| {
            WebviewWindowBuilder::new(app, "main", Default::default()).build()?;
            if in_setup {
                app.handle().plugin(plugin())?;
            }
            Ok(())
        })
        .manage(Reports(report))
        .build(mock_context(noop_assets()))
        .unwrap();
    let window = app.handle().clone();
    let user = thread::spawn(move || {
        let mut begun = [reports.recv_timeout(PATIENCE), reports.recv_timeout(PATIENCE)].map(Result::unwrap);
        begun.sort_unstable();
        assert_eq!(begun, ["schedule", "service"]);
        window.get_webview_window("main").unwrap().close().unwrap();
        assert_eq!(reports.recv_timeout(PATIENCE), Ok("stopped"));
        reports.recv_timeout(Duration::ZERO)
    });
    app.run(move |app, event| {
        if matches!(event, RunEvent::Ready) {
            register(app);
        }
    });
    assert_ne!(user.join().unwrap(), Ok("schedule"), "it has begun once");
}

#[test]
fn registered_in_setup_it_begins_its_schedules_and_services_and_holds_the_last_window() {
    run(true, |_| {});
}

#[test]
fn registered_when_the_app_is_ready_it_does_the_same() {
    run(false, |app| app.plugin(plugin()).unwrap());
    run(false, |app| {
        let app = app.clone();
        thread::spawn(move || app.plugin(plugin()).unwrap());
    });
}
