//! Who asks: the page that a command comes from and what its permissions for that command say.

use std::sync::Arc;

use tauri::{
    Manager, Runtime,
    ipc::{CommandArg, CommandItem, CommandScope, InvokeError},
    utils::acl::ExecutionContext,
};

use crate::{
    CancelReason, Error, Plugin, TaskId, TaskManager,
    engine::{Owner, Page, Record},
    scope::{Scope, ScopeEntry},
    session::{Session, Sessions},
};

/// What one caller may see.
#[derive(Debug, Clone)]
pub(crate) struct View {
    page: Page,
    scope: Scope,
}

impl View {
    pub(crate) fn new(page: Page, scope: Scope) -> Self {
        Self { page, scope }
    }

    pub(crate) fn sees(&self, record: &Record) -> bool {
        self.sees_task_of(record.name(), &record.owner())
    }

    fn sees_task_of(&self, task: &str, owner: &Owner) -> bool {
        let own = matches!(owner, Owner::Page(page) if *page == self.page);
        self.scope.sees(task, own)
    }
}

/// The caller of a command. As an argument it comes from Tauri, not from the page.
pub(crate) struct Caller {
    view: View,
    pub(crate) tasks: TaskManager,
    pub(crate) sessions: Arc<Sessions>,
}

impl<'de, R: Runtime> CommandArg<'de, R> for Caller {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        let remote = command.acl.as_ref().is_some_and(|commands| {
            commands.iter().any(|command| matches!(command.context, ExecutionContext::Remote { .. }))
        });
        let webview = command.message.webview();
        let plugin = webview.state::<Plugin>();
        let (label, incarnation) = plugin.pages.current(webview.label());
        let scope = CommandScope::<ScopeEntry>::from_command(command)?.into();
        Ok(Self {
            view: View::new(Page { label, incarnation, remote }, scope),
            tasks: plugin.tasks.clone(),
            sessions: Arc::clone(&plugin.sessions),
        })
    }
}

#[cfg(test)]
impl specta::function::FunctionArg for Caller {
    fn to_datatype(_: &mut specta::Types) -> Option<specta::datatype::DataType> {
        None
    }
}

impl Caller {
    pub(crate) fn page(&self) -> &Page {
        &self.view.page
    }

    pub(crate) fn view(&self) -> View {
        self.view.clone()
    }

    pub(crate) fn session(&self, name: &str) -> Result<Arc<Session>, Error> {
        self.sessions.get(name, self.page())
    }

    pub(crate) fn check_start(&self, task: &str) -> Result<(), Error> {
        self.view.scope.check_start(task, &self.page().label)
    }

    /// The task with this id. What the caller may not see is not there for it.
    pub(crate) fn find(&self, id: &str) -> Result<Arc<Record>, Error> {
        id.parse()
            .ok()
            .and_then(|id| self.tasks.find(id))
            .filter(|record| self.view.sees(record))
            .ok_or_else(|| Error::not_found(id))
    }

    /// The task with this id, whose outcome is wanted.
    pub(crate) fn find_ended(&self, id: &str) -> Result<Arc<Record>, Error> {
        self.find(id).map_err(|not_found| {
            let spent = id.parse().ok().and_then(|id: TaskId| Some((id, self.tasks.spent(id)?)));
            match spent {
                Some((id, spent)) if self.view.sees_task_of(&spent.name, &spent.owner) => Error::outcome_expired(id),
                _ => not_found,
            }
        })
    }

    pub(crate) fn cancel(&self, id: &str, reason: CancelReason) -> Result<(), Error> {
        self.tasks.cancel_record(&self.find(id)?, reason)
    }
}
