//! Who asks: the page that a command comes from and what its permissions for that command say.

use std::sync::Arc;

use tauri::{
    Manager, Runtime,
    ipc::{Channel, CommandArg, CommandItem, CommandScope, InvokeError},
    utils::acl::ExecutionContext,
};

use crate::{
    CancelReason, Error, Json, TaskId, TaskManager, TaskSnapshot,
    engine::{Owner, Page, Record, Start},
    lifecycle::Plugin,
    pages::Pages,
    scope::{Scope, ScopeEntry},
    session::{Session, SessionInfo, SessionMessage, Sessions},
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
    sessions: Arc<Sessions>,
    pages: Arc<Pages>,
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
            pages: Arc::clone(&plugin.pages),
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

    /// Opens a session, unless the webview has closed while the call was on its way.
    pub(crate) fn open(
        &self,
        name: &str,
        protocol: u32,
        channel: Channel<SessionMessage>,
    ) -> Result<SessionInfo, Error> {
        let info = self.sessions.open(name, protocol, self.page(), &self.tasks, channel)?;
        if !self.pages.is_current(self.page()) {
            self.sessions.close_sessions_of(self.page());
        }
        Ok(info)
    }

    /// Starts a task for this page and has `session` told of it. If the webview has closed while the call was
    /// on its way, the task is the app's.
    pub(crate) fn start(&self, session: &Session, id: TaskId, task: &str, input: Json) -> Result<TaskSnapshot, Error> {
        let start = Start { id, task, input, owner: Owner::Page(self.page().clone()) };
        let mut snapshot = None;
        let record = self.tasks.start_for(&start, |record| snapshot = Some(session.follow(record)))?;
        if !self.pages.is_current(self.page()) {
            record.disown(&self.page().label);
        }
        Ok(snapshot.unwrap_or_else(|| record.snapshot()))
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
            .ok_or_else(|| Error::not_visible(id))
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
