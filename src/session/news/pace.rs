use std::time::Duration;

use tokio::time::Instant;

/// How often a watcher is told of changes that may wait: progress, and whatever is no end in a list.
#[derive(Debug, Clone, Copy)]
pub(in crate::session) struct Pace {
    every: Duration,
    /// When it was told last.
    told: Instant,
}

impl Pace {
    /// Returns the pace of a watcher that learns of the current state now.
    pub(in crate::session) fn new(every: Duration, now: Instant) -> Self {
        Self { every, told: now }
    }

    /// Returns how long it waits between two reports.
    pub(in crate::session) fn every(self) -> Duration {
        self.every
    }

    /// Returns when it may be told next.
    pub(in crate::session) fn next(self) -> Instant {
        self.told + self.every
    }

    /// Returns whether it may be told now.
    pub(in crate::session) fn allows(self, now: Instant) -> bool {
        now >= self.next()
    }

    /// Notes that it was told. Does nothing if it was told too early, since that was about an end.
    pub(in crate::session) fn tell(&mut self, now: Instant) {
        if self.allows(now) {
            self.told = now;
        }
    }

    /// Changes the pace. What it was told before counts.
    pub(in crate::session) fn set(&mut self, every: Duration) {
        self.every = every;
    }
}
