//! Runs tasks in a terminal: `cargo run -p tauri-plugin-tasks-engine --example terminal -- <folder>…`.
//!
//! It hashes the files of each folder, two folders at a time, with a bar for each. Ctrl+C cancels the tasks that have
//! not ended.

use std::{error::Error, fs, path::PathBuf, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tauri_plugin_tasks_engine::{
    Failure, LimitOf, Never, Outcome, Progress, TaskChange, TaskContext, TaskFilter, TaskHandle, TaskManager,
    TaskSnapshot, Unit,
};
use tokio::{runtime::Handle, task::JoinSet};

/// Adds up all bytes below `folder`, in place of a real hash, which would need another library.
async fn add_up(ctx: TaskContext, folder: PathBuf) -> Result<u64, Failure> {
    let reports = ctx.clone();
    ctx.spawn_blocking(move |token| {
        let files = files(&folder)?;
        reports.progress().unit(Unit::Bytes).total(files.iter().map(|(_, size)| size).sum::<u64>());
        let mut sum = 0_u64;
        for (file, size) in files {
            if token.is_cancelled() {
                break;
            }
            reports.progress().message(file.display().to_string());
            // A file that can't be read counts as done.
            for byte in fs::read(&file).unwrap_or_default() {
                sum = sum.wrapping_mul(31).wrapping_add(byte.into());
            }
            reports.progress().inc(size);
        }
        Ok(sum)
    })
    .await
}

/// Returns the files below `folder`, with their sizes.
fn files(folder: &PathBuf) -> Result<Vec<(PathBuf, u64)>, Failure> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            files.extend(self::files(&entry.path()).unwrap_or_default());
        } else if kind.is_file() {
            files.push((entry.path(), entry.metadata()?.len()));
        }
    }
    Ok(files)
}

/// Moves a bar along with a task, and shows how the task ended.
async fn show(task: TaskHandle<u64, Failure, (), Never>, bar: ProgressBar) {
    bar.enable_steady_tick(Duration::from_millis(100));
    let mut watch = task.watch();
    draw(&bar, &watch.snapshot().progress);
    while let Some(event) = watch.next().await {
        if let TaskChange::Progress(progress) = event.change {
            draw(&bar, &progress);
        }
    }
    bar.finish_with_message(match task.outcome().await {
        Outcome::Completed { output, .. } => format!("done: {}", output.text()),
        Outcome::Failed(failure) => format!("failed: {}", failure.message),
        Outcome::Cancelled { .. } => "cancelled".into(),
        other => format!("{other:?}"),
    });
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    if let Some(total) = progress.total {
        bar.set_length(total);
    }
    bar.set_position(progress.completed);
    if let Some(message) = &progress.message {
        bar.set_message(message.to_string());
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let tasks = TaskManager::new(Handle::current());
    tasks.set_limit(LimitOf::App, 2)?;
    let bars = MultiProgress::new();
    let style = ProgressStyle::with_template("{prefix:>14!} {bar:20} {bytes:>10} of {total_bytes:10} {wide_msg}")?;
    let mut shown = JoinSet::new();
    for folder in std::env::args_os().skip(1).map(PathBuf::from) {
        let bar =
            bars.add(ProgressBar::no_length().with_style(style.clone()).with_prefix(folder.display().to_string()));
        let task = tasks.spawn("add-up", move |ctx| add_up(ctx, folder));
        shown.spawn(show(task, bar));
    }
    let all_shown = async { while shown.join_next().await.is_some() {} };
    let cancelled = async {
        if tokio::signal::ctrl_c().await.is_ok() {
            tasks.cancel_all(&TaskFilter::default());
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = all_shown => {}
        () = cancelled => {}
    }
    let ended = |task: &TaskSnapshot| task.ended_at.is_some();
    assert!(tasks.list(&TaskFilter::default()).iter().all(ended), "each bar stays until its task has ended");
    Ok(())
}
