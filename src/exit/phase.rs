//! What an exit that is asked for comes to, as plain data.
//!
//! Invariants:
//! - who asks twice is let go: no request waits once another one has been answered with [`Answer::Drain`];
//! - nothing is held when there is nothing to wait for;
//! - a question is asked once at a time.

/// How far the app is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    #[default]
    Running,
    /// The host's hook has a [`Quit`](super::Quit) to decide on.
    Asking,
    /// What there is comes to its end, and the exit follows.
    Draining,
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
    pub(super) fn on(&mut self, request: Request, Situation { busy, can_ask }: Situation) -> Answer {
        let (next, answer) = match (*self, request) {
            (Self::Running, _) if !busy => (Self::Running, Answer::Pass),
            (Self::Running, Request::CloseLastWindow | Request::Exit) if can_ask => (Self::Asking, Answer::Ask),
            // Without a question the window may close; the end follows.
            (Self::Running, Request::CloseLastWindow) => (Self::Running, Answer::Pass),
            (Self::Asking, Request::CloseLastWindow) => (Self::Asking, Answer::Hold),
            (Self::Running | Self::Asking, Request::LastWindowClosed | Request::Exit) => {
                (Self::Draining, Answer::Drain)
            }
            (Self::Draining | Self::Over, _) => (Self::Over, Answer::Pass),
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
        fn who_asks_twice_is_let_go_and_an_idle_app_at_once(
            requests in prop::collection::vec((request(), any::<bool>(), any::<bool>()), 1..12),
        ) {
            let mut phase = Phase::Running;
            let (mut drained, mut asked) = (false, false);
            for (request, busy, can_ask) in requests {
                let answer = phase.on(request, Situation { busy, can_ask });
                if drained {
                    prop_assert_eq!(answer, Answer::Pass, "the second request");
                }
                if !busy && !asked && !drained {
                    prop_assert_eq!(answer, Answer::Pass, "nothing to wait for");
                }
                if answer == Answer::Ask {
                    prop_assert!(can_ask && !asked && request != Request::LastWindowClosed);
                }
                if answer == Answer::Hold {
                    prop_assert!(asked && request == Request::CloseLastWindow, "only a question holds a window");
                }
                asked |= answer == Answer::Ask;
                drained |= answer == Answer::Drain;
            }
        }
    }

    #[test]
    fn a_window_that_closes_without_a_question_is_followed_by_the_drain() {
        let mut phase = Phase::Running;
        let busy = Situation { busy: true, can_ask: false };
        assert_eq!(phase.on(Request::CloseLastWindow, busy), Answer::Pass);
        assert_eq!(phase.on(Request::LastWindowClosed, busy), Answer::Drain);
        // The drain's own exit.
        assert_eq!(phase.on(Request::Exit, busy), Answer::Pass);
    }

    #[test]
    fn an_exit_while_the_question_is_open_is_not_the_second_request() {
        let mut phase = Phase::Asking;
        let busy = Situation { busy: true, can_ask: true };
        assert_eq!(phase.on(Request::CloseLastWindow, busy), Answer::Hold);
        assert_eq!(phase.on(Request::Exit, busy), Answer::Drain);
        assert_eq!(phase.on(Request::Exit, busy), Answer::Pass);
    }
}
