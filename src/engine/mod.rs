//! The tasks themselves, on tokio alone: this module does not know that Tauri exists.
//!
//! A start goes [`manager`] → [`scheduler`], and waits in [`admission`] until there is room → [`supervisor`] → handler
//! ([`context`]). What happens to the task is decided in [`life`], kept in [`record`], and picked up from there by
//! whoever watches ([`watcher`]). What stops it in time is in [`clocks`]; what it emits goes through [`items`] to its reader.
//! What is started again and again is in [`schedule`].

mod admission;
mod attempt;
mod batch;
mod clocks;
mod conflation;
mod context;
mod counts;
mod digits;
mod error;
mod event;
mod exit_guard;
mod failure;
mod filter;
mod gate;
mod handle;
mod hub;
mod id;
mod items;
mod json;
mod keys;
mod kind;
mod life;
mod limit;
mod manager;
mod on_exit;
mod on_owner_closed;
mod options;
mod outcome;
mod owner;
mod progress;
mod rate;
mod record;
mod registry;
mod restart;
mod retention;
mod retry;
mod schedule;
mod scheduler;
mod shut_down;
mod status;
mod supervisor;
#[cfg(test)]
pub(crate) mod tests;
mod time_limit;
mod watch;
mod watcher;

/// What `conflation` is made of. In the loom tests these are loom's.
mod atomic {
    pub(super) use std::sync::atomic::{AtomicU64, Ordering};
}

pub use context::{Bytes, Never, ProgressReporter, TaskContext};
pub use counts::TaskCounts;
pub use error::{Error, ErrorKind};
pub use event::{ErrorSummary, QueuePlace, StatusChange, TaskChange, TaskEvent, TaskSnapshot};
pub use exit_guard::ExitGuard;
pub use failure::Failure;
pub use filter::TaskFilter;
pub use handle::TaskHandle;
pub use id::TaskId;
pub use items::{TaskBytes, TaskItems, Unread};
pub use json::Json;
pub use limit::LimitOf;
pub use manager::TaskManager;
pub use on_exit::OnExit;
pub use on_owner_closed::OnOwnerClosed;
pub use options::{BatchOptions, OnConflict, StartOptions};
pub use outcome::{CancelReason, FailureKind, Outcome, TaskFailure};
pub use owner::{Owner, Page};
pub use progress::{Progress, Unit};
pub use restart::Restart;
pub use retention::Retention;
pub use retry::Retry;
pub use schedule::{LastRun, Missed, Schedule, ScheduleSnapshot};
pub use status::TaskStatus;
pub use time_limit::TimeLimit;
pub use watch::TaskWatch;

pub(crate) use id::IdMap;
pub(crate) use items::{Ask, Batch, Bounds};
pub(crate) use kind::{Errors, Kind, Policy};
pub(crate) use manager::{Settings, Start, StartBatch, unix_millis};
pub(crate) use record::{Cursor, Entry, EntryLook, Follower, Record};
pub(crate) use watcher::Watcher;
