//! Measures what the engine costs in time. `cargo xtask bench` turns the times into ratios: see BENCHMARKS.md.

#![allow(missing_docs)] // Criterion's macros generate public items.
#![allow(clippy::unwrap_used)] // What fails here fails the bench.

mod support;

use std::{
    cell::LazyCell,
    collections::VecDeque,
    future::ready,
    hint::black_box,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use criterion::{
    BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use support::{RUNTIME, WORK};
use tauri_plugin_tasks_engine::{LimitOf, StartOptions, TaskFilter, TaskHandle, TaskManager, TaskStatus};
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

/// How many tasks are started before the first is awaited.
const MANY: usize = 1_000;
const RUNNING: usize = 10_000;
const QUEUES: [usize; 2] = [1_000, 100_000];
/// How many tasks overtake the queue in one round.
const PASSING: usize = 500;

/// Runs `work` on a thread of the runtime. From any other thread, each start would have to wake one.
fn on_worker<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    RUNTIME.block_on(RUNTIME.spawn(work)).unwrap()
}

/// Returns a manager that is made on first use, so that listing the benches makes none.
fn tasks() -> LazyCell<TaskManager> {
    LazyCell::new(support::manager)
}

/// Measures a task from its start to its end, and the same with tokio alone, from one runtime to the other: one by one
/// and many at once on a thread of the runtime, and one by one from a thread outside it, such as an app's main thread.
fn start(criterion: &mut Criterion) {
    let tasks = tasks();
    let mut group = criterion.benchmark_group("start");
    group.bench_function("one-by-one-tokio", |bencher| {
        bencher.iter_custom(|rounds| on_worker(async move { timed(rounds, &TaskTracker::new(), spawn_one).await }));
    });
    group.bench_function("one-by-one-task", |bencher| {
        bencher.iter_custom(|rounds| {
            let tasks = tasks.clone();
            on_worker(async move { timed(rounds, &tasks, start_one).await })
        });
    });
    group.bench_function("from-outside-tokio", |bencher| {
        bencher.iter_custom(|rounds| RUNTIME.block_on(timed(rounds, &TaskTracker::new(), spawn_one)));
    });
    group.bench_function("from-outside-task", |bencher| {
        bencher.iter_custom(|rounds| RUNTIME.block_on(timed(rounds, &*tasks, start_one)));
    });
    group.throughput(Throughput::Elements(MANY as u64));
    group.bench_function("many-tokio", |bencher| {
        bencher.iter_custom(|rounds| on_worker(async move { timed(rounds, &TaskTracker::new(), spawn_many).await }));
    });
    group.bench_function("many-task", |bencher| {
        bencher.iter_custom(|rounds| {
            let tasks = tasks.clone();
            on_worker(async move { timed(rounds, &tasks, start_many).await })
        });
    });
}

async fn timed<T>(rounds: u64, of: &T, work: impl AsyncFn(&T)) -> Duration {
    let start = Instant::now();
    for _ in 0..rounds {
        work(of).await;
    }
    start.elapsed()
}

async fn spawn_one(tracker: &TaskTracker) {
    tracker.spawn_on(async {}, WORK.handle()).await.unwrap();
}

async fn start_one(tasks: &TaskManager) {
    black_box(tasks.start("empty", ()).unwrap().outcome().await);
}

async fn spawn_many(tracker: &TaskTracker) {
    let handles: Vec<_> = (0..MANY).map(|_| tracker.spawn_on(async {}, WORK.handle())).collect();
    for handle in handles {
        handle.await.unwrap();
    }
}

async fn start_many(tasks: &TaskManager) {
    let handles: Vec<_> = (0..MANY).map(|_| tasks.start("empty", ()).unwrap()).collect();
    all_end(&handles).await;
}

/// Measures a report by a handler that nobody watches, and the single atomic addition that it needs at least.
fn progress(criterion: &mut Criterion) {
    let tasks = tasks();
    let mut group = criterion.benchmark_group("progress");
    group.bench_function("atomic", |bencher| {
        let counter = AtomicU64::new(0);
        bencher.iter(|| counter.fetch_add(1, Relaxed));
    });
    group.bench_function("inc", |bencher| {
        bencher.iter_custom(|times| {
            let outcome = RUNTIME.block_on(async { tasks.start("count", times).unwrap().outcome().await });
            Duration::from_nanos(outcome.output().unwrap().unwrap())
        });
    });
}

/// Measures the time from the call that cancels all tasks to the end of the last one. The handlers don't use their
/// tokens, so they are dropped at once.
fn cancel(criterion: &mut Criterion) {
    let tasks = tasks();
    let mut group = slow_group(criterion, "cancel");
    group.bench_function("10000-running", |bencher| {
        bencher.iter_custom(|rounds| {
            let tasks = tasks.clone();
            on_worker(async move {
                let mut time = Duration::ZERO;
                for _ in 0..rounds {
                    let handles: Vec<_> = (0..RUNNING).map(|_| tasks.start("hang", "").unwrap()).collect();
                    all_run(&handles).await;
                    let start = Instant::now();
                    let cancelled = tasks.cancel_all(&TaskFilter::default().task("hang"));
                    all_end(&handles).await;
                    time += start.elapsed();
                    assert_eq!(cancelled, RUNNING);
                }
                time
            })
        });
    });
}

/// Measures how long it takes to start tasks ahead of waiting ones, and to move waiting tasks.
fn admission(criterion: &mut Criterion) {
    let mut group = slow_group(criterion, "admission");
    for queued in QUEUES {
        let mut queue: Option<Queue> = None;
        let mut with_queue = |work: fn(&mut Queue) -> Pin<Box<dyn Future<Output = Duration> + Send + '_>>, rounds| {
            let mut taken = queue.take().unwrap_or_else(|| Queue::new(queued));
            let (time, back) = on_worker(async move {
                let mut time = Duration::ZERO;
                for _ in 0..rounds {
                    time += work(&mut taken).await;
                }
                (time, taken)
            });
            queue = Some(back);
            time
        };
        group.throughput(Throughput::Elements(PASSING as u64));
        group.bench_function(format!("pass-{queued}"), |bencher| {
            bencher.iter_custom(|rounds| with_queue(|queue| Box::pin(queue.pass()), rounds));
        });
        group.bench_function(format!("move-{queued}"), |bencher| {
            bencher.iter_custom(|rounds| with_queue(|queue| Box::pin(ready(queue.shift())), rounds));
        });
    }
}

