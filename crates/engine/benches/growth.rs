//! Measures what must not grow with the square of the number of tasks: how long four times as many take.

#![allow(clippy::unwrap_used)] // What fails here fails the bench.

mod support;

use std::{
    hint::black_box,
    thread::sleep,
    time::{Duration, Instant},
};

use tauri_plugin_tasks_engine::{
    BatchOptions, LimitOf, OnConflict, Retention, StartOptions, TaskFilter, TaskHandle, TaskManager, delivery::Settings,
};

const TASKS: [usize; 2] = [10_000, 40_000];
/// A batch has no more members.
const MEMBERS: [usize; 2] = [2_500, 10_000];
/// What else the machine does makes some rounds longer and none shorter.
const ROUNDS: usize = 3;

fn main() {
    // Tests also run the benches, to check that they work. Then there is nothing to measure here.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let plain = StartOptions::new();
    measure("tasks that start and wait", TASKS, |tasks, many| time(|| drop(start(tasks, many, &plain))));
    measure("a list of tasks that wait, with their places", TASKS, |tasks, many| {
        start(tasks, many, &plain);
        time(|| assert_eq!(tasks.list(&TaskFilter::default()).len(), many))
    });
    measure("tasks that are moved to the front and looked at", TASKS, |tasks, many| {
        let handles = start(tasks, many, &plain);
        time(|| {
            for handle in &handles[1..] {
                // The last one may have got the only slot.
                let _ = handle.set_priority(1);
                black_box(handle.snapshot());
            }
        })
    });
    measure("cancelled tasks with one key", TASKS, |tasks, many| {
        let handles = start(tasks, many, &StartOptions::new().key("k", OnConflict::Append));
        time(|| {
            assert_eq!(tasks.cancel_all(&TaskFilter::default()), many);
            for handle in handles {
                support::RUNTIME.block_on(handle.outcome());
            }
        })
    });
    measure("removed tasks, the last to end first", TASKS, |tasks, many| {
        let handles = start(tasks, many, &StartOptions::new().held());
        tasks.cancel_all(&TaskFilter::default());
        time(|| {
            // The newest was cancelled first.
            for handle in &handles {
                tasks.remove(handle.id()).unwrap();
            }
        })
    });
    measure("batches of two with a limit of their own", TASKS, |tasks, many| {
        tasks.set_limit(LimitOf::App, None).unwrap();
        time(|| start_pairs(tasks, many))
    });
    measure("such batches behind the limit of their kind", TASKS, |tasks, many| {
        tasks.set_limit(LimitOf::App, None).unwrap();
        tasks.set_limit(LimitOf::Task("hang".into()), 1).unwrap();
        time(|| start_pairs(tasks, many))
    });
    measure("members of a batch that is cancelled", MEMBERS, |tasks, many| {
        tasks.set_limit(LimitOf::App, None).unwrap();
        time(|| {
            let batch = tasks.batch("hang", vec![""; many], BatchOptions::new()).unwrap();
            sleep(Duration::from_millis(1));
            batch.cancel().unwrap();
            support::RUNTIME.block_on(batch.outcome());
        })
    });
}

/// Prints how much longer `work` takes for the larger number than for the smaller one.
fn measure(what: &str, sizes: [usize; 2], work: impl Fn(&TaskManager, usize) -> Duration) {
    // One task runs at a time, and all that have ended are kept.
    let retention = Retention::default().count(usize::MAX).bytes(usize::MAX);
    let settings = || Settings { concurrency: Some(1), retention, ..Settings::default() };
    let shortest = |size| (0..ROUNDS).map(|_| work(&support::manager_with(settings()), size)).min().unwrap();
    let [few, many] = sizes.map(|size| shortest(size).as_secs_f64());
    println!("growth of {what}: {:.2}", many / few);
}

fn time(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

fn start(tasks: &TaskManager, many: usize, options: &StartOptions) -> Vec<TaskHandle> {
    (0..many).map(|_| tasks.start_with("hang", "", options.clone()).unwrap()).collect()
}

fn start_pairs(tasks: &TaskManager, many: usize) {
    for _ in 0..many {
        tasks.batch("hang", ["", ""], BatchOptions::new().concurrency(1)).unwrap();
    }
}
