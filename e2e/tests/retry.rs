//! Downloads that fail at first.

use std::fs;

use anyhow::{Result, bail, ensure};
use e2e::{Card, Content, Server, Workbench, with_app};

#[tokio::test]
async fn a_server_that_fails_twice_is_asked_a_third_time() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        // A failure is shown only until the next attempt. A slow test may miss it, so there are five downloads to see it in.
        for seed in 1..=5_u8 {
            let content = Content { n: 300_000, fail: 2, seed: seed.into(), ..Content::default() };
            let file = format!("{seed}.bin");
            let id = page.download(&server.url(&content), &file).await?;
            let mut told = Vec::new();
            let is_told = |card: &Card, attempt: u32| {
                let counts = |second: u32| card.text.contains(&format!("attempt {attempt} failed, next in {second}s"));
                card.status == "retrying" && (counts(1) || counts(2))
            };
            let mut unexplained = Vec::new();
            let is_explained = |card: &Card| card.error.as_ref().is_some_and(|error| error.contains("503"));
            let card = page
                .card_when(&id, "the end of the download", |card| {
                    told.extend((1..=2).filter(|attempt| is_told(card, *attempt)));
                    if card.status == "retrying" && !is_explained(card) {
                        unexplained.push(card.clone());
                    }
                    card.has_ended()
                })
                .await?;
            ensure!(card.status == "completed" && card.text.contains("attempt 3"), "{card:?}");
            ensure!(card.error.is_none(), "a completed task should show no error: {card:?}");
            ensure!(server.requests(&content) == 3, "the file was requested {} times", server.requests(&content));
            ensure!(fs::read(app.folder().join(&file))? == content.bytes(), "the file differs from what was sent");
            ensure!(unexplained.is_empty(), "the card of a failed attempt should show its error: {unexplained:?}");
            ensure!(told.is_sorted(), "the attempts should be shown in order: {told:?}");
            told.dedup();
            if told == [1, 2] {
                ensure!(
                    fs::read_dir(app.folder())?.count() == usize::from(seed),
                    "only the finished files should be left"
                );
                return Ok(());
            }
        }
        bail!("no card showed two failures with a countdown")
    })
    .await
}

#[tokio::test]
async fn a_missing_file_is_not_requested_again() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let content = Content { n: 10, status: 404, ..Content::default() };
        let id = page.download(&server.url(&content), "missing.bin").await?;

        let error = page.error_on_card(&id).await?;
        ensure!(error.contains("404"), "the card should show the status 404: {error:?}");
        ensure!(server.requests(&content) == 1, "the file was requested {} times", server.requests(&content));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_download_that_stalls_times_out_and_can_be_retried() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let content = Content { n: 300_000, stall: 100_000, silent: 1, ..Content::default() };
        let id = page.download(&server.url(&content), "stalled.bin").await?;

        let card = page.card_at_end(&id, "timedOut").await?;
        ensure!(
            card.error.as_ref().is_some_and(|error| error.contains("stalled")),
            "the card should say which limit it exceeded: {card:?}"
        );
        ensure!(fs::read_dir(app.folder())?.next().is_none(), "no file should be left");
        ensure!(server.requests(&content) == 1, "the download should not retry by itself");

        server.release();
        page.click(&id, "rerun").await?;
        let again = page.only_card_but(&id).await?;
        page.card_at_end(&again, "completed").await?;
        ensure!(fs::read(app.folder().join("stalled.bin"))? == content.bytes(), "the file differs from what was sent");
        ensure!(server.requests(&content) == 2, "the file should be requested twice");
        Ok(())
    })
    .await
}
