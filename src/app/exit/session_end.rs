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
    /// The event loop has come round at this time, perhaps for the last time.
    LastRound(Instant),
}

impl RequestedEnd {
    /// Records that a request to exit was let pass.
    pub(super) fn request_passed(&mut self) {
        *self = Self::Passed;
    }

    /// Records that the event loop has come round. If it still does so some time after a request, the app has prevented
    /// that exit itself.
    pub(super) fn loop_came_round(&mut self, now: Instant) {
        *self = match *self {
            Self::Passed => Self::LastRound(now),
            Self::LastRound(since) if now.saturating_duration_since(since) >= AGAIN => Self::No,
            other => other,
        };
    }

    /// Returns how long the main thread may wait when the event loop ends now, if `session_end` limits that.
    pub(super) fn longest_wait(self, session_end: Option<Duration>) -> Option<Duration> {
        session_end.filter(|_| self == Self::No)
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
        let mut requested = RequestedEnd::default();
        requested.loop_came_round(Instant::now());
        assert_eq!(requested.longest_wait(LIMIT), LIMIT);
        assert_eq!(requested.longest_wait(None), None, "it is like any other exit there");
    }

    #[test]
    fn a_requested_end_is_not_limited_however_long_the_handlers_of_the_app_take() {
        let now = Instant::now();
        let mut requested = RequestedEnd::default();
        requested.request_passed();
        assert_eq!(requested.longest_wait(LIMIT), None);
        // The app's handler of the request has blocked the loop until now.
        requested.loop_came_round(now + AGAIN * 10);
        requested.loop_came_round(now + AGAIN * 10 + AGAIN / 2);
        assert_eq!(requested.longest_wait(LIMIT), None);
    }

    #[test]
    fn a_request_that_the_app_has_prevented_itself_is_forgotten_until_the_next_one() {
        let now = Instant::now();
        let mut requested = RequestedEnd::default();
        requested.request_passed();
        requested.loop_came_round(now);
        requested.loop_came_round(now + AGAIN);
        assert_eq!(requested.longest_wait(LIMIT), LIMIT);
        requested.request_passed();
        assert_eq!(requested.longest_wait(LIMIT), None);
    }
}
