//! Reads a crate into a tree of modules, from its root file through each `mod`.

use anyhow::{Context as _, Result, bail};
use syn::{Fields, Item, ItemMod, Visibility};

use super::cfg::{is_for_tests, item_attributes};
use super::modules::{Definition, Glob, Module, ModuleId, Spaces, Tree, What};
use super::uses::{imports, name_of};
use crate::imports::sources::{Sources, folder_of, joined};

pub fn tree(sources: &Sources, root: &str) -> Result<Tree> {
    let mut reader = Reader { sources, modules: vec![] };
    reader.file(root, None, folder_of(root), false)?;
    Ok(Tree { modules: reader.modules })
}

struct Reader<'a> {
    sources: &'a Sources,
    modules: Vec<Module>,
}

impl Reader<'_> {
    /// Reads the module in the file `path`. The files of its submodules are in `folder`.
    fn file(&mut self, path: &str, parent: Option<ModuleId>, folder: &str, lends_macros: bool) -> Result<ModuleId> {
        let file = syn::parse_file(self.sources.text(path)?).with_context(|| format!("{path} is not Rust"))?;
        let id = self.add(path, parent, lends_macros);
        self.items(id, file.items, folder, folder_of(path))?;
        Ok(id)
    }

    fn add(&mut self, file: &str, parent: Option<ModuleId>, lends_macros: bool) -> ModuleId {
        self.modules.push(Module {
            file: file.to_owned(),
            parent,
            items: vec![],
            names: Default::default(),
            globs: vec![],
            variants: Default::default(),
            may_define: Default::default(),
            lends_macros,
        });
        self.modules.len() - 1
    }

    /// Adds the items of a module. A `#[path]` is relative to `path_folder`.
    fn items(&mut self, id: ModuleId, items: Vec<Item>, folder: &str, path_folder: &str) -> Result<()> {
        for item in items.into_iter().filter(|item| !is_for_tests(item_attributes(item))) {
            match item {
                Item::Mod(module) => self.module(id, module, folder, path_folder)?,
                item => {
                    self.define(id, &item);
                    self.modules[id].items.push(item);
                }
            }
        }
        Ok(())
    }

    fn module(&mut self, parent: ModuleId, item: ItemMod, folder: &str, path_folder: &str) -> Result<()> {
        let name = name_of(&item.ident);
        let below = joined(folder, &name);
        let lends_macros = item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_use"));
        let id = if let Some((_, items)) = item.content {
            let file = self.modules[parent].file.clone();
            let id = self.add(&file, Some(parent), lends_macros);
            self.items(id, items, &below, &below)?;
            id
        } else if let Some(path) = path_attribute(&item.attrs) {
            let path = joined(path_folder, &path);
            self.file(&path, Some(parent), folder_of(&path), lends_macros)?
        } else {
            let candidates = [format!("{below}.rs"), format!("{below}/mod.rs")];
            let Some(path) = candidates.iter().find(|path| self.sources.contains(path)) else {
                bail!(
                    "{} says `mod {name};`, but there is no {}",
                    self.modules[parent].file,
                    candidates.join(" and no ")
                );
            };
            self.file(path, Some(parent), &below, lends_macros)?
        };
        let seen_in = self.seen_in(parent, &item.vis);
        self.name(parent, name, Definition { spaces: Spaces::TYPES, seen_in, what: What::Module(id) });
        Ok(())
    }

    fn define(&mut self, id: ModuleId, item: &Item) {
        match item {
            Item::Use(item) => self.import(id, item),
            Item::ExternCrate(item) => self.import_crate(id, item),
            Item::Macro(item) => {
                if let Some(name) = &item.ident {
                    let what = || Definition { spaces: Spaces::MACROS, seen_in: 0, what: What::Item(id) };
                    self.name(id, name_of(name), what());
                    if id != 0 && item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")) {
                        self.name(0, name_of(name), what());
                    }
                }
            }
            Item::Enum(item) => {
                let variants = item.variants.iter().map(|variant| name_of(&variant.ident)).collect();
                self.modules[id].variants.insert(name_of(&item.ident), variants);
            }
            _ => {}
        }
        if let Some((name, spaces, visibility)) = named(item) {
            let seen_in = self.seen_in(id, visibility);
            self.name(id, name_of(name), Definition { spaces, seen_in, what: What::Item(id) });
        }
    }

    fn import(&mut self, id: ModuleId, item: &syn::ItemUse) {
        let seen_in = self.seen_in(id, &item.vis);
        for import in imports(item) {
            match import.name {
                None => self.modules[id].globs.push(Glob { path: import.path, seen_in }),
                // A trait that is imported only for its methods.
                Some(name) if name == "_" => {}
                Some(name) => {
                    let what = What::Import(import.path);
                    self.name(id, name, Definition { spaces: Spaces::ALL, seen_in, what });
                }
            }
        }
    }

    fn import_crate(&mut self, id: ModuleId, item: &syn::ItemExternCrate) {
        let path =
            if item.ident == "self" { vec!["crate".to_owned()] } else { vec!["::".to_owned(), name_of(&item.ident)] };
        let name = item.rename.as_ref().map_or_else(|| name_of(&item.ident), |(_, name)| name_of(name));
        let seen_in = self.seen_in(id, &item.vis);
        self.name(id, name, Definition { spaces: Spaces::TYPES, seen_in, what: What::Import(path) });
    }

    fn name(&mut self, id: ModuleId, name: String, definition: Definition) {
        self.modules[id].names.entry(name).or_default().push(definition);
    }

    fn seen_in(&self, id: ModuleId, visibility: &Visibility) -> ModuleId {
        match visibility {
            Visibility::Inherited => id,
            Visibility::Restricted(to) if to.path.is_ident("self") => id,
            Visibility::Restricted(to) if to.path.is_ident("super") => self.modules[id].parent.unwrap_or(id),
            // `pub(in …)` is treated as visible in the whole crate.
            Visibility::Public(_) | Visibility::Restricted(_) => 0,
        }
    }
}

/// Returns the name that an item defines, with its namespaces and visibility; `None` for modules, imports and macros.
pub fn named(item: &Item) -> Option<(&syn::Ident, Spaces, &Visibility)> {
    Some(match item {
        Item::Const(item) => (&item.ident, Spaces::VALUES, &item.vis),
        Item::Static(item) => (&item.ident, Spaces::VALUES, &item.vis),
        Item::Fn(item) => (&item.sig.ident, Spaces::VALUES, &item.vis),
        Item::Struct(item) => {
            let has_value = !matches!(item.fields, Fields::Named(_));
            (&item.ident, if has_value { Spaces::CODE } else { Spaces::TYPES }, &item.vis)
        }
        Item::Enum(item) => (&item.ident, Spaces::TYPES, &item.vis),
        Item::Union(item) => (&item.ident, Spaces::TYPES, &item.vis),
        Item::Type(item) => (&item.ident, Spaces::TYPES, &item.vis),
        Item::Trait(item) => (&item.ident, Spaces::TYPES, &item.vis),
        Item::TraitAlias(item) => (&item.ident, Spaces::TYPES, &item.vis),
        _ => return None,
    })
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("path"))?;
    match &attribute.meta.require_name_value().ok()?.value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) => Some(path.value()),
        _ => None,
    }
}
