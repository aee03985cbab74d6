//! For how long a handler without a reader waits for one, whatever happens meanwhile.

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;
use tokio::time::{Instant, advance, sleep};

use crate::{
    Backoff, Failure, Outcome, Retry, StartOptions, TaskContext, TaskHandle, TaskManager, TaskStatus, Unread,
    delivery::engine,
    policy::Policy,
    record::{Kind, Record},
    run::{engine::Settings, handler::Errors},
    test::{
        clocks::TestMachine,
        items::{FOUR, kind_of_numbers, read, secs, settle, unread},
        manager, manager_with,
    },
};

/// How long a handler waits for a reader.
const PATIENCE: Duration = secs(10);
/// For how long it may wait after the app stood still, at least.
const CATCH_UP: Duration = secs(5);
const SLACK: Duration = Duration::from_millis(50);

fn in_paused_time<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(work)
}

fn record(tasks: &TaskManager, task: &TaskHandle) -> Arc<Record> {
    engine(tasks).find(task.id()).unwrap()
}

/// Emits after each of the `pauses`, and returns how long after its begin each emit began, and how long it took.
async fn emits_after(policy: Policy, pauses: Vec<Duration>) -> Vec<(Duration, Duration)> {
    let kind = Kind::new("a", policy, Errors::default(), async |ctx: TaskContext<(), u32>, pauses: Vec<Duration>| {
        let begin = Instant::now();
        let mut emits = Vec::new();
        for pause in pauses {
            sleep(pause).await;
            let at = Instant::now();
            ctx.emit(7).await;
            emits.push((at - begin, at.elapsed()));
        }
        Ok::<_, Failure>(emits)
    });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("a", pauses).unwrap();
    let Outcome::Completed { output } = task.outcome().await else { panic!("it did not complete") };
    output.read().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whether anything looks at the clock meanwhile, and how often, makes no difference.
    #[test]
    fn no_emit_waits_for_longer_than_ten_seconds_after_the_task_began(
        pauses in prop::collection::vec(prop_oneof![Just(0), 0..6_000_u64, 0..4_000_000_u64], 5..12),
        stall in prop::option::of(Just(secs(100_000))),
    ) {
        let policy = Policy { stall_timeout: stall, ..unread(Unread::DropOldest) };
        let pauses = pauses.into_iter().map(Duration::from_millis).collect();
        let emits = in_paused_time(emits_after(policy, pauses));
        for (number, (at, took)) in emits.into_iter().enumerate() {
            let expected = if number < FOUR.items { Duration::ZERO } else { PATIENCE.saturating_sub(at) };
            prop_assert!(
                (expected..=expected + SLACK).contains(&took),
                "item {number}, at {at:?}, took {took:?} and not {expected:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_later_attempt_does_not_wait_again() {
    let retry = Retry::attempts(2).backoff(Backoff::constant(secs(1)));
    let policy = Policy { retry: Some(retry), ..unread(Unread::DropOldest) };
    let kind = Kind::new("a", policy, Errors::default(), async |ctx: TaskContext<(), u32>, (): ()| {
        if ctx.attempt() == 1 {
            sleep(secs(20)).await;
            return Err(Failure::new("no"));
        }
        for number in 0..100 {
            ctx.emit(number).await;
        }
        Ok(())
    });
    let tasks = manager([kind], Settings::default());
    let begin = Instant::now();
    tasks.start("a", ()).unwrap().outcome().await;
    assert!(begin.elapsed() < secs(21) + SLACK, "{:?}", begin.elapsed());
}

/// Emits more than fits, 20 s after its begin.
fn late() -> Kind {
    Kind::new("late", unread(Unread::DropOldest), Errors::default(), async |ctx: TaskContext<(), u32>, (): ()| {
        sleep(secs(20)).await;
        for number in 0..100 {
            ctx.emit(number).await;
        }
        Ok::<_, Failure>(())
    })
}

#[tokio::test(start_paused = true)]
async fn what_happens_to_a_reader_before_the_first_item_counts() {
    // When the reader leaves, whether it may come back, and when the handler goes on.
    for (leaves, reloads, ends) in [(15, true, 25), (19, true, 29), (5, true, 20), (15, false, 20), (19, false, 20)] {
        let tasks = manager([late()], Settings::default());
        let task = tasks.start("late", ()).unwrap();
        let (begin, record) = (Instant::now(), record(&tasks, &task));
        settle().await;
        let mut reading = Box::pin(read(&record, "r", 1, None));
        assert!(futures_util::poll!(&mut reading).is_pending());
        sleep(secs(leaves)).await;
        drop(reading);
        record.items().lose("r", reloads);
        task.outcome().await;
        let took = begin.elapsed();
        assert!((secs(ends)..=secs(ends) + SLACK).contains(&took), "lost after {leaves} s, {reloads}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_begins_with_the_handler_and_not_with_the_start() {
    for policy in [unread(Unread::DropOldest), unread(Unread::Cancel)] {
        let tasks = manager([kind_of_numbers(policy)], Settings::default());
        let task = tasks.start_with("plain", 100, StartOptions::new().held()).unwrap();
        record(&tasks, &task).items();
        sleep(secs(60)).await;
        task.resume().unwrap();
        let begin = Instant::now();
        task.outcome().await;
        assert!((PATIENCE..=PATIENCE + SLACK).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    }
}

/// Why a task waits for a reader.
#[derive(Debug, Clone, Copy)]
enum Since {
    Begin,
    Reload,
}

/// What happens to the time.
#[derive(Debug, Clone, Copy)]
enum Gap {
    /// The machine sleeps.
    Sleep,
    /// The app stands still: its process is stopped, or its runtime is held up.
    Standstill,
}

/// Lets a task wait for a reader, and disturbs it after `at`. Returns how long it waited after that, by tokio's clock.
async fn waits_after(
    policy: Policy,
    machine: &TestMachine,
    since: Since,
    at: Duration,
    gap: (Gap, Duration),
) -> Duration {
    let tasks = manager_with([kind_of_numbers(policy)], Settings::default(), machine.clocks());
    let task = tasks.start("plain", 100).unwrap();
    if let Since::Reload = since {
        let record = record(&tasks, &task);
        read(&record, "r", 1, None).await;
        sleep(secs(60)).await;
        record.items().lose("r", true);
    } else {
        // The task begins.
        while task.status() == TaskStatus::Queued {
            tokio::task::yield_now().await;
        }
    }
    sleep(at).await;
    match gap {
        (Gap::Sleep, length) => machine.sleep(length).await,
        (Gap::Standstill, length) => advance(length).await,
    }
    let woke = Instant::now();
    assert!(!task.status().is_final(), "it is over when the app goes on");
    task.outcome().await;
    woke.elapsed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_reader_has_time_to_come_after_the_app_stood_still(
        at in 0..9_900_u64,
        length in prop_oneof![0..5_000_u64, 5_000..20_000_u64, 20_000..10_000_000_u64],
        cancels: bool,
        counts_sleep: bool,
        gap in prop_oneof![Just(Gap::Sleep), Just(Gap::Standstill)],
        since in prop_oneof![Just(Since::Begin), Just(Since::Reload)],
    ) {
        let (at, length) = (Duration::from_millis(at), Duration::from_millis(length));
        let policy = unread(if cancels { Unread::Cancel } else { Unread::DropOldest });
        let left = PATIENCE.saturating_sub(at);
        // Tokio's clock does not show it.
        let is_unseen = matches!(gap, Gap::Sleep) && !counts_sleep;
        // Shorter than this, it may be taken for a late timer. Then it may end the wait as well.
        prop_assume!(is_unseen || length < left || length > CATCH_UP);
        let waited = in_paused_time(async {
            let machine = if counts_sleep { TestMachine::whose_tokio_counts_sleep() } else { TestMachine::new() };
            waits_after(policy, &machine, since, at, (gap, length)).await
        });
        let (earliest, latest) = if is_unseen {
            (left, left)
        } else if length > CATCH_UP {
            (CATCH_UP, left.max(CATCH_UP))
        } else {
            (left.saturating_sub(length), left.max(CATCH_UP))
        };
        prop_assert!((earliest..=latest + SLACK).contains(&waited), "{waited:?} is not in {earliest:?}..={latest:?}");
    }
}
