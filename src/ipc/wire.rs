//! The types that only commands use, in addition to those of the engine.

use serde::{Deserialize, Serialize};

use crate::{CancelReason, Outcome, TaskSnapshot};

/// A task that was started.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub(crate) struct Started {
    /// How it stands.
    pub(crate) snapshot: TaskSnapshot,
    /// How it ended, if it has ended already; `null` for an outcome of more than 4 KiB, which is to be fetched.
    pub(crate) outcome: Option<Outcome>,
}

/// Why a page cancels a task. The other [`CancelReason`]s are not a page's to give.
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(rename_all = "camelCase")]
pub(crate) enum CancelCause {
    /// Somebody asked for it.
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
