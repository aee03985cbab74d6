//! Generated files that are checked in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::command::root;

const GENERATED: &[&str] = &["api-iife.js", "permissions"];

/// The content of the generated files before anything was built.
pub struct Generated(BTreeMap<PathBuf, String>);

impl Generated {
    pub fn read() -> Result<Self> {
        let mut files = BTreeMap::new();
        for path in GENERATED {
            collect(&root().join(path), &mut files)?;
        }
        Ok(Self(files))
    }

    /// Fails if the build has changed a file. Unlike `git diff`, this ignores changes from before the build that are not
    /// committed yet.
    pub fn check(&self) -> Result<()> {
        let built = Self::read()?.0;
        let differs = |path: &&PathBuf| self.0.get(*path) != built.get(*path);
        let stale: Vec<_> = self.0.keys().chain(built.keys()).filter(differs).collect();
        ensure!(
            stale.is_empty(),
            "these generated files were not up to date; the build has just rewritten them, so commit them: {stale:#?}"
        );
        Ok(())
    }
}

fn collect(path: &Path, files: &mut BTreeMap<PathBuf, String>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if path.exists() {
        files.insert(path.to_owned(), fs::read_to_string(path)?);
    }
    Ok(())
}
