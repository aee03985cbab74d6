use std::collections::HashMap;

use tauri::{AppHandle, Manager, Runtime, Window};
use tauri_plugin_tasks_engine::delivery::assert_holds_no_lock;

use crate::lock::{Lock, WINDOWS};

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

    /// Returns whether there is a webview with this label, in whatever window.
    fn has_webview(&self, label: &str) -> bool {
        let windows: Vec<_> = self.0.lock().values().cloned().collect();
        // Without the lock, since this asks Tauri.
        windows.iter().any(|window| window.webviews().iter().any(|webview| webview.label() == label))
    }
}

/// Returns whether the app has a webview with this label. Tauri doesn't tell when one closes before its window.
///
/// Call it on the main thread or on one that may wait: it takes a lock under which Tauri emits its events. With Tauri's
/// feature `tracing`, a thread that emits waits for the main thread.
pub(crate) fn has_webview<R: Runtime>(app: &AppHandle<R>, label: &str) -> bool {
    assert_holds_no_lock();
    // A window may be older than the plugin.
    app.get_webview_window(label).is_some() || app.state::<Windows<R>>().has_webview(label)
}

#[cfg(test)]
mod tests {
    use tauri::{
        WebviewWindowBuilder,
        test::{mock_builder, mock_context, noop_assets},
    };

    use super::*;
    use crate::Builder;

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
}
