//! `hash-folder`: one BLAKE3 hash for a folder and everything in it, on all cores.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    num::NonZero,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use blake3::{Hash, Hasher};
use futures_util::future;
use serde::{Deserialize, Serialize};
use tauri_plugin_tasks::{Failure, TaskContext, Unit};
use walkdir::WalkDir;

/// A cancel is noticed between two chunks, so a chunk must take far less than a tenth of a second, even on a slow disk.
const CHUNK: usize = 256 * 1024;
/// The longest progress message. A longer path is shown without its beginning, because its end says the most.
const MESSAGE_CHARS: usize = 160;

/// What to hash.
#[derive(Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub struct HashFolderInput {
    /// The folder to hash.
    pub path: PathBuf,
}

/// The hash of a folder, and what it covers.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub struct FolderHash {
    /// How many files the hash covers.
    #[cfg_attr(test, specta(type = tauri_plugin_tasks_specta::Number))]
    pub files: u64,
    /// How many bytes these files have.
    #[cfg_attr(test, specta(type = tauri_plugin_tasks_specta::Number))]
    pub bytes: u64,
    /// How many files and folders could not be read and are not part of the hash.
    #[cfg_attr(test, specta(type = tauri_plugin_tasks_specta::Number))]
    pub skipped: u64,
    /// The hash. The same names and contents give the same hash, in whatever order the disk lists them.
    pub hash: String,
    /// How long it took.
    #[cfg_attr(test, specta(type = tauri_plugin_tasks_specta::Number))]
    pub seconds: f64,
}

#[derive(Debug, thiserror::Error)]
enum HashFolderError {
    #[error("there is no folder at {0}: check the path, or choose another folder")]
    NoFolder(PathBuf),
    #[error("the folder {0} can't be read: choose another one, or change its permissions")]
    Unreadable(PathBuf, #[source] io::Error),
    /// The task was stopped. The hash of a part of the folder must not pass for that of the whole.
    #[error("the folder was not hashed to its end: start again")]
    Stopped,
}

/// Hashes all files of a folder.
///
/// Everything that touches the disk runs on blocking threads. Unlike a future, these can't be dropped: each of them checks
/// its token between two files and between two chunks of a file, and the task ends when all have stopped.
pub async fn hash_folder(ctx: TaskContext, input: HashFolderInput) -> Result<FolderHash, Failure> {
    let started = Instant::now();
    let root = input.path;

    // List all files first, so that the bar has a total from then on.
    ctx.progress().message("looking for files");
    let found = {
        let root = root.clone();
        ctx.spawn_blocking(move |token| find(&root, || token.is_cancelled())).await?
    };
    ctx.progress().unit(Unit::Bytes).total(found.bytes());

    let queue = Arc::new(Queue { root, found, next: AtomicUsize::new(0) });
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(queue.found.files.len());
    let hashed = future::try_join_all((0..workers).map(|_| {
        let (queue, shown) = (Arc::clone(&queue), ctx.clone());
        ctx.spawn_blocking(move |token| {
            let current = |file: &Path| {
                shown.progress().message(ending(&file.to_string_lossy(), MESSAGE_CHARS));
            };
            let done = |bytes| {
                shown.progress().inc(bytes);
            };
            queue.work(current, done, || token.is_cancelled())
        })
    }))
    .await?;
    Ok(queue.report(hashed.into_iter().flatten().collect(), started))
}

/// The files of a folder, sorted.
#[derive(Debug, Default)]
struct Found {
    /// Paths relative to the folder, with the sizes that the files had when they were found.
    files: Vec<(PathBuf, u64)>,
    skipped: u64,
}

impl Found {
    fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes).sum()
    }
}

