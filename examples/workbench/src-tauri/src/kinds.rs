use std::time::Duration;

use tauri::Runtime;
use tauri_plugin_tasks::{Backoff, Builder, OnExit, OnOwnerClosed, Restart, Retry, Schedule, Task, Unread};

use crate::{download, hash_folder, job, noise, numbers, quit, secret, sync, tail, watcher};

/// Returns the kinds of task that this app registers, and how each is treated. [`run`](crate::run) uses it, and so does the test below,
/// which writes their TypeScript types.
pub fn tasks<R: Runtime>() -> Builder<R> {
    Builder::new()
        .task(
            Task::new("download", download::download)
                .concurrency(3)
                .stall_timeout(Duration::from_secs(20))
                .retry(Retry::attempts(4))
                .retry_if(download::DownloadError::is_transient)
                .display_errors()
                .show_input(),
        )
        // It uses all cores: a second one at the same time would only slow down both.
        .task(Task::new("hash-folder", hash_folder::hash_folder).concurrency(1).show_input())
        .task(Task::new("job", job::job).show_input())
        // Nobody needs the lines of a closed view. A page that only reloads is back before the tail is cancelled.
        .task(
            Task::new("tail", tail::tail)
                .unread(Unread::Cancel)
                .on_owner_closed(OnOwnerClosed::Cancel)
                .on_exit(OnExit::Drop)
                .display_errors()
                .show_input(),
        )
        // One handler, registered once for each way to treat unread items.
        .task(Task::new("numbers", numbers::numbers).unread(Unread::Wait))
        .task(Task::new("numbers-dropped", numbers::numbers).unread(Unread::DropOldest))
        .task(Task::new("numbers-cancelled", numbers::numbers).unread(Unread::Cancel))
        .task(Task::new("noise", noise::noise).unread(Unread::Wait))
        // An exit waits for the file that is being copied; the copied files stay in any case.
        .task(Task::new("sync", sync::sync).on_exit(OnExit::Finish))
        .schedule("sync", "sync", (), Schedule::every(Duration::from_secs(60)).at_once())
        .task(
            // The delays are long enough to read why it failed.
            Task::new("watcher", watcher::watcher).restart(
                Restart::on_failure()
                    .backoff(Backoff::exponential().first_delay(Duration::from_secs(10)))
                    .give_up_after(10),
            ),
        )
        .service("watcher", ())
        // Registered like the others, but no file in `capabilities/` allows it.
        .task(Task::new("secret", secret::secret))
        .handle_signals()
        .on_quit(quit::ask)
}

#[cfg(test)]
mod tests {
    use tauri_plugin_tasks_specta::TypeScript;

    use super::*;

    /// `UPDATE_BINDINGS=1 cargo test -p workbench` writes the file.
    #[test]
    fn the_types_of_the_page_are_those_of_the_tasks() {
        TypeScript::new(&tasks::<tauri::Wry>())
            .task("download", download::download)
            .task("hash-folder", hash_folder::hash_folder)
            .task("job", job::job)
            .task("tail", tail::tail)
            .task("numbers", numbers::numbers)
            .task("numbers-dropped", numbers::numbers)
            .task("numbers-cancelled", numbers::numbers)
            .task("noise", noise::noise)
            .task("sync", sync::sync)
            .task("watcher", watcher::watcher)
            .task("secret", secret::secret)
            .assert_current("../src/tasks.gen.ts");
    }
}
