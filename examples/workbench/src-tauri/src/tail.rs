//! `tail`: the lines of a log file, including those that are still to come.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tauri_plugin_tasks::{LossyPath, Never, TaskContext, Unit};

use follow::{Follow, Found};
use lines::Lines;

mod follow;
mod lines;

/// How often a file that was read to its end is polled. A poll costs a few system calls, and works on network drives and for
/// every kind of rotation. File events would need a watch on the folder, a fallback for systems without them, and this poll as
/// well.
const POLL: Duration = Duration::from_millis(100);
/// The length in bytes above which a line comes in pieces.
const LONGEST_LINE: usize = 64 * 1024;
/// How many bytes from the end are shown first if a file is not read from its start.
const FIRST_BYTES: u64 = 8 * 1024;

/// Which file to follow.
#[derive(Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(rename_all = "camelCase")]
pub struct TailInput {
    /// The log file.
    pub path: PathBuf,
    /// Whether to begin with the first line, instead of the last few lines.
    pub from_start: bool,
}

/// The state of a tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub struct TailDetail {
    /// How many lines it has emitted.
    #[cfg_attr(test, specta(type = tauri_plugin_tasks_specta::Number))]
    pub lines: u64,
    /// How often another file took the name, or the file was emptied.
    pub rotations: u32,
    /// What the tail is doing.
    pub state: TailState,
}

/// What a tail is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(rename_all = "camelCase")]
pub enum TailState {
    /// Reads the lines that are there.
    Reading,
    /// Waits for more.
    Waiting,
    /// Waits for a file with this name.
    Missing,
}

/// Why a tail failed.
#[derive(Debug, Serialize, thiserror::Error)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(tag = "type", content = "data", rename_all = "camelCase")]
pub enum TailError {
    /// There was no file at the start, so the path is probably wrong. A tail waits for a file that goes missing later.
    #[error("there is no file {}", .0.display())]
    NoFile(LossyPath),
    /// The path is that of a folder, a pipe or a device.
    #[error("{} is not a file", .0.display())]
    NotAFile(LossyPath),
    /// The file could not be read.
    #[error("the file could not be read ({0})")]
    Io(String),
}

impl TailError {
    fn at_start(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NoFile(path.into()),
            io::ErrorKind::InvalidInput => Self::NotAFile(path.into()),
            _ => Self::Io(error.to_string()),
        }
    }
}

impl From<io::Error> for TailError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.to_string())
    }
}

/// Emits the lines of a file until it is cancelled.
///
/// The disk is read on a blocking thread, a chunk at a time. While nobody takes the lines or the file doesn't grow, this future
/// waits without occupying a thread, and a cancel drops it.
pub async fn tail(ctx: TaskContext<TailDetail, String>, input: TailInput) -> Result<Never, TailError> {
    let mut tail = ctx
        .spawn_blocking(move |_| {
            Tail::open(&input.path, input.from_start).map_err(|error| TailError::at_start(&input.path, &error))
        })
        .await?;
    ctx.progress().unit(Unit::Bytes);
    let mut detail = TailDetail { lines: 0, rotations: 0, state: TailState::Reading };
    let mut read = 0;
    loop {
        let step;
        (tail, step) = ctx
            .spawn_blocking(move |_| {
                let step = tail.step();
                (tail, step)
            })
            .await;
        let Step { lines, bytes, left, rotated, state } = step?;
        detail.rotations += u32::from(rotated);
        detail.state = state;
        for line in lines {
            // Waits while nobody takes items and the buffer is full.
            ctx.emit(line).await;
            detail.lines += 1;
        }
        read += bytes;
        ctx.progress().total(read + left).set(read).detail(detail);
        if state != TailState::Reading {
            tokio::time::sleep(POLL).await;
        }
    }
}

/// A followed file, line by line.
struct Tail {
    file: Follow,
    lines: Lines,
}

