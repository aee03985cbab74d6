//! The tasks of [tauri-plugin-tasks](https://docs.rs/tauri-plugin-tasks): started, watched, bounded, cancelled and cleanly ended,
//! on tokio alone.
//!
//! An app that has windows names the plugin, which re-exports all of this. For a program without, make a [`TaskManager`] and
//! [`spawn`](TaskManager::spawn) work on it:
//!
//! ```
//! # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
//! use tauri_plugin_tasks::{Failure, TaskContext, TaskManager};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let tasks = TaskManager::new(tokio::runtime::Handle::current());
//! let task = tasks.spawn("add", async |ctx: TaskContext| {
//!     ctx.progress().total(1).inc(1);
//!     Ok::<_, Failure>(2 + 3)
//! });
//! assert_eq!(task.outcome().await.output::<u32>(), Some(5));
//! # }
//! ```
//!
//! # How it is built
//!
//! Each folder stands above those it uses: `manager` and `handle`, which people call, on `leave` and `schedule`, these on `run`,
//! which lets tasks run, stops them and lets them go; that on `keep`, which knows all of them, and `record`, which is one of them
//! with a lock; and `record` on what is plain data: `queue` (who may run), `items` (what is emitted), `watch` (who is told),
//! `progress`, `task` (what one task is) and `policy` (how its kind is treated).

mod clock;
mod context;
mod error;
mod handle;
mod items;
mod json;
mod keep;
mod leave;
mod lock;
mod manager;
mod options;
mod policy;
mod progress;
mod queue;
mod record;
mod run;
mod schedule;
mod task;
mod watch;

pub mod delivery;
#[cfg(any(test, feature = "test"))]
#[doc(hidden)]
pub mod test;
#[cfg(test)]
mod tests;

// Handlers.
pub use context::{TaskContext, progress_reporter::ProgressReporter};
pub use items::item_type::{Bytes, Never};
pub use progress::{Progress, Unit};
pub use task::failure::Failure;

// Starting and finding tasks.
pub use handle::{
    TaskHandle,
    items::{TaskBytes, TaskItems},
    watch::TaskWatch,
};
pub use json::Json;
pub use leave::guard::ExitGuard;
pub use manager::TaskManager;
pub use options::{BatchOptions, OnConflict, StartOptions};
pub use queue::limit::LimitOf;
pub use task::id::TaskId;
pub use watch::filter::TaskFilter;

// How kinds are treated.
pub use keep::retention::Retention;
pub use policy::{
    on_exit::OnExit, on_owner_closed::OnOwnerClosed, restart::Restart, retry::Retry, time_limit::TimeLimit,
    unread::Unread,
};
pub use schedule::{
    snapshot::{LastRun, ScheduleSnapshot},
    when::{Missed, Schedule},
};

// What is known of a task.
pub use error::{Error, kind::ErrorKind};
pub use task::{
    counts::TaskCounts,
    event::{ErrorSummary, QueuePlace, StatusChange, TaskChange, TaskEvent, TaskSnapshot},
    outcome::{CancelReason, FailureKind, Outcome, TaskFailure},
    status::TaskStatus,
};
