//! The public items of a crate, one a line.

use std::path::Path;

use anyhow::{Context, Result};

/// Lists the public items in the JSON that rustdoc has written. Leaves out what the compiler adds to every type, and what the
/// engine's private feature `__specta` adds.
pub fn of_crate(json: &Path) -> Result<String> {
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .with_context(|| format!("{} can't be read as the JSON of rustdoc", json.display()))?;
    // The listing has one line for each item.
    Ok(without_specta(&api.to_string()))
}

fn without_specta(listing: &str) -> String {
    let is_private = |line: &&str| {
        line.starts_with("impl specta::type::Type for ") || line.contains("::definition(") && line.contains("specta::")
    };
    listing.lines().filter(|line| !is_private(line)).flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_private_feature_adds_is_left_out() {
        let listing = "pub enum engine::Unit\n\
            impl specta::type::Type for engine::Unit\n\
            pub fn engine::Unit::definition(types: &mut specta::types::Types) -> specta::datatype::DataType\n\
            pub fn engine::Unit::typed<T: specta::type::Type>()\n";
        assert_eq!(
            without_specta(listing),
            "pub enum engine::Unit\npub fn engine::Unit::typed<T: specta::type::Type>()\n"
        );
    }
}
