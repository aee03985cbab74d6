pub(crate) mod items;
pub(crate) mod watch;

use std::{fmt, sync::Arc};

use serde::de::DeserializeOwned;

use crate::{
    error::Error,
    record::follower::Follower,
    run::engine::Engine,
    task::{
        event::TaskSnapshot,
        id::TaskId,
        outcome::{CancelReason, Outcome},
        status::TaskStatus,
    },
};
use items::{TaskBytes, TaskItems};
use watch::TaskWatch;

/// One task, in the hands of a Rust caller.
///
/// Dropping it changes nothing for the task. While it is held, its holder is the one to tell of a failure:
/// if the handle is dropped without [`outcome`](Self::outcome) having shown the failure and nobody else
/// follows the task, the engine logs it. Clones are handles of the same task.
#[derive(Clone)]
pub struct TaskHandle {
    engine: Arc<Engine>,
    follower: Follower,
}

impl TaskHandle {
    pub(crate) fn new(engine: &Arc<Engine>, follower: Follower) -> Self {
        Self { engine: Arc::clone(engine), follower }
    }

    /// Its id.
    pub fn id(&self) -> TaskId {
        self.follower.record().id
    }

    /// Where it stands now.
    pub fn status(&self) -> TaskStatus {
        self.follower.record().status()
    }

    /// All that is known of it now.
    pub fn snapshot(&self) -> TaskSnapshot {
        self.follower.record().snapshot()
    }

    /// Tells it to stop, with [`CancelReason::User`], and returns without waiting until it has.
    ///
    /// To tell it again changes nothing. Fails when it has ended.
    pub fn cancel(&self) -> Result<(), Error> {
        self.engine.cancel(self.follower.record(), CancelReason::User)
    }

    /// Keeps it from running until it is [released](Self::release). To hold it again changes nothing.
    ///
    /// Fails when it does not wait in its queue.
    pub fn hold(&self) -> Result<(), Error> {
        self.engine.hold(self.follower.record())
    }

    /// Lets it have its turn again after it was [held](Self::hold). Fails as that does.
    pub fn release(&self) -> Result<(), Error> {
        self.engine.release(self.follower.record())
    }

    /// Gives it another priority; higher runs earlier. Fails when it does not wait in its queue.
    pub fn set_priority(&self, priority: i32) -> Result<(), Error> {
        self.engine.set_priority(self.follower.record(), priority)
    }

    /// The members of a batch that are still kept, in the order of their inputs; none for any other task.
    pub fn members(&self) -> Vec<Self> {
        let ids = self.follower.record().members.iter().flatten();
        let members = ids.filter_map(|id| self.engine.find(*id));
        members.map(|member| Self::new(&self.engine, Follower::new(&member))).collect()
    }

    /// Follows it from where it stands now to its end.
    pub fn watch(&self) -> TaskWatch {
        TaskWatch::new(self.follower.record())
    }

    /// Reads what it emits with [`TaskContext::emit`](crate::TaskContext::emit), from the oldest item that was not read yet.
    pub fn items<T: DeserializeOwned>(&self) -> TaskItems<T> {
        TaskItems::new(&self.follower)
    }

    /// Reads what it emits with [`TaskContext::emit_bytes`](crate::TaskContext::emit_bytes), from the oldest byte that was not
    /// read yet.
    pub fn bytes(&self) -> TaskBytes {
        TaskBytes::new(&self.follower)
    }

    /// Waits until it has ended and says how. As often as you like: it consumes nothing. Cancel safe.
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
