//! Services: tasks that are restarted.

use std::time::Duration;

use tokio::time::sleep;

use super::manager;
use crate::{
    Backoff, CancelReason, Failure, FailureKind, Outcome, Restart, TaskContext, TaskManager, TaskStatus,
    policy::Policy,
    record::Kind,
    run::{engine::Settings, handler::Errors},
};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// What each attempt of a service does, in order. The last one never ends.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
enum Run {
    Fails(u64),
    Panics(u64),
    Returns(u64),
}

fn service(restart: Restart) -> TaskManager {
    let policy = Policy { restart: Some(restart), concurrency: Some(1), ..Policy::default() };
    let kind = Kind::new("service", policy, Errors::default(), async |ctx: TaskContext, runs: Vec<Run>| {
        match runs.get(ctx.attempt() as usize - 1) {
            Some(Run::Fails(after)) => {
                sleep(secs(*after)).await;
                Err(Failure::new("lost its connection"))
            }
            Some(Run::Panics(after)) => {
                sleep(secs(*after)).await;
                panic!("at run {}", ctx.attempt())
            }
            Some(Run::Returns(after)) => {
                sleep(secs(*after)).await;
                Ok(ctx.attempt())
            }
            None => std::future::pending().await,
        }
    });
    manager([kind], Settings::default())
}

/// Delays of exactly 1, 2, 4, … seconds.
fn doubling() -> Backoff {
    Backoff::exponential().jitter(false)
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_fails_or_panics_is_restarted_after_a_growing_delay() {
    let tasks = service(Restart::on_failure().backoff(doubling()));
    let runs = [Run::Fails(0), Run::Panics(0), Run::Fails(0)];
    let task = tasks.start("service", runs).unwrap();
    sleep(Duration::from_millis(500)).await;
    let waits = task.snapshot();
    assert_eq!((waits.status, waits.next_attempt_at), (TaskStatus::Retrying, Some(1_000)));
    assert_eq!(waits.error.unwrap().message, "lost its connection");
    sleep(secs(1)).await;
    assert_eq!(task.snapshot().error.unwrap().kind, FailureKind::Panic);
    sleep(secs(6)).await;
    let runs = task.snapshot();
    assert_eq!((runs.status, runs.attempt, runs.error), (TaskStatus::Running, 4, None), "after 1, 2 and 4 seconds");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_returns_is_the_last_unless_the_kind_is_always_restarted() {
    let runs = [Run::Returns(5), Run::Returns(5)];
    let task = service(Restart::on_failure()).start("service", runs).unwrap();
    assert_eq!(task.outcome().await.output::<u32>().unwrap(), Some(1));

    let task = service(Restart::always().backoff(doubling())).start("service", runs).unwrap();
    sleep(Duration::from_millis(6_500)).await;
    assert_eq!((task.status(), task.snapshot().attempt), (TaskStatus::Running, 2), "it began a second after the first");
    sleep(secs(5)).await;
    let waits = task.snapshot();
    assert_eq!((waits.status, waits.error), (TaskStatus::Retrying, None));
}

#[tokio::test(start_paused = true)]
async fn a_service_ends_after_too_many_short_attempts_in_a_row() {
    for (most, attempts) in [(0, 1), (1, 1), (2, 2), (3, 3)] {
        let tasks = service(Restart::on_failure().give_up_after(most));
        let task = tasks.start("service", [Run::Fails(0); 9]).unwrap();
        let Outcome::Failed(failure) = task.outcome().await else { panic!() };
        assert_eq!((failure.message.as_str(), task.snapshot().attempt), ("lost its connection", attempts));
    }
}

#[tokio::test(start_paused = true)]
async fn by_default_a_service_is_never_given_up() {
    let task = service(Restart::on_failure()).start("service", vec![Run::Fails(0); 99]).unwrap();
    sleep(secs(100 * 60)).await;
    assert_eq!((task.status(), task.snapshot().attempt), (TaskStatus::Running, 100));
}

#[tokio::test(start_paused = true)]
async fn a_long_attempt_resets_the_count_of_short_ones() {
    let tasks = service(Restart::on_failure().backoff(doubling()).give_up_after(3).healthy_after(secs(60)));
    let task =
        tasks.start("service", [Run::Fails(0), Run::Fails(0), Run::Fails(60), Run::Fails(0), Run::Fails(59)]).unwrap();
    sleep(secs(3 + 60 + 1)).await;
    // One second after the long attempt, and another after the next short one, which counts as the first again.
    sleep(secs(1 + 59 + 3)).await;
    assert_eq!((task.status(), task.snapshot().attempt), (TaskStatus::Running, 6));
}

#[tokio::test(start_paused = true)]
async fn even_if_one_short_attempt_is_the_last_a_service_is_restarted_after_a_long_attempt() {
    let tasks = service(Restart::on_failure().backoff(doubling()).give_up_after(1).healthy_after(Duration::ZERO));
    let task = tasks.start("service", [Run::Fails(0); 3]).unwrap();
    sleep(Duration::from_millis(2_500)).await;
    assert_eq!((task.status(), task.snapshot().attempt), (TaskStatus::Retrying, 3), "a second between two attempts");
}

#[tokio::test(start_paused = true)]
async fn a_service_can_be_cancelled_while_it_runs_or_waits() {
    for runs in [vec![], vec![Run::Fails(0)]] {
        let task = service(Restart::always()).start("service", runs).unwrap();
        sleep(Duration::from_millis(1)).await;
        task.cancel().unwrap();
        assert_eq!(task.outcome().await, Outcome::Cancelled { reason: CancelReason::User });
        sleep(secs(600)).await;
        assert_eq!(task.status(), TaskStatus::Cancelled);
    }
}

#[tokio::test(start_paused = true)]
async fn an_exit_stops_a_service_and_waits_for_its_clean_up() {
    let policy = Policy { restart: Some(Restart::always()), ..Policy::default() };
    let kind = Kind::new("service", policy, Errors::default(), async |ctx: TaskContext, (): ()| {
        ctx.on_cancel(async { sleep(secs(2)).await });
        ctx.cancelled().await;
        Err::<(), _>(Failure::new("stopped"))
    });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("service", ()).unwrap();
    sleep(secs(1)).await;
    assert!(tasks.shut_down(secs(10)).await.is_empty());
    assert_eq!(task.outcome().await, Outcome::Cancelled { reason: CancelReason::Shutdown });
    assert_eq!(task.snapshot().ended_at, Some(3_000));
}
