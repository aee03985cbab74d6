//! A clock that runs, and that a test moves forward.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::clock::{
    Clocks,
    shift::Shift,
    wall_clock::{millis, unix_millis},
};

/// The clocks of an engine in real time, which a test can move forward.
///
/// It moves what the engine waits for: delays, schedules, back-offs and deadlines, timeouts and stalls, how long ended tasks
/// are kept, and the grace of an exit. It doesn't move tokio's clock, which the `sleep` of a handler follows, nor what is
/// counted from the moment on at which a task is told to stop: its grace period.
#[derive(Debug, Clone, Default)]
pub struct TestClock(Arc<Shift>);

impl TestClock {
    /// Makes a clock that shows the time of the system.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the clocks for one engine.
    pub fn clocks(&self) -> Clocks {
        let (wall, elapsed, begin) = (self.clone(), self.clone(), Instant::now());
        let mut clocks = Clocks::new(move || wall.now(), move || begin.elapsed() + elapsed.0.read(), false);
        clocks.shift = Arc::clone(&self.0);
        clocks
    }

    /// Returns the time of day that it shows, in milliseconds since 1970.
    pub fn now(&self) -> u64 {
        unix_millis().saturating_add(millis(self.0.read()))
    }

    /// Moves it forward in one step.
    pub fn advance(&self, by: Duration) {
        self.0.advance(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Failure, Outcome, Schedule, StartOptions, TaskContext, TaskManager, TaskStatus,
        policy::Policy,
        record::Kind,
        run::{engine::Settings, handler::Errors},
        test::manager_with,
    };

    const HOUR: Duration = Duration::from_secs(3_600);

    fn tasks(clock: &TestClock, policy: Policy) -> TaskManager {
        let hang = async |_: TaskContext, (): ()| std::future::pending::<Result<(), Failure>>().await;
        manager_with([Kind::new("hang", policy, Errors::default(), hang)], Settings::default(), clock.clocks())
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_engine_waits_for_is_over_once_the_clock_is_moved_there() {
        let hour = || Some(HOUR);
        for (policy, options) in [
            (Policy { timeout: hour(), ..Policy::default() }, StartOptions::new()),
            (Policy { attempt_timeout: hour(), ..Policy::default() }, StartOptions::new()),
            (Policy { stall_timeout: hour(), ..Policy::default() }, StartOptions::new()),
            (Policy { deadline: hour(), ..Policy::default() }, StartOptions::new()),
            (Policy::default(), StartOptions::new().deadline(HOUR)),
            (Policy { timeout: hour(), ..Policy::default() }, StartOptions::new().delay(HOUR)),
        ] {
            let (clock, begin) = (TestClock::new(), Instant::now());
            let tasks = tasks(&clock, policy);
            let task = tasks.start_with("hang", (), options).unwrap();
            while !task.status().is_final() {
                tokio::time::sleep(Duration::from_millis(1)).await;
                // A stall is counted in steps.
                clock.advance(HOUR / 8);
            }
            assert!(matches!(task.outcome().await, Outcome::TimedOut { .. }));
            assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn schedules_of_both_sorts_run_once_the_clock_is_moved_there() {
        let (clock, begin) = (TestClock::new(), Instant::now());
        let tasks = tasks(&clock, Policy::default());
        tasks.schedule("hourly", "hang", (), Schedule::every(HOUR).overlap()).unwrap();
        tasks.schedule("cron", "hang", (), Schedule::cron("0 * * * *").unwrap().overlap()).unwrap();
        let running = || tasks.schedules().iter().map(|it| it.running).collect::<Vec<_>>();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(running(), [0, 0]);
        clock.advance(HOUR);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(running(), [1, 1]);
        assert!(begin.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_was_moved_part_of_the_way_runs_on_from_there() {
        let clock = TestClock::new();
        let tasks = tasks(&clock, Policy { timeout: Some(HOUR), ..Policy::default() });
        let (task, begin) = (tasks.start("hang", ()).unwrap(), Instant::now());
        tokio::time::sleep(Duration::from_secs(1)).await;
        clock.advance(HOUR / 2);
        tokio::time::sleep(HOUR / 4).await;
        assert_eq!(task.status(), TaskStatus::Running);
        task.outcome().await;
        assert_eq!(begin.elapsed().as_secs(), HOUR.as_secs() / 2);
    }
}
