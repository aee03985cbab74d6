//! Single items that say when they were sent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use specta::Type;
use specta_typescript::Number;
use tauri::{Runtime, ipc::Channel};
use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext};
use tokio::time::{Instant, sleep_until};

pub(super) fn register<R: Runtime>(tasks: Builder<R>) -> Builder<R> {
    tasks.task(Task::new("bench-latency", emit_pulses))
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize, Type)]
pub(super) struct Pulses {
    /// How many a second.
    rate: u32,
    /// How many in all.
    count: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Type)]
pub(super) struct Pulse {
    number: u32,
    /// Microseconds since 1970.
    #[specta(type = Number)]
    sent: f64,
}

/// Makes pulses when they are due. The time between two is half of a period to one and a half, so that they keep step
/// neither with frames nor with anything else.
struct Pace {
    pulses: Pulses,
    number: u32,
    due: Instant,
}

impl Pace {
    fn new(pulses: Pulses) -> Self {
        Self { pulses, number: 0, due: Instant::now() }
    }

    /// The next pulse, sent now, if there is one left.
    async fn next(&mut self) -> Option<Pulse> {
        let number = self.number;
        if number == self.pulses.count {
            return None;
        }
        self.number += 1;
        // Multiples of the golden ratio fall evenly between 0 and 1, and never into a pattern.
        let part = (f64::from(number) * 0.618_033_988_749_895).fract();
        self.due += Duration::from_secs_f64((0.5 + part) / f64::from(self.pulses.rate));
        sleep_until(self.due).await;
        Some(Pulse { number, sent: now() })
    }
}

async fn emit_pulses(ctx: TaskContext<(), Pulse>, pulses: Pulses) -> Result<(), Failure> {
    let mut pace = Pace::new(pulses);
    while let Some(pulse) = pace.next().await {
        ctx.emit(pulse).await?;
    }
    Ok(())
}

/// The same on a channel.
#[tauri::command]
pub(super) async fn send_pulses(channel: Channel<Pulse>, pulses: Pulses) -> tauri::Result<()> {
    let mut pace = Pace::new(pulses);
    while let Some(pulse) = pace.next().await {
        channel.send(pulse)?;
    }
    Ok(())
}

/// Microseconds since 1970, for the page to see that its clock is the same.
#[tauri::command]
pub(super) fn clock() -> f64 {
    now()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1e6
}
