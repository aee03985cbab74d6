use std::{fmt, sync::Arc};

use tauri::{AppHandle, Runtime};

use super::{
    core::{Core, Drain},
    drain::Leave,
};
use crate::TaskSnapshot;
use tauri_plugin_tasks_engine::delivery::would_be_lost;

/// A request to quit that waits for a decision: see [`Builder::on_quit`](crate::Builder::on_quit).
///
/// The app keeps running until you decide. Dropping the `Quit` decides to stay. If the user closes the last window
/// again before that, the hook gets a new `Quit`, and decisions on the old one have no effect. A call of
/// `AppHandle::exit` at least half a second after the question overrides it: the tasks end as their kinds say, and the
/// app exits.
#[must_use = "dropping it decides to stay"]
pub struct Quit<R: Runtime> {
    app: AppHandle<R>,
    core: Arc<Core>,
    leave: Leave<R>,
    question: u64,
}

impl<R: Runtime> Quit<R> {
    pub(super) fn new(app: &AppHandle<R>, core: &Arc<Core>, leave: Leave<R>, question: u64) -> Self {
        Self { app: app.clone(), core: Arc::clone(core), leave, question }
    }

    /// Returns the app, for example to show the question to the user.
    pub fn app(&self) -> &AppHandle<R> {
        &self.app
    }

    /// Returns the tasks that quitting now would cut short, oldest first. These are all tasks that have not ended,
    /// except services and kinds with [`OnExit::Drop`](crate::OnExit::Drop).
    pub fn tasks(&self) -> Vec<TaskSnapshot> {
        would_be_lost(&self.core.tasks)
    }

    /// Quits once all of the [`tasks`](Self::tasks) have ended, however long that takes.
    ///
    /// Waiting tasks that the end of no other task lets run are cancelled with the reason `shutdown`: those that are held
    /// or wait for their delay, and those with a limit that is 0 or whose slots services occupy, or running
    /// tasks with [`OnExit::Drop`](crate::OnExit::Drop), which quitting doesn't wait for. A limit that is lowered to 0
    /// meanwhile cancels them within a second, and raising it again brings none of them back.
    ///
    /// Meanwhile no task can be started or held. Windows stay open and may be closed. On another request to exit, the
    /// remaining tasks end as their kinds say, within [`Builder::exit_grace`](crate::Builder::exit_grace).
    pub fn wait(self) {
        self.leave(Drain::Wait);
    }

    /// Cancels all tasks, waits for their clean-up within [`Builder::exit_grace`](crate::Builder::exit_grace), and
    /// quits.
    pub fn cancel(self) {
        self.leave(Drain::Cancel);
    }

    /// Decides not to quit.
    pub fn stay(self) {
        drop(self);
    }

    fn leave(self, drain: Drain) {
        if self.core.leave(self.question, drain) {
            self.core.begin(&self.app, self.leave, drain);
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
