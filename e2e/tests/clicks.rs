//! A check of the tests' own clicks: one that hits the wrong element is an error.

use anyhow::{Context as _, Result, ensure};
use e2e::{Workbench, with_app};
use serde_json::Value;

#[tokio::test]
async fn a_click_that_misses_is_an_error() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let id = page.job("hang", 1.0).await?;
        let script = "
            // Moves the cards down between the press of the mouse button and its release.
            const shift = () => document.getElementById('task-list').before(Object.assign(
                document.createElement('p'), { id: 'shift', textContent: 'late', style: 'height: 200px' },
            ));
            addEventListener('mousedown', shift, { capture: true, once: true });
        ";
        app.run(script, Value::Null).await?;
        let error = page.click(&id, "cancel").await.err().context("the click should have missed")?;
        let error = error.to_string();
        ensure!(error.contains("has hit <") && error.contains("instead"), "{error}");
        ensure!(page.card(&id).await?.status == "running", "the job should not be told to stop");

        page.click(&id, "cancel").await?;
        page.card_at_end(&id, "cancelled").await?;
        Ok(())
    })
    .await
}
