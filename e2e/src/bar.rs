//! The bar of a page, as it moves.

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use crate::App;

/// An error unless the bar goes up over its middle to its end while this happens. A page that has something else to do meanwhile may
/// see only the end, so it may happen again.
pub async fn ensure_bar_moves(app: &App, act: impl AsyncFn() -> Result<()>) -> Result<()> {
    for _ in 0..5 {
        observe(app).await?;
        act().await?;
        let seen: Vec<f64> = app.script("return window.seen", Value::Null).await?;
        ensure!(seen.is_sorted(), "the bar only grows: {seen:?}");
        ensure!(seen.last() == Some(&1.0), "the bar is full at the end: {seen:?}");
        if seen.iter().any(|value| (0.01..0.99).contains(value)) {
            return Ok(());
        }
    }
    bail!("the bar was never seen midway")
}

/// Has the page note each value of its element `bar` from now on.
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
