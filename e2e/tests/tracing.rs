//! An app with Tauri's feature `tracing`. There a thread that evaluates a script in a page waits until the main thread has done
//! it, so it hangs if the main thread waits for that thread meanwhile.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use e2e::{App, PATIENCE, eventually, target, with_app};
use serde_json::{Value, json};
use tokio::time::timeout;

/// `no-bundler` with that feature: `build::with_tracing` in xtask makes it.
const APP: &str = "no-bundler-tracing";

#[test]
fn the_app_is_built_with_the_feature() -> Result<()> {
    let binary = target().join("debug").join(APP);
    let program = fs::read(&binary).with_context(|| format!("can't read {}", binary.display()))?;
    // The name of a span that Tauri has only with it.
    let span = b"wry::webview::create";
    ensure!(program.windows(span.len()).any(|part| part == span), "{APP} has no such span");
    Ok(())
}

#[tokio::test]
async fn a_page_that_opens_one_session_too_often_and_reloads_does_not_hang_the_app() -> Result<()> {
    in_time(async |app| {
        for round in 0..20 {
            let script = "
                const { invoke, Channel } = window.__TAURI__.core;
                const channel = new Channel();
                let protocol = 0;
                const open = (session) => invoke('plugin:tasks|open', { session, protocol, channel });
                const isSpoken = () => open(`${args.round}`).then(() => true, (error) => error.kind !== 'protocolMismatch');
                do protocol += 1; while (!(await isSpoken()));
                // One more and seven repeats are accepted, and the others are refused.
                let accepted = 1;
                for (let call = 2; call <= 9; call += 1) accepted += await open(`${args.round}`).then(() => 1, () => 0);
                const last = await open(`${args.round}`).then(() => 'accepted', (error) => error.kind);
                return [accepted, last, protocol];
            ";
            let (accepted, last, protocol): (u32, String, u32) = app.script(script, json!({ "round": round })).await?;
            ensure!(accepted == 9 && last == "sessionGone", "{accepted} calls were accepted, and the next was {last}");
            // Once more, while the page leaves.
            let script = "
                const { invoke, Channel } = window.__TAURI__.core;
                const channel = new Channel();
                window.isLeft = true;
                const { round, protocol } = args;
                const open = () => invoke('plugin:tasks|open', { session: `${round}`, protocol, channel });
                setTimeout(() => {
                    for (let call = 0; call < 50; call += 1) open().catch(() => {});
                    setTimeout(() => location.reload(), round % 5);
                });
            ";
            app.run(script, json!({ "round": round, "protocol": protocol })).await?;
            answers(app).await.with_context(|| format!("round {round}"))?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_page_that_reloads_in_a_burst_while_tasks_report_does_not_hang_the_app() -> Result<()> {
    in_time(async |app| {
        for round in 0..10 {
            let script = "
                window.isLeft = true;
                const tasks = window.__TAURI__.tasks.createTasks();
                const text = 'so many words '.repeat(3_000);
                for (let task = 0; task < 3; task += 1) tasks.start('count-words', { text }).catch(() => {});
                setTimeout(() => location.reload(), 20 * (args.round % 5));
            ";
            app.run(script, json!({ "round": round })).await?;
            answers(app).await.with_context(|| format!("round {round}"))?;
        }
        // All of them end, and a page learns of the end of another one.
        let script = "
            const tasks = window.__TAURI__.tasks.createTasks();
            return (await (await tasks.start('count-words', { text: 'to be or not to be' })).result).words";
        let words: u32 = app.script(script, Value::Null).await?;
        ensure!(words == 6, "{words}");
        Ok(())
    })
    .await
}

/// Runs a test against the app. If that hangs, the driver never answers.
async fn in_time(test: impl AsyncFnOnce(&App) -> Result<()>) -> Result<()> {
    with_app(APP, async |app| timeout(2 * PATIENCE, test(app)).await.context("the app hangs")?).await
}

/// Waits for a new page to which the app answers.
async fn answers(app: &App) -> Result<()> {
    eventually("a new page that the app answers", async || {
        let script = "
            if (window.isLeft || document.readyState !== 'complete') return false;
            await window.__TAURI__.tasks.createTasks().list();
            return true;
        ";
        Ok(app.script::<bool>(script, Value::Null).await?.then_some(()))
    })
    .await
}
