use std::{
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc::SyncSender,
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tauri_plugin_tasks_engine::delivery::{is_idle, would_be_lost};

use super::phase::{Answer, Phase, Request, Situation};
use crate::TaskManager;

/// How much longer than the grace period the main thread waits: for the answer, and for a machine that is busy.
pub(super) const SLACK: Duration = Duration::from_millis(500);
/// Longer grace periods are cut to this one.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The way out without the app: what holds it and for how long.
pub(super) struct Core {
    pub(super) tasks: TaskManager,
    pub(super) grace: Duration,
    pub(super) phase: Mutex<Phase>,
    /// What to exit with. `None` as long as only a window was closed.
    pub(super) code: Mutex<Option<i32>>,
    /// How many questions there could have been: the number of the next.
    questions: AtomicU64,
    /// Whoever asked last is in no position to answer a question.
    unattended: AtomicBool,
    /// Lets the main thread go that waits in [`last_chance`](Self::last_chance).
    pub(super) waiting: Mutex<Option<SyncSender<()>>>,
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

    /// All that would have been cut short has ended, and what is left ends within the grace period.
    pub(super) fn has_waited(&self) {
        let mut phase = self.phase.lock();
        if *phase == Phase::Waiting {
            *phase = Phase::Draining { since: Instant::now() };
        }
    }
}

/// Whether the question is the last one, and nothing has been decided.
fn is_open(phase: Phase, question: u64) -> bool {
    matches!(phase, Phase::Asking { question: open, .. } if open == question)
}
