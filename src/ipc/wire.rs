//! Types that only the arguments and responses of commands use.

use serde::{Deserialize, Serialize};

use crate::{CancelReason, Outcome, TaskSnapshot};

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

/// Why a page cancels a task. A page can't give any other [`CancelReason`].
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(rename_all = "camelCase")]
pub(crate) enum CancelCause {
    /// The user or the page's code cancelled it.
    User,
    /// The `AbortSignal` given to `start` fired.
    Signal,
}

impl From<CancelCause> for CancelReason {
    fn from(cause: CancelCause) -> Self {
        match cause {
            CancelCause::User => Self::User,
            CancelCause::Signal => Self::Signal,
        }
    }
}
