//! Long-running work for Tauri apps: start, watch, bound, cancel and cleanly end tasks, typed from Rust to TypeScript.
//!
//! Register an `async fn` as a [`Task`], and start it from a page or, through [`TasksExt::tasks`], from Rust:
//!
//! ```no_run
//! use tauri_plugin_tasks::{Builder, Failure, Task, TaskContext, Unit};
//!
//! async fn checksum(ctx: TaskContext, path: std::path::PathBuf) -> Result<u32, Failure> {
//!     let bytes = tokio::fs::read(path).await?;
//!     ctx.progress().unit(Unit::Bytes).total(bytes.len() as u64);
//!     let mut sum = 0_u32;
//!     for chunk in bytes.chunks(64 * 1024) {
//!         sum = chunk.iter().fold(sum, |sum, byte| sum.wrapping_add(u32::from(*byte)));
//!         ctx.progress().inc(chunk.len() as u64);
//!         tokio::task::yield_now().await;
//!     }
//!     Ok(sum)
//! }
//!
//! fn tasks<R: tauri::Runtime>() -> Builder<R> {
//!     Builder::new().task(Task::new("checksum", checksum))
//! }
//!
//! # fn add_to<R: tauri::Runtime>(builder: tauri::Builder<R>) -> tauri::Builder<R> {
//! // builder: tauri::Builder::default()
//! builder.plugin(tasks().build())
//! # }
//! ```
//!
//! A page starts it with the npm package `tauri-plugin-tasks-api`, once its capability names the task.
//!
//! ## Cargo features
//!
//! - **specta**: `Builder::typescript` writes the TypeScript types of the registered tasks. For a test of the
//!   host app, not for its release build. It pins one release candidate of specta; see the README.

mod caller;
mod checked;
mod commands;
mod csp;
mod engine;
mod handler;
mod held;
mod item_batch;
mod lifecycle;
mod pages;
mod schedules;
mod scope;
mod scope_entry;
mod session;
mod task;
#[cfg(feature = "specta")]
mod typescript;

#[cfg(test)]
mod bindings_tests;

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    sync::Arc,
};

use serde::Serialize;
use tauri::{AppHandle, Manager, RunEvent, Runtime, WindowEvent, plugin::TauriPlugin, webview::PageLoadEvent};

pub use engine::{
    BatchOptions, Bytes, CancelReason, Error, ErrorKind, ErrorSummary, Failure, FailureKind, Json, LimitOf, Never,
    OnConflict, Outcome, Progress, ProgressReporter, QueuePlace, Retention, Retry, StartOptions, StatusChange,
    TaskBytes, TaskChange, TaskContext, TaskCounts, TaskEvent, TaskFailure, TaskFilter, TaskHandle, TaskId, TaskItems,
    TaskManager, TaskSnapshot, TaskStatus, TaskWatch, TimeLimit, Unit, Unread,
};
pub use engine::{LastRun, Missed, Schedule, ScheduleSnapshot};
pub use handler::Handler;
pub use task::Task;
#[cfg(feature = "specta")]
pub use typescript::{TypeScript, TypeScriptError};

#[doc(hidden)]
pub use handler::{Alone, WithApp};
#[doc(hidden)]
pub use held::Held;

use engine::{Kind, Settings, unix_millis};
use lifecycle::Plugin;

/// Gives an app, a window or a webview its [`TaskManager`].
pub trait TasksExt<R: Runtime> {
    /// The tasks of this app.
    ///
    /// # Panics
    ///
    /// If the plugin is not registered, as [`Manager::state`] does.
    fn tasks(&self) -> &TaskManager;
}

impl<R: Runtime, T: Manager<R>> TasksExt<R> for T {
    fn tasks(&self) -> &TaskManager {
        &self.state::<Plugin>().inner().tasks
    }
}

/// Makes the plugin: register the app's [`Task`]s, then [`build`](Self::build) it.
#[must_use = "the plugin is made by `build`"]
pub struct Builder<R: Runtime> {
    kinds: Vec<(String, IntoKind<R>)>,
    settings: Settings,
    schedules: Vec<schedules::Planned>,
    #[cfg(feature = "specta")]
    types: typescript::TypeScript,
}

type IntoKind<R> = Box<dyn FnOnce(&AppHandle<R>) -> Kind + Send>;

impl<R: Runtime> Default for Builder<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Runtime> Builder<R> {
    /// A plugin with no tasks.
    pub fn new() -> Self {
        Self {
            kinds: Vec::new(),
            settings: Settings::default(),
            schedules: Vec::new(),
            #[cfg(feature = "specta")]
            types: typescript::TypeScript::default(),
        }
    }

    /// Registers a kind of task. With the feature `specta` its five types must implement `specta::Type`.
    pub fn task<H, Form>(mut self, task: Task<H, R, Form>) -> Self
    where
        H: Handler<R, Form, Input: Typed, Detail: Typed, Item: Typed, Output: Typed, Error: Typed>,
        Form: 'static,
    {
        #[cfg(feature = "specta")]
        self.types.add::<H::Input, H::Detail, H::Item, H::Output, H::Error>(&task.name);
        self.kinds.push((task.name.clone(), Box::new(move |app| task.into_kind(app))));
        self
    }

