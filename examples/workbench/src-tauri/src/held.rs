//! What the plugin holds for pages, for the end-to-end test that looks for what reloads leave behind.

use tauri::{AppHandle, Runtime};
use tauri_plugin_tasks::Held;

#[tauri::command]
pub(crate) async fn held<R: Runtime>(app: AppHandle<R>) -> Held {
    Held::of(&app)
}
