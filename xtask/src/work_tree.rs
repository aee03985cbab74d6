//! Copies of the work tree, for builds that must not write into it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command::{command, root, stdout};

/// Returns the files that git tracks or would add, by their paths from the repository's root.
pub fn files() -> Result<BTreeMap<String, Vec<u8>>> {
    let listed = stdout(&mut command("git ls-files --cached --others --exclude-standard"));
    let listed = listed.context("`git ls-files` failed: a copy needs the files that it lists")?;
    // Git also lists deleted files, and quotes unusual names. Neither can be read, and no copy needs them.
    let readable = listed.lines().filter_map(|path| Some((path.to_owned(), fs::read(root().join(path)).ok()?)));
    Ok(readable.collect())
}

/// Makes `copy` hold these files and no other. Does not rewrite files that have not changed, so that Cargo rebuilds little.
pub fn write(copy: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let wanted: BTreeMap<_, _> = files.iter().map(|(path, bytes)| (copy.join(path), bytes)).collect();
    for file in below(copy) {
        if !wanted.contains_key(&file) {
            fs::remove_file(file)?;
        }
    }
    // A file may take the place of a folder.
    remove_empty_folders(copy)?;
    for (file, bytes) in wanted {
        if fs::read(&file).is_ok_and(|there| there == *bytes) {
            continue;
        }
        fs::create_dir_all(file.parent().unwrap_or(copy))?;
        fs::write(&file, bytes).with_context(|| format!("can't write {}", file.display()))?;
    }
    Ok(())
}

fn below(folder: &Path) -> Vec<PathBuf> {
    entries(folder)
        .flat_map(|entry| if is_folder(&entry) { below(&entry.path()) } else { vec![entry.path()] })
        .collect()
}

fn remove_empty_folders(folder: &Path) -> Result<()> {
    for inner in entries(folder).filter(is_folder).map(|entry| entry.path()) {
        remove_empty_folders(&inner)?;
        if entries(&inner).next().is_none() {
            fs::remove_dir(&inner)?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

/// By the type of the entry itself: what a link points to is not part of the copy.
fn is_folder(entry: &fs::DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        list.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn a_file_may_take_the_place_of_a_folder_and_the_other_way_round() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path();
        for list in [[("a/b/c", "1"), ("d", "1")], [("a", "2"), ("d/e/f", "2")], [("a/b", "3"), ("d/e", "3")]] {
            write(copy, &files(&list)).unwrap();
            let mut there = below(copy);
            there.sort();
            assert_eq!(there, list.map(|(path, _)| copy.join(path)));
        }
    }

    #[test]
    fn a_copy_holds_the_files_and_no_other_and_keeps_the_times_of_those_that_stay() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path();
        write(copy, &files(&[("stays", "1"), ("a/changes", "1"), ("a/goes", "1")])).unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        fs::File::options().write(true).open(copy.join("stays")).unwrap().set_modified(long_ago).unwrap();
        write(copy, &files(&[("stays", "1"), ("a/changes", "2"), ("b/comes", "1")])).unwrap();
        let mut there = below(copy);
        there.sort();
        assert_eq!(there, ["a/changes", "b/comes", "stays"].map(|path| copy.join(path)));
        assert_eq!(fs::read_to_string(copy.join("a/changes")).unwrap(), "2");
        assert_eq!(fs::metadata(copy.join("stays")).unwrap().modified().unwrap(), long_ago);
    }
}
