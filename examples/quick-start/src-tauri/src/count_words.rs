use std::{io, path::PathBuf};

use serde::{Deserialize, Serialize};
use tauri_plugin_tasks::{TaskContext, Unit};
use tokio::{fs::File, io::AsyncReadExt};

/// What to read.
#[derive(Deserialize)]
#[cfg_attr(test, derive(specta::Type))]
pub struct CountInput {
    path: PathBuf,
}

/// What is in the file.
#[derive(Default, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub struct Count {
    lines: u32,
    words: u32,
}

/// Why it was not counted.
#[derive(Serialize)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(tag = "type", content = "data", rename_all = "camelCase")]
pub enum CountError {
    NotFound,
    Io(String),
}

impl From<io::Error> for CountError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            _ => Self::Io(error.to_string()),
        }
    }
}

pub async fn count_words(ctx: TaskContext, input: CountInput) -> Result<Count, CountError> {
    let mut file = File::open(input.path).await?;
    ctx.progress().unit(Unit::Bytes).total(file.metadata().await?.len());

    let mut count = Count::default();
    let mut last = b'\n';
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // A cancelled task is dropped at an await, such as this one.
        let read = file.read(&mut buffer).await?;
        if read == 0 {
            return Ok(count);
        }
        for &byte in &buffer[..read] {
            // Lines and words are counted where they begin.
            count.lines += u32::from(last == b'\n');
            count.words += u32::from(last.is_ascii_whitespace() && !byte.is_ascii_whitespace());
            last = byte;
        }
        // Report as often as you like: the page gets the newest state, at most once a frame.
        ctx.progress().inc(read as u64);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tauri_plugin_tasks::test::{TestOutcome, TestTask};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn counts_the_words_and_reports_each_byte() {
        let path = std::env::temp_dir().join(format!("count-words-{}.txt", std::process::id()));
        std::fs::write(&path, "two words\nand a line\n").unwrap();
        // The input is what the page sends.
        let report = TestTask::new(count_words).run(json!({ "path": path })).await.unwrap();
        std::fs::remove_file(path).unwrap();

        let TestOutcome::Completed(count) = report.outcome else { panic!("not counted") };
        assert_eq!((count.lines, count.words), (2, 5));
        let last = report.progress.last().unwrap();
        assert_eq!((last.completed, last.total), (21, Some(21)));
    }

    #[tokio::test(start_paused = true)]
    async fn says_that_there_is_no_such_file() {
        let report = TestTask::new(count_words).run(json!({ "path": "no such file" })).await.unwrap();
        assert!(matches!(report.outcome, TestOutcome::Failed(CountError::NotFound)));
    }
}
