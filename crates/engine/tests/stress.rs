//! Runs a hundred thousand tasks through limits of 1, 8 and 1,000, on real threads and in real time. A tenth is
//! cancelled, a tenth panics and a tenth times out. No task, no slot and no memory may be lost.
//!
//! This test has a program of its own, because it counts the allocations of the whole program.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use peak_alloc::PeakAlloc;
use serde::{Deserialize, Serialize};
use tauri_plugin_tasks_engine::{
    Failure, Outcome, Retention, StartOptions, TaskContext, TaskFilter, TaskHandle, TaskManager,
    delivery::{self, Clocks, Errors, Kind, Policy, Runtimes, Settings},
};
use tokio::{
    runtime::{Handle, Runtime},
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const TASKS: usize = 100_000;
/// How many ended tasks are kept.
const KEPT: usize = 64;
const LIMITS: [(&str, usize); 3] = [("one", 1), ("eight", 8), ("thousand", 1_000)];
/// How many tasks are started before the first of them is awaited.
const WAVE: usize = 5_000;
/// How many bytes per task may be left in the end. Buffers that have grown take 3. A leaked task takes about 1,000, so
/// the test fails if one task in a hundred leaks.
const LEFT: usize = 8;
const PATIENCE: Duration = Duration::from_secs(20);

/// What a task does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
enum Deed {
    Completes,
    /// Never ends by itself, and is cancelled.
    Hangs,
    Panics,
    /// Never ends by itself, and has a tiny timeout or a tiny deadline.
    TimesOut,
    /// Runs until the test has seen as many probes run at once as the limit allows.
    Probes,
}

impl Deed {
    fn of(number: usize) -> Self {
        match number % 10 {
            0 => Self::Hangs,
            3 => Self::Panics,
            6 => Self::TimesOut,
            _ => Self::Completes,
        }
    }
}

/// How many handlers of a kind are running, and the most that ever ran at once.
#[derive(Default)]
struct Inside {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Inside {
    fn enter(self: &Arc<Self>) -> Leave {
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(now, SeqCst);
        Leave(Arc::clone(self))
    }
}

struct Leave(Arc<Inside>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, SeqCst);
    }
}

struct Kinds {
    inside: [Arc<Inside>; 3],
    /// Lets the probes of all kinds end.
    probed: Arc<Semaphore>,
}

impl Kinds {
    fn new() -> Self {
        Self { inside: Default::default(), probed: Arc::new(Semaphore::new(0)) }
    }

    fn manager(&self, runtime: &Handle) -> TaskManager {
        let kinds = LIMITS.into_iter().zip(&self.inside).map(|((name, limit), inside)| {
            let (inside, probed) = (Arc::clone(inside), Arc::clone(&self.probed));
            let handler = move |_: TaskContext, deed: Deed| {
                let (inside, probed) = (Arc::clone(&inside), Arc::clone(&probed));
                async move {
                    let _leave = inside.enter();
                    tokio::task::yield_now().await;
                    match deed {
                        Deed::Completes => {}
                        Deed::Panics => panic!("as told"),
                        Deed::Hangs | Deed::TimesOut => std::future::pending().await,
                        Deed::Probes => drop(probed.acquire().await),
                    }
                    Ok::<_, Failure>(())
                }
            };
            let policy = Policy { concurrency: Some(limit), ..Policy::default() };
            (name.into(), Arc::new(Kind::new(name, policy, Errors::default(), handler)))
        });
        let settings = Settings { retention: Retention::default().count(KEPT), ..Settings::default() };
        delivery::manager(Runtimes::one(runtime.clone()), kinds.collect(), settings, Clocks::of_system())
    }
}

/// Starts this many tasks, wave after wave, and checks how each ended.
async fn run(tasks: &TaskManager, count: usize) {
    let mut ends = HashMap::new();
    for wave in 0..count / WAVE {
        let started: Vec<_> = (0..WAVE).map(|number| start(tasks, wave * WAVE + number)).collect();
        for (deed, task) in &started {
            // Some of these are in the middle of a queue, and others run.
            if *deed == Deed::Hangs {
                task.cancel().unwrap();
            }
        }
        for (deed, task) in started {
            let outcome = timeout(PATIENCE, task.outcome()).await;
            let end = match outcome.unwrap_or_else(|_| panic!("lost: {:?}", task.snapshot())) {
                Outcome::Completed { .. } => "completed",
                Outcome::Failed(_) => "failed",
                Outcome::Cancelled { .. } => "cancelled",
                Outcome::TimedOut { .. } => "timed out",
                _ => "otherwise",
            };
            *ends.entry((deed, end)).or_default() += 1;
        }
    }
    let expected = HashMap::from([
        ((Deed::Completes, "completed"), count * 7 / 10),
        ((Deed::Hangs, "cancelled"), count / 10),
        ((Deed::Panics, "failed"), count / 10),
        ((Deed::TimesOut, "timed out"), count / 10),
    ]);
    assert_eq!(ends, expected);
}

