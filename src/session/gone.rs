use tauri_plugin_tasks_engine::delivery::error;

use crate::{Error, ErrorKind};

/// Returns the error for a page that uses a session which does not exist.
pub(super) fn gone(why: &str) -> Error {
    error(
        ErrorKind::SessionGone,
        format!("there is no such session ({why}): open a new one, as the npm package does by itself"),
    )
}
