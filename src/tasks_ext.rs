use tauri::{Manager, Runtime};

use crate::{TaskManager, state::PluginState};

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
        &self.state::<PluginState>().inner().tasks
    }
}
