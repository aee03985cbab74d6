use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tauri::{AppHandle, Resource, Runtime};
use tokio_util::task::AbortOnDropHandle;

use super::phase::{Answer, Phase, Request, Situation};
use crate::{CancelReason, TaskFilter, TaskManager};

/// How much longer than the grace period the main thread waits: for the answer, and for a machine that is busy.
const SLACK: Duration = Duration::from_millis(500);
/// A longer grace period is none.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The way out without the app: what holds it and for how long.
pub(super) struct Core {
    pub(super) tasks: TaskManager,
    grace: Duration,
    phase: Mutex<Phase>,
    /// What to exit with. `None` as long as only a window was closed.
    code: Mutex<Option<i32>>,
    /// How many questions there could have been: the number of the next.
    questions: AtomicU64,
    /// Whoever asked last is in no position to answer a question.
    unattended: AtomicBool,
    /// Lets the main thread go that waits in [`last_chance`](Self::last_chance).
    waiting: Mutex<Option<SyncSender<()>>>,
}

/// How a drain begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drain {
    /// As the kinds say.
    ByKind,
    /// Everything is cancelled first.
    Cancel,
    /// All that would be cut short is waited for first, however long that takes.
    Wait,
}

impl Core {
    pub(super) fn new(tasks: TaskManager, grace: Duration) -> Self {
        Self {
            tasks,
            grace: grace.min(LONGEST),
            phase: Mutex::default(),
            code: Mutex::default(),
            questions: AtomicU64::new(0),
            unattended: AtomicBool::new(false),
            waiting: Mutex::default(),
        }
    }

    /// `code` is that of an exit; a window has none. `can_ask`: there are a hook and a window.
    pub(super) fn on(&self, request: Request, code: Option<i32>, can_ask: bool) -> Answer {
        let busy = !self.tasks.is_idle();
        let can_ask = can_ask && !self.unattended.load(Relaxed) && !self.tasks.would_be_lost().is_empty();
        let question = self.questions.fetch_add(1, Relaxed);
        let mut phase = self.phase.lock();
        let mut held = self.code.lock();
        let is_held_exit = *phase == Phase::Leaving && code == Some(held.unwrap_or(0));
        let request = if request == Request::Exit && is_held_exit { Request::HeldExit } else { request };
        let answer = phase.on(request, Situation { busy, can_ask, now: Instant::now(), question });
        *held = match answer {
            Answer::Pass => *held,
            // It overrules a question and a wait, whatever those were about.
            Answer::Drain => code.or(*held),
            Answer::Hold | Answer::Ask(_) => held.or(code),
        };
        answer
    }

    /// There is no window left to show a question in, and the app goes on: that decides to stay.
    pub(super) fn nobody_is_left_to_ask(&self) {
        self.stay_if(|phase| matches!(phase, Phase::Asking { .. }));
    }

    /// Nobody can answer a question from now on.
    pub(super) fn is_unattended(&self) {
        self.unattended.store(true, Relaxed);
    }

    /// The answer to this question is not to exit.
    pub(super) fn stay(&self, question: u64) {
        self.stay_if(|phase| is_open(phase, question));
    }

    fn stay_if(&self, is_asking: impl FnOnce(Phase) -> bool) {
        let mut phase = self.phase.lock();
        if is_asking(*phase) {
            *phase = Phase::Running;
            *self.code.lock() = None;
        }
    }

    /// The answer to this question is to exit. `false` if it has been decided already.
    pub(super) fn leave(&self, question: u64, drain: Drain) -> bool {
        let mut phase = self.phase.lock();
        let decides = is_open(*phase, question);
        if decides {
            *phase = if drain == Drain::Wait { Phase::Waiting } else { Phase::Draining { since: Instant::now() } };
        }
        decides
    }

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
                        core.tasks.finish().await;
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

    /// All that would have been cut short has ended, and what is left ends within the grace period.
    fn has_waited(&self) {
        let mut phase = self.phase.lock();
        if *phase == Phase::Waiting {
            *phase = Phase::Draining { since: Instant::now() };
        }
    }

