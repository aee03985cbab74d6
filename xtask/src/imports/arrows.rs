//! Which file imports which, and by what names.

use std::collections::{BTreeMap, BTreeSet};

pub type Names = BTreeSet<String>;

/// Between the files of a crate or of the client, and from a file to another crate.
#[derive(Default)]
pub struct Arrows {
    files: BTreeMap<(String, String), Names>,
    crates: BTreeMap<(String, String), Names>,
}

impl Arrows {
    /// A file never imports itself.
    pub fn add_file(&mut self, from: &str, to: &str, name: &str) {
        if from != to {
            self.files.entry((from.to_owned(), to.to_owned())).or_default().insert(name.to_owned());
        }
    }

    pub fn add_crate(&mut self, from: &str, to: &str, name: &str) {
        self.crates.entry((from.to_owned(), to.to_owned())).or_default().insert(name.to_owned());
    }

    /// From, to, and the names that tie them.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str, &Names)> {
        self.files.iter().map(|((from, to), names)| (from.as_str(), to.as_str(), names))
    }

    pub fn crates(&self) -> impl Iterator<Item = (&str, &str, &Names)> {
        self.crates.iter().map(|((from, to), names)| (from.as_str(), to.as_str(), names))
    }

    /// The names that tie one file to another; empty without an arrow.
    pub fn names(&self, from: &str, to: &str) -> String {
        let names = self.files.get(&(from.to_owned(), to.to_owned()));
        names.map(listed).unwrap_or_default()
    }
}

pub fn listed(names: &Names) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
