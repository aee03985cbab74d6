//! Counts what the plugin holds for pages, so that tests can find leaks.

use serde::Serialize;
use tauri::{AppHandle, Manager, Runtime};

use tauri_plugin_tasks_engine::delivery::engine;

use crate::{TaskFilter, state::PluginState};

/// How much the plugin holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Held {
    /// Open sessions. Each has one channel.
    pub sessions: usize,
    /// Readers of items in these sessions.
    pub readers: usize,
    /// Watchers of single tasks, counted once for each task, and watchers of all tasks.
    pub watchers: usize,
    /// Tasks, ended or not.
    pub tasks: usize,
}

impl Held {
    /// Returns what is held now.
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
