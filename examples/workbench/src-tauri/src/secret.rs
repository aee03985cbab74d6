//! A kind of task that no capability names.

use tauri_plugin_tasks::{Never, TaskContext};

/// Never runs for a page: `tasks:allow-start` doesn't name it in any capability, so the plugin refuses
/// the start and says which entry would allow it. Rust code of the app could start it.
pub async fn secret(_ctx: TaskContext, (): ()) -> Result<String, Never> {
    Ok("no window can read this".to_owned())
}
