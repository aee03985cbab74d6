//! What an exit that is asked for comes to, as plain data with the time handed in.
//!
//! Invariants:
//! - who asks twice for the exit is let go; but what comes within [`AGAIN`] is the same request, as one click may close a window
//!   and exit;
//! - a window that closes is no such request: it may go, and what it left is seen to its end;
//! - nothing is held when there is nothing to wait for.

use std::time::{Duration, Instant};

/// How long after a request another one still counts as the same.
pub(super) const AGAIN: Duration = Duration::from_millis(500);

/// How far the app is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    #[default]
    Running,
    /// The host's hook has a [`Quit`](super::Quit) to decide on.
    Asking { since: Instant },
    /// All that would be cut short is waited for, however long that takes.
    Waiting { since: Instant },
    /// What there is comes to its end within the grace period, and the exit follows.
    Draining { since: Instant },
    /// Nothing holds the exit any more.
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// The last window is about to close, and could be kept.
    CloseLastWindow,
    /// It has closed.
    LastWindowClosed,
    /// `AppHandle::exit`, or a signal.
    Exit,
}

/// How things stand when a request comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    /// Something has to be waited for.
    pub(super) busy: bool,
    /// Work would be cut short, and there are a hook to ask and a window to show it.
    pub(super) can_ask: bool,
    pub(super) now: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It takes its course.
    Pass,
    /// It is held, and nothing more.
    Hold,
    /// It is held, and the hook asked.
    Ask,
    /// It is held until what there is has come to its end.
    Drain,
}

impl Phase {
    pub(super) fn on(&mut self, request: Request, Situation { busy, can_ask, now }: Situation) -> Answer {
        use Request::{CloseLastWindow, Exit, LastWindowClosed};
        let is_same = |since: Instant| now.saturating_duration_since(since) < AGAIN;
        let (next, answer) = match (*self, request) {
            (Self::Running, _) if !busy => (Self::Running, Answer::Pass),
            (Self::Running, CloseLastWindow | Exit) if can_ask => (Self::Asking { since: now }, Answer::Ask),
            // Without a question the window may close; the end follows.
            (Self::Running, CloseLastWindow) => (Self::Running, Answer::Pass),
            // The page that was to ask may be another one by now.
            (Self::Asking { .. }, CloseLastWindow) => (Self::Asking { since: now }, Answer::Ask),
            (Self::Asking { since }, Exit) if is_same(since) => (*self, Answer::Hold),
            (Self::Running | Self::Asking { .. }, LastWindowClosed | Exit) => {
                (Self::Draining { since: now }, Answer::Drain)
            }
            (Self::Waiting { .. } | Self::Draining { .. }, CloseLastWindow) => (*self, Answer::Pass),
            (Self::Waiting { .. } | Self::Draining { .. }, LastWindowClosed) => (*self, Answer::Hold),
            (Self::Waiting { since } | Self::Draining { since }, Exit) if is_same(since) => (*self, Answer::Hold),
            // It is in a hurry now.
            (Self::Waiting { .. }, Exit) => (Self::Draining { since: now }, Answer::Drain),
            (Self::Draining { .. } | Self::Over, _) => (Self::Over, Answer::Pass),
        };
        *self = next;
        answer
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request() -> impl Strategy<Value = Request> {
        prop_oneof![Just(Request::CloseLastWindow), Just(Request::LastWindowClosed), Just(Request::Exit)]
    }

    proptest! {
        #[test]
        fn who_asks_twice_is_let_go_an_idle_app_at_once_and_no_window_cuts_a_drain_short(
            requests in prop::collection::vec((request(), any::<bool>(), any::<bool>(), 0..1_000_u64), 1..16),
        ) {
            let mut phase = Phase::Running;
            let mut now = Instant::now();
            // When the drain began.
            let mut drained = None;
            for (request, busy, can_ask, later) in requests {
                now += Duration::from_millis(later);
                let before = phase;
                let answer = phase.on(request, Situation { busy, can_ask, now });
                match (before, answer) {
                    (_, Answer::Ask) => {
                        prop_assert!(drained.is_none() && request != Request::LastWindowClosed);
                        let is_asking = matches!(before, Phase::Asking { .. });
                        prop_assert!(can_ask || is_asking);
                    }
                    (Phase::Running, Answer::Pass) => prop_assert!(!busy || request == Request::CloseLastWindow),
                    (_, Answer::Drain) => {
                        prop_assert!(drained.is_none());
                        drained = Some(now);
                    }
                    (Phase::Draining { .. }, Answer::Pass) if request == Request::Exit => {
                        prop_assert!(now - drained.unwrap() >= AGAIN, "one action, two requests");
                    }
                    (Phase::Draining { .. }, Answer::Hold) if request == Request::Exit => {
                        prop_assert!(now - drained.unwrap() < AGAIN, "the second request");
                    }
                    (Phase::Draining { .. }, Answer::Pass) => prop_assert_eq!(request, Request::CloseLastWindow),
                    _ => {}
                }
                if phase == Phase::Over {
                    prop_assert_eq!(answer, Answer::Pass);
                }
            }
        }
    }

    fn busy(now: Instant) -> Situation {
        Situation { busy: true, can_ask: false, now }
    }

    #[test]
    fn one_click_that_closes_the_window_and_exits_is_one_request_in_either_order() {
        let now = Instant::now();
        for requests in [
            [Request::CloseLastWindow, Request::LastWindowClosed, Request::Exit],
            [Request::Exit, Request::CloseLastWindow, Request::LastWindowClosed],
        ] {
            let mut phase = Phase::Running;
            let answers = requests.map(|request| phase.on(request, busy(now)));
            assert_eq!(answers.iter().filter(|answer| **answer == Answer::Drain).count(), 1, "{answers:?}");
            assert_eq!(phase, Phase::Draining { since: now });
            assert_eq!(phase.on(Request::Exit, busy(now + AGAIN)), Answer::Pass, "the second request");
        }
    }

    #[test]
    fn the_question_is_asked_again_and_an_exit_while_it_is_open_is_not_the_second_request() {
        let (mut phase, mut now) = (Phase::Running, Instant::now());
        let mut on = |request, later| {
            now += later;
            phase.on(request, Situation { busy: true, can_ask: true, now })
        };
        assert_eq!(on(Request::CloseLastWindow, AGAIN), Answer::Ask);
        assert_eq!(on(Request::Exit, Duration::ZERO), Answer::Hold, "the same click");
        assert_eq!(on(Request::CloseLastWindow, AGAIN), Answer::Ask);
        assert_eq!(on(Request::Exit, AGAIN), Answer::Drain);
        assert_eq!(on(Request::Exit, AGAIN), Answer::Pass);
    }

    #[test]
    fn who_waits_for_the_end_goes_on_without_a_window_and_is_hurried_by_an_exit() {
        let now = Instant::now();
        let mut phase = Phase::Waiting { since: now };
        assert_eq!(phase.on(Request::CloseLastWindow, busy(now + AGAIN)), Answer::Pass);
        assert_eq!(phase.on(Request::LastWindowClosed, busy(now + AGAIN)), Answer::Hold);
        assert_eq!(phase.on(Request::Exit, busy(now + AGAIN)), Answer::Drain);
        assert_eq!(phase.on(Request::Exit, busy(now + 2 * AGAIN)), Answer::Pass);
    }
}
