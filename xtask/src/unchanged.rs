//! Keeps the modification times of files that are rewritten with the same content.
//!
//! Cargo compares modification times, so it would otherwise rebuild what embeds the pages of the examples.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Result;

/// Runs `write`, and then restores the modification time of each file and folder under `paths` that has not changed.
pub fn keep_times(paths: &[PathBuf], write: impl FnOnce() -> Result<()>) -> Result<()> {
    let before = read(paths)?;
    write()?;
    let after = read(paths)?;
    // A folder's modification time changes when an entry is added or removed.
    let same_names = before.keys().eq(after.keys());
    for (path, Entry { content, .. }) in &after {
        if let Some(old) = before.get(path)
            && old.content == *content
            && (content.is_some() || same_names)
        {
            File::open(path)?.set_modified(old.modified)?;
        }
    }
    Ok(())
}

struct Entry {
    /// `None` for a folder.
    content: Option<Vec<u8>>,
    modified: SystemTime,
}

fn read(paths: &[PathBuf]) -> Result<BTreeMap<PathBuf, Entry>> {
    let mut entries = BTreeMap::new();
    for path in paths {
        collect(path, &mut entries)?;
    }
    Ok(entries)
}

fn collect(path: &Path, entries: &mut BTreeMap<PathBuf, Entry>) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let modified = path.metadata()?.modified()?;
    let content = if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), entries)?;
        }
        None
    } else {
        Some(fs::read(path)?)
    };
    entries.insert(path.to_owned(), Entry { content, modified });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_rewritten_with_the_same_content_keeps_its_time() {
        let folder = std::env::temp_dir().join(format!("keep-times-{}", std::process::id()));
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let (same, other) = (folder.join("same"), folder.join("other"));
        fs::create_dir_all(&folder).unwrap();
        for path in [&same, &other] {
            fs::write(path, "before").unwrap();
            File::open(path).unwrap().set_modified(long_ago).unwrap();
        }
        File::open(&folder).unwrap().set_modified(long_ago).unwrap();
        let write = || {
            fs::remove_file(&same)?;
            fs::write(&same, "before")?;
            Ok(fs::write(&other, "after")?)
        };
        keep_times(std::slice::from_ref(&folder), write).unwrap();
        let is_old = |path: &Path| path.metadata().unwrap().modified().unwrap() == long_ago;
        assert_eq!([is_old(&same), is_old(&folder), is_old(&other)], [true, true, false]);
        fs::remove_dir_all(folder).unwrap();
    }
}
