//! Reloaded pages must leave nothing behind in the app; the plugin's own counts tell.

use anyhow::{Context as _, Result, ensure};
use e2e::{App, eventually, with_app};
use serde::Deserialize;
use serde_json::{Value, json};

const RELOADS: u32 = 50;
/// The most console warnings and errors after a reload: Tauri may log one about the old page's channel.
const COMPLAINTS_A_RELOAD: usize = 1;

/// What the plugin holds for pages, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
struct Held {
    sessions: usize,
    readers: usize,
    watchers: usize,
    tasks: usize,
}

async fn held(app: &App) -> Result<Held> {
    app.script("return await window.__TAURI_INTERNALS__.invoke('held')", Value::Null).await
}

/// Reads on in the stream, follows its task and watches a list, and resolves when each has delivered something.
const USE: &str = "
    const { tasks: [listed] } = await window.tasks.list({ task: 'numbers' });
    const task = await window.tasks.attach('numbers', listed.id);
    let progressed;
    const progress = new Promise((resolve) => (progressed = resolve));
    task.onProgress(() => progressed());
    let told;
    const list = new Promise((resolve) => (told = resolve));
    await window.tasks.watch({}, (snapshots) => snapshots.length > 0 && told());
    const numbers = task.items();
    for (let count = 0; count < 100; count += 1) await numbers.next();
    // The next items are in flight when the page unloads.
    void numbers.next().catch(() => {});
    void task.result.catch(() => {});
    await Promise.all([progress, list]);
";

/// Fails if the console has logged more than [`COMPLAINTS_A_RELOAD`] warnings and errors since the reload.
async fn ensure_few_complaints(app: &App) -> Result<()> {
    let complaints: Vec<String> = app.script("return window.complaints ?? []", Value::Null).await?;
    ensure!(complaints.len() <= COMPLAINTS_A_RELOAD, "too many complaints in the console: {complaints:#?}");
    Ok(())
}

#[tokio::test]
async fn fifty_reloads_leave_no_session_reader_watcher_or_task_behind() -> Result<()> {
    with_app("workbench", async |app| {
        // A later run of the schedule would add a task to the counts.
        eventually("a schedule that has run", async || {
            let script = "return document.querySelector('[data-testid=sync-last]').textContent.includes('completed')";
            Ok(app.script::<bool>(script, Value::Null).await?.then_some(()))
        })
        .await?;
        app.script::<Value>("await window.tasks.pauseSchedule('sync')", Value::Null).await?;
        let before = eventually("a page at rest", async || {
            let held = held(app).await?;
            // The one watcher is the page's list.
            Ok((held.sessions == 1 && held.watchers == 1).then_some(held))
        })
        .await?;
        let start = "await window.tasks.start('numbers', args)";
        app.script::<Value>(start, json!({ "count": 4_000_000_000_u32, "perSecond": 5_000 })).await?;
        for round in 0..RELOADS {
            app.script::<Value>(USE, Value::Null).await.with_context(|| format!("round {round}"))?;
            let in_use = held(app).await?;
            ensure!(in_use.sessions == 1 && in_use.readers == 1, "round {round}: one session and one reader should be held: {in_use:?}");
            ensure_few_complaints(app).await?;
            app.reload().await?;
            let listen = "
                window.complaints = [];
                for (const level of ['warn', 'error']) {
                    console[level] = (...words) => window.complaints.push(words.join(' '));
                }
            ";
            app.run(listen, Value::Null).await?;
        }
        let finish = "
            const { tasks: [listed] } = await window.tasks.list({ task: 'numbers' });
            const task = await window.tasks.attach('numbers', listed.id);
            await task.cancel();
            await task.closed;
            await task.remove();
        ";
        app.script::<Value>(finish, Value::Null).await?;
        ensure_few_complaints(app).await?;
        app.reload().await?;
        let mut last = None;
        let same = eventually("no more held than at first", async || {
            let held = held(app).await?;
            last = Some(held);
            Ok((held == before).then_some(()))
        })
        .await;
        same.with_context(|| format!("the plugin holds {last:?} instead of {before:?}"))?;
        let callbacks = "const callbacks = window.__TAURI_INTERNALS__.callbacks; return callbacks.size ?? Object.keys(callbacks).length";
        let callbacks: usize = app.script(callbacks, Value::Null).await?;
        ensure!(callbacks < 10, "the page should keep fewer than 10 callbacks, not {callbacks}");
        Ok(())
    })
    .await
}
