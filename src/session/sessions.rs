//! Opens, finds and closes sessions.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Weak},
    time::Duration,
};

use tauri_plugin_tasks_engine::delivery::{Owner, engine, error};
use tokio::time::Instant;

pub(crate) use super::readers::Departure;
use super::{
    bounds::{Bounds, MOST_SESSIONS, too_many_sessions},
    gone::gone,
    message::{PROTOCOL, SessionInfo},
    protocol::{Loss, main_thread::Question, page_signs::PageSigns, timing::LEASE},
    pump::{End, Existence, pump},
    push_channel::{PushChannel, RunOnMainThread},
    session::Session,
};
use crate::{
    Error, ErrorKind, TaskId, TaskManager,
    access::page::Page,
    lock::{Lock, SESSIONS},
};

/// The longest name of a session, in bytes.
const NAME_LIMIT: usize = 64;
/// How many names of closed sessions are remembered of one page, and in all. A reloading page repeats its calls, and a
/// repeated `open` must not bring back a session that nobody listens to.
const CLOSED_OF_PAGE: usize = 2 * MOST_SESSIONS;
const CLOSED_LIMIT: usize = 4_096;

/// All sessions of the app.
pub(crate) struct Sessions {
    names: Lock<Names, SESSIONS>,
    hidden_limit: Duration,
    exists: Exists,
    run_on_main_thread: RunOnMainThread,
}

/// Returns whether there is a webview with this label.
pub(crate) type Exists = Box<dyn Fn(&str) -> bool + Send + Sync>;

#[derive(Default)]
struct Names {
    open: HashMap<String, Arc<Session>>,
    closed: VecDeque<Closed>,
    bounds: HashMap<Page, Weak<Bounds>>,
    /// The pages that have used a session which has ended since, until their documents leave.
    used: HashSet<Page>,
}

/// The name of a session that was closed.
struct Closed {
    name: String,
    page: Page,
}

impl Names {
    fn of_page(&self, page: &Page) -> impl Iterator<Item = &Arc<Session>> {
        self.open.values().filter(move |session| session.page == *page)
    }

    /// Returns what this page holds.
    fn bounds_of(&mut self, page: &Page) -> Arc<Bounds> {
        if let Some(bounds) = self.bounds.get(page).and_then(Weak::upgrade) {
            return bounds;
        }
        self.bounds.retain(|_, bounds| bounds.strong_count() > 0);
        let bounds = Bounds::new();
        self.bounds.insert(page.clone(), Arc::downgrade(&bounds));
        bounds
    }

    /// Remembers that this page has closed a session of this name. The page's oldest name goes first, so that it pushes out no
    /// name of another page.
    fn remember(&mut self, name: String, page: Page) {
        let of_page = || self.closed.iter().enumerate().filter(|(_, closed)| closed.page == page);
        let too_many = of_page().count() >= CLOSED_OF_PAGE;
        if let Some((oldest, _)) = of_page().next().filter(|_| too_many) {
            self.closed.remove(oldest);
        }
        self.closed.push_back(Closed { name, page });
        let excess = self.closed.len().saturating_sub(CLOSED_LIMIT);
        self.closed.drain(..excess);
    }
}

impl Sessions {
    /// `hidden_limit` is how long a hidden page may be silent.
    pub(crate) fn new(hidden_limit: Duration, exists: Exists, run_on_main_thread: RunOnMainThread) -> Self {
        Self { names: Lock::default(), hidden_limit, exists, run_on_main_thread }
    }

