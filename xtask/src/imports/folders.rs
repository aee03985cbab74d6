//! The arrows between folders: within each folder, which child imports which.

use std::collections::{BTreeMap, BTreeSet};

use super::arrows::Arrows;
use super::sources::{folder_of, has_extension};

/// The place of each file among the folders: `run.rs` beside `run/` is the folder's own file, so its place is inside the
/// folder. A folder that holds only tests does not count.
pub struct Places<'a> {
    folders: BTreeSet<&'a str>,
}

/// The arrows between the children of one folder, each with the arrows between files that it summarizes.
#[derive(Default)]
pub struct Level<'a>(pub BTreeMap<(String, String), BTreeSet<(&'a str, &'a str)>>);

impl<'a> Places<'a> {
    pub fn of(arrows: &'a Arrows) -> Self {
        let files = arrows.files().flat_map(|(from, to, _)| [from, to]);
        let outward = arrows.crates().map(|(from, _, _)| from);
        Self { folders: files.chain(outward).filter(|path| has_extension(path, &["rs"])).map(folder_of).collect() }
    }

    /// Returns the path of a file, as if each folder's own file were its `mod.rs`.
    pub fn place(&self, path: &str) -> String {
        match path.strip_suffix(".rs") {
            Some(folder) if self.folders.contains(folder) => format!("{folder}/mod.rs"),
            _ => path.to_owned(),
        }
    }

    /// Returns the arrows between the children of each folder, by folder.
    pub fn levels<'b>(&self, arrows: &'b Arrows) -> BTreeMap<String, Level<'b>> {
        let mut levels: BTreeMap<String, Level<'b>> = BTreeMap::new();
        for (from, to, _) in arrows.files() {
            let (from_place, to_place) = (self.place(from), self.place(to));
            let common = common_folder(&from_place, &to_place);
            let children = (child(from, &from_place, common), child(to, &to_place, common));
            levels.entry(common.to_owned()).or_default().0.entry(children).or_default().insert((from, to));
        }
        levels
    }
}

/// Returns the innermost folder that holds both paths, with a slash at its end; empty for the root.
fn common_folder<'p>(one: &'p str, other: &str) -> &'p str {
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    one[..same].rfind('/').map_or("", |slash| &one[..=slash])
}

/// Returns the child of `folder` that a file is or lies in: a folder with a slash at its end, or the file's path on disk.
fn child(path: &str, place: &str, folder: &str) -> String {
    let below = &place[folder.len()..];
    below.find('/').map_or_else(|| path.to_owned(), |slash| format!("{folder}{}", &below[..=slash]))
}
