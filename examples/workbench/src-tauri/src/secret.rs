//! A kind of task that no capability names.

use tauri_plugin_tasks::{Never, TaskContext};

/// Never runs for a page: no capability allows it with `tasks:allow-start`, so the plugin refuses to start it and says which
/// entry would allow it. Rust code of the app could start it.
pub async fn secret(_ctx: TaskContext, (): ()) -> Result<String, Never> {
    Ok("no window can read this".to_owned())
}
