//! A check that a page's progress bar moves.

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use crate::App;

/// Fails unless the bar only grows, is seen between its two ends, and is full when `act` is done. A busy page may draw only the end, so
/// `act` runs up to five times.
pub async fn ensure_bar_moves(app: &App, act: impl AsyncFn() -> Result<()>) -> Result<()> {
    for _ in 0..5 {
        observe(app).await?;
        act().await?;
        let seen: Vec<f64> = app.script("return window.seen", Value::Null).await?;
        ensure!(seen.is_sorted(), "the bar should only grow: {seen:?}");
        ensure!(seen.last() == Some(&1.0), "the bar should be full at the end: {seen:?}");
        if seen.iter().any(|value| (0.01..0.99).contains(value)) {
            return Ok(());
        }
    }
    bail!("the bar was never seen midway")
}

/// Makes the page record each value of its element `bar` from now on.
async fn observe(app: &App) -> Result<()> {
    let script = r#"
        const bar = document.getElementById("bar");
        const seen = [];
        window.seen = seen;
        window.seeing?.disconnect();
        window.seeing = new MutationObserver(() => seen.push(bar.value));
        window.seeing.observe(bar, { attributes: true });
    "#;
    app.run(script, Value::Null).await
}
