//! Downloads, as the user sees them.

use std::fs;

use anyhow::{Result, ensure};
use e2e::{Content, Server, Workbench, eventually, with_app};

#[tokio::test]
async fn a_download_moves_its_bar_and_arrives_byte_for_byte() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let content = Content { n: 3_000_000, stall: 750_000, steps: 1, ..Content::default() };
        let id = page.download(&server.url(&content), "film.bin").await?;

        for percent in [25.0, 50.0, 75.0] {
            page.card_when(&id, &format!("a bar at {percent} %"), |card| card.percent == Some(percent)).await?;
            server.release_some(1);
        }

        let card = page.card_at_end(&id, "completed").await?;
        ensure!(card.percent.is_none_or(|percent| percent >= 100.0), "the bar should be full at the end: {card:?}");
        ensure!(fs::read(app.folder().join("film.bin"))? == content.bytes(), "the file differs from what was sent");
        ensure!(fs::read_dir(app.folder())?.count() == 1, "only the finished file should be left");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_download_of_unknown_length_arrives_too() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let content = Content { n: 300_000, chunked: 1, stall: 200_000, ..Content::default() };
        let id = page.download(&server.url(&content), "chunked.bin").await?;

        let card = page.card_when(&id, "bytes that come in", |card| card.text.contains("200 kB")).await?;
        ensure!(card.percent.is_none(), "without a total there should be no percentage: {card:?}");

        server.release();
        page.card_at_end(&id, "completed").await?;
        ensure!(fs::read(app.folder().join("chunked.bin"))? == content.bytes(), "the file differs from what was sent");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_download_cancelled_midway_leaves_no_file() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let content = Content { n: 2_000_000, stall: 1_000_000, ..Content::default() };
        let id = page.download(&server.url(&content), "never.bin").await?;
        page.card_when(&id, "half a download", |card| card.percent == Some(50.0)).await?;
        ensure!(fs::read_dir(app.folder())?.count() == 1, "the download should write to a file meanwhile");

        page.click(&id, "cancel").await?;

        page.card_at_end(&id, "cancelled").await?;
        eventually("an empty folder", async || Ok(fs::read_dir(app.folder())?.next().is_none().then_some(()))).await
    })
    .await
}

#[tokio::test]
async fn the_card_shows_the_status_of_a_server_that_fails() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let content = Content { n: 10, fail: u64::MAX, ..Content::default() };
        let id = page.download(&server.url(&content), "failed.bin").await?;

        let error = page.error_on_card(&id).await?;
        ensure!(error.contains("503"), "the card should show the status 503: {error:?}");
        ensure!(fs::read_dir(app.folder())?.next().is_none(), "no file should be left");
        Ok(())
    })
    .await
}
