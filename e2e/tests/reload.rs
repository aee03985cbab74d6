//! Pages that reload while tasks run.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use e2e::{App, Content, Server, Workbench, eventually, with_app};
use serde_json::{Value, json};

/// If an `invoke` is in flight when its page reloads, Tauri runs it a second time (tauri#14154). Of 100 rounds here, that happens
/// to about 90 if start and reload are in the same tick, and to about 20 if they are a few milliseconds apart.
const ROUNDS: u64 = 100;

/// The most console warnings and errors after a reload: Tauri logs one for each answer and each channel of the old page.
const COMPLAINTS_A_RELOAD: usize = 3;

#[tokio::test]
async fn a_reloaded_page_finds_its_download_where_it_was() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let content = Content { n: 2_000_000, stall: 1_000_000, ..Content::default() };
        let id = page.download(&server.url(&content), "again.bin").await?;
        page.card_when(&id, "half a download", |card| card.percent == Some(50.0)).await?;

        app.reload().await?;

        let card = page.card_when(&id, "the download again", |card| card.percent.is_some()).await?;
        ensure!(card.percent == Some(50.0), "the card should show the progress: {card:?}");
        ensure!(page.cards().await?.len() == 1, "there should be one task");

        server.release();
        page.card_at_end(&id, "completed").await?;
        ensure!(fs::read(app.folder().join("again.bin"))? == content.bytes(), "the file differs from what was sent");
        ensure!(server.requests(&content) == 1, "the file should be requested once");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_reloaded_page_gets_the_result_of_its_task() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let id = page.job("succeed", 1.0).await?;

        app.reload().await?;

        let script = "return await (await window.tasks.attach('job', args.id)).result";
        let result: Value = app.script(script, json!({ "id": id })).await?;
        ensure!(result == json!({ "ticks": 10 }), "{result}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_start_and_a_reload_in_the_same_tick_never_create_two_tasks() -> Result<()> {
    starts_and_reloads("window.tasks.start('download', args.input).catch(() => {}); location.reload();").await?;
    Ok(())
}

#[tokio::test]
async fn a_start_and_a_reload_a_few_milliseconds_apart_never_create_two_tasks() -> Result<()> {
    let arrived = starts_and_reloads(
        "window.tasks.start('download', args.input).catch(() => {}); setTimeout(() => location.reload(), args.round % 10);",
    )
    .await?;
    ensure!(arrived > 0, "no start reached the app, so this proves nothing");
    Ok(())
}

/// In each round starts another download and reloads the page, as `script` says. Fails if a start created two tasks or two
/// requests. Returns how many starts created a task.
async fn starts_and_reloads(script: &str) -> Result<usize> {
    let server = Server::start().await?;
    let mut arrived = 0;
    with_app("workbench", async |app| {
        let content = |round: u64| Content { n: 10, seed: round, ..Content::default() };
        for round in 0..ROUNDS {
            ready(app).await?;
            let file = app.folder().join(format!("{round}.bin"));
            let input = json!({ "url": server.url(&content(round)), "dest": file });
            // In a later tick, so that the driver has its answer before the page unloads.
            let script = format!("window.isOld = true; setTimeout(() => {{ {script} }});");
            app.run(&script, json!({ "input": input, "round": round })).await?;
            new_page(app).await.with_context(|| format!("round {round}"))?;
        }
        ready(app).await?;

        let tasks = ended(app).await?;
        for round in 0..ROUNDS {
            let url = server.url(&content(round));
            let of_round = tasks.iter().filter(|task| task["input"]["url"] == url.as_str()).count();
            let requests = server.requests(&content(round));
            ensure!(of_round <= 1, "round {round}: one start created {of_round} tasks");
            ensure!(requests <= 1, "round {round}: one start made {requests} requests");
        }
        ensure!(tasks.iter().all(|task| task["status"] == "completed"), "all tasks should have completed: {tasks:?}");
        arrived = tasks.len();
        let has_file = |task: &Value| task["input"]["dest"].as_str().is_some_and(|dest| Path::new(dest).exists());
        ensure!(tasks.iter().all(has_file), "each task should have left its file");
        let names = fs::read_dir(app.folder())?.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>>>()?;
        ensure!(
            names.iter().all(|name| Path::new(name).extension().is_some_and(|ending| ending == "bin")),
            "only finished files should be left: {names:?}"
        );
        println!("{arrived} of {ROUNDS} starts reached the app");
        Ok(())
    })
    .await?;
    Ok(arrived)
}

/// Waits until the page's session is open, because only then is a start a single message.
async fn ready(app: &App) -> Result<()> {
    eventually("a page that is ready", async || {
        let script = "await window.tasks.list(); return document.readyState === 'complete'";
        let ready: bool = app.script(script, Value::Null).await?;
        Ok(ready.then_some(()))
    })
    .await
}

async fn new_page(app: &App) -> Result<()> {
    eventually("a new page", async || {
        let script = "return window.isOld !== true && window.tasks !== undefined";
        let new: bool = app.script(script, Value::Null).await?;
        Ok(new.then_some(()))
    })
    .await
}

/// Waits until all tasks have ended, and returns them.
async fn ended(app: &App) -> Result<Vec<Value>> {
    eventually("the end of all tasks", async || {
        let tasks: Vec<Value> = app.script("return (await window.tasks.list()).tasks", Value::Null).await?;
        Ok(tasks.iter().all(|task| !task["endedAt"].is_null()).then_some(tasks))
    })
    .await
}

#[tokio::test]
async fn reloads_during_a_busy_task_do_not_flood_the_console() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        // The task changes ten times a second. If those changes still went to the old page, Tauri would log each of them.
        let id = page.job("succeed", 200.0).await?;
        for _ in 0..5 {
            app.reload().await?;
            let listen = r#"
                window.complaints = [];
                for (const level of ["warn", "error"]) {
                    console[level] = (...words) => window.complaints.push(words.join(" "));
                }
            "#;
            app.run(listen, Value::Null).await?;

            let at_first = page.card_when(&id, "the task again", |card| card.percent.is_some()).await?.percent;
            let later = at_first.map(|percent| percent + 2.0);
            page.card_when(&id, "a bar that moves on", |card| card.percent >= later).await?;
            let complaints: Vec<String> = app.script("return window.complaints", Value::Null).await?;
            ensure!(complaints.len() <= COMPLAINTS_A_RELOAD, "too many complaints in the console: {complaints:#?}");
        }
        Ok(())
    })
    .await
}
