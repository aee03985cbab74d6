//! Which window owns a task, and what the others may do with it.

use anyhow::{Result, ensure};
use e2e::{App, PageError, Server, Workbench, eventually, with_app};
use serde_json::{Value, json};

#[tokio::test]
async fn a_second_window_can_neither_see_nor_cancel_the_task_of_the_first() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let id = page.job("hang", 1.0).await?;
        app.click("open-second").await?;
        app.window("second").await?;

        // The second window's own task shows that its list is up to date.
        let own = page.job("hang", 1.0).await?;
        let cards = page.cards().await?;
        ensure!(
            cards.len() == 1 && cards.iter().all(|card| card.id == own),
            "the second window should see only its own task: {cards:?}"
        );
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
            ensure!(
                foreign == unknown,
                "{script} should refuse a foreign id as it does an unknown one: {foreign:?}, {unknown:?}"
            );
        }

        app.window("main").await?;
        let card = page.card(&id).await?;
        ensure!(card.status == "running", "the task should still run: {card:?}");
        Ok(())
    })
    .await
}

/// Returns the error that a script throws, and fails if it throws none.
async fn refusal(app: &App, script: &str, id: &str) -> Result<PageError> {
    match app.script::<Value>(script, json!({ "id": id })).await {
        Ok(_) => anyhow::bail!("this should have been refused: {script}"),
        Err(error) => error.downcast(),
    }
}

#[tokio::test]
async fn a_page_of_another_origin_in_the_same_webview_neither_sees_nor_cancels_the_task_of_the_one_before() -> Result<()>
{
    const FIRST: &str = "01890a5d-ac96-774b-bcce-b302099a8001";
    const SECOND: &str = "01890a5d-ac96-774b-bcce-b302099a8002";
    let (one, other) = (Server::start().await?, Server::start().await?);
    with_app("workbench", async |app| {
        goes_to(app, &one.page()).await?;
        ensure!(starts(app, FIRST).await? == "main", "others should be told the label of the webview");

        goes_to(app, &other.page()).await?;
        for command in ["get", "outcome", "remove", "cancel"] {
            let script = format!(
                "await window.__TAURI_INTERNALS__.invoke('plugin:tasks|{command}', {{ id: args.id, reason: 'user' }})"
            );
            let foreign = refusal(app, &script, FIRST).await?;
            ensure!(foreign.kind.as_deref() == Some("notFound"), "{command}: {foreign}");
        }
        starts(app, SECOND).await?;
        let list = "return (await window.__TAURI_INTERNALS__.invoke('plugin:tasks|list', { filter: {} })).tasks.map((task) => task.id)";
        let seen: Vec<String> = app.script(list, json!({})).await?;
        ensure!(seen == [SECOND], "the second page should see only its own task: {seen:?}");

        goes_to(app, &one.page()).await?;
        let get = "return (await window.__TAURI_INTERNALS__.invoke('plugin:tasks|get', { id: args.id })).status";
        let status: String = app.script(get, json!({ "id": FIRST })).await?;
        ensure!(status == "running" || status == "queued", "the first page is back, and its task is {status}");
        Ok(())
    })
    .await
}

/// Lets the page go to another address, and waits until it is there.
async fn goes_to(app: &App, address: &str) -> Result<()> {
    app.run("setTimeout(() => { location.href = args.address; });", json!({ "address": address })).await?;
    eventually(&format!("the page {address}"), async || {
        let script = "return location.href === args.address && document.readyState === 'complete'";
        let is_there: bool = app.script(script, json!({ "address": address })).await?;
        Ok(is_there.then_some(()))
    })
    .await
}

/// Starts a task that hangs, from a page without the client, and returns the label of its owner.
async fn starts(app: &App, id: &str) -> Result<String> {
    let script = r"
        const { invoke, transformCallback } = window.__TAURI_INTERNALS__;
        const session = crypto.randomUUID?.() ?? String(Math.random());
        const open = (protocol) => {
            const channel = `__CHANNEL__:${transformCallback(() => {})}`;
            return invoke('plugin:tasks|open', { session, protocol, channel });
        };
        const refused = await open(0).catch((error) => error.message);
        await open(Number(/the app protocol (\d+)/.exec(refused)[1]));
        const input = { seconds: 1, outcome: 'hang' };
        const start = { session, id: args.id, task: 'job', input, options: {} };
        return (await invoke('plugin:tasks|start', start)).snapshot.owner;
    ";
    app.script(script, json!({ "id": id })).await
}

#[tokio::test]
async fn a_window_with_observe_all_and_control_all_sees_and_cancels_the_task_of_another() -> Result<()> {
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
async fn a_task_keeps_running_when_its_window_closes() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        app.click("open-second").await?;
        app.window("second").await?;
        let id = page.job("hang", 1.0).await?;
        app.click("open-observer").await?;
        app.window("observer").await?;
        app.close_window("Workbench: second window")?;

        eventually("the app to own the task", async || {
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
