//! Compares the tree in CONTRIBUTING.md with the files and with their imports.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::arrows::{Arrows, listed};
use super::blocks::{self, Block, Entry, FILE};
use super::sources::{Sources, is_rust, is_script};

/// The files that need no entry: they re-export what the others define, so none may import them.
const ROOTS: &[&str] = &["lib.rs", "index.ts"];

/// Returns a text for each import that points up, and for each difference between the tree and the files.
pub fn faults(sources: &Sources, arrows: &Arrows) -> Result<Vec<String>> {
    let mut faults = vec![];
    for block in blocks::read(sources.text(FILE)?)? {
        let content = Content::of(&block.folder, sources);
        faults.extend(content.without_entry(&block));
        faults.extend(content.without_file(&block));
        faults.extend(content.upward(&block, arrows));
    }
    Ok(faults)
}

/// The files and folders directly in the folder of a block, without those that hold only tests.
struct Content<'a> {
    folder: &'a str,
    children: BTreeSet<String>,
}

impl<'a> Content<'a> {
    fn of(folder: &'a str, sources: &Sources) -> Self {
        let mut content = Self { folder, children: BTreeSet::new() };
        let inside: Vec<_> = sources.paths().filter(|path| is_code_in(folder, path)).collect();
        // Folders first: a folder's own file is part of it, and not another child.
        let (files, nested): (Vec<_>, Vec<_>) = inside.iter().partition(|path| !path[folder.len()..].contains('/'));
        for path in nested.into_iter().chain(files) {
            content.children.extend(content.child(path));
        }
        content
    }

    /// Returns the child that a file is or lies in: a folder with a slash at its end, or a file.
    fn child(&self, path: &str) -> Option<String> {
        let below = path.strip_prefix(self.folder)?;
        if let Some((folder, _)) = below.split_once('/') {
            return Some(format!("{folder}/"));
        }
        let own_folder = below.strip_suffix(".rs").map(|stem| format!("{stem}/"));
        own_folder.filter(|folder| self.children.contains(folder)).or_else(|| Some(below.to_owned()))
    }

    fn without_entry(&self, block: &Block) -> Vec<String> {
        let has_entry = |child: &str| block.entries.iter().any(|entry| entry.name == child);
        let missing = self.children.iter().filter(|child| !has_entry(child) && !ROOTS.contains(&child.as_str()));
        let text = |child: &String| {
            format!(
                "{FILE} has no entry for {}{child}: add one under `{}`, below all that imports it and above all that it imports",
                self.folder, self.folder
            )
        };
        missing.map(text).collect()
    }

    fn without_file(&self, block: &Block) -> Vec<String> {
        let missing = block.entries.iter().filter(|entry| !self.children.contains(&entry.name));
        let text = |entry: &Entry| {
            format!(
                "{FILE}:{} names {}{}, which does not exist: remove or rename the entry",
                entry.line, self.folder, entry.name
            )
        };
        missing.map(text).collect()
    }

    /// Returns a text for each entry that imports another one without standing above it.
    fn upward(&self, block: &Block, arrows: &Arrows) -> Vec<String> {
        let mut found: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for (from, to, names) in arrows.files() {
            if let (Some(above), Some(below)) = (self.child(from), self.child(to))
                && above != below
            {
                let arrow = format!("\n  {from} -> {to} ({})", listed(names));
                found.entry((above, below)).or_default().push(arrow);
            }
        }
        let text = |((from, to), arrows): (&(String, String), &Vec<String>)| {
            let why = complaint(block, from, to)?;
            Some(format!("{}{from} imports {}{to}, but {why}:{}", self.folder, self.folder, arrows.concat()))
        };
        found.iter().filter_map(text).collect()
    }
}

/// Returns why one child may not import another, and what to do; `None` if it may.
fn complaint(block: &Block, from: &str, to: &str) -> Option<String> {
    if ROOTS.contains(&to) {
        return Some(format!(
            "{to} only re-exports what others define: move the imported items to a file with an entry"
        ));
    }
    let line = |name: &str| block.entries.iter().find(|entry| entry.name == name).map(|entry| entry.line);
    // A child without an entry has a fault of its own.
    let (from_line, to_line) = (line(from)?, line(to)?);
    let way_out = "Move the imported items down, pass them in from above, or move an entry";
    match from_line.cmp(&to_line) {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal => Some(format!(
            "they share line {to_line} of {FILE}, so neither may import the other. {way_out} to a line of its own"
        )),
        std::cmp::Ordering::Greater => Some(format!(
            "in {FILE}, {to} (line {to_line}) stands above {from} (line {from_line}). {way_out} if the order is wrong"
        )),
    }
}

fn is_code_in(folder: &str, path: &str) -> bool {
    let is_test = |part: &str| matches!(part, "tests" | "tests.rs") || part.contains(".test.");
    path.strip_prefix(folder).is_some_and(|below| !below.split('/').any(is_test)) && (is_rust(path) || is_script(path))
}
