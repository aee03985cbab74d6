//! Registers the plugin when the app has windows already, on the mock runtime.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use tauri::{
    AppHandle, Manager, RunEvent, WebviewUrl, WebviewWindowBuilder,
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

/// Runs an app and closes its last window once the schedule and the service have begun. `register` is called when the app is
/// ready.
fn run(in_setup: bool, register: impl Fn(&AppHandle<MockRuntime>) + Send + 'static) {
    let (report, reports) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    // The mock runtime can't be told to exit, so this thread ends with the test.
    thread::spawn(move || {
        // Without the kit, which registers the plugin before the setup.
        let app = mock_builder()
            .setup(move |app| {
                WebviewWindowBuilder::new(app, "main", WebviewUrl::default()).build()?;
                if in_setup {
                    app.handle().plugin(plugin())?;
                }
                Ok(())
            })
            .manage(Reports(report))
            .build(mock_context(noop_assets()))
            .unwrap();
        tell.send(app.handle().clone()).unwrap();
        app.run(move |app, event| {
            if matches!(event, RunEvent::Ready) {
                register(app);
            }
        });
    });
    let app = told.recv_timeout(PATIENCE).unwrap();
    let mut begun = [(); 2].map(|()| reports.recv_timeout(PATIENCE).unwrap());
    begun.sort_unstable();
    assert_eq!(begun, ["schedule", "service"]);
    app.get_webview_window("main").unwrap().close().unwrap();
    assert_eq!(reports.recv_timeout(PATIENCE), Ok("stopped"));
    assert!(reports.try_recv().is_err(), "each has begun once");
}

#[test]
fn registered_in_setup_it_begins_its_schedules_and_services_and_ends_them_with_the_last_window() {
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
