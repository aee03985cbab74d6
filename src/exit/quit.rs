use std::{fmt, sync::Arc};

use tauri::{AppHandle, Runtime};

use super::core::Core;
use crate::TaskSnapshot;

/// A quit that waits for a decision: see [`Builder::on_quit`](crate::Builder::on_quit).
///
/// Until it is decided the app goes on as before. Dropping it decides to stay.
#[must_use = "dropping it decides to stay"]
pub struct Quit<R: Runtime> {
    app: AppHandle<R>,
    core: Arc<Core>,
    code: i32,
}

impl<R: Runtime> Quit<R> {
    pub(super) fn new(app: &AppHandle<R>, core: &Arc<Core>, code: i32) -> Self {
        Self { app: app.clone(), core: Arc::clone(core), code }
    }

    /// The app, to show its user something.
    pub fn app(&self) -> &AppHandle<R> {
        &self.app
    }

    /// The tasks that would be cut short, oldest first, as they stand now: all that have not ended but services and those whose
    /// kind says [`OnExit::Drop`](crate::OnExit::Drop).
    pub fn tasks(&self) -> Vec<TaskSnapshot> {
        self.core.tasks.would_be_lost()
    }

    /// Quits when all of them have ended, however long that takes. Nothing new starts meanwhile. Windows stay as they are, and
    /// to ask for the exit once more quits at once.
    pub fn wait(self) {
        self.leave(|core| async move { core.wait_and_drain().await });
    }

    /// Cancels all of them, waits for their clean-up within [`Builder::exit_grace`](crate::Builder::exit_grace), and quits.
    pub fn cancel(self) {
        self.leave(|core| async move { core.cancel_and_drain().await });
    }

    /// Does not quit.
    pub fn stay(self) {
        drop(self);
    }

    fn leave<F: Future<Output = ()> + Send + 'static>(self, drain: impl FnOnce(Arc<Core>) -> F) {
        if !self.core.leave() {
            return;
        }
        let (app, code) = (self.app.clone(), self.code);
        let drain = drain(Arc::clone(&self.core));
        self.core.tasks.runtime().spawn(async move {
            drain.await;
            app.exit(code);
        });
    }
}

impl<R: Runtime> Drop for Quit<R> {
    fn drop(&mut self) {
        self.core.stay();
    }
}

impl<R: Runtime> fmt::Debug for Quit<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quit").field("code", &self.code).finish_non_exhaustive()
    }
}
