//! Decides what happens to a request to exit. Plain data: the caller passes the time in.
//!
//! Invariants:
//! - A request is held only while there is something to wait for, and a question is asked only if work would be lost.
//! - A second request to exit passes at once. A request within [`AGAIN`] of the first counts as the same one, since one
//!   click may both close a window and exit.
//! - Closing a window is not a second request: the window may close, and the drain continues.
//! - Once the held exit is sent, neither a closing window nor another exit can overtake it and replace its code.

use std::time::{Duration, Instant};

/// How soon after a request another one still counts as the same request.
pub(super) const AGAIN: Duration = Duration::from_millis(500);

/// How far the exit of the app has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    #[default]
    Running,
    /// The hook has the [`Quit`](super::Quit) with this number and has not decided yet.
    Asking { since: Instant, question: u64 },
    /// The exit waits, without a limit, for all tasks that would be cut short.
    Waiting,
    /// The tasks end within the grace period, and the exit follows.
    Draining { since: Instant },
    /// The tasks have ended, and Tauri has been told to exit.
    Leaving,
    /// Nothing holds the exit any more.
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// The last window is about to close and can still be kept open.
    CloseLastWindow,
    /// The last window has closed.
    LastWindowClosed,
    /// `AppHandle::exit`, or a signal.
    Exit,
    /// The exit that was held, sent again after the drain.
    HeldExit,
}

/// The circumstances of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    /// There are tasks to wait for.
    pub(super) busy: bool,
    /// Work would be cut short, and there are a hook and a window to ask in.
    pub(super) can_ask: bool,
    pub(super) now: Instant,
    /// The number of the question, if one is asked.
    pub(super) question: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The request is not held.
    Pass,
    /// The request is held, and nothing else happens.
    Hold,
    /// The request is held, and the hook gets the question with this number.
    Ask(u64),
    /// The request is held until the tasks have ended.
    Drain,
}

impl Phase {
    pub(super) fn on(&mut self, request: Request, Situation { busy, can_ask, now, question }: Situation) -> Answer {
        use Request::{CloseLastWindow, Exit, HeldExit, LastWindowClosed};
        let (next, answer) = match (*self, request) {
            (Self::Over, _) => (Self::Over, Answer::Pass),
            (Self::Running | Self::Asking { .. }, _) if !busy => (*self, Answer::Pass),
            (Self::Asking { since, .. }, Exit) if can_ask && is_same(since, now) => (*self, Answer::Hold),
            // Asks again, since the window may show another page by now.
            (Self::Running | Self::Asking { .. }, CloseLastWindow) | (Self::Running, Exit) if can_ask => {
                (Self::Asking { since: now, question }, Answer::Ask(question))
            }
            // Without a question, the window may close. `LastWindowClosed` follows and begins the drain.
            (_, CloseLastWindow) => (*self, Answer::Pass),
            // An exit ends a wait.
            (Self::Running | Self::Asking { .. }, _) | (Self::Waiting, Exit | HeldExit) => {
                (Self::Draining { since: now }, Answer::Drain)
            }
            (_, LastWindowClosed) | (Self::Leaving, Exit) => (*self, Answer::Hold),
            (Self::Draining { since }, Exit) if is_same(since, now) => (*self, Answer::Hold),
            (Self::Draining { .. } | Self::Leaving, Exit | HeldExit) => (Self::Over, Answer::Pass),
        };
        *self = next;
        answer
    }

    /// Returns whether the drain began so recently that the end of the process belongs to the same request.
    pub(super) fn has_just_begun_to_drain(self, now: Instant) -> bool {
        matches!(self, Self::Draining { since } if is_same(since, now))
    }
}

