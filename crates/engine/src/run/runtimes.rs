use std::future::pending;

use tokio::runtime::Handle;
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

    /// Runs `wait`, which waits for a time, on the control runtime, where handlers can't hold its timers up. Cancel safe.
    pub(crate) async fn wait(&self, wait: impl Future<Output = ()> + Send + 'static) {
        if AbortOnDropHandle::new(self.control.spawn(wait)).await.is_err() {
            // The control runtime is gone, and all timers with it.
            pending::<()>().await;
        }
    }
}
