//! The scopes inside a function or item, whose names hide those of the module.

use std::collections::HashMap;

use super::methods::TypeId;
use super::modules::Spaces;
use super::uses::Path;

#[derive(Default)]
pub struct Scopes(Vec<Scope>);

#[derive(Default)]
struct Scope {
    names: HashMap<String, Bound>,
    globs: Vec<Path>,
}

#[derive(Clone)]
pub enum Bound {
    /// A variable, a generic parameter or an item inside a function, which leads to no other file.
    Here(Spaces),
    /// A variable with a type annotation, whose type this crate defines.
    Typed(TypeId),
    Import(Path),
}

impl Scopes {
    pub fn enter(&mut self) {
        self.0.push(Scope::default());
    }

    pub fn leave(&mut self) {
        self.0.pop();
    }

    pub fn bind(&mut self, name: &str, bound: Bound) {
        if let Some(scope) = self.0.last_mut() {
            scope.names.insert(name.to_owned(), bound);
        }
    }

    pub fn bind_glob(&mut self, path: Path) {
        if let Some(scope) = self.0.last_mut() {
            scope.globs.push(path);
        }
    }

    pub fn find(&self, name: &str, spaces: Spaces) -> Option<&Bound> {
        let bound = self.0.iter().rev().filter_map(|scope| scope.names.get(name));
        bound.into_iter().find(|bound| match bound {
            Bound::Here(here) => here.meets(spaces),
            Bound::Typed(_) => Spaces::VALUES.meets(spaces),
            Bound::Import(_) => true,
        })
    }

    pub fn globs(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().rev().flat_map(|scope| &scope.globs)
    }
}
