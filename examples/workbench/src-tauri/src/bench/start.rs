//! Work that takes no time.

use tauri::Runtime;
use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext};

pub(super) fn register<R: Runtime>(tasks: Builder<R>) -> Builder<R> {
    tasks.task(Task::new("bench-empty", empty))
}

async fn empty(_: TaskContext, (): ()) -> Result<(), Failure> {
    Ok(())
}

/// A command that does nothing and runs on the runtime's threads, as the plugin's commands do.
#[tauri::command]
pub(super) async fn empty_invoke() {}

/// A command that does nothing and runs on the main thread.
#[tauri::command]
pub(super) fn empty_invoke_main() {}
