use std::{fmt, sync::Arc};

use tauri::{AppHandle, Runtime};

use super::core::{Core, Drain};
use crate::TaskSnapshot;
use tauri_plugin_tasks_engine::delivery::would_be_lost;

/// A quit that waits for a decision: see [`Builder::on_quit`](crate::Builder::on_quit).
///
/// Until it is decided the app goes on as before. Dropping it decides to stay. When the question comes up again before it is
/// decided, there is a new one, and what is decided with the old one counts no more.
#[must_use = "dropping it decides to stay"]
pub struct Quit<R: Runtime> {
    app: AppHandle<R>,
    core: Arc<Core>,
    question: u64,
}

impl<R: Runtime> Quit<R> {
    pub(super) fn new(app: &AppHandle<R>, core: &Arc<Core>, question: u64) -> Self {
        Self { app: app.clone(), core: Arc::clone(core), question }
    }

    /// The app, to show its user something.
    pub fn app(&self) -> &AppHandle<R> {
        &self.app
    }

    /// The tasks that would be cut short, oldest first, as they stand now: all that have not ended but services and those whose
    /// kind says [`OnExit::Drop`](crate::OnExit::Drop).
    pub fn tasks(&self) -> Vec<TaskSnapshot> {
        would_be_lost(&self.core.tasks)
    }

    /// Quits when all of them have ended, however long that takes; those that are held or wait for their delay are cancelled.
    /// Nothing new starts or is held meanwhile, but what waits for a slot that a service has waits on. Windows stay as they are
    /// and may be closed. Who asks for the exit once more has what is left end as its kind says, within
    /// [`Builder::exit_grace`](crate::Builder::exit_grace).
    pub fn wait(self) {
        self.leave(Drain::Wait);
    }

    /// Cancels all of them, waits for their clean-up within [`Builder::exit_grace`](crate::Builder::exit_grace), and quits.
    pub fn cancel(self) {
        self.leave(Drain::Cancel);
    }

    /// Does not quit.
    pub fn stay(self) {
        drop(self);
    }

    fn leave(self, drain: Drain) {
        if self.core.leave(self.question, drain) {
            self.core.begin(&self.app, drain);
        }
    }
}

impl<R: Runtime> Drop for Quit<R> {
    fn drop(&mut self) {
        self.core.stay(self.question);
    }
}

impl<R: Runtime> fmt::Debug for Quit<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quit").field("question", &self.question).finish_non_exhaustive()
    }
}
