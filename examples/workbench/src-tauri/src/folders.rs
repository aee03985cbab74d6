//! The folder that the watcher watches, and the one that the sync copies it to.

use std::path::PathBuf;

use tauri::{AppHandle, Manager, Runtime};
use tauri_plugin_tasks::Failure;

/// The variable that overrides their parent folder, so that the end-to-end tests don't touch the user's files.
const FOLDER_VARIABLE: &str = "WORKBENCH_DATA_DIR";

/// Returns the watched folder, where the user or a test puts files. Creates it if it doesn't exist.
pub(crate) fn inbox<R: Runtime>(app: &AppHandle<R>) -> Result<PathBuf, Failure> {
    made(app, "inbox")
}

/// Returns the folder that they are copied to. Creates it if it doesn't exist.
pub(crate) fn mirror<R: Runtime>(app: &AppHandle<R>) -> Result<PathBuf, Failure> {
    made(app, "mirror")
}

fn made<R: Runtime>(app: &AppHandle<R>, name: &str) -> Result<PathBuf, Failure> {
    let parent = match std::env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()) {
        Some(folder) => folder.into(),
        None => app.path().app_local_data_dir()?,
    };
    let folder = parent.join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
