//! Splits a `use` item into single imports.

use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Ident, ItemUse, UseTree};

/// The segments of a path. The first is `::` if the path begins with it.
pub type Path = Vec<String>;

pub struct Import {
    pub path: Path,
    /// The name that the import binds; `None` for a glob.
    pub name: Option<String>,
    /// The line of the path's last name, from 1.
    pub line: usize,
}

/// Returns a name without the `r#` that lets a keyword be one.
pub fn name_of(ident: &Ident) -> String {
    ident.unraw().to_string()
}

pub fn imports(item: &ItemUse) -> Vec<Import> {
    let mut imports = vec![];
    let start = if item.leading_colon.is_some() { vec!["::".to_owned()] } else { vec![] };
    collect(&item.tree, start, &mut imports);
    imports
}

fn collect(tree: &UseTree, mut path: Path, imports: &mut Vec<Import>) {
    let line = tree.span().start().line;
    match tree {
        UseTree::Path(step) => {
            path.push(name_of(&step.ident));
            collect(&step.tree, path, imports);
        }
        UseTree::Name(leaf) => {
            push(&mut path, &leaf.ident);
            let name = path.last().cloned();
            imports.push(Import { path, name, line });
        }
        UseTree::Rename(leaf) => {
            push(&mut path, &leaf.ident);
            imports.push(Import { path, name: Some(name_of(&leaf.rename)), line });
        }
        UseTree::Glob(_) => imports.push(Import { path, name: None, line }),
        UseTree::Group(group) => group.items.iter().for_each(|tree| collect(tree, path.clone(), imports)),
    }
}

/// Appends a segment, except for a `self` that ends a longer path and means the module before it.
fn push(path: &mut Path, ident: &Ident) {
    if path.is_empty() || ident != "self" {
        path.push(name_of(ident));
    }
}
