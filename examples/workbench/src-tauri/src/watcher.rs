//! `watcher`: a service that counts what changes in a folder, for as long as the app runs.

use notify::{EventKind, RecursiveMode, Watcher as _};
use serde::Serialize;
use tauri::{AppHandle, Runtime};
use tauri_plugin_tasks::{Failure, TaskContext};
use tokio::sync::mpsc;

use crate::folders::inbox;

/// How many changes may wait to be counted. The system reports the same file several times.
const PENDING: usize = 1024;

/// What the watcher has seen since it started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub struct Watched {
    /// The watched folder.
    pub folder: String,
    /// How many changes there were.
    #[cfg_attr(test, specta(type = tauri_plugin_tasks_specta::Number))]
    pub changes: u64,
    /// The name of the file that changed last.
    pub last: Option<String>,
}

/// Watches the folder until it is cancelled. If the folder is gone, it fails and is restarted.
pub async fn watcher<R: Runtime>(app: AppHandle<R>, ctx: TaskContext<Watched>, (): ()) -> Result<(), Failure> {
    let folder = inbox(&app)?;
    let (tell, mut changes) = mpsc::channel(PENDING);
    let mut events = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // If the channel is full, some changes are not counted; if it is closed, nobody counts.
        let _ = tell.try_send(event);
    })?;
    events.watch(&folder, RecursiveMode::Recursive)?;

    let mut watched = Watched { folder: folder.to_string_lossy().into_owned(), changes: 0, last: None };
    ctx.progress().detail(watched.clone());
    while let Some(event) = changes.recv().await {
        let event = event?;
        if event.kind.is_access() {
            continue;
        }
        if event.paths.contains(&folder) && matches!(event.kind, EventKind::Remove(_)) {
            return Err(Failure::new(format!("the folder {} is gone", folder.display())));
        }
        watched.changes += 1;
        let name = event.paths.first().and_then(|path| path.file_name());
        watched.last = name.map(|name| name.to_string_lossy().chars().take(80).collect());
        ctx.progress().detail(watched.clone()).inc(1);
    }
    Err(Failure::new(format!("the system no longer reports changes in {}", folder.display())))
}
