//! What others see of a task.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Record, RecordState};
use crate::{
    progress::Progress,
    task::{
        event::{QueuePlace, TaskSnapshot},
        life::INLINE_OUTCOME_LIMIT,
        outcome::Outcome,
        status::TaskStatus,
    },
};

/// What a member adds to the progress of its batch, and to the outcomes.
pub(crate) struct Share {
    pub(crate) progress: Progress,
    pub(crate) attempt: u32,
    /// The count that the attempt began with; `None` if it has reported none.
    pub(crate) start: Option<u64>,
    pub(crate) outcome: Option<Outcome>,
}

/// Returns each of the tasks as it is now.
pub(crate) fn snapshots(records: &[Arc<Record>]) -> Vec<TaskSnapshot> {
    records.iter().map(|record| record.snapshot()).collect()
}

impl Record {
    /// Returns the task as it is now.
    pub fn snapshot(&self) -> TaskSnapshot {
        let state = self.state.lock();
        state.revision();
        self.snapshot_of(&state)
    }

    pub(super) fn snapshot_of(&self, state: &RecordState) -> TaskSnapshot {
        let life = &state.life;
        let options = self.options.as_deref();
        TaskSnapshot {
            id: self.id,
            order: self.order(),
            task: self.name().to_owned(),
            status: life.status(),
            sequence: life.sequence(),
            owner: state.shares.owner().label().map(str::to_owned),
            progress: state.progress(),
            attempt: life.attempt(),
            cancel_reason: life.cancel_reason(),
            time_limit: life.time_limit(),
            overdue: life.overdue(),
            queue: self.queue_place(state),
            next_attempt_at: life.due().map(|due| self.common.wall_at(due)),
            created_at: life.created_at(),
            started_at: life.started_at(),
            ended_at: life.ended_at(),
            input: Some(&self.input)
                .filter(|input| self.kind.policy.shows_input() && input.len() <= INLINE_OUTCOME_LIMIT)
                .cloned(),
            error: life.error(),
            key: options.and_then(|options| options.key.clone()),
            label: options.and_then(|options| options.label.clone()),
            tags: options.map(|options| options.tags.to_vec()).unwrap_or_default(),
            parent: self.parent,
            waits_for: state.lent.as_ref().map(|lent| lent.waits_for.clone()).unwrap_or_default(),
            members: self.members.as_ref().map(|members| u32::try_from(members.len()).unwrap_or(u32::MAX)),
        }
    }

    pub(super) fn queue_place(&self, state: &RecordState) -> Option<QueuePlace> {
        if state.life.status() != TaskStatus::Queued {
            return None;
        }
        let waiting = self.common.admission.lock().queue_state(self.id)?;
        Some(QueuePlace { position: waiting.position, priority: waiting.priority, held: waiting.held })
    }

    /// Returns what the progress of its batch is made from.
    pub(crate) fn share(&self) -> Share {
        let state = self.state.lock();
        state.revision();
        let start = match &state.last_progress {
            Some(last) => last.start,
            None => state.live.attempt.as_ref().and_then(|attempt| attempt.progress.start()),
        };
        Share {
            progress: state.progress(),
            attempt: state.life.attempt(),
            start,
            outcome: state.life.outcome().cloned(),
        }
    }
}

impl RecordState {
    pub(super) fn progress(&self) -> Progress {
        let attempt = self.live.attempt.as_ref();
        let newest = || attempt.map_or(Progress::NONE, |attempt| attempt.progress.look(Instant::now()));
        self.last_progress.as_ref().map_or_else(newest, |last| last.progress.clone())
    }

    /// Returns the newest revision of the progress. The next change of the progress wakes the watchers again.
    pub(super) fn revision(&self) -> u64 {
        let newest = || self.live.attempt.as_ref().map_or(0, |attempt| attempt.progress.revision());
        self.last_progress.as_ref().map_or_else(newest, |last| last.revision)
    }
}
