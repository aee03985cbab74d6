//! How a task ended, for those who wait for that.

use super::Record;
use crate::task::{life::INLINE_OUTCOME_LIMIT, outcome::Outcome, status::TaskStatus};

impl Record {
    /// How it ended, if it has.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.state.lock().life.outcome().cloned()
    }

    /// The same, if it is no larger than what is pushed with the end.
    pub fn inline_outcome(&self) -> Option<Outcome> {
        self.outcome().filter(|outcome| outcome.size() <= INLINE_OUTCOME_LIMIT)
    }

    /// Waits for the end. Cancel safe.
    pub async fn ended(&self) -> Outcome {
        let ended = self.ended.notified();
        tokio::pin!(ended);
        loop {
            // Queue up before looking, or an end between the two would be missed.
            ended.as_mut().enable();
            if let Some(outcome) = self.outcome() {
                return outcome;
            }
            ended.as_mut().await;
            ended.set(self.ended.notified());
        }
    }

    /// The same without its outcome.
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

    /// Waits until the task has ended, if it comes to that without waiting for anything; else only until that is clear. Cancel
    /// safe.
    pub async fn settled(&self) {
        let settled = self.ended.notified();
        tokio::pin!(settled);
        settled.as_mut().enable();
        let is_about_to_end = {
            let state = self.state.lock();
            match state.life.status() {
                // It has its slot, and has not begun yet.
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
