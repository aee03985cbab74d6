//! Finds out whether the app's main thread answers. What pages say comes in through it, so while it is blocked, none of
//! them can be heard.

use std::time::Duration;

use tokio::{
    sync::oneshot::{self, Receiver, Sender, error::TryRecvError},
    time::Instant,
};

use super::timing::{CATCH_UP, STEP};

/// What the main thread was asked, at most one question at a time.
pub(super) struct MainThread {
    asked: Option<Asked>,
}

struct Asked {
    at: Instant,
    answer: Answer,
}

enum Answer {
    Awaited(Receiver<Instant>),
    /// The question was dropped: the event loop is closed.
    Refused,
    Given,
}

/// A question to the main thread, which answers it there.
pub(in crate::session) struct Question(Sender<Instant>);

/// The time in which the main thread has left a question unanswered.
pub(super) struct Unanswered {
    pub until: Instant,
    /// Whether that has lasted for a [`STEP`].
    pub long: bool,
}

impl MainThread {
    pub(super) fn new() -> Self {
        Self { asked: None }
    }

    /// Asks, if no question is open and the last one is a [`STEP`] old.
    pub(super) fn ask(&mut self, now: Instant) -> Option<Question> {
        let waits = |asked: &Asked| matches!(asked.answer, Answer::Awaited(_)) || asked.age(now) < STEP;
        if self.asked.as_ref().is_some_and(waits) {
            return None;
        }
        let (question, answer) = oneshot::channel();
        self.asked = Some(Asked { at: now, answer: Answer::Awaited(answer) });
        Some(Question(question))
    }

    /// Looks for the answer to the open question, if there is one. Returns for how long there was none by `now`.
    pub(super) fn look(&mut self, now: Instant) -> Option<Unanswered> {
        let asked = self.asked.as_mut()?;
        let mut until = now;
        match &mut asked.answer {
            Answer::Given => return None,
            Answer::Refused => {}
            Answer::Awaited(answer) => match answer.try_recv() {
                Ok(at) => {
                    until = at.min(now);
                    asked.answer = Answer::Given;
                }
                Err(TryRecvError::Closed) => asked.answer = Answer::Refused,
                Err(TryRecvError::Empty) => {}
            },
        }
        Some(Unanswered { until, long: asked.age(until) >= STEP })
    }

    /// Returns whether it has answered a question that is no older than a [`CATCH_UP`]. An app that runs late looks at least
    /// once in that time.
    pub(super) fn answers(&self, now: Instant) -> bool {
        self.asked.as_ref().is_some_and(|asked| matches!(asked.answer, Answer::Given) && asked.age(now) <= CATCH_UP)
    }
}

impl Asked {
    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.at)
    }
}

impl Question {
    /// Answers it at `now`.
    pub(in crate::session) fn answer(self, now: Instant) {
        // The session may be closed by now.
        let _ = self.0.send(now);
    }
}
