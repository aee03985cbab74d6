//! The demo for a machine without a display: gives the workbench something to do, and says what became of it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::{App, Card, Content, Server, Workbench, eventually, target};
use serde::Deserialize;
use serde_json::{Value, json};

const SHORT: Content = Content { n: 24_000_000, rate: 12_000_000, seed: 1, chunked: 0, fail: 0, stall: 0 };
const LONG: Content = Content { n: 72_000_000, rate: 6_000_000, seed: 2, chunked: 0, fail: 0, stall: 0 };
const PATIENCE: Duration = Duration::from_secs(600);

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
    app.resize(1100, 860).await?;

    let long = page.download(&server.url(&LONG), "long.bin").await?;
    let hash = page.hash(&folder.to_string_lossy()).await?;
    let panic = page.job("panic", 2.0).await?;
    let short = page.download(&server.url(&SHORT), "short.bin").await?;
    println!(
        "Started two downloads from {}, the hash of {} and a job that panics.",
        server.address(),
        folder.display()
    );

    page.card_when(&short, "the end of the short download", Card::has_ended).await?;
    page.card_when(&panic, "the end of the job", Card::has_ended).await?;
    // The bar of a task that has ended still grows for a moment.
    let settled = "
        const card = document.querySelector(`[data-task-id='${args.id}']`);
        await Promise.all(card.getAnimations({ subtree: true }).map((animation) => animation.finished));
    ";
    app.script::<Value>(settled, json!({ "id": short })).await?;
    let picture = demo.join("workbench.png");
    app.screenshot(&picture).await?;
    println!("A picture of the workbench meanwhile: {}", picture.display());

    for (id, content, file) in [(&short, SHORT, "short.bin"), (&long, LONG, "long.bin")] {
        let Ended { outcome, snapshot } = ended(app, id).await?;
        ensure!(outcome["status"] == "completed", "the download {file} ended otherwise: {outcome}");
        let same = std::fs::read(app.folder().join(file))? == content.bytes();
        ensure!(same, "{file} differs from what was sent");
        println!("The download {file} brought {}, byte for byte what was sent.", snapshot.amount());
    }

    let Ended { outcome, snapshot } = ended(app, &hash).await?;
    ensure!(outcome["status"] == "completed", "the hash ended otherwise: {outcome}");
    let Hash { files, hash } = serde_json::from_value(outcome["output"].clone())?;
    println!("The hash read {files} files with {}: {hash}", snapshot.amount());

    let Ended { outcome, .. } = ended(app, &panic).await?;
    ensure!(outcome["status"] == "failed", "the panic ended otherwise: {outcome}");
    let message = outcome["error"]["message"].as_str().unwrap_or("?");
    println!("The job failed with {message:?}, and the app goes on.");
    ensure!(app.runs(), "the app did not survive the panic");
    Ok(())
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
    /// How much was done, and how fast.
    fn amount(&self) -> String {
        let bytes = self.progress.completed;
        let seconds = (self.ended_at - self.started_at) / 1000.0;
        format!("{:.1} MB in {seconds:.1} s ({:.1} MB/s)", bytes / 1e6, bytes / 1e6 / seconds)
    }
}

async fn ended(app: &App, id: &str) -> Result<Ended> {
    let outcome = eventually("an end to the task", PATIENCE, async || {
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
    Ok(Ended { outcome, snapshot: snapshot.context("the page gives no snapshot of an ended task")? })
}
