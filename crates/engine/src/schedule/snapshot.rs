use serde::Serialize;

use crate::{ErrorSummary, TaskId, TaskStatus};

/// A schedule as it stands at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ScheduleSnapshot {
    /// Its name. Its runs have the tag `schedule:` and this.
    pub name: String,
    /// The kind that it runs.
    pub task: String,
    /// Its interval in milliseconds, if it has one.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub every: Option<u64>,
    /// Its cron expression, if it has one.
    pub cron: Option<String>,
    /// Whether it is paused.
    pub paused: bool,
    /// When its next run is due, in milliseconds since 1970. `None` while that is open: it is paused, the app has not begun or
    /// is about to exit, or its interval counts from the end of what runs now.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub next_run_at: Option<u64>,
    /// The run that was started last.
    pub last_run: Option<LastRun>,
    /// How many of its runs have not ended.
    pub running: u32,
    /// How many of its runs have failed or timed out since the last one completed.
    pub failures: u32,
    /// How many times a run was due and was left out, because an earlier one had not ended or the start was refused. What is
    /// missed while the machine sleeps is not counted.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub skipped: u64,
}

/// The run that a schedule has started last.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LastRun {
    /// Its id. The task itself may not be kept any more.
    pub id: TaskId,
    /// When it was started, in milliseconds since 1970. It may have waited for room after that.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub started_at: u64,
    /// When it ended.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub ended_at: Option<u64>,
    /// Where it stands.
    pub status: TaskStatus,
    /// What went wrong with it.
    pub error: Option<ErrorSummary>,
}