fn start(tasks: &TaskManager, number: usize) -> (Deed, TaskHandle) {
    let deed = Deed::of(number);
    // The kind changes every hundred tasks, so that each kind gets every deed.
    let (kind, _) = LIMITS[number / 100 % LIMITS.len()];
    let tiny = Duration::from_millis(1);
    let options = match deed {
        // Most tasks with a deadline end in the queue. All tasks with a timeout end while they run.
        Deed::TimesOut if number % 20 == 6 => StartOptions::new().timeout(tiny),
        Deed::TimesOut => StartOptions::new().deadline(tiny),
        _ => StartOptions::new(),
    };
    (deed, tasks.start_with(kind, deed, options).unwrap())
}

/// Checks that no slot is lost: exactly as many tasks run at once as the limit allows.
async fn probe(tasks: &TaskManager, kinds: &Kinds) {
    for ((kind, limit), inside) in LIMITS.into_iter().zip(&kinds.inside) {
        inside.most.store(0, SeqCst);
        let probes: Vec<_> = (0..=limit).map(|_| tasks.start(kind, Deed::Probes).unwrap()).collect();
        let since = Instant::now();
        while inside.now.load(SeqCst) < limit {
            assert!(since.elapsed() < PATIENCE, "{} of {limit} run of \"{kind}\"", inside.now.load(SeqCst));
            sleep(Duration::from_millis(1)).await;
        }
        kinds.probed.add_permits(limit + 1);
        for probe in probes {
            assert!(timeout(PATIENCE, probe.outcome()).await.is_ok(), "a probe is lost");
        }
        assert_eq!((inside.now.load(SeqCst), inside.most.load(SeqCst)), (0, limit));
        let forgotten = kinds.probed.forget_permits(limit + 1);
        assert_eq!(forgotten, limit + 1);
    }
}

/// Checks that no task is queued, running or about to stop, and that as many have ended as were started.
fn assert_counts(tasks: &TaskManager) {
    let mut sums = [0; 4];
    for counts in tasks.counts() {
        assert_eq!((counts.queued, counts.running, counts.retrying, counts.cancelling), (0, 0, 0, 0), "{counts:?}");
        for (sum, count) in sums.iter_mut().zip([counts.completed, counts.failed, counts.cancelled, counts.timed_out]) {
            *sum += count;
        }
    }
    let tenth = (WAVE + TASKS) as u64 / 10;
    let probes = LIMITS.iter().map(|(_, limit)| *limit as u64 + 1).sum::<u64>();
    assert_eq!(sums, [7 * tenth + probes, tenth, tenth, tenth]);
}

/// Waits until `holds` returns true. The engine may drop a task a moment after a waiter sees its end.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let since = std::time::Instant::now();
    while !holds() {
        assert!(since.elapsed() < PATIENCE, "{what}: {} bytes are allocated", ALLOCATED.current_usage());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_hundred_thousand_tasks_lose_no_task_no_slot_and_no_memory() {
    // The ten thousand intended panics print nothing; any other panic still does.
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref() != Some(&"as told") {
            loud(panic);
        }
    }));
    let kinds = Kinds::new();
    let runtime = Runtime::new().unwrap();
    let tasks = &kinds.manager(runtime.handle());
    runtime.block_on(async {
        // Allocates what stays for good, such as the runtime's threads and the capacity of its queues.
        run(tasks, WAVE).await;
        let before = ALLOCATED.current_usage();
        run(tasks, TASKS).await;
        for ((kind, limit), inside) in LIMITS.into_iter().zip(&kinds.inside) {
            let most = inside.most.load(SeqCst);
            assert!(most <= limit, "{most} of \"{kind}\" ran at the same time");
        }
        probe(tasks, &kinds).await;
        assert_counts(tasks);
        let kept = || tasks.list(&TaskFilter::default()).len();
        eventually("no more ended tasks stay than the retention says", || kept() <= KEPT);
        eventually("the memory is back", || ALLOCATED.current_usage() < before + TASKS * LEFT);
    });
}
