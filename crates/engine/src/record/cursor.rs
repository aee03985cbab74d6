use super::Record;
use crate::{QueuePlace, TaskChange, TaskEvent, TaskSnapshot};

/// A follower's position in the changes of one task.
#[derive(Debug, Clone, Copy)]
pub struct Cursor {
    sequence: u64,
    revision: u64,
    queue: Option<QueuePlace>,
    waits: u32,
    ended: bool,
}

impl Cursor {
    /// Returns the current state of `record`, and a cursor that continues from there.
    pub fn new(record: &Record) -> (TaskSnapshot, Self) {
        let state = record.state.lock();
        let revision = state.revision();
        let snapshot = record.snapshot_of(&state);
        let (sequence, queue) = (snapshot.sequence, snapshot.queue);
        let waits = state.waits_revision();
        let cursor = Self { sequence, revision, queue, waits, ended: snapshot.status.is_final() };
        (snapshot, cursor)
    }

    /// Whether the task's end has been told.
    pub fn has_ended(self) -> bool {
        self.ended
    }

    /// Makes the progress count as changed even if nothing was reported: its rate falls while nothing is reported.
    pub fn refresh(&mut self) {
        self.revision = u64::MAX;
    }

    /// Returns the next event, or `None` if there is nothing new. Status changes come one by one and in order, with the
    /// newest progress before the end.
    pub fn next(&mut self, record: &Record) -> Option<TaskEvent> {
        self.next_paced(record, true)
    }

    /// Like [`next`](Self::next), but leaves new progress for later unless `progress` is true or the end comes next.
    pub fn next_paced(&mut self, record: &Record, progress: bool) -> Option<TaskEvent> {
        use TaskChange::{Gap, Progress, Queue, Status, WaitsFor};
        if self.ended {
            return None;
        }
        let state = record.state.lock();
        let revision = state.revision();
        let progress_due = revision != self.revision;
        let change = match state.life.status_after(self.sequence) {
            Some((number, _)) if number > self.sequence + 1 => {
                let missed = number - self.sequence - 1;
                self.sequence = number - 1;
                Gap { missed }
            }
            Some((_, status)) if !(status.is_final() && progress_due) => {
                let (number, change) = state.life.change_after(self.sequence, |due| record.common.wall_at(due))?;
                self.sequence = number;
                self.queue = None;
                self.ended = status.is_final();
                Status(change)
            }
            due if due.is_some() || (progress_due && progress) => {
                self.revision = revision;
                Progress(state.progress())
            }
            _ if state.waits_revision() != self.waits => {
                self.waits = state.waits_revision();
                WaitsFor(state.lent.as_ref().map(|lent| lent.waits_for.clone()).unwrap_or_default())
            }
            _ => {
                let (before, now) = (self.queue, record.queue_place(&state));
                self.queue = now;
                // Still queued, but without a place: it has its slot, and waits for a thread.
                let has_slot = |before| QueuePlace { position: None, held: false, ..before };
                Queue(now.or(before.map(has_slot)).filter(|_| now != before)?)
            }
        };
        Some(TaskEvent { id: record.id, sequence: self.sequence, change })
    }
}
