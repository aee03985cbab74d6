//! Has the tasks come to their end, and then the app exit.

use std::{io, sync::Arc, thread};

use tauri::{AppHandle, Runtime};
use tauri_plugin_tasks_engine::delivery::finish;

use super::{
    core::{Core, Drain, SLACK},
    phase::Phase,
};
use crate::{CancelReason, TaskFilter};

impl Core {
    /// Has everything come to its end, and the app exit then.
    pub(super) fn begin<R: Runtime>(self: &Arc<Self>, app: &AppHandle<R>, drain: Drain) {
        if drain != Drain::Wait {
            self.exit_after_grace(app);
        }
        let (core, app) = (Arc::clone(self), app.clone());
        thread::spawn(move || {
            block_on(async {
                match drain {
                    Drain::ByKind => {}
                    Drain::Cancel => {
                        core.tasks.cancel_all(&TaskFilter::default(), CancelReason::Shutdown);
                    }
                    Drain::Wait => {
                        finish(&core.tasks).await;
                        core.has_waited();
                        core.exit_after_grace(&app);
                    }
                }
                core.drain().await;
            });
            core.exit(&app);
        });
    }

    /// What tells tasks to stop runs code of theirs, as the `Drop` of what they hold: a thread that does nothing else sees to it that
    /// the exit comes all the same.
    fn exit_after_grace<R: Runtime>(self: &Arc<Self>, app: &AppHandle<R>) {
        let (core, app) = (Arc::clone(self), app.clone());
        thread::spawn(move || {
            thread::sleep(core.grace + SLACK);
            core.exit(&app);
        });
    }

    /// Sees everything to its end, within the grace period.
    pub(super) async fn drain(&self) {
        for task in self.tasks.shut_down(self.grace).await {
            tracing::warn!(
                task = task.task,
                id = %task.id,
                "the app exits although this task has not ended within {:?}: see Builder::exit_grace",
                self.grace
            );
        }
    }

    /// Exits with the code that was asked for, once.
    fn exit<R: Runtime>(&self, app: &AppHandle<R>) {
        {
            let mut phase = self.phase.lock();
            if matches!(*phase, Phase::Leaving | Phase::Over) {
                return;
            }
            *phase = Phase::Leaving;
        }
        let code = self.code.lock().unwrap_or(0);
        app.exit(code);
    }
}

/// The threads and the timers of the app's runtime may be held up by the very tasks that are to be ended, or by whoever waits for
/// that. Whoever blocks on this one must not be a thread of a runtime.
pub(super) fn own_runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

pub(super) fn block_on(future: impl Future<Output = ()>) {
    match own_runtime() {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => tracing::error!("the app exits without a look at its tasks: {error}"),
    }
}
