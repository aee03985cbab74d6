use std::{sync::Arc, time::Duration};

use tauri_plugin_tasks_engine::TaskManager;

use crate::{
    access::{idle_entries::IdleEntries, pages::Pages},
    session::{
        push_channel::RunOnMainThread,
        sessions::{Exists, Sessions},
    },
};

/// The plugin's state in the app: the tasks, the sessions and the pages.
pub(crate) struct PluginState {
    pub(crate) tasks: TaskManager,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) idle_entries: IdleEntries,
}

impl PluginState {
    /// `hidden_limit` is how long a hidden page may be silent.
    pub(crate) fn new(
        tasks: TaskManager,
        hidden_limit: Duration,
        exists: Exists,
        run_on_main_thread: RunOnMainThread,
    ) -> Self {
        let sessions = Arc::new(Sessions::new(hidden_limit, exists, run_on_main_thread));
        Self { tasks, sessions, pages: Arc::default(), idle_entries: IdleEntries::default() }
    }
}
