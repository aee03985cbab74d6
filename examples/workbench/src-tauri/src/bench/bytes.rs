//! A stream of bytes, in chunks of 1 MiB.

use tauri::{
    Runtime,
    ipc::{Channel, InvokeResponseBody, Response},
};
use tauri_plugin_tasks::{Builder, Bytes, Failure, Task, TaskContext};

const CHUNK: usize = 1 << 20;
/// The page checks one byte out of this many: often enough to notice missing or reordered bytes, and rarely enough to
/// take no time.
const MARK: usize = 1 << 12;

pub(super) fn register<R: Runtime>(tasks: Builder<R>) -> Builder<R> {
    tasks.task(Task::new("bench-bytes", bytes))
}

/// Returns chunk number `n`. The marks continue to count from chunk to chunk, and skip one number between two chunks.
fn chunk(n: usize) -> Vec<u8> {
    let mut chunk = vec![0xA5; CHUNK];
    for (place, mark) in chunk.iter_mut().step_by(MARK).enumerate() {
        *mark = (n * CHUNK / MARK + place + n).to_le_bytes()[0];
    }
    chunk
}

async fn bytes(ctx: TaskContext<(), Bytes>, chunks: u32) -> Result<(), Failure> {
    for n in 0..chunks as usize {
        ctx.emit_bytes(chunk(n)).await;
    }
    Ok(())
}

/// Sends raw messages on a channel as fast as it can.
#[tauri::command]
pub(super) async fn send_bytes(channel: Channel<InvokeResponseBody>, chunks: u32) -> tauri::Result<()> {
    for n in 0..chunks as usize {
        channel.send(InvokeResponseBody::Raw(chunk(n)))?;
    }
    Ok(())
}

/// Returns one chunk as the raw answer of a command, for a page that requests one after the other.
#[tauri::command]
pub(super) async fn answer_bytes(n: u32) -> Response {
    Response::new(chunk(n as usize))
}
