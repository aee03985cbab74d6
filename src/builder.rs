use std::{fmt, sync::Arc, time::Duration};

use serde::Serialize;
use tauri::{Runtime, plugin::TauriPlugin};

#[cfg(feature = "specta")]
use crate::typescript;
use crate::{
    Handler, LastWindowClosed, Quit, Retention, Schedule, Task, Typed,
    app::{schedules, services::Service},
    plugin::Plan,
};

/// Makes the plugin: register the app's [`Task`]s, then [`build`](Self::build) it.
#[must_use = "the plugin is made by `build`"]
pub struct Builder<R: Runtime> {
    plan: Plan<R>,
    #[cfg(feature = "specta")]
    types: typescript::TypeScript,
}

impl<R: Runtime> Default for Builder<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Runtime> Builder<R> {
    /// A plugin with no tasks.
    pub fn new() -> Self {
        Self {
            plan: Plan::default(),
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
        self.plan.kinds.push((task.name.clone(), Box::new(move |app| task.into_kind(app))));
        self
    }

    /// How many tasks of the app may run at once, whatever their kinds. No limit if nothing is said.
    /// [`TaskManager::set_limit`](crate::TaskManager::set_limit) changes it while the app runs.
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.plan.settings.concurrency = Some(limit);
        self
    }

    /// How many tasks of the app may wait, whatever their kinds: see [`Task::queue_limit`]. No limit if nothing is said.
    pub fn queue_limit(mut self, limit: usize) -> Self {
        self.plan.settings.queue_limit = Some(limit);
        self
    }

    /// How many tasks of all kinds in `group` may run at once: see [`Task::group`].
    pub fn group(mut self, group: impl Into<String>, limit: usize) -> Self {
        self.plan.settings.groups.push((group.into(), limit));
        self
    }