fn is_same(since: Instant, now: Instant) -> bool {
    now.saturating_duration_since(since) < AGAIN
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Request {
            request: Request,
            busy: bool,
            can_ask: bool,
        },
        Stay,
        Wait,
        /// The tasks have ended.
        Told,
    }

    fn step() -> impl Strategy<Value = Step> {
        let request = prop_oneof![Just(Request::CloseLastWindow), Just(Request::LastWindowClosed), Just(Request::Exit)];
        let request = (request, prop::bool::weighted(0.8), any::<bool>());
        prop_oneof![
            6 => request.prop_map(|(request, busy, can_ask)| Step::Request { request, busy, can_ask: busy && can_ask }),
            1 => Just(Step::Stay),
            1 => Just(Step::Wait),
            1 => Just(Step::Told),
        ]
    }

    proptest! {
        #[test]
        fn a_second_exit_passes_an_idle_app_exits_at_once_and_no_window_cuts_a_drain_short(
            steps in prop::collection::vec((step(), 0..1_000_u64), 1..24),
        ) {
            let (mut phase, mut now) = (Phase::Running, Instant::now());
            let (mut asked, mut drained) = (None, None);
            for (question, (step, later)) in (0_u64..).zip(steps) {
                now += Duration::from_millis(later);
                let before = phase;
                let Step::Request { request, busy, can_ask } = step else {
                    phase = match (step, before) {
                        (Step::Stay, Phase::Asking { .. }) => Phase::Running,
                        (Step::Wait, Phase::Asking { .. }) => Phase::Waiting,
                        (Step::Told, Phase::Waiting | Phase::Draining { .. }) => Phase::Leaving,
                        _ => before,
                    };
                    continue;
                };
                let answer = phase.on(request, Situation { busy, can_ask, now, question });
                let is_recent = |event: Option<Instant>| event.is_some_and(|event| now - event < AGAIN);
                let is_undecided = matches!(before, Phase::Running | Phase::Asking { .. });
                if is_undecided && !busy {
                    prop_assert_eq!(answer, Answer::Pass, "there is nothing to wait for");
                }
                match answer {
                    Answer::Ask(number) => {
                        prop_assert!(can_ask && is_undecided && request != Request::LastWindowClosed);
                        prop_assert_eq!((number, phase), (question, Phase::Asking { since: now, question }));
                        asked = Some(now);
                    }
                    Answer::Drain => {
                        prop_assert!(is_undecided || before == Phase::Waiting);
                        prop_assert_ne!(request, Request::CloseLastWindow);
                        prop_assert_eq!(drained.replace(now), None, "once");
                    }
                    Answer::Hold if request == Request::Exit => {
                        let is_same_question = is_undecided && can_ask && is_recent(asked);
                        let is_on_its_way = before == Phase::Leaving;
                        prop_assert!(is_same_question || is_recent(drained) || is_on_its_way, "a second request");
                    }
                    Answer::Hold => {
                        prop_assert_eq!(request, Request::LastWindowClosed);
                        prop_assert!(!is_undecided && before != Phase::Over);
                    }
                    Answer::Pass if request == Request::Exit => {
                        prop_assert_ne!(before, Phase::Leaving, "the held exit comes first");
                        let is_second = drained.is_some() && !is_recent(drained);
                        prop_assert!(!busy || before == Phase::Over || is_second);
                    }
                    Answer::Pass if request == Request::LastWindowClosed => {
                        prop_assert!(!busy || before == Phase::Over, "its tasks don't end");
                    }
                    Answer::Pass => prop_assert!(!can_ask || !is_undecided, "not asked"),
                }
                let is_decided = matches!(phase, Phase::Draining { .. } | Phase::Leaving | Phase::Over);
                prop_assert!(drained.is_none() || is_decided, "no way back");
            }
        }
    }

    fn busy(now: Instant) -> Situation {
        Situation { busy: true, can_ask: false, now, question: 0 }
    }

    fn asks(now: Instant, question: u64) -> Situation {
        Situation { busy: true, can_ask: true, now, question }
    }

    #[test]
    fn a_click_that_closes_the_window_and_exits_counts_as_one_request_in_either_order() {
        let now = Instant::now();
        for requests in [
            [Request::CloseLastWindow, Request::LastWindowClosed, Request::Exit],
            [Request::Exit, Request::CloseLastWindow, Request::LastWindowClosed],
        ] {
            let mut phase = Phase::Running;
            let answers = requests.map(|request| phase.on(request, busy(now)));
            assert_eq!(answers.iter().filter(|answer| **answer == Answer::Drain).count(), 1, "{answers:?}");
            assert_eq!(phase, Phase::Draining { since: now });
            assert!(phase.has_just_begun_to_drain(now) && !phase.has_just_begun_to_drain(now + AGAIN));
            assert_eq!(phase.on(Request::Exit, busy(now + AGAIN)), Answer::Pass, "the second request");
        }
    }

    #[test]
    fn closing_the_window_again_asks_again_and_the_first_exit_while_asking_drains() {
        let (mut phase, mut now) = (Phase::Running, Instant::now());
        let mut on = |request, later, question| {
            now += later;
            phase.on(request, asks(now, question))
        };
        assert_eq!(on(Request::CloseLastWindow, AGAIN, 1), Answer::Ask(1));
        assert_eq!(on(Request::Exit, Duration::ZERO, 2), Answer::Hold, "the same click");
        assert_eq!(on(Request::CloseLastWindow, AGAIN, 3), Answer::Ask(3));
        assert_eq!(on(Request::Exit, AGAIN, 4), Answer::Drain);
        assert_eq!(on(Request::Exit, AGAIN, 5), Answer::Pass);
    }

    #[test]
    fn an_exit_without_a_question_overrules_an_open_question() {
        let now = Instant::now();
        let mut phase = Phase::Running;
        assert_eq!(phase.on(Request::CloseLastWindow, asks(now, 1)), Answer::Ask(1));
        assert_eq!(phase.on(Request::Exit, busy(now)), Answer::Drain, "a signal");
    }

    #[test]
    fn no_question_is_asked_when_no_work_would_be_lost_any_more() {
        let now = Instant::now();
        for busy in [true, false] {
            let mut phase = Phase::Running;
            assert_eq!(phase.on(Request::CloseLastWindow, asks(now, 1)), Answer::Ask(1));
            let situation = Situation { busy, can_ask: false, now: now + AGAIN, question: 2 };
            assert_eq!(phase.on(Request::CloseLastWindow, situation), Answer::Pass);
            let end = if busy { Answer::Drain } else { Answer::Pass };
            assert_eq!(phase.on(Request::LastWindowClosed, situation), end);
        }
    }

    #[test]
    fn a_wait_continues_without_a_window_and_an_exit_ends_it() {
        let now = Instant::now();
        let mut phase = Phase::Waiting;
        assert_eq!(phase.on(Request::CloseLastWindow, busy(now)), Answer::Pass);
        assert_eq!(phase.on(Request::LastWindowClosed, busy(now)), Answer::Hold);
        assert_eq!(phase.on(Request::Exit, busy(now)), Answer::Drain, "even right after the wait began");
        assert_eq!(phase.on(Request::Exit, busy(now + AGAIN)), Answer::Pass);
    }

    #[test]
    fn nothing_overtakes_a_held_exit_once_it_is_sent() {
        let mut phase = Phase::Leaving;
        let idle = Situation { busy: false, can_ask: false, now: Instant::now(), question: 0 };
        assert_eq!(phase.on(Request::LastWindowClosed, idle), Answer::Hold);
        assert_eq!(phase.on(Request::Exit, idle), Answer::Hold, "another one");
        assert_eq!(phase.on(Request::HeldExit, idle), Answer::Pass);
        assert_eq!(phase.on(Request::LastWindowClosed, idle), Answer::Pass, "in case the app has prevented that exit");
    }
}
