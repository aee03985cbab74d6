//! A crate as a tree of modules, with what each module defines.

use std::collections::{HashMap, HashSet};

use super::uses::Path;

/// The index of a module in [`Tree::modules`]; the crate's root is 0.
pub type ModuleId = usize;

pub struct Tree {
    pub modules: Vec<Module>,
}

pub struct Module {
    pub file: String,
    pub parent: Option<ModuleId>,
    /// The module's items, without its submodules and without test code.
    pub items: Vec<syn::Item>,
    pub names: HashMap<String, Vec<Definition>>,
    pub globs: Vec<Glob>,
    /// The variants of each enum, by the enum's name.
    pub variants: HashMap<String, HashSet<String>>,
    /// The names that its macro calls may define: those in the calls, and in what they expand to. A path leads to one
    /// of them only if it names nothing else.
    pub may_define: HashSet<String>,
    /// Whether the module is marked `#[macro_use]`, so that the code after it sees its macros.
    pub lends_macros: bool,
}

pub struct Definition {
    pub spaces: Spaces,
    /// The definition is visible in this module and in all modules inside it.
    pub seen_in: ModuleId,
    pub what: What,
}

#[derive(Clone)]
pub enum What {
    /// An item that this module defines under the same name.
    Item(ModuleId),
    Module(ModuleId),
    Import(Path),
}

pub struct Glob {
    pub path: Path,
    pub seen_in: ModuleId,
}

/// A set of Rust's namespaces.
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
