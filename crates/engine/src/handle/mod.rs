//! How callers follow and control one task and read its items.

pub(crate) mod items;
pub(crate) mod watch;

use std::{fmt, sync::Arc};

use serde::de::DeserializeOwned;

use crate::{
    error::Error,
    record::follower::Follower,
    run::engine::Engine,
    schedule::schedules::Schedules,
    task::{
        event::TaskSnapshot,
        id::TaskId,
        outcome::{CancelReason, Outcome},
        status::TaskStatus,
    },
};
use items::{TaskBytes, TaskItems};
use watch::TaskWatch;

/// A handle to one task.
///
/// Dropping it does not affect the task. A handle is also a claim to report the task's failure. If it is dropped before
/// [`outcome`](Self::outcome) has returned the failure, and nobody else follows the task, the engine logs the failure.
/// Clones are handles to the same task.
#[derive(Clone)]
pub struct TaskHandle {
    engine: Arc<Engine>,
    /// Keeps the schedules running for as long as a handle exists.
    schedules: Arc<Schedules>,
    follower: Follower,
}

impl TaskHandle {
    pub(crate) fn new(engine: &Arc<Engine>, schedules: &Arc<Schedules>, follower: Follower) -> Self {
        Self { engine: Arc::clone(engine), schedules: Arc::clone(schedules), follower }
    }

    /// Returns the task's id.
    pub fn id(&self) -> TaskId {
        self.follower.record().id
    }

    /// Returns the task's current status.
    pub fn status(&self) -> TaskStatus {
        self.follower.record().status()
    }

    /// Returns everything that is known about the task now.
    pub fn snapshot(&self) -> TaskSnapshot {
        self.follower.record().snapshot()
    }

    /// Tells the task to stop, with [`CancelReason::User`], and returns without waiting for its end.
    ///
    /// Cancelling it again changes nothing. Fails when the task has ended.
    pub fn cancel(&self) -> Result<(), Error> {
        self.engine.cancel(self.follower.record(), CancelReason::User)
    }

    /// Keeps a queued task from running until it is [resumed](Self::resume). Pausing it again changes nothing.
    ///
    /// A running task can't be paused: that fails with [`ErrorKind::NotPausable`](crate::ErrorKind::NotPausable). Also
    /// fails when the task has ended, or the app is about to exit.
    pub fn pause(&self) -> Result<(), Error> {
        self.engine.pause(self.follower.record())
    }

    /// Lets a [paused](Self::pause) task, or one that was started as held, run when its turn comes. Does nothing to
    /// another waiting task. Fails as [`pause`](Self::pause) does, but not at an exit.
    pub fn resume(&self) -> Result<(), Error> {
        self.engine.resume(self.follower.record())
    }

    /// Sets the task's priority. Tasks with a higher priority run first. Fails when the task is not waiting in its
    /// queue.
    pub fn set_priority(&self, priority: i32) -> Result<(), Error> {
        self.engine.set_priority(self.follower.record(), priority)
    }

    /// Returns the members of a batch that are still kept, in the order of their inputs. A task that is not a batch has
    /// none.
    pub fn members(&self) -> Vec<Self> {
        let ids = self.follower.record().members.iter().flatten();
        let members = ids.filter_map(|id| self.engine.find(*id));
        members.map(|member| Self::new(&self.engine, &self.schedules, Follower::new(&member))).collect()
    }

    /// Follows the task from its current state to its end.
    pub fn watch(&self) -> TaskWatch {
        TaskWatch::new(self.follower.record())
    }

    /// Reads the items that the task emits with [`TaskContext::emit`](crate::TaskContext::emit), from the oldest unread
    /// one.
    pub fn items<T: DeserializeOwned>(&self) -> TaskItems<T> {
        TaskItems::new(&self.follower)
    }

    /// Reads the bytes that the task emits with [`TaskContext::emit_bytes`](crate::TaskContext::emit_bytes), from the
    /// oldest unread one.
    pub fn bytes(&self) -> TaskBytes {
        TaskBytes::new(&self.follower)
    }

    /// Waits until the task has ended, and returns its outcome. You can call it more than once. Cancel safe.
    pub async fn outcome(&self) -> Outcome {
        let outcome = self.follower.record().ended().await;
        self.follower.knows_the_end();
        outcome
    }
}

impl fmt::Debug for TaskHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle").field("id", &self.id()).field("status", &self.status()).finish_non_exhaustive()
    }
}
