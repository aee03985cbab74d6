//! An app that runs, for what a test does with it.

use std::{sync::Arc, time::Duration};

use tauri::{AppHandle, Manager, test::MockRuntime};
use tauri_plugin_tasks_engine::test::test_clock::TestClock;

use super::{acl, pushed::Pushed};
use crate::{TaskFilter, TaskManager, TasksExt};

pub(super) struct Running {
    pub(super) app: tauri::App<MockRuntime>,
    pub(super) clock: TestClock,
    pub(super) pushed: Arc<Pushed>,
}

impl Running {
    pub(super) fn handle(&self) -> &AppHandle<MockRuntime> {
        self.app.handle()
    }

    pub(super) fn tasks(&self) -> &TaskManager {
        self.app.tasks()
    }

    /// Adds the text of a capability file.
    pub(super) fn add_capability(&self, text: &str) {
        for capability in acl::capabilities(text) {
            let name = capability.identifier.clone();
            let text = serde_json::to_string(&capability)
                .unwrap_or_else(|error| panic!("capability \"{name}\" can't be written: {error}"));
            self.app
                .add_capability(&text)
                .unwrap_or_else(|error| panic!("capability \"{name}\" can't be added: {error}"));
        }
    }

    pub(super) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        // The engine looks at what has expired when it is asked for its tasks.
        self.tasks().list(&TaskFilter::default());
    }
}
