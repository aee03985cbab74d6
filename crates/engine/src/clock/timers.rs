use std::{pin::pin, sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

use super::{
    Clocks, Elapsed, NOTICED_WITHIN, awake_clock::AwakeClock, awake_time::AwakeTime, shift::Shift,
    sleep_watch::SleepWatch,
};

/// The fewest steps in which a length is counted where tokio's clock counts the time in which the machine sleeps.
const STEPS: u32 = 8;

/// Waits by the clocks of one engine. All waits are cancel safe.
pub(crate) struct Timers {
    elapsed: Elapsed,
    tokio_counts_sleep: bool,
    watch: Arc<SleepWatch>,
    begin: Instant,
    awake: Arc<AwakeClock>,
    shift: Arc<Shift>,
}

impl Timers {
    /// Creates the timers of an engine that runs on `control` and reads `clocks`.
    pub(crate) fn new(clocks: &Clocks, control: Handle) -> Self {
        let begin = Instant::now();
        Self {
            watch: SleepWatch::new(Arc::clone(&clocks.elapsed), control.clone()),
            elapsed: Arc::clone(&clocks.elapsed),
            tokio_counts_sleep: clocks.tokio_counts_sleep,
            begin,
            awake: AwakeClock::new(NOTICED_WITHIN, control),
            shift: Arc::clone(&clocks.shift),
        }
    }

    /// Returns how far a test has moved the clocks.
    pub(crate) fn shift(&self) -> Arc<Shift> {
        Arc::clone(&self.shift)
    }

    // Time that counts sleep.

    /// Returns the time since some moment, including the time in which the machine slept.
    pub(crate) fn elapsed(&self) -> Duration {
        (self.elapsed)()
    }

    /// Waits until [`elapsed`](Self::elapsed) shows `until`. If that comes during a sleep, it is noticed within
    /// [`NOTICED_WITHIN`] after it.
    pub(crate) async fn until_elapsed(&self, until: Duration) {
        loop {
            let moved = pin!(self.shift.moved());
            let left = until.saturating_sub(self.elapsed());
            if left.is_zero() {
                return;
            }
            if left <= NOTICED_WITHIN {
                tokio::select! {
                    () = moved => {}
                    () = sleep(left) => {}
                }
                continue;
            }
            let _watching = self.watch.wait();
            let has_slept = pin!(self.watch.has_slept());
            // Read again: the machine may have slept just before the watch began.
            let left = until.saturating_sub(self.elapsed());
            tokio::select! {
                () = has_slept => {}
                () = moved => {}
                () = sleep(left) => {}
            }
        }
    }

    // Time in which the machine is awake.

    /// Returns the time since the engine began, without the time in which the machine slept. Where tokio's clock counts
    /// that time, a time in which nobody reads this counts for at most a minute: see
    /// [`need_awake_now`](Self::need_awake_now).
    pub(crate) fn awake_now(&self) -> Duration {
        if self.tokio_counts_sleep {
            return self.awake.now();
        }
        Instant::now().saturating_duration_since(self.begin).saturating_add(self.shift.read())
    }

    /// Sets that [`awake_now`](Self::awake_now) is needed until it shows this. Call
    /// [`count_awake`](Self::count_awake) afterwards, when no lock is held.
    pub(crate) fn need_awake_now(&self, until: Duration) {
        if self.tokio_counts_sleep {
            self.awake.need(until);
        }
    }

    /// Starts the timer that reads [`awake_now`](Self::awake_now) if somebody needs it and has to have it read.
    pub(crate) fn count_awake(&self) {
        if self.tokio_counts_sleep {
            self.awake.run();
        }
    }

    /// Begins to count time in which the machine is awake. Where tokio's clock counts sleep, the result must be read
    /// once in each [`step`](Self::step) of `length`.
    pub(crate) fn awake_time(&self, length: Duration) -> AwakeTime {
        AwakeTime::new(Instant::now(), self.step(length))
    }

    /// Waits from now on for a length that excludes the time in which the machine sleeps.
    pub(crate) fn sleep_awake(&self, length: Duration) -> impl Future<Output = ()> {
        let (mut time, before) = (self.awake_time(length), self.shift.read());
        self.until_awake(length, move |now| time.read(now).saturating_add(self.shift.read().saturating_sub(before)))
    }

    /// Waits until `read`, which reads an [`awake_time`](Self::awake_time), returns at least `length`.
    pub(crate) async fn until_awake(&self, length: Duration, mut read: impl FnMut(Instant) -> Duration) {
        let step = self.step(length);
        loop {
            let moved = pin!(self.shift.moved());
            let left = length.saturating_sub(read(Instant::now()));
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = moved => {}
                () = sleep(left.min(step)) => {}
            }
        }
    }

    /// Waits for `future`, but for no longer than a length that excludes the time in which the machine sleeps. Returns
    /// `None` if that was too short.
    pub(crate) async fn timeout_awake<T>(&self, length: Duration, future: impl Future<Output = T>) -> Option<T> {
        let late = self.sleep_awake(length);
        tokio::select! {
            biased;
            value = future => Some(value),
            () = late => None,
        }
    }

    /// Whether a time in which the machine is awake can be told only by reading it in steps.
    pub(crate) fn counts_in_steps(&self) -> bool {
        self.tokio_counts_sleep
    }

    /// Returns in which steps a length has to be read.
    pub(crate) fn step(&self, length: Duration) -> Duration {
        if self.tokio_counts_sleep {
            (length / STEPS).clamp(Duration::from_millis(1), NOTICED_WITHIN)
        } else {
            Duration::MAX
        }
    }
}
