use std::{sync::Arc, time::Duration};

use tauri_plugin_tasks_engine::TaskManager;

use crate::{
    access::pages::Pages,
    session::sessions::{Exists, Sessions},
};

/// The plugin's state in the app: the tasks, the sessions and the pages.
pub(crate) struct PluginState {
    pub(crate) tasks: TaskManager,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) pages: Arc<Pages>,
}

impl PluginState {
    /// `hidden_limit` is how long a hidden page may be silent.
    pub(crate) fn new(tasks: TaskManager, hidden_limit: Duration, exists: Exists) -> Self {
        Self { tasks, sessions: Arc::new(Sessions::new(hidden_limit, exists)), pages: Arc::default() }
    }
}
