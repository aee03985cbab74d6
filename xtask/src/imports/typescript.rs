//! Finds the arrows between the TypeScript and JavaScript files of the client and of the examples' pages.

mod links;
mod resolve;
mod scripts;
mod tokens;
mod variables;

use anyhow::Result;

use super::arrows::Arrows;
use super::sources::{Sources, is_script};
use resolve::Modules;

pub fn add_arrows(sources: &Sources, arrows: &mut Arrows) -> Result<()> {
    let mut modules = Modules::new(sources);
    for path in sources.paths().filter(|path| is_page_code(path)) {
        let code = scripts::code(path, sources.text(path)?);
        modules.add(path, links::module(&tokens::tokens(&code)));
    }
    modules.add_arrows(arrows)
}

/// Returns whether a file is part of the client or of a page: no test, fixture, build output or declaration file.
fn is_page_code(path: &str) -> bool {
    let folders: Vec<_> = path.split('/').collect();
    let is_ours = matches!(folders[..], ["guest-js", ..] | ["examples", _, "src", ..]);
    let file = folders.last().copied().unwrap_or_default();
    let is_left_out = file.ends_with(".d.ts")
        || file.contains(".test.")
        || folders.iter().any(|folder| matches!(*folder, "tests" | "fixtures" | "dist"));
    is_ours && is_script(file) && !is_left_out
}
