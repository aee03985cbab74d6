use std::{
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    time::Duration,
};

use tokio::sync::{Notify, futures::Notified};

#[cfg(any(test, feature = "test"))]
use super::wall_clock::millis;

/// How far a test has moved the clocks of an engine forward. In an app it is always zero.
#[derive(Debug, Default)]
pub(crate) struct Shift {
    by_millis: AtomicU64,
    moved: Notify,
}

impl Shift {
    /// Moves the clocks forward, and wakes all that wait by them.
    #[cfg(any(test, feature = "test"))]
    pub(crate) fn advance(&self, by: Duration) {
        self.by_millis.fetch_add(millis(by), SeqCst);
        self.moved.notify_waiters();
    }

    /// Returns how far they were moved in all.
    pub(crate) fn read(&self) -> Duration {
        Duration::from_millis(self.by_millis.load(SeqCst))
    }

    /// Resolves when they are moved after this call.
    pub(crate) fn moved(&self) -> Notified<'_> {
        self.moved.notified()
    }
}
