//! Ends the tasks when the process is about to end and the exit can't be held: the main thread waits for a bounded
//! time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use tauri::{AppHandle, Manager, Resource, Runtime};
use tauri_plugin_tasks_engine::delivery::{assert_holds_no_lock, close, engine, is_idle, logged};
use tokio_util::task::AbortOnDropHandle;

use super::{
    awake_wait::AwakeWait,
    core::{Core, SLACK},
    drain::block_on,
    phase::Phase,
};

impl Core {
    /// Blocks until the tasks have ended, for at most the grace period plus [`SLACK`], and no longer than the end of a
    /// session may take. Call it when the event loop ends.
    pub(super) fn last_chance(self: &Arc<Self>) {
        let before = std::mem::replace(&mut *self.phase.lock(), Phase::Over);
        let session_ends = self.session_ends();
        // Otherwise, a drain is cut short only by a second request, which passes at once.
        let waits = session_ends.is_some() && matches!(before, Phase::Draining { .. });
        if waits || is_first(before) {
            self.see_to_the_end((self.grace + SLACK).min(session_ends.unwrap_or(Duration::MAX)));
        }
        // There may have been nothing to wait for, and so no drain.
        close(&self.tasks);
    }

    /// Does the same when the app clears its resources. The process may keep running after that, so an exit that is
    /// held still follows.
    fn resources_cleared(self: &Arc<Self>) {
        let before = {
            let mut phase = self.phase.lock();
            let before = *phase;
            if matches!(before, Phase::Running | Phase::Asking { .. }) {
                *phase = Phase::Over;
            }
            before
        };
        if is_first(before) {
            self.see_to_the_end(self.grace + SLACK);
        }
    }

    fn see_to_the_end(self: &Arc<Self>, longest: Duration) {
        if is_idle(&self.tasks) {
            return;
        }
        let (done, drained) = sync_channel(1);
        *self.waiting.lock() = Some(done.clone());
        // If the runtime of the handlers is gone, there is nothing to wait for.
        let _gone = AbortOnDropHandle::new(engine(&self.tasks).work().spawn(until_dropped(Done(done.clone()))));
        let (core, done) = (Arc::clone(self), Done(done));
        thread::spawn(move || {
            block_on(core.drain(core.grace.min(longest.saturating_sub(SLACK))));
            drop(done);
        });
        let mut wait = AwakeWait::new(longest, tokio::time::Instant::now());
        while let Some(step) = wait.step(tokio::time::Instant::now())
            && drained.recv_timeout(step) == Err(RecvTimeoutError::Timeout)
        {}
        self.waiting.lock().take();
    }

    /// Wakes the main thread if it is waiting.
    pub(super) fn let_go(&self) {
        if let Some(waiting) = self.waiting.lock().take() {
            let _ = waiting.try_send(());
        }
    }
}

/// Returns whether the end of the process is the first request to exit, or belongs to it.
fn is_first(before: Phase) -> bool {
    match before {
        Phase::Running | Phase::Asking { .. } | Phase::Waiting => true,
        Phase::Draining { .. } => before.has_just_begun_to_drain(Instant::now()),
        Phase::Leaving | Phase::Over => false,
    }
}

async fn until_dropped(_kept: Done) {
    std::future::pending::<()>().await;
}

/// Reports on drop that a drain is over, even if its runtime shuts down and drops it.
struct Done(SyncSender<()>);

impl Drop for Done {
    fn drop(&mut self) {
        let _ = self.0.try_send(());
    }
}

/// Detects the end of the process where Tauri sends no event, as in `AppHandle::restart` on the main thread. Tauri
/// clears the app's resource table, which holds this, right before the process ends or is replaced.
///
/// A page with `core:resources:allow-close` can close what is in that table. Unlike a clearing, this calls [`Resource::close`],
/// so it can be told apart: such a sentinel notices nothing, and another takes its place.
pub(super) struct Sentinel {
    core: Arc<Core>,
    put_another: Box<dyn Fn() + Send + Sync>,
    is_closed: AtomicBool,
}

impl Sentinel {
    /// `put_another` puts one into the table again. It must return before that, since the table is locked.
    pub(super) fn new(core: Arc<Core>, put_another: impl Fn() + Send + Sync + 'static) -> Self {
        Self { core, put_another: Box::new(put_another), is_closed: AtomicBool::new(false) }
    }

    /// Puts a sentinel into the app's resource table.
    pub(super) fn put<R: Runtime>(app: &AppHandle<R>, core: &Arc<Core>) {
        let (put_in, to_end) = (app.clone(), Arc::clone(core));
        let sentinel = Self::new(Arc::clone(core), move || {
            let (app, core) = (put_in.clone(), Arc::clone(&to_end));
            // On a thread that may wait for the table.
            if let Err(error) = thread::Builder::new().spawn(move || Self::put(&app, &core)) {
                tracing::error!(
                    "a restart will not wait for the tasks to end, since no thread can be started: {}",
                    logged(error)
                );
            }
        });
        assert_holds_no_lock();
        app.resources_table().add(sentinel);
    }
}

impl Resource for Sentinel {
    fn close(self: Arc<Self>) {
        self.is_closed.store(true, Relaxed);
        (self.put_another)();
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        if !self.is_closed.load(Relaxed) {
            self.core.resources_cleared();
        }
    }
}