    /// Opens a session for `page`, or finds the one that an earlier call with the same name has opened. Fails if the
    /// page speaks another `protocol`, if the name is invalid, taken or that of a closed session, if the call was repeated
    /// too often, or if the page has too many sessions: a new one closes no other.
    pub(crate) fn open(
        self: &Arc<Self>,
        name: &str,
        protocol: u32,
        page: &Page,
        tasks: &TaskManager,
        channel: PushChannel,
    ) -> Result<SessionInfo, Error> {
        if protocol != PROTOCOL {
            return Err(error(
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
        // Dropped after the lock is released.
        let _refused;
        let mut names = self.names.lock();
        match names.open.get(name) {
            // Dropping the channel of a repeat would remove its callback in the page, which the live channel shares.
            Some(session) if session.page == *page => {
                if let Err(channel) = session.keep(channel) {
                    _refused = channel;
                    return Err(gone("it was opened too many times"));
                }
            }
            Some(_) => return Err(gone("its name is taken")),
            None if names.closed.iter().any(|closed| closed.name == name) => return Err(gone("it was closed")),
            None if names.of_page(page).count() >= MOST_SESSIONS => return Err(too_many_sessions()),
            None => {
                let other = names.of_page(page).next();
                let signs = other.map(|other| Arc::clone(&other.signs));
                let signs = signs.unwrap_or_else(|| {
                    let is_used = names.used.contains(page);
                    PageSigns::new(Instant::now(), self.hidden_limit, is_used)
                });
                let session = Session::new(page.clone(), tasks.clone(), signs, names.bounds_of(page));
                names.open.insert(name.to_owned(), Arc::clone(&session));
                let sessions = Arc::downgrade(self);
                engine(tasks).control().spawn(async move {
                    let ask_whether_it_exists = |existence: Existence| {
                        if let Some(sessions) = sessions.upgrade() {
                            let label = Arc::clone(&session.page.label);
                            sessions.look_for_webviews(&session.tasks, move |exists| existence.answer(exists(&label)));
                        }
                    };
                    let ask_main_thread = |question: Question| {
                        if let Some(sessions) = sessions.upgrade() {
                            (sessions.run_on_main_thread)(Box::new(move || question.answer(Instant::now())));
                        }
                    };
                    let end = pump(&session, channel, ask_whether_it_exists, ask_main_thread).await;
                    if let Some(sessions) = sessions.upgrade() {
                        sessions.has_ended(&session, end);
                    }
                    session.drop_repeats();
                });
            }
        }
        Ok(SessionInfo { protocol: PROTOCOL, lease_ms: u32::try_from(LEASE.as_millis()).unwrap_or(u32::MAX) })
    }

    /// Returns the open session of this name, if it belongs to this page.
    pub(crate) fn get(&self, name: &str, page: &Page) -> Result<Arc<Session>, Error> {
        let names = self.names.lock();
        names
            .open
            .get(name)
            .filter(|session| session.page == *page)
            .cloned()
            .ok_or_else(|| gone("it was closed or never opened"))
    }

    /// Makes all sessions of this page follow a task no longer where the page may not be told of it any more, since it has given
    /// a share in it back.
    pub(crate) fn unfollow_untold(&self, page: &Page, id: TaskId) {
        let of_page: Vec<_> =
            self.names.lock().open.values().filter(|session| session.page == *page).cloned().collect();
        for session in of_page {
            session.unfollow_untold(id);
        }
    }

    /// Lets `look` find out whether there is a webview with a label, on a thread that may wait: Tauri emits its events under
    /// the lock that this takes.
    pub(crate) fn look_for_webviews(
        self: &Arc<Self>,
        tasks: &TaskManager,
        look: impl FnOnce(&dyn Fn(&str) -> bool) + Send + 'static,
    ) {
        let sessions = Arc::clone(self);
        engine(tasks).control().spawn_blocking(move || look(&sessions.exists));
    }

    /// Returns what this page holds in all of its sessions.
    pub(crate) fn bounds_of(&self, page: &Page) -> Arc<Bounds> {
        self.names.lock().bounds_of(page)
    }

    /// Closes the sessions of the webview `label`, whose document is gone.
    pub(crate) fn close_page(&self, label: &str, departure: Departure) {
        self.close_pages(departure, |page| &*page.label == label);
    }

    /// Closes a session whose document left while it was being opened.
    pub(crate) fn close_late(&self, name: &str, page: &Page, departure: Departure) {
        if let Ok(late) = self.get(name, page) {
            self.close(departure, |other| Arc::ptr_eq(other, &late), |_| false);
        }
    }

    /// Closes the sessions of the webview of this page, which has closed, and leaves its tasks to the app. There may be
    /// another webview with the same label by now.
    pub(crate) fn webview_closed(&self, page: &Page, tasks: &TaskManager) {
        self.close_pages(Departure::ForGood, |other| other.shares_webview_with(page));
        engine(tasks).disown(|owner| page.shares_webview_with_owner(owner));
    }

    /// Closes a session whose pump has ended, and treats its page as what it has shown to be.
    fn has_ended(&self, session: &Arc<Session>, end: End) {
        let departure = match end {
            End::Closed | End::Lost(Loss::Behind | Loss::Forgotten) => Departure::Reloads,
            // A document that was about to leave may have opened it, and the next one may have nothing to say.
            End::Lost(Loss::Silent) if !session.signs.is_used() => Departure::Reloads,
            End::Lost(Loss::Silent) => Departure::Silent,
            End::WebviewClosed => Departure::ForGood,
        };
        self.close(departure, |other| Arc::ptr_eq(other, session), |_| false);
        match departure {
            Departure::Reloads => {}
            Departure::Silent => self.note_silence(session),
            Departure::ForGood => self.webview_closed(&session.page, &session.tasks),
        }
    }

    /// Cancels those tasks of the page of a closed session that are cancelled when it is gone, unless the page has
    /// another session. That one may rest, so it is woken to notice whether the page is gone.
    fn note_silence(&self, session: &Session) {
        if !self.wake_all(&session.page) {
            let gone = session.page.owner();
            engine(&session.tasks).owners_are_silent(|owner| *owner == gone);
        }
    }

    /// Wakes the sessions of this page. Returns whether it has any.
    fn wake_all(&self, page: &Page) -> bool {
        let names = self.names.lock();
        names.of_page(page).map(|session| session.wake.notify_one()).count() > 0
    }

    /// Records that the page of `session` has started a task that is cancelled when the page is gone, so that its silence
    /// counts from now on in all of its sessions. If the page turned out to be gone meanwhile, the task is treated as
    /// those that it had started before.
    pub(crate) fn has_started(&self, session: &Session) {
        if session.departure() == Some(Departure::Silent) {
            self.note_silence(session);
        } else {
            self.wake_all(&session.page);
        }
    }

    /// Returns the owners that have sessions.
    pub(crate) fn owners(&self) -> Vec<Owner> {
        self.names.lock().open.values().map(|session| session.page.owner()).collect()
    }

    /// Returns how many sessions are open and how many readers they have.
    pub(crate) fn held(&self) -> (usize, usize) {
        let sessions: Vec<_> = self.names.lock().open.values().cloned().collect();
        (sessions.len(), sessions.iter().map(|session| session.readers.len()).sum())
    }

    /// Returns how many pages are known for sessions that have ended.
    #[cfg(test)]
    pub(crate) fn remembered(&self) -> usize {
        self.names.lock().used.len()
    }

    pub(crate) fn close_all(&self) {
        self.close_pages(Departure::ForGood, |_| true);
    }

    /// Closes the sessions of the pages that have left.
    fn close_pages(&self, departure: Departure, has_left: impl Fn(&Page) -> bool) {
        self.close(departure, |session| has_left(&session.page), &has_left);
    }

    fn close(&self, departure: Departure, which: impl Fn(&Arc<Session>) -> bool, has_left: impl Fn(&Page) -> bool) {
        let mut names = self.names.lock();
        let gone: Vec<_> = names.open.extract_if(|_, session| which(session)).collect();
        let of_used = gone.iter().map(|(_, session)| session).filter(|session| session.signs.is_used());
        names.used.extend(of_used.map(|session| session.page.clone()));
        names.used.retain(|page| !has_left(page));
        for (name, session) in &gone {
            names.remember(name.clone(), session.page.clone());
        }
        // Drop the sessions outside the lock, since that may log failures that their pages have not learned of.
        drop(names);
        for (_, session) in gone {
            session.close(departure);
        }
    }
}
