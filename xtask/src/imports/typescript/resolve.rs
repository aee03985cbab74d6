//! Resolves an imported name to the file that defines it.

use std::collections::{BTreeMap, BTreeSet};

use super::links::{Link, Module};
use crate::imports::arrows::Arrows;
use crate::imports::sources::{folder_of, joined};

#[derive(Default)]
pub struct Modules(BTreeMap<String, Module>);

type Seen = BTreeSet<(String, String)>;

impl Modules {
    pub fn add(&mut self, path: &str, module: Module) {
        self.0.insert(path.to_owned(), module);
    }

    /// Adds the arrows of all modules. A façade, which only re-exports, has none: importing a name through it adds an arrow to the file
    /// that defines the name.
    pub fn add_arrows(&self, arrows: &mut Arrows) {
        for (path, module) in self.0.iter().filter(|(_, module)| !module.is_facade) {
            for link in &module.links {
                self.add_link(path, link, arrows);
            }
        }
    }

    fn add_link(&self, path: &str, link: &Link, arrows: &mut Arrows) {
        let Some(target) = self.file(path, &link.from) else { return };
        if link.names.is_empty() {
            arrows.add_file(path, target, "for its effects");
        }
        for name in &link.names {
            for (file, name) in self.definers(target, &name.there, &mut Seen::new()) {
                arrows.add_file(path, &file, &name);
            }
        }
    }

    /// Returns the files that define `name` of the module `path`, each with the name there.
    fn definers(&self, path: &str, name: &str, seen: &mut Seen) -> Vec<(String, String)> {
        let Some(module) = self.0.get(path).filter(|module| module.is_facade) else {
            return vec![(path.to_owned(), name.to_owned())];
        };
        if !seen.insert((path.to_owned(), name.to_owned())) {
            return vec![];
        }
        let mut found = vec![];
        for link in &module.links {
            let Some(target) = self.file(path, &link.from) else { continue };
            for passed in &link.names {
                let wanted = match (passed.there.as_str(), passed.here.as_str()) {
                    (_, here) if here == name => &passed.there,
                    ("*", "*") if self.offers(target, name, &mut Seen::new()) => name,
                    (there, _) if name == "*" => there,
                    _ => continue,
                };
                found.extend(self.definers(target, wanted, seen));
            }
        }
        found
    }

    fn offers(&self, path: &str, name: &str, seen: &mut Seen) -> bool {
        let Some(module) = self.0.get(path) else { return false };
        let passes_on = |link: &Link, seen: &mut Seen| {
            link.is_re_export
                && link.names.iter().any(|passed| {
                    let all = passed.here == "*"
                        && self.file(path, &link.from).is_some_and(|file| self.offers(file, name, seen));
                    passed.here == name || all
                })
        };
        seen.insert((path.to_owned(), name.to_owned()))
            && (name == "*" || module.exports.contains(name) || module.links.iter().any(|link| passes_on(link, seen)))
    }

    /// Returns the file that an import in `path` leads to, if it is one of the files read.
    fn file(&self, path: &str, import: &str) -> Option<&str> {
        if !import.starts_with('.') {
            return None;
        }
        let import = import.split('?').next().unwrap_or(import);
        let base = joined(folder_of(path), import);
        let stem = base.strip_suffix(".js").unwrap_or(&base);
        let candidates = [
            base.clone(),
            format!("{stem}.ts"),
            format!("{stem}.tsx"),
            format!("{base}/index.ts"),
            format!("{base}/index.tsx"),
        ];
        candidates.iter().find_map(|candidate| self.0.get_key_value(candidate)).map(|(file, _)| file.as_str())
    }
}
