use serde::{Deserialize, Serialize};

/// The status of a task. [`TaskStatus::may_become`] has all its changes.
///
/// A minor version may add statuses: keep a branch for the others. Whether a task has ended, `ended_at` of its snapshot
/// says, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "__specta", derive(specta::Type))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum TaskStatus {
    /// Accepted, not yet running: it waits for its turn, or for a thread.
    Queued,
    /// Its handler runs.
    Running,
    /// An attempt is over, and the next one waits for its time.
    Retrying,
    /// Told to stop, not stopped yet.
    Cancelling,
    /// Ended: the handler returned its output.
    Completed,
    /// Ended: the handler returned an error or panicked.
    Failed,
    /// Ended: stopped before it was done.
    Cancelled,
    /// Ended: a time limit was reached.
    TimedOut,
}

impl TaskStatus {
    /// All statuses, in the order of a task's life.
    pub const ALL: &'static [Self] = &[
        Self::Queued,
        Self::Running,
        Self::Retrying,
        Self::Cancelling,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::TimedOut,
    ];

    /// Its name, as it is serialized.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Cancelling => "cancelling",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timedOut",
        }
    }

    /// Whether a task in this status has ended. It never leaves a final status.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled | Self::TimedOut)
    }

    /// Whether a task may change from this status directly to `next`.
    pub const fn may_become(self, next: Self) -> bool {
        use TaskStatus::{Cancelled, Cancelling, Completed, Failed, Queued, Retrying, Running, TimedOut};
        matches!(
            (self, next),
            (Queued, Running | Cancelled | TimedOut)
                | (Running, Completed | Failed | Retrying | Cancelling)
                | (Retrying, Queued | Cancelled | TimedOut)
                | (Cancelling, Cancelled | Completed | TimedOut)
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::TaskStatus::*;
    use crate::TaskStatus::{self};

    #[test]
    fn statuses_change_along_these_edges_and_no_others() {
        let edges = [
            (Queued, vec![Running, Cancelled, TimedOut]),
            (Running, vec![Retrying, Cancelling, Completed, Failed]),
            (Retrying, vec![Queued, Cancelled, TimedOut]),
            (Cancelling, vec![Completed, Cancelled, TimedOut]),
            (Completed, vec![]),
            (Failed, vec![]),
            (Cancelled, vec![]),
            (TimedOut, vec![]),
        ];
        for (from, allowed) in edges {
            let found: Vec<_> = TaskStatus::ALL.iter().copied().filter(|next| from.may_become(*next)).collect();
            assert_eq!(found, allowed, "from {from:?}");
        }
    }

    #[test]
    fn the_name_of_a_status_is_what_it_serializes_to() {
        for status in TaskStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        }
    }

    #[test]
    fn a_status_is_final_exactly_if_none_can_follow() {
        for status in TaskStatus::ALL {
            let leads_on = TaskStatus::ALL.iter().any(|next| status.may_become(*next));
            assert_eq!(status.is_final(), !leads_on, "{status:?}");
        }
    }
}
