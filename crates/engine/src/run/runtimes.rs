use std::{future::pending, time::Duration};

use tokio::{runtime::Handle, time};
use tokio_util::task::AbortOnDropHandle;

/// The runtimes of an engine.
#[derive(Debug, Clone)]
pub struct Runtimes {
    /// Runs the engine itself: clocks, schedules and bookkeeping. Nothing here blocks its threads.
    pub control: Handle,
    /// Runs the handlers and what belongs to them, such as their clean-ups. If they hold all of its threads, its timers
    /// stand still.
    pub work: Handle,
}

impl Runtimes {
    /// Runs everything on one runtime.
    pub fn one(runtime: Handle) -> Self {
        Self { control: runtime.clone(), work: runtime }
    }

    /// Waits on the control runtime, where handlers can't hold the timers up. Cancel safe.
    pub(crate) async fn sleep(&self, length: Duration) {
        // Made inside, or it would be a timer of the runtime that this is called on.
        let sleep = async move { time::sleep(length).await };
        if AbortOnDropHandle::new(self.control.spawn(sleep)).await.is_err() {
            // The control runtime is gone, and all timers with it.
            pending::<()>().await;
        }
    }
}
