//! The tasks themselves, on tokio alone: this crate does not know that Tauri exists.
//!
//! A start goes [`manager`] → [`scheduler`], and waits in [`admission`] until there is room → [`supervisor`] → handler
//! ([`context`]). What happens to the task is decided in [`life`], kept in [`record`], and picked up from there by
//! whoever watches ([`watcher`]). What stops it in time is in [`clocks`]; what it emits goes through [`items`] to its reader.
//! What is started again and again is in [`schedule`].

mod context;
mod error;
mod handle;
mod items;
mod json;
mod keep;
mod leave;
mod manager;
mod options;
mod policy;
mod progress;
mod queue;
mod record;
mod run;
mod schedule;
mod task;
#[cfg(any(test, feature = "test"))]
#[doc(hidden)]
pub mod test;
#[cfg(test)]
mod tests;
mod watch;

pub mod delivery;

/// What `conflation` is made of. In the loom tests these are loom's.
mod atomic {
    pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
}

pub use context::{Bytes, Never, ProgressReporter, TaskContext};
pub use error::{Error, ErrorKind};
pub use handle::{
    TaskHandle,
    items::{TaskBytes, TaskItems},
    watch::TaskWatch,
};
pub use items::stream::Unread;
pub use json::Json;
pub use keep::retention::Retention;
pub use leave::guard::ExitGuard;
pub use manager::TaskManager;
pub use options::{BatchOptions, OnConflict, StartOptions};
pub use policy::{
    on_exit::OnExit, on_owner_closed::OnOwnerClosed, restart::Restart, retry::Retry, time_limit::TimeLimit,
};
pub use progress::cell::{Progress, Unit};
pub use queue::limit::LimitOf;
pub use schedule::{
    snapshot::{LastRun, ScheduleSnapshot},
    when::{Missed, Schedule},
};
pub use task::{
    counts::TaskCounts,
    event::{ErrorSummary, QueuePlace, StatusChange, TaskChange, TaskEvent, TaskSnapshot},
    failure::Failure,
    id::TaskId,
    outcome::{CancelReason, FailureKind, Outcome, TaskFailure},
    status::TaskStatus,
};
pub use watch::filter::TaskFilter;
