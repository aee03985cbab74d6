//! An app on Tauri's mock runtime with the kinds that are measured.

#![allow(dead_code)] // Each bench uses its part.

use std::{future::pending, time::Instant};

use tauri::{
    App,
    test::{MockRuntime, mock_builder, mock_context, noop_assets},
};
use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext};

async fn empty(_: TaskContext, (): ()) -> Result<(), Failure> {
    Ok(())
}

async fn hang(_: TaskContext, _: String) -> Result<(), Failure> {
    pending().await
}

/// Of one kind, so that those that end and those that stay wait in the same queue.
async fn end_or_hang(_: TaskContext, ends: bool) -> Result<(), Failure> {
    if ends { Ok(()) } else { pending().await }
}

/// Reports `times` times, and answers how long that took, in nanoseconds.
async fn count(ctx: TaskContext, times: u64) -> Result<u128, Failure> {
    let start = Instant::now();
    for _ in 0..times {
        ctx.progress().inc(1);
    }
    Ok(start.elapsed().as_nanos())
}

/// The whole plugin, as an app has it: tasks run on Tauri's own runtime, and nobody watches them.
pub fn app() -> App<MockRuntime> {
    let tasks = Builder::new()
        .task(Task::new("empty", empty))
        .task(Task::new("hang", hang))
        .task(Task::new("end-or-hang", end_or_hang))
        .task(Task::new("count", count));
    mock_builder().plugin(tasks.build()).build(mock_context(noop_assets())).unwrap()
}
