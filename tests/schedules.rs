//! Tests the schedules that an app sets on the builder, on the mock runtime.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use tauri::{
    AppHandle, Manager, RunEvent, Runtime,
    test::{MockRuntime, mock_builder, mock_context, noop_assets},
};
use tauri_plugin_tasks::{
    Builder, Failure, Schedule, Task, TaskContext, TaskKey, TaskStatus, TasksExt,
    test::{TestApp, until},
};

const GREET: TaskKey<String, String, Failure> = TaskKey::new("greet");

/// State that the app's own setup manages.
struct Greeting(&'static str);

async fn greet<R: Runtime>(app: AppHandle<R>, _: TaskContext, name: String) -> Result<String, Failure> {
    Ok(format!("{}, {name}", app.state::<Greeting>().0))
}

fn hourly() -> Schedule {
    Schedule::every(Duration::from_secs(3_600))
}

fn builder() -> Builder<MockRuntime> {
    Builder::new().task(Task::new(GREET, greet))
}

fn app(builder: Builder<MockRuntime>) -> tauri::Result<TestApp> {
    let set_up = |app: &mut tauri::App<MockRuntime>| {
        let told: Vec<_> =
            app.tasks().schedules().into_iter().map(|it| (it.name, it.next_run_at, it.last_run)).collect();
        assert_eq!(told, [("early".to_owned(), None, None)], "they begin when the app is ready");
        app.manage(Greeting("Hello"));
        app.tasks().schedule("late", "greet", "evening", hourly())?;
        Ok(())
    };
    TestApp::builder(builder).tauri(move |builder| builder.setup(set_up)).try_build()
}

#[tokio::test]
async fn schedules_begin_only_when_the_app_is_ready() {
    let app = app(builder().schedule("early", GREET, "morning".to_owned(), hourly().at_once())).unwrap();
    let last = || app.schedule("early").snapshot().last_run.filter(|last| last.status.is_final());
    until("the first run", async || last().is_some()).await;
    assert_eq!(last().unwrap().status, TaskStatus::Completed, "the state managed in the setup is there");
    let schedules = app.tasks().schedules();
    assert_eq!(schedules.iter().map(|it| &*it.name).collect::<Vec<_>>(), ["early", "late"]);
    assert!(schedules.iter().all(|it| it.next_run_at.is_some()));
    let evening = app.schedule("late").due().await.unwrap();
    assert_eq!(evening.outcome().await.output::<String>().unwrap().as_deref(), Some("Hello, evening"));
}

#[test]
fn the_event_loop_begins_the_schedules() {
    let plugin = builder().schedule("early", GREET, "morning".to_owned(), hourly().at_once()).build();
    // Without the kit, which runs no event loop.
    let app = mock_builder()
        .setup(|app| {
            app.manage(Greeting("Hello"));
            Ok(())
        })
        .plugin(plugin)
        .build(mock_context(noop_assets()))
        .unwrap();
    let window = tauri::WebviewWindowBuilder::new(&app, "main", tauri::WebviewUrl::default()).build().unwrap();
    let (answer, answered) = mpsc::channel();
    app.run(move |app, event| {
        if matches!(event, RunEvent::Ready) {
            let (app, window, answer) = (app.clone(), window.clone(), answer.clone());
            thread::spawn(move || {
                let begin = Instant::now();
                loop {
                    let last = app.tasks().schedules().remove(0).last_run.filter(|last| last.status.is_final());
                    if last.is_some() || begin.elapsed() > Duration::from_secs(10) {
                        answer.send(last).unwrap();
                        break;
                    }
                    thread::sleep(Duration::from_millis(5));
                }
                window.destroy().unwrap();
            });
        }
    });
    assert_eq!(answered.recv().unwrap().unwrap().status, TaskStatus::Completed);
}

#[test]
fn an_app_with_an_invalid_schedule_does_not_start_and_names_it() {
    let refused = |builder| app(builder).err().unwrap().to_string();
    let message = refused(builder().schedule("a", "gret", "x", hourly()));
    assert!(message.contains("schedule \"a\"") && message.contains("\"gret\""), "{message}");
    let message = refused(builder().schedule("a", "greet", 7, hourly()));
    assert!(message.contains("schedule \"a\"") && message.contains("invalid type"), "{message}");
    let message = refused(builder().schedule("a", "greet", "x", hourly()).schedule("a", "greet", "y", hourly()));
    assert!(message.contains("two schedules are named \"a\""), "{message}");
    let message = refused(builder().schedule("a", "greet", "x", Schedule::every(Duration::ZERO)));
    assert!(message.contains("schedule \"a\"") && message.contains("at least 1s"), "{message}");
}
