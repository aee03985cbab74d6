//! The clocks of an engine besides tokio's.

pub(crate) mod awake_time;
pub(crate) mod wall_clock;

use std::time::{Duration, Instant};

use wall_clock::{WallClock, unix_millis};

/// The clocks that an engine reads in addition to tokio's.
pub struct Clocks {
    pub(crate) wall: WallClock,
    pub(crate) elapsed: Elapsed,
}

/// Reads the time since some fixed moment. It counts the time in which the machine sleeps, and nobody can set it.
pub(crate) type Elapsed = Box<dyn Fn() -> Duration + Send + Sync>;

impl Clocks {
    /// Returns the clocks of the system.
    pub fn of_system() -> Self {
        let begin = Instant::now();
        Self { wall: WallClock::new(unix_millis), elapsed: Box::new(move || begin.elapsed()) }
    }

    /// Returns clocks for a test: `wall` reads the time of day in milliseconds since 1970, and the other clock follows
    /// tokio's.
    pub fn of_tokio(wall: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        let begin = tokio::time::Instant::now();
        Self { wall: WallClock::new(wall), elapsed: Box::new(move || begin.elapsed()) }
    }
}
