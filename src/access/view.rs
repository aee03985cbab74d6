use tauri_plugin_tasks_engine::delivery::{Owner, Record, Shares, Spent};

use super::{page::Page, scope::Scope};

/// What one page may see in one call of a command.
///
/// A task of another owner in which the page has a share may only be told of: how it stands and how it ends.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) page: Page,
    pub(crate) scope: Scope,
}

impl View {
    pub(crate) fn new(page: Page, scope: Scope) -> Self {
        Self { page, scope }
    }

    /// Returns whether the page may do with this task whatever the command does.
    pub(crate) fn sees(&self, record: &Record) -> bool {
        self.sees_task_of(record.name(), &record.owner())
    }

    /// Returns whether the page may be told of this task.
    pub(crate) fn is_told(&self, record: &Record) -> bool {
        self.scope.sees(record.name(), record.tells(&self.page.owner()))
    }

    /// Returns whether the page may be told of a task of this kind with these shares.
    pub(crate) fn is_told_of(&self, task: &str, shares: &Shares) -> bool {
        self.scope.sees(task, shares.tells(&self.page.owner()))
    }

    /// Returns whether the page could be told of a task that is no longer kept.
    pub(crate) fn was_told(&self, spent: &Spent) -> bool {
        self.scope.sees(&spent.name, spent.tells(&self.page.owner()))
    }

    pub(crate) fn sees_task_of(&self, task: &str, owner: &Owner) -> bool {
        self.scope.sees(task, *owner == self.page.owner())
    }
}
