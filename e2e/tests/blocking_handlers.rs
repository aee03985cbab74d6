//! Handlers that never reach an `.await`, as many as there are cores.

use std::thread;

use anyhow::{Result, ensure};
use e2e::{Workbench, with_app};
use serde_json::{Value, json};

#[tokio::test]
async fn a_page_still_starts_lists_and_cancels_tasks_while_handlers_hold_all_threads() -> Result<()> {
    let cores = thread::available_parallelism()?.get();
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let mut holders = Vec::new();
        for _ in 0..cores {
            let id = page.job("hold", 600.0).await?;
            page.card_when(&id, "a job that reports", |card| card.status == "running" && card.percent > Some(0.0))
                .await?;
            holders.push(id);
        }

        // These are all asynchronous commands.
        let next = page.job("succeed", 0.2).await?;
        let listed: Vec<Value> = app.script("return (await window.tasks.list()).tasks", Value::Null).await?;
        let status = |id: &str| listed.iter().find(|task| task["id"] == id).map(|task| task["status"].clone());
        ensure!(status(&next) == Some(json!("queued")), "it has no thread: {listed:?}");
        ensure!(holders.iter().all(|id| status(id) == Some(json!("running"))), "they hold theirs: {listed:?}");

        page.click(&next, "cancel").await?;
        page.card_at_end(&next, "cancelled").await?;
        for id in &holders {
            page.click(id, "cancel").await?;
            page.card_when(id, "a job that is told to stop", |card| card.status == "cancelling").await?;
        }
        for id in &holders {
            page.card_when(id, "an overdue job", |card| card.text.to_lowercase().contains("overdue")).await?;
        }
        let later = page.job("succeed", 0.2).await?;
        page.card_when(&later, "a job that waits for a thread", |card| card.status == "queued").await?;
        Ok(())
    })
    .await
}
