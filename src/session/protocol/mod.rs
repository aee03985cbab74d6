//! Decides when a session may send its page a message. Plain data: the caller passes the time in.
//!
//! Invariants:
//! - At most one message is unacknowledged, and at most one is sent in each [`FRAME`], pushed or as an answer.
//! - A page that is silent for [`PROBE`](timing::PROBE) is sent a message even if there is no news. A page that
//!   leaves a message unacknowledged for a [`LEASE`] counts as gone.

pub(super) mod answer_size;
pub(super) mod timing;

use tokio::time::Instant;

use answer_size::AnswerSize;
use timing::{FRAME, LEASE, PROBE};

pub(super) struct Protocol {
    last_message: u64,
    turn: Turn,
    acknowledgements: u64,
    /// When the lease began, if one runs: the page must acknowledge a message, or has not used its session since it was
    /// opened.
    unanswered_since: Option<Instant>,
    /// When the page last used its session.
    heard_at: Instant,
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

/// What follows from an acknowledgement.
pub(super) struct Acknowledged {
    /// Whether it is the first acknowledgement of the message.
    pub is_news: bool,
    /// The answer that is due, if the message left something out.
    pub rest: Option<Rest>,
}

impl Protocol {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            last_message: 0,
            turn: Turn::Idle,
            acknowledgements: 0,
            unanswered_since: Some(now),
            heard_at: now,
            may_send_at: now,
            answer_size: AnswerSize::new(),
        }
    }

    /// Records that the page has used its session, so it is alive.
    pub(super) fn is_used(&mut self, now: Instant) {
        self.heard_at = now;
        if !matches!(self.turn, Turn::Unacknowledged(_)) {
            self.unanswered_since = None;
        }
    }

    /// Acknowledges message number `message`.
    pub(super) fn acknowledge(&mut self, message: u64, now: Instant) -> Acknowledged {
        if message != self.last_message {
            // A late repeat, or a page that checks whether its session still exists.
            return Acknowledged { is_news: false, rest: None };
        }
        self.unanswered_since = None;
        self.heard_at = now;
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

    /// Records that a message is sent, and begins its lease. Returns its number. `more` is whether it left something
    /// out.
    pub(super) fn sent(&mut self, more: bool, answered: bool, now: Instant) -> u64 {
        self.last_message += 1;
        self.unanswered_since = Some(now);
        self.turn = Turn::Unacknowledged(Sent { at: now, more, answered });
        self.may_send_at = now + FRAME;
        self.last_message
    }

    /// Returns whether a probe is due: a message, empty if need be, that the page must acknowledge.
    pub(super) fn probes(&self, now: Instant) -> bool {
        self.probe_at().is_some_and(|at| now >= at)
    }

    /// Returns whether the lease has ended.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.lease_end().is_some_and(|end| now >= end)
    }

    /// Returns when to look for the next push if there is none now: at `news_at` at the latest, or, while nothing may
    /// be pushed, when `pile` tasks have changed.
    pub(super) fn pause(&self, news_at: Option<Instant>, pile: usize, now: Instant) -> Pause {
        match self.turn {
            Turn::Unacknowledged(_) => Pause { until: self.lease_end(), changes: pile },
            // Sending the answer doesn't wake the pump, and the answer's lease ends no earlier than this.
            Turn::Answering { .. } => Pause { until: Some(now + LEASE), changes: pile },
            Turn::Idle if now < self.may_send_at => Pause { until: Some(self.may_send_at), changes: pile },
            Turn::Idle => {
                Pause { until: news_at.into_iter().chain(self.lease_end()).chain(self.probe_at()).min(), changes: 1 }
            }
        }
    }

    fn lease_end(&self) -> Option<Instant> {
        self.unanswered_since.map(|since| since + LEASE)
    }

    /// Returns when the next probe is due, if no lease runs.
    fn probe_at(&self) -> Option<Instant> {
        self.unanswered_since.is_none().then(|| self.heard_at + PROBE)
    }
}
