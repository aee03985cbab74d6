use serde::Serialize;

use crate::{ErrorSummary, TaskId, TaskStatus};

/// A schedule as it is at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ScheduleSnapshot {
    /// The schedule's name. Its runs have the tag `schedule:` followed by this name.
    pub name: String,
    /// The kind that it runs.
    pub task: String,
    /// Its interval in milliseconds, if it has one.
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub every: Option<u64>,
    /// Its cron expression, if it has one.
    pub cron: Option<String>,
    /// Whether it is paused.
    pub paused: bool,
    /// When the next run is due, in milliseconds since 1970. `None` while that is open: the schedule is paused, the app
    /// has not begun or is about to exit, or the interval counts from the end of a current run.
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub next_run_at: Option<u64>,
    /// The run that was started last.
    pub last_run: Option<LastRun>,
    /// How many of its runs have not ended.
    pub running: u32,
    /// How many of its runs have failed or timed out since the last one completed.
    pub failures: u32,
    /// How many due runs were left out: an earlier one had not ended or was late, the start was refused, or their time
    /// passed while the machine slept or when its clock was set. Of a cron expression, up to 1,000 are counted at a time.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub skipped: u64,
}

/// The run that a schedule started last.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LastRun {
    /// The run's id. The task itself may no longer be kept.
    pub id: TaskId,
    /// When the run was started, in milliseconds since 1970. It may have waited for room after that.
    #[cfg_attr(feature = "__specta", specta(type = specta_typescript::Number))]
    pub started_at: u64,
    /// When the run ended, in milliseconds since 1970.
    #[cfg_attr(feature = "__specta", specta(type = Option<specta_typescript::Number>))]
    pub ended_at: Option<u64>,
    /// The run's status.
    pub status: TaskStatus,
    /// Why the run failed, if it did.
    pub error: Option<ErrorSummary>,
}
