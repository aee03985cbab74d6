use tauri::{Manager, Runtime};

use crate::{TaskManager, state::PluginState};

/// Adds [`tasks`](Self::tasks) to an app, a window and a webview.
pub trait TasksExt<R: Runtime> {
    /// Returns the [`TaskManager`] of this app.
    ///
    /// # Panics
    ///
    /// Panics if the plugin is not registered yet: `.plugin(tauri_plugin_tasks::Builder::new().build())` does that. An app
    /// of `tauri::test::mock_app` has no plugins; `tauri_plugin_tasks::test::app` makes one that has this.
    fn tasks(&self) -> &TaskManager;
}

impl<R: Runtime, T: Manager<R>> TasksExt<R> for T {
    fn tasks(&self) -> &TaskManager {
        let Some(plugin) = self.try_state::<PluginState>() else {
            panic!(
                "the tasks plugin is not registered in this app: call \
                 .plugin(tauri_plugin_tasks::Builder::new().build()) on the builder of the app, with the tasks of the app"
            )
        };
        &plugin.inner().tasks
    }
}
