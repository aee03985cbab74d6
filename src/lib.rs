//! Long-running work for Tauri apps: start, watch, bound, cancel and cleanly end tasks, typed from Rust to TypeScript.
//!
//! Register an `async fn` as a [`Task`]. Start it from a page or, with [`TasksExt::tasks`], from Rust:
//!
//! ```no_run
//! use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext, Unit};
//!
//! async fn checksum(ctx: TaskContext, path: std::path::PathBuf) -> Result<u32, Failure> {
//!     let bytes = tokio::fs::read(path).await?;
//!     ctx.progress().unit(Unit::Bytes).total(bytes.len() as u64);
//!     let mut sum = 0_u32;
//!     for chunk in bytes.chunks(64 * 1024) {
//!         sum = chunk.iter().fold(sum, |sum, byte| sum.wrapping_add(u32::from(*byte)));
//!         ctx.progress().inc(chunk.len() as u64);
//!         tokio::task::yield_now().await;
//!     }
//!     Ok(sum)
//! }
//!
//! fn tasks<R: tauri::Runtime>() -> Builder<R> {
//!     Builder::new().task(Task::new("checksum", checksum))
//! }
//!
//! # fn add_to<R: tauri::Runtime>(builder: tauri::Builder<R>) -> tauri::Builder<R> {
//! // builder: tauri::Builder::default()
//! builder.plugin(tasks().build())
//! # }
//! ```
//!
//! A page starts it with the npm package `tauri-plugin-tasks-api`. The page's capability must name the task. The crate
//! [tauri-plugin-tasks-specta](https://docs.rs/tauri-plugin-tasks-specta) writes the TypeScript types of the registered
//! tasks, in a test of the app.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
mod app;
mod builder;
mod config;
mod handler;
mod handler_types;
#[macro_use]
mod ipc;
mod lock;
mod plugin;
mod quotas;
mod session;
mod state;
mod task;
mod tasks_ext;
#[cfg(feature = "test")]
pub mod test;

pub use app::exit::{LastWindowClosed, Quit};
pub use app::page_process::web_content_process_terminated;
pub use builder::Builder;
pub use config::Config;
pub use handler::Handler;
pub use quotas::Quotas;
pub use task::Task;
pub use tasks_ext::TasksExt;
pub use tauri_plugin_tasks_engine::{
    Backoff, BatchHandle, BatchOf, BatchOptions, BatchProgress, Bytes, CancelReason, CancellationToken, Error,
    ErrorKind, ErrorSummary, ExitGuard, Failure, FailureKind, FitsHandler, HandleOf, Json, LastRun, LimitOf, LossyPath,
    Missed, Never, OnConflict, OnExit, OnOwnerClosed, Outcome, Progress, ProgressReporter, QueuePlace, Restart,
    Retention, Retry, Schedule, ScheduleSnapshot, StartOptions, StatusChange, Stopped, TakesInput, TaskBytes,
    TaskChange, TaskContext, TaskCounts, TaskError, TaskEvent, TaskFailure, TaskFilter, TaskHandle, TaskId, TaskItems,
    TaskKey, TaskManager, TaskName, TaskSnapshot, TaskStatus, TaskWatch, TimeLimit, Unit, Unread,
};

#[doc(hidden)]
pub use app::held::Held;
#[doc(hidden)]
pub use handler::{Alone, WithApp};
#[doc(hidden)]
pub use handler_types::HandlerTypes;
