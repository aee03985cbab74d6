//! One small page for each framework, used as a user would use it: start, bar, stream, reload, cancel.

use std::{fs::File, path::Path};

use anyhow::{Result, ensure};
use e2e::{App, eventually, with_app};
use serde::Deserialize;
use serde_json::{Value, json};

/// The size of a file that takes far longer to read than a click takes. The file is sparse: it takes no space on the disk.
const ENDLESS: u64 = 64 << 30;

/// What the page shows of its tasks.
#[derive(Debug, Deserialize)]
struct Shown {
    statuses: Vec<String>,
    /// The first bar.
    bar: Option<f64>,
    /// The first line of the first stream.
    line: Option<String>,
}

#[tokio::test]
async fn react_shows_a_task_from_its_start_to_its_end() -> Result<()> {
    a_page_shows_a_task("react").await
}

#[tokio::test]
async fn vue_shows_a_task_from_its_start_to_its_end() -> Result<()> {
    a_page_shows_a_task("vue").await
}

#[tokio::test]
async fn svelte_shows_a_task_from_its_start_to_its_end() -> Result<()> {
    a_page_shows_a_task("svelte").await
}

#[tokio::test]
async fn solid_shows_a_task_from_its_start_to_its_end() -> Result<()> {
    a_page_shows_a_task("solid").await
}

async fn a_page_shows_a_task(framework: &str) -> Result<()> {
    with_app("frameworks", async |app| {
        // Not by a click, of which the page that it leaves may not tell any more.
        app.run("location.assign(args.page)", json!({ "page": format!("{framework}.html") })).await?;
        let endless = app.folder().join("endless");
        File::create(&endless)?.set_len(ENDLESS)?;

        // A second click joins the task that the first one has started.
        start(app, &endless).await?;
        app.click_on("#start").await?;
        let before = shows(app, "a bar and a stream", |shown| shown.bar > Some(0.0) && shown.line.is_some()).await?;
        ensure!(before.statuses == ["running"], "{before:?}");

        app.reload().await?;
        let after =
            shows(app, "the task after the reload", |shown| shown.bar > before.bar && shown.line.is_some()).await?;
        ensure!(after.statuses == ["running"], "{after:?}");

        app.click_on("article button").await?;
        shows(app, "the end", |shown| shown.statuses == ["cancelled"]).await?;

        start(app, &app.folder().join("missing")).await?;
        shows(app, "a failure", |shown| shown.statuses == ["cancelled", "failed"]).await?;
        Ok(())
    })
    .await
}

/// Types a path and clicks on the button.
async fn start(app: &App, file: &Path) -> Result<()> {
    app.enter_into("#path", &file.to_string_lossy()).await?;
    app.click_on("#start").await
}

async fn shows(app: &App, what: &str, is_wanted: impl Fn(&Shown) -> bool) -> Result<Shown> {
    let script = r#"
        return {
            statuses: [...document.querySelectorAll("article output")].map((output) => output.textContent),
            bar: document.querySelector("progress")?.value ?? null,
            line: document.querySelector("pre")?.textContent.split("\n")[0] || null,
        };
    "#;
    eventually(what, async || {
        let shown: Shown = app.script(script, Value::Null).await?;
        Ok(is_wanted(&shown).then_some(shown))
    })
    .await
}
