//! Resolves an imported name to the file that defines it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use super::links::{Link, Module};
use crate::imports::arrows::Arrows;
use crate::imports::sources::{Sources, folder_of, has_extension, joined};

/// The name of the package, by which its own files may import its entry.
const PACKAGE: &str = "tauri-plugin-tasks-api";
const PACKAGE_FOLDER: &str = "guest-js/";
const PACKAGE_ENTRY: &str = "guest-js/core/index.ts";

pub struct Modules<'a> {
    modules: BTreeMap<String, Module>,
    /// All files, including those that are left out of the graph.
    sources: &'a Sources,
}

type Seen = BTreeSet<(String, String)>;

impl<'a> Modules<'a> {
    pub fn new(sources: &'a Sources) -> Self {
        Self { modules: BTreeMap::new(), sources }
    }

    pub fn add(&mut self, path: &str, module: Module) {
        self.modules.insert(path.to_owned(), module);
    }

    /// Adds the arrows of all modules. A façade, which only re-exports, has none: importing a name through it adds an arrow to the file
    /// that defines the name. Fails if an import leads to no file.
    pub fn add_arrows(&self, arrows: &mut Arrows) -> Result<()> {
        let links = self.modules.iter().flat_map(|(path, module)| module.links.iter().map(move |link| (path, link)));
        let lost: Vec<_> = links.filter_map(|(path, link)| self.complaint(path, &link.from)).collect();
        ensure!(lost.is_empty(), "{}", lost.join("\n"));
        for (path, module) in self.modules.iter().filter(|(_, module)| !module.is_facade) {
            for link in &module.links {
                self.add_link(path, link, arrows);
            }
        }
        Ok(())
    }

    /// Returns what is wrong with an import that leads to no file; `None` for one that does, for assets and for other packages.
    fn complaint(&self, path: &str, import: &str) -> Option<String> {
        let is_lost = import.starts_with('.') && !is_asset(import) && self.existing(path, import).is_none();
        is_lost.then(|| {
            format!("{path} imports \"{import}\", but there is no such file: correct the path, so that the import can be followed")
        })
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
        let Some(module) = self.modules.get(path).filter(|module| module.is_facade) else {
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
        let Some(module) = self.modules.get(path) else { return false };
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

    /// Returns the file of the graph that an import in `path` leads to.
    fn file(&self, path: &str, import: &str) -> Option<&str> {
        let found = self.existing(path, import)?;
        self.modules.get_key_value(&found).map(|(file, _)| file.as_str())
    }

    /// Returns the file that an import in `path` leads to, even if it is left out of the graph.
    fn existing(&self, path: &str, import: &str) -> Option<String> {
        if import == PACKAGE && path.starts_with(PACKAGE_FOLDER) {
            return Some(PACKAGE_ENTRY.to_owned());
        }
        if !import.starts_with('.') {
            return None;
        }
        let base = joined(folder_of(path), without_query(import));
        candidates(&base).into_iter().find(|candidate| self.sources.contains(candidate))
    }
}

/// Returns the files that a path without or with an extension can mean. TypeScript is imported under the name of its output.
fn candidates(base: &str) -> Vec<String> {
    const OUTPUTS: &[(&str, &[&str])] = &[
        (".js", &[".ts", ".tsx", ".d.ts"]),
        (".jsx", &[".tsx"]),
        (".mjs", &[".mts", ".d.mts"]),
        (".cjs", &[".cts", ".d.cts"]),
    ];
    let mut candidates = vec![base.to_owned()];
    for (output, sources) in OUTPUTS {
        let stem = base.strip_suffix(output);
        candidates
            .extend(stem.into_iter().flat_map(|stem| sources.iter().map(move |source| format!("{stem}{source}"))));
    }
    for end in ["", "/index"] {
        let extensions = ["ts", "tsx", "d.ts", "mts", "js", "jsx", "mjs"];
        candidates.extend(extensions.map(|extension| format!("{base}{end}.{extension}")));
    }
    candidates
}

fn without_query(import: &str) -> &str {
    import.split('?').next().unwrap_or(import)
}

/// Returns whether an import is a style sheet, an image or another file that imports no code.
fn is_asset(import: &str) -> bool {
    const ASSETS: &[&str] = &[
        "css", "scss", "sass", "less", "svg", "html", "json", "png", "jpg", "webp", "ico", "woff2", "wasm", "txt", "md",
    ];
    has_extension(without_query(import), ASSETS)
}
