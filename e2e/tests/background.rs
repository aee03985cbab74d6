//! A schedule, a service, and the question that the app asks before it quits.

use std::fs;

use anyhow::{Result, ensure};
use e2e::{App, Content, PATIENCE, Server, Workbench, eventually, with_app};
use tokio::time::timeout;

async fn text_when(app: &App, test_id: &str, what: &str, is_so: impl Fn(&str) -> bool) -> Result<String> {
    eventually(&format!("{test_id} to show {what}"), async || {
        let text = content(app, test_id).await?;
        Ok(is_so(&text).then_some(text))
    })
    .await
}

/// Returns the whole text of an element, including what a narrow window cuts off.
async fn content(app: &App, test_id: &str) -> Result<String> {
    let script = "return document.querySelector(`[data-testid=${args}]`).textContent";
    app.script(script, test_id.into()).await
}

async fn dialog_is(app: &App, open: bool) -> Result<()> {
    eventually(if open { "the quit dialog to open" } else { "the quit dialog to close" }, async || {
        let script = r#"return document.querySelector("[data-testid=quit-dialog]").open"#;
        Ok((app.script::<bool>(script, serde_json::Value::Null).await? == open).then_some(()))
    })
    .await
}

async fn ends(app: &App) -> Result<()> {
    eventually("the app to end", async || Ok((!app.runs()).then_some(()))).await
}

#[tokio::test]
async fn a_schedule_counts_down_runs_on_demand_and_stays_paused_across_a_reload() -> Result<()> {
    with_app("workbench", async |app| {
        text_when(app, "sync-last", "a completed first run", |text| text.contains("completed")).await?;
        let next = text_when(app, "sync-next", "a countdown", |text| text.starts_with("Next in")).await?;
        text_when(app, "sync-next", "a countdown that moves", |text| text.starts_with("Next in") && text != next)
            .await?;

        fs::write(app.data_folder().join("inbox/new.txt"), "new")?;
        app.click("sync-run").await?;
        eventually("a copy of the file", async || {
            Ok((fs::read_to_string(app.data_folder().join("mirror/new.txt"))? == "new").then_some(()))
        })
        .await?;

        app.click("sync-pause").await?;
        text_when(app, "sync-next", "a pause", |text| text == "Paused").await?;
        app.reload().await?;
        text_when(app, "sync-next", "the pause after the reload", |text| text == "Paused").await?;
        app.click("sync-pause").await?;
        text_when(app, "sync-next", "a countdown again", |text| text.starts_with("Next in")).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_service_reports_what_it_sees_and_restarts_when_it_fails() -> Result<()> {
    with_app("workbench", async |app| {
        // The service reports this as soon as it watches the folder.
        text_when(app, "watcher-seen", "what it has seen so far", |text| text.contains(" in ")).await?;
        text_when(app, "watcher-status", "a running service", |text| text == "Running").await?;
        let inbox = app.data_folder().join("inbox");
        fs::write(inbox.join("seen.txt"), "1")?;
        text_when(app, "watcher-seen", "the new file", |text| text.contains("seen.txt")).await?;
        fs::remove_dir_all(&inbox)?;
        text_when(app, "watcher-seen", "why it failed", |text| text.contains("is gone")).await?;
        text_when(app, "watcher-status", "a service that runs again", |text| text == "Running").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn closing_the_window_while_a_task_runs_asks_whether_to_stay_or_cancel() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let id = page.job("hang", 1.0).await?;
        page.card_when(&id, "a running job", |card| card.status == "running").await?;
        app.close_window("Workbench")?;
        dialog_is(app, true).await?;
        let tasks = content(app, "quit-tasks").await?;
        ensure!(
            tasks.starts_with("Job") && !tasks.contains("Watcher"),
            "the dialog should list the job and not the watcher: {tasks:?}"
        );

        app.click("quit-stay").await?;
        dialog_is(app, false).await?;
        ensure!(page.card(&id).await?.status == "running", "the job should still run");

        app.close_window("Workbench")?;
        dialog_is(app, true).await?;
        // A reloaded page asks again.
        app.reload().await?;
        dialog_is(app, true).await?;
        // The app may end before the driver has reported the click.
        let _ = timeout(PATIENCE, app.click("quit-cancel")).await;
        ends(app).await
    })
    .await
}

#[tokio::test]
async fn a_quit_that_waits_ends_the_app_when_its_tasks_have_ended() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let content = Content { n: 300_000, stall: 150_000, ..Content::default() };
        let id = page.download(&server.url(&content), "whole.bin").await?;
        page.card_when(&id, "half a download", |card| card.percent == Some(50.0)).await?;
        app.click("quit-app").await?;
        dialog_is(app, true).await?;
        app.click("quit-wait").await?;
        text_when(app, "quit-hint", "that the app waits to quit", |text| text.contains("Nothing new starts")).await?;
        ensure!(app.runs(), "the app should wait for the download");
        server.release();
        ends(app).await?;
        ensure!(fs::read(app.folder().join("whole.bin"))? == content.bytes(), "the file differs from what was sent");
        Ok(())
    })
    .await
}
