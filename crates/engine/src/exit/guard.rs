use std::{fmt, sync::Arc};

use super::lost;
use crate::{
    record::snapshot::snapshots, run::engine::Engine, schedule::schedules::Schedules, task::event::TaskSnapshot,
};

/// Refuses new starts while it exists, and lists the tasks that an exit would cut short.
///
/// Use it before something that ends the process without asking, such as an updater or a restart from the main thread.
/// The plugin takes care of every other exit: see `Builder`.
///
/// Starts are refused with [`ErrorKind::ShuttingDown`](crate::ErrorKind::ShuttingDown), except those of services, the
/// kinds with a [`Restart`](crate::Restart). Running tasks go on, and are retried as usual. Spawned work still begins.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use tauri_plugin_tasks::TaskManager;
///
/// /// Installs an update, unless that would cut something short.
/// fn update(tasks: &TaskManager) -> Result<(), String> {
///     let guard = tasks.guard();
///     let lost = guard.would_be_lost();
///     if let Some(task) = lost.first() {
///         return Err(format!("{} tasks go on, {} among them", lost.len(), task.task));
///     }
///     // No task can start between the check and this.
///     // updater.install()
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # assert!(update(&TaskManager::new(tokio::runtime::Handle::current())).is_ok());
/// # }
/// ```
#[must_use = "new starts are refused only while the guard exists"]
pub struct ExitGuard {
    engine: Arc<Engine>,
    schedules: Arc<Schedules>,
}

impl ExitGuard {
    pub(crate) fn new(engine: &Arc<Engine>, schedules: &Arc<Schedules>) -> Self {
        engine.hold_off();
        Self { engine: Arc::clone(engine), schedules: Arc::clone(schedules) }
    }

    /// Returns the tasks that have not ended, oldest first.
    pub fn running(&self) -> Vec<TaskSnapshot> {
        snapshots(&lost::live(&self.engine))
    }

    /// Returns the tasks that an exit would cut short, oldest first: all that have not ended, except services and those
    /// of kinds with [`OnExit::Drop`](crate::OnExit::Drop).
    pub fn would_be_lost(&self) -> Vec<TaskSnapshot> {
        snapshots(&lost::would_be_lost(&self.engine))
    }
}

impl Drop for ExitGuard {
    fn drop(&mut self) {
        self.engine.let_in();
        self.schedules.look();
    }
}

impl fmt::Debug for ExitGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExitGuard").finish_non_exhaustive()
    }
}
