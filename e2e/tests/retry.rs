//! Downloads that don't go well at first.

use std::fs;

use anyhow::{Result, ensure};
use e2e::{Card, Content, Server, Workbench, with_app};

#[tokio::test]
async fn a_server_that_fails_twice_is_asked_a_third_time() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let content = Content { n: 300_000, fail: 2, ..Content::default() };
        let id = page.download(&server.url(&content), "third.bin").await?;

        for attempt in 1..=2 {
            let text = format!("attempt {attempt} failed, next");
            let is_told = |card: &Card| card.status == "retrying" && card.text.contains(&text);
            let card = page.card_when(&id, &format!("the failure of attempt {attempt}"), is_told).await?;
            ensure!(card.text.contains("next in 1s") || card.text.contains("next in 2s"), "a countdown: {card:?}");
            ensure!(card.error.as_ref().is_some_and(|error| error.contains("503")), "what went wrong: {card:?}");
        }
        let card = page.card_at_end(&id, "completed").await?;
        ensure!(card.text.contains("attempt 3"), "{card:?}");
        ensure!(card.error.is_none(), "what is over is not shown: {card:?}");
        ensure!(server.requests(&content) == 3, "it was asked for {} times", server.requests(&content));
        ensure!(fs::read(app.folder().join("third.bin"))? == content.bytes(), "the file differs from what was sent");
        ensure!(fs::read_dir(app.folder())?.count() == 1, "only the file is left");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_asked_for_again() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let content = Content { n: 10, status: 404, ..Content::default() };
        let id = page.download(&server.url(&content), "missing.bin").await?;

        let error = page.error_on_card(&id).await?;
        ensure!(error.contains("404"), "the card shows: {error:?}");
        ensure!(server.requests(&content) == 1, "it was asked for {} times", server.requests(&content));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_download_that_stalls_times_out_and_can_be_tried_again() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let content = Content { n: 300_000, stall: 100_000, ..Content::default() };
        let id = page.download(&server.url(&content), "stalled.bin").await?;

        let card = page.card_at_end(&id, "timedOut").await?;
        ensure!(card.error.as_ref().is_some_and(|error| error.contains("stalled")), "it says which limit: {card:?}");
        ensure!(fs::read_dir(app.folder())?.next().is_none(), "no file is left");
        ensure!(server.requests(&content) == 1, "it was not asked for again by itself");

        server.release();
        page.click(&id, "retry").await?;
        let again = page.only_card_but(&id).await?;
        page.card_at_end(&again, "completed").await?;
        ensure!(fs::read(app.folder().join("stalled.bin"))? == content.bytes(), "the file differs from what was sent");
        ensure!(server.requests(&content) == 2, "it was asked for twice");
        Ok(())
    })
    .await
}
