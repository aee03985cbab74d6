//! Clocks that a test moves one at a time, in paused time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::time::{Instant, advance};

use crate::clock::{Clocks, wall_clock::millis};

/// The machine on which a task runs in a test. The test lets it sleep and sets its clock.
///
/// What counts the time in which the machine sleeps, such as a deadline or the wait for another attempt, notices a sleep
/// within 30 seconds after it, as in an app.
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use std::time::Duration;
/// use tauri_plugin_tasks::{Failure, TaskContext, test::TestTask};
///
/// async fn wait(_ctx: TaskContext, (): ()) -> Result<(), Failure> {
///     tokio::time::sleep(Duration::from_secs(60)).await;
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), tauri_plugin_tasks::Error> {
/// let run = TestTask::new(wait).start(())?;
/// let noon = run.machine().wall();
/// run.machine().set(-1_000); // the user sets the clock back by a second
/// run.machine().sleep(Duration::from_secs(3_600)).await;
/// assert_eq!(run.machine().wall(), noon + 3_599_000);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct TestMachine {
    begin: Instant,
    tokio_counts_sleep: bool,
    /// How many milliseconds it has slept.
    slept: Arc<AtomicU64>,
    set: Arc<AtomicI64>,
}

/// What the wall clock shows when a machine is made, in milliseconds: late enough that it can be set back.
#[doc(hidden)]
pub const MADE_AT: u64 = 3_600_000;

impl TestMachine {
    /// Makes a machine whose tokio clock stands still while it sleeps, as on Linux, Android and Apple's systems.
    pub fn new() -> Self {
        Self { begin: Instant::now(), tokio_counts_sleep: false, slept: Arc::default(), set: Arc::default() }
    }

    #[doc(hidden)]
    /// Makes a machine whose tokio clock goes on while it sleeps, as on Windows.
    pub fn whose_tokio_counts_sleep() -> Self {
        Self { tokio_counts_sleep: true, ..Self::new() }
    }

    #[doc(hidden)]
    /// Returns its clocks, for one engine.
    pub fn clocks(&self) -> Clocks {
        let (wall, elapsed) = (self.clone(), self.clone());
        Clocks::new(move || wall.wall(), move || elapsed.elapsed(), self.tokio_counts_sleep)
    }

    /// Returns the time of day in milliseconds since 1970.
    pub fn wall(&self) -> u64 {
        let elapsed = millis(self.elapsed());
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

    #[doc(hidden)]
    /// Returns whether its engine can tell the time in which it runs only by counting it in steps.
    pub fn counts_in_steps(&self) -> bool {
        self.tokio_counts_sleep
    }

    /// Lets it sleep for `length`, in whole milliseconds. No time passes by tokio's clock, and no code runs meanwhile.
    pub async fn sleep(&self, length: Duration) {
        self.slept.fetch_add(millis(length), SeqCst);
        if self.tokio_counts_sleep {
            advance(length).await;
        }
    }

    /// Sets its clock, the time of day, forward by this many milliseconds; back if `by` is negative. The times in snapshots
    /// follow it, and nothing else.
    pub fn set(&self, by: i64) {
        self.set.fetch_add(by, SeqCst);
    }
}

impl Default for TestMachine {
    fn default() -> Self {
        Self::new()
    }
}
