//! An engine with the kinds that the benches run.

#![allow(dead_code)] // Each bench uses only a part.

use std::{
    future::pending,
    sync::{Arc, LazyLock},
    time::Instant,
};

use tauri_plugin_tasks_engine::{
    Failure, TaskContext, TaskManager,
    delivery::{self, Clocks, Errors, Kind, Policy, Runtimes, Settings},
};
use tokio::runtime::Runtime;

/// The runtime of those who start tasks, and of the engine itself, with as many threads as there are cores. In an app
/// this is Tauri's.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
/// The runtime of the handlers, as the plugin makes it.
pub static WORK: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

async fn empty(_: TaskContext, (): ()) -> Result<(), Failure> {
    Ok(())
}

async fn hang(_: TaskContext, _: String) -> Result<(), Failure> {
    pending().await
}

/// Ends or hangs as its input says, so that both sorts of tasks wait in the same queue.
async fn end_or_hang(_: TaskContext, ends: bool) -> Result<(), Failure> {
    if ends { Ok(()) } else { pending().await }
}

/// Reports `times` times, and returns how long that took, in nanoseconds.
async fn count(ctx: TaskContext, times: u64) -> Result<u128, Failure> {
    let start = Instant::now();
    for _ in 0..times {
        ctx.progress().inc(1);
    }
    Ok(start.elapsed().as_nanos())
}

/// A manager without watchers.
pub fn manager() -> TaskManager {
    manager_with(Settings::default())
}

/// A manager with these settings, without watchers.
pub fn manager_with(settings: Settings) -> TaskManager {
    let (policy, errors) = (Policy::default, Errors::default);
    let kinds = [
        Kind::new("empty", policy(), errors(), empty),
        Kind::new("hang", policy(), errors(), hang),
        Kind::new("end-or-hang", policy(), errors(), end_or_hang),
        Kind::new("count", policy(), errors(), count),
    ];
    let kinds = kinds.into_iter().map(|kind| (Arc::clone(&kind.name), Arc::new(kind))).collect();
    let runtimes = Runtimes { control: RUNTIME.handle().clone(), work: WORK.handle().clone() };
    delivery::manager(runtimes, kinds, settings, Clocks::of_system())
}
