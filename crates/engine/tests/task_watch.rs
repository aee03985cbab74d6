//! A task has one end, and its events come in order, whatever the handler does and whenever it is cancelled.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use std::time::Duration;

use proptest::prelude::*;
use support::manager;
use tauri_plugin_tasks_engine::{Failure, TaskChange, TaskContext, TaskManager, TaskStatus};
use tokio::time::{Instant, sleep};

/// The grace period of spawned work.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy)]
enum Step {
    Wait(u64),
    Inc(u64),
    TakeToken,
}

#[derive(Debug, Clone, Copy)]
enum Last {
    Output,
    Error,
    Panic,
    Hang,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step =
        prop_oneof![(0..3_000_u64).prop_map(Step::Wait), (1..100_u64).prop_map(Step::Inc), Just(Step::TakeToken)];
    prop::collection::vec(step, 0..8)
}

fn last() -> impl Strategy<Value = Last> {
    prop_oneof![Just(Last::Output), Just(Last::Error), Just(Last::Panic), Just(Last::Hang)]
}

async fn handler(ctx: TaskContext, steps: Vec<Step>, last: Last) -> Result<u64, Failure> {
    let mut done = 0;
    for step in steps {
        match step {
            Step::Wait(ms) => sleep(Duration::from_millis(ms)).await,
            Step::Inc(by) => {
                ctx.progress().inc(by);
                done += by;
            }
            Step::TakeToken => drop(ctx.token()),
        }
    }
    match last {
        Last::Output => Ok(done),
        Last::Error => Err(Failure::new("as told")),
        Last::Panic => panic!("as told"),
        Last::Hang => std::future::pending().await,
    }
}

/// The expected result, computed from the script alone.
struct Model {
    ends_at: Option<Duration>,
    done: u64,
    cooperative_from: Option<Duration>,
}

impl Model {
    fn new(steps: &[Step], last: Last) -> Self {
        let (mut at, mut done, mut cooperative_from) = (Duration::ZERO, 0, None);
        for step in steps {
            match step {
                Step::Wait(ms) => at += Duration::from_millis(*ms),
                Step::Inc(by) => done += by,
                Step::TakeToken => cooperative_from = cooperative_from.or(Some(at)),
            }
        }
        Self { ends_at: (!matches!(last, Last::Hang)).then_some(at), done, cooperative_from }
    }

    /// When a task that is cancelled at `cancel` ends.
    fn end_after(&self, cancel: Duration) -> Duration {
        let grace = if self.cooperative_from.is_some_and(|from| from <= cancel) { GRACE } else { Duration::ZERO };
        self.ends_at.map_or(cancel + grace, |end| end.min(cancel + grace))
    }
}

async fn play(tasks: TaskManager, steps: Vec<Step>, last: Last, cancel_at: Option<u64>, look_every: u64) {
    let model = Model::new(&steps, last);
    let script = steps.clone();
    let task = tasks.spawn("script", move |ctx| handler(ctx, script, last));
    if let Some(ms) = cancel_at {
        let id = task.id();
        let tasks = tasks.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(ms)).await;
            let _ = tasks.cancel(id);
        });
    } else if matches!(last, Last::Hang) {
        return;
    }
    let mut watch = task.watch();
    let mut status = watch.snapshot().status;
    let mut sequence = watch.snapshot().sequence;
    let mut completed = 0;
    while let Some(event) = watch.next().await {
        assert!(!status.is_final(), "an event after the end: {event:?}");
        match event.change {
            TaskChange::Status(change) => {
                assert_eq!(event.sequence, sequence + 1, "in order, with none left out");
                sequence = event.sequence;
                assert!(status.may_become(change.status), "{status:?} to {:?}", change.status);
                status = change.status;
                assert_eq!(status.is_final(), change.outcome.is_some());
                if status == TaskStatus::Completed {
                    assert_eq!(change.outcome.unwrap().output::<u64>().unwrap(), Some(model.done));
                    assert_eq!(completed, model.done, "the newest progress comes before the end");
                }
            }
            TaskChange::Progress(progress) => {
                assert_eq!(event.sequence, sequence);
                assert!(progress.completed >= completed, "progress never goes back by itself");
                completed = progress.completed;
            }
            other => panic!("{other:?}"),
        }
        // A slow reader misses no status.
        sleep(Duration::from_millis(look_every)).await;
    }
    assert!(status.is_final());
    assert!(watch.next().await.is_none());
    let last_word = task.snapshot();
    assert_eq!((last_word.status, last_word.sequence), (status, sequence));
    let expected = match (cancel_at.map(Duration::from_millis), model.ends_at) {
        (Some(cancel), end) if end.is_none_or(|end| cancel < end) => {
            let latest = model.end_after(cancel);
            if model.ends_at == Some(latest) { None } else { Some(TaskStatus::Cancelled) }
        }
        (Some(cancel), Some(end)) if cancel == end => None,
        _ => Some(match last {
            Last::Output => TaskStatus::Completed,
            Last::Error | Last::Panic => TaskStatus::Failed,
            Last::Hang => unreachable!(),
        }),
    };
    if let Some(expected) = expected {
        assert_eq!(status, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_task_ends_once_and_its_events_come_in_order(
        steps in steps(),
        last in last(),
        cancel_at in prop::option::of(0..10_000_u64),
        look_every in prop_oneof![Just(0), 1..5_000_u64],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async { play(manager(), steps, last, cancel_at, look_every).await });
    }

    /// Its handler has begun: a sleep of no time may be over before that.
    #[test]
    fn a_cancelled_task_ends_at_once_or_within_its_grace_period(
        steps in steps(),
        last in last(),
        cancel_at in 1..10_000_u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let model = Model::new(&steps, last);
            let tasks = manager();
            let begun = Instant::now();
            let task = tasks.spawn("script", move |ctx| handler(ctx, steps, last));
            let cancel_at = Duration::from_millis(cancel_at);
            sleep(cancel_at).await;
            if task.cancel().is_ok() {
                task.outcome().await;
                let late = begun.elapsed().abs_diff(model.end_after(cancel_at));
                assert!(late <= Duration::from_millis(1), "{late:?} off");
                assert!(!task.snapshot().overdue, "a handler dropped in time is not overdue");
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn progress_is_conflated_for_a_slow_reader() {
    let tasks = manager();
    let task = tasks.spawn("flood", async |ctx: TaskContext| {
        for _ in 0..1_000 {
            for _ in 0..1_000 {
                ctx.progress().inc(1);
            }
            tokio::task::yield_now().await;
        }
        Ok::<_, Failure>(())
    });
    let mut watch = task.watch();
    let (mut told, mut last) = (0, 0);
    while let Some(event) = watch.next().await {
        if let TaskChange::Progress(progress) = event.change {
            told += 1;
            last = progress.completed;
            sleep(Duration::from_millis(1)).await;
        }
    }
    assert_eq!(last, 1_000_000);
    assert!(told <= 3, "{told} progress events");
}
