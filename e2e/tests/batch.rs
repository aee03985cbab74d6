//! Many downloads as one batch.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use e2e::{App, Card, Content, Many, Server, Workbench, eventually, with_app};
use serde_json::{Value, json};

const MEMBERS: u64 = 8;
/// The member whose file the server does not have.
const MISSING: u64 = 6;

fn content(number: u64) -> Content {
    Content { status: if number == MISSING { 404 } else { 0 }, ..stalled(number) }
}

fn stalled(number: u64) -> Content {
    Content { n: 300_000, stall: 150_000, seed: number, ..Content::default() }
}

fn name(number: u64) -> String {
    format!("part-{number}.bin")
}

fn urls(server: &Server, content: impl Fn(u64) -> Content) -> Vec<String> {
    (1..=MEMBERS).map(|number| server.url_of(&name(number), &content(number))).collect()
}

async fn batch(page: &Workbench<'_>, urls: &[String]) -> Result<String> {
    let ids = page.many(&Many { urls, batch: Some(2) }).await?;
    ensure!(ids.len() == 1, "a batch should have one card: {ids:?}");
    ids.into_iter().next().context("the batch has no card")
}

fn count(card: &Card, status: &str) -> usize {
    card.members.iter().filter(|member| *member == status).count()
}

#[tokio::test]
async fn a_batch_of_eight_runs_two_at_once_under_one_bar() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let id = batch(&page, &urls(&server, content)).await?;

        // At each step two members are half done. The one that failed counts for nothing: five of seven are 71 %.
        let mut percents = Vec::new();
        for (done, percent) in [(0, 12.0), (2, 37.0), (4, 71.0)] {
            let wanted = format!("{done} of eight members done and two running, a bar at {percent} %");
            let is_so = |card: &Card| {
                percents.push(card.percent.unwrap_or_default());
                let members = (card.members.len(), count(card, "completed"), count(card, "running"));
                members == (8, done, 2) && card.percent == Some(percent)
            };
            page.card_when(&id, &wanted, is_so).await?;
            server.release_some(2);
        }
        server.release_some(1);
        let done = page
            .card_when(&id, "the end of the batch", |card| {
                percents.push(card.percent.unwrap_or_default());
                card.has_ended()
            })
            .await?;
        ensure!(percents.is_sorted(), "the bar should only grow: {percents:?}");

        ensure!(done.status == "completed", "a batch should complete when all its members have ended: {done:?}");
        ensure!(
            done.text.contains("7 of 8 completed, 1 failed"),
            "the card should say how many members completed: {done:?}"
        );
        ensure!(
            done.error.as_ref().is_some_and(|error| error.contains("part-6.bin")),
            "the card should name the member that failed: {done:?}"
        );
        let mut expected = ["completed"; 8];
        expected[5] = "failed";
        ensure!(done.members == expected, "the members should be in the order of the addresses: {done:?}");
        ensure!(page.cards().await?.len() == 1, "members should have no cards of their own");
        ensure!(server.most_at_once() == 2, "two downloads should run at once, not {}", server.most_at_once());
        eventually("a notice that the batch has ended", async || {
            Ok(app.text("notice").await?.contains("7 of 8").then_some(()))
        })
        .await?;

        for number in (1..=MEMBERS).filter(|number| *number != MISSING) {
            let file = app.folder().join(name(number));
            ensure!(fs::read(&file)? == content(number).bytes(), "{} differs from what was sent", file.display());
        }
        ensure!(fs::read_dir(app.folder())?.count() == 7, "only the finished files should be left");
        let results = results(app, &id).await?;
        ensure!(
            results[0] == json!(300_000) && results[5] == json!("TaskFailedError"),
            "the results should be in the order of the addresses: {results:?}"
        );
        ensure!(results.len() == 8, "each member should have a result: {results:?}");

        page.click(&id, "remove").await?;
        eventually("an empty list", async || Ok(page.cards().await?.is_empty().then_some(()))).await
    })
    .await
}

/// Returns the number of bytes of each member of a batch, or the name of its error.
async fn results(app: &App, id: &str) -> Result<Vec<Value>> {
    let script = r#"
        const results = await (await window.tasks.attachBatch("download", args.id)).result;
        return results.map((one) => (one.status === "fulfilled" ? one.value.bytes : one.reason.name));
    "#;
    app.script(script, json!({ "id": id })).await
}

#[tokio::test]
async fn cancelling_a_batch_cancels_all_its_members_and_leaves_no_file() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let id = batch(&page, &urls(&server, stalled)).await?;
        // Two of the eight members are half done.
        page.card_when(&id, "an eighth of the bar", |card| card.percent == Some(12.0)).await?;
        ensure!(fs::read_dir(app.folder())?.count() == 2, "two files should be in progress");

        page.click(&id, "cancel").await?;

        page.card_at_end(&id, "cancelled").await?;
        page.card_when(&id, "cancelled members", |card| count(card, "cancelled") == 8).await?;
        eventually("an empty folder", async || Ok(fs::read_dir(app.folder())?.next().is_none().then_some(()))).await?;
        ensure!(
            (3..=MEMBERS).all(|number| server.requests(&stalled(number)) == 0),
            "members that waited should never have run"
        );

        // A rerun starts each download again as a task of its own.
        server.release();
        page.click(&id, "rerun").await?;
        eventually("eight files", async || {
            let cards = page.cards().await?;
            let done = cards.iter().filter(|card| card.id != id && card.status == "completed").count();
            Ok((done == 8).then_some(()))
        })
        .await?;
        for number in 1..=MEMBERS {
            let file = app.folder().join(name(number));
            ensure!(fs::read(&file)? == stalled(number).bytes(), "{} differs from what was sent", file.display());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_reloaded_page_finds_its_batch_where_it_was() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let id = batch(&page, &urls(&server, stalled)).await?;
        page.card_when(&id, "an eighth of the bar", |card| card.percent == Some(12.0)).await?;

        app.reload().await?;

        let again = |card: &Card| card.percent == Some(12.0) && count(card, "running") == 2;
        let card = page.card_when(&id, "the batch again", again).await?;
        ensure!(
            card.members.len() == 8 && count(&card, "queued") == 6,
            "the batch should have all its members: {card:?}"
        );
        ensure!(page.cards().await?.len() == 1, "the batch should be one card");

        server.release();
        let card = page.card_at_end(&id, "completed").await?;
        ensure!(card.text.contains("8 of 8 completed"), "{card:?}");
        let results = results(app, &id).await?;
        ensure!(results == vec![json!(300_000); 8], "{results:?}");
        for number in 1..=MEMBERS {
            let file = app.folder().join(name(number));
            ensure!(fs::read(&file)? == stalled(number).bytes(), "{} differs from what was sent", file.display());
            ensure!(server.requests(&stalled(number)) == 1, "{} should be requested once", file.display());
        }
        Ok(())
    })
    .await
}