    /// Sees everything to its end, within the grace period.
    async fn drain(&self) {
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

    /// The process is about to end, and nobody has asked whether it may. Blocks, but no longer than the grace period.
    pub(super) fn last_chance(self: &Arc<Self>) {
        let before = std::mem::replace(&mut *self.phase.lock(), Phase::Over);
        self.see_to_the_end(before);
    }

    /// The same, but the app may have cleared its resources without an end, while its exit is held: that exit still follows.
    fn resources_cleared(self: &Arc<Self>) {
        let before = {
            let mut phase = self.phase.lock();
            let before = *phase;
            if matches!(before, Phase::Running | Phase::Asking { .. }) {
                *phase = Phase::Over;
            }
            before
        };
        self.see_to_the_end(before);
    }

    fn see_to_the_end(self: &Arc<Self>, before: Phase) {
        let is_first = match before {
            Phase::Running | Phase::Asking { .. } | Phase::Waiting => true,
            Phase::Draining { .. } => before.has_just_begun_to_drain(Instant::now()),
            Phase::Leaving | Phase::Over => false,
        };
        if !is_first || self.tasks.is_idle() {
            return;
        }
        let (done, drained) = sync_channel(1);
        *self.waiting.lock() = Some(done.clone());
        // If the tasks' runtime is gone there is nothing to wait for.
        let _gone = AbortOnDropHandle::new(self.tasks.runtime().spawn(until_dropped(Done(done.clone()))));
        let (core, done) = (Arc::clone(self), Done(done));
        thread::spawn(move || {
            block_on(core.drain());
            drop(done);
        });
        let _ = drained.recv_timeout(self.grace + SLACK);
        self.waiting.lock().take();
    }

    /// Lets the main thread go if it waits.
    pub(super) fn let_go(&self) {
        if let Some(waiting) = self.waiting.lock().take() {
            let _ = waiting.try_send(());
        }
    }
}

/// The threads and the timers of the app's runtime may be held up by the very tasks that are to be ended, or by whoever waits for
/// that. Whoever blocks on this one must not be a thread of a runtime.
pub(super) fn own_runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn block_on(future: impl Future<Output = ()>) {
    match own_runtime() {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => tracing::error!("the app exits without a look at its tasks: {error}"),
    }
}

async fn until_dropped(_kept: Done) {
    std::future::pending::<()>().await;
}

/// Whether the question is the last one, and nothing has been decided.
fn is_open(phase: Phase, question: u64) -> bool {
    matches!(phase, Phase::Asking { question: open, .. } if open == question)
}

/// Tells that a drain is over, also if it is dropped with its runtime.
struct Done(SyncSender<()>);

impl Drop for Done {
    fn drop(&mut self) {
        let _ = self.0.try_send(());
    }
}

/// Lies in the app's resource table, which is cleared right before the process ends or is replaced, also where no event tells
/// of that: `AppHandle::restart` on the main thread.
pub(super) struct Sentinel(pub(super) Arc<Core>);

impl Resource for Sentinel {}

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.0.resources_cleared();
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime;

    use super::*;
    use crate::{Failure, TaskContext, TaskStatus};

