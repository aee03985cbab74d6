//! What pages leave behind in the app, counted in Rust.

use anyhow::{Context as _, Result, ensure};
use e2e::{App, eventually, with_app};
use serde::Deserialize;
use serde_json::{Value, json};

const RELOADS: u32 = 50;
/// Of a page that just reads, watches and follows. After a reload, Tauri may complain of the old page's channel.
const COMPLAINTS_A_RELOAD: usize = 1;

/// What the plugin holds for pages.
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

/// Goes on with the stream, follows its task and watches a list, and resolves when all of it has come to something.
const USE: &str = "
    const [listed] = await window.tasks.list({ task: 'numbers' });
    const task = await window.tasks.attach('numbers', listed.id);
    let progressed;
    const progress = new Promise((resolve) => (progressed = resolve));
    task.onProgress(() => progressed());
    let told;
    const list = new Promise((resolve) => (told = resolve));
    await window.tasks.watch({}, (snapshots) => snapshots.length > 0 && told());
    const numbers = task.items();
    for (let count = 0; count < 100; count += 1) await numbers.next();
    // The next ones are on their way when the page goes.
    void numbers.next().catch(() => {});
    void task.result.catch(() => {});
    await Promise.all([progress, list]);
";

/// Of what the console was told since the reload.
async fn ensure_few_complaints(app: &App) -> Result<()> {
    let complaints: Vec<String> = app.script("return window.complaints ?? []", Value::Null).await?;
    ensure!(complaints.len() <= COMPLAINTS_A_RELOAD, "too many complaints in the console: {complaints:#?}");
    Ok(())
}

#[tokio::test]
async fn fifty_reloads_leave_no_session_reader_watcher_or_task_behind() -> Result<()> {
    with_app("workbench", async |app| {
        // Another run of the schedule would be one task more.
        eventually("a schedule that has run", async || {
            let script = "return document.querySelector('[data-testid=sync-last]').textContent.includes('completed')";
            Ok(app.script::<bool>(script, Value::Null).await?.then_some(()))
        })
        .await?;
        app.script::<Value>("await window.tasks.pauseSchedule('sync')", Value::Null).await?;
        let before = eventually("a page at rest", async || {
            let held = held(app).await?;
            // The page watches its list.
            Ok((held.sessions == 1 && held.watchers == 1).then_some(held))
        })
        .await?;
        let start = "await window.tasks.start('numbers', args)";
        app.script::<Value>(start, json!({ "count": 4_000_000_000_u32, "perSecond": 5_000 })).await?;
        for round in 0..RELOADS {
            app.script::<Value>(USE, Value::Null).await.with_context(|| format!("round {round}"))?;
            let in_use = held(app).await?;
            ensure!(in_use.sessions == 1 && in_use.readers == 1, "round {round}: {in_use:?}");
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
            const [listed] = await window.tasks.list({ task: 'numbers' });
            const task = await window.tasks.attach('numbers', listed.id);
            await task.cancel();
            await task.closed;
            await task.remove();
        ";
        app.script::<Value>(finish, Value::Null).await?;
        ensure_few_complaints(app).await?;
        app.reload().await?;
        let mut last = None;
        let same = eventually("nothing more than at first", async || {
            let held = held(app).await?;
            last = Some(held);
            Ok((held == before).then_some(()))
        })
        .await;
        same.with_context(|| format!("{last:?} instead of {before:?}"))?;
        let callbacks = "const callbacks = window.__TAURI_INTERNALS__.callbacks; return callbacks.size ?? Object.keys(callbacks).length";
        let callbacks: usize = app.script(callbacks, Value::Null).await?;
        ensure!(callbacks < 10, "the page keeps {callbacks} callbacks");
        Ok(())
    })
    .await
}
