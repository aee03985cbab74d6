//! The tasks themselves, on tokio alone: this module does not know that Tauri exists.
//!
//! A start goes [`manager`] → [`supervisor`] → handler ([`context`]); what happens to the task is decided
//! in [`life`], kept in [`record`], and picked up from there by whoever watches ([`watcher`]).

mod context;
mod error;
mod event;
mod failure;
mod filter;
mod handle;
mod id;
mod json;
mod kind;
mod life;
mod manager;
mod outcome;
mod owner;
mod progress;
mod rate;
mod record;
mod registry;
mod status;
mod supervisor;
mod watch;
mod watcher;

pub use context::{Never, ProgressReporter, TaskContext};
pub use error::{Error, ErrorKind};
pub use event::{ErrorSummary, StatusChange, TaskChange, TaskEvent, TaskSnapshot};
pub use failure::Failure;
pub use filter::TaskFilter;
pub use handle::TaskHandle;
pub use id::TaskId;
pub use json::Json;
pub use manager::TaskManager;
pub use outcome::{CancelReason, FailureKind, Outcome, TaskFailure};
pub use owner::{Owner, Page};
pub use progress::{Progress, Unit};
pub use status::TaskStatus;
pub use watch::TaskWatch;

pub(crate) use kind::{Kind, Policy};
pub(crate) use manager::{Start, unix_millis};
pub(crate) use record::{Cursor, Follower, Record};
pub(crate) use watcher::Watcher;
