//! The workbench: the example app of `tauri-plugin-tasks`.
//!
//! Three kinds of real work, one file each, and one kind that no window may start:
//! [`download`], [`hash_folder`], [`job`] and [`secret`].

pub mod download;
pub mod hash_folder;
pub mod job;
pub mod secret;

mod defaults;
mod windows;

use std::time::Duration;

use tauri::Runtime;
use tauri_plugin_tasks::{Builder, Retry, Task};

/// The kinds of task this app registers, and how each is treated: once for [`run`], and once for the test that writes their
/// TypeScript (`tests/bindings.rs`).
pub fn tasks<R: Runtime>() -> Builder<R> {
    Builder::new()
        .task(
            Task::new("download", download::download)
                .concurrency(3)
                .stall_timeout(Duration::from_secs(20))
                .retry(Retry::exponential(4))
                .retry_if(download::DownloadError::is_transient)
                .display_errors()
                .show_input(),
        )
        // It uses all cores: a second one at the same time would only make both slow.
        .task(Task::new("hash-folder", hash_folder::hash_folder).concurrency(1).show_input())
        .task(Task::new("job", job::job).show_input())
        // Registered like the others, but named by no file in `capabilities/`.
        .task(Task::new("secret", secret::secret))
}

/// Runs the app until it quits.
pub fn run() -> tauri::Result<()> {
    tauri::Builder::default()
        .plugin(tasks().build())
        .invoke_handler(tauri::generate_handler![defaults::defaults, windows::open_window])
        .run(tauri::generate_context!())
}