    /// A runtime with a task that ignores everything or not, on real threads: the main thread blocks.
    fn core(grace: Duration, stubborn: bool) -> (runtime::Runtime, Arc<Core>, crate::TaskHandle) {
        let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let tasks = TaskManager::new(runtime.handle().clone());
        let (begun, begins) = sync_channel(1);
        let task = tasks.spawn("work", async move |ctx: TaskContext| {
            if stubborn {
                ctx.spawn_blocking(move |_| {
                    begun.send(()).unwrap();
                    let (_kept, never) = std::sync::mpsc::channel::<()>();
                    never.recv_timeout(Duration::from_secs(20))
                })
                .await
                .unwrap_err();
            } else {
                begun.send(()).unwrap();
            }
            std::future::pending::<Result<(), Failure>>().await
        });
        begins.recv().unwrap();
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
    fn who_clears_the_resources_on_a_thread_of_the_tasks_runtime_does_not_hold_their_end_up() {
        let (runtime, core, task) = core(Duration::from_secs(20), false);
        runtime.block_on(runtime.spawn(async move { drop(Sentinel(core)) })).unwrap();
        assert_eq!(task.snapshot().status, TaskStatus::Cancelled, "as an updater does in a command");
    }

    #[test]
    fn handlers_that_hold_all_threads_are_told_to_stop() {
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let tasks = TaskManager::new(runtime.handle().clone());
        let (begun, begins) = sync_channel(1);
        let task = tasks.spawn("work", async move |ctx: TaskContext| {
            begun.send(()).unwrap();
            while !ctx.is_cancelled() {
                thread::yield_now();
            }
            Ok::<_, Failure>(())
        });
        begins.recv().unwrap();
        Arc::new(Core::new(tasks, Duration::from_secs(20))).last_chance();
        assert_eq!(task.snapshot().status, TaskStatus::Completed);
    }

    #[test]
    fn a_question_whose_window_is_gone_is_none() {
        let (_runtime, core, _task) = core(Duration::from_secs(20), false);
        let question = ask(&core, Request::Exit, Some(3));
        core.nobody_is_left_to_ask();
        assert!(!core.leave(question, Drain::Cancel));
        assert_ne!(ask(&core, Request::Exit, Some(0)), question, "with another window, later");
        assert_eq!(*core.code.lock(), Some(0));
    }

    #[test]
    fn another_exit_does_not_take_the_place_of_the_one_that_is_on_its_way() {
        let (_runtime, core, _task) = core(Duration::from_secs(20), false);
        assert_eq!(core.on(Request::Exit, Some(3), false), Answer::Drain);
        *core.phase.lock() = Phase::Leaving;
        assert_eq!(core.on(Request::Exit, Some(9), false), Answer::Hold);
        assert_eq!(core.on(Request::Exit, Some(3), false), Answer::Pass);
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

    /// Asks, and answers the question's number.
    fn ask(core: &Core, request: Request, asked: Option<i32>) -> u64 {
        match core.on(request, asked, true) {
            Answer::Ask(question) => question,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_is_asked_when_nobody_can_answer() {
        let (_runtime, core, _task) = core(Duration::from_secs(20), false);
        let question = ask(&core, Request::Exit, Some(3));
        core.stay(question);
        core.is_unattended();
        assert_eq!(core.on(Request::Exit, Some(4), true), Answer::Drain);
        assert_eq!(*core.code.lock(), Some(4), "the code of an exit that was decided against is forgotten");
    }

    #[test]
    fn a_signal_that_overrules_a_question_or_a_wait_brings_its_own_code() {
        for waits in [false, true] {
            let (_runtime, core, _task) = core(Duration::from_secs(20), false);
            let question = ask(&core, Request::Exit, Some(0));
            assert!(!waits || core.leave(question, Drain::Wait));
            core.is_unattended();
            assert_eq!(core.on(Request::Exit, Some(143), true), Answer::Drain);
            assert_eq!(*core.code.lock(), Some(143));
        }
    }

    #[test]
    fn only_the_last_question_counts() {
        let (_runtime, core, _task) = core(Duration::from_secs(20), false);
        let first = ask(&core, Request::CloseLastWindow, None);
        let second = ask(&core, Request::CloseLastWindow, None);
        core.stay(first);
        assert!(matches!(*core.phase.lock(), Phase::Asking { .. }));
        assert!(!core.leave(first, Drain::Cancel) && core.leave(second, Drain::Cancel));
        assert!(!core.leave(second, Drain::Wait), "once");
    }

    #[test]
    fn an_app_that_clears_its_resources_while_its_exit_is_held_still_exits() {
        let (_runtime, core, task) = core(Duration::from_secs(20), false);
        assert_eq!(core.on(Request::Exit, Some(3), false), Answer::Drain);
        drop(Sentinel(Arc::clone(&core)));
        assert_eq!(task.snapshot().status, TaskStatus::Cancelled, "it may end the process next");
        assert!(matches!(*core.phase.lock(), Phase::Draining { .. }));
    }

    #[test]
    fn an_exit_that_cannot_be_held_waits_for_the_drain_that_the_same_click_has_begun() {
        let (_runtime, core, task) = core(Duration::from_secs(20), false);
        assert_eq!(core.on(Request::LastWindowClosed, None, false), Answer::Drain);
        core.last_chance();
        assert_eq!(task.snapshot().status, TaskStatus::Cancelled);
        assert_eq!(*core.phase.lock(), Phase::Over);
    }

    #[test]
    fn the_code_is_that_of_the_exit_and_not_that_of_a_window_that_closes_with_it() {
        let (_runtime, core, _task) = core(Duration::from_secs(20), false);
        assert_eq!(core.on(Request::LastWindowClosed, None, false), Answer::Drain);
        assert_eq!(core.on(Request::Exit, Some(3), false), Answer::Hold);
        assert_eq!(core.on(Request::Exit, Some(4), false), Answer::Hold);
        assert_eq!(*core.code.lock(), Some(3));
    }

    #[test]
    fn a_runtime_that_is_gone_holds_nobody() {
        let (runtime, core, _task) = core(Duration::from_secs(20), false);
        runtime.shutdown_background();
        let begun = Instant::now();
        core.last_chance();
        assert!(begun.elapsed() < Duration::from_secs(20), "the grace period");
    }
}
