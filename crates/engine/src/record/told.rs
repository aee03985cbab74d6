use std::time::Duration;

use super::{Record, RecordState};
use crate::{Progress, QueuePlace, TaskSnapshot, TaskStatus, task::owner::Owner};

/// What a list was told about one task: all parts of a snapshot that may change. The sequence number stands for the
/// status and for everything that changes only with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    sequence: u64,
    revision: u64,
    due: Option<Duration>,
    queue: Option<QueuePlace>,
    waits: u32,
    /// Whether it has an owner other than the app. It may lose that owner, but never gets another one.
    owned: bool,
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
    /// this owner and status belongs in the list. It is called under the task's lock.
    pub fn look(told: Option<Self>, record: &Record, is_listed: impl FnOnce(&Owner, TaskStatus) -> bool) -> Look {
        let state = record.state.lock();
        if state.removed {
            return Look::Gone;
        }
        let now = Self::of(record, &state);
        if let Some(told) = told
            && (Self { revision: now.revision, ..told }) == now
        {
            // Neither its status nor its owner has changed, so it is still in the list.
            if told.revision == now.revision {
                return Look::Same;
            }
            return Look::Progress(now.sequence, state.progress(), now);
        }
        if !is_listed(&state.owner, state.life.status()) {
            return Look::Gone;
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
            owned: state.owner.label().is_some(),
            ended: state.life.status().is_final(),
        }
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
