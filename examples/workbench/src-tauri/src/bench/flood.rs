//! Progress that a thread reports as fast as it can.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Emitter, Runtime, ipc::Channel};
use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext};

pub(super) fn register<R: Runtime>(tasks: Builder<R>) -> Builder<R> {
    tasks.task(Task::new("bench-flood", flood))
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Flood {
    /// How many reports a round has.
    reports: u32,
    /// New rounds begin until this much time has passed. There is at least one.
    for_ms: u32,
    /// Whether each report also says something in words.
    words: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Flooded {
    reports: u64,
    nanoseconds: f64,
}

async fn flood(ctx: TaskContext, input: Flood) -> Result<Flooded, Failure> {
    let thread = ctx.clone();
    ctx.spawn_blocking(move |_| {
        let begin = Instant::now();
        let mut done = 0;
        loop {
            for _ in 0..input.reports {
                if input.words {
                    thread.progress().message("copying a file");
                }
                thread.progress().inc(1);
            }
            done += u64::from(input.reports);
            if begin.elapsed() >= Duration::from_millis(input.for_ms.into()) {
                let nanoseconds = begin.elapsed().as_secs_f64() * 1e9;
                return Ok(Flooded { reports: done, nanoseconds });
            }
        }
    })
    .await
}

/// The message that tutorials send for each step.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    completed: u32,
    total: u32,
}

/// Sends reports on a channel, and returns how long it took, in nanoseconds.
#[tauri::command]
pub(super) async fn send_reports(channel: Channel<Report>, reports: u32) -> tauri::Result<f64> {
    let begin = Instant::now();
    for completed in 1..=reports {
        channel.send(Report { completed, total: reports })?;
    }
    Ok(begin.elapsed().as_secs_f64() * 1e9)
}

/// Emits reports as events, and returns how long it took, in nanoseconds.
#[tauri::command]
pub(super) async fn emit_reports(app: AppHandle, reports: u32) -> tauri::Result<f64> {
    let begin = Instant::now();
    for completed in 1..=reports {
        app.emit("report", Report { completed, total: reports })?;
    }
    Ok(begin.elapsed().as_secs_f64() * 1e9)
}
