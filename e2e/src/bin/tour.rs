//! The demo for a machine without a display: starts tasks in the workbench and prints how they ended.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::{App, Card, Content, Many, Server, Workbench, eventually, eventually_within, target};
use serde::Deserialize;
use serde_json::{Value, json};

/// A slow download that stalls midway, so that the screenshot shows it beside the others.
const LONG: Content = Content {
    n: 72_000_000,
    rate: 6_000_000,
    seed: 1,
    chunked: 0,
    fail: 0,
    status: 0,
    stall: 40_000_000,
    steps: 0,
    silent: 0,
};
/// A download whose first three requests fail.
const BUSY: Content = Content { n: 12_000_000, seed: 2, rate: 0, fail: 3, stall: 0, ..LONG };
/// A download that waits in the queue.
const NEXT: Content = Content { n: 24_000_000, seed: 3, rate: 12_000_000, stall: 0, ..LONG };
const PARTS: u64 = 6;
/// The longest that a task of the tour may take.
const LONGEST: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> Result<()> {
    let demo = target().join("demo");
    let app = App::start("workbench", &demo).await?;
    let result = tour(&app, &demo).await;
    app.close().await;
    result
}

async fn tour(app: &App, demo: &Path) -> Result<()> {
    let server = Server::start().await?;
    let page = Workbench(app);
    let folder = std::env::current_dir()?;
    app.resize(1100, 940).await?;

    let panic = page.job("panic", 2.0).await?;
    let hash = page.hash(&folder.to_string_lossy()).await?;
    let long = page.download(&server.url_of("long.bin", &LONG), "long.bin").await?;
    let urls: Vec<_> = (1..=PARTS).map(|number| server.url_of(&file_of(number), &part(number))).collect();
    let batch = page.many(&Many { urls: &urls, batch: Some(2) }).await?;
    let batch = batch.first().context("the batch has no card")?;
    app.click("many-open").await?;
    // Stalled downloads take all slots: these two wait until the server releases a part of the batch.
    let busy = page.download(&server.url_of("busy.bin", &BUSY), "busy.bin").await?;
    let first = "await (await window.tasks.attach('download', args)).setPriority(1)";
    app.script::<Value>(first, json!(busy)).await?;
    let next = page.download(&server.url_of("next.bin", &NEXT), "next.bin").await?;
    println!(
        "Started three downloads and a batch of {PARTS} from {}, the hash of {} and a job that panics.",
        server.address(),
        folder.display()
    );

    page.card_when(&panic, "the end of the job", Card::has_ended).await?;
    let mut released = Instant::now();
    eventually("a retry, a queued download and a batch midway at the same time", async || {
        let busy = page.card(&busy).await?;
        let is_waiting = !page.card(&next).await?.place.is_empty();
        let is_midway = page.card(batch).await?.members.iter().any(|member| member == "completed");
        if busy.status == "queued" && released.elapsed() > Duration::from_secs(1) {
            // This frees a slot for the next attempt of `busy`. When that fails, another part takes the slot.
            server.release_some(1);
            released = Instant::now();
        }
        Ok((busy.status == "retrying" && is_waiting && is_midway).then_some(()))
    })
    .await?;
    let picture = demo.join("workbench.png");
    app.screenshot(&picture).await?;
    println!("A screenshot of the workbench at work: {}", picture.display());
    server.release();

    for (id, content, file) in [(&next, NEXT, "next.bin"), (&busy, BUSY, "busy.bin"), (&long, LONG, "long.bin")] {
        let Ended { outcome, snapshot } = ended(app, id).await?;
        ensure!(outcome["status"] == "completed", "the download {file} did not complete: {outcome}");
        let same = std::fs::read(app.folder().join(file))? == content.bytes();
        ensure!(same, "{file} differs from what was sent");
        println!("The download {file} fetched {}, byte for byte what was sent.", snapshot.amount());
    }

    ensure!(server.requests(&BUSY) == BUSY.fail + 1, "busy.bin was requested {} times", server.requests(&BUSY));
    println!("The server failed the first {} requests for busy.bin.", BUSY.fail);

    let card = page.card_when(batch, "the end of the batch", Card::has_ended).await?;
    ensure!(card.status == "completed", "the batch did not complete: {card:?}");
    for number in 1..=PARTS {
        let same = std::fs::read(app.folder().join(file_of(number)))? == part(number).bytes();
        ensure!(same, "{} differs from what was sent", file_of(number));
    }
    println!("The batch fetched {PARTS} files, byte for byte what was sent.");

    let Ended { outcome, snapshot } = ended(app, &hash).await?;
    ensure!(outcome["status"] == "completed", "the hash did not complete: {outcome}");
    let Hash { files, hash } = serde_json::from_value(outcome["output"].clone())?;
    println!("The hash read {files} files, {}: {hash}", snapshot.amount());

    let Ended { outcome, .. } = ended(app, &panic).await?;
    ensure!(outcome["status"] == "failed", "the job that panics did not fail: {outcome}");
    let message = outcome["error"]["message"].as_str().unwrap_or("?");
    println!("The job failed with {message:?}, and the app still runs.");
    ensure!(app.runs(), "the app did not survive the panic");
    Ok(())
}

fn part(number: u64) -> Content {
    Content { n: 9_000_000, rate: 4_000_000, seed: 10 + number, stall: 4_500_000, ..NEXT }
}

fn file_of(part: u64) -> String {
    format!("part-{part}.bin")
}

#[derive(Deserialize)]
struct Hash {
    files: u64,
    hash: String,
}

struct Ended {
    outcome: Value,
    snapshot: Snapshot,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    progress: Progress,
    started_at: f64,
    ended_at: f64,
}

#[derive(Deserialize)]
struct Progress {
    completed: f64,
}

impl Snapshot {
    /// Returns how much was done, in what time and how fast.
    fn amount(&self) -> String {
        let bytes = self.progress.completed;
        let seconds = (self.ended_at - self.started_at) / 1000.0;
        format!("{:.1} MB in {seconds:.1} s ({:.1} MB/s)", bytes / 1e6, bytes / 1e6 / seconds)
    }
}

async fn ended(app: &App, id: &str) -> Result<Ended> {
    let outcome = eventually_within("the end of the task", LONGEST, async || {
        let script = "
            const task = await window.tasks.get(args.id);
            if (task.endedAt === null) return null;
            const outcome = await (await window.tasks.attach(task.task, args.id)).outcome;
            return { ...outcome, error: outcome.error && { message: outcome.error.message } };
        ";
        app.script::<Option<Value>>(script, json!({ "id": id })).await
    })
    .await?;
    let snapshot = app.script("return await window.tasks.get(args.id)", json!({ "id": id })).await;
    Ok(Ended { outcome, snapshot: snapshot.context("the page has no snapshot of the ended task")? })
}
