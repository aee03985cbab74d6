//! The copy of the engine that is mutated.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

use super::list::MUTATIONS;
use super::mutation::{How, chooser};
use crate::work_tree;

/// The package that is mutated.
pub const PACKAGE: &str = "tauri-plugin-tasks-engine";
const FOLDER: &str = "crates/engine/";
const CRATE_ROOT: &str = "crates/engine/src/lib.rs";

/// Brings the copy up to date with the work tree, and adds all mutations that are chosen at run time.
pub fn sync(copy: &Path) -> Result<()> {
    let mut wanted = BTreeMap::new();
    for (path, bytes) in work_tree::files()? {
        wanted.extend(copied(&path, bytes).map(|bytes| (path, bytes)));
    }
    for (number, mutation) in MUTATIONS.iter().enumerate().filter(|(_, mutation)| mutation.how != How::Rebuild) {
        let code = wanted.get_mut(mutation.file).with_context(|| format!("there is no {}", mutation.file))?;
        *code = mutation.apply(number, std::str::from_utf8(code)?)?.into();
    }
    work_tree::write(copy, &wanted)
}

/// Returns what the copy has in place of this file, or `None` if it leaves the file out.
fn copied(path: &str, bytes: Vec<u8>) -> Option<Vec<u8>> {
    match path {
        "Cargo.toml" => Some(workspace(&String::from_utf8(bytes).ok()?).into()),
        "Cargo.lock" => Some(bytes),
        ".config/nextest.toml" => Some(default_profile(&String::from_utf8(bytes).ok()?).into()),
        CRATE_ROOT => Some([bytes, chooser().into()].concat()),
        _ => path.starts_with(FOLDER).then_some(bytes),
    }
}

/// Returns the part of nextest's configuration that holds for all tests. The rest names packages that are not in the copy.
fn default_profile(config: &str) -> &str {
    config.split("\n[test-groups]").next().unwrap_or(config)
}

/// Returns the manifest of a workspace of the engine alone, with the profiles and with what the package inherits. Its
/// version differs from the original's: otherwise Cargo would confuse the builds of the two workspaces in their common
/// target folder.
fn workspace(manifest: &str) -> String {
    let inherited = ["workspace.package", "workspace.lints", "profile"];
    let sections = manifest.split("\n[").filter(|section| inherited.iter().any(|name| section.starts_with(name)));
    let sections: String = sections.flat_map(|section| ["\n[", section, "\n"]).collect();
    let sections = sections.replacen("\nversion = \"", "\nversion = \"0.0.0-mutant.", 1);
    format!("[workspace]\nmembers = [\"{}\"]\nresolver = \"3\"\n{sections}", FOLDER.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_is_a_workspace_of_the_engine_alone_with_another_version() {
        let manifest = "[workspace]\nmembers = [\"a\"]\n\n[workspace.package]\nversion = \"1.2.3\"\n\n[package]\nname = \"p\"\n\n\
                        [workspace.lints.rust]\nunsafe_code = \"forbid\"\n\n[profile.dev]\ndebug = 1\n\n[dependencies]\nserde = \"1\"\n";
        let workspace = workspace(manifest);
        let has = |text: &str| workspace.contains(text);
        assert!(has("members = [\"crates/engine\"]") && has("version = \"0.0.0-mutant.1.2.3\""), "{workspace}");
        assert!(has("[workspace.lints.rust]") && has("[profile.dev]"), "{workspace}");
        assert!(!has("[package]") && !has("serde"), "{workspace}");
        assert!(copied("crates/engine/src/lib.rs", vec![]).is_some() && copied("Cargo.lock", vec![]).is_some());
        assert!(copied("src/lib.rs", vec![]).is_none() && copied("crates/specta/src/lib.rs", vec![]).is_none());
    }
}
