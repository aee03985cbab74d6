use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use serde::Serialize;

use crate::TaskStatus;

/// How many tasks of one kind stand where. Ended tasks are counted since the app began, also those that are not kept.
///
/// A batch is not counted, its members are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TaskCounts {
    /// The kind; `None` for all tasks that were spawned without a registered kind.
    pub task: Option<String>,
    /// How many of the kind may run at once; `None` without a limit.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub limit: Option<usize>,
    /// The group whose limit the kind shares.
    pub group: Option<String>,
    /// How many are queued.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub queued: u64,
    /// How many run.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub running: u64,
    /// How many wait for their next attempt's time.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub retrying: u64,
    /// How many were told to stop and have not stopped.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub cancelling: u64,
    /// How many have completed.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub completed: u64,
    /// How many have failed.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub failed: u64,
    /// How many were cancelled.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub cancelled: u64,
    /// How many timed out.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub timed_out: u64,
}

/// Counts the tasks of a kind by status, as they change.
#[derive(Debug, Default)]
pub(crate) struct Counters([AtomicI64; TaskStatus::ALL.len()]);

impl Counters {
    /// A task is new, or goes from one status to another.
    pub(crate) fn note(&self, from: Option<TaskStatus>, to: TaskStatus) {
        // Down before up, and before its slot is another's: who reads in between may miss a task, but never sees more running
        // than may. A task can begin before it is counted at all, so a number can be below zero for a moment.
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
