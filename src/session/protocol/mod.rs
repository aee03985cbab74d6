//! Whose move it is between a session and its page, as plain data with the time handed in.
//!
//! Invariants:
//! - at most one message is unacknowledged, and at most one is handed out a [`FRAME`], pushed or answered;
//! - a page that is silent for [`PROBE`](timing::PROBE) is sent a message all the same: it leaves none unacknowledged for a
//!   [`LEASE`].

pub(super) mod answer_size;
pub(super) mod timing;

use tokio::time::Instant;

use answer_size::AnswerSize;
use timing::{FRAME, LEASE, PROBE};

pub(super) struct Protocol {
    last_message: u64,
    turn: Turn,
    acknowledgements: u64,
    /// When the page last showed that it is there, if it has to show it again: it has a message to acknowledge, or it has opened
    /// its session and done nothing with it yet.
    unanswered_since: Option<Instant>,
    /// When it last did.
    heard_at: Instant,
    may_send_at: Instant,
    answer_size: AnswerSize,
}

/// Whose move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// What there is to tell is pushed.
    Idle,
    /// The page is to acknowledge the last message.
    Unacknowledged(Sent),
    /// The page has, and this acknowledgement of it is to be answered.
    Answering { acknowledgement: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sent {
    at: Instant,
    /// It did not take all.
    more: bool,
    answered: bool,
}

/// What comes with the answer to an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rest {
    /// Which acknowledgement is to be answered. A repeat has another number, and takes over.
    pub acknowledgement: u64,
    pub due: Instant,
}

/// When to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pause {
    /// At the latest. There is nothing to wait for if this is `None`.
    pub until: Option<Instant>,
    /// Or when so many tasks have changed.
    pub changes: usize,
}

/// What an acknowledgement says.
pub(super) struct Acknowledged {
    /// The message has been taken, and this is the first word of that.
    pub is_news: bool,
    /// What comes with the answer, if the message left something out.
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

    /// The page does something with its session, so it is there.
    pub(super) fn is_used(&mut self, now: Instant) {
        self.heard_at = now;
        if !matches!(self.turn, Turn::Unacknowledged(_)) {
            self.unanswered_since = None;
        }
    }

    /// The page has taken message number `message`.
    pub(super) fn acknowledge(&mut self, message: u64, now: Instant) -> Acknowledged {
        if message != self.last_message {
            // A late repeat, or a page that asks whether its session is still there.
            return Acknowledged { is_news: false, rest: None };
        }
        self.unanswered_since = None;
        self.heard_at = now;
        let mut is_news = false;
        match self.turn {
            Turn::Idle => return Acknowledged { is_news, rest: None },
            // Repeated while the first one waits, which may have got lost on its way: this one is answered instead.
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

    /// Nobody waits for the answer to this acknowledgement any more: the rest is pushed. Returns whether there was one to give.
    pub(super) fn give_up(&mut self, acknowledgement: u64) -> bool {
        let answers = self.turn == Turn::Answering { acknowledgement };
        if answers {
            self.turn = Turn::Idle;
        }
        answers
    }

    /// How large an answer may be, in bytes.
    pub(super) fn answer_limit(&self) -> usize {
        self.answer_size.limit()
    }

    /// Whether something may be pushed now.
    pub(super) fn may_push(&self, now: Instant) -> bool {
        self.turn == Turn::Idle && now >= self.may_send_at
    }

    /// Nothing is pushed before the next frame.
    pub(super) fn wait_a_frame(&mut self, now: Instant) {
        self.may_send_at = now + FRAME;
    }

    /// A message is on its way: returns its number. `more`: it does not tell all. The time runs from `now` for it.
    pub(super) fn sent(&mut self, more: bool, answered: bool, now: Instant) -> u64 {
        self.last_message += 1;
        self.unanswered_since = Some(now);
        self.turn = Turn::Unacknowledged(Sent { at: now, more, answered });
        self.may_send_at = now + FRAME;
        self.last_message
    }

    /// Whether the page is to show that it is there, with a message that may be empty.
    pub(super) fn probes(&self, now: Instant) -> bool {
        self.probe_at().is_some_and(|at| now >= at)
    }

    /// Whether the page has left a message lying for too long.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.lease_end().is_some_and(|end| now >= end)
    }

    /// When to look for the next push, if there is none now: at `refresh` at the latest, or when `pile` tasks have changed that
    /// can't be told now.
    pub(super) fn pause(&self, refresh: Option<Instant>, pile: usize, now: Instant) -> Pause {
        match self.turn {
            Turn::Unacknowledged(_) => Pause { until: self.lease_end(), changes: pile },
            // An answer doesn't wake who pushes, and its lease is no shorter.
            Turn::Answering { .. } => Pause { until: Some(now + LEASE), changes: pile },
            Turn::Idle if now < self.may_send_at => Pause { until: Some(self.may_send_at), changes: pile },
            Turn::Idle => {
                Pause { until: refresh.into_iter().chain(self.lease_end()).chain(self.probe_at()).min(), changes: 1 }
            }
        }
    }

    fn lease_end(&self) -> Option<Instant> {
        self.unanswered_since.map(|since| since + LEASE)
    }

    /// When the page is to show that it is there, if it does not have to already.
    fn probe_at(&self) -> Option<Instant> {
        self.unanswered_since.is_none().then(|| self.heard_at + PROBE)
    }
}
