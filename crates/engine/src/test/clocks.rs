//! Clocks that a test moves one at a time, in paused time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::time::{Instant, advance};

use crate::clock::Clocks;

/// The clocks of a machine, which a test puts to sleep and whose clock it sets.
#[derive(Debug, Clone)]
pub struct TestMachine {
    begin: Instant,
    tokio_counts_sleep: bool,
    /// How many milliseconds it has slept.
    slept: Arc<AtomicU64>,
    set: Arc<AtomicI64>,
}

/// What the wall clock shows when a machine is made, in milliseconds: late enough that it can be set back.
pub const MADE_AT: u64 = 3_600_000;

impl TestMachine {
    /// Makes a machine whose tokio clock stands still while it sleeps, as on Linux, Android and Apple's systems.
    pub fn new() -> Self {
        Self { begin: Instant::now(), tokio_counts_sleep: false, slept: Arc::default(), set: Arc::default() }
    }

    /// Makes a machine whose tokio clock goes on while it sleeps, as on Windows.
    pub fn whose_tokio_counts_sleep() -> Self {
        Self { tokio_counts_sleep: true, ..Self::new() }
    }

    /// Returns its clocks, for one engine.
    pub fn clocks(&self) -> Clocks {
        let (wall, elapsed) = (self.clone(), self.clone());
        Clocks::new(move || wall.wall(), move || elapsed.elapsed(), self.tokio_counts_sleep)
    }

    /// Returns the time of day in milliseconds since 1970.
    pub fn wall(&self) -> u64 {
        let elapsed = u64::try_from(self.elapsed().as_millis()).unwrap();
        (MADE_AT + elapsed).saturating_add_signed(self.set.load(SeqCst))
    }

    /// Returns the time since it was made, including its sleeps.
    pub fn elapsed(&self) -> Duration {
        let slept = Duration::from_millis(self.slept.load(SeqCst));
        self.begin.elapsed() + if self.tokio_counts_sleep { Duration::ZERO } else { slept }
    }

    /// Returns the time since it was made, without its sleeps.
    pub fn running(&self) -> Duration {
        self.elapsed().saturating_sub(Duration::from_millis(self.slept.load(SeqCst)))
    }

    /// Returns whether its engine can tell the time in which it runs only by counting it in steps.
    pub fn counts_in_steps(&self) -> bool {
        self.tokio_counts_sleep
    }

    /// Lets it sleep.
    pub async fn sleep(&self, length: Duration) {
        self.slept.fetch_add(u64::try_from(length.as_millis()).unwrap(), SeqCst);
        if self.tokio_counts_sleep {
            advance(length).await;
        }
    }

    /// Sets its clock forward by this many milliseconds, or back.
    pub fn set(&self, by: i64) {
        self.set.fetch_add(by, SeqCst);
    }
}

impl Default for TestMachine {
    fn default() -> Self {
        Self::new()
    }
}
