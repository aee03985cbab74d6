use std::{
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc::SyncSender,
    },
    time::{Duration, Instant},
};

use tauri_plugin_tasks_engine::delivery::{LONGEST_GRACE, is_idle, would_be_lost};

use super::{
    phase::{Answer, Phase, Request, Situation},
    session_end::RequestedEnd,
};
use crate::{
    TaskManager,
    lock::{CODE, Lock, PHASE, REQUESTED_END, WAITING},
};

/// How much longer than the grace period an exit may take on a busy machine.
pub(super) const SLACK: Duration = Duration::from_millis(500);

/// The state of an exit, without the app.
pub(super) struct Core {
    pub(super) tasks: TaskManager,
    pub(super) grace: Duration,
    pub(super) phase: Lock<Phase, PHASE>,
    /// The code to exit with. `None` until a request has a code: closing a window has none.
    pub(super) code: Lock<Option<i32>, CODE>,
    /// The number of the next question.
    questions: AtomicU64,
    /// Whether a signal has requested the exit, so that nobody can answer a question.
    unattended: AtomicBool,
    /// Wakes the main thread while it waits in [`last_chance`](Self::last_chance).
    pub(super) waiting: Lock<Option<SyncSender<()>>, WAITING>,
    /// How long the main thread may wait at the end of a session, if that is limited.
    session_end: Option<Duration>,
    requested_end: Lock<RequestedEnd, REQUESTED_END>,
}

/// How a drain begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drain {
    /// Each task ends as its kind says.
    ByKind,
    /// All tasks are cancelled first.
    Cancel,
    /// The exit first waits, without a time limit, for all tasks that it would otherwise cut short.
    Wait,
}

impl Core {
    pub(super) fn new(tasks: TaskManager, grace: Duration, session_end: Option<Duration>) -> Self {
        Self {
            tasks,
            grace: grace.min(LONGEST_GRACE),
            phase: Lock::default(),
            code: Lock::default(),
            questions: AtomicU64::new(0),
            unattended: AtomicBool::new(false),
            waiting: Lock::default(),
            session_end,
            requested_end: Lock::default(),
        }
    }

    /// Decides on a request. `code` is the exit code, `None` for a closed window. `can_ask` is whether the host app has
    /// a hook and a window to ask in.
    pub(super) fn on(&self, request: Request, code: Option<i32>, can_ask: bool) -> Answer {
        let busy = !is_idle(&self.tasks);
        let can_ask = can_ask && !self.unattended.load(Relaxed) && !would_be_lost(&self.tasks).is_empty();
        let question = self.questions.fetch_add(1, Relaxed);
        let mut phase = self.phase.lock();
        let mut held = self.code.lock();
        let is_held_exit = *phase == Phase::Leaving && code == Some(held.unwrap_or(0));
        let request = if request == Request::Exit && is_held_exit { Request::HeldExit } else { request };
        let answer = phase.on(request, Situation { busy, can_ask, now: Instant::now(), question });
        *held = match answer {
            Answer::Pass => *held,
            // The drain overrides an open question or wait, and so its code.
            Answer::Drain => code.or(*held),
            Answer::Hold | Answer::Ask(_) => held.or(code),
        };
        answer
    }

    /// Records that a request to exit was let pass.
    pub(super) fn request_passed(&self) {
        self.requested_end.lock().request_passed();
    }

    /// Records that the event loop has come round.
    pub(super) fn loop_came_round(&self) {
        if self.session_end.is_some() {
            self.requested_end.lock().loop_came_round(Instant::now());
        }
    }

    /// Returns how long the main thread may wait when the event loop ends now, if that is the end of a session and
    /// limited.
    pub(super) fn session_ends(&self) -> Option<Duration> {
        self.requested_end.lock().longest_wait(self.session_end, Instant::now())
    }

    /// Decides to stay if a question is open, since no window is left to show it in and the app keeps running.
    pub(super) fn nobody_is_left_to_ask(&self) {
        self.stay_if(|phase| matches!(phase, Phase::Asking { .. }));
    }

    /// Records that nobody can answer questions, so that none is asked from now on.
    pub(super) fn is_unattended(&self) {
        self.unattended.store(true, Relaxed);
    }

    /// Decides not to exit. Does nothing if `question` is no longer open.
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

    /// Decides to exit. Returns `false`, and does nothing, if `question` is no longer open.
    pub(super) fn leave(&self, question: u64, drain: Drain) -> bool {
        let mut phase = self.phase.lock();
        let decides = is_open(*phase, question);
        if decides {
            *phase = if drain == Drain::Wait { Phase::Waiting } else { Phase::Draining { since: Instant::now() } };
        }
        decides
    }

    /// Begins the grace period for the remaining tasks after a [`Drain::Wait`], when all tasks that it waits for have
    /// ended.
    pub(super) fn has_waited(&self) {
        let mut phase = self.phase.lock();
        if *phase == Phase::Waiting {
            *phase = Phase::Draining { since: Instant::now() };
        }
    }
}

/// Returns whether `question` is the newest question and still undecided.
fn is_open(phase: Phase, question: u64) -> bool {
    matches!(phase, Phase::Asking { question: open, .. } if open == question)
}
