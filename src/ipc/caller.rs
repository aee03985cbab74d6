//! The caller of a command: the page that called it, with the page's permissions for that command.

use std::{sync::Arc, time::Duration};

use tauri::{
    Manager, Runtime,
    ipc::{CommandArg, CommandItem, CommandScope, InvokeError},
};
use tauri_plugin_tasks_engine::delivery::{
    Follower, Owner, Record, Refusal, Spent, Start, StartBatch, engine, is_cancelled_without_owner, trigger,
};
use tokio::time::timeout;

use super::{
    arrival::{self, Arrival},
    refusals,
    wire::Started,
};
use crate::{
    BatchOptions, CancelReason, Error, Json, LimitOf, StartOptions, TaskFilter, TaskId, TaskManager, TaskSnapshot,
    access::{
        page::Page,
        pages::{Pages, Stranger},
        scope::ScopeEntry,
        view::View,
    },
    session::{
        bounds::Place,
        message::SessionInfo,
        push_channel::PushChannel,
        session::Session,
        sessions::{Departure, Sessions},
    },
    state::PluginState,
};

/// How long the response to a start waits for the task to end.
const QUICK_END: Duration = Duration::from_millis(2);

/// The caller of a command. Tauri fills in this argument, not the page.
pub(crate) struct Caller {
    view: View,
    /// The number of its document among those that its webview has loaded.
    load: u64,
    pub(crate) tasks: TaskManager,
    sessions: Arc<Sessions>,
    pages: Arc<Pages>,
}