    /// How long ended tasks and their outcomes are kept.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.plan.settings.retention = retention;
        self
    }

    /// Runs the kind registered as `task` again and again, with this input, as `schedule` says, from the moment the app is ready
    /// (what its own `setup` manages is there by then) until it ends. Each run is a task of the app with the tag `schedule:` and
    /// the name. Pages see and trigger it with permissions of their own: see the README.
    ///
    /// The app does not start if there is no such kind, the input doesn't fit it, the name is empty, longer than 200 bytes or
    /// taken, or the interval is less than a second. [`TaskManager::schedule`](crate::TaskManager::schedule) adds schedules while the app runs.
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
    pub fn schedule(
        mut self,
        name: impl Into<String>,
        task: impl Into<String>,
        input: impl Serialize,
        schedule: Schedule,
    ) -> Self {
        self.plan.schedules.push(schedules::Planned::new(name.into(), task.into(), &input, schedule));
        self
    }

    /// Starts a task of the kind `task` when the app is ready, for the app itself: a service, that goes on as long as the app
    /// does. Its kind must say when it is run again ([`Task::restart`]).
    ///
    /// The app does not start if there is no such kind, or `input` doesn't fit it. At the exit the service is told to stop
    /// like any other task. It takes a slot of each limit that holds for its kind, for good; and a time limit ends it for good.
    ///
    /// ```
    /// use tauri_plugin_tasks::{Builder, Failure, Restart, Task, TaskContext};
    ///
    /// async fn watch(ctx: TaskContext, folder: std::path::PathBuf) -> Result<(), Failure> {
    ///     // Open what it needs, and go on until it is told to stop.
    ///     ctx.cancelled().await;
    ///     // Close it, within Task::grace.
    ///     Ok(())
    /// }
    ///
    /// fn tasks<R: tauri::Runtime>() -> Builder<R> {
    ///     Builder::new().task(Task::new("watch", watch).restart(Restart::always())).service("watch", "/srv/photos")
    /// }
    /// ```
    pub fn service(mut self, task: impl Into<String>, input: impl Serialize) -> Self {
        self.plan.services.push(Service::new(task.into(), &input));
        self
    }

    /// How long tasks may take to end when the app exits: see [`Task::on_exit`]. 10 seconds if nothing is said. What has not
    /// ended by then goes with the process: a handler that outstays its own grace period may leave its clean-up a quarter of this.
    ///
    /// A second request quits at once, if it comes half a second or more after the first: one click may both close a window
    /// and exit. A window that closes meanwhile is no such request. An app that doesn't want to exit must say so in
    /// [`on_quit`](Self::on_quit): if its own event handler prevents an exit, its tasks have been told to end by then.
    ///
    /// # What can't be held
    ///
    /// The exit is held when the last window has closed, by `AppHandle::exit`, and by signals with
    /// [`handle_signals`](Self::handle_signals). Elsewhere the main thread waits for as long as this at most, and windows don't
    /// draw: for `AppHandle::request_restart` and `restart`, which Tauri lets nobody hold, and on macOS for Cmd+Q, the Dock and a
    /// log-out, which come as `RunEvent::Exit` alone (tauri#9198; compiled, but not run). On Windows the thread of the official
    /// updater waits, as that clears the app's resources before it ends the process (compiled, but not run); an updater of your own
    /// should call `AppHandle::cleanup_before_exit` likewise. Nothing is told of `std::process::exit`, of a log-off or shutdown of
    /// Windows (tauri#14558), of Android and iOS when they put an app away, of SIGKILL and of a crash. Ask [`TaskManager::guard`](crate::TaskManager::guard)
    /// before what you start yourself.
    pub fn exit_grace(mut self, grace: Duration) -> Self {
        self.plan.exit.grace = grace;
        self
    }

    /// What happens when the last window has closed. [`LastWindowClosed::Drain`] if nothing is said.
    ///
    /// The plugin learns of that before the app does, and can't know that the app is about to stay: so an app that keeps running
    /// without a window has to say so here. It need not call `prevent_exit` itself then.
    pub fn on_last_window_closed(mut self, what: LastWindowClosed) -> Self {
        self.plan.exit.last_window_closed = what;
        self
    }

    /// Makes an exit of SIGINT and SIGTERM, with the exit code 128 + the signal's number; without it they end the process at
    /// once. Outside of Unix, Ctrl+C in the console counts as SIGINT.
    ///
    /// A second signal quits at once, if it comes half a second or more after the first: a terminal and a parent process may both
    /// send what is meant once. Not for an app that handles these signals itself.
    pub fn handle_signals(mut self) -> Self {
        self.plan.exit.handle_signals = true;
        self
    }

    /// Asks `hook` what to do when the last window is about to close, or the app to exit, and tasks would be cut short.
    ///
    /// The window stays and the app goes on until the [`Quit`] is decided, so that a page can show what is waited for and let its
    /// user choose. Another click on the window's button asks anew. Without a window there is nobody to ask, and signals don't
    /// ask either: they overrule a question that is open. The hook runs on a thread where it may block.
    ///
    /// - A page that listens to Tauri's `onCloseRequested` has to call `preventDefault` there, or Tauri destroys its window.
    /// - An app that only hides its window when it is closed says [`LastWindowClosed::KeepRunning`], and shows it again to ask.
    ///
    /// ```
    /// use tauri::{Emitter, Manager};
    /// use tauri_plugin_tasks::{Builder, Quit};
    ///
    /// /// The quit that the user is being asked about.
    /// struct Asked<R: tauri::Runtime>(std::sync::Mutex<Option<Quit<R>>>);
    ///
    /// fn tasks<R: tauri::Runtime>() -> Builder<R> {
    ///     Builder::new().on_quit(|quit| {
    ///         let app = quit.app().clone();
    ///         let tasks = quit.tasks();
    ///         *app.state::<Asked<R>>().0.lock().unwrap() = Some(quit);
    ///         let _ = app.emit("quit-asked", tasks);
    ///     })
    /// }
    ///
    /// // The page's answer.
    /// #[tauri::command]
    /// fn decide<R: tauri::Runtime>(app: tauri::AppHandle<R>, asked: tauri::State<'_, Asked<R>>, choice: String) {
    ///     let quit = asked.0.lock().unwrap().take();
    ///     match (quit, &*choice) {
    ///         (Some(quit), "wait") => quit.wait(),
    ///         (Some(quit), "cancel") => quit.cancel(),
    ///         // Dropping it decides to stay.
    ///         _ => {}
    ///     }
    /// }
    /// ```
    pub fn on_quit(mut self, hook: impl Fn(Quit<R>) + Send + Sync + 'static) -> Self {
        self.plan.exit.on_quit = Some(Arc::new(hook));
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
        self.plan.plugin()
    }
}

impl<R: Runtime> fmt::Debug for Builder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.plan.kinds.iter().map(|(name, _)| name).collect();
        f.debug_struct("Builder").field("tasks", &names).finish_non_exhaustive()
    }
}
