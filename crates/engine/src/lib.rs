//! The task engine of [tauri-plugin-tasks](https://docs.rs/tauri-plugin-tasks). It starts, watches, limits and
//! cancels tasks, and ends them cleanly when the app exits. The only runtime that it needs is tokio.
//!
//! The plugin re-exports all of this. Without the plugin, create a [`TaskManager`] and spawn work with
//! [`spawn`](TaskManager::spawn):
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
//! assert_eq!(task.result().await, Ok(5));
//! # }
//! ```
//!
//! [`start`](TaskManager::start), [`batch`](TaskManager::batch), [`rerun`](TaskManager::rerun) and
//! [`schedule`](TaskManager::schedule) need a registered kind. In an app, the plugin's `Builder` and `Task` register kinds;
//! these docs and some messages speak of them. Without the plugin, [`delivery::manager`] takes them.
//!
//! # Sleep and clocks
//!
//! | what | counts the time in which the machine sleeps | follows a clock that is set |
//! | --- | --- | --- |
//! | delays before a start, a retry or a restart; [`Schedule::every`] and [`Schedule::back_off`]; deadlines | yes | no |
//! | timeouts of tasks and attempts, stalls, grace periods, [`Restart::healthy_after`], how long a task waits for a reader, [`Retention::age`] | no | no |
//! | [`Schedule::cron`] | yes | yes |
//!
//! A sleep, and a clock that was set, is noticed within 30 seconds. Tokio's clock stands still while the machine sleeps,
//! except on Windows. There, what doesn't count sleep is counted in steps: eighths of the length, of at most 30 seconds.
//! A sleep counts for up to two of them.
//!
//! # How it is built
//!
//! Each folder uses only those below it:
//!
//! - `manager` and `handle` are the public API.
//! - `exit` ends tasks when the app exits, and `schedule` starts them by the clock.
//! - `run` starts, runs and stops tasks.
//! - `context` is what a handler is called with.
//! - `keep` stores all tasks, `record` is one task with its lock, and `kind` is one kind of task.
//! - `items` (what tasks emit), `queue` (which task may run), `quota` (what callers may have), `changes` (who is notified),
//!   `task` (what one task is), `progress` and `policy` (how a kind is treated) hold the state and make the decisions.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod changes;
mod clip;
mod clock;
mod context;
mod error;
mod exit;
mod handle;
mod items;
mod json;
mod keep;
mod kind;
mod lock;
mod logged;
mod lossy_path;
mod manager;
mod policy;
mod progress;
mod queue;
mod quota;
mod record;
mod run;
mod schedule;
mod start_options;
mod task;
mod task_key;
mod task_name;

pub mod delivery;
#[cfg(any(test, feature = "test"))]
pub mod test;
#[cfg(test)]
mod tests;

// Handlers.
pub use context::{TaskContext, progress_reporter::ProgressReporter, stopped::Stopped};
pub use items::item_type::{Bytes, Never};
pub use progress::{Progress, Unit};
pub use task::failure::Failure;
pub use tokio_util::sync::CancellationToken;

// Starting and finding tasks.
pub use changes::filter::TaskFilter;
pub use exit::guard::ExitGuard;
pub use handle::{
    HandleOf, TaskHandle,
    batch::{BatchHandle, BatchOf},
    items::{TaskBytes, TaskItems},
    watch::TaskWatch,
};
pub use json::Json;
pub use lossy_path::LossyPath;
pub use manager::TaskManager;
pub use queue::limit_of::LimitOf;
pub use start_options::{BatchOptions, OnConflict, StartOptions};
pub use task::id::TaskId;
pub use task_key::TaskKey;
pub use task_name::{FitsHandler, TakesInput, TaskName};

// Policies of kinds.
pub use keep::retention::Retention;
pub use policy::{
    backoff::Backoff, batch_progress::BatchProgress, on_exit::OnExit, on_owner_closed::OnOwnerClosed, restart::Restart,
    retry::Retry, unread::Unread,
};
pub use schedule::{
    snapshot::{LastRun, ScheduleSnapshot},
    when::{Missed, Schedule},
};

// Statuses, events, outcomes and errors.
pub use error::{Error, error_kind::ErrorKind};
pub use kind::counts::TaskCounts;
pub use task::{
    cancel_reason::CancelReason,
    event::{ErrorSummary, QueuePlace, StatusChange, TaskChange, TaskEvent, TaskSnapshot},
    outcome::{FailureKind, Outcome, TaskFailure},
    status::TaskStatus,
    task_error::TaskError,
    time_limit::TimeLimit,
};
