use std::sync::Arc;

use tauri_plugin_tasks_engine::TaskManager;

use crate::{access::pages::Pages, session::sessions::Sessions};

/// The plugin's state in the app: the tasks, the sessions and the pages.
pub(crate) struct PluginState {
    pub(crate) tasks: TaskManager,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) pages: Arc<Pages>,
}

impl PluginState {
    pub(crate) fn new(tasks: TaskManager) -> Self {
        Self { tasks, sessions: Arc::default(), pages: Arc::default() }
    }
}
