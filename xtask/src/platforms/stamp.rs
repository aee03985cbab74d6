//! What was installed in the Debian, as a file in it, so that a folder from before gets what is asked for now.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// A path in the system.
const FILE: &str = "installed";

/// A release of Debian and packages of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Stamp {
    release: String,
    packages: BTreeSet<String>,
}

impl Stamp {
    pub fn new(release: &str, packages: &[&str]) -> Self {
        Self { release: release.to_owned(), packages: packages.iter().map(|&name| name.to_owned()).collect() }
    }

    /// Reads the stamp of the system in `root`. One without a stamp was built before there were any: it has the release, and nothing
    /// is known of its packages.
    pub fn read(root: &Path, release: &str) -> Result<Self> {
        match fs::read_to_string(root.join(FILE)) {
            Ok(text) => {
                let mut lines = text.lines().map(str::to_owned);
                Ok(Self { release: lines.next().unwrap_or_default(), packages: lines.collect() })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::new(release, &[])),
            Err(error) => Err(error).with_context(|| format!("can't read {}", root.join(FILE).display())),
        }
    }

    pub fn write(&self, root: &Path) -> Result<()> {
        let lines: Vec<_> = std::iter::once(&self.release).chain(&self.packages).map(String::as_str).collect();
        fs::write(root.join(FILE), lines.join("\n") + "\n")
            .with_context(|| format!("can't write {}", root.join(FILE).display()))
    }

    /// Returns the packages of `wanted` that the system in `root`, whose stamp this is, lacks. Fails if it is of another release.
    pub fn lacks<'a>(&self, wanted: &'a Self, root: &Path) -> Result<Vec<&'a str>> {
        ensure!(
            self.release == wanted.release,
            "{} is a Debian {:?}, and {:?} is needed: delete it, and the next run builds it anew",
            root.display(),
            self.release,
            wanted.release
        );
        let missing = wanted.packages.iter().filter(|&name| !self.packages.contains(name));
        Ok(missing.map(String::as_str).collect())
    }

    /// Adds packages that were installed.
    pub fn add(&mut self, packages: &[&str]) {
        self.packages.extend(packages.iter().map(|&name| name.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let root = tempfile::tempdir().unwrap();
        let stamp = Stamp::new("sid", &["wine", "gcc"]);
        stamp.write(root.path()).unwrap();
        assert_eq!(Stamp::read(root.path(), "other").unwrap(), stamp);
        assert_eq!(fs::read_to_string(root.path().join(FILE)).unwrap(), "sid\ngcc\nwine\n");
    }

    #[test]
    fn a_system_lacks_what_was_added_to_the_list() {
        let root = tempfile::tempdir().unwrap();
        Stamp::new("sid", &["gcc", "wine"]).write(root.path()).unwrap();
        let mut stamp = Stamp::read(root.path(), "sid").unwrap();
        let wanted = Stamp::new("sid", &["wine", "cargo", "rustc"]);
        let lacking = stamp.lacks(&wanted, root.path()).unwrap();
        assert_eq!(lacking, ["cargo", "rustc"]);
        stamp.add(&lacking);
        stamp.write(root.path()).unwrap();
        let stamp = Stamp::read(root.path(), "sid").unwrap();
        assert!(stamp.lacks(&wanted, root.path()).unwrap().is_empty());
        assert_eq!(stamp, Stamp::new("sid", &["gcc", "wine", "cargo", "rustc"]), "what is no longer needed stays");
    }

    #[test]
    fn a_system_without_a_stamp_may_lack_everything() {
        let root = tempfile::tempdir().unwrap();
        let stamp = Stamp::read(root.path(), "sid").unwrap();
        assert_eq!(stamp.lacks(&Stamp::new("sid", &["gcc"]), root.path()).unwrap(), ["gcc"]);
    }

    #[test]
    fn a_system_of_another_release_is_to_be_deleted() {
        let root = tempfile::tempdir().unwrap();
        for text in ["bookworm\ngcc\n", ""] {
            fs::write(root.path().join(FILE), text).unwrap();
            let stamp = Stamp::read(root.path(), "sid").unwrap();
            let error = stamp.lacks(&Stamp::new("sid", &["gcc"]), root.path()).unwrap_err().to_string();
            assert!(error.contains(&root.path().display().to_string()) && error.contains("delete it"), "{error}");
        }
    }

    #[test]
    fn a_stamp_that_can_not_be_read_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(FILE)).unwrap();
        assert!(Stamp::read(root.path(), "sid").is_err());
    }
}