/// Lists the files in a folder. Symbolic links are not followed: they could lead out of it or in a circle.
fn find(root: &Path, stop: impl Fn() -> bool) -> Result<Found, HashFolderError> {
    if !root.is_dir() {
        return Err(HashFolderError::NoFolder(root.to_owned()));
    }
    // Sorted as they come: sorting a whole folder at the end would be one long step without a check for a stop.
    let mut files = BTreeMap::new();
    let mut skipped = 0;
    for entry in WalkDir::new(root) {
        if stop() {
            return Err(HashFolderError::Stopped);
        }
        match entry {
            Ok(entry) if entry.file_type().is_file() => match (entry.path().strip_prefix(root), entry.metadata()) {
                (Ok(path), Ok(metadata)) => drop(files.insert(path.to_owned(), metadata.len())),
                _ => skipped += 1,
            },
            Ok(_) => {}
            // If the folder itself can't be listed, there is nothing to hash. An entry inside it can be skipped.
            Err(error) if error.depth() == 0 => return Err(HashFolderError::Unreadable(root.to_owned(), error.into())),
            Err(_) => skipped += 1,
        }
    }
    Ok(Found { files: files.into_iter().collect(), skipped })
}

/// A file's index in the sorted list, with its hash and size, or `None` if it could not be read.
type Hashed = (usize, Option<(Hash, u64)>);

/// The queue that the workers share: each takes the next file until none is left.
struct Queue {
    root: PathBuf,
    found: Found,
    next: AtomicUsize,
}

impl Queue {
    /// Hashes files until none is left. Calls `current` with each file, and `done` with each number of bytes done.
    fn work(
        &self,
        current: impl Fn(&Path),
        done: impl Fn(u64),
        stop: impl Fn() -> bool,
    ) -> Result<Vec<Hashed>, HashFolderError> {
        let mut buffer = vec![0; CHUNK];
        let mut hashed = Vec::new();
        loop {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some((path, bytes)) = self.found.files.get(place) else { return Ok(hashed) };
            current(path);
            // The bar moves by the size from the listing, even if the file has grown or shrunk since, or can't be read.
            let mut left = *bytes;
            let result = hash_file(&self.root.join(path), &mut buffer, &stop, |read| {
                let counted = left.min(read);
                left -= counted;
                done(counted);
            });
            if stop() {
                return Err(HashFolderError::Stopped);
            }
            done(left);
            hashed.push((place, result.ok()));
        }
    }

    fn report(&self, mut hashed: Vec<Hashed>, started: Instant) -> FolderHash {
        hashed.sort_unstable_by_key(|(place, _)| *place);
        let mut all = Hasher::new();
        let (mut files, mut bytes, mut skipped) = (0, 0, self.found.skipped);
        for (place, result) in hashed {
            match (self.found.files.get(place), result) {
                (Some((path, _)), Some((hash, size))) => {
                    add_file(&mut all, path, &hash);
                    files += 1;
                    bytes += size;
                }
                _ => skipped += 1,
            }
        }
        FolderHash {
            files,
            bytes,
            skipped,
            hash: all.finalize().to_hex().to_string(),
            seconds: started.elapsed().as_secs_f64(),
        }
    }
}

