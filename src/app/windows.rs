use std::collections::HashMap;

use tauri::{AppHandle, Manager, Runtime, Webview, Window};
use tauri_plugin_tasks_engine::delivery::assert_holds_no_lock;

use crate::{
    lock::{Lock, WINDOWS},
    state::PluginState,
};

/// The windows of the app, which know their webviews. Without its feature `unstable`, Tauri lists only those webviews that
/// fill a window.
pub(crate) struct Windows<R: Runtime>(Lock<HashMap<String, Window<R>>, WINDOWS>);

impl<R: Runtime> Default for Windows<R> {
    fn default() -> Self {
        Self(Lock::default())
    }
}

impl<R: Runtime> Windows<R> {
    pub(crate) fn add(&self, window: Window<R>) {
        self.0.lock().insert(window.label().to_owned(), window);
    }

    /// Removes a window that was destroyed, so that its resources are dropped.
    pub(crate) fn remove(&self, label: &str) {
        let window = self.0.lock().remove(label);
        drop(window);
    }

    /// Returns the window that the webview with this label is in now: it may have been moved.
    fn of_webview(&self, label: &str) -> Option<Window<R>> {
        let windows: Vec<_> = self.0.lock().values().cloned().collect();
        // Without the lock, since this asks Tauri.
        windows.into_iter().find(|window| window.webviews().iter().any(|webview| webview.label() == label))
    }
}

/// Returns whether the app has a webview with this label. Tauri doesn't tell when one closes before its window.
///
/// Call it on the main thread or on one that may wait: it takes a lock under which Tauri emits its events. With Tauri's
/// feature `tracing`, a thread that emits waits for the main thread.
pub(crate) fn has_webview<R: Runtime>(app: &AppHandle<R>, label: &str) -> bool {
    window_of(app, label).is_some()
}

/// Returns the label of the window that the webview with this label is in now. Doesn't wait for the main thread.
pub(crate) fn window_of<R: Runtime>(app: &AppHandle<R>, webview: &str) -> Option<String> {
    assert_holds_no_lock();
    let of_webview = app.state::<Windows<R>>().of_webview(webview);
    // A window may not have been reported yet.
    let window = of_webview.or_else(|| app.get_webview_window(webview).map(|webview| webview.as_ref().window()));
    window.map(|window| window.label().to_owned())
}

/// Adds the window of this webview, unless it is known: it may be older than the plugin, and not a window that Tauri
/// lists.
pub(crate) fn add_of<R: Runtime>(webview: &Webview<R>) {
    if webview.state::<PluginState>().pages.knows(webview.label()) || has_webview(webview.app_handle(), webview.label())
    {
        return;
    }
    let window = webview.window();
    // It may have closed meanwhile, and then nothing would remove its window.
    if window.webviews().iter().any(|known| known.label() == webview.label()) {
        webview.state::<Windows<R>>().add(window);
    }
}

/// Adds the windows that are older than the plugin, which Tauri doesn't report to it. Returns their webviews.
pub(crate) fn add_existing<R: Runtime>(app: &AppHandle<R>) -> Vec<Webview<R>> {
    let windows = app.webview_windows().into_values().map(|window| window.as_ref().window());
    // Without the app's feature `unstable`, this finds one webview in each window, and otherwise all of them.
    let webviews = windows.flat_map(|window| {
        app.state::<Windows<R>>().add(window.clone());
        window.webviews()
    });
    webviews.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tauri::{
        WebviewWindowBuilder,
        test::{MockRuntime, mock_builder, mock_context, noop_assets},
    };

    use super::*;
    use crate::{Builder, app::hooks};

    // Without the kit, which registers the plugin first and reports each window at once.

    #[test]
    fn a_webview_is_there_until_it_closes_or_its_window_is_destroyed() {
        let app = mock_builder().plugin(Builder::new().build()).build(mock_context(noop_assets())).unwrap();
        let build = |label: &str| WebviewWindowBuilder::new(&app, label, Default::default()).build().unwrap();
        let (main, _other) = (build("main"), build("other"));
        let there = || ["main", "other", "none"].map(|label| has_webview(app.handle(), label));
        assert_eq!(there(), [true, true, false]);
        main.as_ref().close().unwrap();
        assert_eq!(there(), [false, true, false], "its window is still there");
        app.state::<Windows<tauri::test::MockRuntime>>().remove("main");
        assert_eq!(there(), [false, true, false]);
    }

    #[test]
    fn the_plugin_knows_the_windows_that_are_older() {
        let app = mock_builder().build(mock_context(noop_assets())).unwrap();
        let build = |label: &str| WebviewWindowBuilder::new(&app, label, Default::default()).build().unwrap();
        let (main, _other) = (build("main"), build("other"));
        app.handle().plugin(Builder::<MockRuntime>::new().build()).unwrap();
        let (handle, plugin) = (app.handle(), app.state::<PluginState>());
        let page = plugin.pages.current("main");
        assert!(plugin.pages.is_current(&page) && plugin.pages.knows("other") && plugin.pages.has_window());
        let is_last = |window| plugin.pages.last_is_closing(window, Instant::now(), |label| window_of(handle, label));
        assert!(!is_last("main"), "there is another one");
        assert!(is_last("other"), "and both are about to close");

        build("new");
        assert!(plugin.pages.knows("new"), "as any later one");
        app.state::<Windows<MockRuntime>>().remove("other");
        main.as_ref().close().unwrap();
        plugin.window_destroyed(|label| has_webview(handle, label));
        assert!(!plugin.pages.is_current(&page), "it has closed");
    }

    #[test]
    fn a_webview_that_is_older_than_the_plugin_and_closed_without_an_event_leaves_nothing_to_the_next_one() {
        let app = mock_builder().build(mock_context(noop_assets())).unwrap();
        let build = || WebviewWindowBuilder::new(&app, "main", Default::default()).build().unwrap();
        let main = build();
        app.handle().plugin(Builder::<MockRuntime>::new().build()).unwrap();
        let plugin = app.state::<PluginState>();
        let page = plugin.pages.current("main");
        hooks::ready(app.handle());
        main.as_ref().close().unwrap();
        plugin.webview_created("main");
        assert!(!plugin.pages.is_current(&page));
    }

    /// The plugin is registered on the main thread, where Tauri runs at once what it would otherwise run after the reports.
    #[test]
    fn a_webview_whose_report_is_under_way_when_the_plugin_is_registered_is_not_taken_for_the_next_one() {
        let app = mock_builder().build(mock_context(noop_assets())).unwrap();
        WebviewWindowBuilder::new(&app, "main", Default::default()).build().unwrap();
        app.handle().plugin(Builder::<MockRuntime>::new().build()).unwrap();
        let plugin = app.state::<PluginState>();
        let page = plugin.pages.current("main");
        plugin.webview_created("main");
        assert!(plugin.pages.is_current(&page), "this is its report");
        hooks::ready(app.handle());
        plugin.webview_created("main");
        assert!(!plugin.pages.is_current(&page), "this is another one");
    }

    #[test]
    fn a_page_that_calls_before_its_report_stays_when_the_app_becomes_ready() {
        let app =
            mock_builder().plugin(Builder::<MockRuntime>::new().build()).build(mock_context(noop_assets())).unwrap();
        let plugin = app.state::<PluginState>();
        assert!(plugin.pages.found("new"));
        let page = plugin.pages.current("new");
        hooks::ready(app.handle());
        plugin.webview_created("new");
        assert!(plugin.pages.is_current(&page));
    }
}
