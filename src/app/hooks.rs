//! What the plugin does when Tauri tells of something. The test kit calls these functions, too, where Tauri's mock runtime
//! tells of nothing.

use tauri::{AppHandle, Manager, Runtime, Url, Webview};
use tauri_plugin_tasks_engine::delivery::begin_schedules;

use super::{
    exit::Exit,
    handlers_runtime::HandlersRuntime,
    services::Services,
    windows::{self, Windows, has_webview},
};
use crate::{access::document::Document, state::PluginState};

/// The app is ready: its setup is over, and what Tauri had to report when the plugin was registered has been reported.
pub(crate) fn ready<R: Runtime>(app: &AppHandle<R>) {
    let plugin = app.state::<PluginState>();
    plugin.pages.all_are_reported();
    let tasks = &plugin.tasks;
    begin_schedules(tasks);
    app.state::<Services>().start(tasks);
}

/// A document from `url` begins to load, so the one before it has left.
pub(crate) fn page_load_started<R: Runtime>(webview: &Webview<R>, url: &Url) {
    windows::add_of(webview);
    webview.state::<PluginState>().page_loads(webview.label(), Document::at(url, webview.config()));
}

/// A window is destroyed, with the webviews in it.
pub(crate) fn window_destroyed<R: Runtime>(app: &AppHandle<R>, label: &str) {
    app.state::<Windows<R>>().remove(label);
    app.state::<PluginState>().window_destroyed(|label| has_webview(app, label));
}

/// The process is about to end.
pub(crate) fn exiting<R: Runtime>(app: &AppHandle<R>) {
    app.state::<PluginState>().exiting();
    app.state::<Exit<R>>().exiting();
    app.state::<HandlersRuntime>().shut_down();
}