/// Hashes a file in chunks, and calls `read` with the size of each. Once `stop` says so, ends early with a meaningless hash.
fn hash_file(
    path: &Path,
    buffer: &mut [u8],
    stop: impl Fn() -> bool,
    mut read: impl FnMut(u64),
) -> io::Result<(Hash, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = Hasher::new();
    while !stop() {
        let chunk = match file.read(buffer) {
            Ok(0) => break,
            Ok(length) => &buffer[..length],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(chunk);
        read(chunk.len() as u64);
    }
    Ok((hasher.finalize(), hasher.count()))
}

/// Adds a file to the hash of the folder: the length of its name, so that no two lists of files give the same input, then
/// the name and the hash of the content.
fn add_file(all: &mut Hasher, path: &Path, hash: &Hash) {
    let mut name = Vec::new();
    for part in path {
        name.extend_from_slice(part.as_encoded_bytes());
        name.push(b'/'); // on every system
    }
    all.update(&(name.len() as u64).to_le_bytes()).update(&name).update(hash.as_bytes());
}

/// Returns the last `chars` characters of a text, after an ellipsis if it was cut.
fn ending(text: &str, chars: usize) -> String {
    match text.char_indices().rev().nth(chars.saturating_sub(1)) {
        Some((start, _)) if start > 0 => format!("…{}", &text[start..]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        fs,
        path::Path,
        sync::atomic::AtomicUsize,
        time::{Duration, Instant},
    };

    use tauri_plugin_tasks::{TaskManager, TaskStatus};
    use tokio::runtime::Handle;

    use super::{FolderHash, HashFolderError, HashFolderInput, Queue, ending, find, hash_folder};

    fn hash(root: &Path) -> FolderHash {
        let queue = Queue { root: root.to_owned(), found: find(root, || false).unwrap(), next: AtomicUsize::new(0) };
        let hashed = queue.work(|_| {}, |_| {}, || false).unwrap();
        queue.report(hashed, Instant::now())
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        folder
    }

    #[test]
    fn the_hash_depends_on_names_and_contents_and_on_nothing_else() {
        let one = hash(folder(&[("a", "1"), ("b/c", "2"), ("b.d", "3")]).path());
        let other_order = hash(folder(&[("b.d", "3"), ("b/c", "2"), ("a", "1")]).path());
        assert_eq!(one.hash, other_order.hash);
        assert_eq!((one.files, one.bytes, one.skipped), (3, 3, 0));

        assert_ne!(one.hash, hash(folder(&[("a", "2"), ("b/c", "1"), ("b.d", "3")]).path()).hash);
        assert_ne!(one.hash, hash(folder(&[("a", "1"), ("b/d", "2"), ("b.d", "3")]).path()).hash);
        assert_ne!(one.hash, hash(folder(&[("a", "1"), ("b/c", "2")]).path()).hash);
    }

    #[test]
    fn the_order_in_which_workers_finish_does_not_matter() {
        let folder = folder(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let found = find(folder.path(), || false).unwrap();
        let queue = Queue { root: folder.path().to_owned(), found, next: AtomicUsize::new(0) };
        let mut hashed = queue.work(|_| {}, |_| {}, || false).unwrap();
        hashed.reverse();
        assert_eq!(queue.report(hashed, Instant::now()).hash, hash(folder.path()).hash);
    }

    #[test]
    fn unreadable_files_are_counted_and_the_bar_still_reaches_its_end() {
        let folder = folder(&[("a", "12345"), ("b", "1")]);
        let found = find(folder.path(), || false).unwrap();
        fs::remove_file(folder.path().join("a")).unwrap();
        let queue = Queue { root: folder.path().to_owned(), found, next: AtomicUsize::new(0) };
        let done = Cell::new(0);
        let hashed = queue.work(|_| {}, |bytes| done.set(done.get() + bytes), || false).unwrap();
        let report = queue.report(hashed, Instant::now());
        assert_eq!((report.files, report.bytes, report.skipped), (1, 1, 1));
        assert_eq!(done.get(), 6);
    }

    #[test]
    fn a_stop_ends_the_search_and_the_hashing_with_an_error() {
        let folder = folder(&[("a", "1"), ("b", "2")]);
        assert!(matches!(find(folder.path(), || true), Err(HashFolderError::Stopped)));

        let found = find(folder.path(), || false).unwrap();
        let queue = Queue { root: folder.path().to_owned(), found, next: AtomicUsize::new(0) };
        assert!(matches!(queue.work(|_| {}, |_| {}, || true), Err(HashFolderError::Stopped)));
    }

    #[tokio::test]
    async fn a_cancel_stops_the_hashing_of_a_large_file_in_the_middle() {
        let folder = tempfile::tempdir().unwrap();
        fs::File::create(folder.path().join("large")).unwrap().set_len(4 << 30).unwrap();
        let input = HashFolderInput { path: folder.path().to_owned() };
        let task = TaskManager::new(Handle::current()).spawn("hash-folder", |ctx| hash_folder(ctx, input));
        let mut watch = task.watch();
        while task.snapshot().progress.completed == 0 {
            watch.next().await;
        }

        let asked = Instant::now();
        task.cancel().unwrap();
        task.outcome().await;
        assert_eq!(task.status(), TaskStatus::Cancelled);
        // A tenth of a second on a machine that has nothing else to do; the whole file would take several.
        assert!(asked.elapsed() < Duration::from_secs(1), "took {:?}", asked.elapsed());
    }

    #[test]
    fn an_empty_folder_has_a_hash_and_a_missing_one_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(hash(folder.path()).files, 0);
        let missing = find(&folder.path().join("missing"), || false);
        assert!(matches!(missing, Err(HashFolderError::NoFolder(_))));
    }

    #[test]
    fn a_long_path_is_cut_at_a_character() {
        assert_eq!(ending("kurz", 4), "kurz");
        assert_eq!(ending("größer", 4), "…ößer");
    }
}
