//! The clocks of an engine, and waiting by them.
//!
//! | what | counts the time in which the machine sleeps | follows a clock that is set |
//! | --- | --- | --- |
//! | delays, intervals and back-offs, deadlines: [`Timers::until_elapsed`](timers::Timers::until_elapsed) | yes | no |
//! | time limits of running work, grace periods, health: [`Timers::sleep_awake`](timers::Timers::sleep_awake) | no | no |
//! | what has ended: [`Timers::awake_now`](timers::Timers::awake_now) | no | no |
//! | how long a task waits for a reader: an [`AwakeClock`](awake_clock::AwakeClock) | no | no |
//! | cron: [`WallClock`] | yes | yes |

pub(crate) mod awake_clock;
pub(crate) mod awake_time;
mod machine_sleep;
pub(crate) mod shift;
mod sleep_watch;
pub(crate) mod timers;
pub(crate) mod wall_clock;

use std::{sync::Arc, time::Duration};

use machine_sleep::MachineSleep;
use shift::Shift;
use wall_clock::{WallClock, unix_millis};

/// The longest time until an engine notices that the machine has slept or that its clock was set. It is counted in time
/// in which the machine runs.
pub(crate) const NOTICED_WITHIN: Duration = Duration::from_secs(30);

/// The clocks that an engine reads in addition to tokio's.
///
/// Tokio's clock can't be set. It stands still while the machine sleeps, except on Windows.
pub struct Clocks {
    pub(crate) wall: WallClock,
    pub(crate) elapsed: Elapsed,
    pub(crate) tokio_counts_sleep: bool,
    /// How far a test has moved them, in addition to what they show by themselves.
    pub(crate) shift: Arc<Shift>,
}

/// Reads the time since some fixed moment. It counts the time in which the machine sleeps, and nobody can set it.
pub(crate) type Elapsed = Arc<dyn Fn() -> Duration + Send + Sync>;

impl Clocks {
    /// Returns the clocks of the system.
    pub fn of_system() -> Self {
        // The time that the machine has slept is added to tokio's, so that a test's paused clock moves this one, too.
        let (begin, slept) = (tokio::time::Instant::now(), MachineSleep::since_now());
        Self::new(unix_millis, move || begin.elapsed().saturating_add(slept.read()), cfg!(windows))
    }

    /// Returns clocks for a test. `wall` reads the time of day in milliseconds since 1970. `elapsed` reads the time since
    /// any fixed moment, including the time in which the machine sleeps. `tokio_counts_sleep` says whether tokio's clock
    /// includes that time, too.
    pub fn new(
        wall: impl Fn() -> u64 + Send + Sync + 'static,
        elapsed: impl Fn() -> Duration + Send + Sync + 'static,
        tokio_counts_sleep: bool,
    ) -> Self {
        Self { wall: WallClock::new(wall), elapsed: Arc::new(elapsed), tokio_counts_sleep, shift: Arc::default() }
    }

    /// Returns clocks for a test in which the machine never sleeps: `wall` reads the time of day in milliseconds since
    /// 1970, and the time that counts sleep follows tokio's.
    pub fn of_tokio(wall: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        let begin = tokio::time::Instant::now();
        Self::new(wall, move || begin.elapsed(), false)
    }
}