/// What one read of the file returned.
#[derive(Debug)]
struct Step {
    lines: Vec<String>,
    bytes: u64,
    /// How much of the file is still to be read.
    left: u64,
    rotated: bool,
    state: TailState,
}

impl Tail {
    fn open(path: &Path, from_start: bool) -> io::Result<Self> {
        let file = if from_start { Follow::from_start(path)? } else { Follow::from_end(path, FIRST_BYTES)? };
        Ok(Self { file, lines: Lines::new(LONGEST_LINE) })
    }

    fn step(&mut self) -> io::Result<Step> {
        let mut step = Step { lines: Vec::new(), bytes: 0, left: 0, rotated: false, state: TailState::Reading };
        match self.file.next()? {
            Found::Bytes(bytes) => {
                step.bytes = bytes.len() as u64;
                step.lines = self.lines.push(bytes);
            }
            Found::End => {
                step.rotated = true;
                step.lines = self.lines.finish();
            }
            Found::Nothing { missing: false } => step.state = TailState::Waiting,
            Found::Nothing { missing: true } => step.state = TailState::Missing,
        }
        step.left = self.file.left()?;
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File, OpenOptions},
        io::Write as _,
        path::PathBuf,
    };

    use tauri_plugin_tasks::{TaskHandle, TaskManager, TaskStatus};
    use tempfile::TempDir;
    use tokio::runtime::Handle;

    use super::{FIRST_BYTES, LONGEST_LINE, Never, Step, Tail, TailDetail, TailError, TailInput, TailState, tail};

    /// A log in a folder of its own, and the tail that follows it.
    struct Log {
        folder: TempDir,
        tail: Tail,
    }

    impl Log {
        fn with(content: &str) -> Self {
            Self::open(content, true)
        }

        fn open(content: &str, from_start: bool) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("app.log");
            fs::write(&path, content).unwrap();
            let tail = Tail::open(&path, from_start).unwrap();
            Self { folder, tail }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("app.log")
        }

        fn rotated(&self) -> PathBuf {
            self.folder.path().join("app.log.1")
        }

        fn append(&self, text: &str) {
            append(&mut OpenOptions::new().append(true).open(self.path()).unwrap(), text);
        }

        /// Reads all lines that there are now. Returns them, and what the tail then waits for.
        fn read(&mut self) -> (Vec<String>, TailState) {
            let mut all = Vec::new();
            loop {
                let Step { lines, state, .. } = self.tail.step().unwrap();
                all.extend(lines);
                if state != TailState::Reading {
                    return (all, state);
                }
            }
        }

        /// Reads all lines that there are now.
        fn lines(&mut self) -> Vec<String> {
            self.read().0
        }
    }

    fn append(file: &mut File, text: &str) {
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn what_is_appended_is_read_once() {
        let mut log = Log::with("one\ntwo\n");
        assert_eq!(log.lines(), ["one", "two"]);
        assert!(log.lines().is_empty());
        log.append("three\nfour\n");
        assert_eq!(log.lines(), ["three", "four"]);
    }

    #[test]
    fn a_line_comes_when_it_is_complete() {
        let mut log = Log::with("one\ntw");
        assert_eq!(log.lines(), ["one"]);
        log.append("o");
        assert!(log.lines().is_empty());
        log.append("\r\n");
        assert_eq!(log.lines(), ["two"]);
    }

    #[test]
    fn invalid_utf_8_is_replaced() {
        let mut log = Log::with("");
        fs::write(log.path(), b"caf\xe9\n").unwrap();
        assert_eq!(log.lines(), ["caf\u{fffd}"]);
    }

    #[test]
    fn a_renamed_file_is_read_to_its_end_before_the_new_one() {
        let mut log = Log::with("one\n");
        assert_eq!(log.lines(), ["one"]);
        log.append("two\nthr");
        fs::rename(log.path(), log.rotated()).unwrap();
        fs::write(log.path(), "four\n").unwrap();
        assert_eq!(log.lines(), ["two", "thr", "four"]);
        log.append("five\n");
        assert_eq!(log.lines(), ["five"]);
    }

    #[test]
    fn a_renamed_file_is_read_until_the_new_one_has_content() {
        let mut log = Log::with("one\n");
        let mut writer = OpenOptions::new().append(true).open(log.path()).unwrap();
        fs::rename(log.path(), log.rotated()).unwrap();
        assert_eq!(log.read(), (vec!["one".to_owned()], TailState::Missing));
        append(&mut writer, "two\n");
        assert_eq!(log.lines(), ["two"]);
        // The rotation has created the new file, but the writer still writes to the old one.
        let mut new = File::create(log.path()).unwrap();
        assert_eq!(log.read(), (vec![], TailState::Waiting));
        append(&mut writer, "three\n");
        assert_eq!(log.lines(), ["three"]);
        append(&mut writer, "four\n");
        append(&mut new, "five\n");
        assert_eq!(log.lines(), ["four", "five"]);
    }

    #[test]
    fn a_file_that_is_rotated_many_times_loses_nothing() {
        let mut log = Log::with("");
        for round in 0..20 {
            log.append(&format!("{round} a\n{round} b\n"));
            if round % 2 == 0 {
                assert_eq!(log.lines(), [format!("{round} a"), format!("{round} b")]);
            }
            log.append(&format!("{round} c\n"));
            fs::rename(log.path(), log.rotated()).unwrap();
            fs::write(log.path(), format!("{round} d\n")).unwrap();
            let lines = log.lines();
            assert_eq!(lines.last().unwrap(), &format!("{round} d"));
            assert_eq!(lines.len(), if round % 2 == 0 { 2 } else { 4 });
        }
    }

    #[test]
    fn an_emptied_file_is_read_from_its_beginning() {
        let mut log = Log::with("one\ntwo\nthr");
        assert_eq!(log.lines(), ["one", "two"]);
        fs::copy(log.path(), log.rotated()).unwrap();
        OpenOptions::new().write(true).truncate(true).open(log.path()).unwrap();
        assert_eq!(log.lines(), ["thr"]);
        log.append("four\n");
        assert_eq!(log.lines(), ["four"]);
    }

    #[test]
    fn an_emptied_file_is_noticed_even_if_it_has_grown_longer_meanwhile() {
        for new in ["a\nb\n", "uno\ndos\n", "uno\ndos\ntres\n"] {
            let mut log = Log::with("one\ntwo\n");
            assert_eq!(log.lines().len(), 2);
            fs::write(log.path(), new).unwrap(); // rewrites the same file
            assert_eq!(log.lines(), new.lines().collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_emptied_file_is_noticed_in_the_middle_of_reading() {
        let mut log = Log::with(&"one\n".repeat(100_000));
        assert_eq!(log.tail.step().unwrap().state, TailState::Reading, "there is more of it");
        fs::write(log.path(), "two\n".repeat(100_000)).unwrap(); // rewrites the same file
        let lines = log.lines();
        assert_eq!(lines.iter().filter(|line| **line == "two").count(), 100_000, "of {}", lines.len());
    }

    #[test]
    fn a_removed_file_is_waited_for() {
        let mut log = Log::with("one\n");
        assert_eq!(log.lines(), ["one"]);
        fs::remove_file(log.path()).unwrap();
        assert_eq!(log.read(), (vec![], TailState::Missing));
        assert_eq!(log.read(), (vec![], TailState::Missing));
        fs::write(log.path(), "two\n").unwrap();
        assert_eq!(log.read(), (vec!["two".to_owned()], TailState::Waiting));
    }

    #[test]
    fn a_folder_with_the_name_counts_as_a_missing_file() {
        let mut log = Log::with("one\n");
        fs::remove_file(log.path()).unwrap();
        fs::create_dir(log.path()).unwrap();
        assert_eq!(log.read(), (vec!["one".to_owned()], TailState::Missing));
    }

    #[test]
    fn a_file_without_line_ends_comes_in_pieces() {
        let mut log = Log::with(&"x".repeat(3 * LONGEST_LINE));
        assert_eq!(log.lines().iter().map(String::len).collect::<Vec<_>>(), [LONGEST_LINE, LONGEST_LINE]);
        log.append("\n");
        assert_eq!(log.lines().iter().map(String::len).collect::<Vec<_>>(), [LONGEST_LINE]);
    }

    #[test]
    fn the_end_of_a_file_begins_with_a_whole_line() {
        let line = |number: u64| format!("line {number:>10}"); // of 16 bytes with its end
        let all = 2 * FIRST_BYTES / 16;
        let content: String = (0..all).map(|number| line(number) + "\n").collect();
        let half: Vec<_> = (all / 2..all).map(line).collect();

        assert_eq!(Log::open(&content, false).lines(), half, "the first is just at the boundary");
        let mut log = Log::open(&(content.clone() + "x"), false);
        assert_eq!(log.lines(), half.get(1..).unwrap(), "the first is cut, and the last is not complete");
        log.append("y\n");
        assert_eq!(log.lines(), ["xy"]);
    }

    #[test]
    fn the_end_of_a_short_file_is_all_of_it_and_the_end_of_a_long_line_is_a_part() {
        assert_eq!(Log::open("one\ntwo\n", false).lines(), ["one", "two"]);
        assert!(Log::open("", false).lines().is_empty());
        let content = "x".repeat(3 * usize::try_from(FIRST_BYTES).unwrap());
        let mut log = Log::open(&content, false);
        assert!(log.lines().is_empty());
        log.append("\n");
        assert_eq!(log.lines().iter().map(String::len).sum::<usize>() as u64, FIRST_BYTES);
    }

    fn start(path: PathBuf) -> TaskHandle<Never, TailError, TailDetail, String> {
        let input = TailInput { path, from_start: true };
        TaskManager::new(Handle::current()).spawn("tail", |ctx| tail(ctx, input))
    }

    #[tokio::test]
    async fn a_task_emits_new_lines_until_it_is_cancelled() {
        let log = Log::with("one\ntwo\n");
        let task = start(log.path());
        let mut lines = task.items();
        assert_eq!(lines.next().await.unwrap().unwrap(), "one");
        assert_eq!(lines.next().await.unwrap().unwrap(), "two");
        log.append("three\n");
        fs::rename(log.path(), log.rotated()).unwrap();
        fs::write(log.path(), "four\n").unwrap();
        assert_eq!(lines.next().await.unwrap().unwrap(), "three");
        assert_eq!(lines.next().await.unwrap().unwrap(), "four");

        task.cancel().unwrap();
        task.outcome().await;
        assert_eq!(task.status(), TaskStatus::Cancelled);
        assert!(lines.next().await.is_none());
    }

    #[tokio::test]
    async fn a_task_reports_its_progress_and_its_state() {
        let log = Log::with("one\ntwo\n");
        let task = start(log.path());
        let mut watch = task.watch();
        while !serde_json::to_string(&task.snapshot().progress).unwrap().contains("waiting") {
            watch.next().await;
        }
        let progress = task.snapshot().progress;
        assert_eq!((progress.completed, progress.total), (8, Some(8)));
        task.cancel().unwrap();
    }

    #[tokio::test]
    async fn a_task_without_a_file_fails() {
        let log = Log::with("");
        let task = start(log.rotated());
        task.outcome().await;
        assert_eq!(task.status(), TaskStatus::Failed);
    }

    #[test]
    fn each_step_says_how_much_is_left() {
        let mut log = Log::with(&"0123456789\n".repeat(60_000));
        let (mut read, mut before) = (0, 660_000);
        while read < 660_000 {
            let Step { bytes, left, state, .. } = log.tail.step().unwrap();
            assert_eq!(state, TailState::Reading);
            read += bytes;
            assert_eq!(left, 660_000 - read);
            assert!(left < before);
            before = left;
        }
    }
}
