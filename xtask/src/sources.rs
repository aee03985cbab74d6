//! Checks that each package of `Cargo.lock` comes from crates.io, with a checksum, or from this repository.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::command::{Output, command, root, stdout};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[derive(Deserialize)]
struct Lock {
    #[serde(rename = "package")]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

pub fn check(output: &Output) -> Result<()> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("can't read Cargo.lock")?;
    let refused = refused(&lock, &members()?)?;
    ensure!(
        refused.is_empty(),
        "only packages of crates.io and of this repository are allowed (deny.toml), but in Cargo.lock are:\n  {}",
        refused.join("\n  ")
    );
    output.note("each package of Cargo.lock comes from crates.io or from this repository")
}

/// Returns the names of the packages in this repository.
fn members() -> Result<BTreeSet<String>> {
    let metadata = stdout(&mut command("cargo metadata --no-deps --format-version 1 --locked"))
        .context("`cargo metadata --locked` failed: is Cargo.lock up to date?")?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` printed no packages")?;
    Ok(packages.iter().filter_map(|package| package["name"].as_str()).map(str::to_owned).collect())
}

/// Returns the packages of the lock file `lock` that come from elsewhere, and why each is refused.
fn refused(lock: &str, members: &BTreeSet<String>) -> Result<Vec<String>> {
    let lock: Lock = toml::from_str(lock).context("Cargo.lock can't be read")?;
    let refused = lock.packages.iter().filter_map(|package| {
        let why = package.refusal(members)?;
        Some(format!("{} {}: {why}", package.name, package.version))
    });
    Ok(refused.collect())
}

impl Package {
    fn refusal(&self, members: &BTreeSet<String>) -> Option<String> {
        match self.source.as_deref() {
            None if members.contains(&self.name) => None,
            None => Some("it is in a folder that is not in this repository's workspace".into()),
            Some(CRATES_IO) if self.checksum.is_some() => None,
            Some(CRATES_IO) => Some("it has no checksum".into()),
            Some(source) => Some(format!("it comes from {source}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_of(package: &str) -> Vec<String> {
        let lock = format!("version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n{package}");
        refused(&lock, &BTreeSet::from(["mine".to_owned()])).unwrap()
    }

    #[test]
    fn packages_of_crates_io_and_of_the_workspace_are_allowed() {
        assert!(refused_of(&format!("source = \"{CRATES_IO}\"\nchecksum = \"00\"")).is_empty());
        let lock = "[[package]]\nname = \"mine\"\nversion = \"1.0.0\"";
        assert!(refused(lock, &BTreeSet::from(["mine".to_owned()])).unwrap().is_empty());
    }

    #[test]
    fn a_package_from_anywhere_else_is_refused() {
        for (package, why) in [
            ("source = \"git+https://example.com/a#0123\"", "it comes from git+https://example.com/a#0123"),
            ("source = \"registry+https://example.com/index\"\nchecksum = \"00\"", "it comes from registry+https://"),
            ("source = \"sparse+https://example.com/index/\"\nchecksum = \"00\"", "it comes from sparse+https://"),
            (&format!("source = \"{CRATES_IO}\""), "no checksum"),
            ("", "not in this repository's workspace"),
        ] {
            let refused = refused_of(package);
            assert!(
                refused.len() == 1 && refused[0].starts_with("a 1.0.0: ") && refused[0].contains(why),
                "{refused:?}"
            );
        }
    }
}
