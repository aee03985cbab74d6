//! Decides when a session may send its page a message. Plain data: the caller passes the time in.
//!
//! Invariants:
//! - At most one message is unacknowledged, and at most one is sent in each [`FRAME`], pushed or as an answer.
//! - While something depends on a page, it is sent a message even if there is no news once it is silent for
//!   [`PROBE`](timing::PROBE). A page that stays silent counts as gone ([`silence`]). If a page is heard a [`LEASE`] after
//!   it owed an acknowledgement, and owes it still, the message counts as lost.
//! - Neither is concluded unless the app's [`main_thread`], through which pages speak, has answered a moment ago.
//! - Nothing depends on a page that waits for no news, reads no items and owns no task that would be cancelled with it.
//!   Its silence means nothing, so it gets no messages and causes no wake-ups.

pub(super) mod answer_size;
pub(super) mod main_thread;
pub(super) mod page_signs;
mod silence;
pub(crate) mod timing;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::message::Visibility;
use answer_size::AnswerSize;
use main_thread::Question;
use page_signs::PageSigns;
use silence::Silence;
use timing::{CATCH_UP, FRAME, LEASE, PROBE, STEP};

pub(super) struct Protocol {
    last_message: u64,
    turn: Turn,
    acknowledgements: u64,
    silence: Silence,
    /// Since when, in the time that [`Silence`] counts, the page is known to be alive while it owes an acknowledgement.
    behind_since: Option<Duration>,
    /// Whether the page has used its session since it was opened.
    is_used: bool,
    /// Whether the pump sleeps until it is woken, since nothing depends on the page.
    rests: bool,
    may_send_at: Instant,
    answer_size: AnswerSize,
}

/// Whose move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The session may push a message.
    Idle,
    /// The page must acknowledge the last message.
    Unacknowledged(Sent),
    /// The page has acknowledged the last message, and the session must answer this acknowledgement.
    Answering { acknowledgement: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sent {
    at: Instant,
    /// Whether the message left something out.
    more: bool,
    answered: bool,
}

/// The answer that an acknowledgement waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rest {
    /// The number of the acknowledgement. A repeated acknowledgement gets a new number and the answer.
    pub acknowledgement: u64,
    pub due: Instant,
}

/// When the pump looks for the next push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pause {
    /// At this time at the latest, or only after changes if this is `None`.
    pub until: Option<Instant>,
    /// As soon as this many tasks have changed.
    pub changes: usize,
}

/// Why a session can't go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// The page is gone: it has been silent for too long.
    Silent,
    /// A message was lost: the page is there but does not acknowledge it.
    Behind,
    /// The page is there but goes on in another session.
    Forgotten,
}

/// What follows from an acknowledgement.
pub(super) struct Acknowledged {
    /// Whether it is the first acknowledgement of the message.
    pub is_news: bool,
    /// The answer that is due, if the message left something out.
    pub rest: Option<Rest>,
}

impl Protocol {
    pub(super) fn new(now: Instant, page: Arc<PageSigns>) -> Self {
        Self {
            last_message: 0,
            turn: Turn::Idle,
            acknowledgements: 0,
            silence: Silence::new(now, page),
            behind_since: None,
            is_used: false,
            rests: false,
            may_send_at: now,
            answer_size: AnswerSize::new(),
        }
    }

    /// Records that the page has used its session, so it is alive. Returns whether the pump must be woken.
    pub(super) fn is_used(&mut self, now: Instant) -> bool {
        self.silence.uses(now);
        self.is_used = true;
        if matches!(self.turn, Turn::Unacknowledged(_)) {
            self.behind_since.get_or_insert(self.silence.counted());
        }
        std::mem::take(&mut self.rests)
    }

    /// Records whether the page can be seen: see [`Silence::sees`].
    pub(super) fn sees(&mut self, visibility: Visibility, now: Instant) {
        self.silence.sees(visibility, now);
    }

    /// Records that the page is alive, without having used its session.
    pub(super) fn hears(&mut self, now: Instant) {
        self.silence.hears(now);
    }

    /// Acknowledges message number `message`.
    pub(super) fn acknowledge(&mut self, message: u64, now: Instant) -> Acknowledged {
        self.is_used(now);
        if message != self.last_message {
            // A late repeat, or a page that checks whether its session still exists.
            return Acknowledged { is_news: false, rest: None };
        }
        self.behind_since = None;
        let mut is_news = false;
        match self.turn {
            Turn::Idle => return Acknowledged { is_news, rest: None },
            // A repeat while the first acknowledgement waits. The page may no longer wait for that one, so this one is
            // answered instead.
            Turn::Answering { .. } => {}
            Turn::Unacknowledged(sent) => {
                is_news = true;
                self.answer_size.learn(now - sent.at, sent.more && sent.answered);
                if !sent.more {
                    self.turn = Turn::Idle;
                    return Acknowledged { is_news, rest: None };
                }
            }
        }
        self.acknowledgements += 1;
        self.turn = Turn::Answering { acknowledgement: self.acknowledgements };
        let rest = Rest { acknowledgement: self.acknowledgements, due: self.may_send_at };
        Acknowledged { is_news, rest: Some(rest) }
    }

