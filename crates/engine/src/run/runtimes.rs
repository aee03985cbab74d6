use tokio::runtime::Handle;

/// The runtimes of an engine.
#[derive(Debug, Clone)]
pub struct Runtimes {
    /// Runs the engine itself: clocks, schedules and bookkeeping. Nothing here blocks its threads.
    pub control: Handle,
    /// Runs the handlers.
    pub work: Handle,
}

impl Runtimes {
    /// Runs everything on one runtime.
    pub fn one(runtime: Handle) -> Self {
        Self { control: runtime.clone(), work: runtime }
    }
}
