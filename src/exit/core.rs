use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{SyncSender, sync_channel},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tauri::Resource;

use super::phase::{Answer, Phase, Request, Situation};
use crate::{CancelReason, TaskFilter, TaskManager};

/// How much longer than the grace period the main thread waits: for the answer, and for a machine that is busy.
const SLACK: Duration = Duration::from_millis(500);

/// The way out without the app: what holds it and for how long.
pub(super) struct Core {
    pub(super) tasks: TaskManager,
    grace: Duration,
    phase: Mutex<Phase>,
    /// Whoever asked last is in no position to answer a question.
    unattended: AtomicBool,
    /// Lets the main thread go that waits in [`last_chance`](Self::last_chance).
    waiting: Mutex<Option<SyncSender<()>>>,
}

impl Core {
    pub(super) fn new(tasks: TaskManager, grace: Duration) -> Self {
        Self { tasks, grace, phase: Mutex::default(), unattended: AtomicBool::new(false), waiting: Mutex::default() }
    }

    /// `can_ask`: there are a hook and a window.
    pub(super) fn on(&self, request: Request, can_ask: bool) -> Answer {
        let busy = !self.tasks.is_idle();
        let can_ask = can_ask && !self.unattended.load(Relaxed) && !self.tasks.would_be_lost().is_empty();
        self.phase.lock().on(request, Situation { busy, can_ask })
    }

    /// Nobody can answer a question from now on.
    pub(super) fn is_unattended(&self) {
        self.unattended.store(true, Relaxed);
    }

    /// The hook has decided against the exit.
    pub(super) fn stay(&self) {
        let mut phase = self.phase.lock();
        if *phase == Phase::Asking {
            *phase = Phase::Running;
        }
    }

    /// The hook has decided for the exit. `false` if that has been decided already.
    pub(super) fn leave(&self) -> bool {
        let mut phase = self.phase.lock();
        let decides = *phase == Phase::Asking;
        if decides {
            *phase = Phase::Draining;
        }
        decides
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
        *self.phase.lock() = Phase::Over;
    }

    /// Stops everything, whatever its kind says about an exit, before that.
    pub(super) async fn cancel_and_drain(&self) {
        self.tasks.cancel_all(&TaskFilter::default(), CancelReason::Shutdown);
        self.drain().await;
    }

    /// Waits until nothing is left that would be lost, however long that takes, before that.
    pub(super) async fn wait_and_drain(&self) {
        self.tasks.finish().await;
        self.drain().await;
    }

    /// The process is about to end, and nobody has asked whether it may. Blocks, but no longer than the grace period. Not with
    /// `block_on`: the main thread may be inside a runtime of the app's own.
    pub(super) fn last_chance(self: &Arc<Self>) {
        let before = std::mem::replace(&mut *self.phase.lock(), Phase::Draining);
        if matches!(before, Phase::Running | Phase::Asking) && !self.tasks.is_idle() {
            let (done, drained) = sync_channel(1);
            *self.waiting.lock() = Some(done.clone());
            let core = Arc::clone(self);
            self.tasks.runtime().spawn(async move {
                core.drain().await;
                let _ = done.try_send(());
            });
            let _ = drained.recv_timeout(self.grace + SLACK);
        }
        *self.phase.lock() = Phase::Over;
    }

    /// Lets the main thread go if it waits.
    pub(super) fn let_go(&self) {
        if let Some(waiting) = self.waiting.lock().take() {
            let _ = waiting.try_send(());
        }
    }
}

/// Lies in the app's resource table, which is cleared right before the process ends or is replaced, also where no event tells
/// of that: `AppHandle::restart` on the main thread.
pub(super) struct Sentinel(pub(super) Arc<Core>);

impl Resource for Sentinel {}

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.0.last_chance();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::runtime::Runtime;

    use super::*;
    use crate::{Failure, TaskContext, TaskStatus};

    /// A runtime with a task that ignores everything or not, on real threads: the main thread blocks.
    fn core(grace: Duration, stubborn: bool) -> (Runtime, Arc<Core>, crate::TaskHandle) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let tasks = TaskManager::new(runtime.handle().clone());
        let task = tasks.spawn("work", async move |ctx: TaskContext| {
            if stubborn {
                let (_kept, never) = std::sync::mpsc::channel::<()>();
                ctx.spawn_blocking(move |_| never.recv_timeout(Duration::from_secs(20))).await.unwrap_err();
            }
            std::future::pending::<Result<(), Failure>>().await
        });
        while task.snapshot().status != TaskStatus::Running {
            std::thread::yield_now();
        }
        (runtime, Arc::new(Core::new(tasks, grace)), task)
    }

    #[test]
    fn the_last_chance_waits_for_the_end_and_comes_once() {
        let (_runtime, core, task) = core(Duration::from_secs(20), false);
        core.last_chance();
        assert_eq!(task.snapshot().status, TaskStatus::Cancelled);
        assert_eq!(task.snapshot().cancel_reason, Some(CancelReason::Shutdown));
        drop(Sentinel(core));
    }

    #[test]
    fn a_task_that_ignores_everything_holds_the_last_chance_no_longer_than_the_grace_period() {
        let (runtime, core, task) = core(Duration::from_millis(50), true);
        drop(Sentinel(Arc::clone(&core)));
        assert_eq!(task.snapshot().status, TaskStatus::Cancelling);
        runtime.shutdown_background();
    }

    #[test]
    fn who_asks_again_lets_the_last_chance_go() {
        let (runtime, core, _task) = core(Duration::from_secs(20), true);
        let begun = Instant::now();
        let waiting = Arc::clone(&core);
        let main = std::thread::spawn(move || waiting.last_chance());
        while core.waiting.lock().is_none() {
            std::thread::yield_now();
        }
        core.let_go();
        main.join().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(20), "the grace period");
        runtime.shutdown_background();
    }

    #[test]
    fn nothing_is_asked_when_nobody_can_answer() {
        let (_runtime, core, _task) = core(Duration::from_secs(20), false);
        assert_eq!(core.on(Request::Exit, true), Answer::Ask);
        core.stay();
        core.is_unattended();
        assert_eq!(core.on(Request::Exit, true), Answer::Drain);
    }
}
