//! A running example app, driven through its window.

use std::collections::HashMap;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use display::Display;
use fantoccini::elements::Element;
use fantoccini::wd::{TimeoutConfiguration, WindowHandle};
use fantoccini::{Client, ClientBuilder, Locator};
use futures::FutureExt as _;
use hyper_util::client::legacy::connect::HttpConnector;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::desktop::close_window;
use crate::driver::Driver;
use crate::{PATIENCE, eventually};

/// The time limit for each step of the clean-up after a test.
const FAREWELL: Duration = Duration::from_secs(20);

/// Runs a test against a freshly started app. If the test fails, a screenshot and the HTML of each window stay in
/// `target/e2e/<test>/`, beside the app's output.
pub async fn with_app(program: &str, test: impl AsyncFnOnce(&App) -> Result<()>) -> Result<()> {
    // The test harness names each test's thread after it.
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("unnamed").replace("::", "-");
    let evidence = target().join("e2e").join(&name);
    let app = App::start(program, &evidence).await?;
    let outcome = AssertUnwindSafe(test(&app)).catch_unwind().await;
    if !matches!(outcome, Ok(Ok(()))) {
        // A page that has crashed or closed may never answer.
        let _ = timeout(FAREWELL, app.keep_evidence()).await;
        eprintln!("Screenshots of the windows are in {}. The app printed:", evidence.display());
        eprintln!("{}", app.log().unwrap_or_default());
    }
    app.close().await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

/// An error that a script in the page threw.
#[derive(Debug, Deserialize)]
pub struct PageError {
    pub name: String,
    pub kind: Option<String>,
    pub message: String,
}

impl std::fmt::Display for PageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.kind.as_deref().unwrap_or("no kind");
        write!(f, "the page threw {} ({kind}): {}", self.name, self.message)
    }
}

impl std::error::Error for PageError {}

pub struct App {
    client: Client,
    /// The windows that were found so far, by label.
    windows: Mutex<HashMap<String, WindowHandle>>,
    driver: Driver,
    display: Display,
    folder: TempDir,
    data_folder: TempDir,
    evidence: PathBuf,
}

impl App {
    /// Starts an example app and waits until its page has loaded. The app must have been built.
    pub async fn start(program: &str, evidence: &Path) -> Result<Self> {
        let binary = binary(program)?;
        let _ = fs::remove_dir_all(evidence);
        fs::create_dir_all(evidence).with_context(|| format!("can't create {}", evidence.display()))?;
        let (folder, data_folder) = (TempDir::new()?, TempDir::new()?);
        let log = File::create(evidence.join("app.log"))?;
        let display = Display::start(&evidence.join("xvfb.log"))?;
        let mut driver = Driver::start(&display, folder.path(), data_folder.path(), &log).await?;
        let capabilities = json!({ "webkitgtk:browserOptions": { "binary": binary, "args": [] } });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(serde_json::from_value(capabilities)?);
        let launch = launch_alone()?;
        // If the app ends before it opens a window, the driver waits forever.
        let client = timeout(PATIENCE, builder.connect(&driver.url()))
            .await
            .with_context(|| format!("{program} opened no window within {PATIENCE:?}; see {}", evidence.display()))?
            .with_context(|| format!("{program} did not open a window; see {}", evidence.display()))?;
        drop(launch);
        driver.remember_app()?;
        let script_limit = Some(PATIENCE);
        client.update_timeouts(TimeoutConfiguration::new(script_limit, None, None)).await?;
        let app = Self {
            client,
            windows: Mutex::default(),
            driver,
            display,
            folder,
            data_folder,
            evidence: evidence.to_owned(),
        };
        app.window("main").await?;
        Ok(app)
    }

    pub async fn close(self) {
        // The driver ends the app when the session ends. If it doesn't, dropping the driver kills the app.
        let _ = timeout(FAREWELL, self.client.close()).await;
    }

