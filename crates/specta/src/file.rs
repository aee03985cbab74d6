//! The file that the module is written to.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use crate::error::TypeScriptError;

/// Returns the path that a test means: a relative one begins at the folder of its package.
pub fn of_the_package(path: &Path) -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| path.to_owned(), |folder| Path::new(&folder).join(path))
}

/// Writes the file and makes its folders. Leaves a file that has this text untouched.
pub fn write(path: &Path, text: &str) -> Result<(), TypeScriptError> {
    if read(path)?.as_deref() == Some(text) {
        return Ok(());
    }
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text));
    written.map_err(|source| TypeScriptError::Write { path: path.to_owned(), source })
}

/// Fails if the file does not have this text.
pub fn check(path: &Path, new: &str) -> Result<(), TypeScriptError> {
    let old = read(path)?.unwrap_or_default();
    if old == new {
        return Ok(());
    }
    let same = old.lines().zip(new.lines()).take_while(|(old, new)| old == new).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(end of file)").to_owned();
    Err(TypeScriptError::OutOfDate { path: path.to_owned(), line: same + 1, old: line(&old), new: line(new) })
}

/// Returns the file with Unix line ends, or `None` if there is none.
fn read(path: &Path) -> Result<Option<String>, TypeScriptError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.replace("\r\n", "\n"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TypeScriptError::Read { path: path.to_owned(), source }),
    }
}
