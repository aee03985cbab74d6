use tauri_plugin_tasks_engine::delivery::{Owner, Record};

use super::{page::Page, scope::Scope};

/// What one page may see in one call of a command.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) page: Page,
    pub(crate) scope: Scope,
}

impl View {
    pub(crate) fn new(page: Page, scope: Scope) -> Self {
        Self { page, scope }
    }

    pub(crate) fn sees(&self, record: &Record) -> bool {
        self.sees_task_of(record.name(), &record.owner())
    }

    pub(crate) fn sees_task_of(&self, task: &str, owner: &Owner) -> bool {
        self.scope.sees(task, *owner == self.page.owner())
    }
}
