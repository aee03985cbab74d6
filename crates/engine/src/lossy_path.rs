use std::{
    ffi::OsStr,
    fmt,
    ops::Deref,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, Serializer};

/// A path that a handler returns, reports or emits.
///
/// Use it there in the place of a [`PathBuf`]: on most systems the name of a file may hold bytes that are no text, and a
/// `PathBuf` with such a name can't be written as JSON. A task that returns it fails as
/// [`Unserializable`](crate::FailureKind::Unserializable) when its work is done. This type is always a string, in which
/// U+FFFD (`�`) stands for what is no text. Such a string is for people: no file has this name. For all other paths it is the
/// path itself.
///
/// In Rust it is the path as it was, and dereferences to it. An input may be a `PathBuf` as it is: a caller sends a string.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use std::path::PathBuf;
/// use tauri_plugin_tasks::{Failure, LossyPath, TaskContext};
///
/// async fn newest(_ctx: TaskContext, folder: PathBuf) -> Result<Option<LossyPath>, Failure> {
///     let mut newest = None;
///     for entry in folder.read_dir()? {
///         let entry = entry?;
///         newest = newest.max(Some((entry.metadata()?.modified()?, entry.path())));
///     }
///     Ok(newest.map(|(_, path)| path.into()))
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct LossyPath(PathBuf);

impl Serialize for LossyPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string_lossy())
    }
}

/// Shows the same string as the JSON.
impl fmt::Display for LossyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_string_lossy())
    }
}

impl From<PathBuf> for LossyPath {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

/// From whatever a [`PathBuf`] can be made of, such as a `&Path` or a `&str`.
impl<T: AsRef<OsStr> + ?Sized> From<&T> for LossyPath {
    fn from(path: &T) -> Self {
        Self(path.into())
    }
}

/// The path as it was.
impl From<LossyPath> for PathBuf {
    fn from(path: LossyPath) -> Self {
        path.0
    }
}

impl Deref for LossyPath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for LossyPath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

#[cfg(feature = "__specta")]
impl specta::Type for LossyPath {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        <String as specta::Type>::definition(types)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Json;

    #[test]
    fn a_path_that_is_text_is_that_string_and_comes_back() {
        for text in ["", "/home/jörg/a b.txt", r"C:\temp\x", "\u{fffd}"] {
            let path = LossyPath::from(text);
            assert_eq!((path.to_string(), serde_json::to_value(&path).unwrap()), (text.to_owned(), text.into()));
            assert_eq!(Json::new(&path).unwrap().read::<LossyPath>().unwrap(), path);
            assert_eq!((&*path, PathBuf::from(path.clone())), (Path::new(text), PathBuf::from(text)));
        }
        assert!(serde_json::from_str::<LossyPath>("7").is_err());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_task_that_returns_a_path_which_is_no_text_has_completed() {
        use std::{fs, os::unix::ffi::OsStrExt};

        use crate::{Failure, FailureKind, Outcome, TaskContext, delivery::Settings, test::manager};

        let folder = std::env::temp_dir().join(format!("lossy-path-{}", crate::TaskId::new()));
        fs::create_dir(&folder).unwrap();
        let path = folder.join(OsStr::from_bytes(b"report-\xff.txt"));
        // Not every file system takes such a name, but then its path is one all the same.
        let _ = fs::write(&path, "done");
        let tasks = manager([], Settings::default());

        let (lossy, plain) = (path.clone(), path.clone());
        let task = tasks.spawn("lossy", async |ctx: TaskContext<LossyPath, LossyPath>| {
            ctx.progress().detail(lossy.clone().into());
            ctx.emit(lossy.clone().into()).await;
            Ok::<_, Failure>(LossyPath::from(lossy))
        });
        let text = path.to_string_lossy().into_owned();
        assert!(text.ends_with("report-\u{fffd}.txt"), "{text}");
        let outcome = task.outcome().await;
        assert_eq!(outcome.output::<String>().unwrap().as_ref(), Some(&text), "{outcome:?}");
        assert_eq!(task.snapshot().progress.detail.unwrap().read::<String>().unwrap(), text);
        assert_eq!(task.items().next().await.unwrap().unwrap().to_string(), text);

        let task = tasks.spawn("plain", async |_: TaskContext| Ok::<_, Failure>(plain));
        let Outcome::Failed(failure) = task.outcome().await else {
            panic!("it can be sent now: LossyPath is needless")
        };
        assert_eq!(failure.kind, FailureKind::Unserializable);
        fs::remove_dir_all(&folder).unwrap();
    }
}
