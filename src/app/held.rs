//! What the plugin holds for pages: for tests that look for what a page leaves behind.

use serde::Serialize;
use tauri::{AppHandle, Manager, Runtime};

use tauri_plugin_tasks_engine::delivery::engine;

use crate::{TaskFilter, state::PluginState};

/// How much is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Held {
    /// Open sessions; each has one channel.
    pub sessions: usize,
    /// Who reads items in them.
    pub readers: usize,
    /// Who is told of changes: of a task once for each, and of all tasks.
    pub watchers: usize,
    /// Tasks, ended or not.
    pub tasks: usize,
}

impl Held {
    /// What is held now.
    pub fn of<R: Runtime>(app: &AppHandle<R>) -> Self {
        let plugin = app.state::<PluginState>();
        let records = engine(&plugin.tasks).records(&TaskFilter::default());
        let (sessions, readers) = plugin.sessions.held();
        Self {
            sessions,
            readers,
            watchers: engine(&plugin.tasks).watchers_of_all()
                + records.iter().map(|record| record.watchers()).sum::<usize>(),
            tasks: records.len(),
        }
    }
}
