use std::{fmt, sync::Arc, time::Duration};

use serde::Serialize;
use tauri::{Runtime, plugin::TauriPlugin};
use tokio::runtime::Handle;

use crate::{
    Config, Handler, LastWindowClosed, Quit, Quotas, Retention, Schedule, TakesInput, Task,
    app::{schedules, services::Service},
    handler_types::HandlerTypes,
    plugin::Plan,
};

/// Configures the plugin: register the app's [`Task`]s, then call [`build`](Self::build).
#[must_use = "call `build` to get the plugin"]
pub struct Builder<R: Runtime> {
    pub(crate) plan: Plan<R>,
    types: Vec<(String, HandlerTypes)>,
}

impl<R: Runtime> Default for Builder<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Runtime> Builder<R> {
    /// Returns a builder with no tasks.
    pub fn new() -> Self {
        Self { plan: Plan::default(), types: Vec::new() }
    }

    /// Registers a kind of task.
    pub fn task<H, Form>(mut self, task: Task<H, R, Form>) -> Self
    where
        H: Handler<R, Form>,
        Form: 'static,
    {
        let types = HandlerTypes::of::<H::Input, H::Detail, H::Item, H::Output, H::Error>();
        self.types.push((task.name.clone(), types));
        self.plan.kinds.push((task.name.clone(), Box::new(move |app| task.into_kind(app))));
        self
    }

