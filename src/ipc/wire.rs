//! Types that only the arguments and responses of commands use.

use serde::Serialize;

use crate::{Outcome, TaskSnapshot};

/// The response of a command that starts a task.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub(crate) struct Started {
    /// The task's snapshot.
    pub(crate) snapshot: TaskSnapshot,
    /// The task's outcome, if the task has already ended. `null` for an outcome of more than 4 KiB: fetch that with the
    /// command `outcome`.
    pub(crate) outcome: Option<Outcome>,
}

/// The response of `list`: a part of the tasks that match, oldest first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub(crate) struct TaskPage {
    /// The snapshots of these tasks.
    pub(crate) tasks: Vec<TaskSnapshot>,
    /// What to pass as `after` for the next part: the `order` of the last of these tasks. `null` if no further task
    /// matches.
    #[cfg_attr(test, specta(type = Option<specta_typescript::Number>))]
    pub(crate) next: Option<u64>,
}
