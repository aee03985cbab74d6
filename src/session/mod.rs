//! Delivery to pages: one session for each load of a page's client, with one channel for everything.

mod ack;
mod answer_size;
mod follow;
mod list;
mod message;
mod outbox;
mod pump;
mod readers;
mod room;
#[cfg(test)]
mod tests;
mod turns;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use tauri::ipc::Channel;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

pub(crate) use message::{PROTOCOL, SessionInfo, SessionMessage, WatchTarget};

use crate::{Error, ErrorKind, TaskFilter, TaskManager, TaskSnapshot, ipc::caller::View};
use outbox::{LEASE, Outbox};
use readers::Readers;
use tauri_plugin_tasks_engine::delivery::{Page, Record, Watcher};

/// The longest name that a page may give its session.
const NAME_LIMIT: usize = 64;
/// How many names of closed sessions are remembered: a reloading page repeats its calls, and a repeated
/// `open` must not bring a session back that nobody listens to.
const CLOSED_LIMIT: usize = 256;
/// How often an open session may be opened again.
const REPEATS_LIMIT: usize = 8;

/// All sessions of the app.
#[derive(Default)]
pub(crate) struct Sessions {
    names: Mutex<Names>,
}

#[derive(Default)]
struct Names {
    open: HashMap<String, Arc<Session>>,
    closed: VecDeque<String>,
}

impl Sessions {
    /// Opens a session, or finds the one that an earlier call with the same name has opened.
    pub(crate) fn open(
        self: &Arc<Self>,
        name: &str,
        protocol: u32,
        page: &Page,
        tasks: &TaskManager,
        channel: Channel<SessionMessage>,
    ) -> Result<SessionInfo, Error> {
        if protocol != PROTOCOL {
            return Err(Error::new(
                ErrorKind::ProtocolMismatch,
                format!(
                    "the page speaks protocol {protocol} and the app protocol {PROTOCOL}: use the same version of the npm package \
                     tauri-plugin-tasks-api and of the crate tauri-plugin-tasks (this one is {})",
                    env!("CARGO_PKG_VERSION")
                ),
            ));
        }
        if name.is_empty() || name.len() > NAME_LIMIT {
            return Err(gone("its name must have 1 to 64 bytes"));
        }
        let mut names = self.names.lock();
        match names.open.get(name) {
            // To drop the channel of a repeat would end its callback in the page, which is the live one's too.
            Some(session) if session.page == *page => session.keep(channel)?,
            Some(_) => return Err(gone("its name is taken")),
            None if names.closed.iter().any(|closed| closed == name) => return Err(gone("it was closed")),
            None => {
                let session = Session::new(page.clone(), tasks.clone());
                names.open.insert(name.to_owned(), Arc::clone(&session));
                tasks.runtime().spawn(pump::pump(session, channel, Arc::downgrade(self)));
            }
        }
        Ok(SessionInfo { protocol: PROTOCOL, lease_ms: u32::try_from(LEASE.as_millis()).unwrap_or(u32::MAX) })
    }

    /// The open session of this name, if it is this page's.
    pub(crate) fn get(&self, name: &str, page: &Page) -> Result<Arc<Session>, Error> {
        let names = self.names.lock();
        names
            .open
            .get(name)
            .filter(|session| session.page == *page)
            .cloned()
            .ok_or_else(|| gone("it was closed or never opened"))
    }

    /// Closes the sessions of a webview whose document is gone, and comes again if it is `reloading`.
    pub(crate) fn close_page(&self, label: &str, reloading: bool) {
        self.close(reloading, |session| &*session.page.label == label);
    }

    /// Closes what a page has opened that was gone already.
    pub(crate) fn close_sessions_of(&self, page: &Page) {
        self.close(false, |session| session.page == *page);
    }

    fn close_one(&self, session: &Arc<Session>) {
        self.close(true, |other| Arc::ptr_eq(other, session));
    }

    /// Whether a session of this page is open.
    fn has_any_of(&self, page: &Page) -> bool {
        self.names.lock().open.values().any(|session| session.page == *page)
    }

