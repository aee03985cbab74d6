//! Downloads that wait in the queue.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use e2e::{App, Card, Content, Many, Server, Workbench, eventually, with_app};
use serde_json::{Value, json};

/// A download that stalls until the server releases it.
fn content(seed: u64) -> Content {
    Content { n: 400_000, rate: 800_000, seed, stall: 20_000, ..Content::default() }
}

/// Returns whether the download has reached the point where [`content`] stalls.
fn stalls(card: &Card) -> bool {
    card.status == "running" && card.percent == Some(5.0)
}

fn name(number: u64) -> String {
    format!("film-{number:02}.bin")
}

fn urls(server: &Server, count: u64) -> Vec<String> {
    (1..=count).map(|number| server.url_of(&name(number), &content(number))).collect()
}

#[tokio::test]
async fn twenty_downloads_wait_in_line_for_three_slots_and_all_arrive() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        count_running(app).await?;
        let ids = page.many(&Many { urls: &urls(&server, 20), batch: None }).await?;
        ensure!(ids.len() == 20, "each download should have a card: {ids:?}");

        // Three run and stall; the others show their places in the queue.
        page.card_when(&ids[19], "the place of the last one", |card| card.place == "17th in line").await?;
        for (index, id) in ids.iter().enumerate() {
            let status = if index < 3 { "running" } else { "queued" };
            page.card_when(id, &format!("number {index} to be {status}"), |card| card.status == status).await?;
        }
        for (index, place) in [(3, "1st in line"), (4, "2nd in line"), (5, "3rd in line"), (6, "4th in line")] {
            page.card_when(&ids[index], &format!("number {index} to be {place}"), |card| card.place == place).await?;
        }
        eventually("the counts", async || Ok((app.text("counts").await? == "3 running, 17 waiting").then_some(())))
            .await?;

        // One is held, one is moved to the front, one is cancelled: the places of the others follow.
        page.click(&ids[4], "pause").await?;
        page.card_when(&ids[4], "one that is held", |card| card.place == "held").await?;
        page.card_when(&ids[5], "one that moves up", |card| card.place == "2nd in line").await?;
        page.click(&ids[15], "run-next").await?;
        let first = |card: &Card| card.place == "1st in line" && card.text.contains("priority 1");
        page.card_when(&ids[15], "one that runs next", first).await?;
        page.card_when(&ids[3], "one that moves back", |card| card.place == "2nd in line").await?;
        page.click(&ids[10], "cancel").await?;
        page.card_at_end(&ids[10], "cancelled").await?;
        page.card_when(&ids[19], "two fewer before the last one", |card| card.place == "15th in line").await?;
        ensure!(server.requests(&content(11)) == 0, "a download cancelled in the queue should never have run");
        ensure!(server.most_at_once() == 3, "{} ran at once with a limit of 3", server.most_at_once());

        // Release one of the three running downloads, then the other two, then the next three.
        server.release_some(1);
        page.card_when(&ids[15], "the one at the front to run first", stalls).await?;
        page.card_when(&ids[3], "the one after it", |card| card.place == "1st in line").await?;
        server.release_some(2);
        for index in [3, 5] {
            page.card_when(&ids[index], &format!("number {index} to run next"), stalls).await?;
        }
        server.release_some(3);
        for index in [15, 3, 5] {
            page.card_at_end(&ids[index], "completed").await?;
        }
        let (sent, shown) = (server.most_at_once(), most_running(app).await?);
        ensure!(
            (sent, shown) == (3, 3),
            "with a limit of 3, the server sent {sent} at once and the counts showed {shown}"
        );

        // Lower the limit while three run, then raise it.
        page.limit(1).await?;
        server.release_some(2);
        eventually("one at a time", async || Ok((running(app).await? == 1).then_some(()))).await?;
        server.count_anew();
        server.release_some(2);
        for id in &ids[6..=9] {
            page.card_at_end(id, "completed").await?;
        }
        ensure!(server.most_at_once() == 1, "{} ran at once with a limit of 1", server.most_at_once());

        page.limit(5).await?;
        eventually("five at once", async || Ok((server.most_at_once() == 5).then_some(()))).await?;
        ensure!(running(app).await? == 5, "the counts should show five running");
        server.release();
        for (index, id) in ids.iter().enumerate().filter(|(index, _)| ![4, 10].contains(index)) {
            page.card_at_end(id, "completed").await.with_context(|| format!("number {index}"))?;
        }
        ensure!(server.most_at_once() == 5, "{} ran at once with a limit of 5", server.most_at_once());
        let card = page.card(&ids[4]).await?;
        ensure!(card.place == "held", "the held download should still wait: {card:?}");
        page.click(&ids[4], "resume").await?;
        page.card_at_end(&ids[4], "completed").await?;

        for number in (1..=20).filter(|number| *number != 11) {
            let file = app.folder().join(name(number));
            ensure!(fs::read(&file)? == content(number).bytes(), "{} differs from what was sent", file.display());
            ensure!(server.requests(&content(number)) == 1, "{} should be requested once", file.display());
        }
        ensure!(fs::read_dir(app.folder())?.count() == 19, "only the finished files should be left");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn one_click_cancels_all_downloads_and_leaves_no_file() -> Result<()> {
    let server = Server::start().await?;
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let ids = page.many(&Many { urls: &urls(&server, 6), batch: None }).await?;
        page.card_when(&ids[0], "bytes of the first download", |card| card.percent == Some(5.0)).await?;

        app.click("cancel-all").await?;

        for id in &ids {
            page.card_at_end(id, "cancelled").await?;
        }
        eventually("an empty folder", async || Ok(fs::read_dir(app.folder())?.next().is_none().then_some(()))).await?;
        for number in 4..=6 {
            ensure!(server.requests(&content(number)) == 0, "a download that waited should never have run");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_delayed_start_shows_until_when_it_waits() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let script = r#"
            const input = { outcome: "succeed", seconds: 0.2 };
            return (await window.tasks.start("job", input, { delayMs: args, label: "Later", priority: 3 })).id;
        "#;
        let id: String = app.script(script, json!(3_600_000)).await?;
        let waits = |card: &Card| card.place.starts_with("waits until ");
        let card = page.card_when(&id, "the time of the start", waits).await?;
        ensure!(card.text.contains("Later") && card.text.contains("priority 3"), "{card:?}");

        let soon: String = app.script(script, json!(300)).await?;
        page.card_at_end(&soon, "completed").await?;
        ensure!(waits(&page.card(&id).await?), "the first task should still wait");
        Ok(())
    })
    .await
}

/// Makes the page poll how many downloads the plugin counts as running, and keep the largest number.
async fn count_running(app: &App) -> Result<()> {
    let script = r#"
        window.mostRunning = 0;
        const look = async () => {
            const { running, cancelling } = (await window.tasks.counts()).find(({ task }) => task === "download");
            window.mostRunning = Math.max(window.mostRunning, running + cancelling);
            setTimeout(look, 5);
        };
        look();
    "#;
    app.run(script, Value::Null).await
}

async fn most_running(app: &App) -> Result<u64> {
    app.script("return window.mostRunning", Value::Null).await
}

async fn running(app: &App) -> Result<u64> {
    let script = "return (await window.tasks.counts()).find(({ task }) => task === 'download').running";
    app.script(script, Value::Null).await
}
