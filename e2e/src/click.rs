//! Clicks that are checked: the driver clicks where an element was, and does not report what it hit.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{App, eventually};

impl App {
    pub async fn click(&self, test_id: &str) -> Result<()> {
        self.click_on(&format!("[data-testid={test_id}]")).await
    }

    /// Clicks on the element that a CSS selector names, as a user would. Fails if the click hits something else, even
    /// another control inside the element.
    pub async fn click_on(&self, selector: &str) -> Result<()> {
        let element = self.find(selector).await?;
        prepare(self, selector).await?;
        element.click().await.with_context(|| format!("can't click {selector}"))?;
        ensure_hit(self, selector).await
    }
}

/// Scrolls an element to the middle of the view (the driver would leave it at the edge), waits until the element stands still, and
/// makes the page record what the next click hits.
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
            // The page's own synthetic clicks don't count.
            if (!isTrusted || window.hit !== null) return;
            // A control inside the element receives the click instead of the element.
            const control = target.closest?.('button,a,input,select,summary,label') ?? null;
            const inner = control !== null && control !== element && element.contains(control);
            window.hit = {
                wanted: element.contains(target) && !inner,
                markup: target.cloneNode?.().outerHTML ?? 'the document',
            };
        }, { capture: true, signal: window.unlisten.signal });
    ";
    app.script::<Value>(script, json!(selector)).await.map(drop)
}

/// Fails if the click has hit something else, or nothing. A click that ends the app counts as a hit.
async fn ensure_hit(app: &App, selector: &str) -> Result<()> {
    let what = format!("the page to receive a click on {selector}: is it disabled?");
    let told = eventually(&what, async || app.script::<Option<Hit>>("return window.hit", Value::Null).await);
    let hit = tokio::select! {
        hit = told => hit?,
        () = end(app) => return Ok(()),
    };
    ensure!(
        hit.wanted,
        "a click on {selector} has hit {} instead: the element moved away under the pointer, or is covered",
        hit.markup
    );
    Ok(())
}

#[derive(serde::Deserialize)]
struct Hit {
    wanted: bool,
    /// The markup of the element that was hit, without its children.
    markup: String,
}

async fn end(app: &App) {
    while app.runs() {
        sleep(Duration::from_millis(20)).await;
    }
}
