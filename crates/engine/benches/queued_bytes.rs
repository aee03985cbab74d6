//! Measures the memory that a waiting task holds. This bench has a program of its own because it counts all
//! allocations.

#![allow(clippy::unwrap_used)] // What fails here fails the bench.

mod support;

use std::{thread::sleep, time::Duration};

use peak_alloc::PeakAlloc;
use tauri_plugin_tasks_engine::{Json, LimitOf, TaskManager};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const INPUT: &str = "https://example.com/an/address/as/long/as/they/are.zip";
/// Hash tables grow in steps: one number is midway between two steps, the other right after one.
const QUEUED: [usize; 2] = [10_000, 15_000];

fn main() {
    // Tests also run the benches, to check that they work. Then there is nothing to measure here.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    for queued in QUEUED {
        let task = held_by_one(queued, queue_up(queued)) - held_by_one(queued, write_inputs(queued));
        println!("queued_bytes with {queued} in the queue: {task:.1}");
    }
}

/// Starts tasks that wait behind one that does not end.
fn queue_up(number: usize) -> impl FnOnce() -> TaskManager {
    let tasks = support::manager();
    tasks.set_limit(LimitOf::App, 1).unwrap();
    tasks.start("hang", INPUT).unwrap();
    move || {
        (0..number).for_each(|_| drop(tasks.start("hang", INPUT).unwrap()));
        tasks
    }
}

/// Makes only what the engine keeps of the inputs.
fn write_inputs(number: usize) -> impl FnOnce() -> Vec<Json> {
    let mut inputs = Vec::with_capacity(number);
    move || {
        inputs.extend((0..number).map(|_| Json::new(INPUT).unwrap()));
        inputs
    }
}

/// Returns the bytes that each of `number` values holds once all are made.
#[allow(clippy::cast_precision_loss)] // Far below 2^53.
fn held_by_one<T>(number: usize, make: impl FnOnce() -> T) -> f64 {
    let settle = || sleep(Duration::from_millis(300));
    settle();
    let before = ALLOCATED.current_usage();
    let all = make();
    settle();
    let after = ALLOCATED.current_usage();
    drop(all);
    (after - before) as f64 / number as f64
}
