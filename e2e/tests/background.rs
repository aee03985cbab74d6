//! What goes on by itself, a schedule and a service, and the question before the app quits.

use std::fs;

use anyhow::{Result, ensure};
use e2e::{App, Content, PATIENCE, Server, Workbench, eventually, with_app};
use tokio::time::timeout;

async fn text_when(app: &App, test_id: &str, what: &str, is_so: impl Fn(&str) -> bool) -> Result<String> {
    eventually(&format!("{test_id}: {what}"), async || {
        let text = content(app, test_id).await?;
        Ok(is_so(&text).then_some(text))
    })
    .await
}

/// All of it, also what is cut off where a window is narrow.
async fn content(app: &App, test_id: &str) -> Result<String> {
    let script = "return document.querySelector(`[data-testid=${args}]`).textContent";
    app.script(script, test_id.into()).await
}

async fn dialog_is(app: &App, open: bool) -> Result<()> {
    eventually(&format!("a dialog that is open: {open}"), async || {
        let script = r#"return document.querySelector("[data-testid=quit-dialog]").open"#;
        Ok((app.script::<bool>(script, serde_json::Value::Null).await? == open).then_some(()))
    })
    .await
}

async fn ends(app: &App) -> Result<()> {
    eventually("an end of the app", async || Ok((!app.runs()).then_some(()))).await
}

#[tokio::test]
async fn a_schedule_counts_down_runs_at_once_when_asked_and_stays_paused_over_a_reload() -> Result<()> {
    with_app("workbench", async |app| {
        text_when(app, "sync-last", "its first run, at once", |text| text.contains("completed")).await?;
        let next = text_when(app, "sync-next", "a countdown", |text| text.starts_with("Next in")).await?;
        text_when(app, "sync-next", "it counts", |text| text.starts_with("Next in") && text != next).await?;

        fs::write(app.data_folder().join("inbox/new.txt"), "new")?;
        app.click("sync-run").await?;
        eventually("a copy of the file", async || {
            Ok((fs::read_to_string(app.data_folder().join("mirror/new.txt"))? == "new").then_some(()))
        })
        .await?;

        app.click("sync-pause").await?;
        text_when(app, "sync-next", "paused", |text| text == "Paused").await?;
        app.reload().await?;
        text_when(app, "sync-next", "paused still", |text| text == "Paused").await?;
        app.click("sync-pause").await?;
        text_when(app, "sync-next", "resumed", |text| text.starts_with("Next in")).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_service_tells_what_it_sees_and_is_run_again_when_it_fails() -> Result<()> {
    with_app("workbench", async |app| {
        // It says so when it watches.
        text_when(app, "watcher-seen", "how much it has seen", |text| text.contains(" in ")).await?;
        text_when(app, "watcher-status", "it runs", |text| text == "Running").await?;
        let inbox = app.data_folder().join("inbox");
        fs::write(inbox.join("seen.txt"), "1")?;
        text_when(app, "watcher-seen", "the file", |text| text.contains("seen.txt")).await?;
        fs::remove_dir_all(&inbox)?;
        text_when(app, "watcher-seen", "why it can't go on", |text| text.contains("is gone")).await?;
        text_when(app, "watcher-status", "it runs again", |text| text == "Running").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_window_that_closes_while_work_goes_on_asks_and_stays_or_cancels() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let id = page.job("hang", 1.0).await?;
        page.card_when(&id, "runs", |card| card.status == "running").await?;
        app.close_window("Workbench")?;
        dialog_is(app, true).await?;
        let tasks = content(app, "quit-tasks").await?;
        ensure!(tasks.starts_with("Job") && !tasks.contains("Watcher"), "the job, and not the watcher: {tasks:?}");

        app.click("quit-stay").await?;
        dialog_is(app, false).await?;
        ensure!(page.card(&id).await?.status == "running", "its work goes on");

        app.close_window("Workbench")?;
        dialog_is(app, true).await?;
        // A page that is loaded anew finds the question again.
        app.reload().await?;
        dialog_is(app, true).await?;
        // The app may be gone before the driver has told of the click.
        let _ = timeout(PATIENCE, app.click("quit-cancel")).await;
        ends(app).await
    })
    .await
}

#[tokio::test]
async fn a_quit_that_waits_ends_with_the_work() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let content = Content { n: 300_000, stall: 150_000, ..Content::default() };
        let id = page.download(&server.url(&content), "whole.bin").await?;
        page.card_when(&id, "half a download", |card| card.percent == Some(50.0)).await?;
        app.click("quit-app").await?;
        dialog_is(app, true).await?;
        app.click("quit-wait").await?;
        text_when(app, "quit-hint", "that it is decided", |text| text.contains("Nothing new starts")).await?;
        ensure!(app.runs(), "it waits");
        server.release();
        ends(app).await?;
        ensure!(fs::read(app.folder().join("whole.bin"))? == content.bytes(), "the work is done");
        Ok(())
    })
    .await
}
