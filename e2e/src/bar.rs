//! The bar of a page, as it moves.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::App;

/// Has the page note each value of its element `bar` from now on, for [`ensure_bar_moved`].
pub async fn observe_bar(app: &App) -> Result<()> {
    let script = r#"
        window.seen = [];
        const bar = document.getElementById("bar");
        new MutationObserver(() => window.seen.push(bar.value)).observe(bar, { attributes: true });
    "#;
    app.run(script, Value::Null).await
}

/// An error unless the bar went up from the middle to its end.
pub async fn ensure_bar_moved(app: &App) -> Result<()> {
    let seen: Vec<f64> = app.script("return window.seen", Value::Null).await?;
    ensure!(seen.is_sorted(), "the bar only grows: {seen:?}");
    ensure!(seen.iter().any(|value| (0.01..0.99).contains(value)), "the bar was seen midway: {seen:?}");
    ensure!(seen.last() == Some(&1.0), "the bar is full at the end: {seen:?}");
    Ok(())
}
