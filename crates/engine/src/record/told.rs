use std::time::Duration;

use super::{Record, RecordState, shares::Shares};
use crate::{Progress, QueuePlace, TaskSnapshot, TaskStatus};

/// What a list was told about one task: all parts of a snapshot that may change. The sequence number stands for the
/// status and for everything that changes only with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    sequence: u64,
    revision: u64,
    due: Option<Duration>,
    queue: Option<QueuePlace>,
    waits: u32,
    owner: u32,
    /// Who may be told. A list shows nothing of it.
    shares: u32,
    ended: bool,
}

/// What a list has to be told about one task, with the new [`Told`] to keep.
#[derive(Debug)]
pub enum Look {
    /// Nothing has changed.
    Same,
    /// It is not, or no longer, in the list.
    Gone,
    /// Only its progress has changed. The number is the task's sequence number.
    Progress(u64, Progress, Told),
    /// The whole snapshot.
    Snapshot(Box<TaskSnapshot>, Told),
}

impl Told {
    /// Compares one moment of `record` with what the list was `told` about it. `is_listed` says whether a task with
    /// these shares and this status belongs in the list. It is called under the task's lock.
    pub fn look(told: Option<Self>, record: &Record, is_listed: impl FnOnce(&Shares, TaskStatus) -> bool) -> Look {
        let state = record.state.lock();
        if state.removed {
            return Look::Gone;
        }
        let now = Self::of(record, &state);
        let is_unchanged = told.is_some_and(|told| told.shares == now.shares && told.is_like(now));
        // As long as neither its status nor its shares change, it is still in the list.
        if !is_unchanged && !is_listed(&state.shares, state.life.status()) {
            return Look::Gone;
        }
        if let Some(told) = told.filter(|told| told.is_like(now)) {
            if told.revision == now.revision {
                return Look::Same;
            }
            return Look::Progress(now.sequence, state.progress(), now);
        }
        Look::Snapshot(Box::new(record.snapshot_of(&state)), now)
    }

    fn of(record: &Record, state: &RecordState) -> Self {
        Self {
            sequence: state.life.sequence(),
            revision: state.revision(),
            due: state.life.due(),
            queue: record.queue_place(state),
            waits: state.waits_revision(),
            owner: state.shares.owner_revision(),
            shares: state.shares.told_revision(),
            ended: state.life.status().is_final(),
        }
    }

    /// Whether a list that was told this shows the same as one that was told `other`, apart from the progress.
    fn is_like(self, other: Self) -> bool {
        Self { revision: other.revision, shares: other.shares, ..self } == other
    }

    /// Whether the list was told that the task has ended.
    pub fn has_ended(self) -> bool {
        self.ended
    }

    /// Makes the progress count as changed even if nothing was reported: its rate falls while nothing is reported.
    pub fn refresh(&mut self) {
        self.revision = u64::MAX;
    }
}
