//! A crate as a tree of modules, and what each defines.

use std::collections::{HashMap, HashSet};

use super::uses::Path;

/// The index in [`Tree::modules`]; the crate's root is 0.
pub type ModuleId = usize;

pub struct Tree {
    pub modules: Vec<Module>,
}

pub struct Module {
    pub file: String,
    pub parent: Option<ModuleId>,
    /// Without modules, and without what only tests see.
    pub items: Vec<syn::Item>,
    pub names: HashMap<String, Vec<Definition>>,
    pub globs: Vec<Glob>,
    /// By the name of an enum.
    pub variants: HashMap<String, HashSet<String>>,
    /// `#[macro_use]`: what follows this module sees its macros.
    pub lends_macros: bool,
}

pub struct Definition {
    pub spaces: Spaces,
    /// Seen in this module and those inside it.
    pub seen_in: ModuleId,
    pub what: What,
}

#[derive(Clone)]
pub enum What {
    /// Defined in this module, under the name that it is known by.
    Item(ModuleId),
    Module(ModuleId),
    Import(Path),
}

pub struct Glob {
    pub path: Path,
    pub seen_in: ModuleId,
}

/// The name spaces of Rust, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spaces(u8);

impl Spaces {
    pub const TYPES: Self = Self(1);
    pub const VALUES: Self = Self(2);
    pub const MACROS: Self = Self(4);
    pub const CODE: Self = Self(3);
    pub const ALL: Self = Self(7);

    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl Tree {
    pub fn is_inside(&self, module: ModuleId, outer: ModuleId) -> bool {
        let parents = std::iter::successors(Some(module), |module| self.modules[*module].parent);
        parents.into_iter().any(|parent| parent == outer)
    }

    pub fn file(&self, module: ModuleId) -> &str {
        &self.modules[module].file
    }
}
