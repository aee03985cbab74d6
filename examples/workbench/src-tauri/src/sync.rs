//! `sync`: copies new and changed files from the watched folder to its mirror. A schedule runs it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::Serialize;
use tauri::{AppHandle, Runtime};
use tauri_plugin_tasks::{Failure, TaskContext, Unit};
use tokio_util::sync::CancellationToken;
use walkdir::WalkDir;

use crate::folders::{inbox, mirror};

/// What a run did.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub struct Synced {
    /// How many files were copied.
    #[cfg_attr(test, specta(type = tauri_plugin_tasks_specta::Number))]
    pub copied: u64,
    /// How many were already up to date.
    #[cfg_attr(test, specta(type = tauri_plugin_tasks_specta::Number))]
    pub kept: u64,
}

/// Copies new and changed files. Deletes nothing.
pub async fn sync<R: Runtime>(app: AppHandle<R>, ctx: TaskContext, (): ()) -> Result<Synced, Failure> {
    let (from, to) = (inbox(&app)?, mirror(&app)?);
    ctx.progress().unit(Unit::Files);
    let progress = ctx.clone();
    ctx.spawn_blocking(move |token| copy_all(&from, &to, &token, || _ = progress.progress().inc(1))).await
}

fn copy_all(from: &Path, to: &Path, token: &CancellationToken, mut done: impl FnMut()) -> Result<Synced, Failure> {
    let mut synced = Synced { copied: 0, kept: 0 };
    for entry in WalkDir::new(from).min_depth(1) {
        let entry = entry?;
        // Stop between two files: one that is half copied would have to be copied again by the next run.
        if token.is_cancelled() {
            return Err(Failure::new("the sync was stopped"));
        }
        let target: PathBuf = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target)?;
        } else if entry.file_type().is_file() {
            if is_current(entry.path(), &target)? {
                synced.kept += 1;
            } else {
                fs::copy(entry.path(), &target)?;
                synced.copied += 1;
            }
            done();
        }
    }
    Ok(synced)
}

/// Returns whether the copy is as large as the original, and not older.
fn is_current(original: &Path, copy: &Path) -> io::Result<bool> {
    let original = fs::metadata(original)?;
    let Ok(copy) = fs::metadata(copy) else { return Ok(false) };
    let changed = |metadata: &fs::Metadata| metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    Ok(copy.len() == original.len() && changed(&copy) >= changed(&original))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_and_changed_files_are_copied_and_the_rest_is_kept() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let token = CancellationToken::new();
        let run = |token: &CancellationToken| copy_all(from.path(), to.path(), token, || {});
        fs::create_dir(from.path().join("deep")).unwrap();
        fs::write(from.path().join("deep/a"), "one").unwrap();
        fs::write(from.path().join("b"), "two").unwrap();
        assert_eq!(run(&token).unwrap(), Synced { copied: 2, kept: 0 });
        assert_eq!(fs::read_to_string(to.path().join("deep/a")).unwrap(), "one");
        assert_eq!(run(&token).unwrap(), Synced { copied: 0, kept: 2 });
        fs::write(from.path().join("b"), "longer").unwrap();
        assert_eq!(run(&token).unwrap(), Synced { copied: 1, kept: 1 });
        token.cancel();
        assert!(run(&token).is_err());
    }
}
