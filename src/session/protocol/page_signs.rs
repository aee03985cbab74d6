//! The signs of life of one page, which all of its sessions share. A page may have sessions that its client has given
//! up, and those say nothing any more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

pub(crate) struct PageSigns {
    hidden_limit: Duration,
    begin: Instant,
    /// Whether the page is hidden, by what it has said last, in whatever session.
    hidden: AtomicBool,
    /// When it was last heard, in milliseconds since `begin`.
    heard: AtomicU64,
    /// Whether it has used any of the sessions.
    is_used: AtomicBool,
}

impl PageSigns {
    /// Begins at `now` with a page that counts as visible. While it is hidden, it may be silent for `hidden_limit`.
    /// `is_used` is whether it has used a session that has ended since.
    pub(in crate::session) fn new(now: Instant, hidden_limit: Duration, is_used: bool) -> Arc<Self> {
        Arc::new(Self {
            hidden_limit,
            begin: now,
            hidden: AtomicBool::new(false),
            heard: AtomicU64::new(0),
            is_used: AtomicBool::new(is_used),
        })
    }

    pub(super) fn hidden_limit(&self) -> Duration {
        self.hidden_limit
    }

    pub(super) fn is_hidden(&self) -> bool {
        self.hidden.load(Relaxed)
    }

    pub(super) fn set_hidden(&self, hidden: bool) {
        self.hidden.store(hidden, Relaxed);
    }

    /// Records that the page was heard.
    pub(super) fn hears(&self, now: Instant) {
        let heard = u64::try_from(now.saturating_duration_since(self.begin).as_millis()).unwrap_or(u64::MAX);
        self.heard.fetch_max(heard, Relaxed);
    }

    /// Records that the page has used one of its sessions.
    pub(super) fn uses(&self) {
        self.is_used.store(true, Relaxed);
    }

    /// Returns whether the page has used any of its sessions. Otherwise it may have left while it opened them.
    pub(in crate::session) fn is_used(&self) -> bool {
        self.is_used.load(Relaxed)
    }

    /// Returns when the page was last heard.
    pub(super) fn heard(&self) -> Instant {
        self.begin + Duration::from_millis(self.heard.load(Relaxed))
    }
}
