//! `cargo xtask test api`: the listings of the public API in `api/`, so that a diff shows each change of it.

mod listing;
pub mod rustdoc;

use std::path::Path;
use std::{env, fs};

use anyhow::{Context, Result, ensure};

use crate::build;
use crate::command::{Output, command, root, stdout};

const CRATES: &[&str] = &["tauri-plugin-tasks", "tauri-plugin-tasks-engine", GENERATOR];
/// The only crate that may name specta, which has no stable version.
const GENERATOR: &str = "tauri-plugin-tasks-specta";
/// The declarations of the npm package.
const PACKAGE: &str = "tauri-plugin-tasks-api.d.ts";

/// Compares the listings with the API, or writes them anew if `UPDATE_API` is set. Needs the built client.
pub fn check(output: &Output) -> Result<()> {
    let mut doc = rustdoc::command(&build::docs(), output)?;
    output.run(&mut doc)?;
    let mut listings = Vec::new();
    for name in CRATES {
        let json = rustdoc::target_dir()?.join("doc").join(name.replace('-', "_")).with_extension("json");
        let listing = listing::of_crate(&json)?;
        let names_candidate = *name != GENERATOR && listing.contains("specta::");
        ensure!(!names_candidate, "{name} names a release candidate of specta in its API: move that to {GENERATOR}");
        listings.push((format!("{name}.txt"), listing));
    }
    let declarations = stdout(&mut command("node guest-js/build/api.js"));
    listings.push((PACKAGE.to_owned(), declarations.context("`node guest-js/build/api.js` failed")?));
    let folder = root().join("api");
    if env::var_os("UPDATE_API").is_some() {
        for (name, text) in listings {
            fs::write(folder.join(name), text)?;
        }
        return Ok(());
    }
    let stale: Vec<_> = listings.into_iter().filter_map(|(name, now)| difference(&folder.join(name), &now)).collect();
    ensure!(
        stale.is_empty(),
        "the public API has changed. If that is intended, write the listings anew with `UPDATE_API=1 cargo xtask test api`, \
         look at their diff, and commit them:\n{}",
        stale.join("\n")
    );
    Ok(())
}

/// Returns the first line that differs, or `None` if the file is up to date.
fn difference(path: &Path, now: &str) -> Option<String> {
    let old = fs::read_to_string(path).unwrap_or_default();
    if old == now {
        return None;
    }
    let (mut old, mut now) = (old.lines(), now.lines());
    let line = 1 + old.by_ref().zip(now.by_ref()).take_while(|(old, now)| old == now).count();
    Some(format!("api/{}, line {line}", path.file_name().unwrap_or_default().display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_changed_line_of_a_listing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crate.txt");
        fs::write(&path, "pub fn a()\npub fn b()\n").unwrap();
        assert_eq!(difference(&path, "pub fn a()\npub fn b()\n"), None);
        let named = |now| difference(&path, now).unwrap();
        assert_eq!(named("pub fn a()\npub fn c()\n"), "api/crate.txt, line 2");
        assert_eq!(named("pub fn a()\n"), "api/crate.txt, line 2");
        assert_eq!(named("pub fn a()\npub fn b()\npub fn c()\n"), "api/crate.txt, line 3");
        assert_eq!(difference(&folder.path().join("none.txt"), "pub fn a()\n").unwrap(), "api/none.txt, line 1");
    }
}
