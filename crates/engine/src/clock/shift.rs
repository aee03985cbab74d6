#[cfg(any(test, feature = "test"))]
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

#[cfg(any(test, feature = "test"))]
use tokio::sync::Notify;

#[cfg(any(test, feature = "test"))]
use super::wall_clock::millis;

/// How far a test has moved the clocks of an engine forward. In an app it is always zero, and nothing waits for it.
#[derive(Debug, Default)]
pub(crate) struct Shift {
    #[cfg(any(test, feature = "test"))]
    by_millis: AtomicU64,
    #[cfg(any(test, feature = "test"))]
    moved: Notify,
}

#[cfg(any(test, feature = "test"))]
impl Shift {
    /// Moves the clocks forward, and wakes all that wait by them.
    pub(crate) fn advance(&self, by: Duration) {
        self.by_millis.fetch_add(millis(by), SeqCst);
        self.moved.notify_waiters();
    }

    /// Returns how far they were moved in all.
    pub(crate) fn read(&self) -> Duration {
        Duration::from_millis(self.by_millis.load(SeqCst))
    }

    /// Resolves when they are moved after this call.
    pub(crate) fn moved(&self) -> impl Future<Output = ()> {
        self.moved.notified()
    }
}

#[cfg(not(any(test, feature = "test")))]
#[allow(clippy::unused_self)] // As in a test.
impl Shift {
    pub(crate) fn read(&self) -> Duration {
        Duration::ZERO
    }

    pub(crate) fn moved(&self) -> impl Future<Output = ()> {
        std::future::pending()
    }
}
