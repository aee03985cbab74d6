//! The import graph: an arrow from one file to another for each import, with the imported names.

use std::collections::{BTreeMap, BTreeSet};

pub type Names = BTreeSet<String>;

/// The arrows between files of the same crate or of the pages' TypeScript, and from files to other crates.
#[derive(Default)]
pub struct Arrows {
    files: BTreeMap<(String, String), Names>,
    crates: BTreeMap<(String, String), Names>,
}

impl Arrows {
    /// Adds an arrow between two files. Does nothing if they are the same.
    pub fn add_file(&mut self, from: &str, to: &str, name: &str) {
        if from != to {
            self.files.entry((from.to_owned(), to.to_owned())).or_default().insert(name.to_owned());
        }
    }

    pub fn add_crate(&mut self, from: &str, to: &str, name: &str) {
        self.crates.entry((from.to_owned(), to.to_owned())).or_default().insert(name.to_owned());
    }

    /// Returns each arrow between files as its source, its target and the imported names.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str, &Names)> {
        self.files.iter().map(|((from, to), names)| (from.as_str(), to.as_str(), names))
    }

    pub fn crates(&self) -> impl Iterator<Item = (&str, &str, &Names)> {
        self.crates.iter().map(|((from, to), names)| (from.as_str(), to.as_str(), names))
    }

    /// Returns the names that one file imports from another; empty if there is no arrow.
    pub fn names(&self, from: &str, to: &str) -> String {
        let names = self.files.get(&(from.to_owned(), to.to_owned()));
        names.map(listed).unwrap_or_default()
    }
}

pub fn listed(names: &Names) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
