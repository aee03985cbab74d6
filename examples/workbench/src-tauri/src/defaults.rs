//! The initial values of the forms.

use std::path::PathBuf;

use serde::Serialize;
use tauri::{AppHandle, Manager, Runtime};

/// The variable that overrides both folders, so that the end-to-end tests don't touch the user's files.
const FOLDER_VARIABLE: &str = "WORKBENCH_DIR";

/// The folders of this computer that the page suggests.
#[derive(Debug, Serialize)]
pub(crate) struct Defaults {
    /// Where downloads go.
    downloads: PathBuf,
    /// A folder that probably contains something to hash.
    sample: PathBuf,
}

/// Returns the folders to suggest: the user's own, unless `WORKBENCH_DIR` names another one.
#[tauri::command]
pub(crate) async fn defaults<R: Runtime>(app: AppHandle<R>) -> Result<Defaults, String> {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()) {
        let folder = PathBuf::from(folder);
        return Ok(Defaults { downloads: folder.clone(), sample: folder });
    }
    // A computer without these folders (a bare Linux session has no XDG user directories) still has a home.
    let home = app.path().home_dir().map_err(|error| {
        format!("this computer names no home folder ({error}): set {FOLDER_VARIABLE} to a folder the workbench may use")
    })?;
    let existing = |folder: tauri::Result<PathBuf>| folder.ok().filter(|folder| folder.is_dir());
    let downloads = existing(app.path().download_dir()).unwrap_or_else(|| home.clone());
    let sample = existing(app.path().document_dir()).unwrap_or_else(|| downloads.clone());
    Ok(Defaults { downloads, sample })
}
