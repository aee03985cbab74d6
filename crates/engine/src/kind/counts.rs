use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use serde::Serialize;

use crate::TaskStatus;

/// How many tasks of one kind have each status. Ended tasks are counted from the start of the app, including those that
/// are no longer kept.
///
/// The members of a batch are counted, the batch itself is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TaskCounts {
    /// The kind; `None` for all tasks that were spawned without a registered kind.
    pub task: Option<String>,
    /// How many of the kind may run at once; `None` without a limit.
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub limit: Option<usize>,
    /// The group whose limit the kind shares.
    pub group: Option<String>,
    /// How many are queued.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub queued: u64,
    /// How many are running.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub running: u64,
    /// How many wait for the time of their next attempt.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub retrying: u64,
    /// How many were told to stop and have not stopped yet.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub cancelling: u64,
    /// How many have completed.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub completed: u64,
    /// How many have failed.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub failed: u64,
    /// How many were cancelled.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub cancelled: u64,
    /// How many timed out.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub timed_out: u64,
}

/// The number of tasks of a kind in each status.
#[derive(Debug, Default)]
pub(crate) struct Counters([AtomicI64; TaskStatus::ALL.len()]);

impl Counters {
    /// Counts a task that is new (`from` is `None`) or that changes its status.
    pub(crate) fn note(&self, from: Option<TaskStatus>, to: TaskStatus) {
        // The old status is decremented first, and before the slot is given to another task: a concurrent read may miss
        // a task, but never sees more running than the limit. A task may begin before it is counted, so a count may be
        // negative for a moment.
        if let Some(from) = from {
            self.0[from as usize].fetch_sub(1, Relaxed);
        }
        self.0[to as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn read(&self, task: Option<&str>, limit: Option<usize>, group: Option<&str>) -> TaskCounts {
        let of = |status: TaskStatus| u64::try_from(self.0[status as usize].load(Relaxed)).unwrap_or(0);
        TaskCounts {
            task: task.map(str::to_owned),
            limit,
            group: group.map(str::to_owned),
            queued: of(TaskStatus::Queued),
            running: of(TaskStatus::Running),
            retrying: of(TaskStatus::Retrying),
            cancelling: of(TaskStatus::Cancelling),
            completed: of(TaskStatus::Completed),
            failed: of(TaskStatus::Failed),
            cancelled: of(TaskStatus::Cancelled),
            timed_out: of(TaskStatus::TimedOut),
        }
    }
}
