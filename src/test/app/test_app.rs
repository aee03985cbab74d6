use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;
use tauri::{
    AppHandle,
    ipc::InvokeResponseBody,
    test::{MockRuntime, mock_builder, mock_context, noop_assets},
    utils::acl::resolved::Resolved,
};
use tauri_plugin_tasks_engine::test::test_clock::TestClock;

use super::{
    acl,
    exit::{self, ExitReport, Left},
    message::TestMessage,
    open::TestPageBuilder,
    pushed::Pushed,
    running::Running,
    schedule::TestSchedule,
};
use crate::{Builder, TaskManager, app::hooks};

/// Starts an app with these kinds on Tauri's mock runtime: [`TestApp::builder`] without anything else.
pub fn app(tasks: Builder<MockRuntime>) -> TestApp {
    TestApp::builder(tasks).build()
}

/// An app on Tauri's mock runtime, with the plugin and its own permission files.
///
/// A test opens [pages](Self::page), whose calls go through Tauri's access control to the real commands, with the
/// [capability files](Self::capability) that the app ships. No JavaScript runs and nothing is drawn.
///
/// ```
/// use serde_json::json;
/// use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext, TaskStatus, test};
///
/// async fn download(ctx: TaskContext, url: String) -> Result<(), Failure> {
///     ctx.cancelled().await;
///     Ok(())
/// }
///
/// // What the app itself builds.
/// fn tasks<R: tauri::Runtime>() -> Builder<R> {
///     Builder::new().task(Task::new("download", download))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let app = test::app(tasks());
/// // In an app: include_str!("../capabilities/main.json")
/// app.capability(
///     r#"{ "identifier": "main", "windows": ["main"], "permissions": [
///         "core:default", "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "download" }] }
///     ] }"#,
/// );
/// let mut main = app.page("main").open();
/// let id = main.start("download", "https://example.com", json!({})).await.unwrap();
/// main.until_status(id, TaskStatus::Running).await.unwrap();
/// main.reload();
/// assert_eq!(main.list(json!({})).await.unwrap()[0]["id"], json!(id), "it lives on");
/// main.cancel(id).await.unwrap();
/// main.until_status(id, TaskStatus::Completed).await.unwrap();
/// # }
/// ```
///
/// # Time
///
/// Time runs as usual: commands are run by Tauri's own runtime, whose time can't be paused, and handlers by theirs.
/// [`advance`](Self::advance) and [`TestSchedule::due`] move the clock of the engine. They don't move the time in a handler:
/// a handler that sleeps is tested in paused time, as the kit for handlers does.
///
/// # What is missing
///
/// The mock runtime sends no events, so the kit tells the plugin of documents, windows and the exit itself. The
/// `on_page_load`, `on_window_event` and `on_event` hooks of other plugins and the callback of `App::run` are not called.
/// `AppHandle::exit` and `restart` panic there: see [`exit`](Self::exit). The label of a window that has closed can't be used
/// again. Pages only call commands of this plugin.
pub struct TestApp(Running);

/// Configures a [`TestApp`]: see [`TestApp::builder`].
#[must_use = "call `build`"]
pub struct TestAppBuilder {
    tasks: Builder<MockRuntime>,
    tauri: Vec<Customize>,
    config: Option<Value>,
}

type Customize = Box<dyn FnOnce(tauri::Builder<MockRuntime>) -> tauri::Builder<MockRuntime>>;

impl TestAppBuilder {
    /// Changes the builder of the app, which has the plugin already: for other plugins, state and a setup.
    ///
    /// ```
    /// use tauri_plugin_tasks::{Builder, test::TestApp};
    ///
    /// let app = TestApp::builder(Builder::new())
    ///     .tauri(|builder| builder.manage("state").setup(|app| Ok(())))
    ///     .build();
    /// ```
    pub fn tauri(
        mut self,
        customize: impl FnOnce(tauri::Builder<MockRuntime>) -> tauri::Builder<MockRuntime> + 'static,
    ) -> Self {
        self.tauri.push(Box::new(customize));
        self
    }

