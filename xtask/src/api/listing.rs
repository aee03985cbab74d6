//! The public items of a crate, one a line.

use std::path::Path;

use anyhow::{Context, Result};

/// Lists the public items in the JSON that rustdoc has written. Leaves out what the compiler adds to every type.
pub fn of_crate(json: &Path) -> Result<String> {
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .with_context(|| format!("{} can't be read as the JSON of rustdoc", json.display()))?;
    // The listing has one line for each item.
    Ok(api.to_string())
}
