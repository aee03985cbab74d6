//! `numbers`: a stream whose items are easy to check. It is for the console and the end-to-end tests: no form starts it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tauri_plugin_tasks::{Failure, TaskContext, Unit};
use tokio::time::Instant;

/// What to emit.
#[derive(Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
#[serde(rename_all = "camelCase")]
pub struct NumbersInput {
    /// How many numbers, counted from 0.
    pub count: u32,
    /// How many per second; 0 for as fast as possible.
    pub per_second: u32,
}

/// Emits numbers, and returns how many.
pub async fn numbers(ctx: TaskContext<(), u32>, input: NumbersInput) -> Result<u32, Failure> {
    ctx.progress().unit(Unit::Items).total(u64::from(input.count));
    let begin = Instant::now();
    for number in 0..input.count {
        if let Some(due) = (u64::from(number) * 1_000_000).checked_div(u64::from(input.per_second)) {
            // Tokio sleeps for whole milliseconds only: at a high rate, several numbers come in each.
            tokio::time::sleep_until(begin + Duration::from_micros(due)).await;
        }
        ctx.emit(number).await;
        ctx.progress().inc(1);
    }
    Ok(input.count)
}
