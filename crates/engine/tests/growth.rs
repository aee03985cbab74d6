//! Measures what must not grow with the square of the number of tasks. It prints times and asserts none, since they depend
//! on the machine:
//!
//! ```text
//! cargo test --release -p tauri-plugin-tasks-engine --test growth -- --ignored --nocapture
//! ```
//!
//! Twice as many tasks should take about twice as long.

#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};

use tauri_plugin_tasks_engine::{
    BatchOptions, Failure, LimitOf, OnConflict, Retention, StartOptions, TaskContext, TaskFilter, TaskHandle,
    TaskManager,
    delivery::{self, Clocks, Errors, Kind, Kinds, Policy, Runtimes, Settings},
};
use tokio::{runtime::Handle, time::sleep};

const SIZES: [usize; 3] = [10_000, 20_000, 40_000];
/// A batch has no more members.
const BATCHES: [usize; 3] = [2_500, 5_000, 10_000];

async fn hang(_: TaskContext, _: String) -> Result<(), Failure> {
    pending().await
}

/// A manager that runs one task at a time and keeps all that have ended.
fn manager() -> TaskManager {
    let kind = Kind::new("hang", Policy::default(), Errors::default(), hang);
    let kinds = Kinds::from([(Arc::clone(&kind.name), Arc::new(kind))]);
    let retention = Retention::default().count(usize::MAX).bytes(usize::MAX);
    let settings = Settings { concurrency: Some(1), retention, ..Settings::default() };
    delivery::manager(Runtimes::one(Handle::current()), kinds, settings, Clocks::of_system())
}

fn start(tasks: &TaskManager, many: usize, options: &StartOptions) -> Vec<TaskHandle> {
    (0..many).map(|_| tasks.start_with("hang", "", options.clone()).unwrap()).collect()
}

/// Prints how long `work` takes for each size.
async fn measure(what: &str, sizes: [usize; 3], work: impl AsyncFn(TaskManager, usize) -> Duration) {
    let mut times = Vec::new();
    for many in sizes {
        times.push(work(manager(), many).await);
    }
    let shown: Vec<_> = std::iter::zip(sizes, &times).map(|(many, time)| format!("{many}: {time:.1?}")).collect();
    let ratio = times[2].as_secs_f64() / times[0].as_secs_f64();
    println!("{what:<40} {}; four times as many take {ratio:.1} times as long", shown.join(", "));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures times"]
async fn four_times_as_many_tasks_take_about_four_times_as_long() {
    let plain = StartOptions::new();
    measure("start tasks that wait", SIZES, async |tasks, many| {
        let begin = Instant::now();
        start(&tasks, many, &plain);
        begin.elapsed()
    })
    .await;
    measure("list tasks that wait, with their places", SIZES, async |tasks, many| {
        start(&tasks, many, &plain);
        let begin = Instant::now();
        assert_eq!(tasks.list(&TaskFilter::default()).len(), many);
        begin.elapsed()
    })
    .await;
    measure("move each to the front, and look", SIZES, async |tasks, many| {
        let handles = start(&tasks, many, &plain);
        let begin = Instant::now();
        for handle in &handles[1..] {
            // The last one may have got the only slot.
            let _ = handle.set_priority(1);
            std::hint::black_box(handle.snapshot());
        }
        begin.elapsed()
    })
    .await;
    measure("cancel tasks with one key", SIZES, async |tasks, many| {
        let handles = start(&tasks, many, &StartOptions::new().key("k", OnConflict::Append));
        let begin = Instant::now();
        assert_eq!(tasks.cancel_all(&TaskFilter::default()), many);
        for handle in handles {
            handle.outcome().await;
        }
        begin.elapsed()
    })
    .await;
    measure("remove ended tasks, the last to end first", SIZES, async |tasks, many| {
        let handles = start(&tasks, many, &StartOptions::new().held());
        tasks.cancel_all(&TaskFilter::default());
        let begin = Instant::now();
        // The newest was cancelled first.
        for handle in &handles {
            tasks.remove(handle.id()).unwrap();
        }
        begin.elapsed()
    })
    .await;
    measure("batches of two with a limit of their own", BATCHES, async |tasks, many| {
        tasks.set_limit(LimitOf::App, None).unwrap();
        let begin = Instant::now();
        for _ in 0..many {
            tasks.batch("hang", ["", ""], BatchOptions::new().concurrency(1)).unwrap();
        }
        begin.elapsed()
    })
    .await;
    measure("such batches behind the limit of their kind", BATCHES, async |tasks, many| {
        tasks.set_limit(LimitOf::App, None).unwrap();
        tasks.set_limit(LimitOf::Task("hang".into()), 1).unwrap();
        let begin = Instant::now();
        for _ in 0..many {
            tasks.batch("hang", ["", ""], BatchOptions::new().concurrency(1)).unwrap();
        }
        begin.elapsed()
    })
    .await;
    measure("one batch, cancelled", BATCHES, async |tasks, many| {
        tasks.set_limit(LimitOf::App, None).unwrap();
        let begin = Instant::now();
        let batch = tasks.batch("hang", vec![""; many], BatchOptions::new()).unwrap();
        sleep(Duration::from_millis(1)).await;
        batch.cancel().unwrap();
        batch.outcome().await;
        begin.elapsed()
    })
    .await;
}
