use std::time::Duration;

use tauri::Runtime;
use tauri_plugin_tasks::{Builder, OnExit, OnOwnerClosed, Restart, Retry, Schedule, Task, Unread};

use crate::{download, hash_folder, job, noise, numbers, quit, secret, sync, tail, watcher};

/// The kinds of task this app registers, and how each is treated: once for [`run`](crate::run), and once for the test that writes their
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
        // Nobody wants the lines of a view that was closed, and a page that only reloads is back before the tail gives up.
        .task(
            Task::new("tail", tail::tail)
                .unread(Unread::Cancel)
                .on_owner_closed(OnOwnerClosed::Cancel)
                .on_exit(OnExit::Drop)
                .display_errors()
                .show_input(),
        )
        // One handler, once for each way to treat what nobody reads.
        .task(Task::new("numbers", numbers::numbers).unread(Unread::Wait))
        .task(Task::new("numbers-dropped", numbers::numbers).unread(Unread::DropOldest))
        .task(Task::new("numbers-cancelled", numbers::numbers).unread(Unread::Cancel))
        .task(Task::new("noise", noise::noise).unread(Unread::Wait))
        // What was copied stays copied, but a file that is being copied is worth waiting for.
        .task(Task::new("sync", sync::sync).on_exit(OnExit::Finish))
        .schedule("sync", "sync", (), Schedule::every(Duration::from_secs(60)).at_once())
        .task(
            // Time enough to read why it failed.
            Task::new("watcher", watcher::watcher)
                .restart(Restart::on_failure().delays(Retry::exponential(10).first_delay(Duration::from_secs(10)))),
        )
        .service("watcher", ())
        // Registered like the others, but named by no file in `capabilities/`.
        .task(Task::new("secret", secret::secret))
        .handle_signals()
        .on_quit(quit::ask)
}
