//! Finds the arrows between the TypeScript files of the client and of the examples' pages.

mod links;
mod resolve;
mod tokens;

use anyhow::Result;

use super::arrows::Arrows;
use super::sources::{Sources, has_extension};
use resolve::Modules;

pub fn add_arrows(sources: &Sources, arrows: &mut Arrows) -> Result<()> {
    let mut modules = Modules::default();
    for path in sources.paths().filter(|path| is_page_code(path)) {
        modules.add(path, links::module(&tokens::tokens(sources.text(path)?)));
    }
    modules.add_arrows(arrows);
    Ok(())
}

/// Returns whether a file is part of the client or of a page: no test, fixture, build output or declaration file.
fn is_page_code(path: &str) -> bool {
    let folders: Vec<_> = path.split('/').collect();
    let is_ours = matches!(folders[..], ["guest-js", ..] | ["examples", _, "src", ..]);
    let file = folders.last().copied().unwrap_or_default();
    let is_typescript = has_extension(file, &["ts", "tsx"]);
    let is_left_out = file.ends_with(".d.ts")
        || file.contains(".test.")
        || folders.iter().any(|folder| matches!(*folder, "tests" | "fixtures" | "dist"));
    is_ours && is_typescript && !is_left_out
}
