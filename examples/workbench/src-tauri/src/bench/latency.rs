//! Single items that say when they were sent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tauri::{Runtime, ipc::Channel};
use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext};
use tokio::time::{Instant, sleep_until};

pub(super) fn register<R: Runtime>(tasks: Builder<R>) -> Builder<R> {
    tasks.task(Task::new("bench-latency", emit_pulses))
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub(super) struct Pulses {
    /// How many a second.
    rate: u32,
    /// How many in all.
    count: u32,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Pulse {
    number: u32,
    /// Microseconds since 1970.
    sent: f64,
}

/// Produces each pulse when it is due. The time between two pulses varies from half a period to one and a half, so that they
/// are in step neither with frames nor with anything else.
struct Pace {
    pulses: Pulses,
    number: u32,
    due: Instant,
}

impl Pace {
    fn new(pulses: Pulses) -> Self {
        Self { pulses, number: 0, due: Instant::now() }
    }

    /// Waits until the next pulse is due and returns it, or `None` if none is left.
    async fn next(&mut self) -> Option<Pulse> {
        let number = self.number;
        if number == self.pulses.count {
            return None;
        }
        self.number += 1;
        // The fractional parts of multiples of the golden ratio cover 0 to 1 evenly and without a pattern.
        let part = (f64::from(number) * 0.618_033_988_749_895).fract();
        self.due += Duration::from_secs_f64((0.5 + part) / f64::from(self.pulses.rate));
        sleep_until(self.due).await;
        Some(Pulse { number, sent: now() })
    }
}

async fn emit_pulses(ctx: TaskContext<(), Pulse>, pulses: Pulses) -> Result<(), Failure> {
    let mut pace = Pace::new(pulses);
    while let Some(pulse) = pace.next().await {
        ctx.emit(pulse).await;
    }
    Ok(())
}

/// Sends the pulses on a channel.
#[tauri::command]
pub(super) async fn send_pulses(channel: Channel<Pulse>, pulses: Pulses) -> tauri::Result<()> {
    let mut pace = Pace::new(pulses);
    while let Some(pulse) = pace.next().await {
        channel.send(pulse)?;
    }
    Ok(())
}

/// Returns the time in microseconds since 1970, for the page to compare its clock with.
#[tauri::command]
pub(super) fn clock() -> f64 {
    now()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1e6
}
