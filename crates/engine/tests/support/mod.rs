#![allow(dead_code)] // Each test file uses its part.

use tauri_plugin_tasks_engine::{CancelReason, Outcome, TaskManager};
use tokio::runtime::Handle;

/// A manager on the runtime of the test.
pub fn manager() -> TaskManager {
    TaskManager::new(Handle::current())
}

pub fn is_cancelled(outcome: &Outcome, why: CancelReason) -> bool {
    matches!(outcome, Outcome::Cancelled { reason, .. } if *reason == why)
}
