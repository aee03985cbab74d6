use super::{Record, RecordState};
use crate::{Progress, QueuePlace, TaskSnapshot, TaskStatus, task::owner::Owner};

/// What a list was told of one task: all parts of a snapshot that may change. The sequence number stands for the status
/// and for everything that changes only with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    sequence: u64,
    revision: u64,
    next_attempt_at: Option<u64>,
    queue: Option<QueuePlace>,
    /// Whether it has an owner beside the app. It may lose that owner, but never gets another one.
    owned: bool,
}

/// What a list has to be told of one task, with the new [`Told`] to keep.
#[derive(Debug)]
pub enum Look {
    /// Nothing has changed.
    Same,
    /// It is not in the list, or no longer.
    Gone,
    /// Only its progress has changed. The number is its sequence number.
    Progress(u64, Progress, Told),
    /// The whole snapshot.
    Snapshot(Box<TaskSnapshot>, Told),
}

impl Told {
    /// Compares `record` with what the list was `told` of it, at one moment. `is_listed` says whether a task with this
    /// owner and status is in the list. It is called under the task's lock.
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
            return Look::Progress(now.sequence, record.progress_of(&state), now);
        }
        if !is_listed(&state.owner, state.life.status()) {
            return Look::Gone;
        }
        Look::Snapshot(Box::new(record.snapshot_of(&state)), now)
    }

    fn of(record: &Record, state: &RecordState) -> Self {
        Self {
            sequence: state.life.sequence(),
            revision: record.revision_of(state),
            next_attempt_at: state.life.next_attempt_at(),
            queue: record.queue_place(state),
            owned: state.owner.label().is_some(),
        }
    }

    /// Makes the progress due again even if it has not changed: its rate falls while nothing happens.
    pub fn refresh(&mut self) {
        self.revision = u64::MAX;
    }
}