impl<'de, R: Runtime> CommandArg<'de, R> for Caller {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        let Arrival { page, load } = arrival::caller(&command)?;
        let plugin = command.message.webview_ref().state::<PluginState>();
        let name = command.name;
        let scope = CommandScope::<ScopeEntry>::from_command(command)?.into();
        plugin.idle_entries.warn(name, &scope);
        Ok(Self {
            view: View::new(page, scope),
            load,
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

    /// Opens a session. Fails if the document of the call has left its webview: the next one would get the messages.
    pub(crate) fn open(&self, name: &str, protocol: u32, channel: PushChannel) -> Result<SessionInfo, Error> {
        self.check_document()?;
        let info = self.sessions.open(name, protocol, self.page(), &self.tasks, channel)?;
        self.close_if_late(name)?;
        Ok(info)
    }

    /// Closes a session that has just been opened if its document has left in the meantime: what closes the sessions of that
    /// document may not have seen it.
    fn close_if_late(&self, name: &str) -> Result<(), Error> {
        self.check_document().inspect_err(|_| {
            let departure = if self.pages.is_current(self.page()) { Departure::Reloads } else { Departure::ForGood };
            self.sessions.close_late(name, self.page(), departure);
        })
    }

    fn check_document(&self) -> Result<(), Error> {
        if self.pages.still_shows(self.page(), self.load) {
            return Ok(());
        }
        Err(refusals::of_stranger(Stranger::Elsewhere, &self.page().label))
    }

    /// Starts a task that this page owns.
    pub(crate) fn start(&self, id: TaskId, task: &str, input: Json, options: StartOptions) -> Result<Follower, Error> {
        let sees = |record: &Record| self.view.sees(record);
        let start = Start { id, task, input, owner: self.owner(), options, sees: &sees };
        engine(&self.tasks).start_on(Some(self.page().account()), start).map_err(refusals::of_start)
    }

    pub(crate) fn rerun(&self, record: &Record, id: TaskId) -> Result<Follower, Error> {
        let sees = |record: &Record| self.view.sees(record);
        let account = Some(self.page().account());
        engine(&self.tasks).rerun(account, record, id, self.owner(), &sees).map_err(refusals::of_start)
    }

    /// Returns the task `new_id` if an earlier call has started it as a rerun of task `id`, which is gone by now. The
    /// caller must own it, and must still be allowed to start its kind.
    pub(crate) fn repeated_rerun(&self, id: &str, new_id: &str) -> Option<Follower> {
        let record = self.find(new_id).ok()?;
        let is_it = record.owner() == self.owner() && record.rerun_of() == Some(id.parse().ok()?);
        (is_it && self.view.scope.check_start(record.name()).is_ok()).then(|| Follower::new(&record))
    }

    pub(crate) fn batch(
        &self,
        id: TaskId,
        task: &str,
        inputs: Vec<Json>,
        options: BatchOptions,
    ) -> Result<Follower, Error> {
        let batch = StartBatch { id, task, inputs, owner: self.owner(), options };
        engine(&self.tasks).start_batch_on(Some(self.page().account()), batch).map_err(refusals::of_start)
    }

    fn owner(&self) -> Owner {
        self.page().owner()
    }

    /// Makes `session` follow this task, unless the task has ended. Returns its snapshot. Fails as [`find`](Self::find) does if
    /// the caller may not be told of it any more.
    pub(crate) fn follow(
        &self,
        session: &Session,
        record: &Arc<Record>,
        every: Option<Duration>,
    ) -> Result<TaskSnapshot, Error> {
        let owner = self.owner();
        let share_of = if self.sees_all(record.name()) { None } else { Some(&owner) };
        session.follow_told(record, share_of, every).ok_or_else(|| refusals::not_visible(&record.id.to_string()))
    }

    /// Makes `session` follow a task that this page has started or joined by the call `id`, unless the task has ended. Fails
    /// if the call has given its share back in the meantime, as a repeated call does then. If the webview has closed, the
    /// page has no shares any more; if it is gone otherwise, its tasks are treated so.
    pub(crate) async fn follow_start(
        &self,
        session: &Session,
        id: TaskId,
        started: &Follower,
    ) -> Result<Started, Error> {
        let record = started.record();
        // If the task ends at once, the response includes its outcome.
        let _ = timeout(QUICK_END, record.settled()).await;
        // What the page may start or join says nothing of what it may be told of.
        let snapshot = session.follow_told(record, Some(&self.owner()), None);
        self.disown_if_closed();
        let snapshot = snapshot.ok_or_else(|| refusals::share_given_back(id))?;
        if is_cancelled_without_owner(record) {
            self.sessions.has_started(session);
        }
        let outcome = snapshot.ended_at.and_then(|_| record.inline_outcome());
        Ok(Started { snapshot, outcome })
    }

    /// Starts or joins a run of a schedule. The app owns the run, and this page has a share in it. Returns the run's snapshot.
    /// Fails for a repeated call that has given its share back. `may` says which kinds the page may use.
    pub(crate) fn trigger(&self, name: &str, id: TaskId, may: &dyn Fn(&str) -> bool) -> Result<TaskSnapshot, Error> {
        let owner = self.owner();
        let run = trigger(&self.tasks, &owner, self.page().account(), name, id, may)?;
        let snapshot = run.record().snapshot();
        let is_told = run.record().tells(&owner);
        self.disown_if_closed();
        if is_told { Ok(snapshot) } else { Err(refusals::share_given_back(id)) }
    }

    /// Gives back the share that the call with this id has in a task. If it is the last one, the task is cancelled. Does
    /// nothing if no call of this page with this id has a share.
    pub(crate) fn leave(&self, id: &str) {
        let owner = self.owner();
        let left = id.parse().ok().and_then(|id| engine(&self.tasks).leave(id, &owner));
        if let Some(record) = left {
            self.sessions.unfollow_untold(self.page(), record.id);
        }
    }

    /// Gives back all shares of this page if its webview has closed in the meantime.
    fn disown_if_closed(&self) {
        if !self.pages.is_current(self.page()) {
            let gone = self.owner();
            engine(&self.tasks).disown(|owner| *owner == gone);
        }
    }

    pub(crate) fn session(&self, name: &str) -> Result<Arc<Session>, Error> {
        self.sessions.get(name, self.page())
    }

    /// Takes a place among the calls of this page that wait. Fails if there is none.
    pub(crate) fn waits(&self) -> Result<Place, Error> {
        self.sessions.bounds_of(self.page()).wait()
    }

    pub(crate) fn check_start(&self, task: &str) -> Result<(), Error> {
        let refused = |why| refusals::start_refused(why, task, &self.page().label);
        self.view.scope.check_start(task).map_err(refused)
    }

    /// Returns whether the caller sees all tasks of this kind, whatever their owners.
    pub(crate) fn sees_all(&self, task: &str) -> bool {
        self.view.scope.sees(task, false)
    }

    /// Returns whether the caller sees a schedule of this kind. The app owns its runs.
    pub(crate) fn sees_schedule_of(&self, task: &str) -> bool {
        self.view.sees_task_of(task, &Owner::App)
    }

    /// Checks that the caller may change this limit, which applies to the tasks of all owners.
    pub(crate) fn check_limit(&self, of: &LimitOf) -> Result<(), Error> {
        let allowed = match of {
            // This limit also applies to tasks that the app spawns under any name.
            LimitOf::App => self.view.scope.sees_everything(),
            LimitOf::Task(task) => self.sees_all(task),
            LimitOf::Group(group) => {
                let tasks = engine(&self.tasks).tasks_in(group);
                self.view.scope.sees_everything() || (!tasks.is_empty() && tasks.iter().all(|task| self.sees_all(task)))
            }
            _ => false,
        };
        let tasks = if let LimitOf::Task(task) = of { task } else { "*" };
        if allowed { Ok(()) } else { Err(refusals::limit_refused(tasks, &self.page().label)) }
    }

    /// Returns the visible tasks that match `filter`, oldest first.
    pub(crate) fn records(&self, filter: &TaskFilter) -> Vec<Arc<Record>> {
        engine(&self.tasks).records_that(filter, |record| self.view.sees(record))
    }

    /// Returns a page of the tasks that match `filter` and that the caller may be told of, and what to pass as `after` for
    /// the next one.
    pub(crate) fn page_of_tasks(
        &self,
        filter: &TaskFilter,
        after: Option<u64>,
        limit: u32,
    ) -> (Vec<Arc<Record>>, Option<u64>) {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        engine(&self.tasks).page(filter, after, limit, |record| self.view.is_told(record))
    }

    /// Returns the task with this id. Fails with the same error whether there is none or the caller may not see it.
    pub(crate) fn find(&self, id: &str) -> Result<Arc<Record>, Error> {
        self.find_if(id, |record| self.view.sees(record))
    }

    /// Returns the task with this id if the caller may be told of it. Fails as [`find`](Self::find) does.
    pub(crate) fn find_told(&self, id: &str) -> Result<Arc<Record>, Error> {
        self.find_if(id, |record| self.view.is_told(record))
    }

    /// Fails as [`find_told`](Self::find_told) does if the caller may not be told of this task any more.
    pub(crate) fn check_told(&self, record: &Record) -> Result<(), Error> {
        if self.view.is_told(record) { Ok(()) } else { Err(refusals::not_visible(&record.id.to_string())) }
    }

    fn find_if(&self, id: &str, may: impl Fn(&Record) -> bool) -> Result<Arc<Record>, Error> {
        let found = id.parse().ok().and_then(|id| engine(&self.tasks).find(id));
        found.filter(|record| may(record)).ok_or_else(|| refusals::not_visible(id))
    }

    /// Returns the error for a task that was not [found](Self::find): it says so if the task's outcome has expired.
    pub(crate) fn or_expired(&self, id: &str, not_found: Error) -> Error {
        self.or_expired_if(id, not_found, |spent| self.view.sees_task_of(&spent.name, &spent.owner))
    }

    /// Does what [`or_expired`](Self::or_expired) does after [`find_told`](Self::find_told).
    pub(crate) fn or_told_expired(&self, id: &str, not_found: Error) -> Error {
        self.or_expired_if(id, not_found, |spent| self.view.was_told(spent))
    }

    fn or_expired_if(&self, id: &str, not_found: Error, may: impl Fn(&Spent) -> bool) -> Error {
        let spent = id.parse().ok().and_then(|id: TaskId| Some((id, engine(&self.tasks).spent(id)?)));
        match spent {
            Some((id, spent)) if may(&spent) => Refusal::OutcomeExpired { id: id.to_string() }.into(),
            _ => not_found,
        }
    }

    pub(crate) fn cancel(&self, id: &str, reason: CancelReason) -> Result<(), Error> {
        engine(&self.tasks).cancel(&self.find(id)?, reason)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use tauri::{
        Url,
        ipc::Channel,
        test::{MockRuntime, mock_context, noop_assets},
    };
    use tokio::runtime::Handle;

    use super::*;
    use crate::{
        access::{
            document::{Call, Document},
            scope::Scope,
        },
        session::{message::PROTOCOL, protocol::timing::HIDDEN_LIMIT},
    };

    pub(in crate::ipc) fn plugin() -> PluginState {
        let plugin = PluginState::new(
            TaskManager::new(Handle::current()),
            HIDDEN_LIMIT,
            Box::new(|_| true),
            Box::new(|run| run()),
        );
        plugin.webview_created("main");
        plugin
    }

    /// Loads the next document of the same origin.
    fn loads(plugin: &PluginState) {
        let url =
            if cfg!(any(windows, target_os = "android")) { "http://tauri.localhost" } else { "tauri://localhost" };
        let document = Document::at(&Url::parse(url).unwrap(), mock_context::<MockRuntime, _>(noop_assets()).config());
        plugin.page_loads("main", document);
    }

    /// Returns the caller of a call that comes in now, with this scope.
    pub(in crate::ipc) fn caller_of(plugin: &PluginState, scope: Scope) -> Caller {
        let load = plugin.pages.loads("main");
        let page = plugin.page_calls("main", Call { is_remote: false, header: None }).unwrap();
        Caller {
            view: View::new(page, scope),
            load,
            tasks: plugin.tasks.clone(),
            sessions: Arc::clone(&plugin.sessions),
            pages: Arc::clone(&plugin.pages),
        }
    }

    /// Returns the caller of a call that comes in now.
    fn caller(plugin: &PluginState) -> Caller {
        caller_of(plugin, Scope::default())
    }

    pub(in crate::ipc) fn channel() -> PushChannel {
        PushChannel::at_once(Channel::new(|_| Ok(())))
    }

    #[tokio::test]
    async fn a_document_that_has_left_opens_no_session_in_the_next_one() {
        let plugin = plugin();
        for is_first in [true, false] {
            let late = caller(&plugin);
            late.open(&format!("{is_first}"), PROTOCOL, channel()).expect("it is shown");
            loads(&plugin);
            let refused = late.open("late", PROTOCOL, channel()).unwrap_err();
            assert_eq!(refused.kind, crate::ErrorKind::NotAllowed, "{refused}");
            assert!(late.session("late").is_err() && late.session(&format!("{is_first}")).is_err());
        }
        assert_eq!(plugin.sessions.held().0, 0);
        caller(&plugin).open("next", PROTOCOL, channel()).unwrap();
    }

    #[tokio::test]
    async fn a_session_that_comes_too_late_is_closed_and_those_of_the_next_document_stay() {
        let plugin = plugin();
        let late = caller(&plugin);
        loads(&plugin);
        let next = caller(&plugin);
        next.open("next", PROTOCOL, channel()).unwrap();
        // The document has left after the first check.
        plugin.sessions.open("late", PROTOCOL, late.page(), &plugin.tasks, channel()).unwrap();
        assert!(late.close_if_late("late").is_err() && next.close_if_late("next").is_ok());
        assert!(late.session("late").is_err() && next.session("next").is_ok());
        assert!(late.open("late", PROTOCOL, channel()).is_err());
        plugin.window_destroyed(|_| false);
        assert!(next.open("gone", PROTOCOL, channel()).is_err());
        assert_eq!(plugin.sessions.held().0, 0);
    }
}
