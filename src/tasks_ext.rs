use tauri::{Manager, Runtime};

use crate::{TaskManager, state::PluginState};

/// Adds [`tasks`](Self::tasks) to an app, a window and a webview.
pub trait TasksExt<R: Runtime> {
    /// Returns the [`TaskManager`] of this app.
    ///
    /// # Panics
    ///
    /// Panics if the plugin is not registered, like [`tauri::Manager::state`].
    fn tasks(&self) -> &TaskManager;
}

impl<R: Runtime, T: Manager<R>> TasksExt<R> for T {
    fn tasks(&self) -> &TaskManager {
        &self.state::<PluginState>().inner().tasks
    }
}