    /// The folder of the workbench's downloads.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder that holds the workbench's inbox, which it watches, and the mirror of the inbox.
    pub fn data_folder(&self) -> &Path {
        self.data_folder.path()
    }

    /// Returns whether the app's process still runs.
    pub fn runs(&self) -> bool {
        self.driver.app_runs()
    }

    /// Returns the resident memory of the app's process in bytes, without that of WebKit's processes.
    pub fn memory(&self) -> Result<u64> {
        self.driver.app_memory()
    }

    /// Returns what the app has printed so far.
    fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(self.evidence.join("app.log"))?)
    }

    /// Runs the body of an async function in the page, with `args`, and returns its result. If the script throws, the
    /// error is a [`PageError`].
    pub async fn script<T: DeserializeOwned>(&self, body: &str, args: Value) -> Result<T> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        enum Answer {
            Returned(Value),
            Threw(PageError),
        }
        let script = format!(
            "const [args, answer] = arguments;
            (async () => {{ {body} }})().then(
                (value) => answer(JSON.stringify({{ returned: value ?? null }})),
                (error) => answer(JSON.stringify({{ threw: {{
                    name: String(error?.name ?? typeof error),
                    kind: error?.kind ?? null,
                    message: String(error?.message ?? error),
                }} }})),
            );"
        );
        let answer = self.client.execute_async(&script, vec![args]).await?;
        let answer = answer.as_str().context("the script returned nothing")?;
        match serde_json::from_str(answer)? {
            Answer::Returned(value) => Ok(serde_json::from_value(value)?),
            Answer::Threw(error) => Err(error.into()),
        }
    }

    /// Runs a script that returns nothing and may leave its own page.
    pub async fn run(&self, body: &str, args: Value) -> Result<()> {
        self.client.execute(&format!("const [args] = arguments; {body}"), vec![args]).await?;
        Ok(())
    }

    /// Switches to the window with this label and waits until its page has loaded.
    pub async fn window(&self, label: &str) -> Result<()> {
        eventually(&format!("a window {label:?}"), async || {
            for window in self.client.windows().await? {
                // A window that is about to close may never answer, so those with other labels are not asked again.
                let known = self.known_label(&window);
                if known.as_ref().is_some_and(|known| known != label) {
                    continue;
                }
                self.client.switch_to_window(window.clone()).await?;
                let found = self.label().await?;
                let is_it = found == label;
                self.windows.lock().unwrap_or_else(PoisonError::into_inner).insert(found, window);
                if is_it {
                    return Ok(self.is_loaded().await?.then_some(()));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Closes the window with this title, as its user would.
    pub fn close_window(&self, title: &str) -> Result<()> {
        close_window(self.display.name(), self.driver.app()?, title)
    }

    fn known_label(&self, window: &WindowHandle) -> Option<String> {
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.iter().find(|(_, known)| *known == window).map(|(label, _)| label.clone())
    }

    /// Returns whether the page has loaded and is not one that [`App::reload`] has left.
    async fn is_loaded(&self) -> Result<bool> {
        self.script("return window.isLeft !== true && document.readyState === 'complete'", Value::Null).await
    }

    async fn label(&self) -> Result<String> {
        self.script("return window.__TAURI_INTERNALS__.metadata.currentWindow.label", Value::Null).await
    }

    /// Reloads the page as its user would, and waits for the new page.
    pub async fn reload(&self) -> Result<()> {
        self.run("window.isLeft = true", Value::Null).await?;
        self.client.refresh().await?;
        self.is_reloaded().await
    }

    /// Makes the page reload itself, and waits for the new page.
    pub async fn reload_in_page(&self) -> Result<()> {
        self.run("window.isLeft = true; setTimeout(() => location.reload());", Value::Null).await?;
        self.is_reloaded().await
    }

    /// Waits for the new page, because the driver may return before it is there.
    async fn is_reloaded(&self) -> Result<()> {
        eventually("a new page", async || Ok(self.is_loaded().await?.then_some(()))).await
    }

    /// Waits for the element with this `data-testid`.
    pub async fn element(&self, test_id: &str) -> Result<Element> {
        self.find(&format!("[data-testid={test_id}]")).await
    }

    /// Waits for the element that a CSS selector names.
    pub async fn find(&self, selector: &str) -> Result<Element> {
        eventually(&format!("an element {selector}"), async || {
            Ok(Some(self.client.find(Locator::Css(selector)).await?))
        })
        .await
    }

    /// Clears the field with this `data-testid` and types into it.
    pub async fn enter(&self, test_id: &str, text: &str) -> Result<()> {
        self.enter_into(&format!("[data-testid={test_id}]"), text).await
    }

    /// Clears the field that a CSS selector names and types into it.
    pub async fn enter_into(&self, selector: &str, text: &str) -> Result<()> {
        let field = self.find(selector).await?;
        field.clear().await?;
        field.send_keys(text).await.with_context(|| format!("can't type into {selector}"))
    }

    /// Puts a text into a field at once, because the driver types slowly.
    pub async fn paste(&self, test_id: &str, text: &str) -> Result<()> {
        self.element(test_id).await?;
        let script = r#"
            const field = document.querySelector(`[data-testid="${args.field}"]`);
            field.value = args.text;
            field.dispatchEvent(new Event("input", { bubbles: true }));
        "#;
        self.run(script, json!({ "field": test_id, "text": text })).await
    }

    pub async fn choose(&self, test_id: &str, value: &str) -> Result<()> {
        let select = self.element(test_id).await?;
        select.select_by_value(value).await.with_context(|| format!("{test_id} has no {value:?}"))
    }

    /// Returns the text of an element, or an empty text while the element is hidden.
    pub async fn text(&self, test_id: &str) -> Result<String> {
        self.element(test_id).await?;
        // The driver returns no text for an element that clips its overflow.
        let script = "
            const element = document.querySelector(`[data-testid=${args}]`);
            return element.checkVisibility() ? element.innerText.trim() : '';
        ";
        self.script(script, json!(test_id)).await
    }

    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        Ok(self.client.set_window_size(width, height).await?)
    }

    pub async fn screenshot(&self, path: &Path) -> Result<()> {
        fs::write(path, self.client.screenshot().await?).with_context(|| format!("can't write {}", path.display()))
    }

    /// Saves a screenshot and the HTML of each window. Ignores errors, since the test has failed already.
    async fn keep_evidence(&self) {
        for window in self.client.windows().await.unwrap_or_default() {
            if self.client.switch_to_window(window).await.is_err() {
                continue;
            }
            let label = self.label().await.unwrap_or_else(|_| "unknown".to_owned());
            let _ = self.screenshot(&self.evidence.join(format!("{label}.png"))).await;
            if let Ok(page) = self.client.source().await {
                let _ = fs::write(self.evidence.join(format!("{label}.html")), page);
            }
        }
    }
}

/// Returns the folder `target`: this program is `target/<profile>/tour` or `target/<profile>/deps/<test>`.
pub fn target() -> PathBuf {
    profile().parent().map(Path::to_owned).unwrap_or_default()
}

fn profile() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let folder = program.parent().unwrap_or(&program);
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    folder.to_owned()
}

/// Waits until no other test launches an app; the lock is released when the file is dropped. The driver picks a free port for the
/// app to listen on, and until the app listens there, another driver could pick the same port.
fn launch_alone() -> Result<File> {
    let lock = File::create(target().join("launch.lock"))?;
    lock.lock()?;
    Ok(lock)
}

pub(crate) fn binary(program: &str) -> Result<PathBuf> {
    let binary = profile().join(program);
    ensure!(
        binary.exists(),
        "{} is not built: run `cargo xtask test e2e`, which builds the apps first",
        binary.display()
    );
    Ok(binary)
}
