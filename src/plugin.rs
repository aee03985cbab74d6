//! Connects the plugin to Tauri's hooks.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::{Duration, Instant},
};

use tauri::{AppHandle, Manager, RunEvent, Runtime, WindowEvent, plugin::TauriPlugin, webview::PageLoadEvent};
use tauri_plugin_tasks_engine::delivery::{
    self, Clocks, Kind, Runtimes, Settings, assert_holds_no_lock, engine, manager,
};
use tokio::runtime::Handle;

#[cfg(target_os = "linux")]
use crate::app::page_process;
use crate::{
    Config, Quotas,
    app::{
        csp,
        exit::{Exit, Rules},
        groups,
        handlers_runtime::HandlersRuntime,
        hooks, schedules,
        services::{Service, Services},
        windows::{self, Windows, has_webview, window_of},
    },
    ipc::commands,
    session::protocol::timing::HIDDEN_LIMIT,
    state::PluginState,
};

/// What the host app has set on the [`Builder`](crate::Builder).
pub(crate) struct Plan<R: Runtime> {
    pub(crate) kinds: Vec<(String, IntoKind<R>)>,
    pub(crate) settings: Settings,
    pub(crate) quotas: Quotas,
    pub(crate) services: Vec<Service>,
    pub(crate) exit: Rules<R>,
    pub(crate) schedules: Vec<schedules::Planned>,
    pub(crate) hidden_page_limit: Duration,
    /// The app's own runtime for handlers.
    pub(crate) runtime: Option<Handle>,
    /// The clocks of the system, unless it is a test.
    pub(crate) clocks: Clocks,
}

/// Creates a kind, once there is an app to pass to its handler. Fails if its settings can't be meant.
pub(crate) type IntoKind<R> = Box<dyn FnOnce(&AppHandle<R>) -> Result<Kind, String> + Send>;

impl<R: Runtime> Default for Plan<R> {
    fn default() -> Self {
        Self {
            kinds: Vec::new(),
            settings: Settings::default(),
            quotas: Quotas::default(),
            services: Vec::new(),
            exit: Rules::default(),
            schedules: Vec::new(),
            hidden_page_limit: HIDDEN_LIMIT,
            runtime: None,
            clocks: Clocks::of_system(),
        }
    }
}

impl<R: Runtime> Plan<R> {
    pub(crate) fn plugin(self) -> TauriPlugin<R, Option<Config>> {
        let Self { kinds, mut settings, quotas, services, schedules, exit, hidden_page_limit, runtime, clocks } = self;
        tauri::plugin::Builder::<R, Option<Config>>::new("tasks")
            .invoke_handler({
                let commands = commands::handler();
                move |invoke| {
                    windows::add_of(invoke.message.webview_ref());
                    commands(invoke)
                }
            })
            .setup(move |app, api| {
                settings.quotas = effective(quotas, api.config().as_ref())?;
                if cfg!(panic = "abort") {
                    tracing::warn!(
                        "panic = \"abort\" is set: a panic in a task ends the whole app instead of failing the task"
                    );
                }
                csp::warn_if_slow(app);
                app.manage(Windows::<R>::default());
                let handlers = HandlersRuntime::new(runtime)?;
                let control = tauri::async_runtime::handle().inner().clone();
                let runtimes = Runtimes { control, work: handlers.handle().clone() };
                app.manage(handlers);
                let groups = settings.groups.clone();
                let tasks = manager(runtimes, register(kinds, app)?, settings, clocks);
                groups::check(&groups, &tasks)?;
                app.manage(Services::new(services, &tasks)?);
                let exit = Exit::new(tasks.clone(), exit);
                exit.watch(app);
                app.manage(exit);
                schedules::put(&tasks, schedules)?;
                let webviews = app.clone();
                let exists = Box::new(move |label: &str| has_webview(&webviews, label));
                let main_thread = app.clone();
                let run_on_main_thread = Box::new(move |run: Box<dyn FnOnce() + Send>| {
                    assert_holds_no_lock();
                    // It fails if the app is ending, and drops what it would have run.
                    let _ = main_thread.run_on_main_thread(run);
                });
                app.manage(PluginState::new(tasks, hidden_page_limit, exists, run_on_main_thread));
                catch_up(app);
                Ok(())
            })
            .on_window_ready(|window| window.state::<Windows<R>>().add(window.clone()))
            .on_webview_ready(|webview| {
                webview.state::<PluginState>().webview_created(webview.label());
                #[cfg(target_os = "linux")]
                page_process::watch(&webview);
            })
            .on_page_load(|webview, load| {
                // Told when the document is committed, after all redirects and before its scripts run. What is told when
                // it has finished may be about a document that only begins to load.
                if load.event() == PageLoadEvent::Started {
                    hooks::page_load_started(webview, load.url());
                }
            })
            .on_event({
                let mut has_begun = false;
                move |app, event| {
                    // The app may be ready since before the plugin was registered. Then the next event tells.
                    if !has_begun && matches!(event, RunEvent::Ready | RunEvent::MainEventsCleared) {
                        has_begun = true;
                        hooks::ready(app);
                    }
                    match event {
                        RunEvent::WindowEvent { label, event: WindowEvent::CloseRequested { api, .. }, .. } => {
                            let pages = &app.state::<PluginState>().pages;
                            let is_last =
                                pages.last_is_closing(label, Instant::now(), |webview| window_of(app, webview));
                            if is_last {
                                app.state::<Exit<R>>().close_requested(app, api);
                            }
                        }
                        RunEvent::WindowEvent { label, event: WindowEvent::Destroyed, .. } => {
                            hooks::window_destroyed(app, label);
                        }
                        RunEvent::ExitRequested { code, api, .. } => {
                            let has_window = app.state::<PluginState>().pages.has_window();
                            app.state::<Exit<R>>().exit_requested(app, *code, has_window, api);
                        }
                        RunEvent::MainEventsCleared => app.state::<Exit<R>>().loop_came_round(),
                        RunEvent::Exit => hooks::exiting(app),
                        _ => {}
                    }
                }
            })
            .build()
    }
}

/// Makes up for what Tauri has reported before the plugin was registered.
fn catch_up<R: Runtime>(app: &AppHandle<R>) {
    for webview in windows::add_existing(app) {
        app.state::<PluginState>().pages.was_there(webview.label());
        #[cfg(target_os = "linux")]
        page_process::watch(&webview);
    }
    // Wakes the event loop, whose next event begins the schedules, after the reports that are under way. The main thread would
    // run this at once, without waking.
    let waking = app.clone();
    let tasks = &app.state::<PluginState>().tasks;
    engine(tasks).control().spawn_blocking(move || drop(waking.run_on_main_thread(|| {})));
}

/// Returns the quotas that hold. Fails if the Builder's can't be used.
fn effective(mut quotas: Quotas, config: Option<&Config>) -> Result<delivery::Quotas, String> {
    quotas.check()?;
    if let Some(config) = config {
        config.apply_to(&mut quotas);
    }
    Ok(quotas.0)
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
            Entry::Vacant(free) => free.insert(Arc::new(into_kind(app)?)),
        };
    }
    Ok(registered)
}
