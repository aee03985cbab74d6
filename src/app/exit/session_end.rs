//! Tells the end of the user's session, such as a log-off, from an exit that was requested. Plain data: the caller
//! passes the time in.
//!
//! At a log-off or a shutdown of Windows, tao ends its event loop inside a window procedure, while Windows waits for
//! it: `RunEvent::Exit` comes, and no `RunEvent::ExitRequested` before it. After five seconds Windows tells the user
//! that the app holds it up, and may end the process.

use std::time::{Duration, Instant};

use super::phase::AGAIN;

/// How long the main thread may wait at the end of a session; `None` if that is like any other exit. On macOS, Cmd+Q and
/// the Dock also come without a request, so a log-out can't be told from them.
pub(super) const SESSION_END: Option<Duration> = if cfg!(windows) { Some(Duration::from_secs(3)) } else { None };

/// Whether the event loop is about to end because an exit was requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum RequestedEnd {
    #[default]
    No,
    /// A request was let pass, and the event loop has not come round since.
    Passed,
    /// The event loop has come round at this time, perhaps for the last time. If it doesn't end soon after that, the app
    /// has prevented that exit itself.
    LastRound(Instant),
}

impl RequestedEnd {
    /// Records that a request to exit was let pass.
    pub(super) fn request_passed(&mut self) {
        *self = Self::Passed;
    }

    /// Records that the event loop has come round.
    pub(super) fn loop_came_round(&mut self, now: Instant) {
        if *self == Self::Passed {
            *self = Self::LastRound(now);
        }
    }

    /// Returns how long the main thread may wait when the event loop ends at `now`, if `session_end` limits that.
    pub(super) fn longest_wait(self, session_end: Option<Duration>, now: Instant) -> Option<Duration> {
        let is_requested = match self {
            Self::No => false,
            Self::Passed => true,
            Self::LastRound(since) => now.saturating_duration_since(since) < AGAIN,
        };
        session_end.filter(|_| !is_requested)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Option<Duration> = Some(Duration::from_secs(3));

    #[test]
    fn only_windows_limits_the_end_of_a_session() {
        assert_eq!(SESSION_END, if cfg!(windows) { LIMIT } else { None });
    }

    #[test]
    fn an_end_that_nobody_requested_is_the_end_of_the_session() {
        let now = Instant::now();
        let mut requested = RequestedEnd::default();
        requested.loop_came_round(now);
        assert_eq!(requested.longest_wait(LIMIT, now), LIMIT);
        assert_eq!(requested.longest_wait(None, now), None, "it is like any other exit there");
    }

    #[test]
    fn a_requested_end_is_not_limited_however_long_the_handlers_of_the_app_take() {
        let now = Instant::now();
        let mut requested = RequestedEnd::default();
        requested.request_passed();
        // The app's handler of the request blocks the loop until now.
        let now = now + AGAIN * 10;
        assert_eq!(requested.longest_wait(LIMIT, now), None);
        requested.loop_came_round(now);
        requested.loop_came_round(now + AGAIN / 2);
        assert_eq!(requested.longest_wait(LIMIT, now + AGAIN / 2), None);
    }

    #[test]
    fn a_request_that_the_app_has_prevented_itself_is_soon_forgotten_even_if_the_loop_rests() {
        let now = Instant::now();
        for rounds in 0..3 {
            let mut requested = RequestedEnd::default();
            requested.request_passed();
            requested.loop_came_round(now);
            for _ in 0..rounds {
                requested.loop_came_round(now + AGAIN);
            }
            assert_eq!(requested.longest_wait(LIMIT, now + AGAIN), LIMIT);
            requested.request_passed();
            assert_eq!(requested.longest_wait(LIMIT, now + AGAIN), None, "the next request");
        }
    }
}
