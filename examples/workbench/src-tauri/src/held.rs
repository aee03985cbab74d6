//! Returns what the plugin holds for pages, for the end-to-end test that checks that reloads leave nothing behind.

use tauri::{AppHandle, Runtime};
use tauri_plugin_tasks::Held;

#[tauri::command]
pub(crate) async fn held<R: Runtime>(app: AppHandle<R>) -> Held {
    Held::of(&app)
}
