//! Lines of a log, as text.

use tauri::{AppHandle, Emitter, Runtime, ipc::Channel};
use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext};

pub(super) fn register<R: Runtime>(tasks: Builder<R>) -> Builder<R> {
    tasks.task(Task::new("bench-lines", lines))
}

/// Returns line number `n`, of 90 bytes. The page knows what it looks like, and compares.
fn line(n: u32) -> String {
    format!("{n:08} 2026-03-14T15:09:26Z INFO worker-7 copied a chunk of 4 KiB to an archive in 12 ms")
}

async fn lines(ctx: TaskContext<(), String>, count: u32) -> Result<(), Failure> {
    for n in 0..count {
        ctx.emit(line(n)).await;
    }
    Ok(())
}

/// Delivers the lines as tutorials do, with an event for each.
#[tauri::command]
pub(super) async fn emit_lines(app: AppHandle, count: u32) -> tauri::Result<()> {
    for n in 0..count {
        app.emit("line", line(n))?;
    }
    Ok(())
}

/// Delivers the lines as tutorials on channels do, with a message for each.
#[tauri::command]
pub(super) async fn send_lines(channel: Channel<String>, count: u32) -> tauri::Result<()> {
    for n in 0..count {
        channel.send(line(n))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_line_has_90_bytes() {
        assert_eq!(line(0).len(), 90);
        assert_eq!(line(99_999_999).len(), 90);
    }
}
