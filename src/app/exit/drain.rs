//! Ends the tasks and then exits the app.

use std::{io, sync::Arc, thread, time::Duration};

use tauri::{AppHandle, Runtime};
use tauri_plugin_tasks_engine::delivery::{assert_holds_no_lock, engine, finish, logged};
use tokio::time::Instant;

use super::{
    awake_wait::AwakeWait,
    core::{Core, Drain, SLACK},
    phase::Phase,
};
use crate::{CancelReason, TaskFilter};

/// Exits the app with a code: `AppHandle::exit`, unless it is a test.
pub(crate) type Leave<R> = fn(&AppHandle<R>, i32);

impl Core {
    /// Starts a thread that ends all tasks and then exits the app.
    pub(super) fn begin<R: Runtime>(self: &Arc<Self>, app: &AppHandle<R>, leave: Leave<R>, drain: Drain) {
        if drain != Drain::Wait {
            self.exit_after_grace(app, leave);
        }
        let (core, app) = (Arc::clone(self), app.clone());
        thread::spawn(move || {
            block_on(async {
                match drain {
                    Drain::ByKind => {}
                    Drain::Cancel => {
                        let all = engine(&core.tasks).records(&TaskFilter::default());
                        engine(&core.tasks).cancel_all(all, CancelReason::Shutdown);
                    }
                    Drain::Wait => {
                        finish(&core.tasks).await;
                        core.has_waited();
                        core.exit_after_grace(&app, leave);
                    }
                }
                core.drain(core.grace).await;
            });
            core.exit(&app, leave);
        });
    }

    /// Exits after the grace period even if the drain is stuck: cancelling a task may run code of the app that blocks,
    /// such as a `Drop`.
    fn exit_after_grace<R: Runtime>(self: &Arc<Self>, app: &AppHandle<R>, leave: Leave<R>) {
        let (core, app) = (Arc::clone(self), app.clone());
        thread::spawn(move || {
            let mut wait = AwakeWait::new(core.grace + SLACK, Instant::now());
            while let Some(step) = wait.step(Instant::now()) {
                thread::sleep(step);
            }
            core.exit(&app, leave);
        });
    }

    /// Ends all tasks within the grace period. Logs those that have not ended by then.
    pub(super) async fn drain(&self, grace: Duration) {
        for task in self.tasks.shut_down(grace).await {
            tracing::warn!(
                task = logged(task.task),
                id = %task.id,
                "the app exits, but this task has not ended within {grace:?}: see Builder::exit_grace"
            );
        }
    }

    /// Exits the app with the requested code. A second call does nothing.
    fn exit<R: Runtime>(&self, app: &AppHandle<R>, leave: Leave<R>) {
        {
            let mut phase = self.phase.lock();
            if matches!(*phase, Phase::Leaving | Phase::Over) {
                return;
            }
            *phase = Phase::Leaving;
        }
        let code = self.code.lock().unwrap_or(0);
        assert_holds_no_lock();
        leave(app, code);
    }
}

/// Creates a runtime that the app's tasks can't block. Call its `block_on` only on a thread outside any runtime.
pub(super) fn own_runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

pub(super) fn block_on(future: impl Future<Output = ()>) {
    match own_runtime() {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => tracing::error!("the app exits without ending its tasks: {}", logged(error)),
    }
}
