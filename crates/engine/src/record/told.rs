use super::{Record, State};
use crate::{Progress, QueuePlace, TaskSnapshot, TaskStatus, task::owner::Owner};

/// What a list was told of one task: whatever of a snapshot may change. The status, and all that changes with it alone, is
/// in the sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    sequence: u64,
    revision: u64,
    next_attempt_at: Option<u64>,
    queue: Option<QueuePlace>,
    /// Whether a page owns it: an owner may be lost, but is never another's.
    owned: bool,
}

/// What there is to tell of one task in a list, and what has been told when it was.
#[derive(Debug)]
pub enum Look {
    /// Nothing.
    Same,
    /// It is not in the list (any more).
    Gone,
    /// Nothing but its progress, and its sequence number with it.
    Progress(u64, Progress, Told),
    /// All of it.
    Snapshot(Box<TaskSnapshot>, Told),
}

impl Told {
    /// Compares `record` with what was `told` of it, all in one look. `is_listed` says whether a task with this owner and
    /// status is in the list; it is called under the lock of the task.
    pub fn look(told: Option<Self>, record: &Record, is_listed: impl FnOnce(&Owner, TaskStatus) -> bool) -> Look {
        let state = record.state.lock();
        if state.removed {
            return Look::Gone;
        }
        let now = Self::of(record, &state);
        if let Some(told) = told
            && (Self { revision: now.revision, ..told }) == now
        {
            // Neither status nor owner is another, so it is still in the list.
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

    fn of(record: &Record, state: &State) -> Self {
        Self {
            sequence: state.life.sequence(),
            revision: record.revision_of(state),
            next_attempt_at: state.life.next_attempt_at(),
            queue: record.queue_place(state),
            owned: state.owner.label().is_some(),
        }
    }

    /// Has the progress told again, changed or not: its rate falls while nothing happens.
    pub fn refresh(&mut self) {
        self.revision = u64::MAX;
    }
}
