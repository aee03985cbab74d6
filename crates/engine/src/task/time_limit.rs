use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::failure::MESSAGE_LIMIT;
use crate::clip::clip;

/// The time limits of a task. Reaching one ends the task as [`TimedOut`](crate::TaskStatus::TimedOut).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum TimeLimit {
    /// For the whole task, from the start of its first attempt, including all waits between attempts.
    Timeout,
    /// For one attempt.
    AttemptTimeout,
    /// For the time without any sign of life within an attempt: a report of progress, or an item. The time that the
    /// handler spends waiting in [`emit`](crate::TaskContext::emit) doesn't count.
    Stalled,
    /// For everything from the moment the task is accepted, waiting included.
    Deadline,
}

impl TimeLimit {
    /// Returns the message that task `name` reached this limit, which is `length` long.
    pub(crate) fn message(self, name: &str, length: Duration) -> String {
        let length = humantime::format_duration(length);
        let message = match self {
            Self::Timeout => format!("task \"{name}\" took longer than its timeout of {length}"),
            Self::AttemptTimeout => {
                format!("an attempt of task \"{name}\" took longer than its attempt_timeout of {length}")
            }
            Self::Stalled => {
                format!("task \"{name}\" stalled: it reported and emitted nothing for its stall_timeout of {length}")
            }
            Self::Deadline => format!("task \"{name}\" had not ended by its deadline, {length} after it was accepted"),
        };
        clip(message, MESSAGE_LIMIT).into()
    }
}
