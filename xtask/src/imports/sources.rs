//! The source files of a repository, by their paths from its root.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

pub struct Sources(BTreeMap<String, String>);

impl Sources {
    /// Reads the Rust, TypeScript and JavaScript files, the packages' manifests, and CONTRIBUTING.md.
    pub fn read(root: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        read_folder(root, "", &mut files)?;
        Ok(Self(files))
    }

    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn contains(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    pub fn text(&self, path: &str) -> Result<&str> {
        self.0.get(path).map(String::as_str).with_context(|| format!("there is no file {path}"))
    }
}

fn read_folder(folder: &Path, name: &str, files: &mut BTreeMap<String, String>) -> Result<()> {
    // Cargo marks its target folders with this file.
    if folder.join("CACHEDIR.TAG").exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))? {
        let entry = entry?;
        let file_name = entry.file_name().to_string_lossy().into_owned();
        let path = joined(name, &file_name);
        let kind = entry.file_type()?;
        if kind.is_dir() && !file_name.starts_with('.') && file_name != "node_modules" {
            read_folder(&entry.path(), &path, files)?;
        } else if kind.is_file() && is_source(&file_name) {
            let text = fs::read_to_string(entry.path()).with_context(|| format!("can't read {path}"))?;
            files.insert(path, text);
        }
    }
    Ok(())
}

fn is_source(file_name: &str) -> bool {
    matches!(file_name, "Cargo.toml" | "CONTRIBUTING.md") || is_rust(file_name) || is_script(file_name)
}

pub fn is_rust(path: &str) -> bool {
    has_extension(path, &["rs"])
}

/// Returns whether a file is TypeScript or JavaScript, or has script blocks.
pub fn is_script(path: &str) -> bool {
    has_extension(path, &["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "vue", "svelte"])
}

pub fn has_extension(path: &str, extensions: &[&str]) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
}

/// Returns the folder of a path; empty for the root.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Joins `relative` to `folder` and resolves its `.` and `..`.
pub fn joined(folder: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
