//! What a window may not do, and how it learns that.

use anyhow::{Result, ensure};
use e2e::{PageError, Workbench, eventually, with_app};
use serde_json::{Value, json};

#[tokio::test]
async fn a_kind_that_the_capability_does_not_name_is_refused_with_advice() -> Result<()> {
    with_app("workbench", async |app| {
        app.click("start-secret").await?;

        let notice = eventually("a notice about the refusal", async || {
            let text = app.text("notice").await?;
            Ok(text.contains("secret").then_some(text))
        })
        .await?;
        ensure!(notice.contains("tasks:allow-start"), "the notice should name the permission: {notice}");
        ensure!(Workbench(app).cards().await?.is_empty(), "no task should have started");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_refusal_is_a_typed_error() -> Result<()> {
    with_app("workbench", async |app| {
        let refused = app.script::<Value>(r#"return (await window.tasks.start("secret")).id"#, json!(null)).await;

        let error = refused.err().and_then(|error| error.downcast::<PageError>().ok());
        ensure!(
            error.as_ref().is_some_and(|error| error.name == "TaskPermissionError"
                && error.kind.as_deref() == Some("notAllowed")),
            "{error:?}"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_page_works_under_a_strict_content_security_policy() -> Result<()> {
    with_app("workbench", async |app| {
        let script = r#"
            const violated = new Promise((resolve) =>
                document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective), { once: true }));
            const inline = document.createElement("script");
            inline.textContent = "window.inlineScriptRan = true";
            document.body.append(inline);
            return { ran: window.inlineScriptRan === true, violated: await violated };
        "#;
        let inline: Value = app.script(script, json!(null)).await?;
        ensure!(inline == json!({ "ran": false, "violated": "script-src-elem" }), "the policy should block an inline script: {inline}");

        let page = Workbench(app);
        let id = page.job("succeed", 0.3).await?;
        page.card_at_end(&id, "completed").await?;
        Ok(())
    })
    .await
}