    /// Limits how many tasks of the app may run at once, whatever their kinds. The default is no limit. A task whose
    /// handler awaits another task that it has started doesn't count: see
    /// [`TaskHandle::outcome`](crate::TaskHandle::outcome).
    /// [`TaskManager::set_limit`](crate::TaskManager::set_limit) changes it while the app runs.
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.plan.settings.concurrency = Some(limit);
        self
    }

    /// Limits how many tasks of the app may wait, whatever their kinds: see [`Task::queue_limit`]. The default is no
    /// limit.
    pub fn queue_limit(mut self, limit: usize) -> Self {
        self.plan.settings.queue_limit = Some(limit);
        self
    }

    /// Limits how many tasks of all kinds in `group` may run at once: see [`Task::group`]. With 0, none runs until
    /// [`TaskManager::set_limit`](crate::TaskManager::set_limit) raises it.
    ///
    /// The app does not start if no kind is in the group, if its name is empty, or if it gets a limit twice.
    pub fn group(mut self, group: impl Into<String>, limit: usize) -> Self {
        self.plan.settings.groups.push((group.into(), limit));
        self
    }

    /// Runs the handlers on `runtime` instead of one that the plugin makes.
    ///
    /// By default the plugin makes a multi-threaded tokio runtime for them, with as many threads as there are cores, and
    /// shuts it down when the app ends. Handlers, their clean-ups ([`TaskContext::on_cancel`](crate::TaskContext::on_cancel))
    /// and what they spawn with `tokio::spawn` or
    /// [`TaskContext::spawn_blocking`](crate::TaskContext::spawn_blocking) run there. Commands, schedules, time limits and
    /// all that the plugin does itself run on Tauri's runtime. Handlers that never reach an `.await` can hold all of their
    /// threads. Then a task that is started waits as `queued` until a thread is free, but the app and its commands go on,
    /// and tasks are listed, cancelled and stopped by their time limits as usual. The log names a kind that holds a
    /// thread for 5 seconds.
    ///
    /// Bring a runtime to choose the number of its threads, or to share one that the app has. It must be multi-threaded,
    /// or the setup of the plugin fails. Its drivers for time and I/O must be on, and it must live as long as the app: the
    /// plugin doesn't shut it down, and tasks that are left when it ends fail with
    /// [`FailureKind::RuntimeEnded`](crate::FailureKind::RuntimeEnded). With Tauri's own, handlers can hold up every async
    /// command of the app.
    ///
    /// ```
    /// use tauri_plugin_tasks::Builder;
    ///
    /// fn tasks<R: tauri::Runtime>(handlers: &tokio::runtime::Runtime) -> Builder<R> {
    ///     Builder::new().runtime(handlers.handle().clone())
    /// }
    /// ```
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.plan.runtime = Some(runtime);
        self
    }

    /// Sets how long ended tasks and their outcomes are kept.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.plan.settings.retention = retention;
        self
    }

    /// Sets what each webview may have at once: see [`Quotas`], also for the defaults. What `tauri.conf.json` says under
    /// `plugins > tasks > quotas` takes the place of this, key by key: see [`Config`].
    ///
    /// The app does not start if a quota is 0.
    pub fn quotas(mut self, quotas: Quotas) -> Self {
        self.plan.quotas = quotas;
        self
    }

    /// Runs the kind `task`, a [`TaskKey`](crate::TaskKey) or a name, with `input` at the times that `schedule` sets.
    ///
    /// Runs start when the app is ready, after its `setup`, and stop when the app ends. Each run is a task of the app
    /// with the tag `schedule:` plus `name`. Pages need permissions of their own to see and trigger a schedule: see the
    /// README. [`TaskManager::schedule`](crate::TaskManager::schedule) adds schedules while the app runs.
    ///
    /// The app does not start if no kind is registered as `task`, if `input` doesn't fit that kind, if `name` is empty,
    /// longer than 200 bytes or taken, or if the interval is shorter than a second.
    ///
    /// ```no_run
    /// use tauri_plugin_tasks::{Builder, Error, Failure, Schedule, Task, TaskContext, TaskKey};
    ///
    /// const CLEAN_UP: TaskKey<u32, (), Failure> = TaskKey::new("clean-up");
    ///
    /// async fn clean_up(_ctx: TaskContext, older_than_days: u32) -> Result<(), Failure> {
    ///     // …
    ///     # let _ = older_than_days;
    ///     Ok(())
    /// }
    ///
    /// fn tasks<R: tauri::Runtime>() -> Result<Builder<R>, Error> {
    ///     let nightly = Schedule::cron("0 3 * * *")?;
    ///     Ok(Builder::new().task(Task::new(CLEAN_UP, clean_up)).schedule("nightly", CLEAN_UP, 30, nightly))
    /// }
    /// ```
    pub fn schedule<K: TakesInput<In>, In: Serialize>(
        mut self,
        name: impl Into<String>,
        task: K,
        input: In,
        schedule: Schedule,
    ) -> Self {
        self.plan.schedules.push(schedules::Planned::new(name.into(), task.task_name().to_owned(), &input, schedule));
        self
    }

    /// Starts a service when the app is ready: a task of the kind `task`, a [`TaskKey`](crate::TaskKey) or a name, that
    /// the app owns and that runs as long as the app. Its kind must have a restart policy ([`Task::restart`]).
    ///
    /// The app does not start if no kind is registered as `task`, if that kind has no restart policy, or if `input`
    /// doesn't fit it. On exit, the service is told to stop like any other task. It permanently occupies a slot of each
    /// limit on its kind. A time limit ends it for good.
    ///
    /// ```
    /// use std::path::PathBuf;
    /// use tauri_plugin_tasks::{Builder, Failure, Restart, Task, TaskContext, TaskKey};
    ///
    /// const WATCH: TaskKey<PathBuf, (), Failure> = TaskKey::new("watch");
    ///
    /// async fn watch(ctx: TaskContext, folder: PathBuf) -> Result<(), Failure> {
    ///     // Open what the service needs, then work until it is told to stop.
    ///     ctx.cancelled().await;
    ///     // Close it, within Task::grace.
    ///     Ok(())
    /// }
    ///
    /// fn tasks<R: tauri::Runtime>() -> Builder<R> {
    ///     Builder::new().task(Task::new(WATCH, watch).restart(Restart::always())).service(WATCH, "/srv/photos".into())
    /// }
    /// ```
    pub fn service<K: TakesInput<In>, In: Serialize>(mut self, task: K, input: In) -> Self {
        self.plan.services.push(Service::new(task.task_name().to_owned(), &input));
        self
    }

    /// Sets how long tasks may take to end when the app exits: see [`Task::on_exit`]. The default is 10 seconds.
    ///
    /// A task that has not ended by then ends with the process. If a handler does not stop within its own grace period,
    /// its clean-up gets at most a quarter of this time.
    ///
    /// A second exit request at least half a second after the first quits at once. One that comes sooner counts as the
    /// same request, since one click may both close a window and exit. Closing a window meanwhile is not a second
    /// request. An app that wants to prevent an exit must use [`on_quit`](Self::on_quit): when its own event handler is
    /// called, its tasks have already been told to end.
    ///
    /// # What can't be held
    ///
    /// The plugin holds the exit when the last window has closed, on `AppHandle::exit`, and on signals with
    /// [`handle_signals`](Self::handle_signals). In the following cases it can't, so the main thread waits for at most
    /// half a second longer than this time, and windows don't draw:
    ///
    /// - `AppHandle::request_restart` and `restart`, which Tauri does not let an app prevent;
    /// - on macOS: Cmd+Q, the Dock and a log-out, for which Tauri sends only `RunEvent::Exit` (tauri#9198; compiled,
    ///   but not run);
    /// - on Windows: the official updater, which clears the app's resources before it ends the process. There the
    ///   updater's thread waits instead (compiled, but not run). A custom updater should call
    ///   `AppHandle::cleanup_before_exit` as well;
    /// - on Windows: a log-off or a shutdown, for which Tauri sends only `RunEvent::Exit`. The main thread then waits for
    ///   at most three seconds in all, or half a second longer than this time if that is shorter, since Windows waits
    ///   for the app meanwhile. The tasks get two and a half seconds of them, or this time (read in the source of tao,
    ///   not run).
    ///
    /// The plugin never learns of `std::process::exit`, Android or iOS suspending the app, SIGKILL or a crash. Before you
    /// end the process yourself, use [`TaskManager::guard`](crate::TaskManager::guard).
    pub fn exit_grace(mut self, grace: Duration) -> Self {
        self.plan.exit.grace = grace;
        self
    }

    /// Sets how long a hidden page may be silent before it counts as gone. The default is an hour.
    ///
    /// A page that is gone loses its session, and its tasks are treated as [`Task::on_owner_closed`] says. A visible page
    /// is gone when it has not answered for 42 seconds. A page that said it was hidden before may have been suspended by
    /// the system and come back any time, so it gets more time: see the README, "What counts as the end of a page".
    ///
    /// Only time in which the app itself runs counts. A limit of less than 42 seconds, such as zero, treats hidden pages
    /// as visible ones. With [`Duration::MAX`], the silence of a hidden page never counts: it is gone once its webview
    /// has closed or its process is known to have ended.
    pub fn hidden_page_limit(mut self, limit: Duration) -> Self {
        self.plan.hidden_page_limit = limit;
        self
    }

    /// Sets what happens when the last window has closed. The default is [`LastWindowClosed::Drain`].
    ///
    /// An app that keeps running without a window must say so here: the plugin handles the event before the app does
    /// and can't know that the app will stay. The app then need not call `prevent_exit` itself.
    pub fn on_last_window_closed(mut self, what: LastWindowClosed) -> Self {
        self.plan.exit.last_window_closed = what;
        self
    }

    /// Turns SIGINT and SIGTERM into an exit with the code 128 plus the signal's number. Without it they end the
    /// process at once. On Windows, Ctrl+C in the console counts as SIGINT.
    ///
    /// The log says whether they are handled. If SIGTERM can't be, neither is SIGINT, so that Ctrl+C ends the process at once. If
    /// only SIGINT can't be, SIGTERM is handled and Ctrl+C ends the process at once.
    ///
    /// A second signal at least half a second after the first quits at once. One that comes sooner counts as the same
    /// request, since a terminal and a parent process may both send the signal. Don't use this in an app that handles
    /// these signals itself.
    pub fn handle_signals(mut self) -> Self {
        self.plan.exit.handle_signals = true;
        self
    }

    /// Calls `hook` when closing the last window or exiting the app would cut tasks short.
    ///
    /// The window stays open and the app keeps running until the hook's [`Quit`] is decided. Meanwhile a page can show
    /// the tasks and let the user choose. Another click on the close button asks again. The hook is not called when
    /// there is no window, nor for a signal. A signal also overrides an open question. The hook runs on a thread where
    /// it may block.
    ///
    /// - A page that listens to Tauri's `onCloseRequested` must call `preventDefault` there, or Tauri destroys its
    ///   window.
    /// - An app that hides its window instead of closing it sets [`LastWindowClosed::KeepRunning`], and shows the
    ///   window again to ask.
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

    /// Returns the kinds registered so far, in that order, for tauri-plugin-tasks-specta.
    #[doc(hidden)]
    pub fn handler_types(&self) -> impl Iterator<Item = (&str, &HandlerTypes)> {
        self.types.iter().map(|(name, types)| (&**name, types))
    }

    /// Builds the plugin, for `tauri::Builder::plugin`.
    ///
    /// Register it before the plugins whose data the tasks use: on exit, Tauri notifies plugins in the order of their
    /// registration. The app does not start if the name of a kind is empty or registered twice, or if a setting
    /// can't be meant: see [`Task`] and the methods of this builder.
    ///
    /// What `tauri.conf.json` says under `plugins > tasks` takes the place of what was set here: see [`Config`]. The app does
    /// not start if something there can't be read.
    pub fn build(self) -> TauriPlugin<R, Option<Config>> {
        self.plan.plugin()
    }
}

impl<R: Runtime> fmt::Debug for Builder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.plan.kinds.iter().map(|(name, _)| name).collect();
        f.debug_struct("Builder").field("tasks", &names).finish_non_exhaustive()
    }
}
