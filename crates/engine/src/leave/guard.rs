use crate::{TaskManager, TaskSnapshot};

/// Holds off new starts for as long as it lives, and tells what an exit would cut short.
///
/// Use it before something that ends the process without asking: an updater, or a restart from the main thread. Everywhere
/// else the plugin's own way out does more: see [`Builder`](crate::Builder).
///
/// Starts are refused with [`ErrorKind::ShuttingDown`](crate::ErrorKind::ShuttingDown) meanwhile, except those of services; what
/// runs goes on, and so do attempts that are made again. Work that is spawned begins all the same.
///
/// ```
/// use tauri_plugin_tasks::TaskManager;
///
/// /// Installs an update, unless that would cut something short.
/// fn update(tasks: &TaskManager) -> Result<(), String> {
///     let guard = tasks.guard();
///     let lost = guard.would_be_lost();
///     if let Some(task) = lost.first() {
///         return Err(format!("{} tasks go on, {} among them", lost.len(), task.task));
///     }
///     // No start comes between the question and this.
///     // updater.install()
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # assert!(update(&TaskManager::new(tokio::runtime::Handle::current())).is_ok());
/// # }
/// ```
#[derive(Debug)]
#[must_use = "new starts are held off for as long as this lives"]
pub struct ExitGuard {
    tasks: TaskManager,
}

impl ExitGuard {
    pub(crate) fn new(tasks: &TaskManager) -> Self {
        tasks.hold_off();
        Self { tasks: tasks.clone() }
    }

    /// The tasks that have not ended, oldest first.
    pub fn running(&self) -> Vec<TaskSnapshot> {
        self.tasks.live().iter().map(|record| record.snapshot()).collect()
    }

    /// Those of them that would be cut short: all but services, and those whose kind says [`OnExit::Drop`](crate::OnExit::Drop).
    pub fn would_be_lost(&self) -> Vec<TaskSnapshot> {
        self.tasks.would_be_lost()
    }
}

impl Drop for ExitGuard {
    fn drop(&mut self) {
        self.tasks.let_in();
    }
}
