use tauri_plugin_tasks_engine::delivery::error;

use crate::{Error, ErrorKind};

/// What a page is told that uses a session which is not there.
pub(super) fn gone(why: &str) -> Error {
    error(
        ErrorKind::SessionGone,
        format!("there is no such session ({why}): open a new one, as the npm package does by itself"),
    )
}
