//! A handler that panics.

use anyhow::{Result, ensure};
use e2e::{Workbench, with_app};

#[tokio::test]
async fn a_panic_in_a_handler_leaves_the_app_running() -> Result<()> {
    with_app("workbench", async |app| {
        let page = Workbench(app);
        let id = page.job("panic", 0.4).await?;

        let error = page.error_on_card(&id).await?;
        ensure!(
            error.contains("panicked: told to, at tick 2 of 4"),
            "the card should show the panic message: {error:?}"
        );

        ensure!(app.runs(), "the app should still run");
        let id = page.job("succeed", 0.2).await?;
        page.card_at_end(&id, "completed").await?;
        Ok(())
    })
    .await
}