    /// How many are open, and how many readers they have.
    pub(crate) fn held(&self) -> (usize, usize) {
        let sessions: Vec<_> = self.names.lock().open.values().cloned().collect();
        (sessions.len(), sessions.iter().map(|session| session.readers.len()).sum())
    }

    pub(crate) fn close_all(&self) {
        self.close(false, |_| true);
    }

    fn close(&self, reloading: bool, which: impl Fn(&Arc<Session>) -> bool) {
        let mut names = self.names.lock();
        let Names { open, closed } = &mut *names;
        let gone: Vec<_> = open.extract_if(|_, session| which(session)).collect();
        closed.extend(gone.iter().map(|(name, _)| name.clone()));
        let excess = closed.len().saturating_sub(CLOSED_LIMIT);
        closed.drain(..excess);
        // The last hold of a session may log failures that its page has not learned of: not under the lock.
        drop(names);
        for (_, session) in gone {
            // First: whoever hears that the session is closed may read on in another one.
            session.readers.close(reloading);
            session.closed.cancel();
        }
    }
}

fn gone(why: &str) -> Error {
    Error::new(
        ErrorKind::SessionGone,
        format!("there is no such session ({why}): open a new one, as the npm package does by itself"),
    )
}

/// What is told to one page, and how far that has come. Its [`pump`] does the telling.
///
/// Locks are taken in this order: outbox, then the engine's registry, then a task's state, then a watcher.
pub(crate) struct Session {
    page: Page,
    tasks: TaskManager,
    watcher: Arc<Watcher>,
    outbox: Mutex<Outbox>,
    /// Has the pump look again.
    wake: Notify,
    closed: CancellationToken,
    readers: Readers,
    repeats: Mutex<Vec<Channel<SessionMessage>>>,
}

impl Session {
    fn new(page: Page, tasks: TaskManager) -> Arc<Self> {
        Arc::new(Self {
            page,
            tasks,
            watcher: Arc::default(),
            outbox: Mutex::new(Outbox::new(Instant::now())),
            wake: Notify::new(),
            closed: CancellationToken::new(),
            readers: Readers::new(),
            repeats: Mutex::default(),
        })
    }

    fn keep(&self, channel: Channel<SessionMessage>) -> Result<(), Error> {
        let mut repeats = self.repeats.lock();
        if repeats.len() == REPEATS_LIMIT {
            return Err(gone("it was opened too often"));
        }
        repeats.push(channel);
        Ok(())
    }

    /// Tells the page each change of this task from now on; answers how it stands.
    pub(crate) fn follow(&self, record: &Arc<Record>) -> TaskSnapshot {
        // Under one lock from the first mark to the entry, or the pump would take the mark and find nobody for it.
        let mut outbox = self.outbox.lock();
        if !outbox.follows(record.id) {
            record.add_watcher(&self.watcher);
        }
        let snapshot = outbox.follow(record, Instant::now());
        if !outbox.follows(record.id) {
            record.remove_watcher(&self.watcher);
        }
        drop(outbox);
        // It may have a rate, to be told again.
        self.wake.notify_one();
        snapshot
    }

    pub(crate) fn unfollow(&self, id: crate::TaskId) {
        // Under the lock to here, or the watcher of somebody who follows anew would go.
        let mut outbox = self.outbox.lock();
        let follower = outbox.unfollow(id);
        if let Some(follower) = &follower {
            follower.record().remove_watcher(&self.watcher);
        }
        drop(outbox);
        // May log the task's failure, and that not under the lock.
        drop(follower);
    }

    /// Tells the page from now on what changes among the tasks that match and that it may see; answers
    /// which those are.
    pub(crate) fn list(&self, watch: u32, filter: TaskFilter, view: View) -> Vec<TaskSnapshot> {
        let mut outbox = self.outbox.lock();
        self.tasks.watch_all(&self.watcher);
        let records = self.tasks.records(&filter);
        let snapshots = outbox.list(watch, filter, view, records, Instant::now());
        drop(outbox);
        self.wake.notify_one();
        snapshots
    }

    pub(crate) fn unlist(&self, watch: u32) {
        // Under the lock to the end, or the watcher of a list that is just being added would go.
        let mut outbox = self.outbox.lock();
        if outbox.unlist(watch) {
            self.tasks.unwatch_all(&self.watcher);
        }
    }
}
