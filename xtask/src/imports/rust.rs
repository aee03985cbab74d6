//! Finds the arrows between the Rust files of each crate, and to other crates.

mod cfg;
mod crates;
mod macro_names;
mod methods;
mod modules;
mod paths;
mod read;
mod receivers;
mod resolve;
mod scopes;
mod tokens;
mod uses;

use anyhow::Result;

use super::arrows::Arrows;
use super::sources::Sources;
use methods::Methods;

pub fn add_arrows(sources: &Sources, arrows: &mut Arrows) -> Result<()> {
    for root in crates::roots(sources) {
        let mut tree = read::tree(sources, &root)?;
        macro_names::define(&mut tree);
        let methods = Methods::of(&tree);
        for module in 0..tree.modules.len() {
            paths::add_arrows(&tree, &methods, module, arrows)?;
        }
    }
    Ok(())
}
