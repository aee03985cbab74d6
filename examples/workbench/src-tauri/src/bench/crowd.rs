//! Many tasks at once, each of which reports ten times a second.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use tauri::{AppHandle, Emitter, Runtime, State, async_runtime::spawn};
use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext, TaskFilter, TasksExt};

const NAME: &str = "bench-crowd";
const PERIOD: Duration = Duration::from_millis(100);
/// The total that each task reports, which it never reaches.
const TOTAL: u64 = 10_000;

/// What all tasks of the crowd share.
#[derive(Default)]
pub(super) struct Crowd {
    stopped: AtomicBool,
    reports: AtomicU64,
}

pub(super) fn register<R: Runtime>(tasks: Builder<R>, crowd: &Arc<Crowd>) -> Builder<R> {
    let crowd = Arc::clone(crowd);
    let handler = move |ctx: TaskContext, (): ()| report(ctx, Arc::clone(&crowd));
    tasks.task(Task::new(NAME, handler))
}

/// Reports until the crowd stops, and then waits until it is cancelled.
async fn report(ctx: TaskContext, crowd: Arc<Crowd>) -> Result<(), Failure> {
    ctx.progress().total(TOTAL);
    let mut clock = tokio::time::interval(PERIOD);
    loop {
        clock.tick().await;
        if crowd.stopped.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        ctx.progress().inc(1);
        crowd.reports.fetch_add(1, Ordering::SeqCst);
    }
}

/// Starts `tasks` tasks.
#[tauri::command]
pub(super) async fn crowd_begin(app: AppHandle, tasks: u32) -> Result<(), String> {
    for _ in 0..tasks {
        app.tasks().start(NAME, ()).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Makes all tasks stop reporting, and returns how many reports they have made.
#[tauri::command]
pub(super) async fn crowd_stop(crowd: State<'_, Arc<Crowd>>) -> Result<u64, String> {
    crowd.stopped.store(true, Ordering::SeqCst);
    // A task that checked the flag just before has made its report by the time of its next tick.
    tokio::time::sleep(PERIOD * 2).await;
    Ok(crowd.reports.load(Ordering::SeqCst))
}

/// Ends all tasks of the crowd.
#[tauri::command]
pub(super) async fn crowd_end(app: AppHandle) -> usize {
    app.tasks().cancel_all(&TaskFilter::default().task(NAME))
}

/// The message that tutorials send for each step.
#[derive(Debug, Clone, Serialize)]
struct Report {
    id: u32,
    completed: u32,
}

/// Reports as tutorials do: `tasks` tasks make `reports` reports each, and send an event for each report. Returns when
/// all of them are sent.
#[tauri::command]
pub(super) async fn emit_crowd(app: AppHandle, tasks: u32, reports: u32) -> tauri::Result<()> {
    let tasks = (0..tasks).map(|id| {
        let app = app.clone();
        spawn(async move {
            let mut clock = tokio::time::interval(PERIOD);
            for completed in 1..=reports {
                clock.tick().await;
                app.emit("crowd", Report { id, completed })?;
            }
            Ok::<_, tauri::Error>(())
        })
    });
    // `collect` starts all of them; otherwise they would run one after the other.
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    Ok(())
}