    /// How many tasks of the app may run at once, whatever their kinds. No limit if nothing is said.
    /// [`TaskManager::set_limit`] changes it while the app runs.
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.settings.concurrency = Some(limit);
        self
    }

    /// How many tasks of the app may wait, whatever their kinds: see [`Task::queue_limit`]. No limit if nothing is said.
    pub fn queue_limit(mut self, limit: usize) -> Self {
        self.settings.queue_limit = Some(limit);
        self
    }

    /// How many tasks of all kinds in `group` may run at once: see [`Task::group`].
    pub fn group(mut self, group: impl Into<String>, limit: usize) -> Self {
        self.settings.groups.push((group.into(), limit));
        self
    }

    /// How long ended tasks and their outcomes are kept.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.settings.retention = retention;
        self
    }

    /// Runs the kind registered as `task` again and again, with this input, as `schedule` says, from the moment the app is ready
    /// (what its own `setup` manages is there by then) until it ends. Each run is a task of the app with the tag `schedule:` and
    /// the name. Pages see and trigger it with permissions of their own: see the README.
    ///
    /// The app does not start if there is no such kind, the input doesn't fit it, the name is empty, longer than 200 bytes or
    /// taken, or the interval is less than a second. [`TaskManager::schedule`] adds schedules while the app runs.
    ///
    /// ```no_run
    /// use tauri_plugin_tasks::{Builder, Error, Failure, Schedule, Task, TaskContext};
    ///
    /// async fn clean_up(_ctx: TaskContext, older_than_days: u32) -> Result<(), Failure> {
    ///     // …
    ///     # let _ = older_than_days;
    ///     Ok(())
    /// }
    ///
    /// fn tasks<R: tauri::Runtime>() -> Result<Builder<R>, Error> {
    ///     let nightly = Schedule::cron("0 3 * * *")?;
    ///     Ok(Builder::new().task(Task::new("clean-up", clean_up)).schedule("nightly", "clean-up", 30, nightly))
    /// }
    /// ```
    pub fn schedule(mut self, name: &str, task: &str, input: impl Serialize, schedule: Schedule) -> Self {
        self.schedules.push(schedules::Planned::new(name, task, &input, schedule));
        self
    }

    /// The TypeScript types of the tasks registered so far.
    #[cfg(feature = "specta")]
    pub fn typescript(&self) -> &typescript::TypeScript {
        &self.types
    }

    /// The plugin, for `tauri::Builder::plugin`.
    ///
    /// Register it before plugins whose data the tasks use: at exit, plugins are told in this order. The app
    /// does not start if a name is empty or taken twice.
    pub fn build(self) -> TauriPlugin<R> {
        let Self { kinds, settings, schedules, .. } = self;
        tauri::plugin::Builder::new("tasks")
            .invoke_handler(tauri::generate_handler![
                commands::open,
                commands::ack,
                commands::start,
                commands::retry,
                commands::batch,
                commands::cancel,
                commands::cancel_all,
                commands::hold,
                commands::release,
                commands::set_priority,
                commands::set_limit,
                commands::counts,
                commands::get,
                commands::list,
                commands::watch,
                commands::unwatch,
                commands::outcome,
                commands::remove,
                commands::read,
                commands::cancel_read,
                commands::schedules,
                commands::trigger,
                commands::pause_schedule,
                commands::resume_schedule,
            ])
            .setup(move |app, _| {
                if cfg!(panic = "abort") {
                    tracing::warn!(
                        "panic = \"abort\" is set: a panic in a task ends the whole app instead of failing the task"
                    );
                }
                csp::warn_if_slow(app);
                let runtime = tauri::async_runtime::handle().inner().clone();
                let tasks = TaskManager::with_kinds(runtime, register(kinds, app)?, settings, unix_millis);
                schedules::put(&tasks, schedules)?;
                app.manage(Plugin::new(tasks));
                Ok(())
            })
            .on_webview_ready(|webview| {
                webview.state::<Plugin>().webview_created(webview.label(), webview.window().label());
            })
            .on_page_load(|webview, load| {
                if load.event() == PageLoadEvent::Started {
                    webview.state::<Plugin>().page_left(webview.label());
                }
            })
            .on_event(|app, event| match event {
                RunEvent::WindowEvent { label, event: WindowEvent::Destroyed, .. } => {
                    app.state::<Plugin>().window_destroyed(label);
                }
                RunEvent::Ready => app.state::<Plugin>().tasks.begin_schedules(),
                RunEvent::Exit => app.state::<Plugin>().exiting(),
                _ => {}
            })
            .build()
    }
}

impl<R: Runtime> fmt::Debug for Builder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.kinds.iter().map(|(name, _)| name).collect();
        f.debug_struct("Builder").field("tasks", &names).finish_non_exhaustive()
    }
}

fn register<R: Runtime>(
    kinds: Vec<(String, IntoKind<R>)>,
    app: &AppHandle<R>,
) -> Result<HashMap<Arc<str>, Arc<Kind>>, String> {
    let mut registered = HashMap::new();
    for (name, into_kind) in kinds {
        if name.is_empty() {
            return Err("a task is registered with an empty name: Task::new takes the name it is started under".into());
        }
        match registered.entry(Arc::from(name)) {
            Entry::Occupied(taken) => {
                return Err(format!("two tasks are registered as \"{}\": give each a name of its own", taken.key()));
            }
            Entry::Vacant(free) => free.insert(Arc::new(into_kind(app))),
        };
    }
    Ok(registered)
}

/// `specta::Type` with the feature `specta`, nothing without it.
///
/// The bound sits on [`Builder::task`] alone, so a crate that only has handlers compiles either way.
#[cfg(feature = "specta")]
pub trait Typed: specta::Type {}
#[cfg(feature = "specta")]
impl<T: specta::Type> Typed for T {}

/// `specta::Type` with the feature `specta`, nothing without it.
#[cfg(not(feature = "specta"))]
pub trait Typed {}
#[cfg(not(feature = "specta"))]
impl<T> Typed for T {}
