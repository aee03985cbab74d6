//! Lets pages from outside the app use tasks in the main window, for the end-to-end test that checks which page owns a task.

use tauri::{Manager, Runtime};

/// Names the pages, as a pattern like `http://127.0.0.1:*`. Without it, no page from outside may do anything.
const VARIABLE: &str = "WORKBENCH_REMOTE_PAGES";

pub(crate) fn allow_pages<R: Runtime>(app: &impl Manager<R>) -> tauri::Result<()> {
    let Ok(pages) = std::env::var(VARIABLE) else { return Ok(()) };
    let capability = format!(
        r#"{{ "identifier": "remote-pages", "windows": ["main"], "local": false, "remote": {{ "urls": ["{pages}"] }},
        "permissions": ["tasks:default", {{ "identifier": "tasks:allow-start", "allow": [{{ "task": "job" }}] }}] }}"#
    );
    app.add_capability(capability)
}
