//! Tasks that emit numbers, and readers for them.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};

use super::manager;
use crate::{
    CancelReason, Failure, Outcome, TaskContext, TaskFilter, TaskHandle, TaskId, TaskManager, Unread,
    delivery::{Ask, Bounds, Errors, Kind, Policy, Record, Settings, WINDOW},
};

pub const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

pub const FOUR: Bounds = Bounds { items: 4, bytes: 1_000 };

pub fn unread(unread: Unread) -> Policy {
    Policy { unread, item_buffer: FOUR, ..Policy::default() }
}

/// A chunk of numbers.
#[derive(Debug, PartialEq)]
pub struct Read {
    pub sequence: u64,
    pub missed: u64,
    pub done: bool,
    pub items: Vec<u32>,
}

pub fn ask(reader: &str, chunk: u64) -> Ask<'_> {
    Ask { reader, label: reader, chunk, from: None, holds: WINDOW }
}

/// Reads one chunk the way a reader outside this process does.
pub async fn read(record: &Record, reader: &str, chunk: u64, from: Option<u64>) -> Read {
    let chunk = record.items().read(Ask { reader, label: reader, chunk, from, holds: WINDOW }).await.unwrap();
    let items = serde_json::from_slice(&[b"[", chunk.data(), b"]"].concat()).unwrap();
    Read { sequence: chunk.sequence, missed: chunk.missed, done: chunk.done, items }
}

/// Reads from chunk number `chunk` to the end.
pub async fn rest(record: &Record, reader: &str, chunk: u64, from: Option<u64>) -> Vec<u32> {
    let mut items = Vec::new();
    for chunk in chunk.. {
        let read = read(record, reader, chunk, from).await;
        items.extend(read.items);
        if read.done {
            break;
        }
    }
    items
}

pub fn all(range: std::ops::Range<u32>) -> Vec<u32> {
    range.collect()
}

/// A kind that emits the numbers below its input.
pub fn kind_of_numbers(policy: Policy) -> Kind {
    Kind::new("plain", policy, Errors::default(), async |ctx: TaskContext<(), u32>, to: u32| {
        for number in 0..to {
            ctx.emit(number).await;
        }
        Ok::<_, Failure>(())
    })
}

/// A task that emits one number and then hangs.
pub fn one_number(policy: Policy) -> (TaskManager, TaskHandle, Arc<Record>) {
    let kind = Kind::new("one", policy, Errors::default(), async |ctx: TaskContext<(), u32>, (): ()| {
        ctx.emit(7).await;
        std::future::pending::<Result<(), Failure>>().await
    });
    let tasks = manager([kind], Settings::default());
    let task = tasks.start("one", ()).unwrap();
    let record = tasks.engine.find(task.id()).unwrap();
    (tasks, task, record)
}

/// Returns after how many whole seconds the task was cancelled because nobody read its items; `None` if that took more
/// than two minutes.
pub async fn cancelled_after(task: &TaskHandle) -> Option<Duration> {
    let before = Instant::now();
    let outcome = timeout(secs(120), task.outcome()).await.ok()?;
    assert!(matches!(outcome, Outcome::Cancelled { reason: CancelReason::Unread }), "{outcome:?}");
    Some(Duration::from_secs(before.elapsed().as_secs()))
}

pub fn kept(tasks: &TaskManager) -> Vec<TaskId> {
    tasks.list(&TaskFilter::default()).into_iter().map(|task| task.id).collect()
}