    /// Manages state that handlers take from the app, as `tauri::Builder::manage` does.
    pub fn manage<T: Send + Sync + 'static>(self, state: T) -> Self {
        self.tauri(move |builder| builder.manage(state))
    }

    /// Sets what `tauri.conf.json` says under `plugins.tasks`.
    pub fn config(mut self, config: Value) -> Self {
        self.config = Some(config);
        self
    }

    /// Starts the app: its setup runs, and its schedules and services begin. Panics with the reason if it doesn't start.
    pub fn build(self) -> TestApp {
        self.try_build().unwrap_or_else(|error| panic!("the app does not start: {error}"))
    }

    /// Does the same, and returns the reason if a plugin refuses to start. Panics if the app's own setup fails.
    pub fn try_build(self) -> tauri::Result<TestApp> {
        let Self { mut tasks, tauri, config } = self;
        let (clock, pushed) = (TestClock::new(), Arc::new(Pushed::default()));
        tasks.plan.clocks = clock.clocks();
        tasks.plan.exit.leave = exit::leave;
        let mut context = mock_context(noop_assets());
        let acl = BTreeMap::from([("tasks".to_owned(), acl::manifest())]);
        *context.runtime_authority_mut() = tauri::runtime_authority!(acl, Resolved::default());
        if let Some(config) = config {
            context.config_mut().plugins.0.insert("tasks".into(), config);
        }
        let to = Arc::clone(&pushed);
        let builder = mock_builder()
            .channel_interceptor(move |webview, callback, _, body| {
                let InvokeResponseBody::Json(text) = body else { return false };
                let message = TestMessage::new(text);
                let is_ours = message.is_some();
                if let Some(message) = message {
                    to.add(webview.label(), callback.0, message);
                }
                is_ours
            })
            .manage(Arc::new(Left::default()))
            .plugin(tasks.build());
        let mut app = tauri.into_iter().fold(builder, |builder, customize| customize(builder)).build(context)?;
        set_up(&mut app);
        hooks::ready(app.handle());
        Ok(TestApp(Running { app, clock, pushed }))
    }
}

/// Runs the app's own setup. The mock runtime has no event loop that would run with it.
#[cfg_attr(any(target_os = "android", target_os = "ios"), allow(unused_variables))]
fn set_up(app: &mut tauri::App<MockRuntime>) {
    #[cfg(not(any(target_os = "android", target_os = "ios")))]
    #[allow(deprecated)] // It busy-loops if it is called in a loop.
    app.run_iteration(|_, _| {});
}

impl TestApp {
    /// Configures an app with these kinds, and with state, plugins and a config of its own.
    pub fn builder(tasks: Builder<MockRuntime>) -> TestAppBuilder {
        TestAppBuilder { tasks, tauri: Vec::new(), config: None }
    }

    /// Returns the handle of the app.
    pub fn handle(&self) -> &AppHandle<MockRuntime> {
        self.0.handle()
    }

    /// Returns the tasks, as `app.tasks()` does in an app.
    pub fn tasks(&self) -> &TaskManager {
        self.0.tasks()
    }

    /// Adds a capability: the text of a file in `src-tauri/capabilities/`, as JSON or TOML. Permissions of other plugins
    /// are left out, since pages only call this plugin. Panics if it can't be read or names a permission that the plugin
    /// doesn't have.
    pub fn capability(&self, text: &str) {
        self.0.add_capability(text);
    }

