//! Resolves a path to what it names, through imports, re-exports and globs.

use std::collections::HashSet;

use super::modules::{ModuleId, Spaces, Tree, What};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Module(ModuleId),
    Item {
        module: ModuleId,
        name: String,
        /// The next segment of the path: a variant, or an associated function, constant or type.
        member: Option<String>,
    },
    /// A name from another crate or from the prelude.
    Outside,
}

/// The names that are being looked up, so that a circle of imports ends.
type Seen = HashSet<(ModuleId, String, Spaces)>;

impl Tree {
    /// Returns all that `path` can name in `module`. That may be several things, in several namespaces or under several `cfg`s.
    pub fn resolve(&self, module: ModuleId, path: &[String], spaces: Spaces) -> Vec<Found> {
        let found = self.resolve_seen(module, path, spaces, &mut Seen::new());
        if found.is_empty() { self.named_by_macro(module, path) } else { found }
    }

    /// Returns the item at the end of a path if a macro call may define it.
    fn named_by_macro(&self, module: ModuleId, path: &[String]) -> Vec<Found> {
        let Some((name, outer @ [_, ..])) = path.split_last() else { return vec![] };
        let homes = self.resolve_seen(module, outer, Spaces::TYPES, &mut Seen::new()).into_iter();
        let items = homes.filter_map(|found| match found {
            Found::Module(home) if self.modules[home].may_define.contains(name) => {
                Some(Found::Item { module: home, name: name.clone(), member: None })
            }
            _ => None,
        });
        items.collect()
    }

    fn resolve_seen(&self, module: ModuleId, path: &[String], spaces: Spaces, seen: &mut Seen) -> Vec<Found> {
        let mut start = module;
        let mut steps = 0;
        for step in path {
            match step.as_str() {
                "crate" => start = 0,
                "self" => {}
                "super" => start = self.modules[start].parent.unwrap_or(start),
                _ => break,
            }
            steps += 1;
        }
        let rest = &path[steps..];
        match rest {
            [] => vec![Found::Module(start)],
            [first, ..] if first == "::" => vec![Found::Outside],
            [first, ..] => {
                let first_spaces = if rest.len() == 1 { spaces } else { Spaces::TYPES };
                let mut found = self.look_up(start, first, first_spaces, start, seen);
                if found.is_empty() && rest.len() == 1 && spaces.meets(Spaces::MACROS) {
                    found = self.macro_above(start, first);
                }
                if found.is_empty() && steps == 0 {
                    return vec![Found::Outside];
                }
                found.into_iter().flat_map(|found| self.go_on(found, &rest[1..], spaces, module, seen)).collect()
            }
        }
    }

    fn go_on(&self, found: Found, rest: &[String], spaces: Spaces, from: ModuleId, seen: &mut Seen) -> Vec<Found> {
        match (found, rest) {
            (found, []) => vec![found],
            (Found::Outside, _) => vec![Found::Outside],
            (Found::Item { module, name, .. }, [member, ..]) => {
                vec![Found::Item { module, name, member: Some(member.clone()) }]
            }
            (Found::Module(module), [next, rest @ ..]) => {
                let next_spaces = if rest.is_empty() { spaces } else { Spaces::TYPES };
                let found = self.look_up(module, next, next_spaces, from, seen);
                found.into_iter().flat_map(|found| self.go_on(found, rest, spaces, from, seen)).collect()
            }
        }
    }

    /// Returns what `name` is in `module`, as far as it is visible in `viewer`.
    fn look_up(&self, module: ModuleId, name: &str, spaces: Spaces, viewer: ModuleId, seen: &mut Seen) -> Vec<Found> {
        let key = (module, name.to_owned(), spaces);
        if !seen.insert(key.clone()) {
            return vec![];
        }
        let mut found = vec![];
        for definition in self.modules[module].names.get(name).into_iter().flatten() {
            if !definition.spaces.meets(spaces) || !self.is_inside(viewer, definition.seen_in) {
                continue;
            }
            match &definition.what {
                What::Item(home) => found.push(Found::Item { module: *home, name: name.to_owned(), member: None }),
                What::Module(child) => found.push(Found::Module(*child)),
                What::Import(path) => found.extend(self.resolve_seen(module, path, spaces, seen)),
            }
        }
        if found.is_empty() {
            found = self.look_up_globs(module, name, spaces, viewer, seen);
        }
        seen.remove(&key);
        found
    }

    fn look_up_globs(
        &self,
        module: ModuleId,
        name: &str,
        spaces: Spaces,
        viewer: ModuleId,
        seen: &mut Seen,
    ) -> Vec<Found> {
        let mut found = vec![];
        for glob in self.modules[module].globs.iter().filter(|glob| self.is_inside(viewer, glob.seen_in)) {
            for target in self.resolve_seen(module, &glob.path, Spaces::TYPES, seen) {
                match target {
                    // A glob imports what is visible in the module that contains the glob.
                    Found::Module(target) => {
                        let brought = self.look_up(target, name, spaces, module, seen);
                        found.extend(brought.into_iter().filter(|found| *found != Found::Outside));
                    }
                    Found::Item { module, name: of, .. } if self.has_variant(module, &of, name) => {
                        found.push(Found::Item { module, name: of, member: Some(name.to_owned()) });
                    }
                    _ => {}
                }
            }
        }
        found
    }

    /// Returns whether a path may lead to another crate through a glob, such as `pub use tokio::*`.
    pub fn may_be_outside(&self, module: ModuleId, path: &[String]) -> bool {
        let prefixes = (1..path.len()).flat_map(|length| self.resolve(module, &path[..length], Spaces::TYPES));
        let mut modules: Vec<_> = prefixes.collect();
        let mut seen = HashSet::new();
        while let Some(found) = modules.pop() {
            match found {
                Found::Outside => return true,
                Found::Module(next) if seen.insert(next) => {
                    let globs = self.modules[next].globs.iter();
                    modules.extend(globs.flat_map(|glob| self.resolve(next, &glob.path, Spaces::TYPES)));
                }
                _ => {}
            }
        }
        false
    }

    pub fn has_variant(&self, module: ModuleId, of: &str, name: &str) -> bool {
        self.modules[module].variants.get(of).is_some_and(|variants| variants.contains(name))
    }

    /// Returns a macro in textual scope: one of this module or a module around it, or of a `#[macro_use]` module in one of those.
    fn macro_above(&self, module: ModuleId, name: &str) -> Vec<Found> {
        let around = std::iter::successors(Some(module), |module| self.modules[*module].parent);
        let mut home = around.into_iter().filter_map(|outer| self.macro_in(outer, name));
        home.next().map(|module| Found::Item { module, name: name.to_owned(), member: None }).into_iter().collect()
    }

    fn macro_in(&self, module: ModuleId, name: &str) -> Option<ModuleId> {
        let own = self.modules[module].names.get(name).into_iter().flatten();
        let mut own = own.filter(|definition| definition.spaces == Spaces::MACROS);
        match own.next().map(|definition| &definition.what) {
            Some(What::Item(home)) => Some(*home),
            _ => (0..self.modules.len())
                .filter(|child| self.modules[*child].parent == Some(module) && self.modules[*child].lends_macros)
                .find_map(|child| self.macro_in(child, name)),
        }
    }
}
