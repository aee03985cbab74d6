//! Whose task it is.

use anyhow::{Result, ensure};
use e2e::{App, PageError, Workbench, eventually, with_app};
use serde_json::{Value, json};

#[tokio::test]
async fn a_second_window_can_neither_see_nor_cancel_the_task_of_the_first() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let id = page.job("hang", 1.0).await?;
        app.click("open-second").await?;
        app.window("second").await?;

        // Its own task shows that the page is up and its list alive.
        let own = page.job("hang", 1.0).await?;
        let cards = page.cards().await?;
        ensure!(cards.len() == 1 && cards.iter().all(|card| card.id == own), "it sees only its own: {cards:?}");
        for script in [
            "await window.tasks.get(args.id)",
            "await window.tasks.attach('job', args.id)",
            "await window.__TAURI_INTERNALS__.invoke('plugin:tasks|cancel', { id: args.id, reason: 'user' })",
            "await window.__TAURI_INTERNALS__.invoke('plugin:tasks|outcome', { id: args.id })",
            "await window.__TAURI_INTERNALS__.invoke('plugin:tasks|remove', { id: args.id })",
        ] {
            let foreign = refusal(app, script, &id).await?;
            let unknown = refusal(app, script, "01890a5d-ac96-774b-bcce-b302099a8057").await?;
            ensure!(foreign.kind.as_deref() == Some("notFound"), "{script}: {foreign}");
            let foreign = foreign.message.replace(&id, "…");
            let unknown = unknown.message.replace("01890a5d-ac96-774b-bcce-b302099a8057", "…");
            ensure!(foreign == unknown, "{script} tells a foreign id from an unknown one: {foreign:?}, {unknown:?}");
        }

        app.window("main").await?;
        let card = page.card(&id).await?;
        ensure!(card.status == "running", "the task goes on: {card:?}");
        Ok(())
    })
    .await
}

/// What a script that must fail throws.
async fn refusal(app: &App, script: &str, id: &str) -> Result<PageError> {
    match app.script::<Value>(script, json!({ "id": id })).await {
        Ok(_) => anyhow::bail!("this was not refused: {script}"),
        Err(error) => error.downcast(),
    }
}

#[tokio::test]
async fn a_window_with_observe_all_sees_the_task_and_with_control_all_cancels_it() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let id = page.job("hang", 1.0).await?;
        app.click("open-observer").await?;
        app.window("observer").await?;

        page.card_when(&id, "the first window's task", |card| card.status == "running").await?;
        page.click(&id, "cancel").await?;
        page.card_at_end(&id, "cancelled").await?;

        app.window("main").await?;
        page.card_at_end(&id, "cancelled").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_task_goes_on_when_its_window_closes() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        app.click("open-second").await?;
        app.window("second").await?;
        let id = page.job("hang", 1.0).await?;
        app.click("open-observer").await?;
        app.window("observer").await?;
        app.close_window("Workbench: second window")?;

        eventually("a task that belongs to the app now", async || {
            let script = "return (await window.tasks.get(args.id)).owner";
            let owner: Option<String> = app.script(script, json!({ "id": id })).await?;
            Ok(owner.is_none().then_some(()))
        })
        .await?;
        page.card_when(&id, "the closed window's task", |card| card.status == "running").await?;
        Ok(())
    })
    .await
}