/// A queue behind a limit of one: a task that holds the slot and does not end, and the tasks of the same kind that wait
/// behind it.
struct Queue {
    tasks: TaskManager,
    running: TaskHandle,
    waiting: VecDeque<TaskHandle>,
}

impl Queue {
    fn new(length: usize) -> Self {
        let tasks = tasks().clone();
        tasks.set_limit(LimitOf::Task("end-or-hang".into()), 1).unwrap();
        let start = |_| tasks.start("end-or-hang", false).unwrap();
        Self { running: start(0), waiting: (0..length).map(start).collect(), tasks }
    }

    /// Starts tasks of a higher priority, which overtake all waiting ones. They run one after the other once the slot
    /// is free.
    async fn pass(&mut self) -> Duration {
        self.waiting.push_back(self.tasks.start("end-or-hang", false).unwrap());
        let start = Instant::now();
        let first = || StartOptions::new().priority(1);
        let passing: Vec<_> =
            (0..PASSING).map(|_| self.tasks.start_with("end-or-hang", true, first()).unwrap()).collect();
        self.running.cancel().unwrap();
        all_end(&passing).await;
        let time = start.elapsed();
        self.running = self.waiting.pop_front().unwrap();
        while self.running.status() != TaskStatus::Running {
            sleep(Duration::from_micros(50)).await;
        }
        time
    }

    /// Moves tasks from all over the queue to its end, and back.
    fn shift(&mut self) -> Duration {
        let start = Instant::now();
        for task in self.waiting.iter().step_by(self.waiting.len() / PASSING) {
            task.set_priority(-1).unwrap();
            task.set_priority(0).unwrap();
        }
        start.elapsed()
    }
}

async fn all_end(handles: &[TaskHandle]) {
    for handle in handles {
        black_box(handle.outcome().await);
    }
}

async fn all_run(handles: &[TaskHandle]) {
    for handle in handles {
        while handle.status() != TaskStatus::Running {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Returns a group for slow benches, which takes as few samples as Criterion allows.
fn slow_group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group
}

criterion_group! {
    name = engine;
    config = Criterion::default()
        .without_plots()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = start, progress, cancel, admission
}
criterion_main!(engine);
