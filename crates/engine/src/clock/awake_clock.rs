use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

use super::awake_time::AwakeTime;
use crate::lock::{CLOCK, Lock};

/// Counts the time in which the process itself ran, for all that share this clock. One timer reads it in each step, and
/// runs only while somebody needs the count.
#[derive(Debug)]
pub(crate) struct AwakeClock {
    step: Duration,
    control: Handle,
    state: Lock<State, CLOCK>,
}

#[derive(Debug)]
struct State {
    count: Count,
    /// The timer runs until this is counted.
    needed: Duration,
    runs: bool,
}

impl AwakeClock {
    /// Creates a clock that counts in steps of this length. Its timer runs on `control`.
    pub(crate) fn new(step: Duration, control: Handle) -> Arc<Self> {
        let count = Count::new(Instant::now(), step);
        let state = Lock::new(State { count, needed: Duration::ZERO, runs: false });
        Arc::new(Self { step, control, state })
    }

    /// Returns what is counted by now. A time in which neither the timer ran nor anybody called this counts for at most two
    /// steps.
    pub(crate) fn now(&self) -> Duration {
        self.state.lock().count.read(Instant::now())
    }

    /// Returns how much is left to count up to `until`. If the process did not run for a while before that, it is no less
    /// than what is left of the two steps that follow such a gap.
    pub(crate) fn left(&self, until: Duration) -> Duration {
        let mut state = self.state.lock();
        state.count.read(Instant::now());
        state.count.left(until)
    }

    /// Counts exactly for at least this long from now on. Returns what is counted then.
    pub(crate) fn count_for(self: &Arc<Self>, length: Duration) -> Duration {
        let until = {
            let mut state = self.state.lock();
            let until = state.count.read(Instant::now()).saturating_add(length);
            state.needed = state.needed.max(until);
            until
        };
        self.run();
        until
    }

    /// Sets up to which count it has to count exactly. Call [`run`](Self::run) afterwards, when no lock is held.
    pub(crate) fn need(&self, until: Duration) {
        self.state.lock().needed = until;
    }

    /// Starts the timer if the count is needed.
    pub(crate) fn run(self: &Arc<Self>) {
        let begins = {
            let mut state = self.state.lock();
            state.is_needed() && !std::mem::replace(&mut state.runs, true)
        };
        if begins {
            self.control.spawn(count(Arc::downgrade(self), self.step));
        }
    }

    /// Reads the clock. Returns whether the timer goes on.
    fn step(&self) -> bool {
        let mut state = self.state.lock();
        state.count.read(Instant::now());
        state.runs = state.is_needed();
        state.runs
    }
}

impl State {
    fn is_needed(&self) -> bool {
        !self.count.left(self.needed).is_zero()
    }
}

async fn count(clock: Weak<AwakeClock>, step: Duration) {
    loop {
        sleep(step).await;
        if !clock.upgrade().is_some_and(|clock| clock.step()) {
            return;
        }
    }
}

/// What a clock has counted, as plain data.
#[derive(Debug)]
struct Count {
    time: AwakeTime,
    step: Duration,
    read_at: Instant,
    counted: Duration,
    /// What was counted when the last gap began, unless the gap before it had not been caught up with then. What was over
    /// at that moment stays over.
    before_gap: Duration,
    /// What has to be counted before anything else is over.
    caught_up: Duration,
}

impl Count {
    fn new(now: Instant, step: Duration) -> Self {
        let zero = Duration::ZERO;
        let time = AwakeTime::new(now, step);
        Self { time, step, read_at: now, counted: zero, before_gap: zero, caught_up: zero }
    }

    fn read(&mut self, now: Instant) -> Duration {
        let (before, passed) = (self.counted, now.saturating_duration_since(self.read_at));
        self.counted = self.time.read(now);
        self.read_at = self.read_at.max(now);
        if passed > self.counted.saturating_sub(before) {
            if before >= self.caught_up {
                self.before_gap = before;
            }
            self.caught_up = self.counted.saturating_add(self.step.saturating_mul(2));
        }
        self.counted
    }

