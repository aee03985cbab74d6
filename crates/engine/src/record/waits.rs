//! Waiting for a task's end.

use super::Record;
use crate::task::{life::INLINE_OUTCOME_LIMIT, outcome::Outcome, status::TaskStatus};

impl Record {
    /// Returns how it ended; `None` if it has not.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.state.lock().life.outcome().cloned()
    }

    /// Returns how it ended, if the outcome is small enough to be sent with the end.
    pub fn inline_outcome(&self) -> Option<Outcome> {
        self.outcome().filter(|outcome| outcome.size() <= INLINE_OUTCOME_LIMIT)
    }

    /// Waits for the end and returns the outcome. Cancel safe.
    pub async fn ended(&self) -> Outcome {
        let ended = self.ended.notified();
        tokio::pin!(ended);
        loop {
            // Register before the check, so that an end in between is not missed.
            ended.as_mut().enable();
            if let Some(outcome) = self.outcome() {
                return outcome;
            }
            ended.as_mut().await;
            ended.set(self.ended.notified());
        }
    }

    /// Like [`ended`](Self::ended), without the outcome.
    pub(crate) async fn closed(&self) {
        let ended = self.ended.notified();
        tokio::pin!(ended);
        loop {
            ended.as_mut().enable();
            if self.status().is_final() {
                return;
            }
            ended.as_mut().await;
            ended.set(self.ended.notified());
        }
    }

    /// Waits until the task has ended or its handler has returned `Pending`. Returns at once if the task still waits
    /// for its slot. Cancel safe.
    pub async fn settled(&self) {
        let settled = self.ended.notified();
        tokio::pin!(settled);
        settled.as_mut().enable();
        let is_about_to_end = {
            let state = self.state.lock();
            match state.life.status() {
                // It has its slot if it no longer waits, but has not begun yet.
                TaskStatus::Queued => !self.common.admission.lock().waits(self.id),
                TaskStatus::Running => state.live.attempt.as_ref().is_some_and(|attempt| !attempt.has_waited()),
                _ => false,
            }
        };
        if is_about_to_end {
            settled.await;
        }
    }
}