    /// Ends the wait for the answer to this acknowledgement, so that the rest may be pushed. Returns whether it was
    /// waiting.
    pub(super) fn give_up(&mut self, acknowledgement: u64) -> bool {
        let answers = self.turn == Turn::Answering { acknowledgement };
        if answers {
            self.turn = Turn::Idle;
        }
        answers
    }

    /// Returns how large an answer may be, in bytes.
    pub(super) fn answer_limit(&self) -> usize {
        self.answer_size.limit()
    }

    /// Returns whether a message may be pushed now.
    pub(super) fn may_push(&self, now: Instant) -> bool {
        self.turn == Turn::Idle && now >= self.may_send_at
    }

    /// Delays the next push to the next frame.
    pub(super) fn wait_a_frame(&mut self, now: Instant) {
        self.may_send_at = now + FRAME;
    }

    /// Records that a message is sent. Returns its number. `more` is whether it left something out.
    pub(super) fn sent(&mut self, more: bool, answered: bool, now: Instant) -> u64 {
        self.last_message += 1;
        self.behind_since = None;
        self.turn = Turn::Unacknowledged(Sent { at: now, more, answered });
        self.may_send_at = now + FRAME;
        self.last_message
    }

    /// Returns whether something depends on the page for the protocol itself: a message or an answer is under way, or the
    /// page has not used its session yet and may have left while it opened it.
    pub(super) fn is_needed(&self) -> bool {
        !self.is_used || self.turn != Turn::Idle
    }

    /// Returns why the session can't go on, if it can't. While something depends on the page, call this before each push
    /// and at the end of each [`Pause`].
    pub(super) fn loss(&mut self, now: Instant) -> Option<Loss> {
        if std::mem::take(&mut self.rests) {
            // Its silence meant nothing until now.
            self.silence.forgives(now);
        }
        self.silence.count(now);
        let loss = self.next_loss()?;
        // A page is forgotten because it was heard, so the main thread runs.
        (loss == Loss::Forgotten || self.silence.is_main_thread_answering(now)).then_some(loss)
    }

    fn next_loss(&self) -> Option<Loss> {
        if self.silence.left().is_zero() {
            return Some(Loss::Silent);
        }
        if self.silence.is_forgotten(self.is_used) {
            return Some(Loss::Forgotten);
        }
        self.left_to_acknowledge().is_some_and(|left| left.is_zero()).then_some(Loss::Behind)
    }

    /// Returns how much longer nothing may be concluded from an unacknowledged message, if the page was still heard a
    /// [`LEASE`] after it owed the acknowledgement. A page that stands still meanwhile is not heard, and counts as silent.
    fn left_to_acknowledge(&self) -> Option<Duration> {
        let was_heard_for = self.silence.heard_since(self.behind_since?);
        (was_heard_for >= LEASE).then(|| self.silence.left_to_catch_up())
    }

    /// Returns how much longer the session goes on if the page neither speaks nor acknowledges.
    fn left(&self) -> Duration {
        let left = self.silence.left();
        self.left_to_acknowledge().map_or(left, |to_acknowledge| left.min(to_acknowledge))
    }

    /// Returns what to ask the app's main thread, if the session is about to end: a thread that is blocked has kept the
    /// page from being heard. Call this after [`loss`](Self::loss), and ask without any lock.
    pub(super) fn ask_main_thread(&mut self, now: Instant) -> Option<Question> {
        if self.left() > CATCH_UP { None } else { self.silence.ask_main_thread(now) }
    }

    /// Returns whether the page has not been heard for a [`STEP`].
    pub(super) fn is_quiet(&self) -> bool {
        self.silence.length() >= STEP
    }

    /// Returns whether a probe is due if something depends on the page: a message, empty if need be, that the page must
    /// acknowledge.
    pub(super) fn probes(&self) -> bool {
        self.silence.length() >= PROBE
    }

    /// Returns when to look for the next push if there is none now: at `news_at` at the latest, or, while nothing may
    /// be pushed, when `pile` tasks have changed. While something depends on the page (`is_needed`), its silence is counted, too.
    pub(super) fn pause(&mut self, news_at: Option<Instant>, pile: usize, is_needed: bool, now: Instant) -> Pause {
        self.rests = !is_needed;
        let step = is_needed.then(|| now + self.step());
        match self.turn {
            Turn::Idle if now < self.may_send_at => Pause { until: Some(self.may_send_at), changes: pile },
            Turn::Idle => Pause { until: news_at.into_iter().chain(step).min(), changes: 1 },
            Turn::Unacknowledged(_) | Turn::Answering { .. } => Pause { until: step, changes: pile },
        }
    }

    /// Returns how long to wait before the silence of the page is looked at again.
    fn step(&self) -> Duration {
        let probe = PROBE.saturating_sub(self.silence.length());
        let probe = (self.turn == Turn::Idle && !probe.is_zero()).then_some(probe);
        let left = self.left();
        // The main thread is asked once there is no more than a catch-up left.
        let left = left.checked_sub(CATCH_UP).filter(|left| !left.is_zero()).unwrap_or(left);
        let next = probe.into_iter().chain([STEP, left]).min().unwrap_or(STEP);
        // What is due by then is seen at the first look after it, so never wait for no time.
        next.max(FRAME)
    }
}

#[cfg(test)]
mod tests;
