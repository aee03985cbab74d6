//! The app of the README's quick start, used as a reader would use it.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Result, ensure};
use e2e::{App, ensure_bar_moves, eventually, with_app};
use serde_json::Value;

/// The size of a file that takes far longer to read than a click takes. The file is sparse: it takes no space on the disk.
const ENDLESS: u64 = 64 << 30;

#[tokio::test]
async fn the_words_of_a_file_are_counted_while_the_bar_moves() -> Result<()> {
    with_app("quick-start", async |app| {
        let file = app.folder().join("words.txt");
        fs::write(&file, "so many words\n".repeat(3_000_000))?;
        ensure_bar_moves(app, async || {
            count(app, &file).await?;
            let message = message(app).await?;
            ensure!(message == "Words: 9000000, lines: 3000000", "{message:?}");
            Ok(())
        })
        .await
    })
    .await
}

#[tokio::test]
async fn a_count_can_be_cancelled_and_another_one_started() -> Result<()> {
    with_app("quick-start", async |app| {
        let endless = app.folder().join("endless.txt");
        File::create(&endless)?.set_len(ENDLESS)?;
        let short = app.folder().join("short.txt");
        fs::write(&short, "to be, or not to be")?;

        count(app, &endless).await?;
        eventually("a bar that moves", async || {
            let value: f64 = app.script("return document.getElementById('bar').value", Value::Null).await?;
            Ok((value > 0.0).then_some(()))
        })
        .await?;
        app.click_on("#cancel").await?;
        let cancelled = message(app).await?;
        ensure!(cancelled == "Cancelled", "{cancelled:?}");

        count(app, &short).await?;
        let counted = message(app).await?;
        ensure!(counted == "Words: 6, lines: 1", "{counted:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_error_is_shown_in_plain_words() -> Result<()> {
    with_app("quick-start", async |app| {
        count(app, &app.folder().join("missing.txt")).await?;
        let missing = message(app).await?;
        ensure!(missing == "There is no such file", "{missing:?}");

        count(app, app.folder()).await?;
        let folder = message(app).await?;
        ensure!(folder.starts_with("The file can't be read: ") && folder.contains("directory"), "{folder:?}");
        Ok(())
    })
    .await
}

/// Types a path and clicks on the button.
async fn count(app: &App, file: &Path) -> Result<()> {
    app.enter_into("#path", &file.to_string_lossy()).await?;
    app.click_on("#count").await?;
    Ok(())
}

/// Waits for the page's final message, and returns it.
async fn message(app: &App) -> Result<String> {
    eventually("a message", async || {
        let text = app.find("#message").await?.text().await?;
        Ok((!text.is_empty()).then_some(text))
    })
    .await
}
