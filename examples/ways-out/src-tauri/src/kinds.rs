//! A kind of task for each policy.

use std::{thread, time::Duration};

use tauri::{AppHandle, Runtime};
use tauri_plugin_tasks::{Builder, Never, OnExit, OnOwnerClosed, Restart, Task, TaskContext, Unread};
use tokio::time::sleep;

use crate::plan::{Plan, plan};

/// Long enough for a test to see what has waited for it.
const WORK: Duration = Duration::from_millis(1_500);
const CLEAN_UP: Duration = Duration::from_millis(300);

pub(crate) fn tasks<R: Runtime>() -> Builder<R> {
    Builder::new()
        .task(Task::new("cancel", stops))
        .task(Task::new("finish", finishes).on_exit(OnExit::Finish))
        .task(Task::new("gated", gated).on_exit(OnExit::Finish))
        .task(Task::new("drop", stops).on_exit(OnExit::Drop))
        .task(Task::new("service", stops).restart(Restart::always()))
        .task(Task::new("deaf", deaf).grace(Duration::from_secs(600)))
        .task(Task::new("goes-on", stops))
        .task(Task::new("goes-along", stops).on_owner_closed(OnOwnerClosed::Cancel))
        .task(
            Task::new("streams", streams)
                .on_owner_closed(OnOwnerClosed::Cancel)
                .unread(Unread::Cancel)
                .item_buffer(8, 1_000),
        )
        .task(Task::new("note", note))
}

/// Runs until it is cancelled, then cleans up.
async fn stops<R: Runtime>(app: AppHandle<R>, ctx: TaskContext, (): ()) -> Result<(), Never> {
    let (plan, kind) = (plan(&app), ctx.name().to_owned());
    let (at_cancel, cleaned) = (plan.clone(), format!("{kind}.cleaned"));
    ctx.on_cancel(async move {
        sleep(CLEAN_UP).await;
        at_cancel.note(&cleaned);
    });
    plan.note(&format!("{kind}.began"));
    std::future::pending().await
}

/// Emits numbers to its page, and records how many. Its buffer is so small that it waits soon if the page doesn't read.
async fn streams<R: Runtime>(app: AppHandle<R>, ctx: TaskContext<(), u32>, (): ()) -> Result<(), Never> {
    let plan = plan(&app);
    for number in 0.. {
        plan.write("streamed", &number.to_string());
        ctx.progress().inc(1);
        ctx.emit(number).await;
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Records what its page has seen.
async fn note<R: Runtime>(app: AppHandle<R>, _: TaskContext, what: String) -> Result<(), Never> {
    plan(&app).note(&what);
    Ok(())
}

/// Completes by itself.
async fn finishes<R: Runtime>(app: AppHandle<R>, ctx: TaskContext, (): ()) -> Result<(), Never> {
    let (plan, kind) = (plan(&app), ctx.name().to_owned());
    plan.note(&format!("{kind}.began"));
    sleep(WORK).await;
    plan.note(&format!("{kind}.done"));
    Ok(())
}

/// Completes when there is a file `go`.
async fn gated<R: Runtime>(app: AppHandle<R>, ctx: TaskContext, (): ()) -> Result<(), Never> {
    let (plan, kind) = (plan(&app), ctx.name().to_owned());
    plan.note(&format!("{kind}.began"));
    plan.until_noted("go").await;
    plan.note(&format!("{kind}.done"));
    Ok(())
}

/// Blocks a thread and never checks its cancellation token.
async fn deaf<R: Runtime>(app: AppHandle<R>, ctx: TaskContext, (): ()) -> Result<(), Never> {
    let plan = plan(&app);
    // Noted by the thread: a task that is cancelled before it has one ends at once.
    ctx.spawn_blocking(move |_| {
        plan.note("deaf.began");
        thread::sleep(Duration::from_secs(600));
    })
    .await;
    Ok(())
}

/// Waits until a task of every kind in the plan has begun.
pub(crate) async fn are_at_work(plan: &Plan) {
    for kind in &plan.kinds {
        plan.until_noted(&format!("{kind}.began")).await;
    }
}
