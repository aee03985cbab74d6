//! Deletes folders, but none in which something is mounted: that would delete what is mounted there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Deletes a folder with all that is in it, if it exists. Fails before it deletes anything if something is mounted on the folder or
/// below it.
pub fn delete(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    // The kernel lists mounts by their paths without links.
    let folder = folder.canonicalize()?;
    let list = fs::read("/proc/self/mountinfo").context("can't read which folders are mounted")?;
    let mounted = mounted_in(&folder, &list);
    ensure!(
        mounted.is_empty(),
        "{} can't be deleted, since something is mounted in it. Unmount this, then try again: {mounted:?}",
        folder.display()
    );
    fs::remove_dir_all(&folder).with_context(|| format!("can't delete {}", folder.display()))
}

/// Returns the mount points at `folder` or below it, from the text of `/proc/self/mountinfo`.
fn mounted_in(folder: &Path, list: &[u8]) -> Vec<PathBuf> {
    // What is not UTF-8 is replaced on both sides, which can only find too much.
    let folder = PathBuf::from(folder.to_string_lossy().into_owned());
    let fifth = |line: &[u8]| line.split(|byte| *byte == b' ').nth(4).map(unescaped);
    let points = list.split(|byte| *byte == b'\n').filter_map(fifth);
    points.filter(|point| point.starts_with(&folder)).collect()
}

/// Returns the path of a field: the kernel writes spaces, tabs, line feeds and backslashes as `\` and three octal digits.
fn unescaped(field: &[u8]) -> PathBuf {
    let mut path = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'\\').then(|| after.split_at_checked(3)).flatten();
        let code = escaped.and_then(|(digits, _)| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        path.push(code.unwrap_or(first));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    PathBuf::from(String::from_utf8_lossy(&path).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &[u8] = b"\
22 27 0:20 / /proc rw,relatime - proc proc rw\n\
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
30 27 254:0 /home/me/.cargo /cache/platforms/debian/cargo ro,relatime - ext4 /dev/vda rw\n\
31 27 0:5 / /cache/with\\040space/a\\134b\\040/dev rw - devtmpfs devtmpfs rw\n";

    fn mounted(folder: &str) -> Vec<PathBuf> {
        mounted_in(Path::new(folder), LIST)
    }

    #[test]
    fn what_is_mounted_on_a_folder_or_below_it_is_found() {
        let cargo = [PathBuf::from("/cache/platforms/debian/cargo")];
        for folder in ["/cache/platforms/debian/cargo", "/cache/platforms/debian", "/cache/platforms"] {
            assert_eq!(mounted(folder), cargo, "{folder}");
        }
        assert_eq!(mounted("/cache").len(), 2);
        assert_eq!(mounted("/").len(), 4);
    }

    #[test]
    fn what_is_mounted_above_or_beside_a_folder_does_not_count() {
        for folder in
            ["/cache/platforms/debian/car", "/cache/platforms/debian/cargo/registry", "/cache/platform", "/home"]
        {
            assert!(mounted(folder).is_empty(), "{folder}");
        }
    }

    #[test]
    fn escaped_paths_are_read() {
        assert_eq!(mounted("/cache/with space"), [PathBuf::from("/cache/with space/a\\b /dev")]);
        assert_eq!(unescaped(b"/a\\"), Path::new("/a\\"));
        assert_eq!(unescaped(b"/a\\9999"), Path::new("/a\\9999"));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_in_which_nothing_is_mounted_is_deleted_and_what_its_links_point_to_is_kept() {
        let outer = tempfile::tempdir().unwrap();
        let [kept, deleted] = ["kept", "deleted"].map(|name| outer.path().join(name));
        fs::create_dir_all(deleted.join("inner")).unwrap();
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "").unwrap();
        std::os::unix::fs::symlink(&kept, deleted.join("inner/link")).unwrap();
        delete(&deleted).unwrap();
        assert!(!deleted.exists() && kept.join("file").exists());
        delete(&deleted).unwrap();
    }
}