    /// Opens a page in a window of its own with this label.
    pub fn page(&self, label: &str) -> TestPageBuilder<'_> {
        TestPageBuilder::new(&self.0, label)
    }

    /// Returns the schedule of this name.
    pub fn schedule(&self, name: &str) -> TestSchedule<'_> {
        TestSchedule::new(&self.0, name)
    }

    /// Moves the clock of the engine forward in one step, as if the app had run meanwhile. What is due by then begins or
    /// ends soon after this: delays and schedules, retries and restarts, deadlines, timeouts and stalls. Ended tasks that are
    /// not kept that long are gone once this returns.
    ///
    /// A schedule that was due several times runs once: the other runs count as skipped, or with
    /// [`Missed::Once`](crate::Missed::Once) as made up for. To have every run, call [`TestSchedule::due`] in a loop.
    ///
    /// Not moved are the time in handlers and pages, the grace periods of tasks that were told to stop, and the
    /// [quotas](crate::Quotas) of starts per second.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tauri_plugin_tasks::{Builder, Failure, StartOptions, Task, TaskContext, TaskStatus, test};
    ///
    /// async fn remind(_ctx: TaskContext, (): ()) -> Result<(), Failure> {
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let app = test::app(Builder::new().task(Task::new("remind", remind)));
    /// let in_a_day = StartOptions::new().delay(Duration::from_secs(24 * 60 * 60));
    /// let reminder = app.tasks().start_with("remind", (), in_a_day).unwrap();
    /// app.advance(Duration::from_secs(23 * 60 * 60));
    /// assert_eq!(reminder.status(), TaskStatus::Queued);
    /// app.advance(Duration::from_secs(60 * 60));
    /// reminder.outcome().await;
    /// assert_eq!(reminder.status(), TaskStatus::Completed);
    /// # }
    /// ```
    pub fn advance(&self, by: Duration) {
        self.0.advance(by);
    }

    /// Exits with the code 0, as `AppHandle::exit` does, and waits until the process would end: its tasks end as their
    /// kinds say. This takes real time: a task with [`OnExit::Finish`](crate::OnExit::Finish) that doesn't end by itself takes
    /// all of [`Builder::exit_grace`](crate::Builder::exit_grace). Panics after a minute.
    ///
    /// ```
    /// use tauri_plugin_tasks::{Builder, CancelReason, Failure, Outcome, Task, TaskContext, test};
    ///
    /// async fn upload(_ctx: TaskContext, (): ()) -> Result<(), Failure> {
    ///     std::future::pending().await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let app = test::app(Builder::new().task(Task::new("upload", upload)));
    /// app.tasks().start("upload", ()).unwrap();
    /// let report = app.exit().await;
    /// assert_eq!((report.code, report.lost().count()), (0, 0));
    /// let [upload] = report.tasks.as_slice() else { panic!() };
    /// assert!(matches!(upload.outcome, Some(Outcome::Cancelled { reason: CancelReason::Shutdown, .. })));
    /// # }
    /// ```
    pub async fn exit(self) -> ExitReport {
        self.exit_with(0).await
    }

    /// Does the same with another code.
    ///
    /// ```
    /// use tauri_plugin_tasks::{Builder, Failure, OnExit, Task, TaskContext, TaskStatus, test};
    ///
    /// async fn poll(_ctx: TaskContext, (): ()) -> Result<(), Failure> {
    ///     std::future::pending().await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let app = test::app(Builder::new().task(Task::new("poll", poll).on_exit(OnExit::Drop)));
    /// let task = app.tasks().start("poll", ()).unwrap();
    /// test::until("the task runs", async || task.status() == TaskStatus::Running).await;
    /// let report = app.exit_with(3).await;
    /// assert_eq!(report.code, 3);
    /// assert_eq!((report.waited_for().count(), report.lost().count()), (0, 1), "the exit does not wait for it");
    /// # }
    /// ```
    pub async fn exit_with(self, code: i32) -> ExitReport {
        exit::exit(&self.0, code).await
    }

    /// Returns the current time of the app's clock, in milliseconds since 1970.
    pub fn now(&self) -> u64 {
        self.0.clock.now()
    }
}
