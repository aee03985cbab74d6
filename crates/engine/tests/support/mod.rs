#![allow(dead_code)] // Each test file uses only a part.

use tauri_plugin_tasks_engine::{CancelReason, Outcome, TaskManager};
use tokio::runtime::Handle;

/// Returns a manager on the test's runtime.
pub fn manager() -> TaskManager {
    TaskManager::new(Handle::current())
}

pub fn is_cancelled(outcome: &Outcome, why: CancelReason) -> bool {
    matches!(outcome, Outcome::Cancelled { reason, .. } if *reason == why)
}
