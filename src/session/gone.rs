use tauri_plugin_tasks_engine::delivery::error;

use crate::{Error, ErrorKind};

/// Returns the error for a call with a session that does not exist or can't be opened.
pub(super) fn gone(why: &str) -> Error {
    error(
        ErrorKind::SessionGone,
        format!("there is no such session ({why}): open a new one, as the npm package does automatically"),
    )
}
