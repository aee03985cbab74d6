//! A page without a bundler, under Tauri's isolation pattern. Its client comes from `api-iife.js`.

use anyhow::{Result, ensure};
use e2e::{App, ensure_bar_moves, eventually, with_app};
use serde_json::{Value, json};

#[tokio::test]
async fn a_page_without_a_bundler_counts_words() -> Result<()> {
    with_app("no-bundler", async |app| {
        app.enter("text", "To be, or not to be: that is the question.").await?;
        app.click("count").await?;

        let result = result(app).await?;
        ensure!(result.contains("10 words, 8 different"), "the page should show the counts: {result:?}");
        ensure!(
            result.contains("be") && result.contains('2'),
            "the page should show the most frequent words: {result:?}"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_long_count_can_be_cancelled() -> Result<()> {
    with_app("no-bundler", async |app| {
        enter_many_words(app, 600_000).await?;
        // The page clicks by itself, because the count may end before the driver could click twice.
        let script = "
            const [count, cancel] = ['count', 'cancel'].map((id) => document.querySelector(`[data-testid=${id}]`));
            window.client = window.__TAURI__.tasks.createTasks();
            count.click();
            for (let status; status !== 'running'; ) status = (await window.client.list()).tasks[0]?.status;
            cancel.click();
        ";
        app.script::<Value>(script, Value::Null).await?;

        let result = result(app).await?;
        ensure!(result == "Cancelled.", "{result:?}");
        eventually("a cancelled count", async || {
            let script = "return (await window.client.list()).tasks[0].status";
            Ok((app.script::<String>(script, Value::Null).await? == "cancelled").then_some(()))
        })
        .await
    })
    .await
}

#[tokio::test]
async fn a_long_count_moves_its_bar() -> Result<()> {
    with_app("no-bundler", async |app| {
        enter_many_words(app, 300_000).await?;
        ensure_bar_moves(app, async || {
            app.click("count").await?;
            let result = result(app).await?;
            ensure!(result.starts_with("300,000 words, 3 different."), "{result:?}");
            Ok(())
        })
        .await
    })
    .await
}

#[tokio::test]
async fn messages_go_through_the_isolation_frame() -> Result<()> {
    with_app("no-bundler", async |app| {
        let script = r#"
            const { invoke } = window.__TAURI__.core;
            return await invoke("plugin:app|version").then(() => "answered", String);
        "#;
        let answer: String = app.script(script, Value::Null).await?;
        ensure!(answer.contains("refused"), "isolation.js should refuse this message: {answer}");
        Ok(())
    })
    .await
}

/// Sets the text by script: typing so many words would take too long.
async fn enter_many_words(app: &App, words: u32) -> Result<()> {
    let script = "document.getElementById('text').value = 'so many words '.repeat(args.words / 3)";
    app.run(script, json!({ "words": words })).await
}

async fn result(app: &App) -> Result<String> {
    eventually("a result", async || {
        let text = app.text("result").await?;
        Ok((!text.is_empty()).then_some(text))
    })
    .await
}