    fn left(&self, until: Duration) -> Duration {
        if until <= self.before_gap {
            return Duration::ZERO;
        }
        until.max(self.caught_up).saturating_sub(self.counted)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::{runtime::Handle, time::advance};

    use super::*;

    const STEP: Duration = Duration::from_secs(2);

    fn alive() -> usize {
        Handle::current().metrics().num_alive_tasks()
    }

    #[tokio::test(start_paused = true)]
    async fn the_timer_runs_only_while_the_count_is_needed() {
        let clock = AwakeClock::new(STEP, Handle::current());
        sleep(STEP * 100).await;
        assert_eq!((alive(), clock.now()), (0, STEP * 2), "nobody has read it");
        let until = clock.count_for(STEP * 50);
        clock.count_for(STEP * 20);
        sleep(STEP * 49).await;
        assert_eq!((alive(), clock.left(until)), (1, STEP), "one timer for all");
        sleep(STEP * 2).await;
        assert_eq!((alive(), clock.left(until)), (0, Duration::ZERO));
        clock.count_for(STEP * 50);
        clock.need(Duration::ZERO);
        sleep(STEP + Duration::from_millis(1)).await;
        assert_eq!(alive(), 0, "it is needed no more");
        clock.count_for(STEP * 50);
        drop(clock);
        sleep(STEP + Duration::from_millis(1)).await;
        assert_eq!(alive(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_over_before_a_gap_stays_over() {
        let clock = AwakeClock::new(STEP, Handle::current());
        let early = clock.count_for(STEP * 3);
        let late = clock.count_for(STEP * 5);
        sleep(STEP * 4).await;
        for _ in 0..3 {
            advance(STEP * 1_000).await;
            assert_eq!((clock.left(early), clock.left(late)), (Duration::ZERO, STEP * 2));
            sleep(STEP).await;
        }
        sleep(STEP).await;
        assert_eq!(clock.left(late), Duration::ZERO);
        advance(STEP * 1_000).await;
        assert_eq!(clock.left(late), Duration::ZERO);
    }

    /// The process runs for so many seconds, or stands still.
    #[derive(Debug, Clone, Copy)]
    enum Part {
        Runs(u64),
        Stands(u64),
    }

    fn parts() -> impl Strategy<Value = Vec<Part>> {
        let part = prop_oneof![(0..20_u64).prop_map(Part::Runs), (5..10_000_u64).prop_map(Part::Stands)];
        prop::collection::vec(part, 0..8)
    }

    async fn is_over_after_it_ran_for_long_enough(parts: &[Part], length: u64) -> Result<(), TestCaseError> {
        let second = Duration::from_secs(1);
        let clock = AwakeClock::new(STEP, Handle::current());
        let until = clock.count_for(second * u32::try_from(length).unwrap());
        let (mut ran, mut gaps, mut since_gap, mut was_over) = (Duration::ZERO, 0, Duration::MAX, false);
        for part in parts {
            let (Part::Runs(seconds) | Part::Stands(seconds)) = *part;
            if let Part::Stands(_) = part {
                advance(second * u32::try_from(seconds).unwrap()).await;
                (gaps, since_gap) = (gaps + 1, Duration::ZERO);
            } else {
                sleep(second * u32::try_from(seconds).unwrap()).await;
                ran += second * u32::try_from(seconds).unwrap();
                since_gap = since_gap.saturating_add(second * u32::try_from(seconds).unwrap());
            }
            let is_over = clock.left(until).is_zero();
            if was_over {
                prop_assert!(is_over, "it was over before");
            } else if is_over {
                prop_assert!(since_gap >= STEP * 2, "over {since_gap:?} after a gap");
                prop_assert!(ran + STEP * 2 * gaps >= second * u32::try_from(length).unwrap(), "over after {ran:?}");
            } else {
                let enough = second * u32::try_from(length).unwrap() + STEP * 2 * gaps;
                prop_assert!(ran < enough, "not over after {ran:?} and {gaps} gaps");
            }
            was_over = is_over;
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn a_count_is_over_after_the_process_ran_for_long_enough(parts in parts(), length in 1..40_u64) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
            runtime.block_on(is_over_after_it_ran_for_long_enough(&parts, length))?;
        }
    }
}
