//! Finds the files of a type's inherent functions: its `impl` blocks need not be in the file of its definition.

use std::collections::{HashMap, HashSet};

use syn::{ImplItem, Item, ItemImpl, Type};

use super::cfg::is_for_tests;
use super::modules::{ModuleId, Spaces, Tree};
use super::resolve::Found;
use super::uses;

/// The id of a type: the module that defines it, and its name there.
pub type TypeId = (ModuleId, String);

pub struct Methods(HashMap<(TypeId, String), HashSet<String>>);

impl Methods {
    pub fn of(tree: &Tree) -> Self {
        let mut methods = Self(HashMap::new());
        for (module, content) in tree.modules.iter().enumerate() {
            for item in &content.items {
                if let Item::Impl(item) = item
                    && item.trait_.is_none()
                    && let Some(of) = self_type(tree, module, item)
                {
                    for name in item.items.iter().filter_map(name_of) {
                        methods.0.entry((of.clone(), name)).or_default().insert(content.file.clone());
                    }
                }
            }
        }
        methods
    }

    pub fn files(&self, of: &TypeId, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(&(of.clone(), name.to_owned())).into_iter().flatten().map(String::as_str)
    }
}

/// Returns the type that an `impl` block is for, if this crate defines it.
pub fn self_type(tree: &Tree, module: ModuleId, item: &ItemImpl) -> Option<TypeId> {
    let Type::Path(path) = &*item.self_ty else { return None };
    let path: Vec<_> = path.path.segments.iter().map(|segment| uses::name_of(&segment.ident)).collect();
    type_at(tree, module, &path)
}

/// Returns the type that a path names in `module`, if this crate defines it.
pub fn type_at(tree: &Tree, module: ModuleId, path: &[String]) -> Option<TypeId> {
    let found = tree.resolve(module, path, Spaces::TYPES);
    found.into_iter().find_map(|found| match found {
        Found::Item { module, name, member: None } => Some((module, name)),
        _ => None,
    })
}

fn name_of(item: &ImplItem) -> Option<String> {
    match item {
        ImplItem::Fn(item) if !is_for_tests(&item.attrs) => Some(uses::name_of(&item.sig.ident)),
        ImplItem::Const(item) if !is_for_tests(&item.attrs) => Some(uses::name_of(&item.ident)),
        _ => None,
    }
}
