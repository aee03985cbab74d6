//! A click that is seen to arrive: the driver clicks on the place where an element was, and does not say what is there by then.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{App, eventually};

impl App {
    pub async fn click(&self, test_id: &str) -> Result<()> {
        self.click_on(&format!("[data-testid={test_id}]")).await
    }

    /// Clicks on what a selector names, as its user would. Fails if something else is hit.
    pub async fn click_on(&self, selector: &str) -> Result<()> {
        let element = self.find(selector).await?;
        prepare(self, selector).await?;
        element.click().await.with_context(|| format!("can't click {selector}"))?;
        ensure_hit(self, selector).await
    }
}

/// Scrolls to an element, for the driver leaves it at the edge of what is to be seen, waits until it stands still, and has the page
/// note what the next click hits.
async fn prepare(app: &App, selector: &str) -> Result<()> {
    let script = "
        const element = document.querySelector(args);
        element.scrollIntoView({ block: 'center' });
        const place = () => JSON.stringify(element.getBoundingClientRect());
        for (let before = ''; before !== place(); ) {
            before = place();
            for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
        }
        window.hit = null;
        window.unlisten?.abort();
        window.unlisten = new AbortController();
        window.addEventListener('click', ({ target, isTrusted }) => {
            // Those that the page makes itself are nobody's.
            if (!isTrusted || window.hit !== null) return;
            window.hit = { wanted: element.contains(target), markup: target.cloneNode?.().outerHTML ?? 'the document' };
        }, { capture: true, signal: window.unlisten.signal });
    ";
    app.script::<Value>(script, json!(selector)).await.map(drop)
}

/// An error if the click has hit something else, or nothing. One that ended the app has hit.
async fn ensure_hit(app: &App, selector: &str) -> Result<()> {
    let what = format!("the page hears of a click on {selector}: is it disabled?");
    let told = eventually(&what, async || app.script::<Option<Hit>>("return window.hit", Value::Null).await);
    let hit = tokio::select! {
        hit = told => hit?,
        () = end(app) => return Ok(()),
    };
    ensure!(
        hit.wanted,
        "a click on {selector} has hit {} instead: it moved away under the pointer, or is covered",
        hit.markup
    );
    Ok(())
}

#[derive(serde::Deserialize)]
struct Hit {
    wanted: bool,
    /// What was hit, without what is in it.
    markup: String,
}

async fn end(app: &App) {
    while app.runs() {
        sleep(Duration::from_millis(20)).await;
    }
}
